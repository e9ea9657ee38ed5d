"""Figures against plain counts; a calibrated score never comes from a curve that saw its text."""

from typing import Any, List, Tuple

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from spacy_hitl.scoring.calibration import (
    Scored,
    auroc,
    calibration_error,
    cross_fit,
    draw_folds,
    error_at,
    fit_isotonic,
)
from spacy_hitl.scoring.judged import Measures, measure

# Few different scores, so that ties are the rule.
scores = st.sampled_from([0.0, 0.25, 1 / 3, 0.5, 2 / 3, 1.0])
rows = st.lists(st.tuples(scores, st.booleans(), st.integers(0, 8)), min_size=1, max_size=30)


@given(rows)
def test_isotonic_is_the_means_of_rising_pools(found: Any) -> None:
    scored = Scored.of(found)
    curve = fit_isotonic(scored.scores, scored.right)
    assert (np.diff(curve.scores) > 0).all()
    assert (np.diff(curve.values) >= 0).all()
    assert ((curve.values >= 0) & (curve.values <= 1)).all()
    fitted = curve(scored.scores)
    for value in np.unique(fitted):
        assert value == pytest.approx(scored.right[fitted == value].mean())


@given(rows, st.lists(st.floats(0, 1), min_size=6, max_size=6))
def test_no_rising_curve_fits_better(found: Any, other: List[float]) -> None:
    scored = Scored.of(found)
    curve = fit_isotonic(scored.scores, scored.right)
    rising = np.interp(scored.scores, sorted({*scored.scores}), sorted(other)[: len(curve.scores)])
    best = ((curve(scored.scores) - scored.right) ** 2).sum()
    assert best <= ((rising - scored.right) ** 2).sum() + 1e-9


def test_isotonic_by_hand() -> None:
    curve = fit_isotonic(np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.0, 1.0, 0.0, 1.0]))
    assert curve.values == pytest.approx([0, 0.5, 0.5, 1])
    assert curve(np.array([0.0, 0.35, 0.9])) == pytest.approx([0, 0.75, 1])


@given(rows)
def test_auroc_is_a_count_of_pairs(found: Any) -> None:
    right = [s for s, r, _ in found if r]
    wrong = [s for s, r, _ in found if not r]
    area = auroc(Scored.of(found), rounds=20)
    if not right or not wrong:
        assert area is None
        return
    pairs = [(a > b) + (a == b) / 2 for a in right for b in wrong]
    assert area is None or area.value == pytest.approx(sum(pairs) / len(pairs))
    assert area is None or 0 <= area.low <= area.high <= 1


def test_auroc_of_known_scores() -> None:
    rows = [(i / 40, i >= 20, i) for i in range(40)]
    perfect = auroc(Scored.of(rows))
    assert perfect is not None and (perfect.value, perfect.low, perfect.high) == (1, 1, 1)
    same = auroc(Scored.of([(0.5, r, t) for _, r, t in rows]))
    assert same is not None and (same.value, same.low, same.high) == (0.5, 0.5, 0.5)


def test_the_interval_covers_chance_where_scores_are_chance() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(60):
        rows = [(float(rng.random()), bool(rng.random() < 0.5), i // 2) for i in range(100)]
        area = auroc(Scored.of(rows), rounds=300)
        assert area is not None
        held += area.low <= 0.5 <= area.high
    assert held >= 52  # 95% of 60 are 57


@given(rows, st.sampled_from([0.2, 0.5, 0.9, 1.0]))
def test_error_at_coverage_is_the_expected_one_over_ties(found: Any, coverage: float) -> None:
    error = error_at(Scored.of(found), coverage, rounds=20)
    left, wrong = coverage * len(found), 0.0
    for score in sorted({s for s, _, _ in found}, reverse=True):
        tied = [r for s, r, _ in found if s == score]
        taken = min(left, len(tied))
        wrong += taken * (1 - np.mean(tied))
        left -= taken
    assert error is not None
    assert error.value == pytest.approx(wrong / (coverage * len(found)))
    assert -1e-9 <= error.low <= error.high <= 1 + 1e-9


@given(rows)
def test_calibration_error_of_few_scores(found: Any) -> None:
    """With one bin it is the distance of the means; with very many, one bin per score."""
    scored = Scored.of(found)
    one = calibration_error(scored, bins=1, rounds=20)
    assert one is not None
    assert one.value == pytest.approx(abs(scored.scores.mean() - scored.right.mean()))
    many = calibration_error(scored, bins=1000, rounds=20)
    wanted = sum(
        (scored.scores == s).mean() * abs(s - scored.right[scored.scores == s].mean())
        for s in np.unique(scored.scores)
    )
    assert many is not None and many.value == pytest.approx(wanted)


def test_calibration_error_by_hand() -> None:
    rows = [(0.9, i < 6, i) for i in range(10)] + [(0.1, False, i) for i in range(10, 20)]
    error = calibration_error(Scored.of(rows))
    assert error is not None and error.value == pytest.approx(0.5 * 0.3 + 0.5 * 0.1)


# Cross-fitting


@given(rows, st.integers(2, 5), st.integers(0, 3))
def test_no_text_is_scored_by_a_fit_that_saw_it(found: Any, folds: int, seed: int) -> None:
    scored = Scored.of(found)
    calibrated = cross_fit(scored, folds=folds, seed=seed)
    if len(np.unique(scored.texts)) < 2:
        assert calibrated is None
        return
    assert calibrated is not None
    assert ((calibrated >= 0) & (calibrated <= 1 + 1e-9)).all()
    fold = draw_folds(scored.texts, folds=folds, seed=seed)
    for text in np.unique(scored.texts):
        mine = scored.texts == text
        assert len(np.unique(fold[mine])) == 1
        # Whatever is known of this text, its own scores stay.
        flipped = Scored(
            scored.scores, np.where(mine, 1 - scored.right, scored.right), scored.texts
        )
        again = cross_fit(flipped, folds=folds, seed=seed)
        assert again is not None
        assert again[mine] == pytest.approx(calibrated[mine])


def test_one_dealing_is_the_fit_of_the_other_folds() -> None:
    rng = np.random.default_rng(3)
    scored = Scored.of([(float(rng.random()), bool(rng.random() < 0.7), i // 2) for i in range(40)])
    found = cross_fit(scored, folds=4)
    fold = draw_folds(scored.texts, folds=4)
    assert found is not None
    for one in range(4):
        here = fold == one
        curve = fit_isotonic(scored.scores[~here], scored.right[~here])
        assert found[here] == pytest.approx(curve(scored.scores[here]))


@given(st.integers(1, 40), st.integers(2, 6), st.integers(0, 3))
def test_folds_are_even_and_seeded(texts: int, folds: int, seed: int) -> None:
    fold = draw_folds(np.arange(texts) * 7, folds=folds, seed=seed)
    sizes = np.bincount(fold, minlength=folds)
    assert sizes.max() - sizes.min() <= 1 and len(sizes) == folds
    assert (fold == draw_folds(np.arange(texts) * 7, folds=folds, seed=seed)).all()


def test_calibration_mends_scores_that_are_too_sure() -> None:
    rng = np.random.default_rng(1)
    sure = rng.choice([0.7, 0.8, 0.9, 1.0], size=600)
    rows = [(float(s), bool(rng.random() < s - 0.4), i) for i, s in enumerate(sure)]
    found = measure(Scored.of(rows), rounds=100)
    assert found.ece is not None and found.ece_calibrated is not None
    assert found.ece.value == pytest.approx(0.4, abs=0.06)
    assert found.ece_calibrated.value < 0.08


# Degenerate cases


@pytest.mark.parametrize("right", [True, False])
def test_one_class_only(right: bool) -> None:
    found = measure(Scored.of([(0.5, right, 0), (1.0, right, 1)]), rounds=20)
    assert found.auroc is None
    assert (found.annotations, found.wrong, found.texts) == (2, 0 if right else 2, 2)
    assert [e.value for _, e in found.errors if e] == pytest.approx([1.0 - right] * 3)
    assert found.ece is not None and found.ece_calibrated is not None
    assert found.ece_calibrated.value == pytest.approx(0)


def test_nothing_at_all() -> None:
    found = measure(Scored.of([]))
    assert found == Measures(0, 0, 0, errors=((0.5, None), (0.8, None), (0.9, None)))


def test_one_text() -> None:
    found = measure(Scored.of([(0.5, True, 3), (0.2, False, 3)]), rounds=20)
    assert found.auroc is not None and found.auroc.value == 1
    assert found.ece_calibrated is None


def test_many_annotations_are_bootstrapped_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    rows: List[Tuple[float, bool, int]] = [
        (float(rng.random()), bool(rng.random() < 0.5), i) for i in range(50)
    ]
    whole = measure(Scored.of(rows), rounds=50)
    monkeypatch.setattr("spacy_hitl.scoring.calibration.CELLS", 120)
    assert measure(Scored.of(rows), rounds=50) == whole


@given(rows)
def test_intervals_are_the_same_for_the_same_data(found: Any) -> None:
    scored = Scored.of(found)
    assume(0 < scored.right.sum() < len(scored))
    assert measure(scored, rounds=20) == measure(scored, rounds=20)
