"""What holds, of all that was decided on a text: undone answers, partial looks, several people.

Decisions are only ever added. What stands is computed from them, here, and nowhere else. All
functions take the decisions on one text and one task, oldest first.
"""

from dataclasses import dataclass, replace
from typing import Dict, FrozenSet, Iterable, List, Optional, Sequence, Tuple

from ..records import (
    ACCEPT,
    ADJUDICATION,
    BLIND,
    BULK,
    CALIBRATION,
    CONSISTENCY,
    FLAG,
    IMPORT,
    PERSON,
    PROPAGATED,
    RANDOM,
    REJECT,
    ROUTED,
    SKIP,
    UNDO,
    Annotation,
    Decision,
    Origin,
    PartialDecision,
    TaskHeader,
)
from .looks import as_partial, is_complete, join, overlay

FRESH = (BLIND, CALIBRATION, ROUTED, RANDOM)  # what stood before was not shown
SPREAD = (PROPAGATED, CONSISTENCY, BULK)  # not every text was read: never on gold


@dataclass(frozen=True)
class Standing:
    """What holds for one text and task.

    parts: the decisions it is made of, oldest first; never none.
    annotation: what was accepted of the whole text, if it was.
    partial: what was accepted of a part of it, or of some labels, if only that was looked at.
    blind: whether nobody who decided had seen a proposal for this text.
    """

    parts: Tuple[Decision, ...]
    annotation: Optional[Annotation] = None
    partial: Optional[PartialDecision] = None
    blind: bool = True

    @property
    def last(self) -> Decision:
        """The one made last of those that count."""
        return self.parts[-1]

    @property
    def rejected(self) -> bool:
        """Whether the text was found to have no usable annotation."""
        return self.last.action == REJECT

    @property
    def put_aside(self) -> bool:
        """Whether the text waits for being talked about."""
        return self.last.action == FLAG

    @property
    def bulk(self) -> bool:
        """Whether it was accepted above a threshold and nobody looked at it since."""
        return self.parts[0].mode == BULK

    @property
    def origin(self) -> Origin:
        """A file, if any part of it came from one; else people."""
        return IMPORT if any(d.origin == IMPORT for d in self.parts) else PERSON


def live_decisions(decisions: Iterable[Decision]) -> List[Decision]:
    """Leave out what was taken back. Everybody takes back their own answers only.

    decisions (Iterable[Decision]): Oldest first.
    RETURNS (List[Decision]): The others, oldest first; no undo is among them. An undo can't be
        taken back: answer again.
    """
    decisions = list(decisions)
    undone = {(d.annotator, d.undoes) for d in decisions if d.action == UNDO and d.undoes}
    return [d for d in decisions if d.action != UNDO and (d.annotator, d.uid) not in undone]


def standing(
    decisions: Iterable[Decision], header: Optional[TaskHeader] = None
) -> Optional[Standing]:
    """Compute what holds for one text and task.

    The last answer counts, whoever gave it, with these exceptions. A skip is no answer. A partial
    look changes what it looked at and leaves the rest as it was; it does not bring back a text that
    was rejected or put aside. An adjudication gives way only to an answer that was given knowing
    it (opened again, adjudicated again). What is accepted in bulk never replaces anything.

    decisions (Iterable[Decision]): Oldest first.
    header (Optional[TaskHeader]): The task: with it, passes over single labels are whole once they
        looked at all labels, entities never overlap, and only one category holds of an exclusive
        task.
    RETURNS (Optional[Standing]): None if nobody answered.
    """
    decisions = list(decisions)
    found: Optional[Standing] = None
    for d in live_decisions(decisions):
        found = _add(found, d, header)
    return None if found is None else replace(found, blind=_is_blind(found, decisions))


def _add(
    before: Optional[Standing], d: Decision, header: Optional[TaskHeader]
) -> Optional[Standing]:
    if d.action == SKIP:
        return before
    adjudicated = before is not None and before.parts[0].mode == ADJUDICATION
    if before is not None and (d.mode == BULK or (adjudicated and d.mode in FRESH)):
        return before
    if d.action != ACCEPT:
        return Standing((d,))
    look = as_partial(d)
    if look is None:
        return Standing((d,), annotation=d.annotation or Annotation())
    if before is None:
        return _settle((d,), join(None, look, header), header)
    if before.annotation is not None:
        changed = overlay(before.annotation, look, header)
        if changed.cats or not before.annotation.cats or header is None or not header.exclusive:
            return Standing((*before.parts, d), annotation=changed)
        # The only category was taken away, and which one holds instead was not said.
        return Standing((*before.parts, d), partial=join(None, look, header))
    if before.partial is not None:
        return _settle((*before.parts, d), join(before.partial, look, header), header)
    return before


def _settle(
    parts: Tuple[Decision, ...], partial: PartialDecision, header: Optional[TaskHeader]
) -> Standing:
    if is_complete(partial, header):
        return Standing(parts, annotation=partial.annotation)
    return Standing(parts, partial=partial)


def _is_blind(found: Standing, decisions: Sequence[Decision]) -> bool:
    """Whoever has seen a proposal for a text has seen it, also after taking the answer back."""
    counted = {id(d) for d in found.parts}
    seen: set[str] = set()
    for d in decisions:
        if d.saw_proposal is not None or d.mode in SPREAD:
            seen.add(d.annotator)
        if id(d) in counted and d.annotator in seen:
            return False
    return True


def standing_of(
    decisions: Iterable[Decision], header: Optional[TaskHeader] = None
) -> Dict[str, Standing]:
    """RETURNS (Dict[str, Standing]): What holds for each annotator alone, by name."""
    by_annotator: Dict[str, List[Decision]] = {}
    for d in decisions:
        by_annotator.setdefault(d.annotator, []).append(d)
    found = {name: standing(some, header) for name, some in by_annotator.items()}
    return {name: s for name, s in found.items() if s is not None}


def allowed_on_gold(decisions: Iterable[Decision]) -> List[Decision]:
    """RETURNS (List[Decision]): Without those that were not made by reading the text."""
    return [d for d in decisions if d.mode not in SPREAD]


def open_labels(found: Optional[Standing], header: TaskHeader) -> FrozenSet[str]:
    """Find what is still to be looked at.

    found (Optional[Standing]): What holds.
    header (TaskHeader): The task.
    RETURNS (FrozenSet[str]): Labels that nobody looked for in the whole text; none of a text that
        was decided, rejected or put aside.
    """
    if found is None:
        return frozenset(header.labels)
    if found.partial is None:
        return frozenset()
    labels = frozenset(header.labels)
    return labels - set(found.partial.labels) or labels
