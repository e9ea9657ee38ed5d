"""What is behind a proposal: the prompt and the raw answers. Never of a text that is blind."""

from pathlib import Path
from typing import Any, Dict, List, Mapping

from spacy.language import Language
from spacy.tokens import Doc

from ...errors import Errors, InputError
from ...llm.stored import StoredResponses
from ...pipeline.hitl_llm import PromptedTask
from ...records import Proposal, Request
from ...settings import PrivacySettings
from .session import Session

MAX_PROMPT = 200_000  # characters shown; a catalog of thousands of entries makes longer prompts


class Evidence:
    """Reads prompts and raw answers.

    nlp (Language): The prompted pipeline; nothing is asked.
    prompted (Mapping[str, PromptedTask]): Its tasks.
    responses (Path): The response store; may not exist.
    privacy (PrivacySettings): Answers were stored masked, and are shown with the text's values.
    """

    def __init__(
        self,
        nlp: Language,
        prompted: Mapping[str, PromptedTask],
        responses: Path,
        privacy: PrivacySettings,
    ) -> None:
        self.nlp = nlp
        self.prompted = dict(prompted)
        self.responses = responses
        self.privacy = privacy

    def of(self, session: Session, annotator: str, digest: str, task: str) -> Dict[str, Any]:
        """Read what is behind the proposal of one task.

        session (Session): Whose text it is.
        annotator (str): Who asks.
        digest (str): The text.
        task (str): The task.
        RETURNS (Dict[str, Any]): Prompt (as it would be asked now), answer, model, status, samples.
        RAISES (InputError): If there is no such text or task, or the text is blind.
        """
        if task not in session.plan:
            raise InputError(Errors.H215.format(task=task[:60], known=", ".join(session.plan)))
        if session.queue.text(digest) is None:
            raise InputError(Errors.H206.format(digest=ascii(digest)[1:17]))
        if session.sight.is_blind(annotator, digest):
            raise InputError(Errors.H208)
        source, number, task_digest = session.plan[task].key
        proposals = [
            p
            for p in session.texts.proposals(task, digest)
            if (p.source, p.task_digest) == (source, task_digest)
        ]
        text = session.texts.tokens(digest).text
        found = self.prompted[task].component

        def ask(text: str) -> Request:
            doc = self._document(session, digest, text, before=task)
            return found.task.build_request(doc, name=found.name, sample=found.sample)

        samples: List[Dict[str, Any]] = []
        with StoredResponses(self.responses, self.privacy, ask=ask) as stored:
            about = stored.about(text)
            for p in proposals:
                response = None if p.response_key is None else about.get(p.response_key)
                raw = None if response is None else response.text or response.refusal
                samples.append({"sample": p.sample, "status": p.status, "answer": raw})
        shown = next((s for s in samples if s["sample"] == number), samples[0] if samples else None)
        prompt = ask(text).prompt
        more = len(prompt) - MAX_PROMPT
        return {
            "prompt": prompt if more <= 0 else f"{prompt[:MAX_PROMPT]}\n[{more:,} more characters]",
            "answer": None if shown is None else shown["answer"],
            "model": source,
            "status": None if shown is None else shown["status"],
            "samples": samples,
        }

    def _document(self, session: Session, digest: str, text: str, *, before: str) -> Doc:
        """The document as it was when the task was asked: with what came before it."""
        doc = self.nlp.make_doc(text)
        for name, found in self.prompted.items():
            if name == before or found.component is self.prompted[before].component:
                break
            proposal = _shown(session.texts.proposals(name, digest), found)
            if proposal is not None:
                found.task.set_annotation(doc, proposal.annotation)
        return doc


def _shown(proposals: List[Proposal], found: PromptedTask) -> "Proposal | None":
    keyed = ((p.source, p.sample, p.task_digest) for p in proposals)
    return next((p for p, key in zip(proposals, keyed, strict=True) if key == found.key), None)
