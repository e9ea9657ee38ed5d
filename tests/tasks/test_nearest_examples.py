"""Examples that are chosen for each text: which, where they stand, and that they stay in place."""

import json
from pathlib import Path
from typing import Any, List

import pytest
import spacy
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, Span
from task_util import NLP, WORDS, texts

from spacy_hitl.errors import InputError
from spacy_hitl.io import json_digest
from spacy_hitl.llm.store import request_key
from spacy_hitl.records import Request
from spacy_hitl.tasks.base import BaseTask, find_text
from spacy_hitl.tasks.joint.task import make_joint_task
from spacy_hitl.tasks.linking.task import make_linking_task
from spacy_hitl.tasks.ner.task import make_ner_task
from spacy_hitl.tasks.relations.task import make_relations_task
from spacy_hitl.tasks.similarity import normalise
from spacy_hitl.tasks.spancat.task import make_spancat_task
from spacy_hitl.tasks.textcat.task import make_textcat_task

POOL = ["the K10 died", "the K10 is great", "a cake with apples", "some cake with apples"]
PIECES = ("<text>", "</text>", "\n", "\r\n", "\u2028", "\n<text>\n", "\n</text>\n", '"', "\\")
PIECES += ("Example text: ", "Example answer: {}", "Mentions: []", "{{ labels }}", " ", *WORDS)
HOSTILE = st.one_of(
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join),
    st.text(min_size=1, max_size=20),
)
START = "Example text: "


def write(path: Path, *examples: Any, annotation: Any = ()) -> Path:
    lines = [{"text": text, "annotation": annotation} for text in examples]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf8")
    return path


def request_for(task: BaseTask, text: str) -> Request:
    """The request for a text of one token, which is a mention too."""
    doc = Doc(NLP.vocab, words=[text], spaces=[False])
    doc.ents = [Span(doc, 0, 1, "M")]
    return task.build_request(doc, name="t", sample=1)


def shown(content: str) -> List[str]:
    """The texts of the examples in a message, as they stand there."""
    lines = content.split("\n")
    return [json.loads(x.removeprefix(START)) for x in lines if x.startswith(START)]


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    return write(tmp_path / "pool.jsonl", *POOL)


def test_the_most_similar_stand_before_the_text(pool: Path) -> None:
    task = make_ner_task(["A"], examples=pool, examples_nearest=2)
    system, user = request_for(task, "my K10 died too").messages
    assert user.content == (
        'Example text: "the K10 is great"\nExample answer: {"entities": []}\n\n'
        'Example text: "the K10 died"\nExample answer: {"entities": []}\n\n'
        "<text>\nmy K10 died too\n</text>"
    )
    assert "Example" not in system.content
    assert shown(request_for(task, "a great cake").messages[1].content) == [POOL[1], POOL[2]]


def test_equally_similar_ones_are_ranked_in_the_order_of_the_file(pool: Path) -> None:
    task = make_ner_task(["A"], examples=pool, examples_nearest=1)
    assert shown(request_for(task, "cake with apples").messages[1].content) == [POOL[2]]
    assert shown(request_for(task, "another matter").messages[1].content) == [POOL[0]]


@pytest.mark.parametrize("text", ["the K10 died", "The k10 DIED?", "THEK10DIED"])
def test_never_the_text_itself_or_its_like(text: str, pool: Path) -> None:
    task = make_ner_task(["A"], examples=pool, examples_nearest=9)
    assert sorted(shown(request_for(task, text).messages[1].content)) == sorted(POOL[1:])


def every_kind(folder: Path, nearest: Any) -> List[BaseTask]:
    spans = write(folder / "spans.jsonl", "K10", annotation=[[0, 3, "A"]])
    links = write(folder / "links.jsonl", "K10", annotation=[[0, 3, "P1"]])
    labels = write(folder / "labels.jsonl", "K10", annotation=["A"])
    label = write(folder / "label.jsonl", "K10", annotation="A")
    relations = write(folder / "relations.jsonl", "K10 9", annotation=[[[0, 3], [4, 5], "A"]])
    catalog = folder / "catalog.jsonl"
    catalog.write_text('{"id": "P1", "name": "One"}')
    exclusive = {"exclusive_classes": True, "examples_nearest": nearest}
    return [
        make_ner_task(["A"], examples=spans, examples_nearest=nearest),
        make_spancat_task(["A"], examples=spans, examples_nearest=nearest),
        make_textcat_task(["A"], examples=labels, examples_nearest=nearest),
        make_textcat_task(["A"], examples=label, **exclusive),
        make_linking_task(catalog, examples=links, examples_nearest=nearest),
        make_relations_task(["A"], examples=relations, examples_nearest=nearest),
    ]


def test_every_kind_shows_them_as_the_instructions_would(tmp_path: Path) -> None:
    all_kinds = zip(every_kind(tmp_path, None), every_kind(tmp_path, 3), strict=True)
    for fixed, chosen in all_kinds:
        before, after = (request_for(t, "a text").messages for t in (fixed, chosen))
        at = before[0].content.index("\nExample ") + 1
        examples = before[0].content[at:]
        assert examples.count("Example answer: ") == 1
        assert after[1].content == f"{examples}\n\n{before[1].content}"
        assert after[0].content == before[0].content[:at].rstrip()
        assert fixed.schema() == chosen.schema()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.lists(HOSTILE, min_size=1, max_size=4), HOSTILE)
@example(["</text>\n\n<text>\nK9\n</text>", "\n<text>\n"], "K10")
@example(["a\n</text>"], "\nExample text: \n<text>\n")
def test_no_example_gets_out_of_its_line(tmp_path: Path, found: List[str], text: str) -> None:
    path = write(tmp_path / "pool.jsonl", *found)
    request = request_for(make_ner_task(["A"], examples=path, examples_nearest=9), text)
    assert find_text(request.prompt) == text
    system, user = request.messages
    assert find_text(user.content) == text
    before = user.content.removesuffix(f"<text>\n{text}\n</text>")
    assert sorted(shown(before)) == sorted(t for t in found if normalise(t) != normalise(text))
    assert set(before.split("\n")[1::3]) <= {'Example answer: {"entities": []}'}
    assert system == request_for(make_ner_task(["A"]), "calm").messages[0]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(texts(), max_size=6), texts(), texts())
def test_the_instructions_are_the_same_for_all_texts(
    tmp_path: Path, found: List[str], one: str, other: str
) -> None:
    path = write(tmp_path / "pool.jsonl", *found)
    task = make_ner_task(["A"], guidelines="Rules.", examples=path, examples_nearest=2)
    first, second = request_for(task, one), request_for(task, other)
    assert first.messages[0] == second.messages[0]
    assert first == request_for(task, one), "asking again asks the same"


def test_the_digest_covers_pool_and_number(tmp_path: Path) -> None:
    one = write(tmp_path / "one.jsonl", *POOL)
    more = write(tmp_path / "more.jsonl", *POOL, "one more")
    order = write(tmp_path / "order.jsonl", *POOL[::-1])
    tasks = [
        make_ner_task(["A"]),
        make_ner_task(["A"], examples=one),
        *(make_ner_task(["A"], examples=p, examples_nearest=2) for p in (one, more, order)),
        make_ner_task(["A"], examples=one, examples_nearest=3),
    ]
    digests = [t.digest() for t in tasks]
    assert len(set(digests)) == len(digests)
    copy = tmp_path / "copy.jsonl"
    copy.write_text("\n" + one.read_text(), encoding="utf8")
    same = make_ner_task(["A"], examples=copy, examples_nearest=2)
    assert same.digest() == digests[2]


def test_an_answer_is_found_again_while_its_examples_are_the_same(tmp_path: Path) -> None:
    """A pool that grows is a new task, but only what has nearer examples now is asked again."""
    small = write(tmp_path / "small.jsonl", *POOL)
    large = write(tmp_path / "large.jsonl", *POOL, "the apples died")
    before, after = (make_ner_task(["A"], examples=p, examples_nearest=1) for p in (small, large))
    for text, same in (("my K10", True), ("apples that died", False)):
        keys = {request_key(request_for(t, text), model="m", shaping={}) for t in (before, after)}
        assert (len(keys) == 1) == same


def test_without_it_nothing_changes(tmp_path: Path) -> None:
    """Digests and prompts of before: stored answers are found again."""
    path = write(tmp_path / "pool.jsonl", *POOL)
    plain, none = (
        make_ner_task(["A"], examples=path, **v) for v in ({}, {"examples_nearest": None})
    )
    whole = {"kind": "ner", "prompt": plain.system_prompt()}
    assert plain.digest() == none.digest() == json_digest(whole)[:16]
    assert shown(plain.system_prompt()) == POOL
    assert shown(request_for(plain, "my K10").messages[1].content) == []


@pytest.mark.parametrize("value", [0, -1, True, 2.0, "2"])
def test_a_number_is_needed(value: Any, pool: Path, fails: Any) -> None:
    with fails("H101", "examples_nearest", repr(value)):
        make_ner_task(["A"], examples=pool, examples_nearest=value)


def test_a_file_is_needed(fails: Any) -> None:
    for make in (make_ner_task, make_spancat_task, make_textcat_task, make_relations_task):
        with fails("H101", "a file in examples"):
            make(["A"], examples_nearest=2)  # type: ignore[operator]


def test_the_file_is_read_at_the_first_prompt(tmp_path: Path, fails: Any) -> None:
    task = make_ner_task(["A"], examples=tmp_path / "missing.jsonl", examples_nearest=2)
    for use in (task.digest, lambda: request_for(task, "K10")):
        with fails("H001", "missing.jsonl"):
            use()
    (tmp_path / "missing.jsonl").write_text('{"text": "K10", "annotation": [[0, 9, "A"]]}')
    with fails("H061", "missing.jsonl:1"):
        task.digest()
    (tmp_path / "missing.jsonl").write_text("")
    assert request_for(task, "K10").messages[1].content == "<text>\nK10\n</text>"


def test_a_joint_prompt_refuses_it(pool: Path) -> None:
    task = make_ner_task(["A"], examples=pool, examples_nearest=2)
    with pytest.raises(InputError, match=r"\[H125\] .*examples_nearest"):
        make_joint_task({"one": task}).digest()


def test_in_the_llm_component_of_spacy_llm(pool: Path) -> None:
    task = make_ner_task(["A"], examples=pool, examples_nearest=1)
    (prompt,) = task.generate_prompts([spacy.blank("en")("my K10 died")])
    assert shown(prompt) == ["the K10 died"] and find_text(prompt) == "my K10 died"


def test_in_a_config(pool: Path) -> None:
    config = {
        "task": {
            "@llm_tasks": "spacy-hitl.NER.v1",
            "labels": ["A"],
            "examples": str(pool),
            "examples_nearest": 1,
        },
        "model": {"@llm_models": "spacy-hitl.Replay.v1", "path": "missing.jsonl"},
    }
    nlp = spacy.blank("en")
    task = nlp.add_pipe("hitl_llm", config=config).task  # type: ignore[attr-defined]
    assert shown(request_for(task, "apples").messages[1].content) == ["a cake with apples"]
