"""Label Studio JSON, written: tasks for its import, and the labelling config they need."""

import xml.etree.ElementTree as ElementTree
from datetime import UTC, datetime
from typing import Any, Dict, Iterable, List, Sequence, Tuple

from ...records import ACCEPT, FLAG, NIL, REJECT, Annotation, SpanAnnotation
from ...tasks.relations.annotations import MENTION, mentions_of
from .items import SAW, SPAN_KINDS, Answer, ExchangeTask, Item, Suggestion
from .losses import Losses, LossReport

TEXT = "text"  # name of the control that shows the text
TAKEN = ("text", "id", SAW)
BECOMES_SKIPPED = {
    REJECT: "that a text was rejected (it becomes skipped)",
    FLAG: "that a text was flagged (it becomes skipped)",
}
MANUAL, PREDICTED = "manual", "prediction"


def write_label_studio(
    items: Sequence[Item], task: ExchangeTask
) -> Tuple[List[Dict[str, Any]], LossReport]:
    """Write tasks for Label Studio.

    items (Sequence[Item]): Texts with answers, or with suggestions.
    task (ExchangeTask): Our task.
    RETURNS (Tuple[List[Dict[str, Any]], LossReport]): One of its tasks per text, and what was lost.
    """
    losses = Losses()
    return [_write_task(item, task, losses) for item in items], losses.report()


def labelling_config(items: Sequence[Item], task: ExchangeTask) -> str:
    """RETURNS (str): The XML that a project needs for these tasks: the same names and labels."""
    name, kind = task.header.task, task.kind
    labels = dict.fromkeys((*task.header.labels, *_used_labels(items)))
    view = ElementTree.Element("View")
    if kind == "textcat":
        choice = "single" if task.header.exclusive else "multiple"
        group = _control(view, "Choices", name, choice=choice)
        _values(group, "Choice", labels)
    elif kind == "relations":
        _values(_control(view, "Labels", _mentions(name)), "Label", [MENTION])
        _values(ElementTree.SubElement(view, "Relations"), "Relation", labels)
    elif kind == "linking":
        _values(_control(view, "Labels", _mentions(name)), "Label", [task.mention_label])
        _control(view, "TextArea", name, perRegion="true", editable="true", maxSubmissions="1")
    else:
        _values(_control(view, "Labels", name), "Label", labels)
    ElementTree.SubElement(view, "Text", name=TEXT, value="$text", granularity="word")
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"


def _control(view: ElementTree.Element, tag: str, name: str, **more: str) -> ElementTree.Element:
    return ElementTree.SubElement(view, tag, {"name": name, "toName": TEXT, **more})


def _values(group: ElementTree.Element, tag: str, labels: Iterable[str]) -> None:
    for label in labels:
        ElementTree.SubElement(group, tag, value=label)


def _mentions(name: str) -> str:
    return f"{name}_mention"


def _used_labels(items: Sequence[Item]) -> Iterable[str]:
    """Labels of older versions of the task too: the server refuses what the config lacks."""
    for item in items:
        annotations = [a.annotation or Annotation() for a in item.answers]
        for annotation in (*annotations, *(s.annotation for s in item.suggestions)):
            yield from (s.label for s in annotation.spans)
            yield from (c.label for c in annotation.cats)
            yield from (r.label for r in annotation.relations)


def _write_task(item: Item, task: ExchangeTask, losses: Losses) -> Dict[str, Any]:
    for name in (name for name in TAKEN if name in item.meta):
        losses.add(f"field '{name}' of the meta of rows", item.where)
    data: Dict[str, Any] = {**item.meta, "text": item.text, "id": item.id}
    data.pop(SAW, None)
    seen = [answer.saw_proposal for answer in item.answers if answer.saw_proposal is not None]
    if seen:
        data[SAW] = ", ".join(dict.fromkeys(seen))
        if len(seen) < len(item.answers) or len(set(seen)) > 1:
            reason = "which of several annotators saw a proposal (all of them, from now on)"
            losses.add(reason, item.where)
    return {
        "data": data,
        "annotations": [_annotation(a, item, task, losses) for a in item.answers],
        "predictions": [_prediction(s, item, task, losses) for s in item.suggestions],
    }


def _annotation(answer: Answer, item: Item, task: ExchangeTask, losses: Losses) -> Dict[str, Any]:
    written: Dict[str, Any] = {
        "result": _result(answer.annotation or Annotation(), item, task, MANUAL),
        "was_cancelled": answer.action != ACCEPT,
        "ground_truth": False,  # its import takes a missing one for true
        "action": answer.action,
    }
    if answer.annotator is not None:
        written["annotator"] = answer.annotator
        losses.add("on the server: who decided (it knows its own users only)", item.where)
    if answer.action in BECOMES_SKIPPED:
        losses.add(f"on the server: {BECOMES_SKIPPED[answer.action]}", item.where)
    if answer.flagged and answer.action != FLAG:
        losses.add("flags of answered texts", item.where)
    if answer.seconds is not None:
        written["lead_time"] = answer.seconds
    if answer.time is not None:
        try:
            written["created_at"] = datetime.fromtimestamp(answer.time, UTC).isoformat()
        except (ValueError, OverflowError, OSError):
            losses.add("times outside of the years 1 to 9999", item.where, answer.time)
    return written


def _prediction(
    suggestion: Suggestion, item: Item, task: ExchangeTask, losses: Losses
) -> Dict[str, Any]:
    if any(c.score is not None for c in suggestion.annotation.cats):
        losses.add("scores of proposed categories", item.where)
    result = _result(suggestion.annotation, item, task, PREDICTED)
    return {"model_version": suggestion.source, "result": result}


def _result(
    annotation: Annotation, item: Item, task: ExchangeTask, origin: str
) -> List[Dict[str, Any]]:
    name = task.header.task
    if task.kind == "textcat":
        return [_choices(annotation, name, origin)] if annotation.cats else []
    if task.kind in SPAN_KINDS:
        return [
            part
            for number, span in enumerate(annotation.spans)
            for part in _region(span, f"r{number}", item.text, task, origin)
        ]
    ids = {}
    result: List[Dict[str, Any]] = []
    for number, span in enumerate(mentions_of(annotation, label=MENTION)):
        ids[span.start, span.end] = f"r{number}"
        result += _region(span, f"r{number}", item.text, task, origin)
    for r in annotation.relations:
        relation = {
            "type": "relation",
            "from_id": ids[r.head_start, r.head_end],
            "to_id": ids[r.tail_start, r.tail_end],
            "direction": "right",
            "labels": [r.label],
        }
        result.append(relation if r.score is None else {**relation, "score": r.score})
    return result


def _choices(annotation: Annotation, name: str, origin: str) -> Dict[str, Any]:
    return {
        "id": "c0",
        "from_name": name,
        "to_name": TEXT,
        "type": "choices",
        "origin": origin,
        "value": {"choices": [c.label for c in annotation.cats]},
    }


def _region(
    span: SpanAnnotation, id_: str, text: str, task: ExchangeTask, origin: str
) -> Iterable[Dict[str, Any]]:
    name, linking = task.header.task, task.kind == "linking"
    control = name if task.kind in ("ner", "spancat") else _mentions(name)
    place = {"start": span.start, "end": span.end}
    base = {"id": id_, "to_name": TEXT, "origin": origin}
    value = {**place, "text": text[span.start : span.end], "labels": [span.label]}
    region = {**base, "from_name": control, "type": "labels", "value": value}
    yield region if span.score is None else {**region, "score": span.score}
    if linking:
        value = {**place, "text": [span.kb_id or NIL]}
        yield {**base, "from_name": name, "type": "textarea", "value": value}
