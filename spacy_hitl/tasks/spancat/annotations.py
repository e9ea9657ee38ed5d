"""Span categories on the Doc: a group in doc.spans."""

from spacy.tokens import Doc

from ...records import Annotation
from ..spans import from_spans, to_spans


def set_span_categories(doc: Doc, annotation: Annotation, *, key: str) -> None:
    """Write the group doc.spans[key]; other groups stay."""
    doc.spans[key] = to_spans(doc, annotation)


def get_span_categories(doc: Doc, *, key: str) -> Annotation:
    """RETURNS (Annotation): The spans of doc.spans[key]."""
    return from_spans(doc.spans[key]) if key in doc.spans else Annotation()
