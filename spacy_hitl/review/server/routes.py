"""Names of requests, and the functions behind them."""

from typing import Any, Callable, Dict, Mapping

from . import api, api_spread
from .api import Api, Json

Read = Callable[[Api, str, Mapping[str, str]], Json]
Write = Callable[[Api, str, Dict[str, Any]], Json]

READS: Dict[str, Read] = {
    "compare": api.get_compare,
    "consistency": api_spread.get_consistency,
    "evidence": api.get_evidence,
    "flagged": api.get_flagged,
    "history": api.get_history,
    "screen": api.get_screen,
    "session": api.get_session,
    "status": api.get_status,
}
FREE: Dict[str, Read] = {"catalog": api.get_catalog}
WRITES: Dict[str, Write] = {
    "answers": api.post_answers,
    "next": api.post_next,
    "occurrences": api_spread.post_occurrences,
    "preference": api.post_preference,
    "propagate": api_spread.post_propagate,
    "undo": api.post_undo,
}
