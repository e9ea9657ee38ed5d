"""Entity links on the Doc: ent.kb_id_ of the mentions in doc.ents."""

from typing import Optional

from spacy.tokens import Doc, Span

from ...records import Annotation, SpanAnnotation


def set_links(doc: Doc, annotation: Annotation) -> None:
    """Write catalog ids to the entities with the same offsets; all others stay as they are."""
    links = {(s.start, s.end): s.kb_id or "" for s in annotation.spans}
    ents = [
        Span(
            doc,
            ent.start,
            ent.end,
            label=ent.label,
            kb_id=links.get((ent.start_char, ent.end_char), ent.kb_id_),
            span_id=ent.id,
        )
        for ent in doc.ents
    ]
    doc.set_ents(ents, default="unmodified")


def get_links(doc: Doc, *, nil: Optional[str] = None) -> Annotation:
    """Read the links of all mentions.

    doc (Doc): A document with entities.
    nil (Optional[str]): Id to report for mentions that no component has linked; they are left out
        if it is None.
    RETURNS (Annotation): Spans with their catalog id or NIL.
    """
    return Annotation(
        spans=tuple(
            SpanAnnotation(e.start_char, e.end_char, e.label_, kb_id=e.kb_id_ or nil)
            for e in doc.ents
            if e.kb_id_ or nil is not None
        )
    )
