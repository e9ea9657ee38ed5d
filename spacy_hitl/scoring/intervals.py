"""Scores from counts, and how sure one can be of them: bootstrap over documents.

The percentile bootstrap of Efron and Tibshirani (An Introduction to the Bootstrap, 1993, ch. 13);
documents are the units, since annotations of one document are not independent.
"""

from dataclasses import dataclass
from typing import Dict, List, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray

from ..records import Counts

Floats = NDArray[np.float64]


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
    return f_score(np.einsum("rt,tlc->rlc", weights, counts), average=average)


def interval(counts: Floats, weights: Floats, *, average: str) -> Interval:
    """RETURNS (Interval): F of all texts, and the 2.5% and 97.5% points of the resampled F."""
    rounds = resample(counts, weights, average=average)
    low, high = np.percentile(rounds, [2.5, 97.5])
    value = f_score(counts.sum(axis=0), average=average)
    return Interval(float(value), float(low), float(high))


def difference(one: Floats, other: Floats, weights: Floats, *, average: str) -> Interval:
    """RETURNS (Interval): F of one minus F of the other, paired: on the same resampled texts."""
    rounds = resample(one, weights, average=average) - resample(other, weights, average=average)
    low, high = np.percentile(rounds, [2.5, 97.5])
    sums = (f_score(c.sum(axis=0), average=average) for c in (one, other))
    value = float(next(sums)) - float(next(sums))
    return Interval(value, float(low), float(high))


def probability_better(one: Floats, other: Floats, weights: Floats, *, average: str) -> float:
    """RETURNS (float): Share of resampled sets of texts on which one beats the other; a tie counts
    half.
    """
    gain = resample(one, weights, average=average) - resample(other, weights, average=average)
    return float((gain > 0).mean() + 0.5 * (gain == 0).mean())


def all_labels(per_system: Sequence[Sequence[Dict[str, Counts]]]) -> List[str]:
    """RETURNS (List[str]): Every label that any system or the reference used."""
    return sorted({label for system in per_system for counts in system for label in counts})
