"""Scores against numbers worked out by hand; intervals against their promise."""

from typing import Any, Dict, List

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_hitl.records import Counts
from spacy_hitl.scoring.intervals import (
    Interval,
    all_labels,
    as_array,
    bootstrap_weights,
    difference,
    f_score,
    interval,
    normal,
    prf,
    probability_better,
    ratio_interval,
    resample,
    student,
    total,
    wilson,
)

averages = st.sampled_from(["micro", "macro"])
small = st.integers(0, 4)
per_label = st.dictionaries(st.sampled_from("ABC"), st.builds(Counts, small, small, small))
systems = st.lists(per_label, min_size=1, max_size=12)


@pytest.mark.parametrize(
    "counts, wanted",
    [
        (Counts(3, 1, 2), (3 / 4, 3 / 5, 6 / 9)),
        (Counts(1, 0, 0), (1, 1, 1)),
        (Counts(0, 2, 3), (0, 0, 0)),
        (Counts(0, 0, 3), (0, 0, 0)),
        (Counts(), (0, 0, 0)),
    ],
)
def test_prf(counts: Counts, wanted: Any) -> None:
    assert prf(counts) == pytest.approx(wanted)


# tp, fp, fn of A: 2, 1, 1 (F 4/6); of B: 1, 0, 3 (F 2/5); C is never used.
TEXTS: List[Dict[str, Counts]] = [
    {"A": Counts(1, 1, 0), "B": Counts(0, 0, 2)},
    {"A": Counts(1, 0, 1)},
    {"B": Counts(1, 0, 1)},
]


def test_totals() -> None:
    assert total(TEXTS) == {"A": Counts(2, 1, 1), "B": Counts(1, 0, 3)}
    assert total([]) == {}
    assert all_labels([TEXTS, [{"Z": Counts()}]]) == ["A", "B", "Z"]


@pytest.mark.parametrize("average, wanted", [("micro", 6 / 11), ("macro", (4 / 6 + 2 / 5) / 2)])
def test_f_score(average: str, wanted: float) -> None:
    array = as_array(TEXTS, ["A", "B", "C"])
    assert array.shape == (3, 3, 3)
    assert f_score(array.sum(axis=0), average=average) == pytest.approx(wanted)


def test_macro_counts_a_label_that_is_always_wrong() -> None:
    sums = as_array([{"A": Counts(1), "B": Counts(0, 1, 0), "C": Counts(0, 0, 1)}], list("ABCD"))
    assert f_score(sums[0], average="macro") == pytest.approx(1 / 3)


@given(systems, averages)
def test_f_of_many_is_f_of_each(per_text: Any, average: str) -> None:
    array = as_array(per_text, list("ABC"))
    together = f_score(array, average=average)
    assert together.shape == (len(per_text),)
    assert together == pytest.approx([float(f_score(a, average=average)) for a in array])


@given(systems)
def test_micro_f_is_that_of_the_summed_counts(per_text: Any) -> None:
    summed = sum((c for counts in per_text for c in counts.values()), Counts())
    value = f_score(as_array(per_text, list("ABC")).sum(axis=0), average="micro")
    assert float(value) == pytest.approx(prf(summed)[2])


@given(st.integers(1, 30), st.integers(1, 50), st.integers(0, 5))
def test_weights_are_draws_with_replacement(texts: int, rounds: int, seed: int) -> None:
    weights = bootstrap_weights(texts, rounds=rounds, seed=seed)
    assert weights.shape == (rounds, texts)
    assert (weights.sum(axis=1) == texts).all() and (weights >= 0).all()
    assert (weights == bootstrap_weights(texts, rounds=rounds, seed=seed)).all()


def test_weights_draw_every_text_equally_often() -> None:
    weights = bootstrap_weights(10, rounds=4000)
    assert weights.mean(axis=0) == pytest.approx(np.ones(10), abs=0.06)
    assert (weights == 0).mean() == pytest.approx(0.9**10, abs=0.02)
    assert not (weights == bootstrap_weights(10, rounds=4000, seed=1)).all()


@given(systems, averages)
def test_intervals_are_intervals(per_text: Any, average: str) -> None:
    array = as_array(per_text, list("ABC"))
    found = interval(array, bootstrap_weights(len(per_text), rounds=60), average=average)
    assert 0 <= found.low <= found.high <= 1
    assert 0 <= found.value <= 1
    assert found.value == pytest.approx(float(f_score(array.sum(axis=0), average=average)))


def test_an_interval_is_about_the_middle_of_the_rounds() -> None:
    array, weights = as_array(TEXTS * 20, ["A", "B"]), bootstrap_weights(60)
    rounds = np.sort(resample(array, weights, average="micro"))
    found = interval(array, weights, average="micro")
    for side in (rounds < found.low, rounds > found.high):
        assert 0.005 <= side.mean() <= 0.04
    assert found.low < found.value < found.high


def test_one_annotation_per_text_is_one_trial() -> None:
    """Recall of 40 in 50 independent ones: Wilson's interval, a little wider for Student's t."""
    hits = np.array([1.0] * 40 + [0.0] * 10)
    found = ratio_interval(hits, np.ones(50))
    low, high = wilson(0.8, 50)
    assert (low, high) == pytest.approx((0.670, 0.888), abs=0.001)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.006)
    assert found.low < low < high < found.high


def test_annotations_of_one_text_are_no_trials_of_their_own() -> None:
    alone = ratio_interval(np.array([1.0] * 40 + [0.0] * 10), np.ones(50))
    together = ratio_interval(np.array([5.0] * 8 + [0.0] * 2), np.full(10, 5.0))
    assert together.value == alone.value
    assert together.high - together.low > 2 * (alone.high - alone.low)
    # Nor do they count for more where texts happen to be alike.
    alike = ratio_interval(np.full(10, 4.0), np.full(10, 5.0))
    assert alike.high - alike.low >= (alone.high - alone.low) * 0.99


@pytest.mark.parametrize("freedom, wanted", [(5, 2.571), (9, 2.262), (49, 2.010), (199, 1.972)])
def test_quantiles_of_student(freedom: int, wanted: float) -> None:
    assert student(1.959964, freedom) == pytest.approx(wanted, abs=0.006)
    assert normal(student(-1.959964, freedom), freedom) == pytest.approx(-1.959964)


def test_one_round_is_f_of_the_drawn_texts() -> None:
    array = as_array(TEXTS, ["A", "B"])
    drawn = resample(array, np.array([[2.0, 0.0, 1.0]]), average="micro")
    # Twice the first text and once the last: tp 3, fp 2, fn 5.
    assert drawn == pytest.approx([6 / 13])


@pytest.mark.parametrize("average", ["micro", "macro"])
def test_degenerate_intervals(average: str) -> None:
    nothing = as_array([{}] * 5, ["A"])
    assert interval(nothing, bootstrap_weights(5), average=average) == Interval(0, 0, 1)
    one = as_array(TEXTS[:1], ["A"])
    found = interval(one, bootstrap_weights(1), average=average)
    assert found.value == 2 / 3 and found.low < 0.01 and found.high > 0.99
    perfect = as_array([{"A": Counts(1)}] * 9 + [{}] * 90, ["A"])
    found = interval(perfect, bootstrap_weights(99), average=average)
    assert found.value == found.high == 1 and 0.66 < found.low < 0.71  # of 9, not of 99


@given(systems, averages)
def test_a_system_does_not_differ_from_itself(per_text: Any, average: str) -> None:
    array, weights = as_array(per_text, list("ABC")), bootstrap_weights(len(per_text), rounds=50)
    assert difference(array, array, weights, average=average) == Interval(0, 0, 0)


@given(st.lists(st.tuples(per_label, per_label), min_size=1, max_size=9), averages)
def test_differences_turn_around(pairs: Any, average: str) -> None:
    one, other = (as_array([p[i] for p in pairs], list("ABC")) for i in (0, 1))
    weights = bootstrap_weights(len(pairs), rounds=80)
    there = difference(one, other, weights, average=average)
    back = difference(other, one, weights, average=average)
    assert (there.value, there.low, there.high) == pytest.approx(
        (-back.value, -back.high, -back.low)
    )
    assert -1 <= there.low <= there.high <= 1


@given(st.lists(st.tuples(per_label, per_label), min_size=2, max_size=12), averages)
def test_the_probability_says_what_the_interval_says(pairs: Any, average: str) -> None:
    one, other = (as_array([p[i] for p in pairs], list("ABC")) for i in (0, 1))
    weights = bootstrap_weights(len(pairs), rounds=80)
    found = difference(one, other, weights, average=average)
    better = probability_better(one, other, weights, average=average)
    assert better == pytest.approx(1 - probability_better(other, one, weights, average=average))
    assert (better > 0.5) == (found.value > 0) and (better < 0.5) == (found.value < 0)
    if found.low > -1 and found.high < 1 and found.low < found.high:
        assert (better > 0.975) == (found.low > 0) and (better < 0.025) == (found.high < 0)


def test_the_difference_is_paired() -> None:
    """A system that is right wherever the other is, and once more: never worse in any round."""
    rng = np.random.default_rng(0)
    hits = rng.random(100) < 0.6
    one = as_array([{"A": Counts(1) if h else Counts(0, 0, 1)} for h in hits], ["A"])
    more = as_array(
        [{"A": Counts(1) if h or i % 5 == 0 else Counts(0, 0, 1)} for i, h in enumerate(hits)],
        ["A"],
    )
    found = difference(more, one, bootstrap_weights(100), average="micro")
    assert 0 < found.low < found.value < found.high
    alone = interval(more, bootstrap_weights(100), average="micro")
    assert found.high - found.low < alone.high - alone.low


def test_coverage() -> None:
    """Of 300 samples from a known population, about 95% of the intervals hold the true F.

    Each text has 0 to 4 mentions and its own difficulty, so its annotations are not independent.
    """
    rng = np.random.default_rng(1)

    def sample(texts: int) -> Any:
        hardness = rng.beta(6, 2, size=texts)
        wanted = rng.integers(0, 5, size=texts)
        tp = rng.binomial(wanted, hardness)
        fp = rng.binomial(2, (1 - hardness) / 2)
        return np.stack([tp, fp, wanted - tp], axis=-1)[:, None, :].astype(float)

    truth = float(f_score(sample(400_000).sum(axis=0), average="micro"))
    weights = bootstrap_weights(80, rounds=400)
    found = [interval(sample(80), weights, average="micro") for _ in range(300)]
    assert 0.90 <= np.mean([i.low <= truth <= i.high for i in found]) <= 0.99
    # Not by being wide: texts as the unit, the interval is about as wide as the F's spread.
    spread = np.std([i.value for i in found])
    assert np.mean([i.high - i.low for i in found]) == pytest.approx(2 * 1.96 * spread, rel=0.15)


def test_an_interval_reads_well() -> None:
    assert str(Interval(0.5, 0.25, 1.0)) == "0.500 [0.250, 1.000]"
