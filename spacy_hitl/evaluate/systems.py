"""Load what is to be measured: a prompted config, a trained folder, or several folders as one."""

import tempfile
import warnings
from contextlib import ExitStack, nullcontext
from pathlib import Path
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
from ..records import FAILED, Annotation, TaskHeader
from ..scoring.results import PRODUCTION, PROMPTED, STUDENT, Speed
from ..settings import Settings
from ..tasks.base import get_proposals
from ..tasks.reference import get_annotation
from .speed import measure_speed


class System:
    """One pipeline to measure: a config, a variant of one, a folder, or folders joined by "+".

    production: whether it is the pipeline that runs now. What it asks a model for is left out then.
    settings: the [hitl] section of a config. folder: what was loaded, composed if there are parts.
    """

    def __init__(self, name: str, task: str, *, production: bool = False) -> None:
        self.name = name
        self.task = task
        self.production = production
        # Of production, the version that its link points to now.
        self.paths = [Path(name).resolve()] if production else [*map(Path, name.split("+"))]
        self._stack = ExitStack()
        self._store: Optional[ResponseStore] = None
        self.settings: Optional[Settings] = None
        self.folder = self.paths[0]
        self._left_out: List[str] = []
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
        """ "prompted" if the task's component asks a model, else "student" or "production"."""
        if self.task in prompted_tasks(self.nlp):
            return PROMPTED
        return PRODUCTION if self.production else STUDENT

    @property
    def is_trained(self) -> bool:
        """Whether the task's component answers without asking a model."""
        return self.role != PROMPTED

    @property
    def threshold(self) -> Optional[float]:
        """The lowest score at which a category holds, as the component brings it."""
        if not self.is_trained:
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
        return folder_megabytes(self.own_path) if self.is_trained else None

    def digest(self) -> Optional[str]:
        """RETURNS (Optional[str]): Digest of the task's own part, if it is trained."""
        return folder_digest(self.own_path) if self.is_trained else None

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

    def speed(self, texts: Sequence[str], *, code: Optional[Path] = None) -> Optional[Speed]:
        """Time it, in a process of its own.

        texts (Sequence[str]): What it annotates.
        code (Optional[Path]): Python file with registered functions that it needs.
        RETURNS (Optional[Speed]): Of trained pipelines only: a prompted one waits for others.
        """
        if self.is_config or prompted_components(self.nlp):
            return None
        return measure_speed(self.folder, texts, code=code, left_out=self._left_out)

    def read(self, doc: Doc, header: TaskHeader) -> Annotation:
        """RETURNS (Annotation): What a document of this pipeline says of its task."""
        return get_annotation(
            doc, header, threshold=0.5 if self.threshold is None else self.threshold
        )

    def cat_scores(self, doc: Doc, header: TaskHeader) -> Tuple[Tuple[str, float], ...]:
        """RETURNS (Tuple[Tuple[str, float], ...]): The score of every category, rounded; of a
        trained classifier only: a prompted one says yes or no.
        """
        if header.kind != "textcat" or self.role == PROMPTED:
            return ()
        return tuple(
            (label, round(doc.cats[label], 4)) for label in header.labels if label in doc.cats
        )

    def _load(self) -> Language:
        if self.is_config:
            nlp, settings = load_prompted(self.paths[0])
            self.settings = settings
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
            nlp = parts[0][1]
            self._left_out = list(prompted_components(nlp)) if self.production else []
            for name in self._left_out:
                nlp.disable_pipe(name)
            return nlp
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        compose(parts).to_disk(self.folder)
        return load_trained(self.folder)


def open_production(path: Path, task: str) -> Tuple[Optional[System], str]:
    """Load the pipeline in production, if it has a trained component for a task.

    path (Path): The link that production loads.
    task (str): The task.
    RETURNS (Tuple[Optional[System], str]): The system, or None and a sentence that says why not.
    RAISES (InputError): If what is there is no pipeline.
    """
    if not path.exists():
        return None, f"Not in production when this was measured: there was no '{path}'."
    nlp = load_trained(path)
    if task in prompted_tasks(nlp):
        return None, f"In '{path}', '{task}' still asks a model: that is the prompted system."
    if task not in nlp.pipe_names:
        names = ", ".join(nlp.pipe_names)
        why = f"'{path}' had no '{task}' ({names})"
        return None, f"Not in production when this was measured: {why}."
    return System(str(path), task, production=True), ""
