"""Prodigy JSONL, read: one record per text and answer.

`token_end` is inclusive there, head and child of a relation are the last tokens of their spans,
and a linking task asks about one mention per record.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Dict, Iterable, List, Optional, Set, Tuple

from ...records import (
    ACCEPT,
    FLAG,
    NIL,
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
from .offsets import find_places

TOOL = "Prodigy"
ACTIONS = {"accept": ACCEPT, "reject": REJECT, "ignore": SKIP}
HASHES = ("_input_hash", "_task_hash")
# What a record may hold that is read here, or says nothing about the text.
FIELDS = {
    *("text", "meta", "id", "tokens", "spans", "relations", "options", "accept", "label"),
    *("answer", "flagged", "_session_id", "_annotator_id", "_view_id", "_timestamp", "config", SAW),
    *HASHES,
}
SPAN_FIELDS = {
    *("text", "start", "end", "token_start", "token_end", "label", "score", "source", "kb_id"),
    *("type", "color", "hidden", "pattern", "input_hash"),
}
RELATION_FIELDS = {"head", "child", "head_span", "child_span", "label", "color", "score"}
BINARY_VIEW = "ner"  # one suggested span at a time; the manual view is called ner_manual

_read = Reader(TOOL)


@dataclass
class _Record:
    """A record, understood; for linking, all records of one text and annotator."""

    where: str
    text: str
    id: Optional[str]
    meta: Dict[str, Any]
    answer: Optional[Answer]
    sources: List[str]
    draft: Draft = field(default_factory=Draft)


def read_prodigy(
    records: Iterable[Tuple[str, Dict[str, Any]]], task: ExchangeTask
) -> Tuple[List[Item], LossReport]:
    """Read Prodigy's records.

    records (Iterable[Tuple[str, Dict[str, Any]]]): "file:line" and record.
    task (ExchangeTask): The task they are about.
    RETURNS (Tuple[List[Item], LossReport]): One item per record (linking: per text and annotator),
        and what was lost.
    RAISES (InputError): At the first record that is none of Prodigy's.
    """
    losses = Losses()
    found = [_read_record(where, record, task, losses) for where, record in records]
    if task.kind == "linking":
        found = _join_mentions(found, losses)
    return [_finish(record, task, losses) for record in found], losses.report()


def _read_record(where: str, record: Dict[str, Any], task: ExchangeTask, losses: Losses) -> _Record:
    _read.check(record, where)
    for name in sorted(record.keys() - FIELDS):
        losses.add(f"field '{name}'", where)
    text = _read.text(record, "text", where)
    meta = dict(_read.mapping(record, "meta", where))
    id_ = _read.id(meta.pop("id", None), where) or _read.id(record.get("id"), where)
    meta.update({name: record[name] for name in HASHES if name in record})
    spans = _read.objects(record, "spans", where)
    sources = sorted({s for span in spans if (s := _read.string(span, "source", where))})
    seen = _read.string(record, SAW, where)
    _count_foreign(record, task, where, losses)
    asked = _Annotations(record, text, where, losses)
    asked.read(task)
    answer = _read_answer(record, where, seen or ", ".join(sources) or None)
    if answer is not None and asked.binary and answer.action in (ACCEPT, REJECT):
        # No to one suggestion is an answer to all that was asked, not the end of the text.
        answer = replace(answer, action=ACCEPT, saw_proposal=answer.saw_proposal or TOOL.lower())
    return _Record(
        where=where,
        text=text,
        id=id_,
        meta=meta,
        answer=answer,
        sources=[seen] if seen else sources,
        draft=asked.draft,
    )


def _read_answer(record: Dict[str, Any], where: str, seen: Optional[str]) -> Optional[Answer]:
    answer = _read.string(record, "answer", where)
    flagged = _read.flag(record, "flagged", where)
    if answer is None and not flagged:
        return None
    if answer is not None and answer not in ACTIONS:
        raise _read.refuse(where, f"its answer is {answer!r}", "accept, reject or ignore")
    names = (_read.string(record, name, where) for name in ("_annotator_id", "_session_id"))
    return Answer(
        action=FLAG if answer in (None, "ignore") and flagged else ACTIONS[answer or ""],
        annotator=next((name for name in names if name), None),
        saw_proposal=seen,
        time=_read.number(record, "_timestamp", where),
        flagged=flagged,
    )


def _count_foreign(record: Dict[str, Any], task: ExchangeTask, where: str, losses: Losses) -> None:
    """What the record says that is about another kind of task."""
    kind = task.kind
    mine = {
        "spans": kind != "textcat",
        "relations": kind == "relations",
        "accept": kind in ("textcat", "linking"),
        "label": kind == "textcat",
    }
    for name in (name for name, is_mine in mine.items() if record.get(name) and not is_mine):
        losses.add(FOREIGN + f"'{name}' of records", where)
    for option in _read.objects(record, "options", where):
        if option.keys() & {"html", "image"}:
            losses.add("HTML or images of options", where, option.get("id", ""))


def _finish(record: _Record, task: ExchangeTask, losses: Losses) -> Item:
    item = Item(record.text, record.where, record.id, record.meta)
    if record.answer is not None:
        answer = fit_answer(record.answer, record.draft, task, losses, record.where)
        return item if answer is None else replace(item, answers=(answer,))
    if record.draft.silent or (record.draft.empty and not record.sources):
        return item
    source = ", ".join(record.sources) or TOOL.lower()
    suggestion = fit_suggestion(source, record.draft, task, losses, record.where)
    return replace(item, suggestions=(suggestion,))


class _Annotations:
    """The annotations of one record, read as those of one kind of task."""

    def __init__(self, record: Dict[str, Any], text: str, where: str, losses: Losses) -> None:
        self.record = record
        self.text = text
        self.where = where
        self.losses = losses
        self.spans = _read.objects(record, "spans", where)
        self.choice = "accept" in record or "options" in record
        self.denied = record.get("answer") == "reject"
        self.binary = False
        self.draft = Draft()

    def read(self, task: ExchangeTask) -> None:
        """Fill the draft with what the record says about the task."""
        if task.kind == "textcat":
            self._read_cats(task)
        elif task.kind == "linking":
            self._read_links(task)
        elif task.kind == "relations":
            self._read_relations()
        else:
            self._read_spans()

    def _read_spans(self) -> None:
        other = self.choice or "label" in self.record or "relations" in self.record
        self.draft.silent = "spans" not in self.record and other
        self.draft.spans = self._labelled()
        if self.record.get("_view_id") == BINARY_VIEW and self.draft.spans:
            self.binary = True
            self.draft.labels = tuple(dict.fromkeys(s.label for s in self.draft.spans))
            self.draft.ranges = tuple((s.start, s.end) for s in self.draft.spans)
            if self.denied and len(self.draft.spans) > 1:
                self.draft.problem("unanswered", "a no to several spans at once")
            self.draft.spans = [] if self.denied else self.draft.spans

    def _read_cats(self, task: ExchangeTask) -> None:
        labels, exclusive = task.header.labels, task.header.exclusive
        if self.choice:
            names = _read.strings(self.record, "accept", self.where)
            options = _read.objects(self.record, "options", self.where)
            offered = {_read.id(option.get("id"), self.where) for option in options} or set(labels)
        else:
            name = _read.string(self.record, "label", self.where)
            names = [] if name is None else [name]
            offered = set(names)
            self.binary = bool(names)
            self.draft.silent = not names
        if self.binary and self.denied:
            names = []
        # One of several that exclude each other says all; whether others hold was not asked.
        if not self.draft.silent and not (exclusive and names) and not offered >= set(labels):
            self.draft.labels = tuple(label for label in labels if label in offered)
        self.draft.cats = [CategoryAnnotation(name) for name in names]

    def _read_links(self, task: ExchangeTask) -> None:
        mentions = self._labelled(label="")
        if not self.choice:
            self.draft.silent = not mentions
            self.draft.spans = mentions
            return
        chosen = _read.strings(self.record, "accept", self.where)
        if len(mentions) == 1 and len(chosen) == 1:
            known = chosen[0] in task.header.labels or not chosen[0].startswith(NIL)
            kb_id = chosen[0] if known else NIL  # there may be several kinds of "none of these"
            self.draft.spans = [replace(mentions[0], kb_id=kb_id)]
        elif mentions or chosen:
            detail = f"{len(mentions)} mentions and {len(chosen)} chosen entries"
            self.draft.problem("unanswered", detail)

    def _read_relations(self) -> None:
        self.draft.silent = "relations" not in self.record
        self.draft.spans = self._labelled(label="")
        for relation in _read.objects(self.record, "relations", self.where):
            self._count_fields(relation, RELATION_FIELDS, "relations")
            head, tail = (self._end(relation, name) for name in ("head", "child"))
            if head is None or tail is None:
                continue
            label = _read.text(relation, "label", self.where)
            self.draft.relations.append(
                RelationAnnotation(*head, *tail, label, *_score(relation, self.where))
            )

    def _end(self, relation: Dict[str, Any], name: str) -> Optional[Tuple[int, int]]:
        """Where head or child of a relation stands."""
        span = _read.mapping(relation, f"{name}_span", self.where)
        if not span:
            index = _read.whole(relation, name, self.where)
            tokens = _read.objects(self.record, "tokens", self.where)
            found = (s for s in self.spans if s.get("token_end") == index)
            span = next(found, tokens[index] if 0 <= index < len(tokens) else {})
        if not span:
            self.draft.problem("not_found", f"the {name} of a relation: token {index}")
            return None
        start, end = _read.offsets(span, self.text, self.where)
        quote = _read.string(span, "text", self.where)
        (place,), _, _ = find_places(self.text, [(start, end, quote)])
        if place is None:
            self.draft.problem("not_found", f"offsets {start} to {end}")
        return place

    def _labelled(self, *, label: Optional[str] = None) -> List[SpanAnnotation]:
        """The spans with their places; `label` stands in for a missing one."""
        found = []
        wanted = []
        for span in self.spans:
            start, end = _read.offsets(span, self.text, self.where)
            wanted.append((start, end, _read.string(span, "text", self.where)))
        places, _, _ = find_places(self.text, wanted)
        for span, place, (start, end, _) in zip(self.spans, places, wanted, strict=True):
            self._count_fields(span, SPAN_FIELDS, "spans")
            given = label is None or span.get("label") is not None
            name = _read.text(span, "label", self.where) if given else label
            if place is None:
                self.draft.problem("not_found", f"offsets {start} to {end}")
                continue
            kb_id = _read.id(span.get("kb_id"), self.where)
            found.append(SpanAnnotation(*place, name or "", kb_id, *_score(span, self.where)))
        return found

    def _count_fields(self, value: Dict[str, Any], known: Set[str], what: str) -> None:
        for name in sorted(value.keys() - known):
            self.losses.add(f"field '{name}' of {what}", self.where)


def _score(value: Dict[str, Any], where: str) -> Tuple[Optional[float], Optional[str]]:
    score = _read.number(value, "score", where)
    return score, None if score is None else TOOL.lower()


def _join_mentions(records: List[_Record], losses: Losses) -> List[_Record]:
    """All mentions of a text that one person (or nobody) answered, as one record."""
    groups: Dict[Tuple[str, bool, Optional[str]], List[_Record]] = {}
    for record in records:
        name = None if record.answer is None else record.answer.annotator
        groups.setdefault((record.text, record.answer is None, name), []).append(record)
    return [_join(group, losses) for group in groups.values()]


def _join(group: List[_Record], losses: Losses) -> _Record:
    first, last = group[0], group[-1]
    if len({record.answer and record.answer.action for record in group}) > 1:
        losses.add(
            "not stored as a decision: the mentions of one text were answered differently",
            first.where,
            f"{len(group)} records",
        )
        return replace(first, answer=None, draft=Draft(silent=True), sources=[])
    by_place: Dict[Tuple[int, int], SpanAnnotation] = {}
    for record in group:
        for span in record.draft.spans:
            if (span.start, span.end) in by_place:
                losses.add("earlier answers about the same mention", record.where)
            by_place[span.start, span.end] = span
    draft = Draft(
        spans=list(by_place.values()),
        problems=[p for record in group for p in record.draft.problems],
        silent=all(record.draft.silent for record in group),
    )
    sources = sorted({source for record in group for source in record.sources})
    answer = last.answer
    if answer is not None:
        answer = replace(answer, saw_proposal=", ".join(sources) or None)
    return replace(first, answer=answer, draft=draft, sources=sources)
