"""Load what is to be measured: a prompted config, a trained folder, or several folders as one."""

import tempfile
import time
import warnings
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Dict, List, Optional, Sequence, Tuple, Type

from spacy.language import Language
from spacy.tokens import Doc

from ..errors import Errors, InputError
from ..io import find_file, folder_digest, folder_megabytes
from ..llm.privacy import protect
from ..llm.store import ResponseStore
from ..pipeline.compose import compose
from ..pipeline.loading import (
    load_prompted,
    load_trained,
    prompted_components,
    prompted_tasks,
    split_variant,
)
from ..records import FAILED
from ..scoring.results import PROMPTED, STUDENT
from ..tasks.base import get_proposals


@dataclass(frozen=True)
class Speed:
    """Words per second: the median of some runs over all texts, one after the other, warm."""

    words_per_s: float
    runs: int


class System:
    """One pipeline to measure: a config, a variant of one, a folder, or folders joined by "+"."""

    def __init__(self, name: str, task: str) -> None:
        self.name = name
        self.task = task
        self.paths = [Path(part) for part in name.split("+")]
        self._stack = ExitStack()
        self._store: Optional[ResponseStore] = None
        self._owners: Dict[str, Path] = {}  # trained components, and the folders they come from
        first, _ = split_variant(self.paths[0])
        self.is_config = find_file(first, what="pipeline or config").is_file()
        self.nlp = self._load()
        if task not in (*self.nlp.pipe_names, *prompted_tasks(self.nlp)):
            pipeline = ", ".join(self.nlp.pipe_names)
            raise InputError(Errors.H401.format(path=name, task=task, pipeline=pipeline))

    def __enter__(self) -> "System":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self._stack.close()

    @property
    def role(self) -> str:
        """ "prompted" if the task's component asks a model, else "student"."""
        return PROMPTED if self.task in prompted_tasks(self.nlp) else STUDENT

    @property
    def threshold(self) -> Optional[float]:
        """The lowest score at which a category holds, as the component brings it."""
        if self.role == PROMPTED:
            return None
        cfg = getattr(self.nlp.get_pipe(self.task), "cfg", None) or {}
        value = cfg.get("threshold")
        return None if value is None else float(value)

    @property
    def needs(self) -> Tuple[Tuple[str, str], ...]:
        """Trained components of the other parts, each with the digest of its folder."""
        own = self._owners.get(self.task)
        return tuple(
            (name, folder_digest(path)) for name, path in self._owners.items() if path != own
        )

    @property
    def own_path(self) -> Path:
        """The folder of the part that has the task's component."""
        return self._owners.get(self.task, self.paths[0])

    def megabytes(self) -> Optional[float]:
        """RETURNS (Optional[float]): Size on disk of the task's own part, if it is trained."""
        return folder_megabytes(self.own_path) if self.role == STUDENT else None

    def digest(self) -> Optional[str]:
        """RETURNS (Optional[str]): Digest of the task's own part, if it is trained."""
        return folder_digest(self.own_path) if self.role == STUDENT else None

    def run(self, texts: Sequence[str]) -> Tuple[List[Doc], int]:
        """Annotate texts.

        RETURNS (Tuple[List[Doc], int]): The documents, and on how many the task's model failed.
        """
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"\[W100\]")
            # Open only while it is asked: several prompted systems may share one store.
            with nullcontext() if self._store is None else self._store:
                docs = list(self.nlp.pipe(texts))
        proposals = (get_proposals(doc).get(self.task) for doc in docs)
        return docs, sum(p is not None and p.status == FAILED for p in proposals)

    def speed(self, texts: Sequence[str], *, runs: int = 3) -> Optional[Speed]:
        """RETURNS (Optional[Speed]): Of trained pipelines only: a prompted one waits for others."""
        if self.role == PROMPTED:
            return None
        times = []
        words = sum(len(doc) for doc in self.nlp.pipe(texts))
        for _ in range(runs):
            start = time.perf_counter()
            for _doc in self.nlp.pipe(texts):
                pass
            times.append(time.perf_counter() - start)
        return Speed(words / median(times), runs)

    def _load(self) -> Language:
        if self.is_config:
            nlp, settings = load_prompted(self.paths[0])
            self._store = ResponseStore(settings.responses)
            for name, component in prompted_components(nlp).items():
                component.model = protect(
                    component.model, settings.privacy, name=name, store=self._store
                )
            return nlp
        parts = [(str(path), load_trained(path)) for path in self.paths]
        for path, part in parts:
            for name, pipe in part.pipeline:
                if getattr(pipe, "is_trainable", False) or name == self.task:
                    self._owners[name] = Path(path)
        if len(parts) == 1:
            return parts[0][1]
        folder = self._stack.enter_context(tempfile.TemporaryDirectory())
        compose(parts).to_disk(folder)
        return load_trained(Path(folder))
