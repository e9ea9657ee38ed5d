"""A task as it is and as it was: the one place that says what its decisions mean today."""

from collections import Counter
from dataclasses import dataclass, fields, replace
from typing import Dict, Iterable, List, Mapping, Optional, Tuple

from ..records import PERSON, SKIP, Decision, TaskHeader, TaskVersion
from .changes import HOLDS, Step
from .decisions import Standing, open_labels, standing, standing_of


@dataclass(frozen=True)
class Held:
    """What is left of a decision under the task as it is now.

    state: "holds", "in part" (some labels or mentions must be looked at), or "again".
    decision: in the labels of now; None if nothing is left.
    older: made under other labels, definitions or guidelines. unknown: nobody recorded under which.
    """

    state: str
    decision: Optional[Decision]
    older: bool = False
    unknown: bool = False


class TaskHistory:
    """A task as it is now, and as it was when decisions were made. Pure; made by
    `task_versions.read_history`.

    now (TaskVersion): The task as it is, with all changes ever made.
    then (Mapping[str, TaskVersion]): Earlier versions by task digest.
    """

    def __init__(self, now: TaskVersion, then: Mapping[str, TaskVersion]) -> None:
        self.now = now
        self.then = then
        self._steps: Dict[str, Step] = {}

    @property
    def header(self) -> TaskHeader:
        """The task as it is now."""
        return self.now.header

    def holds(self, decision: Decision) -> Held:
        """RETURNS (Held): What is left of a decision."""
        digest = decision.task_digest
        if digest == self.header.task_digest:
            return Held(HOLDS, decision)
        then = self.then.get(digest)
        if digest not in self._steps:
            self._steps[digest] = Step(then, self.now)
        state, kept = self._steps[digest].keep(decision)
        return Held(state, kept, older=self.is_older(decision), unknown=then is None)

    def is_older(self, decision: Decision) -> bool:
        """Whether it was made under other labels, definitions or guidelines."""
        then = self.then.get(decision.task_digest)
        current = decision.task_digest == self.header.task_digest
        return not current and (then is None or then.meaning != self.now.meaning)

    def is_unknown(self, decision: Decision) -> bool:
        """Whether nobody recorded the version under which it was made."""
        digest = decision.task_digest
        return digest not in self.then and digest != self.header.task_digest

    def standing(self, decisions: Iterable[Decision]) -> Optional[Standing]:
        """RETURNS (Optional[Standing]): What holds for a text (see `decisions.standing`) now."""
        return standing(self._held(decisions), self.header)

    def standing_of(self, decisions: Iterable[Decision]) -> Dict[str, Standing]:
        """RETURNS (Dict[str, Standing]): What holds for each annotator alone, by name."""
        return standing_of(self._held(decisions), self.header)

    def _held(self, decisions: Iterable[Decision]) -> List[Decision]:
        return [self.holds(d).decision or _emptied(d) for d in decisions]


def _emptied(decision: Decision) -> Decision:
    """No answer any more, but whoever gave it has seen what they saw."""
    return replace(decision, action=SKIP, annotation=None, labels=None, ranges=None)


@dataclass(frozen=True)
class HistorySummary:
    """How many texts of a task are decided, and how many must be looked at again.

    decided: whole; by_person: of these not from a file. in_part: some labels or stretches are
    decided. to_look_at: texts by label that must be looked for. again: were decided once, nothing
    of it is left. rejected, put_aside: as it says. older: of the decided, those with an answer
    under other labels or guidelines. unknown: of the decided, those with an answer under a version
    that nobody recorded.
    """

    decided: int = 0
    by_person: int = 0
    in_part: int = 0
    again: int = 0
    rejected: int = 0
    put_aside: int = 0
    older: int = 0
    unknown: int = 0
    to_look_at: Tuple[Tuple[str, int], ...] = ()

    def __add__(self, other: "HistorySummary") -> "HistorySummary":
        """RETURNS (HistorySummary): Of the texts of both."""
        look = Counter(dict(self.to_look_at))
        look.update(dict(other.to_look_at))
        numbers = (getattr(self, name) + getattr(other, name) for name in _NUMBERS)
        return replace(HistorySummary(*numbers), to_look_at=tuple(look.items()))

    def __mul__(self, texts: int) -> "HistorySummary":
        """RETURNS (HistorySummary): Of so many texts that are all like this one."""
        look = tuple((label, n * texts) for label, n in self.to_look_at)
        numbers = (getattr(self, name) * texts for name in _NUMBERS)
        return replace(HistorySummary(*numbers), to_look_at=look)

    def remarks(self) -> List[str]:
        """Say what is out of the ordinary.

        RETURNS (List[str]): A sentence each.

        >>> HistorySummary(decided=7, in_part=1, to_look_at=(("NEW", 1),), again=2).remarks()
        ['1 text is decided in part, to look at: NEW (1)', '2 texts are queued again']
        """
        look = ", ".join(f"{label} ({n})" for label, n in self.to_look_at)
        counts = {
            "decided in part" + (f", to look at: {look}" if look else ""): self.in_part,
            "queued again": self.again,
            "rejected": self.rejected,
            "put aside": self.put_aside,
            "decided under older labels or guidelines, and hold": self.older,
            "decided under a version of the task that nobody recorded": self.unknown,
        }
        return [f"{_texts(n)} {what}" for what, n in counts.items() if n]


_NUMBERS = tuple(f.name for f in fields(HistorySummary) if f.name != "to_look_at")


def _texts(n: int) -> str:
    return "1 text is" if n == 1 else f"{n:,} texts are"


def summarise(history: TaskHistory, texts: Iterable[List[Decision]]) -> HistorySummary:
    """Count texts by what is left of their decisions.

    history (TaskHistory): The task.
    texts (Iterable[List[Decision]]): For each text with any, all its decisions, oldest first.
    RETURNS (HistorySummary): The counts.
    """
    counts: Counter[str] = Counter()
    labels: Counter[str] = Counter()
    many = len(history.header.labels) > 100  # a catalog: its entries are not looked for one by one
    for decisions in texts:
        found = history.standing(decisions)
        if found is None:
            counts["again"] += standing(decisions) is not None
        elif found.rejected or found.put_aside:
            counts["rejected" if found.rejected else "put_aside"] += 1
        elif found.annotation is None:
            counts["in_part"] += 1
            labels.update(() if many else open_labels(found, history.header))
        else:
            counts["decided"] += 1
            counts["by_person"] += found.origin == PERSON
            counts["older"] += any(map(history.is_older, found.parts))
            counts["unknown"] += any(map(history.is_unknown, found.parts))
    order = {label: i for i, label in enumerate(history.header.labels)}
    look = sorted(labels.items(), key=lambda pair: order.get(pair[0], len(order)))
    return HistorySummary(**counts, to_look_at=tuple(look))
