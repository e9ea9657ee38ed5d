"""What is doubtful becomes unknown, never negative; what is far from decisions can be left out."""

from dataclasses import replace
from pathlib import Path
from typing import Any, List, Optional

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from spacy_hitl.dataset.corpus import write_corpus
from spacy_hitl.distill.callbacks import make_distill_callback
from spacy_hitl.distill.corpus.doubtful import Doubts, can_be_unknown, count_doubts, sort_out
from spacy_hitl.distill.warm_up import near_decided, sure_examples
from spacy_hitl.io import text_digest
from spacy_hitl.records import (
    Annotation,
    CategoryAnnotation,
    Look,
    PartialDecision,
    Proposal,
    RelationAnnotation,
    SpanAnnotation,
    TaskHeader,
    TaskRow,
)

NLP = spacy.blank("en")
NER = TaskHeader("thing", "ner", ("A", "B"), "digest")
TOPICS = TaskHeader("topics", "textcat", ("A", "B", "C"), "digest")
MOOD = TaskHeader("mood", "textcat", ("A", "B"), "digest", exclusive=True)
SPANS = TaskHeader("spans", "spancat", ("A", "B"), "digest")

SCORES = st.none() | st.sampled_from([0.0, 0.3, 0.5, 0.7, 1.0])


def make_row(text: str, annotation: Annotation, **values: Any) -> TaskRow:
    digest = text_digest(text)
    proposal = Proposal(digest, "thing", "m", "ok", "t", annotation=annotation)
    return replace(TaskRow(text, digest, "train", proposal=proposal), **values)


@st.composite
def scored_entities(draw: Any) -> TaskRow:
    """A text with entities that don't overlap, some of them off the tokens."""
    words = draw(st.lists(st.text("xyé🎉-.", min_size=1, max_size=4), min_size=1, max_size=8))
    text = " ".join(words)
    cuts = draw(st.lists(st.integers(0, len(text)), max_size=8, unique=True).map(sorted))
    spans = [
        SpanAnnotation(start, end, draw(st.sampled_from("AB")), score=draw(SCORES))
        for start, end in zip(cuts[::2], cuts[1::2], strict=False)
    ]
    return make_row(text, Annotation(spans=tuple(spans)))


@given(scored_entities(), st.sampled_from([0.0, 0.3, 0.5, 0.71, 1.0]))
def test_no_token_of_a_doubtful_entity_is_outside(row: TaskRow, min_score: float) -> None:
    assert row.proposal is not None
    (eg,) = sure_examples(NLP, NER, [row], min_score=min_score)
    doc = eg.reference
    for span in row.proposal.annotation.spans:
        is_sure = span.score is not None and span.score >= min_score
        found = doc.char_span(span.start, span.end)
        if is_sure and found is not None:
            assert (found.start, found.end, span.label) in [
                (e.start, e.end, e.label_) for e in doc.ents
            ]
        for token in doc:
            if not is_sure and token.idx < span.end and span.start < token.idx + len(token):
                assert token.ent_iob_ != "O"
    marked = {i for s in row.proposal.annotation.spans for i in range(s.start, s.end)}
    for token in doc:
        if not marked.intersection(range(token.idx, token.idx + len(token))):
            assert token.ent_iob_ == "O"  # nothing was proposed there: that was said
    assert all(e.label_ in ("A", "B") for e in doc.ents)


def test_spacy_takes_it_as_missing() -> None:
    spans = (SpanAnnotation(0, 2, "A", score=0.2), SpanAnnotation(3, 5, "B", score=0.9))
    (eg,) = sure_examples(NLP, NER, [make_row("aa bb cc", Annotation(spans=spans))], min_score=0.5)
    assert eg.get_aligned_ner() == [None, "U-B", "O"]


@given(st.dictionaries(st.sampled_from("ABC"), SCORES), st.sampled_from([0.0, 0.5, 1.0]))
def test_doubtful_categories_are_absent(scores: Any, min_score: float) -> None:
    cats = tuple(CategoryAnnotation(label, score) for label, score in scores.items())
    (eg,) = sure_examples(NLP, TOPICS, [make_row("a", Annotation(cats=cats))], min_score=min_score)
    for label in "ABC":
        wanted: Optional[float] = 0.0
        if label in scores:
            known = scores[label] is not None and scores[label] >= min_score
            wanted = 1.0 if known else None
        assert eg.reference.cats.get(label) == wanted


@pytest.mark.parametrize(
    "header, annotation",
    [
        (MOOD, Annotation(cats=(CategoryAnnotation("A", 0.4),))),
        (
            SPANS,
            Annotation(
                spans=(SpanAnnotation(0, 1, "A", score=0.4), SpanAnnotation(2, 3, "B", score=0.9))
            ),
        ),
    ],
)
def test_where_unknown_cannot_be_said_the_text_is_left_out(
    header: TaskHeader, annotation: Annotation
) -> None:
    assert not can_be_unknown(header)
    row = make_row("a b", annotation)
    assert list(sure_examples(NLP, header, [row], min_score=0.5)) == []
    assert len(list(sure_examples(NLP, header, [row], min_score=0.4))) == 1


def test_relations_are_sorted_out_like_the_rest() -> None:
    relations = tuple(
        RelationAnnotation(0, 1, 2, 3, label, s) for label, s in (("A", 0.9), ("B", 0.1))
    )
    found = sort_out(Annotation(relations=relations), 0.5)
    assert found.sure.relations == relations[:1]
    assert found.doubtful.relations == relations[1:]
    assert not found.complete and sort_out(Annotation(), 0.5).complete


def test_what_a_person_looked_at_is_not_doubtful() -> None:
    """Decided parts have no score, and need none."""
    spans = (SpanAnnotation(0, 2, "A", score=0.1), SpanAnnotation(6, 8, "A", score=0.1))
    seen = PartialDecision(Annotation(spans=(SpanAnnotation(3, 5, "B"),)), (Look(None, ((0, 5),)),))
    row = make_row("aa bb cc", Annotation(spans=spans), partial=seen)
    (eg,) = sure_examples(NLP, NER, [row], min_score=0.5)
    assert eg.get_aligned_ner() == ["O", "U-B", None]


def test_decisions_lanes_and_statuses_count_as_ever() -> None:
    sure = Annotation(spans=(SpanAnnotation(0, 1, "A", score=0.9),))
    decided = make_row("a decided", sure, decision=Annotation())
    rows = [decided, make_row("a dev", sure, lane="dev"), make_row("a b", sure)]
    failed = make_row("a failed", sure)
    assert failed.proposal is not None
    rows.append(replace(failed, proposal=replace(failed.proposal, status="failed")))
    texts = [eg.text for eg in sure_examples(NLP, NER, rows, min_score=0.5)]
    assert texts == ["a b"]
    both = list(sure_examples(NLP, NER, rows, min_score=0.5, decisions=True))
    assert [eg.text for eg in both] == ["a decided", "a b"]
    assert both[0].get_aligned_ner() == ["O", "O"]  # what was decided is not doubtful


def test_what_is_sure_is_counted() -> None:
    spans = (
        SpanAnnotation(0, 1, "A", score=0.9, score_source="calibrated votes"),
        SpanAnnotation(2, 3, "A", score=0.4, score_source="votes"),
        SpanAnnotation(4, 5, "A"),
    )
    rows = [make_row("a b c", Annotation(spans=spans)), make_row("d", Annotation())]
    assert count_doubts(rows, 0.5) == Doubts(total=3, scored=2, calibrated=1, sure=1)


NEAR = [
    make_row(text, Annotation())
    for text in ("the K10 broke again", "we ate in Oslo", "a K10 fell", "nothing", "Oslo is cold")
]


def decided(text: str, lane: str = "train") -> TaskRow:
    return make_row(text, Annotation(), decision=Annotation(), lane=lane)


@pytest.mark.parametrize(
    "count, wanted",
    [(1, ["a K10 fell"]), (2, ["the K10 broke again", "a K10 fell"])],
)
def test_neighbours_of_decided_texts(count: int, wanted: List[str]) -> None:
    rows = [*NEAR, decided("my K10 fell"), decided("Oslo", lane="dev")]
    assert [row.text for row in near_decided(rows, count)] == [*wanted, "my K10 fell", "Oslo"]
    assert near_decided([*NEAR, decided("Oslo", lane="dev")], 3) == []


def test_enough_neighbours_are_all_texts() -> None:
    rows = [*NEAR, decided("my K10 fell")]
    assert near_decided(rows, len(rows)) == rows


@pytest.mark.parametrize(
    "values, code, parts",
    [
        ({"min_score": 0.5}, "H316", ["min_score = 0.5", "'thing'"]),
        ({"neighbours": 2}, "H319", ["neighbours = 2", "'thing'"]),
    ],
)
def test_what_the_corpus_does_not_give_is_refused(
    values: Any, code: str, parts: List[str], tmp_path: Path, fails: Any
) -> None:
    path = tmp_path / "corpus.jsonl"
    write_corpus(path, NER, [make_row("a b", Annotation(spans=(SpanAnnotation(0, 1, "A"),)))])
    nlp = spacy.blank("en")
    nlp.add_pipe("ner", name="thing").add_label("A")  # type: ignore[attr-defined]
    nlp.initialize()
    with fails(code, path, *parts):
        make_distill_callback(path, "thing", **values)(nlp)
