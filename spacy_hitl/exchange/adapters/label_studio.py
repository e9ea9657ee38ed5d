"""Label Studio JSON, read: a list of tasks with annotations of people and predictions of models."""

from datetime import UTC, datetime
from typing import Any, Dict, Iterable, List, Optional, Tuple

from ...records import (
    ACCEPT,
    FLAG,
    REJECT,
    SKIP,
    CategoryAnnotation,
    RelationAnnotation,
    SpanAnnotation,
)
from .fields import Reader
from .fit import FOREIGN, fit_answer, fit_suggestion
from .items import SAW, Answer, Draft, ExchangeTask, Item
from .losses import Losses, LossReport
from .offsets import CODE_POINTS, find_places

TOOL = "Label Studio"
SOURCE = "label-studio"
# What the server keeps for itself; nothing about the text.
BOOKKEEPING = {
    *("id", "created_at", "updated_at", "updated_by", "project", "file_upload", "inner_id"),
    *("total_annotations", "cancelled_annotations", "total_predictions", "comment_count"),
    *("unresolved_comment_count", "comment_authors", "last_comment_updated_at", "is_labeled"),
    *("overlap", "allow_skip", "precomputed_agreement", "agreement", "avg_lead_time"),
}
TASK_FIELDS = {"data", "annotations", "predictions", "drafts", "meta", *BOOKKEEPING}
ANNOTATION_FIELDS = {
    *("id", "result", "completed_by", "was_cancelled", "ground_truth", "lead_time", "task"),
    *("created_at", "updated_at", "updated_by", "draft_created_at", "project", "unique_id"),
    *("import_id", "last_action", "last_created_by", "parent_prediction", "parent_annotation"),
    *("result_count", "prediction", "created_username", "created_ago", "bulk_created"),
    *("annotator", "action"),  # ours; the server does not keep them
}
RESULT_FIELDS = {
    *("id", "type", "value", "from_name", "to_name", "origin", "score", "from_id", "to_id"),
    *("direction", "labels", "meta", "hidden", "locked", "readonly", "parentID"),
}
PREDICTED = ("prediction", "prediction-changed")
LINK_TYPES = ("textarea", "choices", "taxonomy")

ACTIONS = (ACCEPT, REJECT, SKIP, FLAG)

_read = Reader(TOOL)


def read_label_studio(
    records: Iterable[Tuple[str, Dict[str, Any]]], task: ExchangeTask
) -> Tuple[List[Item], LossReport]:
    """Read Label Studio's tasks.

    records (Iterable[Tuple[str, Dict[str, Any]]]): "file (task n)" and the task.
    task (ExchangeTask): Our task that they are about.
    RETURNS (Tuple[List[Item], LossReport]): One item per task, and what was lost.
    RAISES (InputError): At the first task that is none of Label Studio's.
    """
    losses = Losses()
    return [_read_task(w, record, task, losses) for w, record in records], losses.report()


def _read_task(where: str, record: Dict[str, Any], task: ExchangeTask, losses: Losses) -> Item:
    _read.check(record, where)
    if "data" not in record:
        expected = "a task with 'data' (export as JSON: JSON-MIN leaves out who skipped what)"
        raise _read.refuse(where, "field 'data' is missing", expected)
    _count_fields(record, TASK_FIELDS, "tasks", losses, where)
    for name in ("drafts", "meta"):
        if record.get(name):
            losses.add(f"{name} of tasks", where)
    if record.get("comment_count"):
        losses.add("comments", where, record["comment_count"])
    data = dict(_read.mapping(record, "data", where))
    text = _pop_text(data, where)
    seen = _read.string({SAW: data.pop(SAW, None)}, SAW, where)
    predictions = _read.objects(record, "predictions", where)
    sources = list(dict.fromkeys(_version(p, where) for p in predictions))
    seen = seen or ", ".join(sources) or None
    answers = [
        _read_annotation(annotation, text, seen, task, where, losses)
        for annotation in _read.objects(record, "annotations", where)
    ]
    suggestions = []
    for prediction in predictions:
        draft = _Result(prediction, text, task, where, losses).draft
        if prediction.get("score") is not None:
            losses.add("scores of whole predictions", where, prediction["score"])
        source = _version(prediction, where)
        suggestions.append(fit_suggestion(source, draft, task, losses, where))
    return Item(
        text=text,
        where=where,
        id=_read.id(data.pop("id", None), where) or _read.id(record.get("id"), where),
        meta=data,
        answers=tuple(answer for answer in answers if answer is not None),
        suggestions=tuple(suggestions),
    )


def _pop_text(data: Dict[str, Any], where: str) -> str:
    """The text of a task: under "text", or the only string there is."""
    strings = [name for name, value in data.items() if isinstance(value, str) and name != SAW]
    if "text" not in data and len(strings) != 1:
        problem = f"its data has the strings {', '.join(strings) or '(none)'}"
        raise _read.refuse(where, problem, "the text under 'text'")
    name = "text" if "text" in data else strings[0]
    text = _read.text(data, name, where)
    del data[name]
    return text


def _version(prediction: Dict[str, Any], where: str) -> str:
    return _read.string(prediction, "model_version", where) or SOURCE


def _read_annotation(
    record: Dict[str, Any],
    text: str,
    seen: Optional[str],
    task: ExchangeTask,
    where: str,
    losses: Losses,
) -> Optional[Answer]:
    _count_fields(record, ANNOTATION_FIELDS, "annotations", losses, where)
    if _read.flag(record, "ground_truth", where):
        losses.add("marks as ground truth", where)
    action = _read.string(record, "action", where)
    if action is not None and action not in ACTIONS:
        raise _read.refuse(where, f"its action is {action!r}", f"one of {', '.join(ACTIONS)}")
    cancelled = _read.flag(record, "was_cancelled", where)
    result = _Result(record, text, task, where, losses)
    if seen is None and (result.predicted or record.get("parent_prediction") is not None):
        seen = SOURCE
    # The server keeps was_cancelled and loses ours: where the two disagree, somebody answered anew.
    ours = action is not None and (action != ACCEPT) == cancelled
    answer = Answer(
        action=action if ours and action is not None else SKIP if cancelled else ACCEPT,
        annotator=_annotator(record, where),
        saw_proposal=seen,
        seconds=_read.number(record, "lead_time", where),
        time=_time(record, where),
    )
    return fit_answer(answer, result.draft, task, losses, where)


def _annotator(record: Dict[str, Any], where: str) -> Optional[str]:
    value = record.get("completed_by")
    if isinstance(value, dict):
        value = value.get("email") or value.get("username") or value.get("id")
    return _read.id(value, where) or _read.string(record, "annotator", where)


def _time(record: Dict[str, Any], where: str) -> Optional[float]:
    told = _read.string(record, "updated_at", where) or _read.string(record, "created_at", where)
    if told is None:
        return None
    try:
        read = datetime.fromisoformat(told)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError) as e:
        problem = f"its time is {told!r}"
        raise _read.refuse(where, problem, "a time like 2026-01-31T12:00:00Z") from e


class _Result:
    """The annotations of one `result`, read as those of one task."""

    def __init__(
        self,
        record: Dict[str, Any],
        text: str,
        task: ExchangeTask,
        where: str,
        losses: Losses,
    ) -> None:
        self.text = text
        self.task = task
        self.where = where
        self.losses = losses
        self.draft = Draft()
        self.predicted = False
        self.links: Dict[str, str] = {}
        self.regions: Dict[str, Tuple[int, int]] = {}
        items = _read.objects(record, "result", where)
        labelled: List[Dict[str, Any]] = []
        relations: List[Dict[str, Any]] = []
        others: List[Dict[str, Any]] = []
        for item in items:
            _count_fields(item, RESULT_FIELDS, "regions", losses, where)
            if item.get("meta"):
                losses.add("notes of regions", where)
            self.predicted = self.predicted or item.get("origin") in PREDICTED
            kind = _read.text(item, "type", where)
            {"labels": labelled, "relation": relations}.get(kind, others).append(item)
        for item in others:
            self._read_other(item)
        self._read_regions(labelled)
        for item in relations:
            self._read_relation(item)

    def _read_other(self, item: Dict[str, Any]) -> None:
        """Choices about the whole text; and what is said about one region."""
        kind, value = item["type"], _read.mapping(item, "value", self.where)
        regional = "start" in value or "end" in value
        if kind == "choices" and not regional:
            score, source = self._score(item)
            for name in _read.strings(value, "choices", self.where):
                self.draft.cats.append(CategoryAnnotation(name, score, source))
        elif regional and kind in LINK_TYPES and self.task.kind == "linking":
            chosen = _chosen(value, kind, self.where)
            id_ = _read.text(item, "id", self.where)
            if len(chosen) == 1 and id_ not in self.links:
                self.links[id_] = chosen[0].strip()
            else:
                self.draft.problem("not_allowed", f"several links of one mention: {chosen}")
        elif regional:
            self.losses.add("attributes of single regions", self.where, kind)
        else:
            self.losses.add(FOREIGN + f"results of type '{kind}'", self.where)

    def _read_regions(self, items: List[Dict[str, Any]]) -> None:
        wanted = []
        values = [_read.mapping(item, "value", self.where) for item in items]
        for value in values:
            start, end = _read.offsets(value, self.text, self.where)
            wanted.append((start, end, _read.string(value, "text", self.where)))
        places, units, ambiguous = find_places(self.text, wanted)
        if units and units[0] != CODE_POINTS:
            self.losses.note(f"offsets that count {units[0]}, converted", self.where)
        if ambiguous:
            reason = f"offsets that fit the quoted text in two ways, taken as {units[0]}"
            self.losses.note(reason, self.where)
        for item, value, place, (start, end, _) in zip(items, values, places, wanted, strict=True):
            if place is None:
                self.draft.problem("not_found", f"offsets {start} to {end}")
                continue
            id_ = _read.string(item, "id", self.where)
            if id_ is not None:
                self.regions[id_] = place
            names = _read.strings(value, "labels", self.where)
            if not names and self.task.kind in ("ner", "spancat"):
                self.losses.add("regions without a label", self.where)
            if self.task.kind in ("linking", "relations"):
                names = names[:1] or [""]
            kb_id = None if id_ is None else self.links.get(id_)
            self.draft.spans += [
                SpanAnnotation(*place, name, kb_id, *self._score(item)) for name in names
            ]

    def _read_relation(self, item: Dict[str, Any]) -> None:
        ends = [self.regions.get(_read.text(item, n, self.where)) for n in ("from_id", "to_id")]
        names = _read.strings(item, "labels", self.where)
        direction = _read.string(item, "direction", self.where) or "right"
        if direction == "left":
            ends.reverse()
        head, tail = ends
        if head is None or tail is None:
            self.draft.problem("not_found", "a region of a relation")
        elif direction not in ("left", "right"):
            self.draft.problem("not_allowed", f"a relation with direction '{direction}'")
        elif not names:
            self.draft.problem("not_allowed", "a relation without a label")
        else:
            self.draft.relations += [
                RelationAnnotation(*head, *tail, name, *self._score(item)) for name in names
            ]

    def _score(self, item: Dict[str, Any]) -> Tuple[Optional[float], Optional[str]]:
        score = _read.number(item, "score", self.where)
        return score, None if score is None else SOURCE


def _chosen(value: Dict[str, Any], kind: str, where: str) -> List[str]:
    """What was written or chosen for a region; of a path in a taxonomy its end."""
    if kind == "taxonomy":
        paths = _read.many(value, "taxonomy", where)
        return [str(path[-1]) for path in paths if isinstance(path, list) and path]
    name = "text" if kind == "textarea" else "choices"
    if isinstance(value.get(name), str):
        return [_read.text(value, name, where)]
    return _read.strings(value, name, where)


def _count_fields(
    record: Dict[str, Any], known: "set[str]", what: str, losses: Losses, where: str
) -> None:
    for name in sorted(record.keys() - known):
        if record[name] not in (None, [], {}, "", 0, False):
            losses.add(f"field '{name}' of {what}", where)
