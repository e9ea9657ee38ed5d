"""Baselines on rows made by hand."""

from pathlib import Path
from typing import Any, List, Sequence

import pytest
import spacy
import srsly
from spacy.tokens import Span

from spacy_hitl.evaluate.baseline import (
    baseline,
    constant_categories,
    link_forms,
    lookup_links,
    lookup_spans,
    pair_labels,
    span_forms,
)
from spacy_hitl.records import (
    NIL,
    Annotation,
    CategoryAnnotation,
    RelationAnnotation,
    SpanAnnotation,
    TaskHeader,
    TaskRow,
)

NLP = spacy.blank("en")


def cats(*labels: str) -> Annotation:
    return Annotation(cats=tuple(CategoryAnnotation(label) for label in labels))


def rows(*annotations: Annotation) -> List[TaskRow]:
    return [TaskRow(f"text {i}", str(i), "train", decision=a) for i, a in enumerate(annotations)]


def mark(text: str, *marks: Sequence[str]) -> TaskRow:
    """A row whose text holds each form once, with its label or catalog id."""
    spans = [
        SpanAnnotation(text.index(form), text.index(form) + len(form), label, kb_id=kb_id or None)
        for form, label, kb_id in marks
    ]
    return TaskRow(text, text, "train", decision=Annotation(spans=tuple(spans)))


EXCLUSIVE = TaskHeader("mood", "textcat", ("A", "B", "C"), "d", exclusive=True)
MULTI = TaskHeader("topics", "textcat", ("A", "B", "C"), "d")


@pytest.mark.parametrize(
    "header, reviewed, wanted",
    [
        (EXCLUSIVE, [cats("B"), cats("A"), cats("B")], ["B"]),
        (EXCLUSIVE, [cats("C"), cats("B")], ["B"]),  # equally often: the first by name
        (EXCLUSIVE, [], []),
        # A in 3 of 4: F 6/7 for A alone (3 hits of 4 found, 3 wanted).
        (MULTI, [cats("A"), cats("A"), cats("A"), cats()], ["A"]),
        # A alone: 2*3/(4+5) = 6/9; with B: 2*5/(8+5) = 10/13.
        (MULTI, [cats("A", "B"), cats("A", "B"), cats("A"), cats()], ["A", "B"]),
        # C is so rare that it costs more than it brings.
        (MULTI, [cats("A", "C"), cats("A"), cats("A"), cats("A")], ["A"]),
        (MULTI, [cats(), cats()], []),
        (MULTI, [], []),
    ],
)
def test_constant_categories(header: TaskHeader, reviewed: Any, wanted: List[str]) -> None:
    found = constant_categories(header, rows(*reviewed))
    assert [c.label for c in found.cats] == wanted


NER = TaskHeader("thing", "ner", ("A", "B"), "d")
SPANCAT = TaskHeader("things", "spancat", ("A", "B"), "d")


def test_lookup_takes_the_most_frequent_label_and_the_longest_form() -> None:
    reviewed = [
        mark("the K9 is", ("K9", "A", "")),
        mark("a k9 was", ("k9", "B", "")),
        mark("K9 again", ("K9", "B", "")),
        mark("K9 Pro", ("K9 Pro", "A", "")),
        TaskRow("K9 undecided", "x", "train"),
    ]
    forms = span_forms(reviewed)
    assert forms == {"k9": "B", "k9 pro": "A"}
    text = "K9 and k9 PRO, K9s"
    (found,) = lookup_spans([text], forms, overlapping=False)
    assert found.spans == (SpanAnnotation(0, 2, "B"), SpanAnnotation(7, 13, "A"))
    (found,) = lookup_spans([text], forms, overlapping=True)
    assert found.spans == (
        SpanAnnotation(0, 2, "B"),
        SpanAnnotation(7, 9, "B"),
        SpanAnnotation(7, 13, "A"),
    )


@pytest.mark.parametrize("header, count", [(NER, 1), (SPANCAT, 2)])
def test_the_lookup_of_a_task(header: TaskHeader, count: int) -> None:
    reviewed = [mark("K9", ("K9", "A", "")), mark("K9 Pro", ("K9 Pro", "A", ""))]
    name, (found,) = baseline(header, reviewed, ["😀 K9 Pro"], [])
    assert name == "lookup" and len(found.spans) == count
    assert found.spans[-1] == SpanAnnotation(2, 8, "A")


def test_a_lookup_that_knows_nothing_finds_nothing() -> None:
    assert baseline(NER, [], ["K9"], []) == ("lookup", [Annotation()])


@pytest.fixture
def link_header(tmp_path: Path) -> TaskHeader:
    entries = [
        {"id": "X", "name": "Kestrel K9", "aliases": ["K9", "it"]},
        {"id": "Y", "name": "Orbit", "aliases": ["it"]},
    ]
    srsly.write_jsonl(tmp_path / "c.jsonl", entries)
    catalog = str(tmp_path / "c.jsonl")
    return TaskHeader("link", "linking", ("X", "Y"), "d", catalog=catalog)


def test_links_are_looked_up_by_form_reviewed_ones_first(link_header: TaskHeader) -> None:
    reviewed = [
        mark("an orbit", ("orbit", "", NIL)),
        mark("the old one", ("old one", "", "Y")),
        mark("old one", ("old one", "", "Y")),
        mark("an Old One", ("Old One", "", "X")),
    ]
    forms = link_forms(link_header, reviewed)
    assert forms == {"kestrel k9": "X", "k9": "X", "it": "X", "orbit": NIL, "old one": "Y"}
    doc = NLP.make_doc("K9 or Orbit or comet")
    doc.ents = [Span(doc, 0, 1, "P"), Span(doc, 2, 3, "P"), Span(doc, 4, 5, "P", kb_id="Y")]
    (found,) = lookup_links([doc], forms)
    assert [(s.start, s.end, s.kb_id) for s in found.spans] == [
        (0, 2, "X"),
        (6, 11, NIL),
        (15, 20, NIL),
    ]
    name, (same,) = baseline(link_header, reviewed, ["not read"], [doc])
    assert name == "lookup on the same mentions" and same == found


def test_names_of_the_two_category_baselines() -> None:
    assert baseline(EXCLUSIVE, rows(cats("A")), ["x", "y"], []) == ("majority", [cats("A")] * 2)
    assert baseline(MULTI, rows(cats("A")), ["x"], [])[0] == "most frequent labels"


RELATIONS = TaskHeader("compared", "relations", ("BEATS", "MAKES"), "d")


def compared(text: str, *triples: Sequence[str]) -> TaskRow:
    """A row whose text holds each form once, with its relations: (head, label, tail)."""
    found = [
        RelationAnnotation(
            *(text.index(head), text.index(head) + len(head)),
            *(text.index(tail), text.index(tail) + len(tail)),
            label,
        )
        for head, label, tail in triples
    ]
    return TaskRow(text, text, "train", decision=Annotation(relations=tuple(found)))


def mentions(text: str) -> Any:
    doc = NLP.make_doc(text)
    names = {"K9": "PHONE", "K10": "PHONE", "Kestrel": "ORG"}
    doc.ents = [Span(doc, t.i, t.i + 1, names[t.text]) for t in doc if t.text in names]
    return doc


def test_relations_are_guessed_by_entity_labels_and_order() -> None:
    reviewed = [
        compared("K9 beats K10", ("K9", "BEATS", "K10")),
        compared("k9 is better than k10", ("k9", "BEATS", "k10")),
        compared("K9 loses to K10", ("K10", "BEATS", "K9")),
        compared("K9 of Kestrel", ("Kestrel", "MAKES", "K9")),
        compared("nobody and K9"),
        TaskRow("K10 beats K9, undecided", "x", "train"),
    ]
    # MAKES is right 1 of 1 times; BEATS in the order of the text 2 of 3 (F 6/8), against it 1 of 3
    # (F 8/11).
    docs = [mentions("Kestrel and K9 and K10"), mentions("K10 of Kestrel"), mentions("none")]
    labels = pair_labels(reviewed, docs)
    assert labels == {("ORG", "PHONE", False): "MAKES", ("PHONE", "PHONE", True): "BEATS"}
    name, found = baseline(RELATIONS, reviewed, ["not read"] * 3, docs)
    assert name == "label pairs on the same mentions"
    assert found == [
        Annotation(relations=(RelationAnnotation(12, 14, 19, 22, "BEATS"),)),
        Annotation(relations=(RelationAnnotation(7, 14, 0, 3, "MAKES"),)),
        Annotation(),
    ]


def test_relations_that_nobody_reviewed_are_not_guessed() -> None:
    docs = [mentions("K9 beats K10")]
    assert baseline(RELATIONS, [], ["x"], docs)[1] == [Annotation()]
    assert baseline(RELATIONS, [compared("K9 and K10")], ["x"], docs)[1] == [Annotation()]
