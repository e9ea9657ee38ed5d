"""Where one task stands, step by step: what `spacy hitl status` knows. Frozen facts, nothing read.

Each step of the way has a state of its own: MISSING (not done), BROKEN (there, and can't be used),
STALE (done, but what it was made from has changed since), UNKNOWN (done, and nobody can tell from
what), or CURRENT.
"""

import shlex
from dataclasses import dataclass, field
from typing import Dict, Optional, Tuple

from ...dataset.history import HistorySummary
from ...dataset.tally import LaneTally
from ...records import DEV, GOLD, TRAIN

MISSING, BROKEN, STALE, UNKNOWN, CURRENT = STATES = (
    "missing",
    "broken",
    "stale",
    "unknown",
    "current",
)
NO, PROMPTED, OLDER, THIS = "no", "prompted", "older student", "this student"


@dataclass(frozen=True)
class Proposals:
    """What was proposed, one proposal per text.

    source: the model that the config asks. usable: its usable proposals for the task as it is;
    unusable: the others, by status. other: usable ones that do not count here, by what they are
    of: another model, another version of the task, further samples. missing: undecided texts of
    lanes train and dev that the model was not asked about.
    """

    source: str = ""
    usable: int = 0
    unusable: Dict[str, int] = field(default_factory=dict)
    other: Dict[str, int] = field(default_factory=dict)
    missing: int = 0


@dataclass(frozen=True)
class Step:
    """A step that leaves something on the disk.

    path: what it leaves. state: one of STATES. why: half a sentence, where the state needs one.
    """

    path: str = ""
    state: str = MISSING
    why: str = ""


@dataclass(frozen=True)
class Student(Step):
    """The trained student. config: what it can be trained with, None if there is no such file.

    corpora: what it learned from, each with the first digits of its digest. suspects: whether
    label errors were looked for.
    """

    config: Optional[str] = None
    corpora: Tuple[Tuple[str, str], ...] = ()
    suspects: bool = False


@dataclass(frozen=True)
class Figures(Step):
    """What was measured. main: name of the score; low, high: its 95% interval.

    lacks: what the gate asks for and the figures don't have.
    """

    main: str = ""
    score: Optional[float] = None
    low: Optional[float] = None
    high: Optional[float] = None
    gold_texts: int = 0
    lacks: str = ""


@dataclass(frozen=True)
class Gate:
    """What `promote` would say of the figures.

    passed: None if there is nothing to judge. reasons: why not. rules: names of those that don't
    hold. floor: None if none is set. held_by: a held task whose student it was measured with.
    """

    passed: Optional[bool] = None
    reasons: Tuple[str, ...] = ()
    rules: Tuple[str, ...] = ()
    floor: Optional[float] = None
    held_by: Optional[str] = None


@dataclass(frozen=True)
class InProduction:
    """What runs for the task: NO, PROMPTED, OLDER (another student than the trained one), or THIS.

    waiting: audited texts that nobody decided on yet. fell: whether its quality fell.
    """

    runs: str = NO
    waiting: int = 0
    fell: bool = False


@dataclass(frozen=True)
class NextStep:
    """What to do next for a task.

    step: its name. command: to type, word by word. why: a sentence.
    """

    step: str = ""
    command: Tuple[str, ...] = ()
    why: str = ""

    @property
    def line(self) -> str:
        """The command as one types it in a shell."""
        return shlex.join(self.command)


@dataclass(frozen=True)
class TaskStatus:
    """Everything about one task.

    promoted: "yes", "held", "held, runs prompted" or "no", as the pipeline in production says it
    itself. needs: tasks whose students find what this one works on. problems: sentences about what
    can't be used.
    """

    task: str
    kind: str = ""
    proposals: Proposals = Proposals()
    decisions: HistorySummary = field(default_factory=HistorySummary)
    lanes: Dict[str, LaneTally] = field(default_factory=dict)
    corpus: Step = Step()
    student: Student = Student()
    figures: Figures = Figures()
    gate: Gate = Gate()
    production: InProduction = InProduction()
    promoted: str = "no"
    needs: Tuple[str, ...] = ()
    catalog: Optional[str] = None
    problems: Tuple[str, ...] = ()
    next: NextStep = NextStep()

    @property
    def usable(self) -> int:
        """Usable proposals of the config's own model."""
        return self.proposals.usable

    @property
    def unusable(self) -> Dict[str, int]:
        """The other ones, by status."""
        return self.proposals.unusable

    @property
    def score(self) -> Optional[float]:
        """The student's main score."""
        return self.figures.score

    @property
    def decided(self) -> int:
        """Texts that are decided whole."""
        return self.decisions.decided

    @property
    def by_person(self) -> int:
        """Of these, by people and not by a file."""
        return self.decisions.by_person

    @property
    def outdated(self) -> int:
        """Of these, under other labels, definitions or guidelines."""
        return self.decisions.older

    @property
    def gold(self) -> LaneTally:
        """Its texts of lane gold."""
        return self.lanes.get(GOLD, LaneTally())

    @property
    def dev(self) -> LaneTally:
        """Its texts of lane dev."""
        return self.lanes.get(DEV, LaneTally())

    @property
    def train(self) -> LaneTally:
        """Its texts of lane train."""
        return self.lanes.get(TRAIN, LaneTally())

    @property
    def trained(self) -> bool:
        """Whether there is a student that is of now, as far as anybody can tell."""
        return self.student.state in (CURRENT, UNKNOWN)

    @property
    def stage(self) -> str:
        """The last step that was taken, in a word."""
        if self.gate.passed is False and self.figures.state == CURRENT:
            return "held"
        if self.production.runs == THIS:
            return "promoted"
        steps = (
            ("evaluated", self.figures.state == CURRENT),
            ("distilled", self.trained),
            ("reviewed", bool(self.decided or self.decisions.in_part)),
            ("prompted", self.usable > 0),
        )
        return next((name for name, done in steps if done), "not begun")
