"""Partial looks at a text: some labels, some stretches. What was not looked at is not decided."""

from typing import Dict, FrozenSet, List, Optional, Sequence, Set, Tuple

from ..records import (
    NOTHING,
    Annotation,
    Decision,
    Look,
    PartialDecision,
    RelationAnnotation,
    SpanAnnotation,
    TaskHeader,
)

Range = Tuple[int, int]
DISJOINT = ("ner", "linking")  # kinds whose spans can't overlap


def as_partial(decision: Decision) -> Optional[PartialDecision]:
    """RETURNS (Optional[PartialDecision]): What an accepted decision looked at and found there, or
    None if it looked at everything.
    """
    if decision.labels is None and decision.ranges is None:
        return None
    look = Look(decision.labels, decision.ranges)
    return PartialDecision(decision.annotation or NOTHING, (look,))


def overlay(
    base: Annotation, partial: PartialDecision, header: Optional[TaskHeader] = None
) -> Annotation:
    """Put what was decided about a part over an annotation of the whole text.

    base (Annotation): What is known, or proposed, of the whole text.
    partial (PartialDecision): What was looked at, and what was found there.
    header (Optional[TaskHeader]): The task: entities that were in the way of new ones go, and so
        does the category before of an exclusive task.
    RETURNS (Annotation): Where somebody looked, what they found; elsewhere, the base.
    """
    looks, found = partial.looks, partial.annotation
    spans = [s for s in found.spans if _saw_span(looks, s)]
    kept = [s for s in base.spans if not _saw_span(looks, s)]
    if header is not None and header.kind in DISJOINT:
        kept = [s for s in kept if not any(s.start < n.end and n.start < s.end for n in spans)]
    cats = [c for c in found.cats if _saw_category(looks, c.label)]
    if header is None or not header.exclusive or not cats:
        cats += [c for c in base.cats if not _saw_category(looks, c.label)]
    relations = [r for r in found.relations if _saw_relation(looks, r)]
    relations += [r for r in base.relations if not _saw_relation(looks, r)]
    return arrange(Annotation((*kept, *spans), tuple(cats), tuple(relations)), header)


def arrange(annotation: Annotation, header: Optional[TaskHeader] = None) -> Annotation:
    """RETURNS (Annotation): The same in one order: spans and relations as in the text, categories
    as in the task. What is said twice is said once.
    """
    order = _order(header)
    return Annotation(
        spans=tuple(sorted(dict.fromkeys(annotation.spans), key=_span_key)),
        cats=tuple(
            sorted(
                dict.fromkeys(annotation.cats),
                key=lambda c: (order.get(c.label, len(order)), c.label),
            )
        ),
        relations=tuple(sorted(dict.fromkeys(annotation.relations), key=_relation_key)),
    )


def join(
    partial: Optional[PartialDecision], look: PartialDecision, header: Optional[TaskHeader] = None
) -> PartialDecision:
    """Add a look to the looks before it; where both looked, the new one counts.

    partial (Optional[PartialDecision]): What was looked at before, if anything was.
    look (PartialDecision): What was looked at now.
    header (Optional[TaskHeader]): As in `overlay`.
    RETURNS (PartialDecision): Both.
    """
    before = PartialDecision() if partial is None else partial
    annotation = overlay(before.annotation, look, header)
    return PartialDecision(annotation, _tidy((*before.looks, *look.looks), _order(header)))


def is_complete(partial: PartialDecision, header: Optional[TaskHeader]) -> bool:
    """RETURNS (bool): Whether all labels of the task were looked for in the whole text. Of an
    exclusive task one must hold.
    """
    if header is None or not set(header.labels) <= set(partial.labels):
        return False
    return bool(partial.annotation.cats) or not header.exclusive


def _tidy(looks: Sequence[Look], order: Dict[str, int]) -> Tuple[Look, ...]:
    """The same in one form only, whatever the order of the looks was."""
    everywhere: Set[str] = set()
    for look in looks:
        everywhere.update(look.labels or () if look.ranges is None else ())
    places: Dict[Optional[FrozenSet[str]], Set[Range]] = {}
    for look in looks:
        if look.ranges is not None:
            labels = None if look.labels is None else frozenset(look.labels) - everywhere
            if labels is None or labels:
                places.setdefault(labels, set()).update(look.ranges)

    def ordered(labels: "FrozenSet[str] | Set[str]") -> Tuple[str, ...]:
        return tuple(sorted(labels, key=lambda label: (order.get(label, len(order)), label)))

    tidy: List[Look] = [Look(ordered(everywhere))] if everywhere else []
    tidy += (
        Look(None if labels is None else ordered(labels), tuple(sorted(ranges)))
        for labels, ranges in places.items()
    )
    return tuple(sorted(tidy, key=lambda look: (look.labels or (), look.ranges or ())))


def _order(header: Optional[TaskHeader]) -> Dict[str, int]:
    return {} if header is None else {label: i for i, label in enumerate(header.labels)}


def _saw(looks: Sequence[Look], label: str, places: Sequence[Range]) -> bool:
    for look in looks:
        if look.labels is not None and label not in look.labels:
            continue
        if look.ranges is None:
            return True
        if any(start < e and s < end for start, end in places for s, e in look.ranges):
            return True
    return False


def _saw_span(looks: Sequence[Look], span: SpanAnnotation) -> bool:
    return _saw(looks, span.kb_id or span.label, [(span.start, span.end)])


def _saw_relation(looks: Sequence[Look], r: RelationAnnotation) -> bool:
    # A relation is looked at with its mentions: one end is enough.
    return _saw(looks, r.label, [(r.head_start, r.head_end), (r.tail_start, r.tail_end)])


def _saw_category(looks: Sequence[Look], label: str) -> bool:
    # A category is about the whole text: a look at a stretch of it decides on none.
    return _saw(looks, label, [])


def _span_key(s: SpanAnnotation) -> Tuple[int, int, str, str]:
    return s.start, s.end, s.label, s.kb_id or ""


def _relation_key(r: RelationAnnotation) -> Tuple[int, int, int, int, str]:
    return r.head_start, r.head_end, r.tail_start, r.tail_end, r.label
