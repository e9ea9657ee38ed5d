"""Who annotated a document, and why: what a cascade leaves on it."""

import json
from dataclasses import dataclass
from typing import Dict, Optional

from spacy.tokens import Doc

from ...records import Record

STUDENT, LLM, ABSTAINED = "student", "llm", "abstained"
CASCADE_KEY = "hitl_cascade"


@dataclass(frozen=True)
class CascadeAnswer(Record):
    """Whose annotation stands on a document.

    answered: "student": it was sure enough; "llm": it was not, and the LLM answered; "abstained":
    it was not, and nobody else answered: the student's annotation stands, and is doubtful.
    confidence: how likely all of the student's annotation is right. reason: why the LLM did not
    answer, of an abstention, or of an audit without an answer. agreed: whether student and LLM said
    the same, if both did. audit: whether the text is one of the random share that the LLM is asked
    about however sure the student is.
    """

    answered: str
    confidence: float
    reason: Optional[str] = None
    agreed: Optional[bool] = None
    audit: bool = False


def set_answer(doc: Doc, name: str, answer: CascadeAnswer) -> None:
    """Leave on a document who answered, as plain JSON values."""
    doc.user_data.setdefault(CASCADE_KEY, {})[name] = json.dumps(answer.to_dict())


def get_answers(doc: Doc) -> Dict[str, CascadeAnswer]:
    """Read whose annotations stand on a document.

    doc (Doc): A document that went through `hitl_cascade` components.
    RETURNS (Dict[str, CascadeAnswer]): By the name of the cascade.
    """
    stored = doc.user_data.get(CASCADE_KEY, {})
    return {name: CascadeAnswer.from_dict(json.loads(value)) for name, value in stored.items()}
