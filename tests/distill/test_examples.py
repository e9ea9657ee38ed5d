"""From rows to examples: each kind of task, what counts, how often it comes."""

from dataclasses import replace
from pathlib import Path
from typing import Any, List, Optional

import pytest
import spacy

from spacy_hitl.dataset.corpus import write_corpus
from spacy_hitl.distill.corpus.examples import make_example, select_annotation
from spacy_hitl.distill.corpus.reader import make_task_corpus
from spacy_hitl.io import text_digest
from spacy_hitl.records import (
    NIL,
    STATUSES,
    Annotation,
    CategoryAnnotation,
    Look,
    PartialDecision,
    Proposal,
    SpanAnnotation,
    TaskHeader,
    TaskRow,
)

NLP = spacy.blank("en")
NER = TaskHeader("thing", "ner", ("A", "B"), "digest")
SPANS = Annotation(spans=(SpanAnnotation(0, 3, "A"), SpanAnnotation(7, 10, "B")))
TEXT = "one 🎉 two. three"  # an astral character before the second span


def starts(doc: Any) -> List[int]:
    return [s.start_char for s in doc.sents]


def test_ner() -> None:
    spans = Annotation(spans=(SpanAnnotation(0, 3, "A"), SpanAnnotation(6, 9, "B")))
    eg = make_example(NLP, TEXT, spans, NER)
    assert [(e.text, e.label_) for e in eg.reference.ents] == [("one", "A"), ("two", "B")]
    assert not eg.predicted.ents
    empty = make_example(NLP, TEXT, Annotation(), NER)
    # Nothing there is a statement too: no token is left open.
    assert empty.get_aligned_ner() == ["O"] * len(empty.reference)


def test_spancat() -> None:
    header = TaskHeader("things", "spancat", ("A", "B"), "digest", spans_key="mine")
    spans = Annotation(spans=(SpanAnnotation(0, 3, "A"), SpanAnnotation(0, 9, "B")))
    eg = make_example(NLP, TEXT, spans, header)
    assert [(s.text, s.label_) for s in eg.reference.spans["mine"]] == [
        ("one", "A"),
        ("one 🎉 two", "B"),
    ]
    assert "mine" not in eg.predicted.spans
    assert list(make_example(NLP, TEXT, Annotation(), header).reference.spans["mine"]) == []


@pytest.mark.parametrize("exclusive", [False, True])
def test_textcat(exclusive: bool) -> None:
    header = TaskHeader("mood", "textcat", ("A", "B"), "digest", exclusive=exclusive)
    eg = make_example(NLP, TEXT, Annotation(cats=(CategoryAnnotation("B"),)), header)
    assert eg.reference.cats == {"A": 0.0, "B": 1.0}
    assert eg.predicted.cats == {}
    assert make_example(NLP, TEXT, Annotation(), header).reference.cats == {"A": 0.0, "B": 0.0}


def test_linking_gives_mentions_without_ids_and_sentences() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    header = TaskHeader("link", "linking", ("X",), "digest")
    spans = Annotation(
        spans=(SpanAnnotation(0, 3, "A", kb_id="X"), SpanAnnotation(11, 16, "A", kb_id=NIL))
    )
    eg = make_example(nlp, TEXT, spans, header)
    assert [(e.text, e.kb_id_) for e in eg.reference.ents] == [("one", "X"), ("three", NIL)]
    assert [(e.text, e.kb_id_) for e in eg.predicted.ents] == [("one", ""), ("three", "")]
    assert starts(eg.predicted) == starts(eg.reference) == [0, 11]


YES, NO = (Annotation(cats=(CategoryAnnotation(label),)) for label in ("YES", "NO"))
MOOD = TaskHeader("mood", "textcat", ("YES", "NO"), "digest", exclusive=True)


def make_row(
    text: str,
    lane: str = "train",
    decision: Optional[Annotation] = None,
    status: Optional[str] = None,
) -> TaskRow:
    proposal = None
    if status is not None:
        proposal = Proposal(text_digest(text), "mood", "m", status, "t", annotation=NO)
    return TaskRow(text, text_digest(text), lane, decision=decision, proposal=proposal)


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("decision", [None, YES, Annotation()])
def test_what_a_row_teaches(status: str, decision: Optional[Annotation]) -> None:
    row = make_row("a", "train", decision, status)
    usable = NO if status in ("ok", "empty") else None
    assert select_annotation(row, decisions=True, proposals=False) == decision
    assert select_annotation(row, decisions=True, proposals=True) == (
        usable if decision is None else decision
    )
    assert select_annotation(row, decisions=False, proposals=True) == (
        usable if decision is None else None
    )


def test_what_was_decided_of_a_part_corrects_the_proposal() -> None:
    """But it is no decision: what nobody looked at is only what the model said."""
    header = TaskHeader("t", "ner", ("A", "B"), "d")
    proposed = Annotation(spans=(SpanAnnotation(0, 3, "A"), SpanAnnotation(6, 9, "A")))
    found = Annotation(spans=(SpanAnnotation(5, 9, "B"),))
    partial = PartialDecision(found, (Look(None, ((5, 9),)),))
    row = replace(make_row("a", status="ok"), partial=partial)
    assert row.proposal is not None
    row = replace(row, proposal=replace(row.proposal, annotation=proposed))
    values = {"proposals": True, "header": header}
    wanted = Annotation(spans=(SpanAnnotation(0, 3, "A"), SpanAnnotation(5, 9, "B")))
    assert select_annotation(row, decisions=True, **values) == wanted
    assert select_annotation(row, decisions=True, proposals=False) is None
    failed = replace(row, proposal=replace(row.proposal, status="failed"))
    assert select_annotation(failed, decisions=True, **values) is None


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    rows = [
        make_row("decided", decision=YES),
        make_row("decided and proposed", decision=YES, status="ok"),
        make_row("proposed", status="ok"),
        make_row("empty", status="empty"),
        make_row("dev", "dev", decision=NO),
        *(make_row(s, status=s) for s in STATUSES if s not in ("ok", "empty")),
    ]
    write_corpus(tmp_path / "mood.jsonl", MOOD, rows)
    return tmp_path / "mood.jsonl"


DECIDED = ["decided", "decided and proposed"]
PROPOSED = ["empty", "proposed"]


@pytest.mark.parametrize(
    "values, wanted",
    [
        ({}, DECIDED),
        ({"lane": "dev"}, ["dev"]),
        ({"repeat": 3}, DECIDED * 3),
        ({"proposals": True}, DECIDED + PROPOSED),
        ({"proposals": True, "repeat": 2}, DECIDED * 2 + PROPOSED),
        ({"decisions": False, "proposals": True, "repeat": 2}, PROPOSED),
    ],
)
def test_the_reader_gives(values: Any, wanted: List[str], corpus: Path) -> None:
    reader = make_task_corpus(corpus, "mood", **values)
    for _ in range(2):  # each call reads anew
        assert sorted(eg.text for eg in reader(NLP)) == sorted(wanted)
    order = [eg.text in DECIDED for eg in reader(NLP)]
    assert order == sorted(order, reverse=True)


def test_the_reader_says_what_is_missing(corpus: Path, fails: Any) -> None:
    with fails("H300", "'mood'", corpus, "no usable proposal in lane 'dev'"):
        list(make_task_corpus(corpus, "mood", lane="dev", decisions=False, proposals=True)(NLP))
    with fails("H300", "no decision in lane 'train'"):
        write_corpus(corpus, MOOD, [make_row("a", status="ok")])
        list(make_task_corpus(corpus, "mood")(NLP))
    with fails("H302", corpus, "'mood'", "'tone'"):
        list(make_task_corpus(corpus, "tone")(NLP))
    with fails("H001", "no.jsonl"):
        list(make_task_corpus(corpus.with_name("no.jsonl"), "mood")(NLP))


def test_making_a_reader_reads_nothing(tmp_path: Path) -> None:
    make_task_corpus(tmp_path / "no.jsonl", "mood")
