import json
import subprocess
import sys

import pytest
import spacy
import spacy_llm  # noqa: F401
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab
from task_util import NLP, answer, assert_parses, kinds

from spacy_hitl.errors import InputError
from spacy_hitl.io import text_digest
from spacy_hitl.records import (
    EMPTY,
    FAILED,
    MALFORMED,
    OK,
    UNALIGNED,
    Annotation,
    Counts,
    Proposal,
    RelationAnnotation,
)
from spacy_hitl.scoring.results import main_score
from spacy_hitl.tasks import reference
from spacy_hitl.tasks.base import apply_response, get_proposals
from spacy_hitl.tasks.relations.annotations import get_relations, set_relations
from spacy_hitl.tasks.relations.task import make_relations_task

LABELS = ("BEATS", "MAKES", "LIKES")
TASK = make_relations_task(list(LABELS), {"MAKES": [["ORG", "PHONE"]]})
TEXT = "K10 by Kestrel beats K9, not K10"
# The K10 comes twice; ids are the offsets.
FIRST, ORG, K9, LAST = 0, 7, 21, 29
ENDS = {FIRST: 3, ORG: 14, K9: 23, LAST: 32}


def make_doc(text=TEXT):
    doc = NLP.make_doc(text)
    names = {"K10": "PHONE", "K9": "PHONE", "Kestrel": "ORG"}
    doc.ents = [Span(doc, t.i, t.i + 1, names[t.text]) for t in doc if t.text in names]
    return doc


@pytest.fixture
def doc():
    return make_doc()


def items(*triples):
    return [{"head": head, "label": label, "tail": tail} for head, label, tail in triples]


def related(*triples):
    return answer({"relations": items(*triples)})


def relation(head, label, tail, **fields):
    return RelationAnnotation(head, ENDS[head], tail, ENDS[tail], label, **fields)


def triples(annotation):
    return [(r.head_start, r.label, r.tail_start) for r in annotation.relations]


# The answer


def test_repeated_mentions_are_told_apart(doc):
    given_ = [(LAST, "BEATS", K9), (ORG, "MAKES", FIRST), (K9, "BEATS", LAST)]
    parsed = assert_parses(TASK, doc, related(*given_), OK, [])
    assert triples(parsed.annotation) == sorted(given_)
    assert parsed.annotation.relations[0] == RelationAnnotation(7, 14, 0, 3, "MAKES")


def test_two_mentions_may_be_related_in_several_ways(doc):
    both = [(FIRST, "BEATS", K9), (FIRST, "LIKES", K9), (K9, "BEATS", FIRST)]
    assert len(assert_parses(TASK, doc, related(*both), OK, []).annotation.relations) == 3


@pytest.mark.parametrize(
    "wrong, status, problem, detail",
    [
        ((FIRST, "BEATS", 1), UNALIGNED, "not_found", "0: K10 BEATS 1"),
        ((-1, "BEATS", K9), UNALIGNED, "not_found", "-1 BEATS 21: K9"),
        ((10**30, "BEATS", 4), UNALIGNED, "not_found", f"{10**30} BEATS 4"),
        ((K9, "BEATS", K9), UNALIGNED, "same_mention", "21: K9 BEATS 21: K9"),
        ((FIRST, "LIKES", K9), UNALIGNED, "repeated", "0: K10 LIKES 21: K9"),
        ((FIRST, "WORSE", K9), MALFORMED, "unknown_label", "0: K10 WORSE 21: K9"),
        ((FIRST, "beats", 1), MALFORMED, "unknown_label", "0: K10 beats 1"),
        (
            *((FIRST, "MAKES", ORG), MALFORMED, "not_allowed"),
            "0: K10 MAKES 7: Kestrel (from PHONE to ORG)",
        ),
    ],
)
def test_what_can_not_be_used_is_listed_and_the_rest_is_kept(doc, wrong, status, problem, detail):
    good = [(FIRST, "LIKES", K9), (ORG, "MAKES", LAST)]
    parsed = assert_parses(TASK, doc, related(*good, wrong), status, [problem])
    assert parsed.problems[0].detail == detail
    assert triples(parsed.annotation) == sorted(good)
    proposal = apply_response(TASK, doc, related(*good, wrong), name="rel", sample=1)
    assert not proposal.usable
    written = sorted(good) if status == UNALIGNED else []
    assert triples(get_relations(doc)) == written


@pytest.mark.parametrize(
    "item",
    [
        "K10",
        None,
        [0, "BEATS", 21],
        {},
        {"head": 0, "label": "BEATS"},
        {"head": 0, "label": None, "tail": 21},
        {"head": "0", "label": "BEATS", "tail": 21},
        {"head": 0.0, "label": "BEATS", "tail": 21},
        {"head": False, "label": "BEATS", "tail": 21},
        {"head": 0, "label": ["BEATS"], "tail": 21},
        {"head": 0, "label": "BEATS", "tail": [21, 29]},
    ],
)
def test_item_of_another_form_is_malformed(doc, item):
    assert_parses(TASK, doc, answer({"relations": [item]}), MALFORMED, ["schema"])


def test_text_without_mentions(doc):
    plain = NLP.make_doc(TEXT)
    assert_parses(TASK, plain, related(), EMPTY, [])
    assert_parses(TASK, plain, related((FIRST, "BEATS", K9)), UNALIGNED, ["not_found"])


def test_stored_answer_never_comes_to_mean_other_mentions(doc):
    """It is read again after the mentions changed: ids that are gone are not found."""
    response = related((FIRST, "BEATS", K9), (ORG, "MAKES", LAST))
    doc.ents = [e for e in doc.ents if e.start_char != FIRST]
    parsed = assert_parses(TASK, doc, response, UNALIGNED, ["not_found"])
    assert parsed.annotation.relations == (relation(ORG, "MAKES", LAST),)


numbers = st.sampled_from([*ENDS, 1, -1, 32])
labels = st.sampled_from([*LABELS, "OTHER"])


@given(st.lists(st.tuples(numbers, labels, numbers), max_size=8))
def test_nothing_invented_and_nothing_dropped_without_a_trace(given_):
    doc = make_doc()
    parsed = TASK.parse(doc, related(*given_))
    found = triples(parsed.annotation)
    assert set(found) <= set(given_)
    assert len(found) + len(parsed.problems) == len(given_)
    places = {(e.start_char, e.end_char) for e in doc.ents}
    for r in parsed.annotation.relations:
        assert {(r.head_start, r.head_end), (r.tail_start, r.tail_end)} <= places
        assert (r.head_start, r.label, r.tail_start) in given_
    traces = [*(f"{h} {label} {t}" for h, label, t in found), *(p.detail for p in parsed.problems)]
    for head, label, tail in given_:
        assert any(str(head) in x and label in x and str(tail) in x for x in traces)
    apply_response(TASK, doc, related(*given_), name="rel", sample=1)
    written = parsed.annotation if parsed.status != MALFORMED else Annotation()
    assert TASK.get_annotation(doc) == written
    assert get_proposals(doc)["rel"].annotation == parsed.annotation


# Round trips


@st.composite
def annotations(draw, *, scores=False, length=60):
    """Relations between mentions that don't overlap."""
    cuts = draw(st.lists(st.integers(0, length), min_size=4, max_size=12, unique=True))
    cuts.sort()
    mentions = list(zip(cuts[::2], cuts[1::2], strict=False))
    pairs = [(a, b) for a in mentions for b in mentions if a != b]
    found = draw(
        st.lists(st.tuples(st.sampled_from(pairs), st.sampled_from(LABELS)), unique=True)
        if pairs
        else st.just([])
    )
    score = st.floats(0, 1) if scores else st.none()
    relations = [
        RelationAnnotation(*head, *tail, label, score=draw(score))
        for (head, tail), label in sorted(found)
    ]
    return Annotation(relations=tuple(relations))


@given(annotations())
def test_compact_round_trip(annotation):
    value = json.loads(json.dumps(TASK.write_compact(annotation)))
    assert TASK.read_compact(value, where="f:1", text="x" * 60) == annotation
    assert TASK.read_compact(value[::-1], where="f:1", text="x" * 60) == annotation
    assert TASK.write_compact(annotation) == value


def copies(doc):
    """The document after every way of storing it."""
    bin_ = DocBin(docs=[doc], store_user_data=True)
    yield next(bin_.get_docs(NLP.vocab))
    again = DocBin(store_user_data=True).from_bytes(bin_.to_bytes())
    yield next(again.get_docs(Vocab()))  # which knows none of the words
    yield Doc(NLP.vocab).from_bytes(doc.to_bytes())
    yield doc.copy()
    yield next(
        DocBin(docs=[next(again.get_docs(NLP.vocab))], store_user_data=True).get_docs(NLP.vocab)
    )


@given(annotations(scores=True))
def test_doc_round_trip(annotation):
    doc = NLP.make_doc("x" * 60)
    TASK.set_annotation(doc, annotation)
    assert json.loads(json.dumps(doc._.rel)) == doc._.rel
    assert TASK.get_annotation(doc) == annotation
    for copy in copies(doc):
        assert get_relations(copy) == annotation
        assert TASK.get_annotation(copy) == annotation
        assert list(copy._.rel) == doc._.rel


@given(annotations(scores=True))
def test_record_round_trip(annotation):
    proposal = Proposal("d", "rel", "m", OK, "t", annotation=annotation)
    assert Proposal.from_dict(json.loads(json.dumps(proposal.to_dict()))) == proposal


def test_stored_relations_are_read_where_nothing_was_set_up(doc, tmp_path):
    """A new process: the attribute is made when relations are read."""
    apply_response(TASK, doc, related((FIRST, "BEATS", K9)), name="rel", sample=1)
    DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "docs.spacy")
    code = (
        "import sys, spacy\n"
        "from spacy.tokens import Doc, DocBin\n"
        "from spacy_hitl.tasks.relations.annotations import get_relations\n"
        "assert not Doc.has_extension('rel'), 'made at import'\n"
        "docs = DocBin().from_disk(sys.argv[1]).get_docs(spacy.blank('en').vocab)\n"
        "(r,) = get_relations(next(docs)).relations\n"
        "print(r.head_start, r.head_end, r.tail_start, r.tail_end, r.label)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "docs.spacy")]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert out.split() == ["0", "3", "21", "23", "BEATS"]


# On the Doc


def test_relations_on_the_doc(doc):
    """Entities, categories and relations of other labels stay; the task's own are replaced."""
    other = Annotation(relations=(relation(K9, "SEES", ORG, score=0.5, score_source="me"),))
    set_relations(doc, other, ["SEES"])
    before = doc.to_bytes(exclude=["user_data"])
    TASK.set_annotation(doc, Annotation(relations=(relation(LAST, "LIKES", ORG),)))
    first = Annotation(relations=(relation(FIRST, "BEATS", K9),))
    TASK.set_annotation(doc, first)
    assert doc._.rel == [
        {"head_start": 0, "head_end": 3, "tail_start": 21, "tail_end": 23, "label": "BEATS"},
        {
            "head_start": 21,
            "head_end": 23,
            "tail_start": 7,
            "tail_end": 14,
            "label": "SEES",
            "score": 0.5,
            "score_source": "me",
        },
    ]
    assert TASK.get_annotation(doc) == first
    assert get_relations(doc) == Annotation(relations=first.relations + other.relations)
    assert doc.to_bytes(exclude=["user_data"]) == before


def test_document_without_relations(doc):
    assert get_relations(doc) == TASK.get_annotation(doc) == Annotation()
    assert not doc._.rel
    assert not doc.user_data, "reading does not write"


@pytest.mark.parametrize(
    "value, found",
    [
        ({(0, 5): {"BEATS": 0.9}}, "dict"),  # spaCy's tutorial on relations
        ([object()], "a list of object"),  # spacy-llm's REL
        ("K10", "str"),
    ],
)
def test_relations_of_another_package_are_neither_read_nor_overwritten(doc, value, found):
    doc._.rel = value
    for use in (TASK.get_annotation, lambda doc: TASK.set_annotation(doc, Annotation())):
        with pytest.raises(InputError, match=rf"\[H119\] doc._.rel holds {found}"):
            use(doc)
    assert doc._.rel is value


# The short form


@pytest.mark.parametrize(
    "value, code, says",
    [
        ("K10", "H061", "'K10'"),
        (None, "H061", "None"),
        ([[[0, 3], [7, 14]]], "H061", "found"),
        ([[0, 3, "BEATS"]], "H061", "found 0"),
        ([[[0, 3], [7, 14, "X"], "BEATS"]], "H061", "found"),
        ([[[0, 3], [7, 99], "BEATS"]], "H061", "7 to 99 in a text of 32 characters"),
        ([[[3, 0], [7, 14], "BEATS"]], "H061", "3 to 0"),
        ([[[False, 3], [7, 14], "BEATS"]], "H061", "False to 3"),
        ([[[0, 3], [7, 14], "WORSE"]], "H058", "WORSE"),
        ([[[0, 3], [7, 14], ["BEATS"]]], "H058", "BEATS, LIKES, MAKES"),
        ([[[0, 3], [0, 3], "BEATS"]], "H061", "to itself"),
        ([[[0, 3], [2, 6], "BEATS"]], "H061", "0-3 and 2-6 overlap"),
        ([[[0, 3], [7, 14], "BEATS"], [[21, 23], [7, 13], "BEATS"]], "H061", "overlap"),
        ([[[0, 3], [7, 14], "BEATS"], [[0, 3], [7, 14], "BEATS"]], "H061", "twice"),
    ],
)
def test_bad_short_form_is_refused(value, code, says):
    with pytest.raises(InputError) as caught:
        TASK.read_compact(value, where="f:7", text=TEXT)
    assert str(caught.value).startswith(f"[{code}] f:7")
    assert says in str(caught.value)


# Configs and the prompt


@pytest.mark.parametrize(
    "allowed",
    [
        {"WORSE": [["A", "B"]]},
        {"BEATS": []},
        {"BEATS": "AB"},
        {"BEATS": ["AB"]},
        {"BEATS": [["A"]]},
        {"BEATS": [["A", "B", "C"]]},
        {"BEATS": [["A", None]]},
    ],
)
def test_bad_allowed_is_refused(allowed):
    with pytest.raises(InputError, match=r"\[H101\] Task 'relations' needs .*BEATS"):
        make_relations_task(["BEATS"], allowed)


def test_prompt_lists_labels_and_mentions(doc):
    system, user = TASK.build_request(doc, name="rel", sample=1).messages
    assert "- MAKES (only from ORG to PHONE)\n- LIKES\n" in system.content
    first, _, rest = user.content.partition("\n")
    assert json.loads(first.removeprefix("Mentions: ")) == [
        {"id": 0, "text": "K10", "label": "PHONE"},
        {"id": 7, "text": "Kestrel", "label": "ORG"},
        {"id": 21, "text": "K9", "label": "PHONE"},
        {"id": 29, "text": "K10", "label": "PHONE"},
    ]
    assert rest == f"\n<text>\n{TEXT}\n</text>"


def example_task(tmp_path, *records):
    path = tmp_path / "examples.jsonl"
    path.write_text("".join(json.dumps({"text": TEXT, **r}) + "\n" for r in records))
    return make_relations_task(list(LABELS), examples=path)


def test_examples_show_their_mentions(tmp_path):
    compact = [[[21, 23], [0, 3], "BEATS"]]
    mentions = [[0, 3, "PHONE"], [21, 23, "PHONE"], [7, 14, "ORG"]]
    task = example_task(
        tmp_path, {"annotation": compact}, {"annotation": compact, "mentions": mentions}
    )
    lines = task.system_prompt().split("\n")
    shown = [json.loads(x.partition(": ")[2]) for x in lines if x.startswith("Example mentions")]
    assert shown[0] == [{"id": 0, "text": "K10"}, {"id": 21, "text": "K9"}]
    assert shown[1] == [
        {"id": 0, "text": "K10", "label": "PHONE"},
        {"id": 7, "text": "Kestrel", "label": "ORG"},
        {"id": 21, "text": "K9", "label": "PHONE"},
    ]
    # The example's own answer, read with its own mentions, is its annotation.
    answers = [x.partition(": ")[2] for x in lines if x.startswith("Example answer")]
    for text in answers:
        parsed = task.parse(make_doc(), answer(json.loads(text)))
        assert task.write_compact(parsed.annotation) == compact


@pytest.mark.parametrize("mentions", [[[0, 3, "PHONE"]], [[0, 3, "A"], [1, 5, "A"]], "K10"])
def test_bad_mentions_of_an_example_are_refused(tmp_path, mentions):
    record = {"annotation": [[[21, 23], [0, 3], "BEATS"]], "mentions": mentions}
    with pytest.raises(InputError, match=r"\[H061\] .*examples.jsonl:1"):
        example_task(tmp_path, record).system_prompt()


# By the header alone


def test_compare_counts_per_label():
    gold = Annotation(relations=(relation(FIRST, "BEATS", K9), relation(ORG, "MAKES", FIRST)))
    found = Annotation(
        relations=(
            relation(FIRST, "BEATS", K9, score=0.3),
            relation(K9, "BEATS", FIRST),
            relation(ORG, "LIKES", FIRST),
        )
    )
    wanted = {"BEATS": Counts(1, 1, 0), "LIKES": Counts(0, 1, 0), "MAKES": Counts(0, 0, 1)}
    assert TASK.compare(gold, found) == wanted
    assert reference.compare(gold, found, TASK.header("rel")) == wanted
    assert main_score(TASK.header("rel")) == ("rel_rel_f", "micro")


@given(annotations())
def test_reference_round_trip(annotation):
    header = TASK.header("rel")
    plain = NLP.make_doc("x" * 60)
    reference.set_reference(plain, annotation, header)
    assert reference.get_annotation(plain, header) == annotation


def test_reference_brings_its_mentions_unless_there_are_some(doc):
    header = TASK.header("rel")
    annotation = Annotation(relations=(relation(LAST, "BEATS", K9), relation(K9, "LIKES", ORG)))
    before = doc.ents
    reference.set_reference(doc, annotation, header)
    assert doc.ents == before
    plain = NLP.make_doc(TEXT)
    reference.set_reference(plain, annotation, header)
    assert [(e.text, e.label_) for e in plain.ents] == [
        ("Kestrel", "MENTION"),
        ("K9", "MENTION"),
        ("K10", "MENTION"),
    ]


# In pipelines

MUTE = "Kestrel says nothing about K9"
RECORDED = {
    TEXT: {"relations": items((LAST, "BEATS", K9), (ORG, "MAKES", FIRST))},
    "nobody here": {"relations": []},
    "K9 😀 K10": {"relations": items((0, "LIKES", 5))},
    "K9 likes Kestrel": {"relations": items((0, "LIKES", 9), (0, "LIKES", 50))},
    "K10 makes K9": {"relations": items((0, "MAKES", 10))},
}
EXPECTED = {
    TEXT: (OK, [(ORG, "MAKES", FIRST), (LAST, "BEATS", K9)]),
    "nobody here": (EMPTY, []),
    "K9 😀 K10": (OK, [(0, "LIKES", 5)]),
    "K9 likes Kestrel": (UNALIGNED, [(0, "LIKES", 9)]),
    "K10 makes K9": (MALFORMED, []),
    MUTE: (FAILED, []),
}


@pytest.fixture
def config(tmp_path):
    lines = (
        {"text_digest": text_digest(text), "task": "compared", "response": json.dumps(value)}
        for text, value in RECORDED.items()
    )
    recording = tmp_path / "responses.jsonl"
    recording.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return {
        "task": {
            "@llm_tasks": "spacy-hitl.Relations.v1",
            "labels": list(LABELS),
            "allowed": {"MAKES": [["ORG", "PHONE"]]},
        },
        "model": {"@llm_models": "spacy-hitl.Replay.v1", "path": str(recording)},
    }


def with_mentions():
    nlp = spacy.blank("en")
    patterns = [{"label": "PHONE", "pattern": p} for p in ("K10", "K9")]
    nlp.add_pipe("entity_ruler").add_patterns([*patterns, {"label": "ORG", "pattern": "Kestrel"}])
    return nlp


@pytest.mark.filterwarnings("ignore:.*W100")
@pytest.mark.parametrize("n_process", [1, 2])
def test_prompted_component(config, tmp_path, n_process):
    """Also saved and loaded, over several processes, and for texts that fail."""
    nlp = with_mentions()
    nlp.add_pipe("hitl_llm", name="compared", config=config)
    nlp.to_disk(tmp_path / "pipeline")
    nlp = spacy.load(tmp_path / "pipeline")
    mentions = {doc.text: [e.text for e in doc.ents] for doc in with_mentions().pipe(EXPECTED)}
    docs = list(nlp.pipe(EXPECTED, n_process=n_process, batch_size=2))
    for doc in docs:
        status, wanted = EXPECTED[doc.text]
        assert get_proposals(doc)["compared"].status == status
        assert [(r["head_start"], r["label"], r["tail_start"]) for r in doc._.rel] == wanted
        assert triples(get_relations(doc)) == wanted
        assert [e.text for e in doc.ents] == mentions[doc.text]


def test_component_of_spacy_llm(config):
    nlp = with_mentions()
    model = {**config["model"], "task": "compared"}
    nlp.add_pipe("llm", config={"task": config["task"], "model": model})
    for doc in nlp.pipe(EXPECTED):
        status, wanted = EXPECTED[doc.text]
        proposal = get_proposals(doc)["relations"]
        assert proposal.status == status
        assert triples(get_relations(doc)) == wanted
        assert (status in (OK, EMPTY)) == (not kinds(proposal))
