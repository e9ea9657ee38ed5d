"""Which decisions may feed an estimate: those of texts that were drawn at random and read blind.

A router prefers doubtful texts, so that figures on them are of the router. Whoever sees a proposal
tends to agree with it, so that figures look too good. Pure: functions of what was decided on one
text and one task, oldest first.
"""

from typing import Iterable, Optional, Sequence

from ..records import BLIND, BULK, CALIBRATION, GOLD, IMPORT, RANDOM, REOPENED, UNDO, Decision
from .decisions import SPREAD, Standing, live_decisions

(
    UNBIASED,  # drawn at random and read blind
    SHOWN,  # drawn at random, but the proposal was in sight: too good
    UNKNOWN,  # from a file that does not say
    CHOSEN,  # chosen because something was in doubt: no figure of the whole
) = BASES = (
    "unbiased",
    "biased: proposal was shown",
    "not known: imported outside gold",
    "biased: routed",
)

# How audited texts are drawn is said in `review.session.auditing`.
_AUDITED = (BLIND, REOPENED)


def basis_of(decisions: Iterable[Decision], found: Standing, *, lane: str) -> Optional[str]:
    """Say what the decision on a text is worth as evidence about all texts.

    decisions (Iterable[Decision]): All that were made.
    found (Standing): What holds of them.
    lane (str): The lane of the text. Gold is a random sample by construction.
    RETURNS (Optional[str]): One of BASES; None if not all of it was read by a person.
    """
    made = list(decisions)
    if any(d.mode in SPREAD for d in found.parts):
        return None
    if lane == GOLD:
        return UNBIASED if found.blind else SHOWN
    if any(d.mode == CALIBRATION for d in made):  # drawn before anything else was known
        return UNBIASED if found.blind else SHOWN
    if found.origin == IMPORT:
        return UNKNOWN
    read = [d for d in made if d.action != UNDO and d.mode not in SPREAD]
    return SHOWN if read and all(d.mode in (RANDOM, REOPENED) for d in read) else CHOSEN


def worst(bases: Iterable[str]) -> str:
    """RETURNS (str): What a figure that rests on several decisions has to say of itself.

    >>> worst(["unbiased", "biased: proposal was shown", "unbiased"])
    'biased: proposal was shown'
    """
    return max(bases, key=BASES.index)


def accepted_unseen(decisions: Iterable[Decision]) -> Optional[Decision]:
    """RETURNS (Optional[Decision]): The bulk accept of a text, if it was not taken back and nobody
    had answered before; also if somebody looked since.
    """
    for d in live_decisions(decisions):
        if d.mode == BULK:
            return d
        if d.action in ("accept", "reject", "flag"):
            return None
    return None


def audit_of(decisions: Sequence[Decision]) -> Optional[Decision]:
    """RETURNS (Optional[Decision]): What was found when a text that was accepted unseen was drawn
    for an audit and read blind; the last such answer. None if it was not answered.
    """
    accepted = accepted_unseen(decisions)
    if accepted is None:
        return None
    later = decisions[decisions.index(accepted) + 1 :]
    auditors = {d.annotator for d in later if d.mode == BLIND}  # also of answers taken back
    answers = [
        d
        for d in live_decisions(decisions)
        if d in later
        and d.annotator in auditors
        and d.mode in _AUDITED
        and d.saw_proposal is None
        and d.action in ("accept", "reject")
    ]
    return answers[-1] if answers else None
