"""What runs for a task, and what the gate would say of its student."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ...errors import HitlError
from ...io import read_json
from ...records import Lineage
from ...scoring.gate import RULES, Case, hold_dependents, judge
from ...scoring.results import STUDENT, TaskMetrics
from ...scoring.students import trained_path
from ...settings import Settings
from .files import LINEAGE, Digests
from .standing import OLDER, PROMPTED, THIS, Gate, InProduction


@dataclass(frozen=True)
class Live:
    """The pipeline in production.

    version: the folder that the link points to, None without one. meta: what it says of itself;
    problem: why that can't be read.
    """

    version: Optional[str] = None
    digest: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""

    @property
    def students(self) -> Mapping[str, Any]:
        """Its students by task."""
        found: Mapping[str, Any] = self.meta.get("students", {})
        return found

    @property
    def tasks(self) -> Tuple[str, ...]:
        """The tasks that it has."""
        return (*self.students, *self.meta.get("prompted", ()))


def read_live(link: Path, digest: Digests) -> Live:
    """RETURNS (Live): What runs now."""
    if not link.is_dir():
        gone = link.is_symlink()
        return Live(problem=f"'{link}' points to a version that is not there" if gone else "")
    version = link.resolve().name
    try:
        meta = read_json(link / "meta.json", what="meta") if (link / "meta.json").exists() else {}
        found = meta.get(LINEAGE, {}) if isinstance(meta, dict) else None
        if found != {}:
            Lineage.from_dict(found, where=f"{link}/meta.json, '{LINEAGE}'")
    except HitlError as e:
        return Live(version, problem=str(e))
    return Live(version, digest(link.resolve()), dict(found or {}))


def gates(settings: Settings, metrics: Mapping[str, TaskMetrics], live: Live) -> Dict[str, Gate]:
    """Judge as `promote` would.

    settings (Settings): Its rules.
    metrics (Mapping[str, TaskMetrics]): Figures by task, with one student at most.
    live (Live): What runs now.
    RETURNS (Dict[str, Gate]): By task that was measured.
    """
    rules = settings.promote
    rivals: Dict[str, Optional[str]] = {}
    needs: Dict[str, Tuple[str, ...]] = {}
    for task, m in metrics.items():
        student, there = m.by_role(STUDENT), live.students.get(task)
        same = student is None or there is None or there.get("student_digest") == student.digest
        rivals[task] = None if same else live.digest
        needs[task] = () if student is None else tuple(name for name, _ in student.needs)
    alone = {t: judge(m, rules, rival=rivals[t]) for t, m in metrics.items()}
    found = {}
    for task, verdict in hold_dependents(alone, needs).items():
        student = metrics[task].by_role(STUDENT)
        names: List[str] = []
        if student is not None and not alone[task].passed:
            case = Case(metrics[task], student, rules, rivals[task])
            names = [rule.__name__ for rule in RULES if any(True for _ in rule(case))]
        held_by = None
        if alone[task].passed and not verdict.passed:
            held_by = next((n for n in needs[task] if n in verdict.reasons[0]), None)
        floor = rules.floors.get(task)
        found[task] = Gate(verdict.passed, verdict.reasons, tuple(names), floor, held_by)
    return found


def production_step(settings: Settings, task: str, live: Live, digest: Digests) -> InProduction:
    """RETURNS (InProduction): What runs for a task, without what audits say."""
    if task in live.students:
        path = trained_path(settings.training, task)
        here = digest(path) if path.is_dir() else None
        same = here is not None and live.students[task].get("student_digest") == here
        return InProduction(THIS if same else OLDER)
    return InProduction(PROMPTED) if task in live.meta.get("prompted", ()) else InProduction()


def promoted_word(meta: Mapping[str, Any], task: str) -> str:
    """RETURNS (str): What the pipeline in production says of a task."""
    if task in meta.get("students", {}):
        return "yes"
    if task in meta.get("prompted", ()):
        return "held, runs prompted"
    return "held" if task in meta.get("held", {}) else "no"
