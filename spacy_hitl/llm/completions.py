"""What an OpenAI-compatible server sends: completions and errors, read and explained. Pure."""

from typing import Any, Mapping, Optional, Tuple
from urllib.parse import urljoin, urlsplit

from ..errors import Errors
from ..records import Request, Response

DROPPABLE = ("response_format", "temperature", "top_p", "seed", "logprobs", "top_logprobs")


def estimate_tokens(request: Request) -> int:
    """RETURNS (int): About how many tokens a request has: four characters of text each."""
    return sum(len(m.content) for m in request.messages) // 4 + 1


def refused_parameter(error: Any, body: Mapping[str, Any]) -> Optional[str]:
    """RETURNS (Optional[str]): The parameter a server will not take, if it can be left out."""
    named = str(getattr(error, "param", "") or "").split(".")[0]
    message = server_message(error)
    for parameter in DROPPABLE:
        if parameter in body and (parameter == named or parameter in message):
            return parameter
    return None


def server_message(error: Any, *, secret: str = "") -> str:
    """RETURNS (str): What the server said, at most 500 characters, without the key."""
    body = getattr(error, "body", None)
    # `detail` is where FastAPI servers put it (transformers serve, for one).
    message = (body.get("message") or body.get("detail")) if isinstance(body, dict) else None
    return hide(str(message or getattr(error, "message", error)), secret)[:500]


def hide(text: str, secret: str) -> str:
    """RETURNS (str): A text that may be shown: a server may repeat the key it was sent."""
    return text.replace(secret, "[key]") if secret else text


def plain_address(address: str) -> str:
    """An address that may be shown: without user, password, query and fragment.

    >>> plain_address("https://me:secret@example.org:8000/v1?key=x")
    'https://example.org:8000/v1'
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        return "an address that is none"
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" if host else "an address without a host"


def redirect_target(error: Any, *, secret: str = "") -> str:
    """RETURNS (str): Where a server sent the request on to, as an address that may be shown."""
    location = str(error.response.headers.get("location", ""))
    if not location:
        return "an address it does not name"
    try:
        target = plain_address(urljoin(str(error.response.url), location))
    except ValueError:
        target = plain_address(location)
    return hide(target, secret)[:200]


def explain(
    status: int,
    detail: str,
    *,
    name: str,
    base_url: Optional[str],
    api_key_env: str,
    target: str = "",
) -> str:
    """RETURNS (str): A catalogued message for an error that no other request will escape."""
    address = plain_address(base_url) if base_url else "the default address of OpenAI"
    if 300 <= status < 400:
        return Errors.H127.format(address=address, status=status, target=target)
    if status in (401, 403):
        return Errors.H110.format(address=address, env=api_key_env, detail=detail)
    if status == 404:
        return Errors.H111.format(address=address, name=name, detail=detail)
    return Errors.H112.format(address=address, detail=detail)


def read_completion(completion: Any, source: str) -> Response:
    """RETURNS (Response): What a chat completion holds: text, refusal, usage, log-probabilities."""
    choices = getattr(completion, "choices", None) or []
    usage = getattr(completion, "usage", None)
    counts = {
        "prompt_tokens": getattr(usage, "prompt_tokens", None),
        "completion_tokens": getattr(usage, "completion_tokens", None),
    }
    if not choices:
        return Response(model=source, error=Errors.H103.format(detail="an answer without choices"))
    message = choices[0].message
    refusal = getattr(message, "refusal", None)
    if choices[0].finish_reason == "content_filter":
        refusal = refusal or "stopped by the server's content filter"
    return Response(
        model=source,
        text=message.content,
        finish_reason=choices[0].finish_reason,
        refusal=refusal,
        logprobs=_read_logprobs(choices[0]),
        **counts,
    )


def _read_logprobs(choice: Any) -> Optional[Tuple[Tuple[str, float], ...]]:
    content = getattr(getattr(choice, "logprobs", None), "content", None)
    if not content:
        return None
    return tuple((str(t.token), float(t.logprob)) for t in content)
