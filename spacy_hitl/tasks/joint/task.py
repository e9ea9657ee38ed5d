"""Several tasks in one prompt: `spacy-hitl.Joint.v1`, split into one proposal per task."""

import json
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple, cast

from spacy.tokens import Doc

from ...errors import Errors, InputError
from ...io import json_digest, text_digest
from ...records import Message, Proposal, Request, Response
from ..answers import SPACY_LLM
from ..base import BaseTask, apply_response, first_reply, render_template, text_block
from .parse import build_schema, split_response

LISTED, OWN = "listed", "own"  # where a linking task finds its mentions


class JointTask:
    """Ask once, get one proposal per task.

    A prototype starts with one call. Each part keeps the name, the digest and with them the
    decisions it will have as a component of its own: it can be taken out, or distilled, alone.

    parts (Mapping[str, BaseTask]): The tasks by name, in the order in which they are applied.
    """

    kind = "joint"
    folder = Path(__file__).parent

    def __init__(self, parts: Mapping[str, BaseTask]) -> None:
        self._parts = dict(parts)
        self._system: Optional[str] = None
        self._digest: Optional[str] = None

    @property
    def parts(self) -> Mapping[str, BaseTask]:
        """The tasks by name, in their order."""
        return self._parts

    def system_prompt(self) -> str:
        """RETURNS (str): The instructions of all parts; the same for all texts."""
        if self._system is None:
            sections = [
                (name, part.instructions(part=self._place(name)))
                for name, part in self.parts.items()
            ]
            fields = ", ".join(f"{json.dumps(name)}: {{...}}" for name in self.parts)
            self._system = render_template(
                self.folder / "prompt.jinja", sections=sections, answer=f"{{{fields}}}"
            )
        return self._system

    def _place(self, name: str) -> str:
        """Whether the mentions that a part needs come from this very answer or are there before."""
        before = list(self.parts)[: list(self.parts).index(name)]
        return OWN if any(self.parts[n].kind == "ner" for n in before) else LISTED

    def digest(self) -> str:
        """RETURNS (str): Changes when the prompt of any part does."""
        if self._digest is None:
            prompt = {"kind": self.kind, "prompt": self.system_prompt()}
            self._digest = json_digest(prompt)[:16]
        return self._digest

    def source(self, model: str) -> str:
        """Name what answered, so that a part that is asked alone later is asked anew.

        model (str): The model's name.
        RETURNS (str): The source under which proposals of the parts are stored.
        """
        return f"{model}, joint {self.digest()[:8]}"

    def schema(self) -> Dict[str, Any]:
        """RETURNS (Dict[str, Any]): JSON schema of an answer."""
        return build_schema({name: part.schema() for name, part in self.parts.items()})

    def build_request(self, doc: Doc, *, name: str, sample: int) -> Request:
        """Ask about one document.

        doc (Doc): The document, with the annotations of the components before this one.
        name (str): Name of the component that asks.
        sample (int): Number of the sample, from 1.
        RETURNS (Request): System message, user message, schema of the answer.
        """
        known = (part.context(doc) for n, part in self.parts.items() if self._place(n) == LISTED)
        user = "\n\n".join([*filter(None, known), text_block(doc.text)])
        return Request(
            text_digest=text_digest(doc.text),
            task=name,
            sample=sample,
            messages=(Message("system", self.system_prompt()), Message("user", user)),
            schema=self.schema(),
        )

    def apply(
        self, doc: Doc, response: Response, *, sample: int, source: str
    ) -> Tuple[Proposal, ...]:
        """Annotate the document with every part of the answer, one after the other.

        doc (Doc): Annotated in place; a part sees what the parts before it wrote.
        response (Response): What the model sent.
        sample (int): Number of the sample.
        source (str): The source of the proposals.
        RETURNS (Tuple[Proposal, ...]): One per part, each with its own status.
        """
        split = split_response(response, self.parts)
        return tuple(
            apply_response(part, doc, split[name], name=name, sample=sample, source=source)
            for name, part in self.parts.items()
        )

    # spacy-llm's interface: the same task in its own `llm` component

    def generate_prompts(self, docs: Iterable[Doc]) -> Iterable[Any]:
        """YIELDS (str): One prompt per document."""
        for doc in docs:
            yield self.build_request(doc, name=self.kind, sample=1).prompt

    def parse_responses(self, docs: Iterable[Doc], responses: Iterable[Any]) -> Iterable[Doc]:
        """Annotate documents.

        docs (Iterable[Doc]): The documents.
        responses (Iterable[Any]): For each document a list with its one reply, or the reply.
        YIELDS (Doc): The same documents, annotated in place, one proposal per part left on them.
        """
        for doc, replies in zip(docs, responses, strict=True):
            response = first_reply(replies)
            self.apply(doc, response, sample=1, source=self.source(SPACY_LLM))
            yield doc


def make_joint_task(parts: Dict[str, Any]) -> JointTask:
    """Make one prompt of several tasks.

    parts (Dict[str, Any]): Tasks of this package by name: spacy-hitl.NER.v1, SpanCat.v1,
        TextCat.v1 and Linking.v1. A linking task comes behind the entity task whose mentions it
        links, or links the mentions that are on the document before the question.
    RETURNS (JointTask): The task. Its parts are what is reviewed, distilled, measured and promoted.
    RAISES (InputError): If there is no part, or one that can't be asked together with others.
    """
    if not parts:
        remedy = "Add a block [components.NAME.task.parts.TASK] for each."
        raise InputError(Errors.H101.format(kind="joint", what="parts", remedy=remedy))
    seen: List[str] = []
    for name, part in parts.items():
        kind = getattr(part, "kind", type(part).__name__)
        if kind == "relations":
            problem = "its mentions must be known before it is asked"
            raise InputError(Errors.H125.format(name=name, kind=kind, problem=problem))
        if not isinstance(part, BaseTask):
            problem = "only the tasks of spacy-hitl can be asked together"
            raise InputError(Errors.H125.format(name=name, kind=kind, problem=problem))
        if part.examples_nearest is not None:
            problem = "its examples are chosen for each text (examples_nearest)"
            raise InputError(Errors.H125.format(name=name, kind=kind, problem=problem))
        if kind == "ner" and "linking" in seen:
            problem = "it finds the mentions that a linking task before it needs; put it first"
            raise InputError(Errors.H125.format(name=name, kind=kind, problem=problem))
        seen.append(kind)
    return JointTask(cast(Dict[str, BaseTask], parts))
