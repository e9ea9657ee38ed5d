"""Two versions of one text: where they agree, how they differ, and which texts must be settled.

Pure. What a third person settles may be anything valid: this one from A, that one from B, or
neither.
"""

from dataclasses import dataclass
from functools import partial
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple, TypeVar

from ...dataset.decisions import Standing
from ...dataset.history import TaskHistory
from ...records import (
    ADJUDICATION,
    NIL,
    PERSON,
    RECHECK,
    Annotation,
    Decision,
    RelationAnnotation,
    SpanAnnotation,
    TaskHeader,
)
from ...scoring.items import AnyAnnotation

_A = TypeVar("_A", SpanAnnotation, RelationAnnotation)
_Place = Tuple[int, ...]

KNOWING = (ADJUDICATION, RECHECK)  # what others decided was in sight
SAME = "same"
LABEL, BOUNDARY, BOTH = "label", "boundary", "label and boundary"
DIRECTION = "direction"
FIRST, SECOND = "only first", "only second"
WAYS = (LABEL, BOUNDARY, BOTH, DIRECTION, FIRST, SECOND)


@dataclass(frozen=True)
class Aligned:
    """One item of two versions: what the first says, what the second says, how they differ.

    way: "same"; "label" (the same place), "boundary" (the same label, places overlap), "label and
    boundary"; "direction" (a relation the other way round); "only first", "only second".
    """

    way: str
    first: Optional[AnyAnnotation] = None
    second: Optional[AnyAnnotation] = None


def align(first: Annotation, second: Annotation, header: TaskHeader) -> Tuple[Aligned, ...]:
    """Hold two annotations of a text side by side.

    first, second (Annotation): The versions.
    header (TaskHeader): What the task is.
    RETURNS (Tuple[Aligned, ...]): All items of both, each once, in the order of the text. Items are
        paired by what they share, most first; the two versions may be swapped.
    """
    span_ways = partial(_span_ways, linking=header.kind == "linking")
    spans = _pair(first.spans, second.spans, span_ways)
    relations = _pair(first.relations, second.relations, _relation_ways)
    return (*spans, *_pair_cats(first, second, exclusive=header.exclusive), *relations)


def differ(first: Annotation, second: Annotation, header: TaskHeader) -> bool:
    """RETURNS (bool): Whether two versions say different things; scores don't count."""
    return any(a.way != SAME for a in align(first, second, header))


def disputed(
    decisions: Mapping[str, Sequence[Decision]], histories: Mapping[str, TaskHistory]
) -> Optional[Tuple[str, str]]:
    """Find two people whose accepted answers on a text differ, if nobody has settled that yet.

    decisions (Mapping[str, Sequence[Decision]]): All on one text, by task, oldest first.
    histories (Mapping[str, TaskHistory]): The tasks as they are and were.
    RETURNS (Optional[Tuple[str, str]]): Their names, sorted. Of more than two versions, the two
        that most people share. None if there is nothing to settle: an adjudication stands, or
        people agree. Decisions from files are nobody's version.
    """
    versions: Dict[str, Dict[str, Annotation]] = {}  # by annotator and task
    for task, made in decisions.items():
        if not _is_settled(histories[task].standing(made)):
            for name, found in own_versions(made, histories[task]).items():
                versions.setdefault(name, {})[task] = found
    camps: List[List[str]] = []  # people who say the same wherever both said something
    for name, mine in versions.items():
        for camp in camps:
            if not any(_differ_on(mine, versions[other], histories) for other in camp):
                camp.append(name)
                break
        else:
            camps.append([name])
    if len(camps) < 2:
        return None
    # Who founded a camp differs from somebody in every camp before it.
    most, more = sorted(camps, key=len, reverse=True)[:2]
    pairs = ((one, other) for one in most for other in more)
    one, other = next(p for p in pairs if _differ_on(versions[p[0]], versions[p[1]], histories))
    return (one, other) if one < other else (other, one)


def own_versions(decisions: Sequence[Decision], history: TaskHistory) -> Dict[str, Annotation]:
    """RETURNS (Dict[str, Annotation]): What each person accepted of the whole text, knowing nothing
    of each other: without adjudications, second looks and files.
    """
    made = [d for d in decisions if d.mode not in KNOWING and d.origin == PERSON]
    found = history.standing_of(made).items()
    return {name: s.annotation for name, s in found if s.annotation is not None}


def _is_settled(found: Optional[Standing]) -> bool:
    return found is not None and found.parts[0].mode == ADJUDICATION


def _differ_on(
    mine: Mapping[str, Annotation],
    other: Mapping[str, Annotation],
    histories: Mapping[str, TaskHistory],
) -> bool:
    common = (task for task in mine if task in other)
    return any(differ(mine[task], other[task], histories[task].header) for task in common)


# Pairing


def _pair(
    first: Sequence[_A],
    second: Sequence[_A],
    way_of: Callable[[_A, _A], Optional[Tuple[int, int, str]]],
) -> List[Aligned]:
    """Pair what shares most; ways are (rank, overlap in characters, name)."""
    found = []
    for i, one in enumerate(first):
        for j, other in enumerate(second):
            way = way_of(one, other)
            if way is not None:
                rank, overlap, name = way
                places = sorted((_place(one), _place(other)))
                found.append((rank, -overlap, places, i, j, name))
    pairs: List[Tuple[_Place, Aligned]] = []
    left, right = set(range(len(first))), set(range(len(second)))
    for _, _, places, i, j, name in sorted(found):
        if i in left and j in right:
            left.remove(i)
            right.remove(j)
            pairs.append((places[0], Aligned(name, first[i], second[j])))
    pairs += [(_place(first[i]), Aligned(FIRST, first=first[i])) for i in left]
    pairs += [(_place(second[j]), Aligned(SECOND, second=second[j])) for j in right]
    return [a for _, a in sorted(pairs, key=lambda pair: (pair[0], pair[1].way))]


def _place(one: AnyAnnotation) -> _Place:
    if isinstance(one, SpanAnnotation):
        return one.start, one.end
    if isinstance(one, RelationAnnotation):
        return one.head_start, one.head_end, one.tail_start, one.tail_end
    return ()


def _span_ways(
    one: SpanAnnotation, other: SpanAnnotation, *, linking: bool
) -> Optional[Tuple[int, int, str]]:
    # Of a link the id counts, and not what kind of thing it is.
    ids = (one.kb_id or NIL) == (other.kb_id or NIL)
    same_name = ids if linking else one.label == other.label
    overlap = min(one.end, other.end) - max(one.start, other.start)
    if _place(one) == _place(other):
        return (0, overlap, SAME) if same_name else (1, overlap, LABEL)
    if overlap <= 0:
        return None
    return (2, overlap, BOUNDARY) if same_name else (3, overlap, BOTH)


def _relation_ways(
    one: RelationAnnotation, other: RelationAnnotation
) -> Optional[Tuple[int, int, str]]:
    same_name = one.label == other.label
    if _place(one) == _place(other):
        return (0, 0, SAME) if same_name else (1, 0, LABEL)
    heads = min(one.head_end, other.head_end) - max(one.head_start, other.head_start)
    tails = min(one.tail_end, other.tail_end) - max(one.tail_start, other.tail_start)
    if heads > 0 and tails > 0:
        return (2, heads + tails, BOUNDARY) if same_name else (3, heads + tails, BOTH)
    turned = (other.tail_start, other.tail_end, other.head_start, other.head_end)
    return (4, 0, DIRECTION) if same_name and _place(one) == turned else None


def _pair_cats(first: Annotation, second: Annotation, *, exclusive: bool) -> List[Aligned]:
    left = {c.label: c for c in first.cats}
    right = {c.label: c for c in second.cats}
    found = [Aligned(SAME, c, right[n]) for n, c in left.items() if n in right]
    mine = [c for n, c in left.items() if n not in right]
    theirs = [c for n, c in right.items() if n not in left]
    if exclusive:
        pairs = list(zip(mine, theirs, strict=False))
        found += [Aligned(LABEL, one, other) for one, other in pairs]
        mine, theirs = mine[len(pairs) :], theirs[len(pairs) :]
    found += [Aligned(FIRST, first=c) for c in mine]
    return found + [Aligned(SECOND, second=c) for c in theirs]
