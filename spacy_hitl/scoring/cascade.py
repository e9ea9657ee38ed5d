"""When to ask an LLM instead of trusting a student: calibration, the curve, the threshold. Pure.

Calibration is isotonic regression (`calibration`). Its steps are not level here but rise a little,
so that the order of the texts is kept, and a step of a few texts is not as sure as it looks: half a
text is added to either side (Jeffreys' prior). Intervals of shares are Wilson's, those of F are
bootstrapped over texts (`intervals`).
"""

from dataclasses import dataclass, replace
from typing import List, Optional, Sequence, Tuple

import numpy as np

from ..records import Record
from .calibration import fit_isotonic
from .intervals import Floats, bootstrap_weights, interval, wilson

Points = Tuple[Tuple[float, float], ...]
MIN_KEPT = 10  # texts; an error rate of fewer is chance
SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)
DIGITS = 6
TILT = 0.25  # how far a step rises towards the next one, and from the one before


def share_bounds(hits: int, total: int) -> Tuple[float, float]:
    """RETURNS (Tuple[float, float]): Wilson's 95% interval of a share; 0 to 1 of nothing."""
    return wilson(hits / total, total) if total else (0.0, 1.0)


def fit_points(raw: Floats, right: Floats) -> Points:
    """Fit a curve from what a student says of itself to how often that was right.

    raw (Floats): Shape (texts,): the student's confidence, from 0 to 1.
    right (Floats): Shape (texts,): 1.0 where all of its annotation is right.
    RETURNS (Points): Confidence and probability, both rising, from (0, 0). A straight line between
        two of them, level after the last.
    """
    curve = fit_isotonic(raw, right)
    group = np.searchsorted(curve.scores, raw)
    steps: List[Tuple[Floats, float]] = []
    for value in np.unique(curve.values):
        mine = curve.values[group] == value
        hits, size = float(right[mine].sum()), int(mine.sum())
        steps.append((np.sort(raw[mine]), (hits + 0.5) / (size + 1)))
    heights = np.maximum.accumulate([height for _, height in steps])
    lower, upper = np.concatenate([[0.0], heights]), np.concatenate([heights[1:], [1.0]])
    points: List[Tuple[float, float]] = [(0.0, 0.0)]
    for i, (scores, _) in enumerate(steps):
        middle = float(heights[i])
        knots = (
            (float(scores[0]), middle - TILT * (middle - float(lower[i]))),
            (float(np.median(scores)), middle),
            (float(scores[-1]), middle + TILT * (float(upper[i]) - middle)),
        )
        for x, y in knots if scores[0] < scores[-1] else knots[1:2]:
            if round(x, 12) > points[-1][0]:
                points.append((round(x, 12), round(y, DIGITS)))
    return tuple(points)


def calibrated(raw: Floats, points: Points) -> Floats:
    """RETURNS (Floats): Probability of each confidence; the confidence itself without points."""
    if not points:
        return raw
    return np.interp(raw, [x for x, _ in points], [y for _, y in points])


@dataclass(frozen=True)
class Judged:
    """Decided texts, as arrays: what the student said of them, and what the LLM had said.

    raw: the student's confidence. student, llm: counts of the task's score, shape (texts, labels,
    3): tp, fp, fn. answered: whether the LLM gave a usable answer; where it did not, `llm` holds
    the student's counts. average: of the score over labels.
    """

    raw: Floats
    student: Floats
    llm: Floats
    answered: Floats
    average: str = "micro"

    def __len__(self) -> int:
        return len(self.raw)

    @property
    def right(self) -> Floats:
        """1.0 where all of the student's annotation is right."""
        return all_right(self.student)

    @property
    def llm_right(self) -> Floats:
        """1.0 where all of the LLM's annotation is right, of the texts that it answered."""
        return all_right(self.llm[self.answered > 0])


def all_right(counts: Floats) -> Floats:
    """RETURNS (Floats): Shape (texts,): 1.0 where counts hold no error."""
    found: Floats = (counts[..., 1:].sum(axis=(-1, -2)) == 0).astype(np.float64)
    return found


@dataclass(frozen=True)
class CascadePoint(Record):
    """What a threshold does.

    asked: share of the texts that the LLM is asked about. error: share of those left to the
    student that are not all right, with its 95% interval. score: the task's main score if the LLM
    answers as it did before, with its interval; None if it was not asked about these texts.
    """

    threshold: float
    asked: float
    error: float
    low: float
    high: float
    score: Optional[float] = None
    score_low: Optional[float] = None
    score_high: Optional[float] = None


def point(judged: Judged, threshold: float, points: Points, weights: Floats) -> CascadePoint:
    """Measure a threshold.

    judged (Judged): Decided texts.
    threshold (float): Lowest probability at which the student is trusted.
    points (Points): The calibration.
    weights (Floats): Bootstrap weights, shape (rounds, texts).
    RETURNS (CascadePoint): What it does.
    """
    asked = calibrated(judged.raw, points) < threshold
    kept = int((~asked).sum())
    wrong = kept - int(judged.right[~asked].sum())
    low, high = share_bounds(wrong, kept)
    error = wrong / kept if kept else 0.0
    found = CascadePoint(threshold, float(asked.mean()), error, low, high)
    if not judged.answered.any():
        return found
    mixed = np.where(asked[:, None, None], judged.llm, judged.student)
    score = interval(mixed, weights, average=judged.average)
    return replace(found, score=score.value, score_low=score.low, score_high=score.high)


def curve(
    judged: Judged, points: Points, *, shares: Sequence[float] = SHARES
) -> Tuple[CascadePoint, ...]:
    """RETURNS (Tuple[CascadePoint, ...]): From the student alone to the LLM alone; at most the
    given shares are asked, less where texts are equally sure.
    """
    weights = bootstrap_weights(len(judged))
    sure = calibrated(judged.raw, points)
    thresholds = dict.fromkeys(threshold_for(sure, share) for share in shares)
    return tuple(point(judged, t, points, weights) for t in thresholds)


def threshold_for(sure: Floats, share: float) -> float:
    """Find the threshold below which at most a share of the texts is.

    sure (Floats): Shape (texts,): probabilities that the student is right.
    share (float): From 0 to 1.
    RETURNS (float): Between two of them; 0 if none is below, above 1 if all are.
    """
    ranked = np.sort(sure)
    count = int(share * len(ranked) + 1e-9)
    while 0 < count < len(ranked) and ranked[count - 1] == ranked[count]:
        count -= 1
    return _below(ranked, count)


def threshold_of_error(sure: Floats, right: Floats, error: float) -> Optional[float]:
    """Find the lowest threshold at which no more than a share of what the student keeps is wrong.

    sure (Floats): Shape (texts,): probabilities that the student is right.
    right (Floats): Shape (texts,): 1.0 where it is.
    error (float): From 0 to 1. Neither what is counted nor what the probabilities say may be more:
        of all thresholds, counting alone would find the luckiest.
    RETURNS (Optional[float]): None if there is none that leaves it ten texts.
    """
    order = np.argsort(sure, kind="stable")
    ranked, hits = sure[order], right[order]
    for count in range(len(ranked) - MIN_KEPT + 1):
        tied = count > 0 and ranked[count - 1] == ranked[count]
        least = min(float(ranked[count:].mean()), float(hits[count:].mean()))
        if not tied and 1 - least <= error:
            return _below(ranked, count)
    return None


def _below(ranked: Floats, count: int) -> float:
    """RETURNS (float): A number above the first `count`, and not above the next."""
    if count == 0:
        return 0.0
    if count == len(ranked):
        return 1.01
    last, first = float(ranked[count - 1]), float(ranked[count])
    middle = round((last + first) / 2, DIGITS)
    return middle if last < middle <= first else first


@dataclass(frozen=True)
class CascadePlan(Record):
    """How a cascade asks, and what that rests on.

    lane: of the decided texts it was chosen on. learned: whether the student may have learned from
    them: all figures are then too good. student_right, llm_right: share of the texts whose
    annotation is all right, with its 95% interval. chosen: the threshold. curve: others beside it.
    """

    task: str
    main: str
    lane: str
    texts: int
    learned: bool
    calibration: Tuple[Tuple[float, float], ...]
    chosen: CascadePoint
    curve: Tuple[CascadePoint, ...]
    student_right: Tuple[float, float, float]
    llm_right: Optional[Tuple[float, float, float]] = None
