"""`spacy-hitl.ExpectedCorrections.v1`: texts in which most is likely to be corrected first. Pure.

A text costs its reader one look and one key however little is wrong in it, so the *sum* of the
doubts counts, not the largest: five spans that are 80% certain come before one that is 40% certain.
"""

from typing import List, Sequence, Tuple

from ...records import Candidate, Scored
from ...scoring.confidence import VOTING
from ...scoring.items import each, item_of, items_of
from ...scoring.scores import rate
from ...ty import Router
from .routers import URGENT, by_uncertainty

UNKNOWN = 0.2  # share of annotations that are wrong, where nothing is known of them
FLOOR = 0.05  # a score of 1 is not a promise


def make_expected_corrections(unknown: float = UNKNOWN, floor: float = FLOOR) -> Router:
    """Make the router.

    unknown (float): Probability that an annotation without a score is wrong.
    floor (float): Lowest probability that any annotation is wrong, however high its score.
    RETURNS (Router): Texts with unusable answers first, then by the corrections to be expected.
    """

    def by_expected_corrections(candidates: Sequence[Candidate]) -> List[Scored]:
        return [
            # Where nothing can be accepted as it is, the sum of doubts says nothing.
            doubt if doubt.score >= URGENT else _score(candidate, unknown=unknown, floor=floor)
            for candidate, doubt in zip(candidates, by_uncertainty(candidates), strict=True)
        ]

    return by_expected_corrections


def _score(candidate: Candidate, *, unknown: float, floor: float) -> Scored:
    wrong, count = expected_corrections(candidate, unknown=unknown, floor=floor)
    if not count:
        return Scored(candidate.digest, wrong, "nothing that could be wrong")
    annotations = "1 annotation" if count == 1 else f"{count} annotations"
    return Scored(candidate.digest, wrong, f"{wrong:.1f} corrections expected in {annotations}")


def expected_corrections(
    candidate: Candidate, *, unknown: float = UNKNOWN, floor: float = FLOOR
) -> Tuple[float, int]:
    """Add up how likely each annotation is to be wrong, and how likely others are to be missing.

    candidate (Candidate): The text. Scores that are in the shown proposal are used, else the vote
        shares of the samples.
    unknown (float): Probability that an annotation without a score is wrong.
    floor (float): Lowest probability that any annotation is wrong.
    RETURNS (Tuple[float, int]): Expected corrections, and of how many annotations. What other
        sources would add does not count: that is what the recall line is for.
    """
    wrong, count = 0.0, 0
    for samples in candidate.samples.values():
        if not samples:
            continue
        shown = samples[0].annotation
        if all(one.score is None for one in each(shown)):
            shown = rate(samples[0], samples, text=candidate.text).annotation
        for one in each(shown):
            wrong += unknown if one.score is None else max(floor, 1 - one.score)
            count += 1
        ballots = [items_of(p.annotation) for p in samples if p.status in VOTING]
        given = {item_of(one) for one in each(shown)}
        for item in sorted(frozenset().union(*ballots) - given):
            wrong += sum(item in ballot for ballot in ballots) / len(ballots)
            count += 1
    return wrong, count
