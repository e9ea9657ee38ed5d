"""The gate: may a student replace the prompted component? Pure arithmetic on metrics."""

from dataclasses import dataclass
from typing import Dict, List, Mapping, Tuple

from ..records import Record
from ..scoring.results import BASELINE, STUDENT, TaskMetrics
from ..settings import PromoteSettings


@dataclass(frozen=True)
class Verdict(Record):
    """Whether a task's student passes, and if not, why not."""

    task: str
    passed: bool
    reasons: Tuple[str, ...] = ()


def judge(metrics: TaskMetrics, settings: PromoteSettings) -> Verdict:
    """Judge one student.

    metrics (TaskMetrics): What was measured on gold.
    settings (PromoteSettings): Floors and the smallest gold size.
    RETURNS (Verdict): Passed if there is a student, on enough gold texts, at or above its floor,
        and better than the baseline.
    """
    task = metrics.header.task
    student, base = metrics.by_role(STUDENT), metrics.by_role(BASELINE)
    if student is None:
        return Verdict(task, False, ("no student was measured",))
    reasons: List[str] = []
    if metrics.gold_texts < settings.min_gold:
        reasons.append(f"{metrics.gold_texts} gold texts, at least {settings.min_gold} needed")
    floor = settings.floors.get(task)
    if floor is None:
        reasons.append(f"no floor is set in [hitl.promote.floors] for '{task}'")
    elif student.score < floor:
        reasons.append(f"{metrics.main} {student.score:.3f} is below the floor {floor:.2f}")
    if base is not None and student.score <= base.score:
        reasons.append(
            f"{metrics.main} {student.score:.3f} does not beat the baseline "
            f"'{base.name}' {base.score:.3f}"
        )
    return Verdict(task, not reasons, tuple(reasons))


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
                result[task] = Verdict(task, False, (reason,))
                changed = True
    return result
