import pytest
from hypothesis import given
from spacy.tokens import Span
from task_util import NLP, answer, assert_parses, quotes, spans_of
from test_ner import BAD_OFFSETS, annotated, annotation

from spacy_hitl.errors import InputError
from spacy_hitl.records import OK, Annotation, Counts
from spacy_hitl.tasks.base import apply_response
from spacy_hitl.tasks.spancat.task import make_spancat_task

TASK = make_spancat_task(["PRODUCT", "SHOP"], spans_key="opinions")


def test_spans_of_an_answer_on_the_doc():
    doc = NLP.make_doc("long battery life")
    pairs = ("battery life", "SHOP"), ("long battery life", "PRODUCT"), ("battery life", "PRODUCT")
    response = answer(quotes("opinions", *pairs))
    assert spans_of(doc.text, assert_parses(TASK, doc, response, OK).annotation) == [
        (0, "long battery life", "PRODUCT"),
        (5, "battery life", "SHOP"),
        (5, "battery life", "PRODUCT"),
    ]
    apply_response(TASK, doc, response, name="opinions", sample=1)
    assert [(s.text, s.label_) for s in doc.spans["opinions"]] == [
        ("long battery life", "PRODUCT"),
        ("battery life", "SHOP"),
        ("battery life", "PRODUCT"),
    ]


def test_other_groups_and_entities_stay():
    doc = NLP.make_doc("long battery life")
    doc.spans["rules"] = [Span(doc, 0, 2, "RULE")]
    doc.ents = [Span(doc, 1, 2, "PART")]
    TASK.set_annotation(doc, annotation((0, 4, "SHOP")))
    assert [s.label_ for s in doc.spans["rules"]] == ["RULE"]
    assert [e.label_ for e in doc.ents] == ["PART"]
    assert TASK.get_annotation(doc) == annotation((0, 4, "SHOP"))


def test_nothing_found_is_an_empty_group():
    doc = NLP.make_doc("long battery life")
    assert TASK.get_annotation(doc) == Annotation()
    assert "opinions" not in doc.spans
    apply_response(TASK, doc, answer({"opinions": []}), name="opinions", sample=1)
    assert list(doc.spans["opinions"]) == []


def test_compare_is_exact():
    gold = annotation((0, 3, "PRODUCT"), (0, 3, "SHOP"), (0, 5, "SHOP"))
    found = annotation((0, 3, "SHOP"), (0, 4, "SHOP"))
    assert TASK.compare(gold, found) == {"PRODUCT": Counts(0, 0, 1), "SHOP": Counts(1, 1, 1)}


@given(annotated(overlapping=True))
def test_compact_and_doc_round_trip(pair):
    text, given_ = pair
    assert TASK.read_compact(TASK.write_compact(given_), where="f:1", text=text) == given_
    doc = NLP.make_doc(text)
    TASK.set_annotation(doc, given_)
    assert TASK.get_annotation(doc) == given_


@pytest.mark.parametrize("value", BAD_OFFSETS)
def test_bad_offsets_are_refused(value):
    with pytest.raises(InputError, match=r"\[H061\] posts.jsonl:7: .*'spancat'"):
        TASK.read_compact(value, where="posts.jsonl:7", text="K10")


def test_overlap_is_no_error():
    spans = [[0, 3, "PRODUCT"], [0, 3, "SHOP"], [1, 2, "SHOP"]]
    assert len(TASK.read_compact(spans, where="f:1", text="K10").spans) == 3


@pytest.mark.parametrize("label", ["Z", None, ["PRODUCT"]])
def test_unknown_label_is_refused(label):
    with pytest.raises(InputError, match=r"\[H058\] f:1"):
        TASK.read_compact([[0, 3, label]], where="f:1", text="K10")


def test_header_says_where_the_spans_are():
    assert TASK.header("opinions").spans_key == "opinions"
