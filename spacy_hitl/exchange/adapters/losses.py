"""What an adapter could not carry: counted per reason, with the first examples. Never silent."""

from dataclasses import dataclass
from typing import Dict, List, Tuple

from ...records import Record

MAX_EXAMPLES = 3
MAX_CHARS = 160


@dataclass(frozen=True)
class Loss(Record):
    """One reason: how often, and where it was met first."""

    reason: str
    count: int
    examples: Tuple[str, ...] = ()


@dataclass(frozen=True)
class LossReport(Record):
    """Everything that was lost on the way, in the order in which it was met.

    notes: what was carried and can't be verified.
    """

    losses: Tuple[Loss, ...] = ()
    notes: Tuple[Loss, ...] = ()

    def __add__(self, other: "LossReport") -> "LossReport":
        return LossReport(_merge(self.losses, other.losses), _merge(self.notes, other.notes))

    def count(self, reason: str) -> int:
        """RETURNS (int): How often something was lost for reasons that hold these words."""
        return sum(loss.count for loss in self.losses if reason in loss.reason)


class Losses:
    """Collects losses while records are read or written."""

    def __init__(self) -> None:
        self._losses: Dict[str, List[str]] = {}
        self._notes: Dict[str, List[str]] = {}

    def add(self, reason: str, where: str, detail: object = "") -> None:
        """Count one loss.

        reason (str): Why; the same words for the same reason.
        where (str): File and record.
        detail (object): What was lost; quoted input is data and is shown escaped.
        """
        self._losses.setdefault(reason, []).append(_example(where, detail))

    def note(self, reason: str, where: str, detail: object = "") -> None:
        """Count something that was carried and can't be verified."""
        self._notes.setdefault(reason, []).append(_example(where, detail))

    def report(self) -> LossReport:
        """RETURNS (LossReport): What was collected."""
        return LossReport(_freeze(self._losses), _freeze(self._notes))


def show(text: str) -> str:
    """RETURNS (str): A text on one line of a terminal: what can't be printed is escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _example(where: str, detail: object) -> str:
    told = f"{where}: {detail}" if detail != "" else where
    short = told if len(told) <= MAX_CHARS else told[: MAX_CHARS - 1] + "…"
    return show(short)


def _freeze(found: Dict[str, List[str]]) -> Tuple[Loss, ...]:
    return tuple(Loss(r, len(all_), tuple(all_[:MAX_EXAMPLES])) for r, all_ in found.items())


def _merge(one: Tuple[Loss, ...], other: Tuple[Loss, ...]) -> Tuple[Loss, ...]:
    merged: Dict[str, Loss] = {}
    for loss in one + other:
        seen = merged.get(loss.reason, Loss(loss.reason, 0))
        examples = (seen.examples + loss.examples)[:MAX_EXAMPLES]
        merged[loss.reason] = Loss(loss.reason, seen.count + loss.count, examples)
    return tuple(merged.values())
