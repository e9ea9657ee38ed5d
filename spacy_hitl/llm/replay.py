"""`spacy-hitl.Replay.v1`: a model that answers from a recording. Offline, free, always the same."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, Optional, Tuple

from ..errors import Errors, InputError, ModelError
from ..io import find_file, read_jsonl, text_digest
from ..records import Request, Response
from ..tasks.base import find_text
from .store import ResponseStore

Key = Tuple[str, str, int]


class ReplayModel:
    """Answers requests by (text digest, task, sample). Reads its files at the first request."""

    def __init__(self, path: Path, *, texts: Optional[Path], task: Optional[str]) -> None:
        # spaCy hands paths of a config over as strings.
        self.path = Path(path)
        self.texts_path = None if texts is None else Path(texts)
        self.task = task
        self._answers: Optional[Dict[Key, Response]] = None

    @property
    def source(self) -> str:
        """Name under which proposals of this model are stored."""
        return f"replay:{self.path.name}"

    @property
    def answers(self) -> Dict[Key, Response]:
        """The recorded answers."""
        if self._answers is None:
            self._answers = read_recording(self.path, texts=self.texts_path)
        return self._answers

    def respond(self, requests: Iterable[Request]) -> Iterator[Response]:
        """Answer requests, in order.

        requests (Iterable[Request]): What to answer.
        YIELDS (Response): The recorded answer, or an error if there is none for this text.
        RAISES (ModelError): If the recording is missing or broken.
        """
        answers = self._load()
        for request in requests:
            answer = answers.get((request.text_digest, request.task, request.sample))
            if answer is None:
                error = Errors.H105.format(
                    path=self.path,
                    digest=request.text_digest[:8],
                    task=request.task,
                    sample=request.sample,
                )
                answer = Response(model=self.source, error=error)
            yield replace(answer, model=self.source, key=None)

    def __call__(self, prompts: Iterable[Iterable[Any]]) -> Iterable[Iterable[Any]]:
        """spacy-llm's model interface: the text is found in the prompt.

        prompts (Iterable[Iterable[Any]]): For each document, its prompts.
        YIELDS (Iterable[Any]): For each document, its answers; one that was not recorded is a
            JSON object with the error, which the tasks of this package mark as failed.
        """
        answers = self._load()
        for shard in prompts:
            replies = []
            for prompt in shard:
                text = find_text(str(prompt))
                if text is None:
                    replies.append(json.dumps({"hitl_error": Errors.H106}))
                    continue
                task = self.task or self._only_task(answers)
                digest = text_digest(text)
                error = Errors.H105.format(path=self.path, digest=digest[:8], task=task, sample=1)
                answer = answers.get((digest, task, 1))
                text = None if answer is None else answer.text
                replies.append(json.dumps({"hitl_error": error}) if text is None else text)
            yield replies

    def _load(self) -> Dict[Key, Response]:
        try:
            return self.answers
        except InputError as e:
            raise ModelError(str(e)) from e

    def _only_task(self, answers: Dict[Key, Response]) -> str:
        tasks = sorted({task for _, task, _ in answers})
        if len(tasks) != 1:
            raise ModelError(Errors.H109.format(path=self.path, known=", ".join(tasks)))
        return tasks[0]


def read_recording(path: Path, *, texts: Optional[Path]) -> Dict[Key, Response]:
    """Read recorded answers.

    path (Path): JSONL: {"task", "sample", "response", and "text_digest" or "id"}. Or a response
        store (.db): where several models answered, the first answer counts.
    texts (Optional[Path]): JSONL with the texts that records name by their id: {"id", "text"}.
    RETURNS (Dict[Key, Response]): Answers by (text digest, task, sample).
    RAISES (InputError): If a file is missing, or a line is not of that form.
    """
    answers: Dict[Key, Response] = {}
    if path.suffix == ".db":
        store = ResponseStore(find_file(path, what="response store"))
        store.db.open(readonly=True)
        for text_digest_, number, name, stored in store.recorded():
            answers.setdefault((text_digest_, name, number), stored)
        store.db.close()
        return answers
    digests: Dict[str, str] = {}
    if texts is not None:
        for where, record in read_jsonl(texts, what="texts of the recording"):
            id_, text = record.get("id"), record.get("text")
            if not isinstance(id_, str) or not isinstance(text, str):
                problem = "expected an object with 'id' and 'text'"
                raise InputError(Errors.H004.format(where=where, problem=problem))
            digests[id_] = text_digest(text)
    for where, record in read_jsonl(path, what="recorded answers"):
        digest = record.get("text_digest") or digests.get(str(record.get("id")))
        task, sample, answer = record.get("task"), record.get("sample", 1), record.get("response")
        if digest is None:
            problem = f"names no known text (id {record.get('id')!r}); give the texts file"
            raise InputError(Errors.H004.format(where=where, problem=problem))
        named = isinstance(digest, str) and type(sample) is int
        if not named or not isinstance(task, str) or not isinstance(answer, str):
            problem = (
                "expected 'text_digest' or 'id', 'task', 'response' (strings), 'sample' (a number)"
            )
            raise InputError(Errors.H004.format(where=where, problem=problem))
        answers[digest, task, sample] = Response(model=path.name, text=answer)
    return answers


def make_replay_model(
    path: Path, texts: Optional[Path] = None, task: Optional[str] = None
) -> ReplayModel:
    """Make a model that replays recorded answers.

    path (Path): JSONL of recorded answers, or a response store (.db).
    texts (Optional[Path]): JSONL with the texts, if the records name them by id.
    task (Optional[str]): Name of the recorded task. Only for spacy-llm's own `llm` component;
        `hitl_llm` asks for the task of its own name.
    RETURNS (ReplayModel): The model. Files are read at the first request.
    """
    return ReplayModel(path, texts=texts, task=task)
