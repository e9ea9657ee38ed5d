"""What is said about a text: spans, categories, relations."""

from dataclasses import dataclass
from typing import Optional, Tuple

from .base import Record


@dataclass(frozen=True, order=True)
class SpanAnnotation(Record):
    """A labelled stretch of text. Offsets count characters, `end` is exclusive."""

    start: int
    end: int
    label: str = ""
    kb_id: Optional[str] = None
    score: Optional[float] = None
    score_source: Optional[str] = None


@dataclass(frozen=True, order=True)
class CategoryAnnotation(Record):
    """A category that holds for the whole text."""

    label: str
    score: Optional[float] = None
    score_source: Optional[str] = None


@dataclass(frozen=True, order=True)
class RelationAnnotation(Record):
    """A labelled relation from one mention to another. Offsets as in `SpanAnnotation`."""

    head_start: int
    head_end: int
    tail_start: int
    tail_end: int
    label: str
    score: Optional[float] = None
    score_source: Optional[str] = None


@dataclass(frozen=True)
class Annotation(Record):
    """All that one task says about one text. What is not listed does not hold."""

    spans: Tuple[SpanAnnotation, ...] = ()
    cats: Tuple[CategoryAnnotation, ...] = ()
    relations: Tuple[RelationAnnotation, ...] = ()


NOTHING = Annotation()  # said with care: not the same as no annotation at all
