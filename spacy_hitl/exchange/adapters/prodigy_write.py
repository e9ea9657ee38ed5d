"""Prodigy JSONL, written: decided texts as annotated, others with what was proposed for them."""

from bisect import bisect_left, bisect_right
from itertools import pairwise
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from ...records import (
    ACCEPT,
    FLAG,
    NIL,
    REJECT,
    SKIP,
    Annotation,
    RelationAnnotation,
    SpanAnnotation,
)
from ...tasks.relations.annotations import MENTION, mentions_of
from .items import SAW, Answer, ExchangeTask, Item
from .losses import Losses, LossReport
from .prodigy import HASHES

Tokens = Sequence[Tuple[int, int]]
Tokenize = Callable[[str], Tokens]
ANSWERS = {ACCEPT: "accept", REJECT: "reject", SKIP: "ignore", FLAG: "ignore"}
VIEWS = {
    "ner": "ner_manual",
    "spancat": "spans_manual",
    "textcat": "choice",
    "linking": "choice",
    "relations": "relations",
}
MAX_CANDIDATES = 8


def write_prodigy(
    items: Sequence[Item], task: ExchangeTask, tokenize: Tokenize
) -> Tuple[List[Dict[str, Any]], LossReport]:
    """Write records for Prodigy.

    items (Sequence[Item]): Texts with answers, or with a suggestion.
    task (ExchangeTask): The task.
    tokenize (Tokenize): Start and end of each token of a text.
    RETURNS (Tuple[List[Dict[str, Any]], LossReport]): One record per text and answer (linking: per
        mention), and what was lost.
    """
    losses = Losses()
    records = [r for item in items for r in _write_item(item, task, tokenize, losses)]
    return records, losses.report()


def _write_item(
    item: Item, task: ExchangeTask, tokenize: Tokenize, losses: Losses
) -> Iterator[Dict[str, Any]]:
    base = _base(item, task, losses)
    for answer in item.answers:
        record = {**base, **_answer(answer, item, losses)}
        yield from _Writer(task, tokenize, item, None, losses).records(record, answer.annotation)
    if not item.answers and item.suggestions:
        one = item.suggestions[0]
        record = {**base, SAW: one.source}
        yield from _Writer(task, tokenize, item, one.source, losses).records(record, one.annotation)
    elif not item.answers:
        yield from _Writer(task, tokenize, item, None, losses).records(base, None)


def _base(item: Item, task: ExchangeTask, losses: Losses) -> Dict[str, Any]:
    meta = {k: v for k, v in item.meta.items() if k not in HASHES}
    if "id" in meta:
        losses.add("field 'id' of the meta of rows", item.where)
    hashes = {k: item.meta[k] for k in HASHES if k in item.meta}
    return {
        "text": item.text,
        "meta": {**meta, "id": item.id},
        "_view_id": VIEWS[task.kind],
        **hashes,
    }


def _answer(answer: Answer, item: Item, losses: Losses) -> Dict[str, Any]:
    record: Dict[str, Any] = {"answer": ANSWERS[answer.action]}
    if answer.action == FLAG or answer.flagged:
        record["flagged"] = True
    if answer.annotator is not None:
        record["_annotator_id"] = answer.annotator
    if answer.time is not None:
        record["_timestamp"] = int(answer.time)
    if answer.saw_proposal is not None:
        record[SAW] = answer.saw_proposal
    if answer.seconds is not None:
        losses.add("how long decisions took", item.where)
    return record


class _Writer:
    """Writes the annotations of one text."""

    def __init__(
        self,
        task: ExchangeTask,
        tokenize: Tokenize,
        item: Item,
        source: Optional[str],
        losses: Losses,
    ) -> None:
        self.task = task
        self.tokenize = tokenize
        self.item = item
        self.source = source
        self.losses = losses

    def records(
        self, record: Dict[str, Any], annotation: Optional[Annotation]
    ) -> Iterator[Dict[str, Any]]:
        """YIELDS (Dict[str, Any]): The record with the annotation; for linking one per mention."""
        if self.task.kind == "textcat":
            yield {**record, **self._cats(annotation)}
            return
        spans = () if annotation is None else annotation.spans
        if annotation is not None and self.task.kind == "relations":
            spans = mentions_of(annotation, label=MENTION)
        tokens = _split(self.tokenize(self.item.text), spans)
        shown = {"tokens": [self._token(i, tokens) for i in range(len(tokens))]}
        if annotation is None:
            yield {**record, **shown}
        elif self.task.kind == "linking":
            for span in annotation.spans:
                options = self._options(span)
                accept = [span.kb_id or NIL]
                mention = {"spans": [self._span(span, tokens)], "options": options}
                yield {**record, **shown, **mention, "accept": accept}
            if not annotation.spans:
                yield {**record, **shown, "spans": [], "options": [], "accept": []}
        else:
            written = [self._span(span, tokens) for span in spans]
            found = {**record, **shown, "spans": written}
            if self.task.kind == "relations":
                found["relations"] = [self._relation(r, tokens) for r in annotation.relations]
            yield found

    def _cats(self, annotation: Optional[Annotation]) -> Dict[str, Any]:
        exclusive = self.task.header.exclusive
        held = [] if annotation is None else [c.label for c in annotation.cats]
        labels = dict.fromkeys((*self.task.header.labels, *held))
        values: Dict[str, Any] = {
            "options": [{"id": label, "text": label} for label in labels],
            "config": {"choice_style": "single" if exclusive else "multiple"},
        }
        if annotation is not None:
            values["accept"] = held
            if any(c.score is not None for c in annotation.cats):
                self.losses.add("scores of proposed categories", self.item.where)
        return values

    def _token(self, index: int, tokens: Tokens) -> Dict[str, Any]:
        start, end = tokens[index]
        text = self.item.text
        followed = tokens[index + 1][0] if index + 1 < len(tokens) else len(text)
        space = end < followed
        return {"text": text[start:end], "start": start, "end": end, "id": index, "ws": space}

    def _span(self, span: SpanAnnotation, tokens: Tokens) -> Dict[str, Any]:
        first, last = _ends(span.start, span.end, tokens)
        if (tokens[first][0], tokens[last][1]) != (span.start, span.end):
            reason = "spans with white space at an edge: Prodigy shows whole tokens"
            self.losses.note(reason, self.item.where, f"{span.start} to {span.end}")
        written: Dict[str, Any] = {
            "start": span.start,
            "end": span.end,
            "token_start": first,
            "token_end": last,
            "label": span.label or MENTION,
            "text": self.item.text[span.start : span.end],
        }
        if self.source is not None:
            written["source"] = self.source
            if span.score is not None:
                written["score"] = span.score
        return written

    def _relation(self, relation: RelationAnnotation, tokens: Tokens) -> Dict[str, Any]:
        head = self._span(SpanAnnotation(relation.head_start, relation.head_end), tokens)
        child = self._span(SpanAnnotation(relation.tail_start, relation.tail_end), tokens)
        written = {
            "head": head["token_end"],
            "child": child["token_end"],
            "head_span": head,
            "child_span": child,
            "label": relation.label,
        }
        if self.source is not None and relation.score is not None:
            written["score"] = relation.score
        return written

    def _options(self, span: SpanAnnotation) -> List[Dict[str, Any]]:
        """The entries that the mention may mean: by their forms, the chosen one, and none."""
        form = self.item.text[span.start : span.end].casefold()
        ids = self.task.ids_by_form.get(form, [])[:MAX_CANDIDATES]
        chosen = [] if span.kb_id in (None, NIL) else [str(span.kb_id)]
        options = [
            {"id": id_, "text": self.task.names.get(id_, id_)}
            for id_ in dict.fromkeys((*ids, *chosen))
        ]
        return [*options, {"id": NIL, "text": "not in the catalog"}]


def _split(tokens: Tokens, spans: Sequence[SpanAnnotation]) -> List[Tuple[int, int]]:
    """Tokens, cut where a span begins or ends inside one: Prodigy knows whole tokens only."""
    cuts = sorted({edge for s in spans for edge in (s.start, s.end)})
    found: List[Tuple[int, int]] = []
    for start, end in tokens:
        edges = [start, *cuts[bisect_right(cuts, start) : bisect_left(cuts, end)], end]
        found += pairwise(edges)
    return found


def _ends(start: int, end: int, tokens: Tokens) -> Tuple[int, int]:
    """First and last token of a span; of white space between tokens, the token before it."""
    first = bisect_right(tokens, start, key=lambda token: token[1])
    last = bisect_left(tokens, end, key=lambda token: token[0]) - 1
    return (first, last) if first <= last else (max(last, 0), max(last, 0))
