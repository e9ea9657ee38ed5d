"""The clock: how long answers take, how many an hour, how many proposals are waved through.

Counted are answers, not decisions: one answer decides on several tasks, and a propagated one on
many texts. What was taken back does not count, but the time it took does. Nothing is counted for
decisions from files or in bulk.
"""

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Dict, Iterable, List, Mapping, NamedTuple, Optional, Protocol, Tuple

from wasabi.tables import table

from ..records import ACCEPT, BULK, IMPORT, REJECT, UNDO

PAUSE = 300.0  # seconds; a longer gap between two answers is a break and no work
FEW = 5  # answers; fewer make no rate


class Timed(Protocol):
    """A decision, or as much of it as the clock reads."""

    @property
    def action(self) -> str:
        """What was done."""

    @property
    def annotator(self) -> str:
        """Who did it."""

    @property
    def origin(self) -> str:
        """A person or a file."""

    @property
    def uid(self) -> Optional[str]:
        """The answer it is part of."""

    @property
    def undoes(self) -> Optional[str]:
        """The answer it takes back."""

    @property
    def mode(self) -> Optional[str]:
        """Why the text was shown."""

    @property
    def seconds(self) -> Optional[float]:
        """How long the answer took."""

    @property
    def time(self) -> Optional[float]:
        """When it was stored, in seconds since the epoch."""

    @property
    def edits(self) -> Optional[int]:
        """Changes to what was shown."""

    @property
    def saw_proposal(self) -> object:
        """Whether a proposal was shown: its source, or true."""


@dataclass(frozen=True)
class Clock:
    """How the work goes. None where there is too little to tell.

    decisions: answers that accepted or rejected. seconds_median: of these. per_hour: of these, by
    hours of work; of several people, per person. untouched_share: of the accepted answers that
    showed a proposal, those that changed nothing in it.
    """

    decisions: int = 0
    seconds_median: Optional[float] = None
    per_hour: Optional[float] = None
    untouched_share: Optional[float] = None


class _Answer(NamedTuple):
    """What one answer adds to the tally."""

    done: bool
    accepted: bool
    seconds: Optional[float]
    timed: bool = False
    seen: bool = False
    edits: Optional[int] = 0

    def with_task(self, d: Timed) -> "_Answer":
        if not d.saw_proposal:
            return self
        edits = None if d.edits is None or self.edits is None else self.edits + d.edits
        if self.seen and edits == self.edits:
            return self
        return _Answer(self.done, self.accepted, self.seconds, self.timed, True, edits)

    @property
    def judged(self) -> bool:
        """Whether it can tell a touched proposal from an untouched one."""
        return self.accepted and self.seen and self.edits is not None


def worked_seconds(d: Timed, last: Optional[float]) -> float:
    """Count the work that an answer adds.

    d (Timed): The first decision of the answer.
    last (Optional[float]): When the same person's answer before it was stored, in seconds since the
        epoch; None if there is none.
    RETURNS (float): Seconds since then, or what the answer says of itself if that is more; of a
        break, only the latter. At most `PAUSE`.
    """
    gap = d.time - last if d.time is not None and last is not None else 0.0
    # After being offline, answers arrive all at once, and clocks jump: their own time counts.
    return min(max(gap if gap <= PAUSE else 0.0, d.seconds or 0.0), PAUSE)


@dataclass
class _Person:
    seconds: List[float] = field(default_factory=list)  # of the answers, in order up to `rising`
    in_order: bool = True
    done: int = 0
    timed: int = 0
    judged: int = 0
    untouched: int = 0
    active: float = 0.0  # seconds of work
    last: Optional[float] = None  # seconds since the epoch

    def count(self, answer: _Answer, sign: int, *, seconds: bool = True) -> None:
        self.done += sign * answer.done
        self.timed += sign * (answer.done and answer.timed)
        if answer.judged:
            self.judged += sign
            self.untouched += sign * (answer.edits == 0)
        if seconds and answer.done and answer.seconds is not None:
            if sign > 0:
                self.in_order = False
                self.seconds.append(answer.seconds)
            else:
                del self.seconds[bisect_left(self.rising(), answer.seconds)]

    def rising(self) -> List[float]:
        """RETURNS (List[float]): Seconds of the answers, rising. Sorted when they are asked for:
        in their place at once, a hundred thousand take seconds.
        """
        if not self.in_order:
            self.seconds.sort()
            self.in_order = True
        return self.seconds

    def work(self, d: Timed) -> None:
        self.active += worked_seconds(d, self.last)
        self.last = self.last if d.time is None else d.time

    def clock(self) -> Clock:
        enough = self.timed >= FEW and self.active > 0
        return Clock(
            decisions=self.done,
            seconds_median=_median(self.rising()),
            per_hour=3600 * self.timed / self.active if enough else None,
            untouched_share=self.untouched / self.judged if self.judged else None,
        )


class ClockTally:
    """Counts decisions as they are stored, in their order; reading it is cheap at any time."""

    def __init__(self) -> None:
        self._people: Dict[str, _Person] = {}
        self._all = _Person()
        self._answers: Dict[Tuple[str, object], _Answer] = {}

    @classmethod
    def of(cls, decisions: Iterable[Timed]) -> "ClockTally":
        """RETURNS (ClockTally): A tally of stored decisions, oldest first."""
        tally = cls()
        for d in decisions:
            tally.add(d)
        return tally

    def add(self, d: Timed) -> None:
        """Count a decision; one of an answer that was counted for another task adds to that."""
        if d.origin == IMPORT or d.mode == BULK:
            return
        person = self._people.setdefault(d.annotator, _Person())
        # Without a uid, each is an answer of its own.
        key = (d.annotator, d.uid or len(self._answers))
        before = self._answers.get(key)
        if before is None:
            active = person.active
            person.work(d)
            self._all.active += person.active - active
        if d.action == UNDO:
            self._answers[key] = _Answer(done=False, accepted=False, seconds=None)
            self._take_back(d)
            return
        now = before or _Answer(
            done=d.action in (ACCEPT, REJECT),
            accepted=d.action == ACCEPT,
            seconds=d.seconds,
            timed=d.time is not None or d.seconds is not None,
        )
        self._answers[key] = now = now.with_task(d)
        if now is before:
            return
        for one in (person, self._all):
            if before is not None:
                one.count(before, -1, seconds=False)  # a further task changes no time
            one.count(now, 1, seconds=before is None)

    def _take_back(self, d: Timed) -> None:
        key = (d.annotator, d.undoes)
        before = self._answers.get(key)
        if before is not None:
            for one in (self._people[d.annotator], self._all):
                one.count(before, -1)
            self._answers[key] = before._replace(done=False, accepted=False)

    def clock(self, annotator: Optional[str] = None) -> Clock:
        """RETURNS (Clock): Of one person, or of all together."""
        if annotator is None:
            return self._all.clock()
        return self._people.get(annotator, _Person()).clock()

    def seconds(self) -> Tuple[float, ...]:
        """RETURNS (Tuple[float, ...]): Of every answer that accepted or rejected, rising."""
        return tuple(self._all.rising())

    def people(self) -> Dict[str, Clock]:
        """RETURNS (Dict[str, Clock]): By annotator, sorted."""
        return {name: person.clock() for name, person in sorted(self._people.items())}


def _median(rising: List[float]) -> Optional[float]:
    if not rising:
        return None
    middle = len(rising) // 2
    return rising[middle] if len(rising) % 2 else (rising[middle - 1] + rising[middle]) / 2


def clock_table(people: Mapping[str, Clock], all_: Clock) -> str:
    """RETURNS (str): One line per person; below, all together if there are several."""
    named = [*people.items(), *([("all", all_)] if len(people) > 1 else [])]
    rows = [
        (
            name,
            c.decisions,
            "-" if c.seconds_median is None else f"{c.seconds_median:.1f}",
            "-" if c.per_hour is None else f"{c.per_hour:.0f}",
            "-" if c.untouched_share is None else f"{c.untouched_share:.0%}",
        )
        for name, c in named
    ]
    header = ("who", "answers", "seconds (median)", "an hour", "untouched")
    return str(table(rows, header=header, divider=True))
