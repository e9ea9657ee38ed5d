"""`spacy-hitl.OpenAI.v1`: any OpenAI-compatible server, many requests at once.

The client library does one attempt; when to ask, how often and what a failure means is decided
here, so that a waiting request never holds a slot and a failure is never mistaken for an answer.
"""

import asyncio
import os
import random
import re
import time
import warnings
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, Callable, Dict, Iterable, Iterator, Mapping, Optional, Tuple

from ..errors import Errors, InputError, ModelError, Warnings
from ..records import Request, Response
from .background import background_loop
from .client import close_after, make_client
from .completions import (
    estimate_tokens,
    explain,
    hide,
    read_completion,
    redirect_target,
    refused_parameter,
    server_message,
)
from .limits import Bucket, backoff, retry_after
from .window import in_order

RETRIED = (408, 409, 425, 429)
OnAnswer = Callable[[Request, Response], Response]


class OpenAIModel:
    """Asks a server over the chat completions interface.

    No connection is made before the first request, and none is kept when the object is pickled.
    """

    def __init__(
        self,
        name: str,
        *,
        base_url: Optional[str],
        api_key_env: str,
        azure_api_version: Optional[str],
        parameters: Dict[str, Any],
        structured: bool,
        concurrency: int,
        window: int,
        requests_per_minute: Optional[float],
        tokens_per_minute: Optional[float],
        timeout: float,
        max_attempts: int,
    ) -> None:
        self.name = name
        self.base_url = base_url
        self.api_key_env = api_key_env
        self.azure_api_version = azure_api_version
        self.parameters = parameters
        self.structured = structured
        self.concurrency = concurrency
        self.window = window
        self.timeout = timeout
        self.max_attempts = max_attempts
        self._per_minute = (requests_per_minute, tokens_per_minute)
        self._dropped: Dict[str, str] = {}
        self._reset()

    def _reset(self) -> None:
        self._pid: Optional[int] = None
        self._client: Any = None
        self._slots: Optional[asyncio.Semaphore] = None
        self._fatal: Optional[str] = None

    def __getstate__(self) -> Dict[str, Any]:
        return {**vars(self), "_pid": None, "_client": None, "_slots": None, "_fatal": None}

    @property
    def source(self) -> str:
        """Name under which proposals of this model are stored."""
        return self.name

    @property
    def shaping(self) -> Mapping[str, Any]:
        """Parameters that shape an answer, and are part of the key under which it is stored."""
        return {**self.parameters, "structured": self.structured}

    def respond(self, requests: Iterable[Request]) -> Iterator[Response]:
        """YIELDS (Response): One per request, in order.
        RAISES (ModelError): If the server refuses all requests: key, address, model, quota.
        """
        yield from in_order(requests, self.submit, size=self.window)

    def submit(self, request: Request, on_answer: Optional[OnAnswer] = None) -> "Future[Response]":
        """Start one request.

        request (Request): What to ask.
        on_answer (Optional[OnAnswer]): Called with request and answer, in the thread of the loop,
            before anyone else sees it: the store writes here.
        RETURNS (Future[Response]): Resolves to the answer, or to one that says why there is none.
        """
        self._connect()
        return asyncio.run_coroutine_threadsafe(self._ask(request, on_answer), background_loop())

    def __call__(self, prompts: Iterable[Iterable[Any]]) -> Iterable[Iterable[Any]]:
        """spacy-llm's model interface: one list of prompts per document."""
        shards = [[_from_prompt(str(p)) for p in shard] for shard in prompts]
        replies = self.respond(request for shard in shards for request in shard)
        for shard in shards:
            answers = [next(replies) for _ in shard]
            for answer in answers:
                if answer.error is not None:
                    raise ModelError(answer.error)
            yield [answer.text or "" for answer in answers]

    # One request

    @property
    def _key(self) -> str:
        return os.environ.get(self.api_key_env, "")

    def _connect(self) -> None:
        if self._pid == os.getpid():
            return
        self._reset()
        self._client = make_client(
            self.base_url,
            key=self._key,
            azure_api_version=self.azure_api_version,
            timeout=self.timeout,
        )
        close_after(self, self._client, background_loop())
        self._slots = asyncio.Semaphore(self.concurrency)
        self._requests = Bucket(self._per_minute[0])
        self._tokens = Bucket(self._per_minute[1])
        self._pid = os.getpid()

    async def _ask(self, request: Request, on_answer: Optional[OnAnswer]) -> Response:
        assert self._slots is not None
        attempt = 0
        while True:
            if self._fatal is not None:
                raise ModelError(self._fatal)
            attempt += 1
            async with self._slots:
                await self._wait_for_room(request)
                response, wait = await self._attempt(request, attempt)
            if response is not None:
                return response if on_answer is None else on_answer(request, response)
            await asyncio.sleep(wait)  # the slot is free meanwhile

    async def _wait_for_room(self, request: Request) -> None:
        now = time.monotonic()
        wait = self._requests.take(1, now=now)
        wait = max(wait, self._tokens.take(estimate_tokens(request), now=now))
        if wait:
            await asyncio.sleep(wait)

    async def _attempt(self, request: Request, attempt: int) -> Tuple[Optional[Response], float]:
        """Ask once. RETURNS: A final response, or None and how long to wait before the next."""
        import openai

        start = time.monotonic()
        try:
            completion = await self._client.chat.completions.create(**self._body(request))
        except openai.APIStatusError as e:
            return self._status_error(e, request, attempt)
        except openai.OpenAIError as e:  # no connection, time-out, an answer that is no completion
            return self._try_again(hide(f"{type(e).__name__}: {e}", self._key), attempt, None)
        seconds = time.monotonic() - start
        return replace(read_completion(completion, self.source), seconds=seconds), 0.0

    def _body(self, request: Request) -> Dict[str, Any]:
        body: Dict[str, Any] = {
            "model": self.name,
            "messages": [{"role": m.role, "content": m.content} for m in request.messages],
            **self.parameters,
        }
        if request.sample > 1 or "seed" in body:
            body["seed"] = int(body.get("seed", 0)) + request.sample - 1
        if self.structured and request.schema:
            schema = {"name": "answer", "strict": True, "schema": request.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return {k: v for k, v in body.items() if k not in self._dropped}

    def _status_error(
        self, error: Any, request: Request, attempt: int
    ) -> Tuple[Optional[Response], float]:
        status, code = int(error.status_code), str(getattr(error, "code", "") or "")
        detail = f"{status} {server_message(error, secret=self._key)}"
        redirect = 300 <= status < 400
        if redirect or status in (401, 403, 404) or "insufficient_quota" in code + detail:
            self._fatal = explain(
                status,
                detail,
                name=self.name,
                base_url=self.base_url,
                api_key_env=self.api_key_env,
                target=redirect_target(error, secret=self._key),
            )
            raise ModelError(self._fatal)
        if status in (400, 422):
            parameter = refused_parameter(error, self._body(request))
            if parameter is not None:
                self._dropped[parameter] = detail
                message = Warnings.W101.format(name=self.name, parameter=parameter, detail=detail)
                warnings.warn(message, UserWarning, stacklevel=2)
                return None, 0.0
        if status in RETRIED or status >= 500:
            headers = {k.lower(): v for k, v in error.response.headers.items()}
            return self._try_again(detail, attempt, retry_after(headers, now=time.time()))
        return Response(model=self.source, error=Errors.H103.format(detail=detail)), 0.0

    def _try_again(
        self, detail: str, attempt: int, wait: Optional[float]
    ) -> Tuple[Optional[Response], float]:
        if attempt >= self.max_attempts:
            tried = f"{detail} (after {attempt} attempts)"
            return Response(model=self.source, error=Errors.H103.format(detail=tried)), 0.0
        pause = backoff(attempt, dice=random.random())  # noqa: S311
        return None, pause if wait is None else wait + pause * 0.1


def _from_prompt(prompt: str) -> Request:
    from ..io import text_digest
    from ..records import Message

    return Request(text_digest(prompt), "", 1, (Message("user", prompt),), {})


def make_openai_model(
    name: str,
    base_url: Optional[str] = None,
    api_key_env: str = "OPENAI_API_KEY",
    azure_api_version: Optional[str] = None,
    temperature: Optional[float] = 0.0,
    max_tokens: Optional[int] = None,
    seed: Optional[int] = None,
    logprobs: bool = False,
    extra: Optional[Dict[str, Any]] = None,
    structured: bool = True,
    concurrency: int = 32,
    window: Optional[int] = None,
    requests_per_minute: Optional[float] = None,
    tokens_per_minute: Optional[float] = None,
    timeout: float = 60.0,
    max_attempts: int = 6,
) -> OpenAIModel:
    """Make a model that asks an OpenAI-compatible server.

    name (str): The model's name as the server knows it (on Azure: of the deployment).
    base_url (Optional[str]): Address up to and including /v1; OpenAI's own if not given.
    api_key_env (str): Environment variable with the key. The key itself is never configured.
    azure_api_version (Optional[str]): Set for Azure; base_url is then the resource's endpoint.
    temperature (Optional[float]): Left out if None; some models refuse it.
    max_tokens (Optional[int]): Longest answer, in tokens.
    seed (Optional[int]): Of the first sample; sample k has seed + k - 1.
    logprobs (bool): Ask for the log-probabilities of the answer's tokens.
    extra (Optional[Dict[str, Any]]): More fields of the request's body.
    structured (bool): Ask for answers that follow the task's JSON schema. They are checked anyway.
    concurrency (int): Requests in flight, at most.
    window (Optional[int]): Texts under way, at most; eight times the concurrency if not given.
    requests_per_minute (Optional[float]): Limit of the account.
    tokens_per_minute (Optional[float]): Limit of the account, on estimated prompt tokens.
    timeout (float): Seconds for one attempt.
    max_attempts (int): Attempts before a text is marked as failed.
    RETURNS (OpenAIModel): The model. Nothing was sent yet.
    RAISES (InputError): If api_key_env is not a name, but maybe the key.
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", api_key_env):
        raise InputError(Errors.H124)
    given = {"temperature": temperature, "max_tokens": max_tokens, "seed": seed}
    parameters = {k: v for k, v in given.items() if v is not None}
    if logprobs:
        parameters["logprobs"] = True
    return OpenAIModel(
        name,
        base_url=base_url,
        api_key_env=api_key_env,
        azure_api_version=azure_api_version,
        parameters={**parameters, **(extra or {})},
        structured=structured,
        concurrency=concurrency,
        window=window or 8 * concurrency,
        requests_per_minute=requests_per_minute,
        tokens_per_minute=tokens_per_minute,
        timeout=timeout,
        max_attempts=max_attempts,
    )
