import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Span
from task_util import NLP, answer, assert_parses, quotes, spans_of, texts

from spacy_hitl.errors import InputError
from spacy_hitl.records import OK, Annotation, Counts, SpanAnnotation
from spacy_hitl.tasks.base import apply_response
from spacy_hitl.tasks.ner.task import make_ner_task

TASK = make_ner_task(["PRODUCT", "SHOP"])


def ents_of(doc):
    return [(e.text, e.label_, e.kb_id_, e.ent_id_) for e in doc.ents]


def annotation(*spans):
    return Annotation(spans=tuple(SpanAnnotation(*s) for s in spans))


def test_entities_of_an_answer_on_the_doc():
    doc = NLP.make_doc("😀 the K10 from İzmir, not the K10U")
    response = answer(quotes("entities", ("İzmir", "SHOP"), ("K10", "PRODUCT")))
    parsed = assert_parses(TASK, doc, response, OK)
    assert spans_of(doc.text, parsed.annotation) == [(6, "K10", "PRODUCT"), (15, "İzmir", "SHOP")]
    proposal = apply_response(TASK, doc, response, name="product", sample=1)
    assert proposal.annotation == parsed.annotation == TASK.get_annotation(doc)
    assert ents_of(doc) == [("K10", "PRODUCT", "", ""), ("İzmir", "SHOP", "", "")]


def test_entities_of_other_components_stay():
    doc = NLP.make_doc("K10 in Berlin for Ann")
    doc.ents = [
        Span(doc, 2, 3, "CITY", kb_id="Q64", span_id="city"),
        Span(doc, 4, 5, "PERSON"),
    ]
    TASK.set_annotation(doc, annotation((0, 3, "PRODUCT"), (18, 21, "SHOP")))
    assert ents_of(doc) == [
        ("K10", "PRODUCT", "", ""),
        ("Berlin", "CITY", "Q64", "city"),
        ("Ann", "SHOP", "", ""),
    ], "where two overlap, this task's wins"
    assert TASK.get_annotation(doc) == annotation((0, 3, "PRODUCT"), (18, 21, "SHOP"))


def test_longer_of_two_overlapping_entities_is_written():
    doc = NLP.make_doc("Nebula Pro here")
    TASK.set_annotation(doc, annotation((0, 6, "PRODUCT"), (0, 10, "SHOP")))
    assert ents_of(doc) == [("Nebula Pro", "SHOP", "", "")]


def test_no_entities_leaves_the_others():
    doc = NLP.make_doc("K10 in Berlin")
    doc.ents = [Span(doc, 2, 3, "CITY")]
    apply_response(TASK, doc, answer({"entities": []}), name="product", sample=1)
    assert ents_of(doc) == [("Berlin", "CITY", "", "")]


def test_no_entities_is_an_annotation():
    """An empty answer says that no token is in an entity; before it nothing was known."""
    doc = NLP.make_doc("nothing here")
    assert not doc.has_annotation("ENT_IOB")
    TASK.set_annotation(doc, Annotation())
    assert [t.ent_iob_ for t in doc] == ["O", "O"]


def test_compare_is_exact():
    gold = annotation((0, 3, "PRODUCT"), (5, 9, "PRODUCT"), (10, 12, "SHOP"))
    found = annotation((0, 3, "PRODUCT"), (5, 8, "PRODUCT"), (10, 12, "PRODUCT"))
    assert TASK.compare(gold, found) == {"PRODUCT": Counts(1, 2, 1), "SHOP": Counts(0, 0, 1)}
    assert TASK.compare(gold, gold) == {"PRODUCT": Counts(2), "SHOP": Counts(1)}
    assert TASK.compare(Annotation(), Annotation()) == {}


@st.composite
def annotated(draw, labels=("PRODUCT", "SHOP"), overlapping=False):
    """A text and a valid annotation of it, on tokens."""
    text = draw(texts())
    tokens = [t for t in NLP.make_doc(text) if not t.is_space]
    picked = draw(st.lists(st.tuples(st.sampled_from(tokens), st.sampled_from(labels))))
    spans, seen = set(), set()
    for token, label in picked:
        if overlapping or token.i not in seen:
            seen.add(token.i)
            spans.add(SpanAnnotation(token.idx, token.idx + len(token), label))
    return text, Annotation(spans=tuple(sorted(spans)))


@given(annotated())
def test_compact_round_trip(pair):
    text, given_ = pair
    compact = TASK.write_compact(given_)
    assert TASK.read_compact(compact, where="f:1", text=text) == given_
    assert TASK.read_compact(compact[::-1], where="f:1", text=text) == given_


@given(annotated())
def test_doc_round_trip(pair):
    text, given_ = pair
    doc = NLP.make_doc(text)
    TASK.set_annotation(doc, given_)
    assert TASK.get_annotation(doc) == given_


@given(annotated())
def test_example_answer_parses_back(pair):
    """The answer that a few-shot example shows is one that would be understood as meant."""
    text, given_ = pair
    doc = NLP.make_doc(text)
    parsed = TASK.parse(doc, answer(TASK.example_answer(given_, text)))
    assert not parsed.problems
    assert len(parsed.annotation.spans) == len(given_.spans)


# What the compact form refuses, for all tasks with offsets; linking has its own ids.
BAD_OFFSETS = [
    [[0, 4, "PRODUCT"]],
    [[-1, 2, "PRODUCT"]],
    [[2, 2, "PRODUCT"]],
    [[2, 1, "PRODUCT"]],
    [[False, True, "PRODUCT"]],
    [[0, True, "PRODUCT"]],
    [[0.0, 3.0, "PRODUCT"]],
    [["0", "3", "PRODUCT"]],
    [[None, None, "PRODUCT"]],
    [[0, 3]],
    [[0, 3, "PRODUCT", 1]],
    [{"start": 0, "end": 3, "label": "PRODUCT"}],
    ["PRODUCT"],
    {"spans": []},
    "PRODUCT",
    None,
]


@pytest.mark.parametrize("value", BAD_OFFSETS)
def test_bad_offsets_are_refused(value):
    with pytest.raises(InputError, match=r"\[H061\] posts.jsonl:7: .*'ner'"):
        TASK.read_compact(value, where="posts.jsonl:7", text="K10")


@pytest.mark.parametrize("label", ["Z", "product", "", None, 3, ["PRODUCT"], {"PRODUCT": 1}])
def test_unknown_label_is_refused(label):
    with pytest.raises(InputError, match=r"\[H058\] posts.jsonl:7: .*PRODUCT, SHOP"):
        TASK.read_compact([[0, 3, label]], where="posts.jsonl:7", text="K10")


@pytest.mark.parametrize(
    "value",
    [
        [[0, 3, "PRODUCT"], [2, 4, "SHOP"]],
        [[2, 4, "SHOP"], [0, 3, "PRODUCT"]],
        [[0, 3, "PRODUCT"], [0, 3, "PRODUCT"]],
        [[0, 9, "PRODUCT"], [1, 2, "SHOP"], [4, 5, "SHOP"]],
    ],
)
def test_overlap_is_refused(value):
    with pytest.raises(InputError, match=r"\[H061\] f:1: spans 0-\d and .* overlap"):
        TASK.read_compact(value, where="f:1", text="K10 K10 K10")


@pytest.mark.parametrize("labels", [[], ["A", "A"], ["A", None]])
def test_labels_are_needed_once(labels):
    with pytest.raises(InputError, match=r"\[H101\] Task 'ner'"):
        make_ner_task(labels)
