"""What the review queue knows of a text, and what a router sees and answers."""

from dataclasses import dataclass
from typing import FrozenSet, Mapping, NamedTuple, Optional, Tuple

from .answers import Proposal
from .names import Lane


class QueueText(NamedTuple):
    """What the queue knows of one text: who answered, not what.

    decided_by: the annotators who accepted or rejected, for all tasks of the session (in a pass
    over one label: who looked at it). skipped_by: those whose last answer was a skip. flagged: put
    aside. problem: the status of a proposal that can't be used, if there is one. doubt: why what
    is said of it is probably wrong, if a router says so: once decided, it waits for another look.
    """

    digest: str
    lane: Lane
    decided_by: FrozenSet[str] = frozenset()
    skipped_by: FrozenSet[str] = frozenset()
    flagged: bool = False
    problem: Optional[str] = None
    doubt: Optional[str] = None


@dataclass(frozen=True)
class Candidate:
    """A text that could be reviewed next, as a router sees it. Never one of lane gold.

    samples: per task, all answers of the prompted model to the task as it is now; the one that
    will be shown is the first, with scores where there are any. others: per task, what other
    sources proposed: a student, another model.
    """

    digest: str
    text: str
    samples: Mapping[str, Tuple[Proposal, ...]]
    others: Mapping[str, Tuple[Proposal, ...]]


@dataclass(frozen=True)
class Scored:
    """How urgent a router finds a text: the highest score comes first. why: a plain sentence."""

    digest: str
    score: float
    why: str = ""
