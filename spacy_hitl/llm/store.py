"""The response store: every answer is written here before it is used, and never asked for twice."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Dict, Iterable, Iterator, Optional

from ..io import json_digest
from ..records import Request, Response
from ..sqlite import Database
from ..ty import Model

FORMAT = 1
SCHEMA = """
CREATE TABLE responses (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    task TEXT NOT NULL,
    model TEXT NOT NULL,
    request TEXT NOT NULL,
    response TEXT NOT NULL
);
"""


def request_key(request: Request, *, model: str) -> str:
    """Digest of everything that shapes an answer.

    request (Request): What is asked.
    model (str): The model's name.
    RETURNS (str): The key under which the answer is stored.
    """
    return json_digest(
        {
            "v": FORMAT,
            "model": model,
            "messages": [[m.role, m.content] for m in request.messages],
            "schema": request.schema,
            "sample": request.sample,
        }
    )


class ResponseStore:
    """Append-only: answers by key. One process writes at a time."""

    def __init__(self, path: Path) -> None:
        self.db = Database(path, what="response store", format=FORMAT, schema=SCHEMA)

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
        return None if row is None else Response.from_dict(json.loads(row[0]))

    def put(self, key: str, request: Request, response: Response) -> None:
        """Store an answer. A key that is there already keeps its first answer."""
        asked = {"text_digest": request.text_digest, "sample": request.sample}
        # The messages hold the text itself, which the dataset has: their digest is the key.
        values = (key, request.task, response.model, json.dumps(asked))
        with self.db.transaction():
            self.db.run(
                "INSERT INTO responses (key, task, model, request, response)"
                " VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
                (*values, json.dumps(response.to_dict())),
            )


class StoredModel:
    """A model in front of which the store stands. Failures are passed on, never stored; a refusal
    is an answer.
    """

    def __init__(self, model: Model, store: ResponseStore) -> None:
        self.model = model
        self.store = store

    @property
    def source(self) -> str:
        """The name of the model behind the store."""
        return self.model.source

    def respond(self, requests: Iterable[Request]) -> Iterator[Response]:
        """YIELDS (Response): Stored answers where there are some; the others are asked for, and
        written before they are given out.
        """
        batch = list(requests)
        keys = [request_key(r, model=self.source) for r in batch]
        known = {key: self.store.get(key) for key in keys}
        missing: Dict[str, Request] = {
            key: r for key, r in zip(keys, batch, strict=True) if known[key] is None
        }
        fresh = iter(self.model.respond(list(missing.values()))) if missing else iter(())
        for request, key in zip(batch, keys, strict=True):
            response = known[key]
            if response is None:
                answer = next(fresh, None)
                if answer is None:
                    return
                response = answer
                if answer.error is None and (answer.text or answer.refusal) is not None:
                    response = replace(answer, key=key)
                    self.store.put(key, request, response)
                known[key] = response
            yield response
