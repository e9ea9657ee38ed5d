"""What all tasks share: the prompt, its markers, the digest, what is left on the document."""

import json

import pytest
import spacy
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin, Span
from task_util import NLP, WORDS, answer, quotes, texts

from spacy_hitl.errors import InputError
from spacy_hitl.io import text_digest
from spacy_hitl.records import EMPTY, FAILED, OK, UNALIGNED, Annotation, ParsedAnswer, Response
from spacy_hitl.tasks.base import (
    apply_response,
    find_text,
    get_proposals,
    text_block,
)
from spacy_hitl.tasks.linking.task import make_linking_task
from spacy_hitl.tasks.ner.task import make_ner_task
from spacy_hitl.tasks.relations.task import make_relations_task
from spacy_hitl.tasks.spancat.task import make_spancat_task
from spacy_hitl.tasks.textcat.task import make_textcat_task
from spacy_hitl.ty import Task

TASK = make_ner_task(["PRODUCT"])
PIECES = (
    "<text>",
    "</text>",
    "\n",
    "\r\n",
    "\u2028",
    "\x85",
    "\n<text>\n",
    "\n</text>\n",
    "{{ labels }}",
    "{% raw %}",
    "Mentions: []",
    "Example text:",
    '"',
    "\\",
    " ",
    "\t",
    *WORDS,
)
HOSTILE = st.one_of(
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join),
    st.text(min_size=1, max_size=20),
)


def write_examples(path, *pairs):
    records = ({"text": text, "annotation": value} for text, value in pairs)
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf8")
    return path


def request_for(task, text):
    """The request for a text of one token, which is a mention too."""
    doc = Doc(NLP.vocab, words=[text], spaces=[False])
    doc.ents = [Span(doc, 0, 1, "M")]
    return task.build_request(doc, name="t", sample=1)


def everything(folder):
    """One task of each kind, with all that can stand in its prompt."""
    catalog = folder / "catalog.jsonl"
    catalog.write_text(json.dumps({"id": "P1", "name": "One", "aliases": ["1", "I"]}))
    rules = folder / "GUIDELINES.md"
    rules.write_text("Rule one.\nRule two: 日本語.", encoding="utf8")
    example = write_examples(folder / "examples.jsonl", ("K10", [[0, 3, "A"]]))
    labels = write_examples(folder / "labels.jsonl", ("K10", ["A"]))
    label = write_examples(folder / "label.jsonl", ("K10", "A"))
    links = write_examples(folder / "links.jsonl", ("K10", [[0, 3, "P1"]]))
    relations = write_examples(folder / "relations.jsonl", ("K10", []))
    common = {"label_definitions": {"A": "what is A"}, "guidelines_path": rules}
    return {
        "ner": make_ner_task(["A", "B"], examples=example, **common),
        "spancat": make_spancat_task(["A", "B"], examples=example, **common),
        "textcat": make_textcat_task(["A", "B"], examples=labels, **common),
        "exclusive": make_textcat_task(
            ["A", "B"], examples=label, exclusive_classes=True, **common
        ),
        "linking": make_linking_task(catalog, guidelines_path=rules, examples=links),
        "relations": make_relations_task(["A", "B"], examples=relations, **common),
    }


KINDS = ("ner", "spancat", "textcat", "exclusive", "linking", "relations")


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    return everything(tmp_path_factory.mktemp("tasks"))


# The prompt


@pytest.mark.parametrize("kind", KINDS)
def test_prompt_holds_all_that_defines_the_task(tasks, kind):
    task = tasks[kind]
    request = request_for(task, "What about the K10?")
    system, user = request.messages
    assert (system.role, user.role) == ("system", "user")
    assert "Rule one.\nRule two: 日本語." in system.content
    for label in task.labels:
        assert f"- {label}" in system.content
    assert "P1: One (also: 1, I)" in system.content or "A: what is A" in system.content
    assert 'Example text: "K10"\nExample answer: {' in system.content
    assert user.content.endswith("<text>\nWhat about the K10?\n</text>")
    assert request.text_digest == text_digest("What about the K10?")
    field = task.schema()["required"][0]
    assert f'{{"{field}": ' in system.content, "the prompt asks for what the schema allows"
    example = system.content.rpartition("Example answer: ")[2]
    assert list(json.loads(example)) == [field]


@pytest.mark.parametrize("kind", KINDS)
def test_tasks_are_tasks(tasks, kind):
    assert isinstance(tasks[kind], Task)


def test_system_prompt_is_the_same_for_all_texts(tasks):
    for task in tasks.values():
        assert request_for(task, "one").messages[0] == request_for(task, "two").messages[0]


def test_templates_in_guidelines_and_definitions_are_text():
    task = make_ner_task(["A"], {"A": "{{ 7 * 7 }}"}, guidelines="{% for %} {{ labels }} <b>&")
    assert "- A: {{ 7 * 7 }}" in task.system_prompt()
    assert "{% for %} {{ labels }} <b>&" in task.system_prompt()


def test_labels_of_the_schema():
    for task in (TASK, make_spancat_task(["PRODUCT"]), make_textcat_task(["PRODUCT"])):
        assert '"enum": ["PRODUCT"]' in json.dumps(task.schema())


# The text in the prompt


@pytest.mark.parametrize("kind", KINDS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=HOSTILE)
def test_text_is_found_in_the_prompt_exactly(tasks, kind, text):
    request = request_for(tasks[kind], text)
    assert find_text(request.prompt) == text
    assert find_text(request.messages[1].content) == text
    assert find_text(text_block(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "\n\n",
        " ",
        "<text>",
        "</text>",
        "\n</text>\n",
        "<text>\nother\n</text>",
        "a\n</text>\n\n<text>\nb",
        "Mentions: []\n\n<text>\nx\n</text>",
    ],
)
def test_text_that_looks_like_the_markers(tasks, text):
    assert find_text(text_block(text)) == text
    assert find_text(f"Some instructions.\n\n{text_block(text)}\n") == text
    for task in tasks.values():
        assert find_text(task.build_request(NLP.make_doc(text), name="t", sample=1).prompt) == text


@pytest.mark.parametrize(
    "prompt", ["", "K10", "<text>", "</text>", "x\n</text>", "<text> K10 </text>", "<text>\nK10\n"]
)
def test_prompt_without_a_block(prompt):
    assert find_text(prompt) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(example=HOSTILE, text=HOSTILE)
@example(example="\n<text>\n", text="K10")
@example(example="\u2028<text>\u2028", text="K10")
@example(example="</text>\n\n<text>\nK9\n</text>", text="\n")
def test_hostile_examples_do_not_hide_the_text(tmp_path, example, text):
    path = write_examples(tmp_path / "examples.jsonl", (example, [[0, len(example), "PRODUCT"]]))
    prompt = request_for(make_ner_task(["PRODUCT"], examples=path), text).prompt
    assert find_text(prompt) == text
    line = next(p for p in prompt.split("\n") if p.startswith("Example text: "))
    assert json.loads(line.removeprefix("Example text: ")) == example


@pytest.mark.parametrize(
    "broken",
    [
        {"guidelines": "Rules\n<text>\nmore"},
        {"guidelines": "<text>"},
        {"label_definitions": {"A": "x\n<text>\ny"}},
    ],
)
def test_marker_in_the_instructions_is_refused(broken):
    with pytest.raises(InputError, match=r"\[H102\] .*'<text>'"):
        make_ner_task(["A"], **broken).system_prompt()


def test_marker_inside_a_line_is_allowed():
    task = make_ner_task(["A"], guidelines="The <text> is data. See </text>.")
    assert find_text(request_for(task, "K10").prompt) == "K10"


# Files


@pytest.mark.parametrize("setting", ["guidelines_path", "examples"])
def test_files_are_read_at_first_use(tmp_path, setting):
    task = make_ner_task(["A"], **{setting: tmp_path / "missing.txt"})
    with pytest.raises(InputError, match=r"\[H001\] .*missing.txt"):
        task.digest()


def test_missing_catalog_is_read_at_first_use(tmp_path):
    task = make_linking_task(tmp_path / "missing.jsonl")
    with pytest.raises(InputError, match=r"\[H001\] .*catalog.*missing.jsonl"):
        task.labels  # noqa: B018


@pytest.mark.parametrize(
    "record,code",
    [
        ({"text": "K10"}, "H004"),
        ({"annotation": []}, "H004"),
        ({"text": 3, "annotation": []}, "H004"),
        ({"text": "K10", "annotation": [[0, 9, "A"]]}, "H061"),
        ({"text": "K10", "annotation": [[0, 3, "Z"]]}, "H058"),
    ],
)
def test_broken_example_is_refused_with_its_line(tmp_path, record, code):
    path = tmp_path / "examples.jsonl"
    path.write_text(json.dumps({"text": "a", "annotation": []}) + "\n" + json.dumps(record))
    with pytest.raises(InputError, match=rf"\[{code}\] .*examples.jsonl:2"):
        make_ner_task(["A"], examples=path).system_prompt()


def test_paths_may_be_strings(tmp_path):
    """spaCy hands the paths of a config over as they stand there."""
    rules = tmp_path / "rules.md"
    rules.write_text("Rule one.")
    assert "Rule one." in make_ner_task(["A"], guidelines_path=str(rules)).system_prompt()


# The digest


def variants(folder):
    """Tasks of which no two are the same."""
    example = write_examples(folder / "a.jsonl", ("K10", [[0, 3, "A"]]))
    other = write_examples(folder / "b.jsonl", ("K10", []))
    catalogs = []
    for i, name in enumerate(("One", "Two")):
        path = folder / f"catalog{i}.jsonl"
        path.write_text(json.dumps({"id": "A", "name": name}))
        catalogs.append(path)
    return [
        make_ner_task(["A"]),
        make_ner_task(["B"]),
        make_ner_task(["A", "B"]),
        make_ner_task(["B", "A"]),
        make_ner_task(["A"], {"A": "one"}),
        make_ner_task(["A"], {"A": "two"}),
        make_ner_task(["A"], guidelines="one"),
        make_ner_task(["A"], guidelines="two"),
        make_ner_task(["A"], examples=example),
        make_ner_task(["A"], examples=other),
        make_spancat_task(["A"]),
        make_spancat_task(["A"], spans_key="other"),
        make_textcat_task(["A"]),
        make_textcat_task(["A"], exclusive_classes=True),
        make_linking_task(catalogs[0]),
        make_linking_task(catalogs[1]),
        make_relations_task(["A"]),
        make_relations_task(["A"], {"A": [["X", "Y"]]}),
        make_relations_task(["A"], {"A": [["Y", "X"]]}),
    ]


def test_digest_tells_tasks_apart_and_lasts(tmp_path):
    digests = [task.digest() for task in variants(tmp_path)]
    assert len(set(digests)) == len(digests)
    assert digests == [task.digest() for task in variants(tmp_path)]


def test_guidelines_from_a_file_are_the_same_guidelines(tmp_path):
    path = tmp_path / "rules.md"
    path.write_text("\nRule one.\n")
    task = make_ner_task(["A"], guidelines="Rule one.")
    assert make_ner_task(["A"], guidelines_path=path).digest() == task.digest()


@pytest.mark.parametrize("kind", KINDS)
def test_header(tasks, kind):
    header = tasks[kind].header("name")
    assert header.task == "name"
    assert header.kind == tasks[kind].kind
    assert header.labels == tasks[kind].labels
    assert header.task_digest == tasks[kind].digest()
    assert type(header).from_dict(json.loads(json.dumps(header.to_dict()))) == header


# The proposal on the document


@given(text=texts(), quote=st.sampled_from(WORDS))
def test_proposal_on_the_doc_says_what_was_understood(text, quote):
    doc = NLP.make_doc(text)
    response = answer(quotes("entities", (quote, "PRODUCT")), key="k1")
    parsed = TASK.parse(doc, response)
    proposal = apply_response(TASK, doc, response, name="product", sample=2)
    assert get_proposals(doc) == {"product": proposal}
    assert ParsedAnswer(proposal.status, proposal.annotation, proposal.problems) == parsed
    assert proposal.status in (OK, UNALIGNED)
    assert TASK.get_annotation(doc) == proposal.annotation
    assert (proposal.text_digest, proposal.task_digest) == (text_digest(text), TASK.digest())
    assert (proposal.source, proposal.sample, proposal.response_key) == ("test", 2, "k1")


def test_proposals_of_several_components_survive_serialisation():
    doc = NLP.make_doc("the K10 😀")
    apply_response(TASK, doc, answer({"entities": []}), name="one", sample=1)
    apply_response(TASK, doc, Response("m", error="HTTP 500 \ud800"), name="two", sample=1)
    assert {n: p.status for n, p in get_proposals(doc).items()} == {"one": EMPTY, "two": FAILED}
    copy = next(DocBin(docs=[doc], store_user_data=True).get_docs(NLP.vocab))
    assert get_proposals(copy) == get_proposals(doc)
    assert get_proposals(Doc(spacy.blank("en").vocab).from_bytes(doc.to_bytes())) == get_proposals(
        doc
    )


def test_no_proposals_on_a_plain_doc():
    assert get_proposals(NLP.make_doc("K10")) == {}


class OwnTask:
    """A user's task: no base class, and code that trusts the answer."""

    kind = "own"
    labels = ()

    def digest(self):
        return "own"

    def parse(self, doc, response):
        return ParsedAnswer(json.loads(response.text)["status"], Annotation())

    def set_annotation(self, doc, annotation):
        doc.user_data["own"] = True


@pytest.mark.parametrize(
    "response,detail",
    [
        (Response("m", text="garbage"), "JSONDecodeError"),
        (Response("m", text="{}"), "KeyError"),
        (Response("m", text="[]"), "TypeError"),
        (Response("m", error="HTTP 500"), "HTTP 500"),
    ],
)
def test_task_that_raises_marks_the_doc(response, detail):
    doc = NLP.make_doc("K10")
    proposal = apply_response(OwnTask(), doc, response, name="own", sample=1)
    assert proposal.status == FAILED
    assert detail in proposal.problems[0].detail
    assert "own" not in doc.user_data


def test_error_that_concerns_all_texts_is_passed_on():
    class Broken(OwnTask):
        def parse(self, doc, response):
            raise InputError("[H001] no catalog")

    with pytest.raises(InputError, match="no catalog"):
        apply_response(Broken(), NLP.make_doc("K10"), answer({}), name="own", sample=1)


def test_own_task_annotates():
    doc = NLP.make_doc("K10")
    apply_response(OwnTask(), doc, Response("m", text='{"status": "ok"}'), name="own", sample=1)
    assert doc.user_data["own"]
