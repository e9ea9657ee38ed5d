"""Annotations below a score become unknown, never negative. Pure.

What is unknown has no form of its own in every kind of training data:

ner                 the tokens are missing (spaCy's "-")
textcat_multilabel  the key is absent from doc.cats
linking             the mention is not shown
textcat, spancat and relations have no such form: the text is left out
"""

from dataclasses import dataclass
from typing import List, Sequence, Tuple, TypeVar, Union

from ...records import (
    NOTHING,
    Annotation,
    CategoryAnnotation,
    RelationAnnotation,
    SpanAnnotation,
    TaskHeader,
    TaskRow,
)
from ...scoring.scores import CALIBRATED

_Any = Union[SpanAnnotation, CategoryAnnotation, RelationAnnotation]
_One = TypeVar("_One", SpanAnnotation, CategoryAnnotation, RelationAnnotation)


@dataclass(frozen=True)
class Sorted:
    """An annotation in two parts.

    sure: what holds. doubtful: what may or may not hold.
    """

    sure: Annotation
    doubtful: Annotation = NOTHING

    @property
    def complete(self) -> bool:
        """Whether nothing is doubtful."""
        return self.doubtful == NOTHING


def sort_out(annotation: Annotation, min_score: float) -> Sorted:
    """Divide an annotation by the scores in it.

    annotation (Annotation): Of a proposal.
    min_score (float): Lowest score of what holds. What has no score is doubtful: nothing says that
        it is above.
    RETURNS (Sorted): Each span, category and relation in one of the two parts.

    >>> spans = (SpanAnnotation(0, 2, "A", score=0.9), SpanAnnotation(3, 5, "A", score=0.4))
    >>> [span.start for span in sort_out(Annotation(spans=spans), 0.5).doubtful.spans]
    [3]
    """
    spans = _divide(annotation.spans, min_score)
    cats = _divide(annotation.cats, min_score)
    relations = _divide(annotation.relations, min_score)
    return Sorted(*(Annotation(*parts) for parts in zip(spans, cats, relations, strict=True)))


def _divide(found: Sequence[_One], min_score: float) -> Tuple[Tuple[_One, ...], Tuple[_One, ...]]:
    above = tuple(a for a in found if a.score is not None and a.score >= min_score)
    return above, tuple(a for a in found if a.score is None or a.score < min_score)


def can_be_unknown(header: TaskHeader) -> bool:
    """RETURNS (bool): Whether training data of this task can say "unknown"; else texts with
    something doubtful are left out."""
    several = header.kind == "textcat" and not header.exclusive
    return several or header.kind in ("ner", "linking")


@dataclass(frozen=True)
class Doubts:
    """How many annotations of usable proposals on undecided texts are sure.

    total: all of them. scored: with a score. calibrated: with a calibrated one. sure: at or above
    the lowest score.
    """

    total: int = 0
    scored: int = 0
    calibrated: int = 0
    sure: int = 0


def count_doubts(rows: Sequence[TaskRow], min_score: float) -> Doubts:
    """RETURNS (Doubts): Counted over the rows whose proposals would teach."""
    found: List[_Any] = []
    for row in rows:
        if row.decision is None and row.proposal is not None and row.proposal.usable:
            proposed = row.proposal.annotation
            found += [*proposed.spans, *proposed.cats, *proposed.relations]
    scores = [one.score for one in found if one.score is not None]
    return Doubts(
        total=len(found),
        scored=len(scores),
        calibrated=sum((one.score_source or "").startswith(CALIBRATED) for one in found),
        sure=sum(score >= min_score for score in scores),
    )
