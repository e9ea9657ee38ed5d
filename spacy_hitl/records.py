"""What passes between stages: small frozen records that go to JSON and back without loss."""

from dataclasses import dataclass, fields, is_dataclass
from typing import Annotated, Any, Dict, Optional, Sequence, Tuple, Type, TypeVar

from pydantic import AfterValidator, ConfigDict, TypeAdapter, ValidationError

from .errors import Errors, InputError

VERSION = 1
NIL = "NIL"  # spaCy's EntityLinker.NIL: a mention that is in no catalog

GOLD, DEV, TRAIN = LANES = ("gold", "dev", "train")
OK, EMPTY, REFUSED, MALFORMED, UNALIGNED, TRUNCATED, FAILED = STATUSES = (
    "ok",
    "empty",
    "refused",
    "malformed",
    "unaligned",
    "truncated",
    "failed",
)
USABLE = (OK, EMPTY)  # the only statuses that may ever train a student
ACCEPT, REJECT, SKIP, FLAG = ACTIONS = ("accept", "reject", "skip", "flag")
PERSON, IMPORT = ORIGINS = ("person", "import")


def _one_of(names: Sequence[str]) -> AfterValidator:
    def check(value: str) -> str:
        if value not in names:
            raise ValueError(f"{value!r} is not one of {', '.join(names)}")
        return value

    return AfterValidator(check)


# Strings, checked when a record is read.
Lane = Annotated[str, _one_of(LANES)]
Status = Annotated[str, _one_of(STATUSES)]
Action = Annotated[str, _one_of(ACTIONS)]
Origin = Annotated[str, _one_of(ORIGINS)]

_R = TypeVar("_R", bound="Record")


_adapters: Dict[Type[Any], TypeAdapter[Any]] = {}


def _adapter(cls: Type[Any]) -> TypeAdapter[Any]:
    if cls not in _adapters:
        _adapters[cls] = TypeAdapter(cls)
    return _adapters[cls]


def _plain(value: Any) -> Any:
    """Dataclasses to dicts, tuples to lists; fields at their default are left out."""
    if is_dataclass(value):
        pairs = ((f, getattr(value, f.name)) for f in fields(value))
        return {f.name: _plain(v) for f, v in pairs if v != f.default}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value


@dataclass(frozen=True)
class Record:
    """Base of the records: to and from JSON objects, validated."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    def to_dict(self) -> Dict[str, Any]:
        """RETURNS (Dict[str, Any]): A JSON object with the format version under "v"."""
        return {"v": VERSION, **_plain(self)}

    @classmethod
    def from_dict(cls: Type[_R], value: Any, *, where: str = "record") -> _R:
        """Build the record from `to_dict`'s output.

        value (Any): What was read; checked field by field.
        where (str): Where it was read, for the error message.
        RETURNS (Record): An equal record.
        RAISES (InputError): If a field is missing, unknown or of the wrong type.
        """
        if not isinstance(value, dict):
            problem = f"expected a {cls.__name__} object, found {type(value).__name__}"
            raise InputError(Errors.H004.format(where=where, problem=problem))
        version = value.get("v", VERSION)
        if version != VERSION:
            problem = f"{cls.__name__} has version {version!r}, this release reads {VERSION}"
            raise InputError(Errors.H004.format(where=where, problem=problem))
        try:
            record = _adapter(cls).validate_python({k: v for k, v in value.items() if k != "v"})
        except ValidationError as e:
            first = e.errors()[0]
            place = ".".join(str(p) for p in first["loc"])
            problem = f"{cls.__name__} field '{place}': {first['msg']}"
            raise InputError(Errors.H004.format(where=where, problem=problem)) from e
        assert isinstance(record, cls)
        return record


@dataclass(frozen=True, order=True)
class SpanAnnotation(Record):
    """A labelled stretch of text. Offsets count characters, `end` is exclusive."""

    start: int
    end: int
    label: str = ""
    kb_id: Optional[str] = None
    score: Optional[float] = None
    score_source: Optional[str] = None


@dataclass(frozen=True, order=True)
class CategoryAnnotation(Record):
    """A category that holds for the whole text."""

    label: str
    score: Optional[float] = None
    score_source: Optional[str] = None


@dataclass(frozen=True, order=True)
class RelationAnnotation(Record):
    """A labelled relation from one mention to another. Offsets as in `SpanAnnotation`."""

    head_start: int
    head_end: int
    tail_start: int
    tail_end: int
    label: str
    score: Optional[float] = None
    score_source: Optional[str] = None


@dataclass(frozen=True)
class Annotation(Record):
    """All that one task says about one text. What is not listed does not hold."""

    spans: Tuple[SpanAnnotation, ...] = ()
    cats: Tuple[CategoryAnnotation, ...] = ()
    relations: Tuple[RelationAnnotation, ...] = ()


@dataclass(frozen=True)
class Problem(Record):
    """A piece of an answer that could not be used, kept so that nothing disappears.

    kind: "not_found", "not_on_tokens", "repeated", "overlap", "same_mention", "unknown_label",
    "not_allowed", "unanswered", "not_json", "schema", "refusal", "cut_off" or "error".
    """

    kind: str
    detail: str


@dataclass(frozen=True)
class ParsedAnswer(Record):
    """An answer of a model, understood: its status, what it annotates, what was unusable."""

    status: Status
    annotation: Annotation = Annotation()
    problems: Tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Message(Record):
    """One chat message; role is "system" or "user"."""

    role: str
    content: str


@dataclass(frozen=True)
class Request:
    """What a task asks a model about one text: the seam between `tasks` and `llm`."""

    text_digest: str
    task: str
    sample: int
    messages: Tuple[Message, ...]
    schema: Dict[str, Any]

    @property
    def prompt(self) -> str:
        """The messages as one string, for models that know no roles."""
        return "\n\n".join(m.content for m in self.messages)


@dataclass(frozen=True)
class Response(Record):
    """What a model answered. `text` is None if there is no answer; `error` then says why.

    key: under which it is stored. logprobs: the answer's tokens with their natural log-probability.
    """

    model: str
    text: Optional[str] = None
    finish_reason: Optional[str] = None
    refusal: Optional[str] = None
    error: Optional[str] = None
    key: Optional[str] = None
    prompt_tokens: Optional[int] = None
    completion_tokens: Optional[int] = None
    logprobs: Optional[Tuple[Tuple[str, float], ...]] = None


@dataclass(frozen=True)
class Proposal(Record):
    """One source's annotation of one text for one task."""

    text_digest: str
    task: str
    source: str
    status: Status
    task_digest: str
    annotation: Annotation = Annotation()
    problems: Tuple[Problem, ...] = ()
    sample: int = 1
    response_key: Optional[str] = None

    @property
    def usable(self) -> bool:
        """Whether a student may learn from it: the model answered, and all of it was grounded."""
        return self.status in USABLE


@dataclass(frozen=True)
class Decision(Record):
    """What a person (or a file, see `origin`) decided about one text for one task.

    time: seconds since the epoch; seconds: how long the decision took, if known;
    saw_proposal: None if the decision was made blind, else the source of the proposal seen.
    """

    text_digest: str
    task: str
    action: Action
    annotator: str
    origin: Origin
    task_digest: str
    annotation: Optional[Annotation] = None
    saw_proposal: Optional[str] = None
    seconds: Optional[float] = None
    time: Optional[float] = None


@dataclass(frozen=True)
class Row(Record):
    """One input record: where it came from, its own id, its text and everything else it held."""

    source: str
    id: str
    text: str
    lane: Optional[Lane] = None
    meta: Optional[Dict[str, Any]] = None


@dataclass(frozen=True)
class TaskHeader(Record):
    """What a task is, for who trains or measures without its prompt: first line of a corpus."""

    task: str
    kind: str
    labels: Tuple[str, ...]
    task_digest: str
    exclusive: bool = False
    spans_key: Optional[str] = None
    catalog: Optional[str] = None


@dataclass(frozen=True)
class TaskRow(Record):
    """One text with what is known about it for one task: a line of an exported corpus.

    decision: what was decided, if anything; origin: by a person or a file; blind: without
    seeing a proposal. proposal: what the model proposed.
    """

    text: str
    text_digest: str
    lane: Lane
    decision: Optional[Annotation] = None
    origin: Optional[Origin] = None
    blind: bool = True
    proposal: Optional[Proposal] = None


@dataclass(frozen=True)
class Counts(Record):
    """True positives, false positives, false negatives."""

    tp: int = 0
    fp: int = 0
    fn: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn)
