"""The answer of a linking task: one catalog id, or null, for each mention that is on the Doc."""

from typing import Any, Collection, Dict, List

from spacy.tokens import Doc

from ...records import (
    EMPTY,
    MALFORMED,
    NIL,
    OK,
    UNALIGNED,
    Annotation,
    ParsedAnswer,
    Problem,
    Response,
    SpanAnnotation,
)
from ..answers import failure, read_answer
from ..grounding import normal

FIELD = "links"


def build_schema(ids: Collection[str]) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): JSON schema of {"links": [{"text", "id"}, ...]}."""
    item = {
        "type": "object",
        "properties": {
            "text": {"type": "string"},
            "id": {"anyOf": [{"type": "string", "enum": list(ids)}, {"type": "null"}]},
        },
        "required": ["text", "id"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {FIELD: {"type": "array", "items": item}},
        "required": [FIELD],
        "additionalProperties": False,
    }


def parse_links(doc: Doc, response: Response, ids: Collection[str]) -> ParsedAnswer:
    """Match the links of an answer to the mentions in doc.ents.

    The n-th link of a mention's text belongs to its n-th occurrence; the order of different
    texts does not matter, nor do normal form and white space. A mention without a link, and a
    link without a mention, are problems.

    doc (Doc): The document, with its mentions in doc.ents.
    response (Response): What the model sent.
    ids (Collection[str]): All catalog ids.
    RETURNS (ParsedAnswer): Spans with a catalog id, or NIL where the answer was null.
    """
    value, failed = read_answer(response, field=FIELD)
    if value is None:
        assert failed is not None
        return failed
    if not isinstance(value[FIELD], list):
        return failure(MALFORMED, "schema", f"expected a list of links: {value[FIELD]!r}")
    wrong: List[Problem] = []
    problems: List[Problem] = []
    queues: Dict[str, List[str]] = {}
    for item in value[FIELD]:
        text = item.get("text") if isinstance(item, dict) else None
        target = item.get("id", "") if isinstance(item, dict) else ""
        if not isinstance(text, str) or not isinstance(target, (str, type(None))):
            wrong.append(Problem(kind="schema", detail=f"not a link: {item!r}"[:500]))
        elif target is not None and target not in ids:
            wrong.append(Problem(kind="unknown_label", detail=f"{text}: {target}"[:500]))
        else:
            queues.setdefault(normal(text), []).append(NIL if target is None else target)
    spans = []
    for ent in doc.ents:
        queue = queues.get(normal(ent.text), [])
        if queue:
            spans.append(
                SpanAnnotation(ent.start_char, ent.end_char, ent.label_, kb_id=queue.pop(0))
            )
        else:
            problems.append(Problem(kind="unanswered", detail=f"{ent.start_char}: {ent.text}"))
    for text, queue in queues.items():
        problems.extend(Problem(kind="not_found", detail=f"{text}: {target}") for target in queue)
    status = OK if spans else EMPTY
    if problems:
        status = UNALIGNED
    if wrong:
        status = MALFORMED
    return ParsedAnswer(status, Annotation(spans=tuple(spans)), tuple(wrong + problems))
