"""The answer of a category task: one label, or a list of labels."""

from typing import Any, Dict, Sequence

from ...records import (
    EMPTY,
    MALFORMED,
    OK,
    Annotation,
    CategoryAnnotation,
    ParsedAnswer,
    Problem,
    Response,
)
from ..answers import failure, read_answer

EXCLUSIVE_FIELD, MULTILABEL_FIELD = "label", "labels"


def build_schema(labels: Sequence[str], *, exclusive: bool) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): JSON schema of {"label": "A"} or {"labels": ["A", "B"]}."""
    one = {"type": "string", "enum": list(labels)}
    field = EXCLUSIVE_FIELD if exclusive else MULTILABEL_FIELD
    return {
        "type": "object",
        "properties": {field: one if exclusive else {"type": "array", "items": one}},
        "required": [field],
        "additionalProperties": False,
    }


def parse_categories(response: Response, labels: Sequence[str], *, exclusive: bool) -> ParsedAnswer:
    """Read the categories of an answer.

    response (Response): What the model sent.
    labels (Sequence[str]): The labels of the task.
    exclusive (bool): Whether exactly one label holds.
    RETURNS (ParsedAnswer): malformed if a label is not one of the task's.
    """
    field = EXCLUSIVE_FIELD if exclusive else MULTILABEL_FIELD
    value, failed = read_answer(response, field=field)
    if value is None:
        assert failed is not None
        return failed
    found = [value[field]] if exclusive else value[field]
    if not isinstance(found, list):
        return failure(MALFORMED, "schema", f"expected a list, found {type(found).__name__}")
    wrong = tuple(
        Problem(kind="unknown_label", detail=str(label)[:500])
        for label in found
        if not isinstance(label, str) or label not in labels
    )
    # The order of the task's labels; a label given twice holds once.
    cats = tuple(CategoryAnnotation(label) for label in labels if label in found)
    status = OK if cats else EMPTY
    return ParsedAnswer(MALFORMED if wrong else status, Annotation(cats=cats), wrong)
