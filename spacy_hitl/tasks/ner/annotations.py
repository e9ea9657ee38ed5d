"""Entities on the Doc."""

from typing import List

from spacy.tokens import Doc, Span
from spacy.util import filter_spans

from ...records import Annotation
from ..spans import from_spans, to_spans


def set_entities(doc: Doc, annotation: Annotation) -> None:
    """Write entities next to those of other components; where two overlap, ours win."""
    ours: List[Span] = filter_spans(to_spans(doc, annotation))
    covered = {i for span in ours for i in range(span.start, span.end)}
    others = [e for e in doc.ents if not covered.intersection(range(e.start, e.end))]
    doc.set_ents(ours + others, default="unmodified" if not ours and others else "outside")


def get_entities(doc: Doc, labels: "tuple[str, ...]") -> Annotation:
    """RETURNS (Annotation): The entities with one of the labels."""
    return from_spans(e for e in doc.ents if e.label_ in labels)
