"""Quality over time: what production said of random texts, held against people's decisions. Pure.

The rule. Texts are put into periods of whole months, each with at least `AT_LEAST` decided texts.
The newest such period is compared with the figure the pipeline was promoted on, and with all
earlier periods together. It has fallen if the interval of the difference is below 0. That interval
is not the ordinary 95% one: who looks every month at two comparisons, and again while a period
fills, sees a fall sooner or later where there is none. The error of a 95% interval is therefore
shared out among `PERIODS` periods, `LOOKS` looks at each, and the two comparisons (Bonferroni): of
a hundred projects whose quality stays, at most five are warned in any `PERIODS` periods. More looks
hardly add to that, as they see nearly the same texts. The interval of a difference is made of those
of its two sides, which share no text (the square-and-add method of Newcombe, Interval estimation
for the difference between independent proportions, 1998; for any figures, Zou and Donner,
Construction of confidence limits about effect measures, 2008).
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import NormalDist
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

from ..records import Counts
from . import intervals
from .intervals import Interval

AT_LEAST = 50  # decided texts: with fewer, an interval is wider than any fall one would act on
PERIODS = 12  # that share the error: a year of months
LOOKS = 3  # independent looks at one period that fills from 50 to 100 texts

_ERROR = 0.05 / (2 * PERIODS * LOOKS)  # of one look at one comparison, on the side of a fall
WIDTH = NormalDist().inv_cdf(1 - _ERROR) / NormalDist().inv_cdf(0.975)

PROMOTED, EARLIER = "the promoted figure", "the earlier periods"


@dataclass(frozen=True)
class Judged:
    """One text: when production saw it (seconds since the epoch), and how right it was."""

    time: float
    counts: Dict[str, Counts]


@dataclass(frozen=True)
class Period:
    """Texts of some months, first and last as "2026-11", and their score with its 95% interval.

    full: has enough texts to be compared.
    """

    first: str
    last: str
    texts: int
    score: Interval
    full: bool

    @property
    def months(self) -> str:
        """For people."""
        return self.first if self.first == self.last else f"{self.first} to {self.last}"


@dataclass(frozen=True)
class Fall:
    """The newest full period is credibly below something.

    against: what it is below, and the score of that. difference: with the interval that is shared
    out among looks, which lies below 0.
    """

    period: Period
    against: str
    was: float
    difference: Interval

    def __str__(self) -> str:
        return (
            f"{self.period.months}: {self.period.score.value:.3f} is below {self.against} "
            f"{self.was:.3f} (difference {self.difference})"
        )


@dataclass(frozen=True)
class Quality:
    """The periods, oldest first, and what fell."""

    periods: Tuple[Period, ...] = ()
    falls: Tuple[Fall, ...] = ()


def month_of(time: float) -> str:
    """RETURNS (str): The month of a time in seconds since the epoch, in UTC.

    >>> month_of(0)
    '1970-01'
    """
    day = datetime.fromtimestamp(time, UTC)
    return f"{day.year:04}-{day.month:02}"


def split_periods(months: Sequence[str], *, at_least: int = AT_LEAST) -> Iterator[Tuple[int, int]]:
    """Put texts into periods of whole months.

    months (Sequence[str]): The month of each text, oldest first.
    at_least (int): Texts after which a period ends with its month.
    YIELDS (Tuple[int, int]): First text and end of each period. The last may have fewer texts.

    >>> list(split_periods(["2026-01", "2026-02", "2026-02", "2026-03"], at_least=2))
    [(0, 3), (3, 4)]
    """
    start = 0
    for i in range(1, len(months) + 1):
        over = i == len(months) or months[i] != months[i - 1]
        if over and (i - start >= at_least or i == len(months)):
            yield start, i
            start = i


def subtract(new: Interval, old: Interval, *, width: float = 1.0) -> Interval:
    """Compare two figures of different texts.

    new, old (Interval): The figures with their 95% intervals.
    width (float): How much wider than the 95% interval that of the difference is.
    RETURNS (Interval): New minus old.
    """
    down = math.hypot(new.value - new.low, old.high - old.value)
    up = math.hypot(new.high - new.value, old.value - old.low)
    value = new.value - old.value
    return Interval(value, value - width * down, value + width * up)


def quality(
    judged: Sequence[Judged],
    *,
    average: str,
    promoted: Optional[Interval] = None,
    at_least: int = AT_LEAST,
) -> Quality:
    """Follow the score of what production said.

    judged (Sequence[Judged]): The decided texts, in any order.
    average (str): "micro" or "macro", as for the task's main score.
    promoted (Optional[Interval]): The figure on which the pipeline was promoted.
    at_least (int): Texts that a period needs to be compared.
    RETURNS (Quality): All periods, and what the newest full one is credibly below.
    """
    ordered = sorted(judged, key=lambda one: one.time)
    months = [month_of(one.time) for one in ordered]
    labels = sorted({label for one in ordered for label in one.counts})
    counts = intervals.as_array([one.counts for one in ordered], labels)
    bounds = list(split_periods(months, at_least=at_least))
    periods = [
        Period(
            months[start],
            months[end - 1],
            end - start,
            _score(counts[start:end], average),
            end - start >= at_least,
        )
        for start, end in bounds
    ]
    falls: List[Fall] = []
    newest = max((i for i, p in enumerate(periods) if p.full), default=None)
    if newest is not None:
        others = [] if promoted is None else [(PROMOTED, promoted)]
        if newest:
            others.append((EARLIER, _score(counts[: bounds[newest][0]], average)))
        for against, figure in others:
            difference = subtract(periods[newest].score, figure, width=WIDTH)
            if difference.high < 0:
                falls.append(Fall(periods[newest], against, figure.value, difference))
    return Quality(tuple(periods), tuple(falls))


def _score(counts: intervals.Floats, average: str) -> Interval:
    weights = intervals.bootstrap_weights(len(counts), rounds=0)  # the jackknife is enough
    return intervals.interval(counts, weights, average=average)
