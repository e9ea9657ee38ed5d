"""Compose the students that pass into one pipeline, and swap the link that production loads."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

from spacy.language import Language

from ..about import __version__
from ..errors import Errors, InputError, StateError
from ..io import folder_digest, remedy_for
from ..pipeline.compose import compose
from ..pipeline.loading import load_prompted, load_trained, prompted_components, prompted_tasks
from ..scoring.results import STUDENT, SystemScore, TaskMetrics, read_all_metrics
from ..settings import Settings
from .gate import Verdict, hold_dependents, judge


@dataclass(frozen=True)
class Promotion:
    """What was decided and made. `version` is None if every task was held."""

    verdicts: Tuple[Verdict, ...]
    prompted: Tuple[str, ...] = ()
    link: Optional[Path] = None
    version: Optional[Path] = None

    @property
    def held(self) -> Tuple[Verdict, ...]:
        """The verdicts of the tasks that did not pass."""
        return tuple(v for v in self.verdicts if not v.passed)


def promote(config_path: Path, *, with_prompted: bool = False) -> Promotion:
    """Judge all students, compose those that pass, and make the result the current version.

    config_path (Path): Config of the prompted pipeline, with a [hitl] section.
    with_prompted (bool): Add held tasks as prompted components.
    RETURNS (Promotion): Verdicts, and where the pipeline is.
    RAISES (InputError): If metrics are missing or are not those of the trained folders.
    RAISES (StateError): If the result can't be written; the current version stays as it is.
    """
    prompted_nlp, settings = load_prompted(config_path)
    metrics = read_metrics(settings, list(prompted_tasks(prompted_nlp)))
    verdicts = {task: judge(m, settings.promote) for task, m in metrics.items()}
    students = {task: m.by_role(STUDENT) for task, m in metrics.items()}
    needs = {
        task: tuple(name for name, _ in s.needs) for task, s in students.items() if s is not None
    }
    verdicts = hold_dependents(verdicts, needs)
    passed = [task for task, v in verdicts.items() if v.passed]
    held = [task for task, v in verdicts.items() if not v.passed]
    if not passed:
        return Promotion(tuple(verdicts.values()))
    parts = []
    for task in passed:
        path = trained_path(settings, task)
        nlp = load_trained(path)
        _check_digests(task, students[task], settings)
        parts.append((str(path), nlp))
    pipeline = compose(parts)
    prompted = held if with_prompted else []
    _add_prompted(pipeline, prompted_nlp, prompted)
    pipeline.meta["name"] = settings.promote.name
    pipeline.meta["hitl"] = {
        "v": 1,
        "spacy_hitl": __version__,
        "students": {task: _lineage(metrics[task]) for task in passed},
        "prompted": prompted,
        "held": {v.task: list(v.reasons) for v in verdicts.values() if not v.passed},
    }
    link = settings.pipelines / settings.promote.name
    try:
        version = _write_version(pipeline, settings.versions)
        _swap(link, version)
    except OSError as e:
        remedy = remedy_for(e)
        raise StateError(Errors.H007.format(path=link, detail=e, remedy=remedy)) from e
    return Promotion(tuple(verdicts.values()), tuple(prompted), link, version)


def _add_prompted(pipeline: Language, prompted_nlp: Language, held: Sequence[str]) -> None:
    """Add the components that still ask; a joint one asks for its held parts only."""
    for name, component in prompted_components(prompted_nlp).items():
        wanted = [task for task in component.tasks if task in held]
        if len(wanted) == len(component.tasks):
            pipeline.add_pipe(name, source=prompted_nlp)
        elif wanted:
            config = prompted_nlp.config["components"][name].copy()
            parts = config["task"]["parts"]
            config["task"]["parts"] = {part: parts[part] for part in wanted}
            pipeline.add_pipe(config.pop("factory"), name=name, config=config)


def _check_digests(task: str, student: Optional[SystemScore], settings: Settings) -> None:
    """Refuse figures that were measured on other folders than those that would be promoted."""
    assert student is not None
    for name, digest in ((task, student.digest), *student.needs):
        path = trained_path(settings, name)
        if not path.exists() or folder_digest(path) != digest:
            metrics_path = settings.metrics / f"{task}.json"
            remedy = f"Run 'spacy hitl evaluate' for '{task}' again."
            raise InputError(Errors.H505.format(path=metrics_path, trained=path, remedy=remedy))


def trained_path(settings: Settings, task: str) -> Path:
    """RETURNS (Path): Where `spacy train` left the best model of a task."""
    return settings.training / task / "model-best"


def read_metrics(settings: Settings, tasks: List[str]) -> Dict[str, TaskMetrics]:
    """RETURNS (Dict[str, TaskMetrics]): The metrics of those tasks that were measured.
    RAISES (InputError): If none was, or a task that has a floor was not.
    """
    metrics = read_all_metrics(settings.metrics, tasks)
    missing = [t for t in tasks if t in settings.promote.floors and t not in metrics]
    if missing or not metrics:
        task = missing[0] if missing else "any"
        raise InputError(Errors.H500.format(task=task, path=settings.metrics))
    return metrics


def _lineage(metrics: TaskMetrics) -> Dict[str, object]:
    student = metrics.by_role(STUDENT)
    assert student is not None
    return {
        "kind": metrics.header.kind,
        "task_digest": metrics.header.task_digest,
        "student_digest": student.digest,
        "score": {metrics.main: round(student.score, 4)},
        "interval": [round(student.low, 4), round(student.high, 4)],
        "gold_texts": metrics.gold_texts,
    }


def _write_version(pipeline: Language, versions: Path) -> Path:
    """Write a pipeline to versions/<digest>, whole or not at all."""
    versions.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=versions, prefix=".new-"))
    try:
        pipeline.to_disk(temporary)
        temporary.chmod(0o755)
        version = versions / folder_digest(temporary)[:16]
        if not version.exists():
            temporary.rename(version)
        return version
    finally:
        if temporary.exists():
            shutil.rmtree(temporary)


def _swap(link: Path, version: Path) -> None:
    """Point the link to a version; at every moment it points to the old or the new one."""
    link.parent.mkdir(parents=True, exist_ok=True)
    if link.exists() and not link.is_symlink():
        raise InputError(Errors.H503.format(path=link))
    target = os.path.relpath(version, link.parent)
    temporary = link.with_name(f".{link.name}.new")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target, target_is_directory=True)
    temporary.replace(link)
