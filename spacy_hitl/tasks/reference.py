"""Annotations on a Doc and back by a task's header alone, without its prompt or its files."""

from typing import Callable, Dict

from spacy.tokens import Doc, Span

from ..errors import Errors, InputError
from ..records import NIL, Annotation, Counts, TaskHeader
from .linking.annotations import get_links
from .linking.compare import compare_links
from .ner.annotations import get_entities, set_entities
from .ner.compare import compare_entities
from .relations.annotations import get_relations, set_mentions, set_relations
from .relations.compare import compare_relations
from .spancat.annotations import get_span_categories, set_span_categories
from .spancat.compare import compare_span_categories
from .spans import to_spans
from .textcat.annotations import get_categories, set_categories
from .textcat.compare import compare_categories

_COMPARE: Dict[str, Callable[[Annotation, Annotation], Dict[str, Counts]]] = {
    "ner": compare_entities,
    "spancat": compare_span_categories,
    "textcat": compare_categories,
    "linking": compare_links,
    "relations": compare_relations,
}
KINDS = tuple(_COMPARE)


def check_kind(header: TaskHeader) -> None:
    """RAISES (InputError): If a task is of a kind of a user's own, known to its own code alone."""
    if header.kind not in KINDS:
        kinds = ", ".join(KINDS)
        raise InputError(Errors.H406.format(task=header.task, kind=header.kind, kinds=kinds))


def set_reference(doc: Doc, annotation: Annotation, header: TaskHeader) -> None:
    """Write an annotation to a document as a reference to train or score on.

    doc (Doc): Annotated in place.
    annotation (Annotation): What is right.
    header (TaskHeader): What the task is.
    RAISES (InputError): If it is of a kind of a user's own.
    """
    check_kind(header)
    if header.kind == "ner":
        set_entities(doc, annotation)
    elif header.kind == "spancat":
        set_span_categories(doc, annotation, key=header.spans_key or "sc")
    elif header.kind == "textcat":
        set_categories(doc, annotation, header.labels)
    elif header.kind == "relations":
        set_relations(doc, annotation, header.labels)
        if not doc.ents:
            set_mentions(doc, annotation)
    else:
        links = {(s.start, s.end): s.kb_id or NIL for s in annotation.spans}
        mentions = to_spans(doc, annotation)
        doc.set_ents(
            [
                Span(doc, m.start, m.end, label=m.label, kb_id=links[m.start_char, m.end_char])
                for m in mentions
            ]
        )


def get_annotation(doc: Doc, header: TaskHeader, *, threshold: float = 0.5) -> Annotation:
    """Read the annotation of a task from a document, whoever set it.

    doc (Doc): Annotated by a prompted or a trained component.
    header (TaskHeader): What the task is.
    threshold (float): Lowest score at which a category holds.
    RETURNS (Annotation): What the document says.
    RAISES (InputError): If the task is of a kind of a user's own.
    """
    check_kind(header)
    if header.kind == "ner":
        return get_entities(doc, header.labels)
    if header.kind == "spancat":
        return get_span_categories(doc, key=header.spans_key or "sc")
    if header.kind == "textcat":
        labels = header.labels
        return get_categories(doc, labels, exclusive=header.exclusive, threshold=threshold)
    if header.kind == "relations":
        return get_relations(doc, header.labels)
    return get_links(doc, nil=NIL)


def compare(gold: Annotation, predicted: Annotation, header: TaskHeader) -> Dict[str, Counts]:
    """RETURNS (Dict[str, Counts]): Hits and errors per label for one text."""
    return _COMPARE[header.kind](gold, predicted)
