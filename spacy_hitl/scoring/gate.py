"""The gate: may a student replace the prompted component? Pure arithmetic on metrics.

Every condition is written as what must hold, so that a figure that is missing or no number holds a
student too.
"""

from dataclasses import dataclass
from typing import Callable, Dict, Iterator, List, Mapping, Optional, Tuple

from ..records import Record
from ..settings import PromoteSettings
from .results import (
    BASELINE,
    PRODUCTION,
    PROMPTED,
    STUDENT,
    Bounds,
    Comparison,
    LabelScore,
    SystemScore,
    TaskMetrics,
)


@dataclass(frozen=True)
class Verdict(Record):
    """Whether a task's student passes, and if not, why not; and what could not be judged."""

    task: str
    passed: bool
    reasons: Tuple[str, ...] = ()
    notes: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """A student before the gate.

    rival: digest of another student of its task that is in production; None if there is none.
    """

    metrics: TaskMetrics
    student: SystemScore
    rules: PromoteSettings
    rival: Optional[str] = None

    @property
    def task(self) -> str:
        """The task's name."""
        return self.metrics.header.task

    @property
    def scored(self) -> str:
        """The student's main score, for a reason."""
        return f"{self.metrics.main} {self.student.score:.3f}"

    @property
    def production(self) -> Optional[SystemScore]:
        """What was measured of production. If it is known which version runs, only of that one."""
        found = self.metrics.by_role(PRODUCTION)
        return None if found is not None and self.rival not in (None, found.digest) else found

    def against(self, other: SystemScore) -> Optional[Comparison]:
        """RETURNS (Optional[Comparison]): The student against another system, paired."""
        return self.metrics.compared(self.student.name, other.name)


def judge(
    metrics: TaskMetrics,
    settings: PromoteSettings,
    *,
    student: Optional[SystemScore] = None,
    rival: Optional[str] = None,
) -> Verdict:
    """Judge one student.

    metrics (TaskMetrics): What was measured on gold.
    settings (PromoteSettings): What it must reach.
    student (Optional[SystemScore]): Which of the measured students; the best if not given.
    rival (Optional[str]): Digest of the pipeline in production, if that has another student of this
        task; what was measured of other versions does not count then.
    RETURNS (Verdict): Passed if every rule holds. Making any figure of a student worse never turns
        a hold into a pass.
    """
    student = student or metrics.by_role(STUDENT)
    if student is None:
        return Verdict(metrics.header.task, False, ("no student was measured",))
    case = Case(metrics, student, settings, rival)
    reasons = [reason for rule in RULES for reason in rule(case)]
    return Verdict(case.task, not reasons, tuple(reasons), tuple(_notes(case)))


def enough_gold(case: Case) -> Iterator[str]:
    """YIELDS (str): If the figures rest on too few texts, or on such as show nothing."""
    texts, least = case.metrics.gold_texts, case.rules.min_gold
    if not texts >= least:
        yield f"{texts} gold texts, at least {least} needed"
    if case.rules.require_blind and not case.metrics.blind:
        yield "its gold is not blind: some was decided with a proposal in view (require_blind)"


def above_floors(case: Case) -> Iterator[str]:
    """YIELDS (str): If the main score or a label is below its floor, or has none."""
    floor = case.rules.floors.get(case.task)
    if floor is None:
        yield f"no floor is set in [hitl.promote.floors] for '{case.task}'"
    elif not case.student.score >= floor:
        yield f"{case.scored} is below the floor {floor:.2f}"
    labels = {score.label: score for score in case.student.labels}
    for label, least in case.rules.label_floors.get(case.task, {}).items():
        if label not in labels:
            known = ", ".join(labels) or "none"
            yield f"label '{label}' has a floor ({least:.2f}) and no figure (there are: {known})"
        elif not labels[label].f >= least:
            yield f"label '{label}': F {labels[label].f:.3f} is below its floor {least:.2f}"


def beats_baseline(case: Case) -> Iterator[str]:
    """YIELDS (str): If it is not better than what needs no model."""
    base = case.metrics.by_role(BASELINE)
    if base is None:
        yield "no baseline was measured"
        return
    if not case.student.score > base.score:
        yield f"{case.scored} does not beat the baseline '{base.name}' {base.score:.3f}"
    elif case.rules.beats_baseline == "interval":
        found = case.against(base)
        if found is None or not found.low > 0:
            how = _difference(found)
            yield f"it does not surely beat the baseline '{base.name}': {how}, must be above 0"


def near_prompted(case: Case) -> Iterator[str]:
    """YIELDS (str): If it could be worse than the prompted original by more than the margin."""
    margin = case.rules.margins.get(case.task, case.rules.margin)
    if margin is None:
        return
    prompted = case.metrics.by_role(PROMPTED)
    if prompted is None:
        yield f"a margin is set ({margin:g}) and no prompted original was measured"
        return
    found = case.against(prompted)
    if found is None or not found.low > -margin:
        how = _difference(found)
        yield f"against the prompted '{prompted.name}': {how}, must be above {-margin:g}"


def no_regression(case: Case) -> Iterator[str]:
    """YIELDS (str): If it is surely worse than production, as a whole or on a label."""
    margin, production = case.rules.production_margin, case.production
    if production is None:
        if margin is not None and case.rival is not None:
            yield _unmeasured()
        return
    found, name = case.against(production), f"production ('{production.name}')"
    if found is None or not found.high >= 0:
        yield f"it is worse than {name}: {_difference(found)}, all below 0"
    elif margin is not None and not found.low >= -margin:
        yield f"against {name}: {_difference(found)}, must not be below {-margin:g}"
    there = {score.label: score for score in production.labels}
    for label in case.student.labels:
        if label.label in there and _is_surely_worse(label, there[label.label]):
            here, before = _label_f(label), _label_f(there[label.label])
            yield f"label '{label.label}' is worse than in {name}: F {here}, there {before}"


def within_limits(case: Case) -> Iterator[str]:
    """YIELDS (str): If it is too slow or too large, or that was not measured."""
    student, least, most = case.student, case.rules.min_words_per_s, case.rules.max_megabytes
    speed = student.words_per_s if student.speed is None else student.speed.words_per_s
    if least is not None and (speed is None or not speed >= least):
        found = "speed was not measured" if speed is None else f"{speed:,.0f} words/s"
        yield f"{found}, at least {least:,.0f} words/s needed"
    size = student.megabytes
    if most is not None and (size is None or not size <= most):
        found = "size was not measured" if size is None else f"{size:.1f} MB"
        yield f"{found}, at most {most:.1f} MB allowed"


RULES: Tuple[Callable[[Case], Iterator[str]], ...] = (
    enough_gold,
    above_floors,
    beats_baseline,
    near_prompted,
    no_regression,
    within_limits,
)


def _notes(case: Case) -> List[str]:
    missing = case.rival is not None and case.production is None
    return [_unmeasured()] if missing and case.rules.production_margin is None else []


def _unmeasured() -> str:
    return (
        "production has another student, and this one was not measured against it: "
        "evaluate with --production"
    )


def _difference(found: Optional[Comparison]) -> str:
    if found is None:
        return "they were not compared"
    return f"difference {found.value:+.3f} ({found.low:+.3f} to {found.high:+.3f})"


def _label_f(score: LabelScore) -> str:
    low, high = score.f_bounds or (0.0, 1.0)
    return f"{score.f:.3f} ({low:.3f} to {high:.3f})"


def _is_surely_worse(one: LabelScore, other: LabelScore) -> bool:
    """Whether the 95% intervals do not even touch: stricter than a paired test, so rarely wrong."""
    mine: Optional[Bounds] = one.f_bounds
    theirs: Optional[Bounds] = other.f_bounds
    return mine is not None and theirs is not None and not mine[1] >= theirs[0]


def hold_dependents(
    verdicts: Mapping[str, Verdict], needs: Mapping[str, Tuple[str, ...]]
) -> Dict[str, Verdict]:
    """Hold every task whose student was measured with one that is held, or not measured itself.

    verdicts (Mapping[str, Verdict]): By task.
    needs (Mapping[str, Tuple[str, ...]]): Tasks of the students it was measured with, by task.
    RETURNS (Dict[str, Verdict]): The verdicts, until none changes any more.
    """
    result = dict(verdicts)
    changed = True
    while changed:
        changed = False
        for task, verdict in result.items():
            missing = [n for n in needs.get(task, ()) if n not in result or not result[n].passed]
            if verdict.passed and missing:
                why = "is held" if missing[0] in result else "was not measured"
                reason = f"it was measured with the student of '{missing[0]}', which {why}"
                result[task] = Verdict(task, False, (reason,), verdict.notes)
                changed = True
    return result
