"""The answer of a relation task: pairs of the mentions that are on the Doc, named by their ids."""

from typing import Any, Collection, Dict, List, Mapping, Sequence, Tuple

from spacy.tokens import Doc, Span

from ...records import (
    EMPTY,
    MALFORMED,
    OK,
    UNALIGNED,
    Annotation,
    ParsedAnswer,
    Problem,
    RelationAnnotation,
    Response,
)
from ..answers import failure, read_answer

FIELD = "relations"
Allowed = Mapping[str, Collection[Tuple[str, str]]]


def build_schema(labels: Sequence[str]) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): JSON schema of {"relations": [{"head", "label", "tail"}, ...]}."""
    item = {
        "type": "object",
        "properties": {
            "head": {"type": "integer"},
            "label": {"type": "string", "enum": list(labels)},
            "tail": {"type": "integer"},
        },
        "required": ["head", "label", "tail"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {FIELD: {"type": "array", "items": item}},
        "required": [FIELD],
        "additionalProperties": False,
    }


def number_mentions(doc: Doc) -> Dict[int, Span]:
    """Number the mentions in doc.ents, which never overlap, by the character they start at.

    Not by counting: an answer is stored and read again (--reparse, replay), maybe after another
    mention was found before these. Then counted numbers would mean other mentions, unnoticed.

    RETURNS (Dict[int, Span]): The mentions by id, in the order of the text.
    """
    return {ent.start_char: ent for ent in doc.ents}


def parse_relations(
    doc: Doc, response: Response, labels: Sequence[str], allowed: Allowed
) -> ParsedAnswer:
    """Match the relations of an answer to the mentions in doc.ents.

    doc (Doc): The document, with its mentions in doc.ents.
    response (Response): What the model sent.
    labels (Sequence[str]): The labels of the task.
    allowed (Allowed): By label the pairs of entity labels it may connect; a label that is not
        there may connect any.
    RETURNS (ParsedAnswer): malformed if an item has another form, or a label that the task does not
        have or does not allow between these mentions; else unaligned if an id is no mention's,
        head and tail are the same or a relation is listed again; else ok or empty.
    """
    value, failed = read_answer(response, field=FIELD)
    if value is None:
        assert failed is not None
        return failed
    if not isinstance(value[FIELD], list):
        return failure(MALFORMED, "schema", f"expected a list of relations: {value[FIELD]!r}")
    mentions = number_mentions(doc)
    found: Dict[RelationAnnotation, None] = {}
    wrong: List[Problem] = []
    problems: List[Problem] = []
    for item in value[FIELD]:
        fields = item if isinstance(item, dict) else {}
        head, label, tail = fields.get("head"), fields.get("label"), fields.get("tail")
        # Not isinstance: True is an int.
        if type(head) is not int or type(tail) is not int or not isinstance(label, str):
            wrong.append(Problem(kind="schema", detail=f"not a relation: {item!r}"[:500]))
            continue
        one, other = mentions.get(head), mentions.get(tail)
        shown = f"{_show(head, one)} {label} {_show(tail, other)}"[:500]
        if label not in labels:
            wrong.append(Problem(kind="unknown_label", detail=shown))
        elif one is None or other is None:
            problems.append(Problem(kind="not_found", detail=shown))
        elif head == tail:
            problems.append(Problem(kind="same_mention", detail=shown))
        elif label in allowed and (one.label_, other.label_) not in allowed[label]:
            detail = f"{shown} (from {one.label_} to {other.label_})"[:500]
            wrong.append(Problem(kind="not_allowed", detail=detail))
        else:
            relation = RelationAnnotation(
                one.start_char, one.end_char, other.start_char, other.end_char, label
            )
            if relation in found:
                problems.append(Problem(kind="repeated", detail=shown))
            found[relation] = None
    status = OK if found else EMPTY
    if problems:
        status = UNALIGNED
    if wrong:
        status = MALFORMED
    return ParsedAnswer(status, Annotation(relations=tuple(sorted(found))), tuple(wrong + problems))


def _show(number: int, mention: "Span | None") -> str:
    return str(number) if mention is None else f"{number}: {mention.text}"
