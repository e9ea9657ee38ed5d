"""What texts are stored as, what a corpus holds, and how hits are counted."""

from dataclasses import dataclass
from typing import Any, Dict, Optional, Tuple, Union

from .annotations import NOTHING, Annotation
from .answers import Proposal
from .base import Record
from .names import Lane, Origin


@dataclass(frozen=True)
class TaskHeader(Record):
    """What a task is, for who trains or measures without its prompt: first line of a corpus."""

    task: str
    kind: str
    labels: Tuple[str, ...]
    task_digest: str
    exclusive: bool = False
    spans_key: Optional[str] = None
    catalog: Optional[str] = None


@dataclass(frozen=True)
class Row(Record):
    """One input record: where it came from, its own id, its text and everything else it held."""

    source: str
    id: str
    text: str
    lane: Optional[Lane] = None
    meta: Optional[Dict[str, Any]] = None


@dataclass(frozen=True)
class Look(Record):
    """What somebody looked at. What nobody looked at is not decided, neither way.

    labels: the labels that were looked for, None for all. ranges: the stretches of text (offsets in
    characters, end exclusive), None for the whole text.
    """

    labels: Optional[Tuple[str, ...]] = None
    ranges: Optional[Tuple[Tuple[int, int], ...]] = None


@dataclass(frozen=True)
class PartialDecision(Record):
    """What was decided where only some labels or stretches of a text were looked at.

    annotation: what was found there. looks: what was looked at, all together.
    """

    annotation: Annotation = NOTHING
    looks: Tuple[Look, ...] = ()

    @property
    def labels(self) -> Tuple[str, ...]:
        """The labels that were looked for in the whole text."""
        looks = (look.labels or () for look in self.looks if look.ranges is None)
        return tuple(dict.fromkeys(label for labels in looks for label in labels))

    @property
    def ranges(self) -> Tuple[Tuple[int, int], ...]:
        """The stretches of text that were looked at for all labels."""
        looks = (look.ranges or () for look in self.looks if look.labels is None)
        return tuple(sorted({place for ranges in looks for place in ranges}))


@dataclass(frozen=True)
class RowMeta(Record):
    """An input record that a text stood in: its source, and what it held in plain values."""

    source: str
    meta: Optional[Dict[str, Union[bool, int, float, str]]] = None


@dataclass(frozen=True)
class TaskRow(Record):
    """One text with what is known about it for one task: a line of an exported corpus.

    decision: what was decided, if anything; origin: by a person or a file; blind: without
    seeing a proposal. proposal: what the model proposed.
    partial: what was decided where only some labels or stretches of the text were looked at; there
    is no `decision` then. bulk: accepted above a threshold, nobody looked. rows: of gold texts, the
    input records they stood in; each is named once.
    """

    text: str
    text_digest: str
    lane: Lane
    decision: Optional[Annotation] = None
    origin: Optional[Origin] = None
    blind: bool = True
    proposal: Optional[Proposal] = None
    partial: Optional[PartialDecision] = None
    bulk: bool = False
    rows: Tuple[RowMeta, ...] = ()


@dataclass(frozen=True)
class Counts(Record):
    """True positives, false positives, false negatives."""

    tp: int = 0
    fp: int = 0
    fn: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn)
