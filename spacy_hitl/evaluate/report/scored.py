"""What the scores of a system are worth: how figures change with a threshold, and whether a score
can be read as a probability. Pure.
"""

from dataclasses import dataclass
from typing import Iterator, List, Optional, Sequence, Tuple

import numpy as np

from ...records import Annotation, TaskHeader
from ...scoring.calibration import Scored, calibration_error
from ...scoring.intervals import Floats, Interval, bootstrap_weights, wilson
from ...scoring.items import each, item_of, items_of
from ...scoring.results import GoldOutput

FEW = 20  # scored annotations; fewer make no curve
DISTINCT = 5  # different scores; fewer are no scale (a model that says yes or no)
STEPS = 60
BINS = 10


@dataclass(frozen=True)
class Judged:
    """Scored annotations of all gold texts.

    scored: with score, whether right, and the number of the text. wanted: shape (texts,): how many
    are right in each text, found or not. lowest: no annotation with a lower score was kept; None if
    every one was. label: if it is about one label only.
    """

    scored: Scored
    wanted: Floats
    lowest: Optional[float] = None
    label: Optional[str] = None


@dataclass(frozen=True)
class ThresholdCurve:
    """Precision, recall and F by the lowest score that is kept.

    low, high: 95% interval of F at each threshold, bootstrapped over texts.
    """

    thresholds: Floats
    precision: Floats
    recall: Floats
    f: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Bin:
    """Annotations with neighbouring scores: mean score, share that is right, with its interval."""

    score: float
    right: float
    low: float
    high: float
    count: int


def judge(
    header: TaskHeader, outputs: Sequence[GoldOutput], system: str, *, chosen: bool = False
) -> Optional[Judged]:
    """Find out which scored annotations are right.

    header (TaskHeader): What the task is.
    outputs (Sequence[GoldOutput]): The gold texts.
    system (str): Name of the system.
    chosen (bool): Of exclusive categories, take the one with the highest score in each text.
    RETURNS (Optional[Judged]): For exclusive categories, of the rarest one in gold, or of what was
        chosen. None where the system gives no scores.
    """
    rows: List[Tuple[float, bool, int]] = []
    wanted = np.zeros(len(outputs))
    cats = header.kind == "textcat"
    best = chosen and cats and header.exclusive
    label = _rarest(header, outputs) if cats and header.exclusive and not best else None
    for number, output in enumerate(outputs):
        pairs = list(_of_categories(output, system, label) if cats else _of_items(output, system))
        pairs = [max(pairs)] if best and pairs else pairs
        rows.extend((score, right, number) for score, right in pairs)
        items = items_of(output.wanted)
        wanted[number] = sum(label in (None, item.name) for item in items)
    scored = Scored.of(rows)
    if len(scored) < FEW or len(np.unique(scored.scores)) < DISTINCT:
        return None
    return Judged(scored, wanted, None if cats else float(scored.scores.min()), label)


def _rarest(header: TaskHeader, outputs: Sequence[GoldOutput]) -> Optional[str]:
    counts = dict.fromkeys(header.labels, 0)
    for output in outputs:
        for c in output.wanted.cats:
            counts[c.label] = counts.get(c.label, 0) + 1
    known = [label for label, n in counts.items() if n]
    return min(known, key=lambda x: (counts[x], x), default=None)


def _of_categories(
    output: GoldOutput, system: str, label: Optional[str]
) -> Iterator[Tuple[float, bool]]:
    wanted = {c.label for c in output.wanted.cats}
    for name, score in dict(output.cat_scores).get(system, ()):
        if label in (None, name):
            yield score, name in wanted


def _of_items(output: GoldOutput, system: str) -> Iterator[Tuple[float, bool]]:
    wanted = items_of(output.wanted)
    for one in each(dict(output.found).get(system, Annotation())):
        if one.score is not None:
            yield one.score, item_of(one) in wanted


def threshold_curve(judged: Judged, *, rounds: int = 500) -> ThresholdCurve:
    """Compute what a threshold does.

    judged (Judged): Scored annotations.
    rounds (int): Bootstrap rounds of the interval of F.
    RETURNS (ThresholdCurve): At 60 thresholds from the lowest kept score to 1.
    """
    scored, texts = judged.scored, len(judged.wanted)
    thresholds = np.linspace(judged.lowest or 0.0, 1.0, STEPS)
    kept = (scored.scores[:, None] >= thresholds).astype(np.float64)
    found, hits = np.zeros((texts, STEPS)), np.zeros((texts, STEPS))
    np.add.at(found, scored.texts, kept)
    np.add.at(hits, scored.texts, kept * scored.right[:, None])
    weights = bootstrap_weights(texts, rounds=rounds)
    drawn = _divide(
        2 * (weights @ hits), weights @ found + (weights @ judged.wanted)[:, None], nothing=0.0
    )
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    all_hits, all_found = hits.sum(axis=0), found.sum(axis=0)
    all_wanted = np.full(STEPS, judged.wanted.sum())
    return ThresholdCurve(
        thresholds,
        _divide(all_hits, all_found, nothing=np.nan),
        _divide(all_hits, all_wanted, nothing=np.nan),
        _divide(2 * all_hits, all_found + all_wanted, nothing=0.0),
        low,
        high,
    )


def reliability(judged: Judged) -> Tuple[List[Bin], Optional[Interval]]:
    """Compare scores with shares of right annotations.

    judged (Judged): Scored annotations.
    RETURNS (Tuple[List[Bin], Optional[Interval]]): Those of ten equally wide bins that hold
        something, and the expected calibration error (over bins of equally many annotations).
    """
    scored = judged.scored
    bin_of = np.minimum(np.floor(BINS * scored.scores), BINS - 1)
    bins = []
    for number in np.unique(bin_of):
        inside = bin_of == number
        size, share = int(inside.sum()), float(scored.right[inside].mean())
        bins.append(Bin(float(scored.scores[inside].mean()), share, *wilson(share, size), size))
    return bins, calibration_error(scored)


def _divide(above: Floats, below: Floats, *, nothing: float) -> Floats:
    result: Floats = np.divide(above, below, out=np.full_like(above, nothing), where=below > 0)
    return result
