"""What ner, spancat and linking share: quoted answers, offsets, spans on the Doc."""

from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

from spacy.tokens import Doc, Span

from ..errors import Errors, InputError
from ..records import (
    EMPTY,
    MALFORMED,
    OK,
    UNALIGNED,
    Annotation,
    Counts,
    ParsedAnswer,
    Problem,
    SpanAnnotation,
)
from .answers import failure
from .base import unknown_label
from .grounding import Quote, ground


def token_offsets(doc: Doc) -> List[Tuple[int, int]]:
    """RETURNS (List[Tuple[int, int]]): Start and end of each token in characters."""
    return [(t.idx, t.idx + len(t)) for t in doc]


def quotes_schema(field: str, labels: Sequence[str]) -> Dict[str, Any]:
    """JSON schema of an answer that quotes the text, in the subset that all servers know."""
    item = {
        "type": "object",
        "properties": {
            "text": {"type": "string"},
            "label": {"type": "string", "enum": list(labels)},
        },
        "required": ["text", "label"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {field: {"type": "array", "items": item}},
        "required": [field],
        "additionalProperties": False,
    }


def parse_quotes(items: Any, *, labels: Sequence[str], doc: Doc, overlapping: bool) -> ParsedAnswer:
    """Ground a list of {"text", "label"} objects.

    items (Any): What the answer holds under its field.
    labels (Sequence[str]): The labels of the task.
    doc (Doc): The document that was asked about.
    overlapping (bool): Whether spans may overlap.
    RETURNS (ParsedAnswer): malformed if an item has another form or a label that the task does
        not have; else unaligned if something was not found; else ok or empty.
    """
    if not isinstance(items, list):
        return failure(MALFORMED, "schema", f"expected a list, found {type(items).__name__}")
    quotes: List[Quote] = []
    wrong: List[Problem] = []
    for item in items:
        text = item.get("text") if isinstance(item, dict) else None
        label = item.get("label") if isinstance(item, dict) else None
        if not isinstance(text, str) or not isinstance(label, str):
            wrong.append(Problem(kind="schema", detail=f"not a quote with a label: {item!r}"[:500]))
        elif label not in labels:
            wrong.append(Problem(kind="unknown_label", detail=f"{label}: {text}"[:500]))
        else:
            quotes.append(Quote(text, label))
    places, problems = ground(doc.text, token_offsets(doc), quotes, overlapping=overlapping)
    spans = tuple(SpanAnnotation(p.start, p.end, quotes[p.quote].value) for p in places)
    status = OK if spans else EMPTY
    if problems:
        status = UNALIGNED
    if wrong:
        status = MALFORMED
    return ParsedAnswer(status, Annotation(spans=spans), tuple(wrong + problems))


def to_spans(doc: Doc, annotation: Annotation) -> List[Span]:
    """Turn offsets into spans of the document.

    RETURNS (List[Span]): One span per annotation that stands on token boundaries.
    """
    found = []
    for s in annotation.spans:
        span = doc.char_span(s.start, s.end, label=s.label)
        if span is not None:
            found.append(span)
    return found


def from_spans(spans: Iterable[Span]) -> Annotation:
    """RETURNS (Annotation): Offsets and labels of spans, sorted."""
    return Annotation(
        spans=tuple(sorted(SpanAnnotation(s.start_char, s.end_char, s.label_) for s in spans))
    )


def check_offsets(value: Any, *, where: str, text: str, task: str) -> Tuple[int, int, Any]:
    """Read [start, end, label] and refuse offsets outside the text."""
    if not isinstance(value, (list, tuple)) or len(value) != 3:
        problem, remedy = f"found {value!r}", "Expected [start, end, label]."
        raise InputError(Errors.H061.format(where=where, problem=problem, task=task, remedy=remedy))
    start, end, label = value
    whole = type(start) is int and type(end) is int
    if not whole or not 0 <= start < end <= len(text):
        problem = f"offsets {start!r} to {end!r} in a text of {len(text)} characters"
        remedy = "Offsets count characters from 0, the end is exclusive."
        raise InputError(Errors.H061.format(where=where, problem=problem, task=task, remedy=remedy))
    return start, end, label


def read_compact_spans(
    value: Any, *, where: str, text: str, task: str, labels: Optional[Sequence[str]]
) -> Annotation:
    """Read [[start, end, label], ...]."""
    if not isinstance(value, list):
        problem, remedy = f"found {value!r}", "Expected a list of [start, end, label]."
        raise InputError(Errors.H061.format(where=where, problem=problem, task=task, remedy=remedy))
    spans = []
    for item in value:
        start, end, label = check_offsets(item, where=where, text=text, task=task)
        if labels is not None and label not in labels:
            raise unknown_label(where, label, task, labels)
        spans.append(SpanAnnotation(start, end, label))
    return Annotation(spans=tuple(sorted(spans)))


def refuse_overlap(annotation: Annotation, *, where: str, task: str) -> Annotation:
    """RETURNS (Annotation): The same, if no two spans overlap."""
    for one, other in zip(annotation.spans, annotation.spans[1:], strict=False):
        if other.start < one.end:
            problem = f"spans {one.start}-{one.end} and {other.start}-{other.end} overlap"
            remedy = "Entities can't overlap; use a spancat task for spans that do."
            raise InputError(
                Errors.H061.format(where=where, problem=problem, task=task, remedy=remedy)
            )
    return annotation


def compare_spans(gold: Annotation, predicted: Annotation) -> Dict[str, Counts]:
    """Count exact matches of (start, end, label) per label."""
    wanted = {(s.start, s.end, s.label) for s in gold.spans}
    found = {(s.start, s.end, s.label) for s in predicted.spans}
    return count_sets(wanted, found)


def count_sets(wanted: "set[Any]", found: "set[Any]") -> Dict[str, Counts]:
    """Count hits and errors of two sets of tuples whose last item is the label."""
    labels = {item[-1] for item in wanted | found}
    return {
        label: Counts(
            tp=sum(item[-1] == label for item in wanted & found),
            fp=sum(item[-1] == label for item in found - wanted),
            fn=sum(item[-1] == label for item in wanted - found),
        )
        for label in sorted(labels)
    }
