"""Figures of a whole from samples of its parts: how much of what nobody looked at is wrong, which
share of a rare class was found. Pure.

A part is a stratum: its size is known, a random sample of it was looked at. For one stratum the
interval is Wilson's, with the number of trials raised for what a sample of a finite stratum is sure
of (Cochran, Sampling Techniques, 1977, ch. 2 and 5). Sums over strata and the ratio of found to
missed are put together from the intervals of the parts (MOVER: Zou and Donner, Construction of
confidence limits about effect measures, 2008; Donner and Zou, Closed-form confidence intervals for
functions of the normal mean and standard deviation, 2012), which holds for small counts, and for
none.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Optional, Sequence, Tuple

from ..errors import Errors, InputError
from ..records import Record, TaskHeader
from .intervals import Bounds, Interval, Z, wilson


@dataclass(frozen=True)
class Stratum(Record):
    """A part of a whole. size: how many it holds; sampled: how many of them were drawn at random
    and looked at; positive: in how many of these was found what is looked for.
    """

    size: int
    sampled: int
    positive: int

    def __post_init__(self) -> None:
        if not 0 <= self.positive <= self.sampled <= self.size:
            raise InputError(
                Errors.H410.format(size=self.size, sampled=self.sampled, positive=self.positive)
            )
        if self.size and not self.sampled:
            raise InputError(Errors.H411.format(size=self.size))

    @property
    def share(self) -> float:
        """Of the sampled ones, those that are positive; 0 of nothing."""
        return self.positive / self.sampled if self.sampled else 0.0

    @property
    def total(self) -> float:
        """How many positive ones the stratum is estimated to hold."""
        return self.size * self.share


@dataclass(frozen=True)
class Figure(Record):
    """An estimate with its 95% interval, and what it rests on.

    name: what is estimated. basis: one of `dataset.basis.BASES`: whether the decisions are a blind
    random sample. decided: texts that were looked at, of `population`; lanes: how many of them lie
    where; imported: how many came from a file. strata: what it was computed from, where it was.
    """

    name: str
    value: float
    low: float
    high: float
    basis: str
    decided: int
    population: int
    lanes: Tuple[Tuple[str, int], ...]
    imported: int = 0
    label: Optional[str] = None
    strata: Tuple[Stratum, ...] = ()


@dataclass(frozen=True)
class TaskEstimates(Record):
    """All that can be estimated of a task. source: whose answers; notes: what can't, and why."""

    header: TaskHeader
    source: str
    figures: Tuple[Figure, ...] = ()
    notes: Tuple[str, ...] = ()


def share_bounds(stratum: Stratum, *, z: float = Z) -> Bounds:
    """RETURNS (Bounds): 95% interval of the share of positive ones in a whole stratum. Nothing is
    unsure of a stratum that was looked at in all.
    """
    n, size = stratum.sampled, stratum.size
    if n == size:
        return stratum.share, stratum.share
    low, high = wilson(stratum.share, n * (size - 1) / (size - n), z=z)
    # What was seen is there, and so is what was not.
    return max(low, stratum.positive / size), min(high, 1 - (n - stratum.positive) / size)


def share(strata: Sequence[Stratum]) -> Interval:
    """Estimate the share of positive ones in several strata together, such as the error of what was
    accepted unseen.

    strata (Sequence[Stratum]): At least one that holds something.
    RETURNS (Interval): The share of all, each stratum by its size.

    >>> print(share([Stratum(size=900, sampled=100, positive=0)]))
    0.000 [0.000, 0.033]
    """
    size = sum(s.size for s in strata)
    found, low, high = _total(strata)
    return Interval(found / size, max(0.0, low / size), min(1.0, high / size))


def upper_bound(stratum: Stratum, *, confidence: float = 0.95) -> float:
    """RETURNS (float): What the share of positive ones is not above, one-sided: Wilson's."""
    return share_bounds(stratum, z=NormalDist().inv_cdf(confidence))[1]


def recall(predicted: Sequence[Stratum], others: Sequence[Stratum]) -> Optional[Interval]:
    """Estimate the share of the positive ones that was predicted.

    predicted (Sequence[Stratum]): What was predicted to be positive, in one stratum or several.
    others (Sequence[Stratum]): What was not.
    RETURNS (Optional[Interval]): Not the recall within the sample, in which predicted ones are far
        too many. None if nothing positive was found in either.

    >>> print(recall([Stratum(145, 145, 114)], [Stratum(9855, 1000, 12)]))
    0.491 [0.363, 0.620]
    """
    found, found_low, found_high = _total(predicted)
    missed, missed_low, missed_high = _total(others)
    if not found + missed:
        return None
    value = found / (found + missed)
    if not missed_high or not found_high:  # all is known of one of them, and it is nothing
        return Interval(value, value, value)
    # The bounds of missed / found: each is off by as much as its own interval says.
    product = found * missed
    low, high = missed_low * (2 * missed - missed_low), missed_high * (2 * missed - missed_high)
    found_least = found_low * (2 * found - found_low)
    found_most = found_high * (2 * found - found_high)
    least = low / (product + math.sqrt(max(0.0, product**2 - low * found_most))) if low else 0.0
    most = math.inf
    if found_least:
        most = (product + math.sqrt(max(0.0, product**2 - high * found_least))) / found_least
    return Interval(value, min(value, 1 / (1 + most)), max(value, 1 / (1 + least)))


def _total(strata: Sequence[Stratum]) -> Tuple[float, float, float]:
    """RETURNS (Tuple[float, float, float]): How many positive ones, and the 95% interval."""
    bounds = [share_bounds(s) for s in strata]
    total = sum(s.total for s in strata)
    below = sum((s.size * (s.share - low)) ** 2 for s, (low, _) in zip(strata, bounds, strict=True))
    above = sum(
        (s.size * (high - s.share)) ** 2 for s, (_, high) in zip(strata, bounds, strict=True)
    )
    return total, max(0.0, total - math.sqrt(below)), total + math.sqrt(above)
