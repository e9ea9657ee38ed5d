"""How sure one can be which of several students is better: pure arithmetic over their counts.

Every student was trained on the same splits and scored on the same texts. Texts and splits are
resampled both, independently of one another (the pigeonhole bootstrap: Owen, "The pigeonhole
bootstrap", Annals of Applied Statistics 1(2), 2007): a text is hard or easy for every student, and
a training has luck or none. That is rather too careful than too sure, since the texts of a fold
are in both. With one split only, only texts are resampled.
"""

from dataclasses import dataclass
from typing import Dict, FrozenSet, List, Sequence, Tuple

import numpy as np

from ...records import Counts
from ...scoring import intervals
from ...scoring.intervals import Floats, Interval

ROUNDS = 1000

Unit = Tuple[int, str]  # number of the split, digest of the text


@dataclass(frozen=True)
class Scored:
    """What one student got right on held-out texts, by split and text."""

    counts: Dict[Unit, Dict[str, Counts]]

    @property
    def units(self) -> FrozenSet[Unit]:
        """Where it was scored."""
        return frozenset(self.counts)


@dataclass(frozen=True)
class Gain:
    """One student against another, on what both were scored on.

    error: standard error of the difference. better: probability that the first is better.
    """

    difference: Interval
    error: float
    better: float


def resampling(units: Sequence[Unit], *, rounds: int = ROUNDS, seed: int = 0) -> Floats:
    """RETURNS (Floats): Shape (rounds, units): how often each counts in each round."""
    weights: Floats = np.ones((rounds, len(units)))
    for axis in (0, 1):
        names = sorted({unit[axis] for unit in units})
        if len(names) > 1:
            at = {name: i for i, name in enumerate(names)}
            drawn = intervals.bootstrap_weights(len(names), rounds=rounds, seed=seed + axis)
            weights *= drawn[:, [at[unit[axis]] for unit in units]]
    return weights


def score_interval(scored: Scored, *, average: str) -> Interval:
    """RETURNS (Interval): F over all texts and splits."""
    units = sorted(scored.units)
    (array,) = _arrays([scored], units)
    return intervals.interval(array, resampling(units), average=average)


def compare(one: Scored, other: Scored, *, average: str) -> Gain:
    """Compare two students on the texts and splits on which both were scored.

    one (Scored): The first.
    other (Scored): The second.
    average (str): "micro" or "macro".
    RETURNS (Gain): F of the first minus F of the second.
    """
    units = sorted(one.units & other.units)
    first, second = _arrays([one, other], units)
    weights = resampling(units)
    rounds = intervals.resample(first, weights, average=average) - intervals.resample(
        second, weights, average=average
    )
    return Gain(
        intervals.difference(first, second, weights, average=average),
        float(np.std(rounds)),
        intervals.probability_better(first, second, weights, average=average),
    )


def _arrays(scored: Sequence[Scored], units: Sequence[Unit]) -> List[Floats]:
    per_system = [[s.counts[unit] for unit in units] for s in scored]
    labels = intervals.all_labels(per_system)
    return [intervals.as_array(per_text, labels) for per_text in per_system]
