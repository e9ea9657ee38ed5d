"""What people decided."""

from dataclasses import dataclass, field
from typing import Dict, Optional, Tuple

from .annotations import Annotation
from .base import Record
from .corpus import TaskHeader
from .names import Action, Mode, Origin


@dataclass(frozen=True)
class Decision(Record):
    """What a person (or a file, see `origin`) decided about one text for one task.

    time: seconds since the epoch; seconds: how long the decision took, if known;
    saw_proposal: None if the decision was made blind, else the source of the proposal seen.
    uid: the answer it is part of: one answer decides on several tasks, a propagated one on several
    texts, and is undone as one. undoes: the uid of the answer that an undo takes back.
    mode: why the text was shown. edits: changes to what was shown; 0 is an untouched proposal.
    labels: the labels that were looked at, None for all. ranges: the stretches of text that were
    looked at (offsets in characters, end exclusive), None for the whole text. What was not looked
    at was not decided, neither way.
    flagged: put aside, or marked, for talking about it; note: what the person wrote.
    """

    text_digest: str
    task: str
    action: Action
    annotator: str
    origin: Origin
    task_digest: str
    annotation: Optional[Annotation] = None
    saw_proposal: Optional[str] = None
    seconds: Optional[float] = None
    time: Optional[float] = None
    uid: Optional[str] = None
    undoes: Optional[str] = None
    mode: Optional[Mode] = None
    edits: Optional[int] = None
    labels: Optional[Tuple[str, ...]] = None
    ranges: Optional[Tuple[Tuple[int, int], ...]] = None
    flagged: bool = False
    note: Optional[str] = None


@dataclass(frozen=True)
class Preference(Record):
    """Which of two proposals a person found better, not knowing whose they were.

    first, second: the sources (with the task digest) of the two; choice: "first", "second", "both"
    are fine or "neither" is.
    """

    text_digest: str
    task: str
    first: str
    second: str
    choice: str
    annotator: str
    uid: str
    time: Optional[float] = None


@dataclass(frozen=True)
class TaskChanges(Record):
    """[hitl.changes.TASK]: how the labels of a task changed, so that decisions made before still
    count. Only ever added to: a decision remembers which changes were made before it.

    rename: old label to new one; two old ones to one new one are merged.
    split: old label to those that took its place. A text without the old one needs no new look.
    recheck: labels whose meaning changed, once for every time it did. For links, the id "NIL"
        stands for what was not in the catalog.
    """

    rename: Dict[str, str] = field(default_factory=dict)
    split: Dict[str, Tuple[str, ...]] = field(default_factory=dict)
    recheck: Tuple[str, ...] = ()


@dataclass(frozen=True)
class TaskVersion(Record):
    """What a task was when a decision was made, for when it has changed since.

    meaning: digest of what people were told: labels, definitions and guidelines. The task's own
    digest changes with the prompt too. changes: those that were made before.
    """

    header: TaskHeader
    meaning: str
    changes: TaskChanges = TaskChanges()
