"""The answer of a span task: like entities, but spans may overlap; the field has its own name."""

from typing import Any, Dict, Sequence

from spacy.tokens import Doc

from ...records import ParsedAnswer, Response
from ..answers import read_answer
from ..spans import parse_quotes, quotes_schema


def build_schema(field: str, labels: Sequence[str]) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): JSON schema of {field: [{"text", "label"}, ...]}."""
    return quotes_schema(field, labels)


def parse_span_categories(
    doc: Doc, response: Response, *, field: str, labels: Sequence[str]
) -> ParsedAnswer:
    """Ground the spans of an answer. They may overlap and nest."""
    value, failed = read_answer(response, field=field)
    if value is None:
        assert failed is not None
        return failed
    return parse_quotes(value[field], labels=labels, doc=doc, overlapping=True)
