"""What holds, of all that was decided on a text: undone answers, partial looks, several people.

Decisions are only ever added. What stands is computed from them, here, and nowhere else.
"""

from dataclasses import dataclass, replace
from typing import Dict, Iterable, List, Optional, Sequence, Tuple

from ..records import (
    ACCEPT,
    NOTHING,
    REJECT,
    SKIP,
    UNDO,
    Annotation,
    Decision,
    PartialDecision,
)

Range = Tuple[int, int]


@dataclass(frozen=True)
class Standing:
    """What holds for one text and task.

    last: the decision that was made last of those that count; its action says whether the text was
        accepted, rejected or put aside (flag).
    annotation: what was accepted of the whole text, if it was.
    partial: what was accepted of a part of it, or of some labels, if only that was looked at.
    """

    last: Decision
    annotation: Optional[Annotation] = None
    partial: Optional[PartialDecision] = None


def live_decisions(decisions: Iterable[Decision]) -> List[Decision]:
    """Leave out what was taken back.

    decisions (Iterable[Decision]): On one text and task, oldest first.
    RETURNS (List[Decision]): The others, oldest first; no undo is among them.
    """
    decisions = list(decisions)
    undone = {(d.annotator, d.undoes) for d in decisions if d.action == UNDO}
    return [d for d in decisions if d.action != UNDO and (d.annotator, d.uid) not in undone]


def standing(decisions: Iterable[Decision], labels: Sequence[str] = ()) -> Optional[Standing]:
    """Compute what holds for one text and task.

    The last answer counts, whoever gave it (an adjudication is the last by its nature). A skip
    is no answer: what was there before it stays. A partial decision changes what it looked at and
    leaves the rest as it was.

    decisions (Iterable[Decision]): On one text and task, oldest first.
    labels (Sequence[str]): All labels of the task: passes over single labels are complete when
        together they looked at all of them.
    RETURNS (Optional[Standing]): None if nobody answered.
    """
    answers = [d for d in live_decisions(decisions) if d.action != SKIP]
    if not answers:
        return None
    whole: Optional[Annotation] = None
    partial: Optional[PartialDecision] = None
    for d in answers:
        if d.action != ACCEPT:
            whole, partial = None, None
        elif d.labels is None and d.ranges is None:
            whole, partial = d.annotation or NOTHING, None
        elif whole is not None:
            whole = overlay(whole, d)
        else:
            partial = _join(partial, d)
    if partial is not None and labels and set(labels) <= set(partial.labels or ()):
        whole, partial = partial.annotation, None
    return Standing(answers[-1], whole, partial)


def standing_of(decisions: Iterable[Decision], labels: Sequence[str] = ()) -> Dict[str, Standing]:
    """RETURNS (Dict[str, Standing]): What holds for each annotator alone, by name."""
    by_annotator: Dict[str, List[Decision]] = {}
    for d in decisions:
        by_annotator.setdefault(d.annotator, []).append(d)
    found = {name: standing(some, labels) for name, some in by_annotator.items()}
    return {name: s for name, s in found.items() if s is not None}


def overlay(base: Annotation, decision: Decision) -> Annotation:
    """Put a partial decision over an annotation of the whole text.

    base (Annotation): What is known, or proposed, of the whole text.
    decision (Decision): Accepted; with `labels` or `ranges` that say what was looked at.
    RETURNS (Annotation): Inside what was looked at, the decision; outside, the base.
    """
    new = decision.annotation or NOTHING
    labels, ranges = decision.labels, decision.ranges
    kept_spans = [
        s for s in base.spans if not _seen(s.kb_id or s.label, [(s.start, s.end)], labels, ranges)
    ]
    kept_relations = [
        r
        for r in base.relations
        if not _seen(
            r.label, [(r.head_start, r.head_end), (r.tail_start, r.tail_end)], labels, ranges
        )
    ]
    # A category is about the whole text: a look at a part of it decides on none.
    cats = [c for c in base.cats if ranges is not None or not _seen(c.label, [], labels, None)]
    return replace(
        base,
        spans=tuple(sorted({*kept_spans, *new.spans}, key=lambda s: (s.start, s.end, s.label))),
        cats=(*cats, *(c for c in new.cats if c not in cats)),
        relations=(*kept_relations, *(r for r in new.relations if r not in kept_relations)),
    )


def _seen(
    label: str,
    places: Sequence[Range],
    labels: Optional[Sequence[str]],
    ranges: Optional[Sequence[Range]],
) -> bool:
    """Whether an item of this label at these places was looked at."""
    if labels is not None and label not in labels:
        return False
    if ranges is None:
        return True
    return any(start < e and s < end for start, end in places for s, e in ranges)


def _join(partial: Optional[PartialDecision], d: Decision) -> PartialDecision:
    """Add a partial decision to the partial ones before it."""
    if partial is None:
        return PartialDecision(d.annotation or NOTHING, d.labels, d.ranges)
    if partial.labels is not None and d.labels is None:
        return replace(partial, annotation=overlay(partial.annotation, d))
    if partial.labels is None and d.labels is not None:
        return PartialDecision(d.annotation or NOTHING, d.labels, d.ranges)
    labels = (
        None if d.labels is None else tuple(dict.fromkeys((*(partial.labels or ()), *d.labels)))
    )
    ranges = None if d.ranges is None else tuple(sorted({*(partial.ranges or ()), *d.ranges}))
    return PartialDecision(overlay(partial.annotation, d), labels, ranges)


def is_rejected(found: Optional[Standing]) -> bool:
    """RETURNS (bool): Whether the text was found to have no usable annotation."""
    return found is not None and found.last.action == REJECT
