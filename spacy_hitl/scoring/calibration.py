"""Do scores tell right from wrong, and can they be read as probabilities?

Isotonic regression by pool adjacent violators turns scores into probabilities (Zadrozny and Elkan,
Transforming classifier scores into accurate multiclass probability estimates, KDD 2002). Expected
calibration error is the mean distance of score and share of right ones over bins of the scores
(Naeini et al., AAAI 2015; Guo et al., ICML 2017); bins here hold equally many annotations, equal
scores never stand in two bins. Intervals are bootstrapped over texts, as all others (`intervals`).
"""

from dataclasses import dataclass
from typing import Callable, List, Optional, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray

from .intervals import Floats, Interval, bootstrap_weights

Ints = NDArray[np.int64]
Statistic = Callable[[Floats], Floats]  # weights (rounds, annotations) to values (rounds,)

ROUNDS, BINS, FOLDS, REPEATS = 2000, 10, 5, 10
CELLS = 4_000_000  # of a weight matrix held at a time: 32 MB


@dataclass(frozen=True)
class Scored:
    """Judged annotations, as arrays of one length.

    scores: from 0 to 1; right: 1.0 or 0.0; texts: number of the text each belongs to.
    """

    scores: Floats
    right: Floats
    texts: Ints

    @classmethod
    def of(cls, rows: Sequence[Tuple[float, bool, int]]) -> "Scored":
        """RETURNS (Scored): From (score, right, number of the text) of each annotation."""
        array = np.array(rows, dtype=np.float64).reshape(-1, 3)
        return cls(array[:, 0], array[:, 1], array[:, 2].astype(np.int64))

    def __len__(self) -> int:
        return len(self.scores)


# Calibration


@dataclass(frozen=True)
class Isotonic:
    """A rising curve from scores to probabilities.

    scores: the distinct scores it was fitted on, rising; values: the probability of each. Between
    two of them it is a straight line, outside of all it is level.
    """

    scores: Floats
    values: Floats

    def __call__(self, scores: Floats) -> Floats:
        """RETURNS (Floats): Probability of each score."""
        return np.interp(scores, self.scores, self.values)


def fit_isotonic(scores: Floats, right: Floats) -> Isotonic:
    """Fit the rising curve with the least squared error: pool adjacent violators.

    scores (Floats): Shape (annotations,), at least one.
    right (Floats): Shape (annotations,): 1.0 where right.
    RETURNS (Isotonic): Each value is the mean of `right` over a pool of neighbouring scores.
    """
    distinct, group = np.unique(scores, return_inverse=True)
    pools: List[Tuple[float, float, int]] = []  # right ones, annotations, distinct scores
    sums = np.bincount(group, weights=right)
    for hits, size in zip(sums.tolist(), np.bincount(group).tolist(), strict=True):
        pools.append((hits, size, 1))
        while len(pools) > 1 and pools[-2][0] * pools[-1][1] >= pools[-1][0] * pools[-2][1]:
            last, before = pools.pop(), pools.pop()
            pools.append((before[0] + last[0], before[1] + last[1], before[2] + last[2]))
    values = np.repeat([hits / size for hits, size, _ in pools], [n for _, _, n in pools])
    return Isotonic(distinct, values)


def draw_folds(texts: Ints, *, folds: int = FOLDS, seed: int = 0, repeat: int = 0) -> Ints:
    """RETURNS (Ints): The fold of each annotation; all of one text share one."""
    distinct, text = np.unique(texts, return_inverse=True)
    shuffled = np.random.default_rng((seed, repeat)).permutation(len(distinct))
    drawn: Ints = (shuffled % folds)[text]
    return drawn


def cross_fit(
    scored: Scored, *, folds: int = FOLDS, seed: int = 0, repeat: int = 0
) -> Optional[Floats]:
    """Calibrate each score by a curve that was fitted without its text.

    scored (Scored): Judged annotations.
    folds (int): In how many parts the texts are dealt out, at least 2.
    seed, repeat (int): Of the dealing.
    RETURNS (Optional[Floats]): Shape (annotations,): probabilities; None with fewer than two texts.
    """
    if len(np.unique(scored.texts)) < 2:
        return None
    fold = draw_folds(scored.texts, folds=folds, seed=seed, repeat=repeat)
    calibrated = np.empty(len(scored))
    for one in np.unique(fold):
        here = fold == one
        curve = fit_isotonic(scored.scores[~here], scored.right[~here])
        calibrated[here] = curve(scored.scores[here])
    return calibrated


# What scores are worth


def auroc(scored: Scored, *, rounds: int = ROUNDS) -> Optional[Interval]:
    """Compute how often a right annotation scores above a wrong one; equal scores count half.

    scored (Scored): Judged annotations.
    rounds (int): Bootstrap rounds; those with only right or only wrong ones are passed over.
    RETURNS (Optional[Interval]): 0.5 tells nothing, 1 all. None if all are right or all are wrong.
    """

    def area(weights: Floats) -> Floats:
        right = _by_score(scored, weights * scored.right)
        wrong = _by_score(scored, weights * (1 - scored.right))
        below = np.cumsum(wrong, axis=1) - wrong / 2
        return _divide((right * below).sum(axis=1), right.sum(axis=1) * wrong.sum(axis=1))

    return _bootstrapped(area, scored, rounds)


def calibration_error(
    scored: Scored, *, bins: int = BINS, rounds: int = ROUNDS
) -> Optional[Interval]:
    """Compute the expected calibration error.

    scored (Scored): Judged annotations.
    bins (int): How many bins of equally many annotations; equal scores share a bin, so that there
        may be fewer.
    rounds (int): Bootstrap rounds. The error is never below 0 and chance adds to it: of a good
        score, the interval may lie above the value.
    RETURNS (Optional[Interval]): From 0 to 1; None without annotations.
    """
    return _bootstrapped(_binned_error(scored, bins), scored, rounds)


def calibrated_error(
    scored: Scored, *, bins: int = BINS, rounds: int = ROUNDS, repeats: int = REPEATS, seed: int = 0
) -> Optional[Interval]:
    """Compute the expected calibration error after cross-fitted isotonic regression.

    scored (Scored): Judged annotations.
    bins (int): As in `calibration_error`.
    rounds (int): Bootstrap rounds; the curves are not fitted anew in each.
    repeats (int): How often the texts are dealt out to folds: the mean of the errors counts. (The
        error of the mean would be another: among equal scores, what was fitted without a right one
        is lower than what was fitted without a wrong one.)
    seed (int): Of the dealing.
    RETURNS (Optional[Interval]): From 0 to 1; None with fewer than two texts.
    """
    fits = [cross_fit(scored, seed=seed, repeat=repeat) for repeat in range(repeats)]
    errors = [
        _binned_error(Scored(fit, scored.right, scored.texts), bins)
        for fit in fits
        if fit is not None
    ]
    if not errors:
        return None
    return _bootstrapped(lambda w: np.mean([e(w) for e in errors], axis=0), scored, rounds)


def error_at(scored: Scored, coverage: float, *, rounds: int = ROUNDS) -> Optional[Interval]:
    """Compute the error rate among the annotations with the highest scores.

    scored (Scored): Judged annotations.
    coverage (float): Which part of the annotations is kept, above 0. Of equal scores at the cut the
        expected error of a random choice counts.
    rounds (int): Bootstrap rounds.
    RETURNS (Optional[Interval]): From 0 to 1; None without annotations.
    """

    def error(weights: Floats) -> Floats:
        every = _by_score(scored, weights)[:, ::-1]
        wrong = _by_score(scored, weights * (1 - scored.right))[:, ::-1]
        wanted = coverage * every.sum(axis=1, keepdims=True)
        above = np.cumsum(every, axis=1) - every
        taken = _divide(np.clip(wanted - above, 0, every), every, nothing=0.0)
        return _divide((wrong * taken).sum(axis=1), wanted[:, 0])

    return _bootstrapped(error, scored, rounds)


def _binned_error(scored: Scored, bins: int) -> Statistic:
    _, group, sizes = np.unique(scored.scores, return_inverse=True, return_counts=True)
    middle = (np.cumsum(sizes) - sizes / 2) / max(1, len(scored))
    bin_of = np.floor(bins * middle).astype(np.int64)[group]
    inside = (bin_of[:, None] == np.arange(bins)).astype(np.float64)
    distance = (scored.scores - scored.right)[:, None] * inside
    return lambda weights: _divide(np.abs(weights @ distance).sum(axis=1), weights.sum(axis=1))


def _by_score(scored: Scored, weights: Floats) -> Floats:
    """RETURNS (Floats): Shape (rounds, distinct scores), rising: summed weights."""
    order = np.argsort(scored.scores, kind="stable")
    starts = np.flatnonzero(np.diff(scored.scores[order], prepend=-np.inf))
    summed: Floats = np.add.reduceat(weights[:, order], starts, axis=1)
    return summed


def _divide(above: Floats, below: Floats, *, nothing: float = np.nan) -> Floats:
    return np.divide(above, below, out=np.full_like(above, nothing), where=below > 0)


def _bootstrapped(statistic: Statistic, scored: Scored, rounds: int) -> Optional[Interval]:
    if not len(scored):
        return None
    value = float(statistic(np.ones((1, len(scored))))[0])
    if np.isnan(value):
        return None
    distinct, text = np.unique(scored.texts, return_inverse=True)
    weights = bootstrap_weights(len(distinct), rounds=rounds)
    size = max(1, CELLS // len(scored))
    drawn = [statistic(weights[i : i + size][:, text]) for i in range(0, rounds, size)]
    values = np.concatenate(drawn)
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    low, high = np.percentile(known, [2.5, 97.5])
    return Interval(value, float(low), float(high))
