"""Change of plan: what a decision still says after the labels or the guidelines of a task changed.

A decision made under an older task keeps what still holds: renamed and merged labels, and what was
found of labels that are as they were. An added label was not looked at. What a removed label marked
is gone; if new labels took its place, the text is looked at again for those. A decision is read
anew each time, and stays stored as it was made.

* Exclusive categories: with an added class, the old choice is kept but waits for a look at the new
  class; if the chosen class itself is gone, the text is decided on again.
* Links: a mention of an entry that is gone is looked at again, the other mentions hold. Added
  entries change nothing by themselves: list "NIL" in `recheck` for another look at the mentions
  that were in no catalog.
* Another kind of task, or categories that no longer exclude each other: decided on again.
"""

from collections import Counter
from dataclasses import replace
from typing import Dict, FrozenSet, List, Mapping, Optional, Tuple

from ..errors import Errors, InputError
from ..records import (
    ACCEPT,
    NIL,
    NOTHING,
    Annotation,
    Decision,
    SpanAnnotation,
    TaskChanges,
    TaskHeader,
    TaskVersion,
)
from .looks import arrange

HOLDS, IN_PART, AGAIN = "holds", "in part", "again"
Kept = Tuple[str, Optional[Decision]]  # one of the three, and what is left


class Step:
    """The way from one version of a task to the task as it is now.

    then (Optional[TaskVersion]): The version under which decisions were made; None if nobody
        recorded it: then all labels of now, and those that were changed, count as looked at.
    now (TaskVersion): The task as it is.
    """

    def __init__(self, then: Optional[TaskVersion], now: TaskVersion) -> None:
        self.now = now.header
        self.labels = frozenset(self.now.labels)
        self.changes = since(then, now.changes)
        self.then = None if then is None else then.header
        keys = {*self.changes.rename, *self.changes.split}
        self.before = self.labels | keys if then is None else frozenset(then.header.labels)
        self.recheck = {self.name_now(label) or label for label in self.changes.recheck}
        self._sources: Dict[str, List[str]] = {}
        for old, new in self.changes.rename.items():
            self._sources.setdefault(new, []).append(old)
        self._origins: Dict[str, List[str]] = {}
        for old, parts in self.changes.split.items():
            for part in parts:
                self._origins.setdefault(part, []).append(old)
        self._looked: Dict[Tuple[FrozenSet[str], FrozenSet[str]], Tuple[str, ...]] = {}

    def name_now(self, label: str) -> Optional[str]:
        """RETURNS (Optional[str]): What a label of then is called now; None if it is gone."""
        found = label
        for _ in self.changes.rename:
            if found not in self.changes.split:
                found = self.changes.rename.get(found, found)
        return found if found in self.labels and found not in self.changes.split else None

    def keep(self, decision: Decision) -> Kept:
        """RETURNS (Kept): The state of a decision and what is left of it, in the labels of now."""
        if decision.action != ACCEPT:
            return HOLDS, decision
        if self.then is not None and not _same_kind(self.then, self.now):
            return AGAIN, None
        if self.now.kind == "linking":
            return self._keep_links(decision)
        old = decision.annotation or NOTHING
        new, gone = self._rename(old)
        if self.then is None and gone - set(self.changes.split):
            return AGAIN, None
        asked = self.before if decision.labels is None else frozenset(decision.labels)
        looked = self.looked(asked, gone & frozenset(self.changes.split))
        complete = len(looked) == len(self.labels)
        if not looked or (self.now.exclusive and complete and old.cats and not new.cats):
            return AGAIN, None
        kept = replace(decision, annotation=new, labels=None if complete else looked)
        if decision.labels is None:
            return (HOLDS if complete else IN_PART), kept
        wanted = {self.name_now(label) for label in decision.labels}
        return (HOLDS if not gone and wanted <= set(looked) else IN_PART), kept

    def looked(self, asked: FrozenSet[str], present: FrozenSet[str]) -> Tuple[str, ...]:
        """Find the labels of now that were looked for.

        asked (FrozenSet[str]): The labels of then that were looked for.
        present (FrozenSet[str]): Those that were split since, and were found in the text.
        RETURNS (Tuple[str, ...]): In the order of the task. All parts of a merged label must have
            been looked for.
        """
        key = (asked, present)
        if key not in self._looked:
            self._looked[key] = tuple(
                label
                for label in self.now.labels
                if label not in self.recheck and self._saw(label, asked, present, now=True)
            )
        return self._looked[key]

    def _saw(
        self, label: str, asked: FrozenSet[str], present: FrozenSet[str], *, now: bool
    ) -> bool:
        sources, origins = self._sources.get(label, []), self._origins.get(label, [])
        # A name may be used again for something else: now it does not mean what it did then.
        reused = now and (label in self.changes.rename or label in self.changes.split)
        if label in self.before and not reused:
            if label not in asked:
                return False
        elif not sources and not origins:
            return False
        saw = all(self._saw(source, asked, present, now=False) for source in sources)
        return saw and all(
            origin not in present and self._saw(origin, asked, present, now=False)
            for origin in origins
        )

    def _rename(self, old: Annotation) -> Tuple[Annotation, FrozenSet[str]]:
        """RETURNS (Tuple[Annotation, FrozenSet[str]]): What is left, in the labels of now; and the
        labels of then that are gone.
        """
        labels = {s.label for s in old.spans} | {c.label for c in old.cats}
        labels |= {r.label for r in old.relations}
        names = {label: self.name_now(label) for label in labels}
        gone = frozenset(label for label, name in names.items() if name is None)
        kept = {o: n for o, n in names.items() if n is not None and n not in self.recheck}
        if all(kept.get(label) == label for label in labels):
            return old, gone
        spans = (replace(s, label=kept[s.label]) for s in old.spans if s.label in kept)
        cats = (replace(c, label=kept[c.label]) for c in old.cats if c.label in kept)
        relations = (replace(r, label=kept[r.label]) for r in old.relations if r.label in kept)
        new = arrange(Annotation(tuple(spans), tuple(cats), tuple(relations)), self.now)
        return new, gone

    def _keep_links(self, decision: Decision) -> Kept:
        annotation = decision.annotation or NOTHING
        kept: List[SpanAnnotation] = []
        for span in annotation.spans:
            id_ = span.kb_id or NIL
            name = id_ if id_ == NIL else self._entry_now(id_)
            if name is not None and name not in self.recheck:
                kept.append(replace(span, kb_id=name))
        places = tuple((s.start, s.end) for s in kept)
        if len(kept) == len(annotation.spans):
            return HOLDS, replace(decision, annotation=replace(annotation, spans=tuple(kept)))
        if not kept:
            return AGAIN, None
        new = replace(decision, annotation=Annotation(spans=tuple(kept)), ranges=places)
        return IN_PART, new

    def _entry_now(self, id_: str) -> Optional[str]:
        """An entry may have become one that is in no catalog."""
        name = self.name_now(id_)
        return NIL if name is None and self.changes.rename.get(id_) == NIL else name


def since(then: Optional[TaskVersion], now: TaskChanges) -> TaskChanges:
    """Find the changes that were made after a version of a task.

    then (Optional[TaskVersion]): The version. A change that it lists was not made yet if it still
        has the old label and none of the new ones: somebody wrote it down early.
    now (TaskChanges): All changes ever made.
    RETURNS (TaskChanges): The later ones; all, if the version is None.
    """
    if then is None:
        return now
    before, labels = then.changes, then.header.labels

    def is_later(old: str, new: Tuple[str, ...], made: bool) -> bool:
        return not made or (old in labels and not any(n in labels for n in new if n != old))

    return TaskChanges(
        rename={
            old: new
            for old, new in now.rename.items()
            if is_later(old, (new,), before.rename.get(old) == new)
        },
        split={
            old: new
            for old, new in now.split.items()
            if is_later(old, new, before.split.get(old) == new)
        },
        recheck=tuple((Counter(now.recheck) - Counter(before.recheck)).elements()),
    )


def check_changes(
    changes: TaskChanges, header: TaskHeader, then: Mapping[str, TaskVersion]
) -> None:
    """Refuse changes that lead nowhere.

    changes (TaskChanges): [hitl.changes.TASK].
    header (TaskHeader): The task as it is now.
    then (Mapping[str, TaskVersion]): Its earlier versions.
    RAISES (InputError): If a rename leads back to itself, a label is both renamed and split, or a
        new label is none that the task has or ever had.
    """
    for label in changes.rename:
        found = label
        for _ in changes.rename:
            found = changes.rename.get(found, found)
        if found in changes.rename:
            raise InputError(Errors.H230.format(task=header.task, label=label))
        if label in changes.split:
            raise InputError(Errors.H231.format(task=header.task, label=label))
    known = {*header.labels, *changes.rename, *changes.split, NIL}
    for version in then.values():
        known.update(version.header.labels)
    new = [*changes.rename.values(), *changes.recheck]
    for label in new + [part for parts in changes.split.values() for part in parts]:
        if label not in known:
            names = ", ".join(header.labels[:20])
            raise InputError(Errors.H232.format(task=header.task, label=label, known=names))


def _same_kind(then: TaskHeader, now: TaskHeader) -> bool:
    return (then.kind, then.exclusive) == (now.kind, now.exclusive)
