"""The answer to a joint prompt: one object per task, each then read as if it had come alone."""

import json
from dataclasses import replace
from typing import Any, Dict, Iterable, Mapping

from ...records import Response
from ..answers import MAX_ANSWER_CHARS, load_json, unfenced


def build_schema(schemas: Mapping[str, Dict[str, Any]]) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): JSON schema of {"<task>": {...}, ...}, all tasks required."""
    return {
        "type": "object",
        "properties": dict(schemas),
        "required": list(schemas),
        "additionalProperties": False,
    }


def split_response(response: Response, names: Iterable[str]) -> Dict[str, Response]:
    """Give each task its part of an answer.

    response (Response): The answer to a joint prompt.
    names (Iterable[str]): The tasks.
    RETURNS (Dict[str, Response]): By task: the response with the task's object as its text, which
        is empty if the answer has none. An answer that is no JSON object, or none at all, goes to
        every task as it is: each then says for itself that it is malformed, refused or failed.

    >>> whole = Response(model="me", text='{"a": {"label": "X"}}')
    >>> {name: part.text for name, part in split_response(whole, ["a", "b"]).items()}
    {'a': '{"label": "X"}', 'b': '{}'}
    """
    names = list(names)
    value = _read_object(response)
    if value is None:
        return dict.fromkeys(names, response)
    return {
        name: replace(response, text=json.dumps(value.get(name, {}), ensure_ascii=False))
        for name in names
    }


def _read_object(response: Response) -> Any:
    text = unfenced(response.text or "")
    if response.error is not None or response.refusal or len(text) > MAX_ANSWER_CHARS:
        return None
    try:
        value = load_json(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
