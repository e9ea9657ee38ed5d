"""What is read out of a request before anybody acts on it: cookie, body, both within bounds."""

import json
from http.cookies import CookieError, SimpleCookie
from typing import Any, Dict, List, Optional

from starlette.requests import Request

from ...errors import Errors

MAX_DEPTH = 40  # of nested JSON


class Refusal(Exception):
    """A request that is not served. status: of the response; error: what to tell the page."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error


def read_cookie(request: Request, name: str) -> Optional[str]:
    """RETURNS (Optional[str]): The value of a cookie, if the request has it."""
    cookies: SimpleCookie = SimpleCookie()
    try:
        cookies.load(request.headers.get("cookie", ""))
    except CookieError:
        return None
    return None if name not in cookies else cookies[name].value


async def read_body(request: Request, limit: int) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): The JSON object of a request."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refusal(415, Errors.H210.format(problem="its content type is not application/json"))
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            problem = f"it is longer than {limit:,} bytes"
            raise Refusal(413, Errors.H210.format(problem=problem))
        chunks.append(chunk)
    try:
        value = json.loads(b"".join(chunks).decode("utf8"))
    except (ValueError, RecursionError) as e:
        raise Refusal(400, Errors.H210.format(problem="it is not JSON in UTF-8")) from e
    if not isinstance(value, dict) or depth_of(value) > MAX_DEPTH:
        raise Refusal(400, Errors.H210.format(problem="expected a JSON object of few levels"))
    return value


def depth_of(value: Any) -> int:
    """RETURNS (int): Levels of a JSON value; stops counting above the limit."""
    depth, level = 0, [value]
    while level and depth <= MAX_DEPTH:
        depth += 1
        below: List[Any] = []
        for one in level:
            if isinstance(one, dict):
                below.extend(one.values())
            elif isinstance(one, list):
                below.extend(one)
        level = below
    return depth
