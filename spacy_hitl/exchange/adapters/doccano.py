"""doccano JSONL, both ways. It quotes nothing, so its offsets can be doubted but not checked.

Columns that doccano does not know it keeps as the meta of a text and gives them back.
"""

from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

from ...records import (
    ACCEPT,
    NIL,
    Annotation,
    CategoryAnnotation,
    RelationAnnotation,
    SpanAnnotation,
)
from ...tasks.relations.annotations import MENTION, mentions_of
from .fields import Reader
from .fit import FOREIGN, fit_answer
from .items import SAW, Answer, Draft, ExchangeTask, Item
from .losses import Losses, LossReport
from .offsets import countable, doubtful

TOOL = "doccano"
DECIDED = "decided"  # a column of ours: an empty list of labels is a decision
COMMENTS = ("Comments", "comments")
LABELS = ("label", "labels", "entities", "relations", "cats")
COLUMNS = {"id", "text", "data", SAW, DECIDED, *COMMENTS, *LABELS}

_read = Reader(TOOL)


def read_doccano(
    records: Iterable[Tuple[str, Dict[str, Any]]], task: ExchangeTask, *, confirmed: bool = False
) -> Tuple[List[Item], LossReport]:
    """Read doccano's lines.

    records (Iterable[Tuple[str, Dict[str, Any]]]): "file:line" and line.
    task (ExchangeTask): The task they are about.
    confirmed (bool): Whether all texts of the file were approved: then no label is an answer too.
    RETURNS (Tuple[List[Item], LossReport]): One item per line, and what was lost.
    RAISES (InputError): At the first line that is none of doccano's.
    """
    losses = Losses()
    items = [_read_line(where, record, task, confirmed, losses) for where, record in records]
    return items, losses.report()


def _read_line(
    where: str, record: Dict[str, Any], task: ExchangeTask, confirmed: bool, losses: Losses
) -> Item:
    _read.check(record, where)
    text = _read.text(record, "data" if "text" not in record else "text", where)
    if any(_read.many(record, name, where) for name in COMMENTS):
        losses.add("comments", where)
    draft = _read_draft(record, text, task, where, losses)
    answer = Answer(ACCEPT, saw_proposal=_read.string(record, SAW, where))
    answers: Tuple[Answer, ...] = ()
    if draft.empty and not (confirmed or _read.flag(record, DECIDED, where)):
        # Nobody looked, or nothing is there: the file does not say which.
        losses.add("texts without labels, stored without a decision", where)
    else:
        fitted = fit_answer(answer, draft, task, losses, where)
        answers = () if fitted is None else (fitted,)
    meta = {name: value for name, value in record.items() if name not in COLUMNS}
    return Item(text, where, _read.id(record.get("id"), where), meta, answers)


def _read_draft(
    record: Dict[str, Any], text: str, task: ExchangeTask, where: str, losses: Losses
) -> Draft:
    draft = Draft()
    places: Dict[Any, Tuple[int, int]] = {}
    for value in _labels(record, where):
        if isinstance(value, str):
            draft.cats.append(CategoryAnnotation(value))
            continue
        start, end, label, id_ = _span(value, text, where)
        if _misplaced(text, start, end):
            reason = "a text with characters of several code points"
            draft.problem("not_found", f"offsets {start} to {end} are doubtful in {reason}")
            continue
        kb_id = label if task.kind == "linking" else None
        draft.spans.append(SpanAnnotation(start, end, label, kb_id))
        if id_ is not None:
            places[id_] = start, end
    if draft.spans and not countable(text[: max(s.end for s in draft.spans)]):
        reason = "offsets after characters of several units, taken as code points"
        losses.note(reason, where)
    for relation in _read.objects(record, "relations", where):
        head, tail = (
            places.get(_read.whole(relation, name, where)) for name in ("from_id", "to_id")
        )
        label = _read.text(relation, "type", where)
        if head is None or tail is None:
            draft.problem("not_found", f"an entity of the relation {label}")
        else:
            draft.relations.append(RelationAnnotation(*head, *tail, label))
    if task.kind == "relations" and "relations" not in record:
        if draft.spans:
            losses.add(FOREIGN + "spans", where)
        return Draft(silent=True)
    return draft


def _labels(record: Dict[str, Any], where: str) -> List[Any]:
    found: List[Any] = []
    for name in ("label", "labels", "entities", "cats"):
        value = record.get(name)
        found += [value] if isinstance(value, str) else _read.many(record, name, where)
    return found


def _span(value: Any, text: str, where: str) -> Tuple[int, int, str, Optional[int]]:
    """A span as [start, end, label], or as an object with an id."""
    id_ = None
    if isinstance(value, list) and len(value) == 3:
        value = {"start": value[0], "end": value[1], "label": value[2]}
    elif isinstance(value, dict):
        id_ = None if value.get("id") is None else _read.whole(value, "id", where)
        place = {"start": value.get("start_offset"), "end": value.get("end_offset")}
        value = {**place, "label": value.get("label")}
    else:
        expected = "a category, [start, end, label], or an object with start_offset, end_offset"
        raise _read.refuse(where, f"it has the label {value!r}"[:120], expected)
    start, end = _read.offsets(value, text, where)
    if end > len(text):
        problem = f"offsets {start} to {end} in a text of {len(text)} characters"
        raise _read.refuse(where, problem, "offsets that count code points")
    return start, end, _read.text(value, "label", where), id_


def _misplaced(text: str, start: int, end: int) -> bool:
    """Whether a span looks as if it was counted in other units than code points."""
    return doubtful(text, start, end) and not countable(text[: end + 1])


def write_doccano(
    items: Sequence[Item], task: ExchangeTask
) -> Tuple[List[Dict[str, Any]], LossReport]:
    """Write lines for doccano: the annotation that counts, or none.

    items (Sequence[Item]): Texts with answers, oldest first.
    task (ExchangeTask): The task.
    RETURNS (Tuple[List[Dict[str, Any]], LossReport]): One line per text, and what was lost.
    """
    losses = Losses()
    ids = _Ids()
    return [_write_line(item, task, ids, losses) for item in items], losses.report()


class _Ids:
    """Numbers for entities and relations, unique in a file."""

    def __init__(self) -> None:
        self.last = -1

    def next(self) -> int:
        """RETURNS (int): A number that was not given before."""
        self.last += 1
        return self.last


def _write_line(item: Item, task: ExchangeTask, ids: _Ids, losses: Losses) -> Dict[str, Any]:
    for name in sorted(COLUMNS & item.meta.keys()):
        losses.add(f"field '{name}' of the meta of rows", item.where)
    line = {name: value for name, value in item.meta.items() if name not in COLUMNS}
    last = item.answers[-1] if item.answers else None
    if last is not None and last.action != ACCEPT:
        losses.add(f"that a text was answered with '{last.action}'", item.where)
        last = None
    _count_answers(item, last, losses)
    annotation = (last and last.annotation) or Annotation()
    line.update(id=item.id, text=item.text, decided=last is not None)
    if last is not None and last.saw_proposal is not None:
        line[SAW] = last.saw_proposal
    for span in annotation.spans:
        if _misplaced(item.text, span.start, span.end):
            reason = "spans that end inside a visible character or in white space: an import doubts"
            losses.note(f"{reason} them", item.where, f"{span.start} to {span.end}")
    return {**line, **_columns(annotation, task, ids)}


def _count_answers(item: Item, last: Optional[Answer], losses: Losses) -> None:
    if len(item.answers) > 1:
        losses.add("answers of other annotators", item.where, len(item.answers) - 1)
    if last is not None and last.flagged:
        losses.add("flags of answered texts", item.where)
    if item.suggestions:
        losses.add("proposals (a label there is an answer)", item.where)
    if last is not None and last.annotator is not None:
        losses.add("who decided", item.where)
    if last is not None and (last.time is not None or last.seconds is not None):
        losses.add("when, and how long decisions took", item.where)


def _columns(annotation: Annotation, task: ExchangeTask, ids: _Ids) -> Dict[str, Any]:
    if task.kind == "textcat":
        return {"label": [c.label for c in annotation.cats]}
    if task.kind == "linking":
        return {"label": [[s.start, s.end, s.kb_id or NIL] for s in annotation.spans]}
    if task.kind != "relations":
        return {"label": [[s.start, s.end, s.label] for s in annotation.spans]}
    numbers: Dict[Tuple[int, int], int] = {}
    entities = []
    for m in mentions_of(annotation, label=MENTION):
        numbers[m.start, m.end] = ids.next()
        offsets = {"start_offset": m.start, "end_offset": m.end}
        entities.append({"id": numbers[m.start, m.end], "label": m.label, **offsets})
    relations = [
        {
            "id": ids.next(),
            "from_id": numbers[r.head_start, r.head_end],
            "to_id": numbers[r.tail_start, r.tail_end],
            "type": r.label,
        }
        for r in annotation.relations
    ]
    return {"entities": entities, "relations": relations}
