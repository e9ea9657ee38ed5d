"""What a model is asked, what it answers, and what is understood of it."""

from dataclasses import dataclass
from typing import Any, Dict, Optional, Tuple

from .annotations import NOTHING, Annotation
from .base import Record
from .names import USABLE, Status


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
    annotation: Annotation = NOTHING
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
    seconds: how long the answer took, without waiting for a slot or between attempts; texts that
    were answered together share the time evenly.
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
    seconds: Optional[float] = None


@dataclass(frozen=True)
class Proposal(Record):
    """One source's annotation of one text for one task."""

    text_digest: str
    task: str
    source: str
    status: Status
    task_digest: str
    annotation: Annotation = NOTHING
    problems: Tuple[Problem, ...] = ()
    sample: int = 1
    response_key: Optional[str] = None

    @property
    def usable(self) -> bool:
        """Whether a student may learn from it: the model answered, and all of it was grounded."""
        return self.status in USABLE
