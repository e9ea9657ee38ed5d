"""Accept unseen what is almost certainly right: which texts, and how wrong they may be. Pure.

The error is measured on decided texts, never promised by a score. A text scores as its least
certain annotation; texts are taken from the highest score down, in steps laid out beforehand, for
as long as the upper bound of their error stays within the limit (fixed-sequence testing, as in
Angelopoulos et al., Learn then test, 2021). The bound is a bootstrap over texts to which one more
is added, as if it were all wrong: without an error among them, a plain bootstrap would promise 0.
"""

import math
from dataclasses import dataclass
from typing import List, Optional, Sequence, Tuple

import numpy as np

from ...errors import Errors, InputError
from ...records import TRAIN, Proposal, TaskRow
from ...scoring.confidence import VOTING
from ...scoring.intervals import Floats, Interval, bootstrap_weights
from ...scoring.items import each, errors_between, items_of
from ...scoring.scores import CALIBRATED, MIN_DECIDED

ROUNDS = 2000
STEPS = 20  # at most so many sizes are tried
CHANCES = 4.0  # texts without any error that it takes to bound an error of 1, at 97.5%

Sampled = Tuple[TaskRow, Sequence[Proposal]]  # the row's own proposal is scored


@dataclass(frozen=True)
class Judged:
    """A decided text. score: of its least certain annotation. wrong, size: of its annotations; an
    answer that says "none" counts as one.
    """

    score: float
    wrong: int
    size: int


@dataclass(frozen=True)
class BulkPlan:
    """What would be accepted.

    rows: scores and texts, the least certain first. threshold: lowest score. error: share of
    annotations that are wrong, missing or too many, measured on `measured` decided texts of such
    scores; of these `exact` were right in all. candidates: undecided texts that could have been
    accepted. seen: of the measured, those decided with the proposal in sight. needed: how many
    decided texts it takes at least to show so small an error.
    """

    rows: Tuple[Tuple[float, TaskRow], ...]
    threshold: float
    error: Interval
    measured: int
    exact: int
    candidates: int
    seen: int
    needed: int


def text_score(row: TaskRow, samples: Sequence[Proposal]) -> Optional[float]:
    """Score a text as its least certain annotation, shown or left out.

    row (TaskRow): With a scored proposal.
    samples (Sequence[Proposal]): All answers of the same model.
    RETURNS (Optional[float]): From 0 to 1: the lowest calibrated score, or the share of answers
        without what this one left out. None if the answer can't be used, or a score is not
        calibrated.
    """
    shown = row.proposal
    if shown is None or not shown.usable:
        return None
    scores: List[float] = []
    for one in each(shown.annotation):
        if one.score is None or not (one.score_source or "").startswith(CALIBRATED):
            return None
        scores.append(one.score)
    ballots = [items_of(p.annotation) for p in samples if p.status in VOTING]
    for item in frozenset().union(*ballots) - items_of(shown.annotation):
        scores.append(1 - sum(item in ballot for ballot in ballots) / len(ballots))
    return min(scores, default=1.0)


def plan_bulk(sampled: Sequence[Sampled], *, max_error: float, task: str) -> BulkPlan:
    """Choose the texts that can be accepted.

    sampled (Sequence[Sampled]): All texts of lanes train and dev; scores cross-fitted, so that no
        decided text was scored by its own decision.
    max_error (float): Largest error that is allowed, above 0: its upper bound must stay below.
    task (str): For the error message.
    RETURNS (BulkPlan): Undecided texts of lane train, maybe none.
    RAISES (InputError): If too few texts are decided, or no score is calibrated.
    """
    judged: List[Tuple[Judged, bool]] = []
    open_: List[Tuple[float, TaskRow]] = []
    for row, samples in sampled:
        score = text_score(row, samples)
        if score is None:
            continue
        if row.decision is not None and not row.bulk:
            judged.append((_judge(score, row), not row.blind))
        elif row.lane == TRAIN and row.decision is None and row.partial is None:
            open_.append((score, row))
    if len(judged) < MIN_DECIDED:
        raise InputError(Errors.H224.format(task=task, found=len(judged), wanted=MIN_DECIDED))
    judged.sort(key=lambda pair: -pair[0].score)
    needed = first_size(max_error)
    # What is measured if nothing passes: the surest texts.
    size = min(needed, len(judged))
    error, passed = error_of([j for j, _ in judged[:size]]), False
    for some in steps([j.score for j, _ in judged], max_error):
        found = error_of([j for j, _ in judged[:some]])
        if found.high > max_error:
            break
        size, error, passed = some, found, True
    threshold = judged[size - 1][0].score
    rows = [pair for pair in open_ if passed and pair[0] >= threshold]
    rows.sort(key=lambda pair: (pair[0], pair[1].text_digest))
    return BulkPlan(
        rows=tuple(rows),
        threshold=threshold,
        error=error,
        measured=size,
        exact=sum(j.wrong == 0 for j, _ in judged[:size]),
        candidates=len(open_),
        seen=sum(saw for _, saw in judged[:size]),
        needed=needed,
    )


def _judge(score: float, row: TaskRow) -> Judged:
    assert row.proposal is not None and row.decision is not None
    return Judged(score, *errors_between(row.proposal.annotation, row.decision))


def first_size(max_error: float) -> int:
    """RETURNS (int): How many decided texts the first step takes: fewer can't show so small an
    error.
    """
    return max(MIN_DECIDED, math.ceil(CHANCES / max_error))


def steps(scores: Sequence[float], max_error: float) -> List[int]:
    """Lay out which sets of decided texts are tried, by the scores alone.

    scores (Sequence[float]): Of the decided texts, falling.
    max_error (float): Largest error that is allowed.
    RETURNS (List[int]): Sizes, rising. Equal scores are never parted.

    >>> steps([0.9] * 60 + [0.5] * 40, 0.1)
    [60, 100]
    """
    ends = [i + 1 for i in range(len(scores)) if scores[i + 1 : i + 2] != [scores[i]]]
    sizes = [end for end in ends if end >= first_size(max_error)]
    tried = np.linspace(0, max(0, len(sizes) - 1), min(STEPS, len(sizes))).tolist()
    return list(dict.fromkeys(sizes[round(at)] for at in tried))


def error_of(judged: Sequence[Judged], *, rounds: int = ROUNDS) -> Interval:
    """Measure the error of texts.

    judged (Sequence[Judged]): The texts; maybe none.
    rounds (int): Bootstrap rounds.
    RETURNS (Interval): Errors per annotation, and its 95% interval. For the interval one more text
        of mean size is counted, all of it wrong.
    """
    wrong: Floats = np.array([j.wrong for j in judged], dtype=np.float64)
    size: Floats = np.array([j.size for j in judged], dtype=np.float64)
    mean = float(size.mean()) if size.sum() else 1.0
    value = float(wrong.sum() / size.sum()) if size.sum() else 0.0
    weights = bootstrap_weights(len(judged) + 1, rounds=rounds)
    with_one = np.append(wrong, mean), np.append(size, mean)
    sums = [weights @ column for column in with_one]
    drawn = np.divide(sums[0], sums[1], out=np.zeros(rounds), where=sums[1] > 0)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Interval(value, min(value, float(low)), float(min(1.0, high)))
