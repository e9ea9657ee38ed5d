"""Relations on the Doc: doc._.rel, a list of plain objects that a DocBin can store."""

from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

from spacy.tokens import Doc

from ...errors import Errors, InputError
from ...records import Annotation, RelationAnnotation, SpanAnnotation
from ..spans import to_spans

EXTENSION = "rel"
MENTION = "MENTION"  # label of mentions of which only the place is known


def add_extension() -> None:
    """Make doc._.rel, unless it is there. Not a list as default: reading would write to the doc."""
    if not Doc.has_extension(EXTENSION):
        Doc.set_extension(EXTENSION, default=())


def set_relations(doc: Doc, annotation: Annotation, labels: Sequence[str]) -> None:
    """Write relations to doc._.rel; those with labels of other components stay.

    doc (Doc): Annotated in place.
    annotation (Annotation): The relations.
    labels (Sequence[str]): The labels of the task: all its relations are replaced.
    RAISES (InputError): If doc._.rel holds what another package wrote there.
    """
    others = [r for r in get_relations(doc).relations if r.label not in labels]
    doc._.set(EXTENSION, [_plain(r) for r in sort_relations([*annotation.relations, *others])])


def get_relations(doc: Doc, labels: Optional[Sequence[str]] = None) -> Annotation:
    """Read the relations of a document, also after it was stored and restored.

    doc (Doc): Any document.
    labels (Optional[Sequence[str]]): Only relations with one of these labels; all if not given.
    RETURNS (Annotation): The relations, in the order of the text.
    RAISES (InputError): If doc._.rel holds what another package wrote there.
    """
    add_extension()
    value = doc._.get(EXTENSION)
    if value and not isinstance(value, (list, tuple)):  # a DocBin gives lists back as tuples
        raise InputError(Errors.H119.format(found=type(value).__name__))
    relations = []
    for item in value or ():
        if not isinstance(item, dict):
            raise InputError(Errors.H119.format(found=f"a list of {type(item).__name__}"))
        relations.append(RelationAnnotation.from_dict(item, where=f"doc._.{EXTENSION}"))
    wanted = (r for r in relations if labels is None or r.label in labels)
    return Annotation(relations=sort_relations(wanted))


def set_mentions(doc: Doc, annotation: Annotation) -> None:
    """Write heads and tails to doc.ents, for a document whose mentions nobody has found."""
    doc.set_ents(to_spans(doc, Annotation(spans=mentions_of(annotation, label=MENTION))))


def mentions_of(annotation: Annotation, *, label: str = "") -> Tuple[SpanAnnotation, ...]:
    """RETURNS (Tuple[SpanAnnotation, ...]): Heads and tails, each once, in their order."""
    places = {(r.head_start, r.head_end) for r in annotation.relations}
    places |= {(r.tail_start, r.tail_end) for r in annotation.relations}
    return tuple(SpanAnnotation(start, end, label) for start, end in sorted(places))


def sort_relations(relations: Iterable[RelationAnnotation]) -> Tuple[RelationAnnotation, ...]:
    """RETURNS (Tuple[RelationAnnotation, ...]): By place and label; scores don't count."""
    ordered: List[RelationAnnotation] = sorted(relations, key=relation_key)
    return tuple(ordered)


def relation_key(relation: RelationAnnotation) -> Tuple[int, int, int, int, str]:
    """RETURNS (Tuple[int, int, int, int, str]): What a relation says, without its score."""
    r = relation
    return r.head_start, r.head_end, r.tail_start, r.tail_end, r.label


def _plain(relation: RelationAnnotation) -> Dict[str, Any]:
    return {name: value for name, value in relation.to_dict().items() if name != "v"}
