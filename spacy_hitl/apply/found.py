"""What stands on a document, as a record in character offsets. Pure."""

from typing import Any, Tuple

from spacy.tokens import Doc, Span, SpanGroup

from ..errors import InputError
from ..io import text_digest
from ..records import (
    CategoryAnnotation,
    Found,
    RelationAnnotation,
    Row,
    SpanAnnotation,
    SpanGroupFound,
    Status,
)
from ..tasks.base import PROPOSALS_KEY, get_proposals
from ..tasks.relations.annotations import EXTENSION, get_relations
from .drift import abstained

REL: Any = ("._.", EXTENSION, None, None)  # where spaCy keeps doc._.rel


def doc_to_record(doc: Doc, row: Row) -> Found:
    """Collect what a pipeline found.

    doc (Doc): The annotated text.
    row (Row): The row it belongs to.
    RETURNS (Found): Entities with their links, categories, span groups, relations.
    """
    return Found(
        source=row.source,
        id=row.id,
        text_digest=text_digest(row.text),
        ents=tuple(_span(ent) for ent in doc.ents),
        cats=tuple(CategoryAnnotation(label, float(score)) for label, score in doc.cats.items()),
        spans=tuple(_group(key, group) for key, group in doc.spans.items()) if doc.spans else (),
        relations=_relations(doc),
        unanswered=unanswered(doc),
        abstained=abstained(doc),
    )


def unanswered(doc: Doc) -> Tuple[Tuple[str, Status], ...]:
    """RETURNS (Tuple[Tuple[str, Status], ...]): Prompted components whose model gave no usable
    answer for a document, with the status of it.
    """
    if PROPOSALS_KEY not in doc.user_data:
        return ()
    return tuple((name, p.status) for name, p in get_proposals(doc).items() if not p.usable)


def _span(span: Span) -> SpanAnnotation:
    return SpanAnnotation(span.start_char, span.end_char, span.label_, span.kb_id_ or None)


def _group(key: str, group: SpanGroup) -> SpanGroupFound:
    spans = [_span(span) for span in group]
    scores = group.attrs.get("scores")
    if scores is not None and len(scores) == len(spans):
        spans = [
            SpanAnnotation(s.start, s.end, s.label, s.kb_id, float(score))
            for s, score in zip(spans, scores, strict=True)
        ]
    return SpanGroupFound(key, tuple(spans))


def _relations(doc: Doc) -> Tuple[RelationAnnotation, ...]:
    if not doc.user_data.get(REL):
        return ()
    try:
        return get_relations(doc).relations
    except InputError:  # doc._.rel of another package: not ours to write
        return ()
