"""HTTP: from requests to the session and back. Nothing is decided here."""

import asyncio
import json
import logging
import math
from dataclasses import dataclass
from typing import Any, Awaitable, Callable, Dict, Optional, Set, Tuple

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...dataset.reviews import add_login
from ...errors import Errors, HitlError, InputError, StateError
from .api import Api
from .files import StaticFile, read_static
from .requests import Refusal, read_body, read_cookie
from .routes import FREE, READS, WRITES
from .security import HEADER, HEADERS, LOGIN_DAYS, Doorkeeper, Gate, secret_digest
from .worker import Worker

log = logging.getLogger("spacy_hitl")


@dataclass
class Site:
    """What the server serves.

    api: the session behind its routes. cookie: its name holds the port, since browsers share
    cookies between the ports of a host. secure: served with TLS. finish: called when somebody ends
    the session. max_bytes: longest body of a request.
    """

    api: Api
    worker: Worker
    gate: Gate
    doorkeeper: Doorkeeper
    cookie: str
    finish: Callable[[], None]
    secure: bool = False
    max_bytes: int = 1_000_000


def make_app(site: Site) -> ASGIApp:
    """RETURNS (ASGIApp): The application."""

    async def index(request: Request) -> Response:
        token = request.query_params.get("token")
        if token is not None:
            return await _enter(site, token)
        known = _who(site, request) is not None
        page = read_static("index.html" if known else "signin.html")
        assert page is not None
        return _file(page, status=200 if known else 401, cache="no-store")

    async def static(request: Request) -> Response:
        found = read_static(request.path_params["path"])
        if found is None:
            return JSONResponse({"error": "There is no such file."}, status_code=404)
        if request.headers.get("if-none-match") == found.etag:
            return Response(status_code=304, headers={"etag": found.etag})
        return _file(found, status=200, cache="no-cache")

    async def read(request: Request) -> Response:
        annotator = _require(site, request)
        name, query = request.path_params["name"], dict(request.query_params)
        if name in FREE:
            free = FREE[name]
            status, value = await asyncio.to_thread(_try, lambda: free(site.api, annotator, query))
            return _json(status, value)
        call = READS[name]
        return await _answer(site, lambda: call(site.api, annotator, query))

    async def write(request: Request) -> Response:
        annotator = _require(site, request)
        _require_own(site, request)
        body = await read_body(request, site.max_bytes)
        call = WRITES[request.path_params["name"]]
        return await _answer(site, lambda: call(site.api, annotator, body))

    async def finish(request: Request) -> Response:
        _require(site, request)
        _require_own(site, request)
        await site.worker.run(lambda: None)  # what came before is stored
        site.finish()
        return JSONResponse({"ok": True})

    choose = _choose({*READS, *FREE}, read, set(WRITES), write)
    app = Starlette(
        routes=[
            Route("/", index, methods=["GET"]),
            Route("/static/{path:path}", static, methods=["GET"]),
            Route("/api/finish", finish, methods=["POST"]),
            Route("/api/{name}", choose, methods=["GET", "POST"]),
        ],
        exception_handlers={Refusal: _refused, HTTPException: _no_route, Exception: _failed},
    )
    return _Guard(app, site=site)  # around all, also around what answers for a failure


def _choose(
    reads: Set[str],
    read: Callable[[Request], Awaitable[Response]],
    writes: Set[str],
    write: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    async def choose(request: Request) -> Response:
        name = request.path_params["name"]
        if request.method != "POST" and name in reads:
            return await read(request)
        if request.method == "POST" and name in writes:
            return await write(request)
        known = name in reads or name in writes or name == "finish"
        status = 405 if known else 404
        return JSONResponse({"error": "There is no such request."}, status_code=status)

    return choose


async def _enter(site: Site, token: str) -> Response:
    """Exchange the token of a link for a cookie, and take it out of the address."""
    annotator = site.doorkeeper.open_with(token)
    if annotator is None:
        page = read_static("signin.html")
        assert page is not None
        return _file(page, status=401, cache="no-store")
    secret = site.doorkeeper.make_cookie(annotator)
    api = site.api

    def store() -> None:
        add_login(api.session.dataset, secret_digest(secret), annotator, api.session.now())

    try:
        await site.worker.run(store)
    except StateError as e:  # a full disk: the cookie holds until the server ends
        log.warning("%s", e)
    response = RedirectResponse("/", status_code=303)
    response.set_cookie(
        site.cookie,
        secret,
        max_age=LOGIN_DAYS * 24 * 3600,
        path="/",
        httponly=True,
        samesite="strict",
        secure=site.secure,
    )
    response.headers["cache-control"] = "no-store"
    return response


def _who(site: Site, request: Request) -> Optional[str]:
    return site.doorkeeper.who(read_cookie(request, site.cookie))


def _require(site: Site, request: Request) -> str:
    annotator = _who(site, request)
    if annotator is None:
        raise Refusal(401, "Not signed in. Open the link that 'spacy hitl review' printed.")
    return annotator


def _require_own(site: Site, request: Request) -> None:
    if not site.gate.is_own_origin(request.headers):
        raise Refusal(403, "This request comes from another site.")
    if request.headers.get(HEADER) != "1":
        raise Refusal(403, f"This request lacks the header {HEADER}.")


async def _answer(site: Site, work: Callable[[], Dict[str, Any]]) -> Response:
    status, value = await site.worker.run(lambda: _try(work))
    return _json(status, value)


def _json(status: int, value: Dict[str, Any]) -> Response:
    # Not JSONResponse: it fails on half a character, which an error may quote from a request.
    try:
        content = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:  # the meta of a row may hold NaN, which Python reads and no browser
        content = json.dumps(_finite(value), ensure_ascii=False, separators=(",", ":"))
    return Response(
        content.encode("utf8", "backslashreplace"),
        status_code=status,
        media_type="application/json",
        headers={"cache-control": "no-store"},
    )


def _finite(value: Any) -> Any:
    """RETURNS (Any): A JSON value with null in place of what is no number."""
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _try(work: Callable[[], Dict[str, Any]]) -> Tuple[int, Dict[str, Any]]:
    try:
        return 200, work()
    except InputError as e:
        return _status_of(e), {"error": str(e)}
    except StateError as e:
        full = "H060" in str(e)
        return (507 if full and "disk space" in str(e) else 503), {"error": str(e)}


def _status_of(error: HitlError) -> int:
    code = str(error)[1:5]
    return {"H206": 404, "H208": 403}.get(code, 422)


def _file(found: StaticFile, *, status: int, cache: str) -> Response:
    headers = {"etag": found.etag, "cache-control": cache}
    return Response(found.content, status_code=status, media_type=found.media_type, headers=headers)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return JSONResponse({"error": error.error}, status_code=error.status)


async def _no_route(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _json(error.status_code, {"error": "There is no such request."})


async def _failed(_: Request, error: Exception) -> Response:
    detail = type(error).__name__
    return JSONResponse({"error": Errors.H213.format(detail=detail)}, status_code=500)


class _Guard:
    """Refuses foreign hosts, and puts the headers on whatever is answered."""

    def __init__(self, app: ASGIApp, *, site: Site) -> None:
        self.app = app
        self.site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                known = {name.lower() for name, _ in message["headers"]}
                more = [(k.encode(), v.encode()) for k, v in HEADERS.items()]
                if b"cache-control" not in known:
                    more.append((b"cache-control", b"no-store"))
                message["headers"] = [*message["headers"], *more]
            await send(message)

        headers = Request(scope).headers
        if len(headers.getlist("host")) != 1 or not self.site.gate.is_own_host(headers.get("host")):
            error = {"error": "This server is not known under this name."}
            await JSONResponse(error, status_code=400)(scope, receive, with_headers)
            return
        await self.app(scope, receive, with_headers)
