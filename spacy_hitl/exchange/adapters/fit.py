"""Fit what a tool's record says to a task: whole, or not as a decision at all.

What is not listed in a decision does not hold. So a decision of which a part is lost would be a
wrong one: it is reported and not stored. Labels that the task does not have take nothing away
from its own labels: they are left out and reported.
"""

from dataclasses import replace
from itertools import pairwise
from typing import Callable, Dict, List, Optional, Sequence, Tuple, TypeVar

from ...records import (
    ACCEPT,
    NIL,
    NOTHING,
    Annotation,
    CategoryAnnotation,
    Problem,
    RelationAnnotation,
    SpanAnnotation,
)
from ...tasks.relations.annotations import relation_key, sort_relations
from .items import Answer, Draft, ExchangeTask, Suggestion
from .losses import Losses, show

FOREIGN = "about other tasks: "
UNKNOWN_LABEL = FOREIGN + "labels that this task does not have"
NOT_STORED = "not stored as a decision: "
REASONS = {
    "not_found": NOT_STORED + "a span can't be placed in the text",
    "overlap": NOT_STORED + "spans overlap, which this task can't hold",
    "same_mention": NOT_STORED + "a relation of a mention with itself",
    "unknown_label": NOT_STORED + "a label or id that the task does not have, where it decides",
    "schema": NOT_STORED + "not exactly one category where exactly one holds",
    "unanswered": NOT_STORED + "it does not say everything that the task asks",
    "not_allowed": NOT_STORED + "it says what the task has no place for",
}

_T = TypeVar("_T", SpanAnnotation, CategoryAnnotation, RelationAnnotation)


def fit_answer(
    answer: Answer, draft: Draft, task: ExchangeTask, losses: Losses, where: str
) -> Optional[Answer]:
    """Complete an answer by its annotation.

    answer (Answer): Who, when and what; without annotation.
    draft (Draft): What was read as annotation.
    task (ExchangeTask): The task.
    losses (Losses): What is lost is counted here.
    where (str): File and record.
    RETURNS (Optional[Answer]): The answer, or None if its annotation is not whole and it accepts.
        One that does not accept then has no annotation; nor if its annotation is empty.
    """
    if draft.silent and answer.action != ACCEPT:
        return answer
    if draft.silent:
        draft.problem("unanswered", "no annotation of this kind in the record")
    if draft.labels == ():
        draft.problem("unanswered", "no label of the task was asked")
    annotation, problems = fit(draft, task, losses, where, scores=False)
    for problem in problems:
        losses.add(REASONS[problem.kind], where, problem.detail)
    if answer.action == ACCEPT:
        whole = replace(answer, annotation=annotation, labels=draft.labels, ranges=draft.ranges)
        return None if problems else whole
    if problems or annotation == NOTHING:
        return answer
    return replace(answer, annotation=annotation)


def fit_suggestion(
    source: str, draft: Draft, task: ExchangeTask, losses: Losses, where: str
) -> Suggestion:
    """RETURNS (Suggestion): What is usable of a proposal, and what was not."""
    annotation, problems = fit(draft, task, losses, where, scores=True)
    for problem in problems:
        losses.add("proposals stored as incomplete (status unaligned)", where, problem.detail)
    return Suggestion(source, annotation, problems)


def fit(
    draft: Draft, task: ExchangeTask, losses: Losses, where: str, *, scores: bool
) -> Tuple[Annotation, Tuple[Problem, ...]]:
    """Keep what the task can hold.

    scores (bool): Whether scores are kept; a person's annotation has none.
    RETURNS (Tuple[Annotation, Tuple[Problem, ...]]): The annotation as the task writes it, and why
        it is not all of what the record says.
    """
    found = Draft(problems=list(draft.problems), labels=draft.labels)
    pieces = Annotation(tuple(draft.spans), tuple(draft.cats), tuple(draft.relations))
    _count_foreign(pieces, task, losses, where)
    _FIT[task.kind](pieces, found, task, losses, where)
    if not scores:
        found.spans = _unscored(found.spans, losses, where)
        found.cats = _unscored(found.cats, losses, where)
        found.relations = _unscored(found.relations, losses, where)
    annotation = Annotation(tuple(found.spans), tuple(found.cats), tuple(found.relations))
    return annotation, tuple(found.problems)


def _count_foreign(pieces: Annotation, task: ExchangeTask, losses: Losses, where: str) -> None:
    """What belongs to other kinds of tasks."""
    if pieces.relations and task.kind != "relations":
        losses.add(FOREIGN + "relations", where, len(pieces.relations))
    if pieces.cats and task.kind != "textcat":
        losses.add(FOREIGN + "categories", where, len(pieces.cats))
    if pieces.spans and task.kind == "textcat":
        losses.add(FOREIGN + "spans", where, len(pieces.spans))
    if task.kind in ("ner", "spancat") and any(s.kb_id for s in pieces.spans):
        losses.add("links of spans to a catalog", where)


def _fit_spans(
    pieces: Annotation, found: Draft, task: ExchangeTask, losses: Losses, where: str
) -> None:
    spans = [replace(s, kb_id=None) for s in _known(pieces.spans, task, losses, where)]
    found.spans = _once(sorted(spans, key=_place), _place, losses, where)
    if task.kind == "ner":
        _refuse_overlap(found.spans, found)


def _fit_cats(
    pieces: Annotation, found: Draft, task: ExchangeTask, losses: Losses, where: str
) -> None:
    by_label = {c.label: c for c in _known(pieces.cats, task, losses, where)}
    found.cats = [by_label[label] for label in task.header.labels if label in by_label]
    whole = found.labels is None and not found.problems
    if task.header.exclusive and len(found.cats) != 1 and whole:
        names = ", ".join(c.label for c in found.cats) or "none"
        found.problem("schema", f"categories: {names}")


def _fit_links(
    pieces: Annotation, found: Draft, task: ExchangeTask, losses: Losses, where: str
) -> None:
    ids = set(task.header.labels)
    spans = []
    for span in pieces.spans:
        if span.kb_id is None:
            found.problem("unanswered", f"a mention at {span.start} to {span.end} has no link")
        elif span.kb_id != NIL and span.kb_id not in ids:
            found.problem("unknown_label", f"catalog id {show(span.kb_id)}")
        else:
            spans.append(replace(span, label=task.mention_label))
    found.spans = _once(sorted(spans, key=_place), _place, losses, where)
    _refuse_overlap(found.spans, found)


def _fit_relations(
    pieces: Annotation, found: Draft, task: ExchangeTask, losses: Losses, where: str
) -> None:
    relations = []
    places = set()
    for r in _known(pieces.relations, task, losses, where):
        head, tail = (r.head_start, r.head_end), (r.tail_start, r.tail_end)
        places |= {head, tail}
        if head == tail:
            found.problem("same_mention", f"{r.label} at {r.head_start} to {r.head_end}")
        else:
            relations.append(r)
    found.relations = _once(sort_relations(relations), relation_key, losses, where)
    _refuse_overlap([SpanAnnotation(*place) for place in sorted(places)], found)
    lonely = {(s.start, s.end) for s in pieces.spans} - places
    if lonely:
        losses.add("mentions without a relation", where, len(lonely))


_FIT: Dict[str, Callable[[Annotation, Draft, ExchangeTask, Losses, str], None]] = {
    "ner": _fit_spans,
    "spancat": _fit_spans,
    "textcat": _fit_cats,
    "linking": _fit_links,
    "relations": _fit_relations,
}


def _known(pieces: Sequence[_T], task: ExchangeTask, losses: Losses, where: str) -> List[_T]:
    known = []
    for one in pieces:
        if one.label in task.header.labels:
            known.append(one)
        else:
            losses.add(UNKNOWN_LABEL, where, one.label)
    return known


def _once(
    pieces: Sequence[_T], key: Callable[[_T], object], losses: Losses, where: str
) -> List[_T]:
    kept: Dict[object, _T] = {}
    for one in pieces:
        if kept.setdefault(key(one), one) is not one:
            losses.add("the same annotation twice in a record", where, one.label)
    return list(kept.values())


def _refuse_overlap(spans: Sequence[SpanAnnotation], found: Draft) -> None:
    for one, other in pairwise(spans):
        if other.start < one.end:
            found.problem("overlap", f"{one.start}-{one.end} and {other.start}-{other.end}")


def _place(span: SpanAnnotation) -> Tuple[int, int, str, str]:
    return span.start, span.end, span.label, span.kb_id or ""


def _unscored(pieces: Sequence[_T], losses: Losses, where: str) -> List[_T]:
    scored = sum(one.score is not None for one in pieces)
    if scored:
        losses.add("scores of decided annotations", where, scored)
    return [replace(one, score=None, score_source=None) for one in pieces]
