"""Scores in proposals: raw at first, then calibrated, but never by the text's own decision."""

from dataclasses import replace
from typing import Any, Iterator, List, Optional, Sequence, Tuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_hitl.errors import InputError
from spacy_hitl.io import text_digest
from spacy_hitl.records import (
    Annotation,
    CategoryAnnotation,
    Proposal,
    RelationAnnotation,
    Response,
    SpanAnnotation,
    TaskRow,
)
from spacy_hitl.scoring.calibration import Scored, calibration_error, fit_isotonic
from spacy_hitl.scoring.confidence import scored_annotation, weigh
from spacy_hitl.scoring.items import each, items_of
from spacy_hitl.scoring.scores import Sampled, Scorer, rate, rate_rows, score_rows

NOTHING = Annotation()


def cats(*labels: str) -> Annotation:
    return Annotation(cats=tuple(CategoryAnnotation(label) for label in labels))


def sampled(
    text: str,
    given: Sequence[Annotation],
    decision: Optional[Annotation] = None,
    lane: str = "train",
    **values: Any,
) -> Sampled:
    digest = text_digest(text)
    proposals = [
        Proposal(digest, "mood", "m", "ok", "d", annotation=a, sample=i, **values)
        for i, a in enumerate(given, start=1)
    ]
    return TaskRow(text, digest, lane, decision, proposal=proposals[0]), proposals


def project(n: int, *, undecided: int = 5) -> List[Sampled]:
    """Texts of three samples: "A" with 3 of 3 votes is right in 9 of 10 texts, with 2 in half."""
    rows = []
    for i in range(n + undecided):
        sure = i % 2 == 0
        right = i % 20 != 4 if sure else i % 4 == 1
        decision = (cats("A") if right else NOTHING) if i < n else None
        rows.append(sampled(f"text {i}", [cats("A"), cats("A"), cats(*"A" * sure)], decision))
    return rows


def only(row: TaskRow) -> Any:
    assert row.proposal is not None
    (one,) = each(row.proposal.annotation)
    return one


def test_raw_scores_are_those_of_the_votes() -> None:
    for row, samples in project(10):
        assert row.proposal is not None
        rated = rate(row.proposal, samples, text=row.text)
        plain = scored_annotation(row.proposal, weigh(samples))
        assert only(replace(row, proposal=rated)).score == pytest.approx(plain.cats[0].score)
        assert replace(rated, annotation=NOTHING) == replace(row.proposal, annotation=NOTHING)
        assert Scorer({}, {}).score(row.proposal, samples, text=row.text) == rated


@pytest.mark.parametrize("decided, source", [(49, "votes"), (50, "calibrated votes")])
def test_fifty_decided_texts_are_needed(decided: int, source: str) -> None:
    rows = score_rows(project(decided))
    assert {only(row).score_source for row in rows} == {source}


@pytest.mark.parametrize("decision", [cats("A"), NOTHING])
def test_right_and_wrong_ones_are_needed(decision: Annotation) -> None:
    rows = [sampled(f"text {i}", [cats("A")] * 2, decision) for i in range(60)]
    assert {only(row).score_source for row in score_rows(rows)} == {"votes"}
    one = sampled("another text", [cats("A")] * 2, cats("B"))
    other = sampled("yet another text", [cats("A")] * 2, cats("A"))
    rows = score_rows([*rows, one, other])
    assert {only(row).score_source for row in rows} == {"calibrated votes"}


def test_texts_without_a_score_are_no_evidence() -> None:
    """Fifty decisions, but of most texts nothing was proposed."""
    rows = [sampled(f"empty {i}", [NOTHING, NOTHING], cats("A")) for i in range(60)]
    for mixed in ([*rows, *project(30)], [*project(30), *rows]):
        found = score_rows(mixed)
        sources = [one.score_source for row in found for one in each(_annotation(row))]
        assert sources == ["votes"] * 35


def _annotation(row: TaskRow) -> Annotation:
    assert row.proposal is not None
    return row.proposal.annotation


def test_one_answer_changes_nothing() -> None:
    rows = [sampled(f"t {i}", [cats("A")], cats(*"A" * (i % 2))) for i in range(80)]
    assert score_rows(rows) == [row for row, _ in rows]


def test_an_undecided_text_gets_the_share_of_right_ones() -> None:
    rows = score_rows(project(400, undecided=40))
    scores = {only(row).score for row in rows if row.decision is None}
    assert scores == {0.9, 0.5}
    assert [only(row).score for row in rows[400:402]] == [0.9, 0.5]


def test_a_decided_text_never_learns_from_its_own_decision() -> None:
    """Turn the decision on a text around: its own score stays, those of others may move."""
    rows = project(80)
    before = score_rows(rows)
    for i in (0, 4, 7, 33):
        row, samples = rows[i]
        turned = cats("A") if row.decision == NOTHING else NOTHING
        other = [*rows[:i], (replace(row, decision=turned), samples), *rows[i + 1 :]]
        after = score_rows(other)
        assert only(after[i]) == only(before[i])
        assert [only(r).score for r in after[80:]] != [only(r).score for r in before[80:]]


def test_nor_from_that_of_a_near_duplicate() -> None:
    rows = project(80)
    row, _ = rows[4]
    twin = sampled("TEXT, 4!", [cats("A")] * 3, row.decision)
    before = score_rows([*rows, twin])
    turned = [(replace(r, decision=cats("A")), s) for r, s in (rows[4], twin)]
    after = score_rows([*rows[:4], turned[0], *rows[5:], turned[1]])
    assert row.decision == NOTHING
    assert only(after[4]) == only(before[4]) and only(after[-1]) == only(before[-1])


def test_the_order_of_the_texts_does_not_matter() -> None:
    rows = project(90)
    assert score_rows(rows[::-1]) == score_rows(rows)[::-1]


def test_what_is_decided_later_moves_no_text_to_another_fold() -> None:
    """The curve of a decided text has all other folds in it, whatever their number of texts."""
    rows = project(60)
    first = only(score_rows(rows)[0]).score
    more = sampled("text 0?", [cats("A")] * 3, NOTHING)  # shares the fold of "text 0"
    assert only(score_rows([*rows, more])[0]).score == first


def test_a_scorer_is_fitted_once_and_then_scores_any_text() -> None:
    rows = project(100)
    scorer = Scorer.fit(rate_rows(iter(rows)))
    assert scorer.calibrated == ("votes",)
    everything = score_rows(rows)
    for (row, samples), expected in zip(rows, everything, strict=True):
        assert row.proposal is not None
        assert scorer.score(row.proposal, samples, text=row.text) == expected.proposal
    # One that was decided after the fit, and one that nobody knew: the curve of all.
    new, samples = sampled("new", [cats("A"), cats("A"), NOTHING], cats("A"))
    assert new.proposal is not None
    assert scorer.score(new.proposal, samples, text="new").annotation == _annotation(everything[-2])


def test_between_known_scores_lies_what_lies_between() -> None:
    rows = project(400)
    scorer = Scorer.fit(rate_rows(rows))
    seen, samples = sampled("new", [cats("A")] * 5 + [NOTHING])
    assert seen.proposal is not None
    (one,) = scorer.score(seen.proposal, samples, text="new").annotation.cats
    low, high = 2 / 3, 1.0
    assert one.score == pytest.approx(0.5 + (5 / 6 - low) / (high - low) * 0.4, abs=1e-5)


def test_each_source_has_a_curve_of_its_own() -> None:
    answer = '{"labels": ["A"]}'
    responses = {"k": Response("m", text=answer, logprobs=((answer, -0.2),))}
    with_logprobs = [
        sampled(f"log {i}", [cats("A")], cats(*"A" * (i % 3 != 0)), response_key="k")
        for i in range(60)
    ]
    found = score_rows([*with_logprobs, *project(20)], answers=lambda text: responses)
    sources = [only(row).score_source for row in found]
    assert sources == ["calibrated logprobs"] * 60 + ["votes"] * 25
    assert all(0.55 < only(row).score < 0.75 for row in found[:60]), "two in three are right"


def test_spans_and_relations_are_calibrated_too() -> None:
    both = Annotation(
        spans=(SpanAnnotation(0, 3, "A"),), relations=(RelationAnnotation(0, 3, 4, 5, "R"),)
    )
    rows = [
        sampled(f"text {i}", [both] * 2, replace(both, relations=both.relations[: i % 2]))
        for i in range(60)
    ]
    for row in score_rows(rows):
        (span, relation) = each(_annotation(row))
        assert span.score_source == relation.score_source == "calibrated votes"
        assert span.score == relation.score, "one curve: both had all votes"
        assert 0.7 < (span.score or 0) < 0.8
        assert items_of(_annotation(row)) == items_of(both)


def test_gold_never_enters() -> None:
    rows = [row for row, _ in project(60)]
    with pytest.raises(InputError, match="H056"):
        Scorer.fit([*rows, replace(rows[0], lane="gold")])


def test_what_nobody_looked_at_proves_nothing() -> None:
    """Accepted in bulk because of its score: that says nothing about the score."""
    everything = project(60)
    bulk = [(replace(row, bulk=True), samples) for row, samples in everything]
    assert {only(row).score_source for row in score_rows(bulk)} == {"votes"}
    one, samples = sampled("in bulk", [cats("A")] * 3, NOTHING)
    mixed = score_rows([*everything, (replace(one, bulk=True), samples)])
    assert mixed[:-1] == score_rows(everything)
    assert only(mixed[-1]) == only(mixed[-2]), "and is scored as if it were undecided"


def test_own_scores_of_a_model_are_calibrated_as_any_other() -> None:
    own = CategoryAnnotation("A", 0.4, "my own")
    rows = [
        sampled(f"t {i}", [Annotation(cats=(own,))], cats(*"A" * (i % 4 == 0))) for i in range(200)
    ]
    rows.append(sampled("new", [Annotation(cats=(own,))]))
    new = only(score_rows(rows)[-1])
    assert (new.score, new.score_source) == (0.25, "calibrated my own")


def texts(data: Any) -> Iterator[Sampled]:
    for i, (votes, right) in enumerate(data):
        yield sampled(f"text {i}", _votes(votes), cats(*"A" * right))


def _votes(votes: int) -> List[Annotation]:
    """One answer that gave "A", and so many of three others."""
    return [cats("A")] + [cats(*"A" * (k < votes)) for k in range(3)]


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=2, max_size=60))
def test_undecided_scores_are_those_of_one_isotonic_curve(data: Any) -> None:
    rows = list(texts(data))
    scorer = Scorer.fit(rate_rows(rows), min_decided=2)
    votes = np.array([round((v + 1) / 4, 6) for v, _ in data])
    right = np.array([float(r) for _, r in data])
    new = [sampled(f"new {v}", _votes(v)) for v in range(4)]
    for v, (row, samples) in enumerate(new):
        assert row.proposal is not None
        (one,) = scorer.score(row.proposal, samples, text=row.text).annotation.cats
        if scorer.calibrated:
            assert one.score_source == "calibrated votes"
            expected = fit_isotonic(votes, right)(np.array([(v + 1) / 4]))[0]
            assert one.score == pytest.approx(expected, abs=1e-6)
        else:
            assert (one.score, one.score_source) == ((v + 1) / 4, "votes")
    assert bool(scorer.calibrated) <= (0 < right.mean() < 1)


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=60), st.randoms())
def test_scores_change_nothing_else_and_do_not_depend_on_order(data: Any, random: Any) -> None:
    rows = list(texts(data))
    before = score_rows(rows, min_decided=2)
    for (row, _), scored in zip(rows, before, strict=True):
        assert items_of(_annotation(scored)) == items_of(_annotation(row))
        assert 0 <= only(scored).score <= 1
        bare = replace(only(scored), score=None, score_source=None)
        assert replace(scored, proposal=row.proposal) == row and bare == only(row)
    shuffled = list(zip(rows, before, strict=True))
    random.shuffle(shuffled)
    assert score_rows([r for r, _ in shuffled], min_decided=2) == [b for _, b in shuffled]


def test_calibration_brings_scores_nearer_to_the_truth() -> None:
    """A score that is always too sure; measured on texts that were not fitted on."""
    rng = np.random.default_rng(7)
    rows: List[Tuple[Sampled, bool]] = []
    for i in range(600):
        votes = int(rng.integers(0, 4))
        right = bool(rng.random() < (votes + 1) / 8)
        truth = cats(*"A" * right)
        rows.append((sampled(f"text {i}", _votes(votes), truth if i < 300 else None), right))
    raw = list(rate_rows(row for row, _ in rows))
    calibrated = score_rows(row for row, _ in rows)
    for part in (slice(0, 300), slice(300, 600)):  # cross-fitted, and fitted on the others
        errors = []
        for found in (raw, calibrated):
            pairs = zip(found[part], [right for _, right in rows[part]], strict=True)
            judged = [(only(row).score, right, i) for i, (row, right) in enumerate(pairs)]
            error = calibration_error(Scored.of(judged), rounds=20)
            assert error is not None
            errors.append(error.value)
        assert errors[1] < errors[0] / 3
