"""`hitl_cascade`: where a student is not sure, a large language model is asked, and people are."""

from .answers import ABSTAINED, LLM, STUDENT, CascadeAnswer, get_answers
from .drift import Disagreement, Drift

__all__ = [
    "ABSTAINED",
    "LLM",
    "STUDENT",
    "CascadeAnswer",
    "Disagreement",
    "Drift",
    "get_answers",
]
