"""Protocols: what a task, a model and a router must be able to do. A user's own needs no base."""

from concurrent.futures import Future
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    Mapping,
    Protocol,
    Sequence,
    Tuple,
    Union,
    runtime_checkable,
)

from spacy.tokens import Doc

from .records import (
    Annotation,
    Candidate,
    Counts,
    ParsedAnswer,
    Proposal,
    Request,
    Response,
    Row,
    Scored,
    TaskHeader,
)

Scalar = Union[str, int, float, bool, None]


class Question(Protocol):
    """What a prompted component asks: a task, or several at once."""

    def digest(self) -> str:
        """Digest of all that defines the question: labels, definitions, guidelines, prompt."""
        ...

    def build_request(self, doc: Doc, *, name: str, sample: int) -> Request:
        """Ask about one document."""
        ...


@runtime_checkable
class JointQuestion(Question, Protocol):
    """Several tasks in one request. The tasks are its `parts`, by name, in their order."""

    @property
    def parts(self) -> Mapping[str, "Task"]:
        """The tasks."""
        ...

    def source(self, model: str) -> str:
        """Name under which the proposals of the parts are stored."""
        ...

    def apply(
        self, doc: Doc, response: Response, *, sample: int, source: str
    ) -> Tuple[Proposal, ...]:
        """Annotate the document with every part of an answer; one proposal per part."""
        ...


@runtime_checkable
class Task(Question, Protocol):
    """What is annotated. One folder of `spacy_hitl.tasks` per kind."""

    kind: str

    @property
    def labels(self) -> Tuple[str, ...]:
        """All labels (for linking: catalog ids) an annotation may use."""
        ...

    def header(self, name: str) -> TaskHeader:
        """What the task is, for who trains or measures without its prompt."""
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


class Business(Protocol):
    """Business logic: any function of an annotated document and the row it belongs to."""

    def __call__(self, doc: Doc, row: Row, /) -> Iterable[Mapping[str, Scalar]]:
        """Make records: each a row of a table that somebody queries, flat. None at all is fine."""
        ...


class Router(Protocol):
    """Which texts people should see first: any function of a pool of texts."""

    def __call__(self, candidates: Sequence[Candidate], /) -> Sequence[Scored]:
        """Score the texts; the highest score comes first. Those left out come by chance only."""
        ...
