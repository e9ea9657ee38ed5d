"""What is probably wrong in a corpus: what held-out students say against what is given."""

from dataclasses import dataclass, field
from typing import Annotated, Dict

from pydantic import AfterValidator

from .annotations import NOTHING, Annotation
from .base import Record

# Ways in which an annotation can be wrong.
(
    SPURIOUS,  # it is there and should not be
    MISSING,  # it is not there and should be
    BOUNDARY,  # it should begin or end elsewhere
    WRONG_LABEL,  # it should be called something else
) = PROBLEMS = ("spurious", "missing", "boundary", "label")


def _check(value: str) -> str:
    if value not in PROBLEMS:
        raise ValueError(f"{value!r} is not one of {', '.join(PROBLEMS)}")
    return value


ProblemName = Annotated[str, AfterValidator(_check)]


@dataclass(frozen=True)
class Suspect(Record):
    """One annotation that is probably wrong: a line of a file of suspects. Never of a gold text.

    given: what is there: one item, or nothing if something is missing. suggested: what students
    that did not see the text say instead: one item, or nothing. The scores in both are the
    probabilities that these students give them. score: how sure the students are that it is wrong:
    1 if they give all to the suggestion and nothing to what is given, 0.5 if both are as likely.
    decided: whether a decision is in doubt, not a proposal.
    """

    text_digest: str
    task: str
    problem: ProblemName
    score: float
    given: Annotation = NOTHING
    suggested: Annotation = NOTHING
    decided: bool = False


@dataclass(frozen=True)
class SuspectsHeader(Record):
    """How suspects were found: the first line of their file.

    folds, rounds: of the cross-fitting. texts, annotations: how many were judged. thresholds: by
    label, the average probability that it gets where it is given; "" stands for no label.
    """

    task: str
    kind: str
    task_digest: str
    folds: int
    rounds: int
    texts: int
    annotations: int
    thresholds: Dict[str, float] = field(default_factory=dict)
