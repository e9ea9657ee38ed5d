"""What every task does with an answer first: is there one, is it whole, is it the right JSON."""

import json
import re
from typing import Any, Dict, List, Optional, Tuple

from ..records import (
    FAILED,
    MALFORMED,
    REFUSED,
    TRUNCATED,
    ParsedAnswer,
    Problem,
    Response,
)

_FENCE = re.compile(r"\A```[a-zA-Z]*")
_REFUSAL = re.compile(
    r"\b(i'?m sorry|i am sorry|i apologi[sz]e|i can(?:'?t|not)|i'?m (?:not able|unable)"
    r"|i am (?:not able|unable)|i won'?t|as an ai\b|cannot (?:assist|help|comply))",
    re.IGNORECASE,
)
MAX_ANSWER_CHARS = 1_000_000
SPACY_LLM = "spacy-llm"  # the model's name where spacy-llm asks it


def failure(status: str, kind: str, detail: str) -> ParsedAnswer:
    """RETURNS (ParsedAnswer): An answer of which nothing could be used."""
    return ParsedAnswer(status=status, problems=(Problem(kind=kind, detail=detail[:2000]),))


def read_answer(
    response: Response, *, field: str
) -> Tuple[Optional[Dict[str, Any]], Optional[ParsedAnswer]]:
    """Find the JSON object in a response.

    response (Response): What the model sent.
    field (str): The field that the object must have.
    RETURNS (Tuple[Optional[Dict[str, Any]], Optional[ParsedAnswer]]): Either the object or the
        reason why there is none: failed, refused, truncated or malformed.
    """
    if response.refusal:
        return None, failure(REFUSED, "refusal", response.refusal)
    cut = response.finish_reason == "length"
    if response.error is not None or (response.text is None and not cut):
        return None, failure(FAILED, "error", response.error or "the model sent no text")
    text = unfenced(response.text or "")
    if len(text) > MAX_ANSWER_CHARS:
        return None, failure(MALFORMED, "schema", f"answer of {len(text)} characters")
    try:
        value = load_json(text)
    except json.JSONDecodeError as e:
        unfinished = text.startswith("{") and _is_cut_off(text, e)
        if cut or unfinished:
            return None, failure(TRUNCATED, "cut_off", f"the answer ends early: ...{text[-60:]!r}")
        if not text.startswith(("{", "[")) and _REFUSAL.search(text.replace("\u2019", "'")):
            return None, failure(REFUSED, "refusal", text)
        return None, failure(MALFORMED, "not_json", f"{e.msg} at {e.pos}: {text[:200]!r}")
    except (ValueError, RecursionError) as e:
        return None, failure(MALFORMED, "not_json", f"{type(e).__name__}: {text[:200]!r}")
    # Only the replay model inside spacy-llm's own `llm` says it this way, never an answer.
    reports = response.model == SPACY_LLM and isinstance(value, dict)
    if reports and isinstance(value.get("hitl_error"), str):
        return None, failure(FAILED, "error", value["hitl_error"])
    if not isinstance(value, dict) or field not in value:
        return None, failure(
            MALFORMED, "schema", f"expected an object with {field!r}: {text[:200]!r}"
        )
    return value, None


def unfenced(text: str) -> str:
    """RETURNS (str): An answer without the code fence around it, if it has one."""
    text = text.strip()
    # The closing fence is missing if the answer was cut off.
    return _FENCE.sub("", text).strip().rstrip("`").strip() if _FENCE.match(text) else text


def load_json(text: str) -> Any:
    """RETURNS (Any): The JSON value of a text.
    RAISES (ValueError): If it is none, or has a key twice.
    """
    return json.loads(text, object_pairs_hook=_refuse_duplicates)


def _refuse_duplicates(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    """JSON allows a key twice, and the last one would win without a trace."""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key comes twice")
    return value


def _is_cut_off(text: str, error: json.JSONDecodeError) -> bool:
    """Whether the text is the beginning of a JSON document: the parser wanted more at its end."""
    rest = text[error.pos :]
    if error.msg == "Expecting value":
        return any(word.startswith(rest) for word in ("true", "false", "null", "-"))
    if error.msg.startswith("Invalid \\u"):
        return re.search(r"\\u[0-9a-fA-F]{0,4}\Z", text) is not None
    return not rest or error.msg.startswith("Unterminated string")
