"""What all tasks share: the prompt, the request, the digest, and spacy-llm's task interface."""

import json
from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional, Tuple

from spacy.tokens import Doc

from ..errors import Errors, HitlError, InputError
from ..io import json_digest, read_text, text_digest
from ..records import (
    EMPTY,
    FAILED,
    OK,
    UNALIGNED,
    Annotation,
    Counts,
    Message,
    ParsedAnswer,
    Proposal,
    Request,
    Response,
    TaskHeader,
)
from ..ty import Task
from .answers import SPACY_LLM, failure
from .examples import Example, ExamplePool, check_nearest, read_examples
from .prompt import PART_ANSWER, WHOLE_ANSWER
from .prompt import TEXT_END as TEXT_END
from .prompt import TEXT_START as TEXT_START
from .prompt import find_text as find_text
from .prompt import render_template as render_template
from .prompt import text_block as text_block

PROPOSALS_KEY = "hitl"


def set_proposal(doc: Doc, name: str, proposal: Proposal) -> None:
    """Leave on the document what a prompted component understood, as plain JSON values."""
    doc.user_data.setdefault(PROPOSALS_KEY, {})[name] = json.dumps(proposal.to_dict())


def get_proposals(doc: Doc) -> Dict[str, Proposal]:
    """Read what the prompted components left on a document.

    doc (Doc): A document that went through `hitl_llm` components.
    RETURNS (Dict[str, Proposal]): One proposal, with its status, per component name.
    """
    stored = doc.user_data.get(PROPOSALS_KEY, {})
    return {name: Proposal.from_dict(json.loads(value)) for name, value in stored.items()}


class BaseTask:
    """Common part of the tasks. A subclass adds `kind`, `answer_field`, and its four modules."""

    kind = ""
    folder = Path()

    def __init__(
        self,
        *,
        labels: Tuple[str, ...],
        label_definitions: Dict[str, str],
        guidelines: Optional[str],
        guidelines_path: Optional[Path],
        examples: Optional[Path],
        examples_nearest: Optional[int] = None,
    ) -> None:
        self._labels = labels
        self._definitions = label_definitions
        self._guidelines = guidelines
        # spaCy hands paths of a config over as strings.
        self._guidelines_path = None if guidelines_path is None else Path(guidelines_path)
        self.examples_path = None if examples is None else Path(examples)
        self._nearest = check_nearest(examples_nearest, self.examples_path, kind=self.kind)
        self._pool: Optional[ExamplePool] = None
        self._system: Optional[str] = None
        self._digest: Optional[str] = None

    # What a subclass must give

    @property
    def labels(self) -> Tuple[str, ...]:
        """Labels an annotation may use."""
        return self._labels

    @property
    def definitions(self) -> Dict[str, str]:
        """What labels mean, for those that say it."""
        return dict(self._definitions)

    def schema(self) -> Dict[str, Any]:
        """JSON schema of an answer."""
        raise NotImplementedError  # pragma: no cover

    def parse(self, doc: Doc, response: Response) -> ParsedAnswer:
        """Understand an answer. Pure: never changes the document."""
        raise NotImplementedError  # pragma: no cover

    def set_annotation(self, doc: Doc, annotation: Annotation) -> None:
        """Write an annotation to the document, in place."""
        raise NotImplementedError  # pragma: no cover

    def get_annotation(self, doc: Doc) -> Annotation:
        """Read the annotation of this task back from a document."""
        raise NotImplementedError  # pragma: no cover

    def compare(self, gold: Annotation, predicted: Annotation) -> Dict[str, Counts]:
        """Count hits and errors per label for one text."""
        raise NotImplementedError  # pragma: no cover

    def write_compact(self, annotation: Annotation) -> Any:
        """Write the short form of the import format."""
        raise NotImplementedError  # pragma: no cover

    def read_compact(self, value: Any, *, where: str, text: str) -> Annotation:
        """Read the short form of the import format."""
        raise NotImplementedError  # pragma: no cover

    def example_answer(self, annotation: Annotation, text: str) -> Dict[str, Any]:
        """The JSON answer that stands for an annotation, for few-shot examples."""
        raise NotImplementedError  # pragma: no cover

    def example_values(
        self, record: Dict[str, Any], annotation: Annotation, *, where: str, text: str
    ) -> Dict[str, str]:
        """What the prompt shows of an example besides text and answer; JSON strings by name."""
        return {}

    def prompt_values(self) -> Dict[str, Any]:
        """Values for the prompt template, next to labels, definitions, guidelines, examples."""
        return {}

    def context(self, doc: Doc) -> str:
        """What the model must know of this document besides its text; empty for most tasks."""
        return ""

    # The prompt

    def guidelines(self) -> str:
        """RETURNS (str): The guidelines, given as text or read from their file."""
        if self._guidelines_path is not None:
            return read_text(self._guidelines_path, what="guidelines").strip()
        return (self._guidelines or "").strip()

    def system_prompt(self) -> str:
        """RETURNS (str): Instructions, labels, guidelines and examples; the same for all texts."""
        if self._system is None:
            self._system = self.instructions()
        return self._system

    def instructions(self, *, part: str = "") -> str:
        """Render the prompt template.

        part (str): Empty for a prompt of its own; "listed" or "own" for a section of a joint
            prompt, whose mentions are listed before the text or are found in the same answer.
        RETURNS (str): The instructions.
        RAISES (InputError): If they hold the line that marks the text.
        """
        rendered = render_template(
            self.folder / "prompt.jinja",
            part=part,
            answer_with=PART_ANSWER if part else WHOLE_ANSWER,
            labels=self.labels,
            definitions=self._definitions,
            guidelines=self.guidelines(),
            examples=self._examples(),
            **self.prompt_values(),
        )
        if TEXT_START in rendered.split("\n"):
            raise InputError(Errors.H102.format(marker=TEXT_START))
        return rendered

    def _examples(self) -> List[Example]:
        """The examples that all prompts show alike."""
        if self.examples_path is None or self._nearest is not None:
            return []
        return [example for _, example in read_examples(self.examples_path, self)]

    @property
    def examples_nearest(self) -> Optional[int]:
        """How many examples are chosen for each text; None if all texts get the same ones."""
        return self._nearest

    @property
    def pool(self) -> Optional[ExamplePool]:
        """The examples to choose from for each text, read when first asked for; None if not set."""
        if self._pool is None and self._nearest is not None and self.examples_path is not None:
            self._pool = ExamplePool(self.examples_path, self, count=self._nearest)
        return self._pool

    def build_request(self, doc: Doc, *, name: str, sample: int) -> Request:
        """Ask about one document.

        doc (Doc): The document, with the annotations of the components before this one.
        name (str): Name of the component that asks: the task's name in dataset and store.
        sample (int): Number of the sample, from 1.
        RETURNS (Request): System message, user message, schema of the answer.
        """
        text = doc.text  # put together from its tokens each time
        nearest = "" if self.pool is None else self.pool.show(text)
        parts = (nearest, self.context(doc), text_block(text))
        user = "\n\n".join(part for part in parts if part)
        return Request(
            text_digest=text_digest(text),
            task=name,
            sample=sample,
            messages=(Message("system", self.system_prompt()), Message("user", user)),
            schema=self.schema(),
        )

    def digest(self) -> str:
        """RETURNS (str): Changes when labels, definitions, guidelines, examples or prompt do."""
        if self._digest is None:
            pool = {} if self.pool is None else {"pool": self.pool.digest}
            prompt = {"kind": self.kind, "prompt": self.system_prompt(), **pool}
            self._digest = json_digest(prompt)[:16]
        return self._digest

    def meaning(self) -> str:
        """RETURNS (str): Changes with what people are told: labels, definitions, guidelines."""
        told = {"labels": sorted(self.labels), "definitions": self._definitions}
        told.update(kind=self.kind, guidelines=self.guidelines(), **self.meaning_values())
        return json_digest(told)[:16]

    def meaning_values(self) -> Dict[str, Any]:
        """What people are told beyond that, as JSON values."""
        return {}

    def header(self, name: str) -> TaskHeader:
        """RETURNS (TaskHeader): What the task is, for who trains or measures without its prompt."""
        return TaskHeader(name, self.kind, self.labels, self.digest(), **self.header_values())

    def header_values(self) -> Dict[str, Any]:
        """What the header holds beyond kind and labels."""
        return {}

    # spacy-llm's interface: the same task in its own `llm` component

    def generate_prompts(self, docs: Iterable[Doc]) -> Iterable[Any]:
        """YIELDS (str): One prompt per document."""
        for doc in docs:
            yield self.build_request(doc, name=self.kind, sample=1).prompt

    def parse_responses(self, docs: Iterable[Doc], responses: Iterable[Any]) -> Iterable[Doc]:
        """Annotate documents.

        docs (Iterable[Doc]): The documents.
        responses (Iterable[Any]): For each document a list with its one reply, or the reply.
        YIELDS (Doc): The same documents, annotated in place, their proposal left on them.
        """
        for doc, replies in zip(docs, responses, strict=True):
            apply_response(self, doc, first_reply(replies), name=self.kind, sample=1)
            yield doc


def first_reply(replies: Any) -> Response:
    """RETURNS (Response): What spacy-llm hands over for one document, as a response."""
    raw = replies if isinstance(replies, str) else next(iter(replies or ()), None)
    return Response(model=SPACY_LLM, text=raw if isinstance(raw, str) else None)


def apply_response(
    task: Task,
    doc: Doc,
    response: Response,
    *,
    name: str,
    sample: int,
    source: Optional[str] = None,
) -> Proposal:
    """Parse a response and annotate the document with what is usable of it.

    task (Task): What was asked.
    doc (Doc): Annotated in place. Untouched unless the status is ok, empty or unaligned.
    response (Response): What the model sent.
    name (str): Name of the component.
    sample (int): Number of the sample.
    source (Optional[str]): Whose proposal it is, if not simply the model's.
    RETURNS (Proposal): What was understood; also left on the document.
    """
    parsed = _parse(task, doc, response)
    if parsed.status in (OK, EMPTY, UNALIGNED):
        task.set_annotation(doc, parsed.annotation)
    proposal = Proposal(
        text_digest=text_digest(doc.text),
        task=name,
        source=response.model if source is None else source,
        status=parsed.status,
        task_digest=task.digest(),
        annotation=parsed.annotation,
        problems=parsed.problems,
        sample=sample,
        response_key=response.key,
    )
    set_proposal(doc, name, proposal)
    return proposal


def _parse(task: Task, doc: Doc, response: Response) -> ParsedAnswer:
    if response.error is not None:
        return failure(FAILED, "error", response.error)
    try:
        parsed = task.parse(doc, response)
    except HitlError:
        raise
    except Exception as e:  # a user's own task may raise anything; the doc is marked failed
        return failure(FAILED, "error", f"{type(e).__name__}: {e}")
    if parsed.status == FAILED and not parsed.problems:
        return failure(FAILED, "error", "no reason given")
    return parsed


def check_labels(labels: Any, *, kind: str) -> Tuple[str, ...]:
    """RETURNS (Tuple[str, ...]): The labels, if there is at least one and none twice."""
    names = tuple(labels)
    if not names or len(set(names)) != len(names) or not all(isinstance(n, str) for n in names):
        what = f"a list of different labels, not {list(names)!r}"
        remedy = f'Set labels in the task block, for example labels = ["A", "B"] ({kind}).'
        raise InputError(Errors.H101.format(kind=kind, what=what, remedy=remedy))
    return names


def unknown_label(where: str, value: Any, task: str, known: Iterable[str]) -> InputError:
    """RETURNS (InputError): The error for a label that the task does not have."""
    names = ", ".join(sorted(known)[:20])
    return InputError(
        Errors.H058.format(where=where, what="label", value=value, task=task, known=names)
    )
