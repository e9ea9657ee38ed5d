import pytest
from hypothesis import given
from hypothesis import strategies as st
from task_util import NLP, answer, assert_parses

from spacy_hitl.errors import InputError
from spacy_hitl.records import EMPTY, MALFORMED, OK, Annotation, CategoryAnnotation, Counts
from spacy_hitl.tasks.base import apply_response
from spacy_hitl.tasks.textcat.task import make_textcat_task

LABELS = ("GOOD", "BAD", "ODD")
MANY = make_textcat_task(list(LABELS))
ONE = make_textcat_task(list(LABELS), exclusive_classes=True)


def cats(*labels):
    return Annotation(cats=tuple(CategoryAnnotation(label) for label in labels))


@pytest.mark.parametrize(
    "task,value,status,holds",
    [
        (MANY, {"labels": ["ODD", "GOOD"]}, OK, ["GOOD", "ODD"]),
        (MANY, {"labels": ["GOOD", "GOOD"]}, OK, ["GOOD"]),
        (MANY, {"labels": []}, EMPTY, []),
        (ONE, {"label": "BAD"}, OK, ["BAD"]),
    ],
)
def test_categories_of_an_answer_on_the_doc(task, value, status, holds):
    doc = NLP.make_doc("text")
    doc.cats = {"SPAM": 0.25}
    assert assert_parses(task, doc, answer(value), status).annotation == cats(*holds)
    apply_response(task, doc, answer(value), name="mood", sample=1)
    assert doc.cats == {"SPAM": 0.25, **{label: float(label in holds) for label in LABELS}}
    assert task.get_annotation(doc) == cats(*holds)


@pytest.mark.parametrize(
    "task,value,problems",
    [
        (MANY, {"labels": ["GOOD", "ROTTEN"]}, ["unknown_label"]),
        (MANY, {"labels": ["good"]}, ["unknown_label"]),
        (MANY, {"labels": [["GOOD"]]}, ["unknown_label"]),
        (MANY, {"labels": "GOOD"}, ["schema"]),
        (MANY, {"label": "GOOD"}, ["schema"]),
        (ONE, {"label": "ROTTEN"}, ["unknown_label"]),
        (ONE, {"label": None}, ["unknown_label"]),
        (ONE, {"label": ["GOOD"]}, ["unknown_label"]),
        (ONE, {"labels": ["GOOD"]}, ["schema"]),
    ],
)
def test_unusable_answer_leaves_the_doc(task, value, problems):
    doc = NLP.make_doc("text")
    doc.cats = {"GOOD": 0.25}
    assert_parses(task, doc, answer(value), MALFORMED, problems)
    apply_response(task, doc, answer(value), name="mood", sample=1)
    assert doc.cats == {"GOOD": 0.25}


def test_scores_of_a_trained_component_are_read():
    doc = NLP.make_doc("text")
    doc.cats = {"GOOD": 0.5, "BAD": 0.3, "ODD": 0.49, "OTHER": 1.0}
    assert MANY.get_annotation(doc) == ONE.get_annotation(doc) == cats("GOOD")
    doc.cats = {"GOOD": 0.2, "BAD": 0.3}
    assert MANY.get_annotation(doc) == cats()
    assert ONE.get_annotation(doc) == cats("BAD")
    doc.cats = {}
    assert ONE.get_annotation(doc) == cats()


def test_compare():
    assert MANY.compare(cats("GOOD", "ODD"), cats("GOOD", "BAD")) == {
        "BAD": Counts(0, 1, 0),
        "GOOD": Counts(1, 0, 0),
        "ODD": Counts(0, 0, 1),
    }
    assert ONE.compare(cats("GOOD"), cats()) == {"GOOD": Counts(0, 0, 1)}


@given(st.sets(st.sampled_from(LABELS)))
def test_round_trips(holds):
    given_ = cats(*(label for label in LABELS if label in holds))
    compact = MANY.write_compact(given_)
    assert MANY.read_compact(compact, where="f:1", text="text") == given_
    assert MANY.read_compact(compact[::-1], where="f:1", text="text") == given_
    doc = NLP.make_doc("text")
    MANY.set_annotation(doc, given_)
    assert MANY.get_annotation(doc) == given_
    assert MANY.parse(doc, answer(MANY.example_answer(given_, "text"))).annotation == given_


@pytest.mark.parametrize("label", LABELS)
def test_round_trips_of_one_label(label):
    assert ONE.write_compact(cats(label)) == label
    assert ONE.read_compact(label, where="f:1", text="text") == cats(label)
    doc = NLP.make_doc("text")
    ONE.set_annotation(doc, cats(label))
    assert ONE.get_annotation(doc) == cats(label)
    assert ONE.parse(doc, answer(ONE.example_answer(cats(label), ""))).annotation == cats(label)


@pytest.mark.parametrize("task", [ONE, MANY])
@pytest.mark.parametrize("label", ["ROTTEN", "good", "", None, 1, ["GOOD"], {"GOOD": 1}])
def test_unknown_label_is_refused(task, label):
    value = label if task is ONE else [label]
    with pytest.raises(InputError, match=r"\[H058\] posts.jsonl:7: .*BAD, GOOD, ODD"):
        task.read_compact(value, where="posts.jsonl:7", text="text")


@pytest.mark.parametrize("value", ["GOOD", None, {"GOOD": 1}, 3])
def test_several_labels_come_as_a_list(value):
    with pytest.raises(InputError, match=r"\[H061\] f:1: .*list of labels"):
        MANY.read_compact(value, where="f:1", text="text")


def test_header_says_whether_one_label_holds():
    assert ONE.header("mood").exclusive
    assert not MANY.header("mood").exclusive
