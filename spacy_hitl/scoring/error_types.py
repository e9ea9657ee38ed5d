"""What kind of errors a system makes: missed, spurious, wrong boundary, wrong label, or both. Pure.

What was wanted and what was found are paired one to one: what is equal first, then what stands at
one place, then what is called the same and overlaps, then what overlaps. Among overlapping ones
the pair that shares most of its characters comes first. What is left over was missed or is
spurious. So every false negative of `tasks.reference.compare` is in exactly one error as `wanted`,
every false positive in exactly one as `found`.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Callable, Dict, Iterable, List, Optional, Tuple

from ..records import NIL, Annotation, RelationAnnotation, SpanAnnotation, TaskHeader
from .items import AnyAnnotation
from .results import Confusion, ErrorCount

MISSED, SPURIOUS, BOUNDARY, LABEL, BOTH = KINDS = (
    "missed",
    "spurious",
    "boundary",
    "label",
    "both",
)

# The name of an annotation, its place (head and tail of a relation; empty for a category).
_Key = Tuple[str, Tuple[int, ...]]
_Keyed = Dict[_Key, AnyAnnotation]


@dataclass(frozen=True)
class AnnotationError:
    """One error.

    kind: one of `KINDS`. label: the wanted label (catalog id of a link), the found one if nothing
    was wanted. wanted: None if spurious; found: None if missed. Both are spans for entities, span
    categories and links, categories or relations for these.
    """

    kind: str
    label: str
    wanted: Optional[AnyAnnotation] = None
    found: Optional[AnyAnnotation] = None

    @property
    def wanted_label(self) -> Optional[str]:
        """The label or catalog id that was wanted."""
        return None if self.wanted is None else name_of(self.wanted)

    @property
    def found_label(self) -> Optional[str]:
        """The label or catalog id that was found."""
        return None if self.found is None else name_of(self.found)

    @property
    def wanted_span(self) -> Optional[SpanAnnotation]:
        """What was wanted, if it is a span."""
        return self.wanted if isinstance(self.wanted, SpanAnnotation) else None

    @property
    def found_span(self) -> Optional[SpanAnnotation]:
        """What was found, if it is a span."""
        return self.found if isinstance(self.found, SpanAnnotation) else None


def name_of(one: AnyAnnotation) -> str:
    """RETURNS (str): The catalog id of a link, else the label."""
    if isinstance(one, SpanAnnotation) and one.kb_id is not None:
        return one.kb_id
    return one.label


def find_errors(
    header: TaskHeader, wanted: Annotation, found: Annotation
) -> Tuple[AnnotationError, ...]:
    """Find the errors in one text.

    header (TaskHeader): What the task is. Categories and relations have no boundaries; several
        categories that may hold together are never taken for one another.
    wanted (Annotation): What is right.
    found (Annotation): What a system said.
    RETURNS (Tuple[AnnotationError, ...]): In the order of the text.
    """
    missing, extra = _keyed(wanted, header), _keyed(found, header)
    for key in missing.keys() & extra.keys():
        del missing[key], extra[key]
    errors: List[AnnotationError] = []

    def pair_up(kind: str, likeness: Callable[[_Key, _Key], float]) -> None:
        pairs = ((likeness(w, f), w, f) for w in missing for f in extra)
        for _, w, f in sorted((-x, w, f) for x, w, f in pairs if x > 0):
            if w in missing and f in extra:
                errors.append(AnnotationError(kind, w[0], missing.pop(w), extra.pop(f)))

    if header.kind != "textcat" or header.exclusive:
        pair_up(LABEL, lambda w, f: float(w[1] == f[1]))
    if header.kind not in ("textcat", "relations"):
        pair_up(BOUNDARY, lambda w, f: _overlap(w[1], f[1]) * (w[0] == f[0]))
        pair_up(BOTH, lambda w, f: _overlap(w[1], f[1]))
    errors.extend(AnnotationError(MISSED, key[0], wanted=w) for key, w in missing.items())
    errors.extend(AnnotationError(SPURIOUS, key[0], found=f) for key, f in extra.items())
    return tuple(sorted(errors, key=_order))


def count_errors(errors: Iterable[AnnotationError]) -> Tuple[ErrorCount, ...]:
    """RETURNS (Tuple[ErrorCount, ...]): How often each kind of error was made on each label; in the
    order of `KINDS`, then by label.
    """
    counts = Counter((KINDS.index(e.kind), e.label) for e in errors)
    return tuple(ErrorCount(KINDS[kind], label, n) for (kind, label), n in sorted(counts.items()))


def confusion(errors: Iterable[AnnotationError]) -> Tuple[Confusion, ...]:
    """RETURNS (Tuple[Confusion, ...]): Which label was taken for which other, and how often: the
    most frequent first. What is right is not in it (the hits of a label are in its score).
    """
    pairs: Counter[Tuple[str, str]] = Counter()
    for e in errors:
        if e.kind in (LABEL, BOTH) and e.wanted is not None and e.found is not None:
            pairs[name_of(e.wanted), name_of(e.found)] += 1
    ranked = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Confusion(*pair, n) for pair, n in ranked)


def _keyed(annotation: Annotation, header: TaskHeader) -> _Keyed:
    """RETURNS (_Keyed): What `tasks.reference.compare` looks at, each thing once."""
    if header.kind == "textcat":
        return {(c.label, ()): c for c in annotation.cats}
    if header.kind == "relations":
        return {(r.label, _ends(r)): r for r in annotation.relations}
    if header.kind == "linking":
        return {(s.kb_id or NIL, (s.start, s.end)): _link(s) for s in annotation.spans}
    return {(s.label, (s.start, s.end)): s for s in annotation.spans}


def _link(span: SpanAnnotation) -> SpanAnnotation:
    if span.kb_id:
        return span
    return SpanAnnotation(span.start, span.end, span.label, NIL, span.score, span.score_source)


def _ends(r: RelationAnnotation) -> Tuple[int, ...]:
    return r.head_start, r.head_end, r.tail_start, r.tail_end


def _overlap(one: Tuple[int, ...], other: Tuple[int, ...]) -> float:
    """RETURNS (float): Share of the characters of both that is in both, 0 to 1."""
    shared = min(one[1], other[1]) - max(one[0], other[0])
    return max(0.0, shared / max(1, max(one[1], other[1]) - min(one[0], other[0])))


def _order(error: AnnotationError) -> Tuple[Tuple[int, ...], str, int, str]:
    first = error.wanted or error.found
    place: Tuple[int, ...] = ()
    if isinstance(first, SpanAnnotation):
        place = (first.start, first.end)
    elif isinstance(first, RelationAnnotation):
        place = _ends(first)
    return place, error.label, KINDS.index(error.kind), error.found_label or ""
