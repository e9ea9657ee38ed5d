"""Protocols: what a task and a model must be able to do. A user's own class needs no base class."""

from concurrent.futures import Future
from typing import Any, Callable, Dict, Iterable, Iterator, Protocol, Tuple, runtime_checkable

from spacy.tokens import Doc

from .records import Annotation, Counts, ParsedAnswer, Request, Response, TaskHeader


@runtime_checkable
class Task(Protocol):
    """What is annotated. One folder of `spacy_hitl.tasks` per kind."""

    kind: str

    @property
    def labels(self) -> Tuple[str, ...]:
        """All labels (for linking: catalog ids) an annotation may use."""
        ...

    def digest(self) -> str:
        """Digest of all that defines the task: labels, definitions, guidelines, prompt."""
        ...

    def header(self, name: str) -> TaskHeader:
        """What the task is, for who trains or measures without its prompt."""
        ...

    def build_request(self, doc: Doc, *, name: str, sample: int) -> Request:
        """Ask about one document."""
        ...

    def parse(self, doc: Doc, response: Response) -> ParsedAnswer:
        """Understand an answer. Pure: never changes the document."""
        ...

    def set_annotation(self, doc: Doc, annotation: Annotation) -> None:
        """Write an annotation to the document, in place, next to what is there."""
        ...

    def get_annotation(self, doc: Doc) -> Annotation:
        """Read the annotation of this task back from a document, whoever set it."""
        ...

    def compare(self, gold: Annotation, predicted: Annotation) -> Dict[str, Counts]:
        """Count hits and errors per label for one text."""
        ...

    def read_compact(self, value: Any, *, where: str, text: str) -> Annotation:
        """Read the short form of the import format; refuses unknown labels and bad offsets."""
        ...

    def write_compact(self, annotation: Annotation) -> Any:
        """Write the short form of the import format."""
        ...


@runtime_checkable
class Model(Protocol):
    """Who answers."""

    @property
    def source(self) -> str:
        """Name under which proposals of this model are stored."""
        ...

    def respond(self, requests: Iterable[Request]) -> Iterator[Response]:
        """One response per request, in order. A request that fails gets a response that says so.

        RAISES (ModelError): If no request can be answered at all.
        """
        ...


class RollingModel(Model, Protocol):
    """A model that can have many requests under way at once."""

    window: int

    def submit(
        self, request: Request, on_answer: Callable[[Request, Response], Response]
    ) -> "Future[Response]":
        """Start one request. `on_answer` sees every final response before anyone else."""
        ...
