"""`hitl_llm`: a prompted component. Annotates in place; a document that fails fails alone."""

import warnings
from collections import deque
from dataclasses import dataclass
from typing import Any, Callable, Deque, Dict, Iterable, Iterator, Optional, Tuple, cast

from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import registry

from ..errors import Errors, HitlError, InputError, Warnings
from ..io import batched
from ..records import FAILED, Proposal, Request, Response
from ..ty import JointQuestion, Model, Question, Task

# spacy-llm makes these registries when it is imported, if nobody has. Making them here lets a
# prompted pipeline load where only the core is installed (with a model that needs no more).
for _name in ("llm_tasks", "llm_models", "llm_misc"):
    if _name not in registry.get_registry_names():
        registry.create(_name, entry_points=True)


class HitlLLM:
    """A prompted component.

    name (str): Name of the component: the task's name in dataset, store and recording.
    task (Question): What is annotated: one task, or a joint one with several parts.
    model (Model): Who answers.
    sample (int): Which of several answers to the same question to use, from 1.
    """

    def __init__(self, name: str, task: Question, model: Model, *, sample: int = 1) -> None:
        self.name = name
        self.task = task
        self.model = model
        self.sample = sample

    @property
    def parts(self) -> Optional[JointQuestion]:
        """The joint question, if this is one."""
        # Not isinstance: that would read the labels, and with them the catalog, from disk.
        joint = callable(getattr(self.task, "apply", None)) and hasattr(self.task, "parts")
        return cast(JointQuestion, self.task) if joint else None

    @property
    def tasks(self) -> Dict[str, "PromptedTask"]:
        """What it annotates, by name: its own task, or the parts of a joint one."""
        if self.parts is None:
            return {self.name: PromptedTask(self.name, cast(Task, self.task), self)}
        return {name: PromptedTask(name, part, self) for name, part in self.parts.parts.items()}

    def __call__(self, doc: Doc) -> Doc:
        """Annotate one document.

        doc (Doc): Changed in place; what other components wrote stays.
        RETURNS (Doc): The same document. If the model failed on it, a warning says why and
            the document's proposal has the status "failed".
        """
        (annotated,) = self.pipe([doc], batch_size=1)  # to its end, where the warning is
        return annotated

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 64) -> Iterator[Doc]:
        """Annotate documents, in order.

        stream (Iterable[Doc]): The documents.
        batch_size (int): How many documents are held in memory at a time, if the model has no
            window of its own.
        YIELDS (Doc): The same documents.
        RAISES (ModelError): If the model can answer no request at all.
        """
        failed, total, first = 0, 0, ""
        # A model with a window of its own is handed the stream; any other a bounded part at a time.
        rolling = getattr(self.model, "window", None) is not None
        for docs in [stream] if rolling else batched(stream, batch_size):
            for doc, response in self.respond(docs):
                bad = [p for p in self._apply(doc, response) if p.status == FAILED]
                total += 1
                if bad:
                    failed += 1
                    first = first or bad[0].problems[0].detail
                yield doc
        if failed:
            message = Warnings.W100.format(count=failed, total=total, name=self.name, first=first)
            warnings.warn(message, UserWarning, stacklevel=2)

    def respond(self, docs: Iterable[Doc]) -> Iterator[Tuple[Doc, Response]]:
        """Ask about documents, and leave them as they are.

        docs (Iterable[Doc]): The documents.
        YIELDS (Tuple[Doc, Response]): Every document with what was answered, in order.
        RAISES (ModelError): If the model can answer no request at all.
        """
        waiting: Deque[Tuple[Doc, Optional[Response]]] = deque()

        stream = iter(docs)

        def requests() -> Iterator[Request]:
            for doc in stream:
                request, failure = self._build(doc)
                waiting.append((doc, failure))
                if request is not None:
                    yield request

        def settled() -> Iterator[Tuple[Doc, Response]]:
            while waiting and waiting[0][1] is not None:
                doc, failure = waiting.popleft()
                if failure is not None:
                    yield doc, failure

        answered = 0
        for response in self.model.respond(requests()):
            yield from settled()
            if not waiting:
                raise self._miscounted(answered + 1, answered)
            answered += 1
            yield waiting.popleft()[0], response
        for _ in requests():  # a model that stopped early has not seen the rest
            pass
        yield from settled()
        if waiting:
            raise self._miscounted(answered, answered + len(waiting))

    def _build(self, doc: Doc) -> Tuple[Optional[Request], Optional[Response]]:
        try:
            return self.task.build_request(doc, name=self.name, sample=self.sample), None
        except HitlError:
            raise
        except Exception as e:  # a user's own task may raise anything; the doc is marked failed
            error = Errors.H108.format(detail=f"{type(e).__name__}: {e}")
            return None, Response(model=self.model.source, error=error)

    def _miscounted(self, found: int, expected: int) -> InputError:
        return InputError(Errors.H104.format(name=self.name, found=found, expected=expected))

    def _apply(self, doc: Doc, response: Response) -> Tuple[Proposal, ...]:
        from ..tasks.base import apply_response

        joint, sample = self.parts, self.sample
        if joint is not None:
            source = joint.source(response.model)
            return joint.apply(doc, response, sample=sample, source=source)
        task = cast(Task, self.task)
        return (apply_response(task, doc, response, name=self.name, sample=sample),)


@dataclass(frozen=True)
class PromptedTask:
    """One task and the component that asks it: what dataset, review, students and gate know."""

    name: str
    task: Task
    component: HitlLLM

    @property
    def source(self) -> str:
        """The source under which its proposals are stored."""
        joint, model = self.component.parts, self.component.model.source
        return model if joint is None else joint.source(model)

    def asks_about(self, nlp: Language) -> Callable[[str], Request]:
        """Ask again what was asked, to understand a stored answer.

        nlp (Language): Its pipeline; only the tokenizer is used. A mention that another component
            found is not in the request, so a part of a masked value that only such a mention showed
            stays masked.
        RETURNS (Callable[[str], Request]): The request for a text.
        """
        asks = self.component

        def ask(text: str) -> Request:
            return asks.task.build_request(nlp.make_doc(text), name=asks.name, sample=asks.sample)

        return ask

    @property
    def key(self) -> Tuple[str, int, str]:
        """Source, sample and task digest of its proposals."""
        return self.source, self.component.sample, self.task.digest()


def make_hitl_llm(
    nlp: Language, name: str, task: Optional[Any], model: Optional[Any], sample: int
) -> HitlLLM:
    """Make a prompted component.

    nlp (Language): The pipeline.
    name (str): Name of the component.
    task (Optional[Any]): From `@llm_tasks`.
    model (Optional[Any]): From `@llm_models`; models of spacy-llm work too.
    sample (int): Which of several answers to use, from 1.
    RETURNS (HitlLLM): The component. Nothing was read or sent yet.
    RAISES (InputError): If the config has no task or no model for it.
    """
    from ..llm.adapter import as_model

    # Not isinstance: that would read the labels, and with them the catalog, from disk.
    if not callable(getattr(task, "build_request", None)):
        example = '@llm_tasks = "spacy-hitl.NER.v1"'
        raise InputError(Errors.H100.format(name=name, block="task", example=example))
    return HitlLLM(name, cast(Question, task), as_model(model, name=name), sample=sample)


Language.factory(
    "hitl_llm", default_config={"task": None, "model": None, "sample": 1}, func=make_hitl_llm
)
