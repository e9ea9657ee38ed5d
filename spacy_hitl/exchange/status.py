"""Where a project stands, read from its dataset, its metrics and its promoted pipeline."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from ..dataset.audits import PRODUCTION
from ..dataset.history import HistorySummary, summarise
from ..dataset.reviews import decision_heads
from ..dataset.store import Dataset
from ..dataset.task_versions import decisions_by_text, read_histories
from ..dataset.views import TrainingSet
from ..errors import Errors, InputError
from ..io import read_json
from ..pipeline.loading import load_prompted, prompted_tasks
from ..records import USABLE, Lineage
from ..scoring.clock import Clock, ClockTally
from ..scoring.results import STUDENT, TaskMetrics, read_all_metrics
from ..settings import Settings
from .quality import TaskQuality, audit_quality


@dataclass(frozen=True)
class TaskStatus:
    """One task: proposals by status, texts by what was decided on them, figures."""

    task: str
    usable: int
    unusable: Dict[str, int]
    decisions: HistorySummary
    score: Optional[float]
    promoted: str

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


@dataclass(frozen=True)
class ProjectStatus:
    """The whole project.

    clock: how the work of all people together goes; people: of each, by name.
    quality: of the tasks that are audited in production, over time.
    """

    rows: int
    lanes: Dict[str, int]
    tasks: Tuple[TaskStatus, ...]
    near_duplicates: int
    clock: Clock
    people: Dict[str, Clock]
    quality: Tuple[TaskQuality, ...] = ()


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
        proposals = _tally_proposals(dataset)
        now = {name: prompted.task for name, prompted in prompted_tasks(nlp).items()}
        histories = read_histories(dataset, now, settings.changes, path=config)
        tasks = []
        for name, history in histories.items():
            digest = history.header.task_digest
            mine = {s: n for (t, s, d), n in proposals.items() if (t, d) == (name, digest)}
            tasks.append(
                TaskStatus(
                    task=name,
                    usable=sum(n for s, n in mine.items() if s in USABLE),
                    unusable={s: n for s, n in mine.items() if s not in USABLE},
                    decisions=summarise(history, decisions_by_text(dataset, name)),
                    score=_student_score(settings, name),
                    promoted=_promoted(meta, name),
                )
            )
        lanes = {lane: n for (lane,), n in sorted(dataset.tally("texts", "lane").items())}
        rows = dataset.count("rows")
        tally = ClockTally.of(decision_heads(dataset, list(now)))
        quality = tuple(audit_quality(dataset, histories, meta))
    finally:
        dataset.db.close()
    with TrainingSet(settings.dataset) as training:
        near = sum(training.near_duplicates().values())
    return ProjectStatus(rows, lanes, tuple(tasks), near, tally.clock(), tally.people(), quality)


def _tally_proposals(dataset: Dataset) -> Dict[Tuple[str, str, str], int]:
    """RETURNS (Dict[Tuple[str, str, str], int]): Proposals by task, status and task digest; not
    what production said.
    """
    counts: Counter[Tuple[str, str, str]] = Counter()
    columns = ("task", "status", "task_digest", "source")
    for (task, status, digest, source), n in dataset.tally("proposals", *columns).items():
        counts[task, status, digest] += 0 if source.startswith(PRODUCTION) else n
    return +counts


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
    meta = read_json(path, what="meta") if path.exists() else {}
    found: Any = meta.get("hitl", {}) if isinstance(meta, dict) else None
    if found != {}:
        Lineage.from_dict(found, where=f"{path}, 'hitl'")
    return dict(found)


def _promoted(meta: Dict[str, Any], task: str) -> str:
    if task in meta.get("students", {}):
        return "yes"
    if task in meta.get("prompted", ()):
        return "held, runs prompted"
    return "held" if task in meta.get("held", {}) else "no"
