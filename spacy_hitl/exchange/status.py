"""Where a project stands, read from its dataset, its metrics and its promoted pipeline."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from ..dataset.store import Dataset
from ..dataset.views import TrainingSet
from ..errors import Errors, InputError
from ..pipeline.loading import load_prompted, prompted_tasks
from ..records import ACCEPT, PERSON, USABLE, Decision
from ..scoring.results import STUDENT, TaskMetrics, read_all_metrics
from ..settings import Settings


@dataclass(frozen=True)
class TaskStatus:
    """One task: proposals by status, decided texts, decisions made under an older task, figures."""

    task: str
    usable: int
    unusable: Dict[str, int]
    decided: int
    by_person: int
    outdated: int
    score: Optional[float]
    promoted: str


@dataclass(frozen=True)
class ProjectStatus:
    """The whole project."""

    rows: int
    lanes: Dict[str, int]
    tasks: Tuple[TaskStatus, ...]
    near_duplicates: int


def project_status(config: Path) -> ProjectStatus:
    """Read where a project stands. Nothing is changed.

    config (Path): Config of the prompted pipeline.
    RETURNS (ProjectStatus): Counts and figures.
    RAISES (StateError): If there is no dataset yet.
    """
    nlp, settings = load_prompted(config)
    meta = _promoted_meta(settings)
    dataset = Dataset(settings.dataset)
    dataset.db.open(readonly=True)
    try:
        proposals = dataset.tally("proposals", "task", "status", "task_digest")
        tasks = []
        for name, prompted in prompted_tasks(nlp).items():
            digest = prompted.task.digest()
            mine = {s: n for (t, s, d), n in proposals.items() if (t, d) == (name, digest)}
            decisions = _last_decisions(dataset, name)
            tasks.append(
                TaskStatus(
                    task=name,
                    usable=sum(n for s, n in mine.items() if s in USABLE),
                    unusable={s: n for s, n in mine.items() if s not in USABLE},
                    decided=sum(d.action == ACCEPT for d in decisions.values()),
                    by_person=sum(d.origin == PERSON for d in decisions.values()),
                    outdated=sum(d.task_digest != digest for d in decisions.values()),
                    score=_student_score(settings, name),
                    promoted=_promoted(meta, name),
                )
            )
        lanes = {lane: n for (lane,), n in sorted(dataset.tally("texts", "lane").items())}
        rows = dataset.count("rows")
    finally:
        dataset.db.close()
    with TrainingSet(settings.dataset) as training:
        near = sum(training.near_duplicates().values())
    return ProjectStatus(rows, lanes, tuple(tasks), near)


def _last_decisions(dataset: Dataset, task: str) -> Dict[str, Decision]:
    rows = dataset.db.rows(
        "SELECT digest, record FROM decisions WHERE task = ? ORDER BY id", (task,)
    )
    return {digest: Decision.from_dict(json.loads(record)) for digest, record in rows}


def project_metrics(config: Path) -> List[TaskMetrics]:
    """RETURNS (List[TaskMetrics]): The last evaluation of every task that was measured.
    RAISES (InputError): If none was.
    """
    nlp, settings = load_prompted(config)
    metrics = read_all_metrics(settings.metrics, list(prompted_tasks(nlp)))
    if not metrics:
        raise InputError(Errors.H500.format(task="any", path=settings.metrics))
    return list(metrics.values())


def _student_score(settings: Settings, task: str) -> Optional[float]:
    metrics = read_all_metrics(settings.metrics, [task]).get(task)
    student = None if metrics is None else metrics.by_role(STUDENT)
    return None if student is None else student.score


def _promoted_meta(settings: Settings) -> Dict[str, Any]:
    path = settings.pipelines / settings.promote.name / "meta.json"
    meta: Dict[str, Any] = {}
    if path.exists():
        meta = json.loads(path.read_text(encoding="utf8")).get("hitl", {})
    return meta


def _promoted(meta: Dict[str, Any], task: str) -> str:
    if task in meta.get("students", {}):
        return "yes"
    if task in meta.get("prompted", ()):
        return "held, runs prompted"
    return "held" if task in meta.get("held", {}) else "no"
