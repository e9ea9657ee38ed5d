"""What passes between an adapter and the dataset: one text with all that is known about a task."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Dict, List, Optional, Tuple

from ...errors import Errors, InputError
from ...records import (
    Action,
    Annotation,
    CategoryAnnotation,
    Problem,
    RelationAnnotation,
    SpanAnnotation,
    TaskHeader,
)
from ...tasks.linking.catalog import CatalogEntry
from ...tasks.relations.annotations import MENTION
from ...ty import Task

KINDS = ("ner", "spancat", "textcat", "linking", "relations")
SPAN_KINDS = ("ner", "spancat", "linking")

# A field of our own that tools keep as it is: the proposal an annotator of this text gets to see.
SAW = "saw_proposal"


@dataclass(frozen=True)
class ExchangeTask:
    """What an adapter must know of a task.

    mention_label: of the mentions of a linking task. entries: its catalog.
    """

    header: TaskHeader
    mention_label: str = MENTION
    entries: Tuple[CatalogEntry, ...] = ()

    @property
    def kind(self) -> str:
        """Kind of the task."""
        return self.header.kind

    @cached_property
    def names(self) -> Dict[str, str]:
        """Names of the catalog entries by id."""
        return {entry.id: entry.name for entry in self.entries}

    @cached_property
    def ids_by_form(self) -> Dict[str, List[str]]:
        """Ids of the catalog entries by case-folded name or alias."""
        ids: Dict[str, List[str]] = {}
        for entry in self.entries:
            for form in dict.fromkeys(form.casefold() for form in entry.forms):
                ids.setdefault(form, []).append(entry.id)
        return ids


@dataclass(frozen=True)
class Answer:
    """What one person did with one text, as far as a tool tells. None: the tool doesn't.

    labels, ranges, flagged: as in `records.Decision`.
    """

    action: Action
    annotation: Optional[Annotation] = None
    annotator: Optional[str] = None
    saw_proposal: Optional[str] = None
    seconds: Optional[float] = None
    time: Optional[float] = None
    labels: Optional[Tuple[str, ...]] = None
    ranges: Optional[Tuple[Tuple[int, int], ...]] = None
    flagged: bool = False


@dataclass(frozen=True)
class Suggestion:
    """What a model proposed for one text. With problems, it is not all of what was proposed."""

    source: str
    annotation: Annotation
    problems: Tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Item:
    """One text. where: file and record, for messages; id: the tool's or the user's, if any."""

    text: str
    where: str = ""
    id: Optional[str] = None
    meta: Dict[str, Any] = field(default_factory=dict)
    answers: Tuple[Answer, ...] = ()
    suggestions: Tuple[Suggestion, ...] = ()


@dataclass
class Draft:
    """An annotation while it is read: its pieces, and what of it can't be understood.

    silent: whether the record has no place for annotations of the task: it says nothing about it,
    which is not the same as saying that nothing is there. labels, ranges: what was asked, if that
    is not all.
    """

    spans: List[SpanAnnotation] = field(default_factory=list)
    cats: List[CategoryAnnotation] = field(default_factory=list)
    relations: List[RelationAnnotation] = field(default_factory=list)
    problems: List[Problem] = field(default_factory=list)
    silent: bool = False
    labels: Optional[Tuple[str, ...]] = None
    ranges: Optional[Tuple[Tuple[int, int], ...]] = None

    @property
    def empty(self) -> bool:
        """Whether nothing was found."""
        return not (self.spans or self.cats or self.relations or self.problems)

    def problem(self, kind: str, detail: str) -> None:
        """Note what is missing from the annotation."""
        self.problems.append(Problem(kind, detail[:500]))


def exchange_task(name: str, task: Task, format: str) -> ExchangeTask:
    """Collect what an adapter must know of a task.

    name (str): Name of the component.
    task (Task): Its task.
    format (str): What is read or written, for the error message.
    RETURNS (ExchangeTask): Header, label of mentions, catalog.
    RAISES (InputError): If the task is of a kind of the user's own.
    """
    if task.kind not in KINDS:
        kinds = ", ".join(KINDS)
        raise InputError(Errors.H074.format(task=name, kind=task.kind, format=format, kinds=kinds))
    entries = tuple(getattr(task, "catalog", {}).values()) if task.kind == "linking" else ()
    label = getattr(task, "mention_label", MENTION)
    return ExchangeTask(task.header(name), label, entries)
