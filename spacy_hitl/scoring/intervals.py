"""Scores from counts, and how sure one can be of them, with documents as the units: annotations of
one document are not independent.

Of what was tried in `benchmarks/coverage.py` (percentiles and BCa of the bootstrap among it), this
came closest to the promised 95% at 50 to 500 documents: the standard error of the jackknife (Efron
and Tibshirani, An Introduction to the Bootstrap, 1993, ch. 11); for a score, Wilson's interval at
the number of independent trials that have this error (Korn and Graubard, Confidence intervals for
proportions with small expected number of positive counts estimated from survey data, 1998; Dean
and Pagano, Evaluating confidence interval methods for binomial proportions in clustered surveys,
2015); for a difference, Student's t.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray

from ..records import Counts

Floats = NDArray[np.float64]
Bounds = Tuple[float, float]

Z = NormalDist().inv_cdf(0.975)  # standard errors to either side of a 95% interval
TINY = 1e-12


@dataclass(frozen=True)
class Interval:
    """A figure with its 95% interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def prf(counts: Counts) -> Tuple[float, float, float]:
    """RETURNS (Tuple[float, float, float]): Precision, recall and F; 0 where undefined.

    >>> prf(Counts(tp=3, fp=1, fn=1))
    (0.75, 0.75, 0.75)
    """
    found, wanted = counts.tp + counts.fp, counts.tp + counts.fn
    precision = counts.tp / found if found else 0.0
    recall = counts.tp / wanted if wanted else 0.0
    both = found + wanted
    return precision, recall, 2 * counts.tp / both if both else 0.0


def total(per_text: Sequence[Dict[str, Counts]]) -> Dict[str, Counts]:
    """RETURNS (Dict[str, Counts]): Counts per label summed over texts, sorted by label."""
    sums: Dict[str, Counts] = {}
    for counts in per_text:
        for label, c in counts.items():
            sums[label] = sums.get(label, Counts()) + c
    return dict(sorted(sums.items()))


def as_array(per_text: Sequence[Dict[str, Counts]], labels: Sequence[str]) -> Floats:
    """RETURNS (Floats): Shape (texts, labels, 3): tp, fp, fn."""
    array = np.zeros((len(per_text), len(labels), 3))
    position = {label: i for i, label in enumerate(labels)}
    for t, counts in enumerate(per_text):
        for label, c in counts.items():
            if label in position:
                array[t, position[label]] = (c.tp, c.fp, c.fn)
    return array


def f_score(sums: Floats, *, average: str) -> Floats:
    """Compute F from summed counts.

    sums (Floats): Shape (..., labels, 3): tp, fp, fn.
    average (str): "micro" (one F of all counts) or "macro" (mean of the labels' F; labels
        without any count are left out).
    RETURNS (Floats): Shape (...).
    """
    if average == "micro":
        sums = sums.sum(axis=-2, keepdims=True)
    tp, fp, fn = sums[..., 0], sums[..., 1], sums[..., 2]
    size = 2 * tp + fp + fn
    values = np.divide(2 * tp, size, out=np.full_like(size, np.nan), where=size > 0)
    known = ~np.isnan(values)
    summed = np.where(known, values, 0.0).sum(axis=-1)
    mean: Floats = np.divide(
        summed, known.sum(axis=-1), out=np.zeros(summed.shape), where=known.any(axis=-1)
    )
    return mean


def bootstrap_weights(texts: int, *, rounds: int = 2000, seed: int = 0) -> Floats:
    """RETURNS (Floats): Shape (rounds, texts): how often each text is drawn in each round."""
    draws = np.random.default_rng(seed).multinomial(texts, [1 / texts] * texts, size=rounds)
    return draws.astype(np.float64)


def resample(counts: Floats, weights: Floats, *, average: str) -> Floats:
    """RETURNS (Floats): Shape (rounds,): F of each bootstrap round."""
    return f_score(np.tensordot(weights, counts, axes=1), average=average)


def interval(counts: Floats, weights: Floats, *, average: str) -> Interval:
    """Compute F with its 95% interval.

    counts (Floats): Shape (texts, labels, 3): tp, fp, fn.
    weights (Floats): Shape (rounds, texts), of `bootstrap_weights`. Of another draw (in groups) the
        spread counts if it is larger than the jackknife's.
    average (str): "micro" or "macro".
    RETURNS (Interval): From 0 to 1 where nothing was counted.
    """
    value = float(f_score(counts.sum(axis=0), average=average))
    error = _standard_error(
        _without_each(counts, average=average), _rounds(counts, weights, average=average)
    )
    return score_interval(value, error, texts=len(counts), counted=_counted(counts))


def ratio_interval(above: Floats, below: Floats) -> Interval:
    """Compute a share of counts, such as precision or recall, with its 95% interval.

    above (Floats): Shape (texts,): what is counted above the line.
    below (Floats): Shape (texts,): what is counted below it, never less.
    RETURNS (Interval): The share of all; from 0 to 1, and 0, where nothing was counted.
    """
    tops, bottoms = above.sum() - above, below.sum() - below
    value = float(above.sum() / below.sum()) if below.sum() else 0.0
    without = np.divide(tops, bottoms, out=np.full_like(tops, value), where=bottoms > 0)
    counted, error = int((below > 0).sum()), _standard_error(without)
    if 0 < value < 1:  # annotations of one text never count for more than as many texts
        error = max(error, math.sqrt(value * (1 - value) / below.sum()))
    return score_interval(value, error, texts=len(above), counted=counted)


def difference(one: Floats, other: Floats, weights: Floats, *, average: str) -> Interval:
    """RETURNS (Interval): F of one minus F of the other, with its 95% interval; paired: on the same
    texts.
    """
    value, error = _gain(one, other, weights, average=average)
    reach = student(Z, len(one) - 1) * error
    return Interval(value, max(-1.0, value - reach), min(1.0, value + reach))


def probability_better(one: Floats, other: Floats, weights: Floats, *, average: str) -> float:
    """RETURNS (float): How probable it is that one is better than the other, by the same t as
    `difference`: above 0.975 where its interval is above 0. 0.5 of what does not differ at all.
    """
    value, error = _gain(one, other, weights, average=average)
    if not error:
        return 0.5 + 0.5 * float(np.sign(value))
    return NormalDist().cdf(normal(value / error, len(one) - 1))


def _gain(one: Floats, other: Floats, weights: Floats, *, average: str) -> Tuple[float, float]:
    """RETURNS (Tuple[float, float]): The difference and its standard error."""
    sums = [float(f_score(c.sum(axis=0), average=average)) for c in (one, other)]
    without = [_without_each(c, average=average) for c in (one, other)]
    drawn = [_rounds(c, weights, average=average) for c in (one, other)]
    return sums[0] - sums[1], _standard_error(without[0] - without[1], drawn[0] - drawn[1])


def _without_each(counts: Floats, *, average: str) -> Floats:
    """RETURNS (Floats): Shape (texts,): F of all texts but one; of all where nothing else was
    counted.
    """
    sums = counts.sum(axis=0)
    left = sums - counts
    values = f_score(left, average=average)
    whole = f_score(sums, average=average)
    without: Floats = np.where(left.sum(axis=(1, 2)) > 0, values, whole)
    return without


def _rounds(counts: Floats, weights: Floats, *, average: str) -> Floats:
    """RETURNS (Floats): Shape (rounds,): F of each bootstrap round; NaN where nothing was drawn."""
    some = weights @ counts.sum(axis=(1, 2)) > 0
    rounds: Floats = np.where(some, resample(counts, weights, average=average), np.nan)
    return rounds


def _standard_error(without: Floats, rounds: Optional[Floats] = None) -> float:
    """RETURNS (float): Of the jackknife, or of the bootstrap if that is larger."""
    n = len(without)
    jackknife = float(np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum()))
    drawn = rounds[~np.isnan(rounds)] if rounds is not None else without[:0]
    if n < 2 or not len(drawn):
        return jackknife
    return max(jackknife, float(drawn.std()) * math.sqrt(n / (n - 1)))


def _counted(counts: Floats) -> int:
    return int((counts.sum(axis=(1, 2)) > 0).sum())


def score_interval(value: float, error: float, *, texts: int, counted: int) -> Interval:
    """Compute the 95% interval of a score from 0 to 1.

    value (float): The score.
    error (float): Its standard error over texts.
    texts (int): How many there are.
    counted (int): In how many of them anything was counted. As many trials are assumed where no
        text differs from the others, such as those of a score of 1.
    RETURNS (Interval): From 0 to 1 where nothing was counted.
    """
    if not counted:
        return Interval(value, 0.0, 1.0)
    spread = value * (1 - value)
    trials = spread / error**2 if error and spread > TINY else float(counted)
    low, high = wilson(value, trials, z=student(Z, texts - 1))
    return Interval(value, min(value, low), max(value, high))


def wilson(share: float, trials: float, *, z: float = Z) -> Bounds:
    """Compute Wilson's interval of a share (Probable inference, the law of succession, and
    statistical inference, 1927): it holds what it promises for few trials and shares near 0 or 1.

    share (float): Of the trials, 0 to 1.
    trials (float): How many; need not be a whole number.
    z (float): Standard errors to either side: 1.96 for 95%.
    RETURNS (Bounds): Lower and upper bound.

    >>> [round(bound, 3) for bound in wilson(0.0, 50)]
    [0.0, 0.071]
    """
    if trials <= 0:
        return 0.0, 1.0
    widening = 1 + z * z / trials
    middle = (share + z * z / (2 * trials)) / widening
    reach = z / widening * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def student(z: float, freedom: int) -> float:
    """RETURNS (float): The quantile of Student's t where the normal one is z (Wallace, Bounds on
    normal approximations to Student's and the chi-square distributions, 1959), to 0.006 from 5
    degrees of freedom; 1 degree at least.

    >>> round(student(1.959964, 49), 2)
    2.01
    """
    n = max(1, freedom)
    scaled = z * (8 * n + 3) / (8 * n + 1)
    return math.copysign(math.sqrt(n * math.expm1(scaled * scaled / n)), z)


def normal(t: float, freedom: int) -> float:
    """RETURNS (float): The inverse of `student`."""
    n = max(1, freedom)
    scaled = math.sqrt(n * math.log1p(t * t / n))
    return math.copysign(scaled * (8 * n + 1) / (8 * n + 3), t)


def all_labels(per_system: Sequence[Sequence[Dict[str, Counts]]]) -> List[str]:
    """RETURNS (List[str]): Every label that any system or the reference used."""
    return sorted({label for system in per_system for counts in system for label in counts})
