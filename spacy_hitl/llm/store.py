"""The response store: every answer is written here before it is used, and never asked for twice."""

import json
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Tuple, cast

from ..errors import Errors
from ..io import batched, json_digest
from ..records import Request, Response
from ..sqlite import Database
from ..ty import Model, RollingModel
from .sharing import UnderWay
from .window import in_order

FORMAT = 2
KEYS = 1  # version of the keys: stored answers must be found by later releases
BATCH = 32  # requests looked up together for a model that answers one by one
# Texts that are the same once masked share an answer: `responses` holds it with the text that asked
# first, `asked` names all of them.
ASKED = """
CREATE TABLE asked (
    id INTEGER PRIMARY KEY,
    text_digest TEXT NOT NULL,
    task TEXT NOT NULL,
    sample INTEGER NOT NULL,
    key TEXT NOT NULL REFERENCES responses (key),
    UNIQUE (text_digest, task, sample, key)
);
"""
SCHEMA = f"""
CREATE TABLE responses (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    text_digest TEXT NOT NULL,
    task TEXT NOT NULL,
    sample INTEGER NOT NULL,
    model TEXT NOT NULL,
    response TEXT NOT NULL
);
{ASKED}
"""
FILL_ASKED = """
INSERT INTO asked (text_digest, task, sample, key)
    SELECT text_digest, task, sample, key FROM responses ORDER BY id;
DROP INDEX responses_text;
"""
MIGRATIONS = {1: ASKED + FILL_ASKED}


def request_key(request: Request, *, model: str, shaping: Mapping[str, Any]) -> str:
    """Digest of everything that shapes an answer.

    request (Request): What is asked.
    model (str): The model's name.
    shaping (Mapping[str, Any]): The model's parameters (temperature and so on).
    RETURNS (str): The key under which the answer is stored.
    """
    return json_digest(
        {
            "v": KEYS,
            "model": model,
            "messages": [[m.role, m.content] for m in request.messages],
            "schema": request.schema,
            "sample": request.sample,
            "parameters": dict(shaping),
        }
    )


class ResponseStore:
    """Append-only: answers by key, and who asked for them. One process writes at a time."""

    def __init__(self, path: Path) -> None:
        self.db = Database(
            path, what="response store", format=FORMAT, schema=SCHEMA, migrations=MIGRATIONS
        )

    def __enter__(self) -> "ResponseStore":
        self.db.open()
        return self

    def __exit__(self, *args: object) -> None:
        self.db.close()

    def __len__(self) -> int:
        return int(self.db.one("SELECT count(*) FROM responses")[0])

    def get(self, key: str) -> Optional[Response]:
        """RETURNS (Optional[Response]): The stored answer, if there is one."""
        row = self.db.first("SELECT response FROM responses WHERE key = ?", (key,))
        return None if row is None else Response.from_dict(self.db.load(row[0]))

    def usage(self) -> Iterator[Tuple[str, int, int, int]]:
        """YIELDS (Tuple[str, int, int, int]): Model, answers, prompt tokens, completion tokens."""
        yield from self.db.rows(
            "SELECT model, count(*), ifnull(sum(json_extract(response, '$.prompt_tokens')), 0),"
            " ifnull(sum(json_extract(response, '$.completion_tokens')), 0)"
            " FROM responses GROUP BY model ORDER BY model"
        )

    def recorded(self) -> Iterator[Tuple[str, int, str, Response]]:
        """YIELDS (Tuple[str, int, str, Response]): Text digest, sample, task and answer of all
        questions; one answer may belong to several.
        """
        for *asked, response in self.db.rows(
            "SELECT a.text_digest, a.sample, a.task, r.response"
            " FROM asked a JOIN responses r ON r.key = a.key ORDER BY a.id"
        ):
            digest, sample, task = asked
            yield digest, sample, task, Response.from_dict(self.db.load(response))

    def find(self, request: Request, *, model: str) -> Optional[Response]:
        """RETURNS (Optional[Response]): A model's last answer on the same text, task and sample,
        whatever the prompt was.
        """
        row = self.db.first(
            "SELECT r.response FROM asked a JOIN responses r ON r.key = a.key"
            " WHERE a.text_digest = ? AND a.task = ? AND a.sample = ? AND r.model = ?"
            " ORDER BY a.id DESC",
            (request.text_digest, request.task, request.sample, model),
        )
        return None if row is None else Response.from_dict(self.db.load(row[0]))

    def put(self, key: str, request: Request, response: Response) -> None:
        """Store an answer and who asked for it: both or nothing. A key that is there already keeps
        its first answer.
        """
        # The messages hold the text itself, which the dataset has: their digest is in the key.
        asked = (key, request.text_digest, request.task, request.sample)
        with self.db.transaction():
            self.db.run(
                "INSERT INTO responses (key, text_digest, task, sample, model, response)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
                (*asked, response.model, json.dumps(response.to_dict())),
            )
            self._add_asked(*asked)

    def share(self, key: str, request: Request) -> None:
        """Store that a stored answer is the answer to another question too."""
        asked = (key, request.text_digest, request.task, request.sample)
        known = self.db.first(
            "SELECT 1 FROM asked WHERE key = ? AND text_digest = ? AND task = ? AND sample = ?",
            asked,
        )
        if known is None:
            with self.db.transaction():
                self._add_asked(*asked)

    def _add_asked(self, key: str, text_digest: str, task: str, sample: int) -> None:
        self.db.run(
            "INSERT INTO asked (key, text_digest, task, sample) VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            (key, text_digest, task, sample),
        )


class StoredModel:
    """A model in front of which the store stands. Failures are passed on, never stored.

    model (Model): Who answers what is not stored. If it can have many requests under way
        (`submit` and `window`), `respond` has them under way too.
    store (ResponseStore): Open for writing.
    """

    def __init__(self, model: Model, store: ResponseStore) -> None:
        self.model = model
        self.store = store
        self._under_way: UnderWay[Response] = UnderWay()

    @property
    def source(self) -> str:
        """The name of the model behind the store."""
        return self.model.source

    @property
    def window(self) -> Optional[int]:
        """How many requests may be under way, or None if the model answers one by one."""
        return getattr(self.model, "window", None)

    def respond(self, requests: Iterable[Request]) -> Iterator[Response]:
        """YIELDS (Response): Stored answers where there are some; the others are asked for, and
        written before they are given out.
        """
        if self.window is not None:
            yield from in_order(requests, self._submit, size=self.window)
            return
        for batch in batched(requests, BATCH):
            yield from self._respond_batch(batch)

    def _key(self, request: Request) -> str:
        shaping = getattr(self.model, "shaping", {})
        return request_key(request, model=self.source, shaping=shaping)

    def _submit(self, request: Request) -> "Future[Response]":
        key = self._key(request)
        return self._under_way.ask(
            key,
            lambda: self._start(key, request),
            before=lambda answer: self._share(key, request, answer),
        )

    def _start(self, key: str, request: Request) -> "Future[Response]":
        stored = self.store.get(key)
        if stored is None:
            model = cast(RollingModel, self.model)
            return model.submit(request, lambda r, answer: self._keep(key, r, answer))
        future: Future[Response] = Future()
        future.set_result(stored)
        return future

    def _respond_batch(self, batch: List[Request]) -> Iterator[Response]:
        keys = [self._key(r) for r in batch]
        known = {key: self.store.get(key) for key in keys}
        missing: Dict[str, Request] = {}
        for request, key in zip(batch, keys, strict=True):
            if known[key] is None:
                missing.setdefault(key, request)  # the first one asks
        fresh = iter(self.model.respond(list(missing.values()))) if missing else iter(())
        for request, key in zip(batch, keys, strict=True):
            response = known[key]
            if response is None:
                answer = next(fresh, None)
                if answer is None:
                    return
                response = known[key] = self._keep(key, request, answer)
            self._share(key, request, response)
            yield response

    def _keep(self, key: str, request: Request, answer: Response) -> Response:
        """Write an answer, unless it is a failure. RETURNS: The answer, with its key if written."""
        answered = answer.text is not None or answer.refusal is not None
        if not answered or answer.error is not None:
            return answer
        response = replace(answer, key=key)
        self.store.put(key, request, response)
        return response

    def _share(self, key: str, request: Request, answer: Response) -> None:
        """Write that this text has the stored answer too, unless it is a failure."""
        if answer.key == key and not getattr(self.model, "dry", False):
            self.store.share(key, request)


class StoredAnswers:
    """Answers from the store alone, whatever the prompt was: parsing again is free.

    source (str): The model whose answers to use.
    store (ResponseStore): Open.
    """

    def __init__(self, source: str, store: ResponseStore) -> None:
        self.source = source
        self.store = store

    def respond(self, requests: Iterable[Request]) -> Iterator[Response]:
        """YIELDS (Response): The stored answer, or an error where there is none."""
        for request in requests:
            found = self.store.find(request, model=self.source)
            if found is None:
                error = Errors.H143.format(model=self.source, digest=request.text_digest[:8])
                found = Response(model=self.source, error=error)
            yield found
