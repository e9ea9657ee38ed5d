"""The pipe `hitl_cascade`: below a threshold of the student's confidence, the LLM is asked."""

import warnings
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Iterable, Iterator, List, Optional, Sequence, Tuple

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc

from ...errors import Errors, InputError, ModelError, StateError, Warnings
from ...io import batched, text_digest
from ...records import EMPTY, OK, UNALIGNED, Annotation, Proposal, Response
from ...settings import PrivacySettings
from ...ty import Task
from ..hitl_llm import HitlLLM
from .answers import ABSTAINED, LLM, STUDENT, CascadeAnswer, set_answer
from .confidence import Confidence
from .drift import Drift
from .queue import Case, ReviewQueue

Points = Tuple[Tuple[float, float], ...]
LLM_OFF = "no model is set"
ANSWERED = (OK, EMPTY, UNALIGNED)  # as with `hitl_llm`: these annotate a document


@dataclass(frozen=True)
class Rules:
    """When to ask, and where cases go.

    threshold: lowest probability that all is right at which the student is trusted. calibration:
    confidence and probability, rising; without points the confidence itself counts. audit_share:
    share of all texts that the LLM is asked about anyway. salt: of the draw of these. queue: the
    dataset that cases go to. responses: the response store. privacy: as [hitl.privacy].
    """

    threshold: float
    calibration: Points = ()
    audit_share: float = 0.0
    salt: str = "audit"
    queue: Optional[Path] = None
    responses: Optional[Path] = None
    privacy: PrivacySettings = field(default_factory=PrivacySettings)


class HitlCascade:
    """Stands after a student. Asks the LLM about texts that the student is not sure of.

    nlp (Language): The pipeline that holds the student.
    name (str): Name of the component.
    student (str): Name of the student, which is the name of its task in dataset and store.
    task (Task): What is annotated.
    model (Optional[Any]): Who answers; None if the LLM is off.
    rules (Rules): When to ask.
    """

    def __init__(
        self,
        nlp: Language,
        name: str,
        *,
        student: str,
        task: Task,
        model: Optional[Any],
        rules: Rules,
    ) -> None:
        self.nlp = nlp
        self.name = name
        self.student = student
        self.task = task
        self.rules = rules
        self._llm = None if model is None else HitlLLM(student, task, model)
        self._store: Any = None
        self._protected = False
        self._queue = None if rules.queue is None else ReviewQueue(rules.queue, name, task, student)
        self.reset_drift()

    @property
    def drift(self) -> Drift:
        """What was counted since the component was made, or `reset_drift` was called."""
        return replace(self._drift, unqueued=0 if self._queue is None else self._queue.waiting)

    def reset_drift(self) -> None:
        """Begin to count anew."""
        self._drift = Drift()

    def __call__(self, doc: Doc) -> Doc:
        """Look at one document that the student has annotated.

        doc (Doc): Changed in place if the LLM answers.
        RETURNS (Doc): The same document, which says who annotated it (`get_answers`).
        """
        (found,) = self.pipe([doc], batch_size=1)
        return found

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 64) -> Iterator[Doc]:
        """Look at documents that the student has annotated, in order.

        stream (Iterable[Doc]): The documents.
        batch_size (int): How many are looked at, and asked about, together.
        YIELDS (Doc): The same documents. Where the LLM failed, the student's annotation stays, the
            document says so, and a warning counts them.
        RAISES (InputError): If the pipeline has no student to look at, or it can't be asked how
            sure it is.
        """
        confidence = self._confidence()
        failed, first = 0, ""
        try:
            for docs in batched(stream, batch_size):
                answers = self._look_at(docs, confidence(docs))
                lost = [a.reason or "" for a in answers if a.reason not in (None, LLM_OFF)]
                failed, first = failed + len(lost), first or (lost[0] if lost else "")
                yield from docs
        finally:
            confidence.forget()
            if self._queue is not None:
                self._queue.flush()
        if failed:
            message = Warnings.W560.format(count=failed, name=self.name, first=first)
            warnings.warn(message, UserWarning, stacklevel=2)

    def probabilities(self, docs: Sequence[Doc]) -> List[float]:
        """RETURNS (List[float]): How likely the student's annotation of each is all right."""
        return self._calibrate(self._confidence()(docs))

    def _confidence(self) -> Confidence:
        names = self.nlp.pipe_names
        mine = names.index(self.name) if self.name in names else len(names)
        if self.student not in names[:mine]:
            pipeline = ", ".join(names)
            raise InputError(
                Errors.H561.format(name=self.name, student=self.student, pipeline=pipeline)
            )
        found = Confidence(self.nlp, self.student, self.task.labels)
        cfg = getattr(found.pipe, "cfg", None) or {}
        threshold = cfg.get("threshold")
        if threshold is not None and hasattr(self.task, "threshold"):
            self.task.threshold = float(threshold)  # so that the student's categories are read
        return found

    def _calibrate(self, raw: Sequence[float]) -> List[float]:
        points = self.rules.calibration
        if not points:
            return list(raw)
        return [float(v) for v in np.interp(raw, [x for x, _ in points], [y for _, y in points])]

    def _look_at(self, docs: List[Doc], raw: Sequence[float]) -> List[CascadeAnswer]:
        sure = self._calibrate(raw)
        doubtful = [value < self.rules.threshold for value in sure]
        audits = [self._is_audited(doc) for doc in docs]
        chosen = [i for i in range(len(docs)) if len(docs[i]) and (doubtful[i] or audits[i])]
        replies = dict(zip(chosen, self._ask([docs[i] for i in chosen]), strict=True))
        answers = []
        for i, doc in enumerate(docs):
            asked = i in replies
            answer = CascadeAnswer(STUDENT, sure[i])
            if asked:
                given = self.task.get_annotation(doc)
                proposal, reason = self._understand(doc, replies[i])
                answer = self._settle(doc, given, proposal, reason, sure[i], doubtful[i], audits[i])
                if self._queue is not None:
                    self._queue.add(Case(doc.text, sure[i], given, proposal))
            set_answer(doc, self.name, answer)
            answers.append(answer)
        self._drift += Drift.of(answers)
        return answers

    def _is_audited(self, doc: Doc) -> bool:
        """Drawn by the text alone, so that running it again asks about the same ones."""
        share = self.rules.audit_share
        if not share or self._llm is None:
            return False
        return int(text_digest(self.rules.salt + doc.text)[:8], 16) / 16**8 < share

    def _ask(self, docs: List[Doc]) -> List[Optional[Response]]:
        """RETURNS (List[Optional[Response]]): One for each, None if the LLM is off."""
        if self._llm is None or not docs:
            return [None] * len(docs)
        found: List[Optional[Response]] = []
        try:
            self._protect(self._llm)
            with nullcontext() if self._store is None else self._store:
                found.extend(response for _, response in self._llm.respond(docs))
        except (ModelError, StateError) as e:  # production goes on; the documents say what happened
            lost = Response(model=self._llm.model.source, error=str(e))
            found.extend([lost] * (len(docs) - len(found)))
        return found

    def _protect(self, llm: HitlLLM) -> None:
        """Put store and privacy around the model, before it is first asked."""
        from ...llm.privacy import protect
        from ...llm.store import ResponseStore

        if self._protected:
            return
        if self.rules.responses is not None:
            self._store = ResponseStore(self.rules.responses)
        llm.model = protect(llm.model, self.rules.privacy, name=self.name, store=self._store)
        self._protected = True

    def _understand(
        self, doc: Doc, response: Optional[Response]
    ) -> Tuple[Optional[Proposal], Optional[str]]:
        """RETURNS (Tuple[Optional[Proposal], Optional[str]]): What was answered, and why it can't
        be used, if it can't. The document says what was answered; its annotation is as it was.
        """
        from ...tasks.base import apply_response, set_proposal

        if response is None:
            return None, LLM_OFF
        scratch = doc.copy()
        proposal = apply_response(self.task, scratch, response, name=self.student, sample=1)
        set_proposal(doc, self.student, proposal)
        if proposal.status in ANSWERED:
            return proposal, None
        detail = proposal.problems[0].detail if proposal.problems else "no reason given"
        return proposal, f"{proposal.status}: {detail}"

    def _settle(
        self,
        doc: Doc,
        given: Annotation,
        proposal: Optional[Proposal],
        reason: Optional[str],
        sure: float,
        doubtful: bool,
        audit: bool,
    ) -> CascadeAnswer:
        """Decide whose annotation stands."""
        from ...scoring.items import items_of

        if proposal is None or reason is not None:
            return CascadeAnswer(ABSTAINED if doubtful else STUDENT, sure, reason, audit=audit)
        agreed = items_of(given) == items_of(proposal.annotation)
        if not doubtful:
            return CascadeAnswer(STUDENT, sure, agreed=agreed, audit=audit)
        replace_annotation(doc, self.task, proposal.annotation)
        return CascadeAnswer(LLM, sure, agreed=agreed, audit=audit)


def replace_annotation(doc: Doc, task: Task, annotation: Annotation) -> None:
    """Write a task's annotation in the place of the one that is there; all else stays.

    doc (Doc): Changed in place.
    task (Task): What is annotated.
    annotation (Annotation): What holds.
    """
    if task.kind == "ner":  # the task writes next to what is there: other components' entities
        others = [ent for ent in doc.ents if ent.label_ not in task.labels]
        doc.set_ents(others, default="outside")
    task.set_annotation(doc, annotation)
