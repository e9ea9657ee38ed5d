"""What annotations say, without their scores: what votes are counted on and what is judged."""

from dataclasses import dataclass, replace
from typing import Callable, FrozenSet, Iterator, Optional, Tuple, TypeVar, Union

from ..records import Annotation, CategoryAnnotation, RelationAnnotation, SpanAnnotation

AnyAnnotation = Union[SpanAnnotation, CategoryAnnotation, RelationAnnotation]
_A = TypeVar("_A", SpanAnnotation, CategoryAnnotation, RelationAnnotation)
_Stretch = Tuple[int, int]


@dataclass(frozen=True, order=True)
class Item:
    """What an annotation says, without its score.

    name: the catalog id if it has one, else the label. start, end: offsets in characters, end
    exclusive, of a span or of the head of a relation; both 0 for a category. tail_start, tail_end:
    the same of the tail of a relation; both 0 for all others.
    """

    name: str
    start: int = 0
    end: int = 0
    tail_start: int = 0
    tail_end: int = 0

    def agrees(self, other: "Item") -> bool:
        """Whether both say the same of overlapping stretches (categories: say the same)."""
        heads = _meet((self.start, self.end), (other.start, other.end))
        tails = _meet((self.tail_start, self.tail_end), (other.tail_start, other.tail_end))
        return self.name == other.name and heads and tails


def _meet(one: _Stretch, other: _Stretch) -> bool:
    return one == other or (one[0] < other[1] and other[0] < one[1])


def each(annotation: Annotation) -> Iterator[AnyAnnotation]:
    """YIELDS (AnyAnnotation): The spans, categories and relations of an annotation."""
    yield from annotation.spans
    yield from annotation.cats
    yield from annotation.relations


def item_of(one: AnyAnnotation) -> Item:
    """RETURNS (Item): What a span, a category or a relation says."""
    if isinstance(one, CategoryAnnotation):
        return Item(one.label)
    if isinstance(one, RelationAnnotation):
        return Item(one.label, one.head_start, one.head_end, one.tail_start, one.tail_end)
    return Item(one.label if one.kb_id is None else one.kb_id, one.start, one.end)


def items_of(annotation: Annotation) -> FrozenSet[Item]:
    """RETURNS (FrozenSet[Item]): What an annotation says; what it says twice counts once."""
    return frozenset(map(item_of, each(annotation)))


def errors_between(given: Annotation, truth: Annotation) -> Tuple[int, int]:
    """RETURNS (Tuple[int, int]): How many annotations are wrong, missing or too many, and of how
    many. One in the place of another is one error; where both say "none", that counts as one.
    """
    one, other = items_of(given), items_of(truth)
    return max(len(one - other), len(other - one)), max(len(one), len(other), 1)


def with_scores(
    annotation: Annotation,
    score_of: Callable[[AnyAnnotation], Tuple[Optional[float], Optional[str]]],
) -> Annotation:
    """Write scores into an annotation.

    annotation (Annotation): What was proposed.
    score_of (Callable): Gives the score of a span, category or relation and where it comes from.
    RETURNS (Annotation): The same, with scores. What gets no score keeps what it had.
    """

    def scored(one: _A) -> _A:
        score, source = score_of(one)
        return one if score is None else replace(one, score=score, score_source=source)

    return replace(
        annotation,
        spans=tuple(map(scored, annotation.spans)),
        cats=tuple(map(scored, annotation.cats)),
        relations=tuple(map(scored, annotation.relations)),
    )
