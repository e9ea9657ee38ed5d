"""The answer of an entity task: its JSON schema and its way onto the text."""

from typing import Any, Dict, Sequence

from spacy.tokens import Doc

from ...records import ParsedAnswer, Response
from ..answers import read_answer
from ..spans import parse_quotes, quotes_schema

FIELD = "entities"


def build_schema(labels: Sequence[str]) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): JSON schema of {"entities": [{"text", "label"}, ...]}."""
    return quotes_schema(FIELD, labels)


def parse_entities(doc: Doc, response: Response, labels: Sequence[str]) -> ParsedAnswer:
    """Ground the entities of an answer. They never overlap."""
    value, failed = read_answer(response, field=FIELD)
    if value is None:
        assert failed is not None
        return failed
    return parse_quotes(value[FIELD], labels=labels, doc=doc, overlapping=False)
