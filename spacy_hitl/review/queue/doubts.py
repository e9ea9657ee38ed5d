"""`spacy-hitl.LabelErrors.v1`: what is probably wrong first, also of what was decided.

Reads files of `spacy hitl suspects`. A doubt holds as long as what was judged is still there: once
it is corrected, or looked at again and confirmed, it is over.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from ...dataset.decisions import live_decisions
from ...dataset.label_errors import read_suspects
from ...dataset.store import Dataset
from ...errors import Errors, InputError
from ...records import (
    BOUNDARY,
    GOLD,
    MISSING,
    RECHECK,
    SPURIOUS,
    Annotation,
    Candidate,
    QueueText,
    Scored,
    SpanAnnotation,
    Suspect,
)
from ...scoring.items import items_of
from ...ty import Router
from ..spread.forms import overlaps
from .loading import Sources
from .routers import name_item, run_router

FIRST = 10_000.0  # above what any other router says
Suspects = Mapping[str, Sequence[Suspect]]


class LabelErrors:
    """A router: texts with the most suspicious annotations first.

    suspects (Suspects): By text digest, the most suspicious first.
    then (Optional[Router]): Orders the other texts; without one they come at random.
    """

    def __init__(self, suspects: Suspects, then: Optional[Router] = None) -> None:
        self.suspects = suspects
        self._then = then

    def __call__(self, candidates: Sequence[Candidate]) -> List[Scored]:
        """RETURNS (List[Scored]): The sum of the scores of what is in doubt in each text."""
        found, others = [], []
        for candidate in candidates:
            doubts = [s for s in self.suspects.get(candidate.digest, ()) if _applies(s, candidate)]
            if doubts:
                score = FIRST + sum(s.score for s in doubts)
                found.append(Scored(candidate.digest, score, say(doubts, candidate.text)))
            else:
                others.append(candidate)
        return found + (run_router(self._then, others) if self._then and others else [])


def make_label_errors(
    paths: Union[Path, Sequence[Path]],
    then: Optional[Callable[[Sequence[Candidate]], Sequence[Scored]]] = None,
) -> LabelErrors:
    """Make the router.

    paths (Union[Path, Sequence[Path]]): A file of `spacy hitl suspects`, or one for each task.
    then (Optional[Callable]): A router for the texts in which nothing is in doubt; without one
        they come at random.
    RETURNS (LabelErrors): The router. With it, a session also asks for another look at decided
        texts that are in doubt.
    RAISES (InputError): If a file is missing or not what it should be.
    """
    several = [paths] if isinstance(paths, (str, Path)) else list(paths)
    found: Dict[str, List[Suspect]] = {}
    for path in several:
        for suspect in read_suspects(Path(path))[1]:
            found.setdefault(suspect.text_digest, []).append(suspect)
    return LabelErrors(found, then)


def _applies(suspect: Suspect, candidate: Candidate) -> bool:
    """A doubt about a decision is for the session to judge; one about a proposal needs it shown."""
    if suspect.decided or suspect.task not in candidate.samples:
        return suspect.task in candidate.samples
    samples = candidate.samples[suspect.task]
    return bool(samples) and still_holds(suspect, samples[0].annotation)


def still_holds(suspect: Suspect, now: Annotation) -> bool:
    """RETURNS (bool): Whether an annotation still says what is in doubt, and not what is suggested.

    suspect (Suspect): What was in doubt.
    now (Annotation): What is said of the text now.
    """
    said = items_of(now)
    return items_of(suspect.given) <= said and not items_of(suspect.suggested) & said


def say(doubts: Sequence[Suspect], text: str) -> str:
    """RETURNS (str): What is in doubt, in a sentence about the first; and how much more there is.

    doubts (Sequence[Suspect]): At least one, the most suspicious first.
    text (str): The text.
    """
    first = doubts[0]
    given = [name_item(item, text) for item in sorted(items_of(first.given))]
    suggested = [name_item(item, text) for item in sorted(items_of(first.suggested))]
    if first.problem == MISSING:
        why = f"{suggested[0]} may be missing"
    elif first.problem == SPURIOUS or not suggested:
        why = f"{given[0]} may be nothing of the kind"
    elif first.problem == BOUNDARY:
        why = f"{given[0]} may begin or end elsewhere: {suggested[0]}"
    else:
        why = f"{given[0]} may be {suggested[0]}"
    more = len(doubts) - 1
    return why if not more else f"{why}; {more} more doubt{'s' if more > 1 else ''}"


@dataclass(frozen=True)
class Doubts:
    """The doubts of a session, by text digest."""

    suspects: Suspects = field(default_factory=dict)

    def check(self, dataset: Dataset) -> None:
        """Refuse doubts about gold: no student may judge it.

        RAISES (InputError): If one is.
        """
        for digest in self.suspects:
            if dataset.lane(digest) == GOLD:
                raise InputError(Errors.H235.format(digest=digest[:16]))

    def mark(self, known: Sources, text: QueueText) -> QueueText:
        """RETURNS (QueueText): The same text, with why it is in doubt, if it is."""
        if text.digest not in self.suspects or text.lane == GOLD:
            return text
        found = self.of(known, text.digest, decided=bool(text.decided_by))
        words = known.dataset.text(text.digest) if found else ""
        return text._replace(doubt=say(found, words) if found else None)

    def of(self, known: Sources, digest: str, *, decided: bool) -> Tuple[Suspect, ...]:
        """RETURNS (Tuple[Suspect, ...]): What is in doubt in a text. Of one that was decided: what
        still stands there as it was judged, if nobody has looked again since.
        """
        return tuple(
            s
            for s in self.suspects.get(digest, ())
            if s.task in known.plan and (not decided or (s.decided and not _is_settled(known, s)))
        )

    def offered(
        self, known: Sources, task: str, digest: str, shown: Sequence[SpanAnnotation]
    ) -> Tuple[SpanAnnotation, ...]:
        """RETURNS (Tuple[SpanAnnotation, ...]): What may be missing, where nothing is shown."""
        found = (s for s in self.of(known, digest, decided=False) if s.task == task)
        spans = (span for s in found if s.problem == MISSING for span in s.suggested.spans)
        return tuple(s for s in spans if not overlaps(s.start, s.end, shown))


def _is_settled(known: Sources, suspect: Suspect) -> bool:
    made = live_decisions(known.dataset.decisions(suspect.task, suspect.text_digest))
    if any(d.mode == RECHECK for d in made):
        return True
    standing = known.histories[suspect.task].standing(made)
    return (
        standing is None
        or standing.annotation is None
        or not still_holds(suspect, standing.annotation)
    )
