import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Span
from task_util import NLP, answer, assert_parses

from spacy_hitl.errors import InputError
from spacy_hitl.records import (
    EMPTY,
    MALFORMED,
    NIL,
    OK,
    UNALIGNED,
    Annotation,
    Counts,
    SpanAnnotation,
)
from spacy_hitl.tasks.base import apply_response
from spacy_hitl.tasks.linking.catalog import read_catalog
from spacy_hitl.tasks.linking.task import make_linking_task

ENTRIES = [
    {"id": "P1", "name": "Nebula", "aliases": ["the nebula"], "released": "2024-06"},
    {"id": "P2", "name": "Nebula Pro", "aliases": []},
    {"id": "P3", "name": "Café 3"},
]
TEXT = "K10 or Nebula\nPro or K10 in Berlin"


def write_catalog(path, *entries):
    path.write_text("".join(json.dumps(e) + "\n" for e in entries), encoding="utf8")
    return path


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    folder = tmp_path_factory.mktemp("catalog")
    return make_linking_task(write_catalog(folder / "catalog.jsonl", *ENTRIES), "PHONE")


@pytest.fixture
def doc():
    """Three mentions, one text twice, and a place."""
    doc = NLP.make_doc(TEXT)
    doc.ents = [
        Span(doc, 0, 1, "PHONE", span_id="first"),
        doc.char_span(7, 17, "PHONE"),
        doc.char_span(21, 24, "PHONE"),
        doc.char_span(28, 34, "CITY", kb_id="Q64"),
    ]
    return doc


def links(*pairs):
    return answer({"links": [{"text": text, "id": target} for text, target in pairs]})


def linked(parsed):
    return [s.kb_id for s in parsed.annotation.spans]


@pytest.mark.parametrize(
    "order",
    [
        [("K10", "P1"), ("Nebula\nPro", "P2"), ("K10", None), ("Berlin", None)],
        [("Berlin", None), ("K10", "P1"), ("K10", None), ("Nebula\nPro", "P2")],
        [("Nebula Pro", "P2"), (" K10 ", "P1"), ("Berlin", None), ("K10", None)],
    ],
)
def test_nth_link_goes_to_the_nth_occurrence(task, doc, order):
    parsed = assert_parses(task, doc, links(*order), OK)
    assert linked(parsed) == ["P1", "P2", NIL, NIL]
    assert [(s.start, s.end) for s in parsed.annotation.spans] == [
        (0, 3),
        (7, 17),
        (21, 24),
        (28, 34),
    ]


def test_normal_form_of_the_mention_may_differ(task):
    doc = NLP.make_doc("das Café hier")
    doc.ents = [Span(doc, 1, 2, "PHONE")]
    response = links((unicodedata.normalize("NFD", "Café"), "P3"))
    assert linked(assert_parses(task, doc, response, OK)) == ["P3"]


def test_missing_link_is_unaligned(task, doc):
    response = links(("K10", "P1"), ("Berlin", None))
    parsed = assert_parses(task, doc, response, UNALIGNED, ["unanswered", "unanswered"])
    assert [p.detail for p in parsed.problems] == ["7: Nebula\nPro", "21: K10"]
    assert linked(parsed) == ["P1", NIL]


@pytest.mark.parametrize("text", ["K11", "k10", "Nebula", ""])
def test_link_without_a_mention_is_unaligned(task, doc, text):
    four = [("K10", "P1"), ("Nebula Pro", "P2"), ("K10", None), ("Berlin", None)]
    parsed = assert_parses(task, doc, links(*four, (text, "P1")), UNALIGNED, ["not_found"])
    assert parsed.problems[0].detail == f"{text}: P1"
    assert len(parsed.annotation.spans) == 4


def test_more_links_than_occurrences_is_unaligned(task, doc):
    doc.ents = [e for e in doc.ents if e.text == "Berlin"]
    assert_parses(task, doc, links(("Berlin", "P1"), ("Berlin", "P2")), UNALIGNED, ["not_found"])


@pytest.mark.parametrize("target", ["P9", "p1", "", "Nebula", NIL])
def test_unknown_id_is_malformed(task, doc, target):
    doc.ents = doc.ents[:1]
    parsed = assert_parses(task, doc, links(("K10", target)), MALFORMED)
    assert parsed.problems[0].kind == "unknown_label"
    assert parsed.problems[0].detail == f"K10: {target}"


@pytest.mark.parametrize(
    "item",
    [{"text": "K10"}, {"id": "P1"}, {"text": 1, "id": "P1"}, {"text": "K10", "id": 1}, "K10"],
)
def test_item_of_another_form_is_malformed(task, doc, item):
    assert assert_parses(task, doc, answer({"links": [item]}), MALFORMED).problems


def test_no_mentions_no_links(task):
    assert_parses(task, NLP.make_doc(TEXT), links(), EMPTY)


def test_links_on_the_doc(task, doc):
    """Labels, ids and all entities stay as they are; only links of listed mentions change."""
    before = [(e.start, e.end, e.label_, e.ent_id_) for e in doc.ents]
    doc.cats = {"A": 1.0}
    spans = SpanAnnotation(0, 3, "PHONE", kb_id="P1"), SpanAnnotation(21, 24, "PHONE", kb_id=NIL)
    task.set_annotation(doc, Annotation(spans=spans))
    assert [e.kb_id_ for e in doc.ents] == ["P1", "", NIL, "Q64"]
    assert [(e.start, e.end, e.label_, e.ent_id_) for e in doc.ents] == before
    assert before[0][3] == "first"
    assert doc.cats == {"A": 1.0}


def test_unusable_answer_leaves_the_links(task, doc):
    before = doc.to_bytes(exclude=["user_data"])
    proposal = apply_response(task, doc, links(("K10", "P9")), name="link", sample=1)
    assert proposal.status == MALFORMED
    assert doc.to_bytes(exclude=["user_data"]) == before


def test_mention_without_a_link_counts_as_nil(task, doc):
    assert [s.kb_id for s in task.get_annotation(doc).spans] == [NIL, NIL, NIL, "Q64"]


def test_compare_counts_per_id(task):
    def annotation(*triples):
        return Annotation(spans=tuple(SpanAnnotation(s, e, kb_id=k) for s, e, k in triples))

    gold = annotation((0, 3, "P1"), (5, 9, "P2"), (10, 12, NIL))
    found = annotation((0, 3, "P1"), (5, 9, "P1"), (10, 12, None))
    assert task.compare(gold, found) == {
        NIL: Counts(1, 0, 0),
        "P1": Counts(1, 1, 0),
        "P2": Counts(0, 0, 1),
    }
    shifted = annotation((0, 4, "P1"))
    assert task.compare(annotation((0, 3, "P1")), shifted) == {"P1": Counts(0, 1, 1)}


@given(
    st.lists(st.sampled_from(["P1", "P2", "P3", None]), max_size=5),
    st.lists(st.integers(1, 4), min_size=10, max_size=10),
)
def test_compact_round_trip(task, targets, widths):
    value, at = [], 0
    for target, gap, width in zip(targets, widths[::2], widths[1::2], strict=False):
        value.append([at + gap, at + gap + width, target])
        at += gap + width
    annotation = task.read_compact(value[::-1], where="f:1", text="x" * 50)
    assert task.write_compact(annotation) == value
    assert [s.kb_id for s in annotation.spans] == [t or NIL for t in targets]
    assert all(s.label == "PHONE" for s in annotation.spans)


@pytest.mark.parametrize("target", ["P9", "", NIL, 1, True, ["P1"], {"P1": 1}])
def test_unknown_id_is_refused(task, target):
    with pytest.raises(InputError, match=r"\[H058\] links.jsonl:7: .*P1, P2, P3"):
        task.read_compact([[0, 3, target]], where="links.jsonl:7", text="K10")


@pytest.mark.parametrize(
    "value",
    [[[0, 4, "P1"]], [[False, 3, "P1"]], [[0, 3]], "P1", None, [[0, 3, "P1"], [2, 3, "P2"]]],
)
def test_bad_offsets_are_refused(task, value):
    with pytest.raises(InputError, match=r"\[H061\] f:1: .*'linking'"):
        task.read_compact(value, where="f:1", text="K10")


def test_prompt_holds_catalog_and_mentions(task, doc):
    request = task.build_request(doc, name="link", sample=1)
    for entry in ENTRIES:
        assert f"- {entry['id']}: {entry['name']}" in request.messages[0].content
    assert '["K10", "Nebula\\nPro", "K10", "Berlin"]' in request.messages[1].content
    assert task.labels == ("P1", "P2", "P3")


def test_catalog_keeps_what_it_does_not_know(tmp_path):
    catalog = read_catalog(write_catalog(tmp_path / "c.jsonl", *ENTRIES))
    assert catalog["P1"].forms == ("Nebula", "the nebula")
    assert catalog["P1"].meta == {"released": "2024-06"}


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "a"},
        {"id": "P1"},
        {"id": "", "name": "a"},
        {"id": 1, "name": "a"},
        {"id": "P1", "name": None},
        {"id": "P9", "name": "a", "aliases": "b"},
        {"id": "P1", "name": "a"},
    ],
)
def test_broken_catalog_is_refused_with_its_line(tmp_path, entry):
    path = write_catalog(tmp_path / "c.jsonl", ENTRIES[0], entry)
    with pytest.raises(InputError, match=r"\[H107\] .*c.jsonl:2"):
        read_catalog(path)
