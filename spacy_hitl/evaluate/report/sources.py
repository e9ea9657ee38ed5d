"""What the report is made from: files that other steps wrote. Nothing is measured here."""

from dataclasses import dataclass
from pathlib import Path
from typing import List, Mapping, Optional, Tuple

from spacy.util import load_config

from ...dataset.reviews import decision_heads
from ...dataset.store import Dataset
from ...errors import Errors, InputError
from ...io import read_json
from ...pipeline.loading import settings_of, split_variant
from ...scoring.clock import ClockTally
from ...scoring.curves import RECORD, Curve
from ...scoring.outputs import outputs_folder, outputs_path, read_outputs
from ...scoring.results import (
    PRODUCTION,
    PROMPTED,
    STUDENT,
    GoldOutput,
    SystemScore,
    TaskMetrics,
    read_all_metrics,
)
from ...scoring.students import other_model, trained_path, without_others
from ...settings import PromoteSettings, Settings


@dataclass(frozen=True)
class TaskEvidence:
    """What is known about one task.

    metrics: the figures. outputs: what every system found, empty if that was not kept. curve: the
    learning curve, if there is one. newer: a trained folder that is not what was measured.
    """

    metrics: TaskMetrics
    outputs: Tuple[GoldOutput, ...] = ()
    curve: Optional[Curve] = None
    newer: Optional[Path] = None

    @property
    def name(self) -> str:
        """The task."""
        return self.metrics.header.task

    @property
    def subject(self) -> Optional[SystemScore]:
        """The system the report is about: the best student, else the best of the others."""
        for role in (STUDENT, PROMPTED, PRODUCTION):
            found = self.metrics.by_role(role)
            if found is not None:
                return found
        return None


@dataclass(frozen=True)
class Evidence:
    """What is known about a project.

    tasks: those that were measured. missing: those that were not. promote: the rules of the gate.
    seconds: of each answer that people gave, rising.
    """

    tasks: Tuple[TaskEvidence, ...]
    promote: PromoteSettings
    missing: Tuple[str, ...] = ()
    seconds: Tuple[float, ...] = ()


def read_evidence(config: Path) -> Evidence:
    """Read what a project knows about its systems.

    config (Path): Config of the prompted pipeline, with a [hitl] section.
    RETURNS (Evidence): Of every task of the config that was measured, in its order.
    RAISES (InputError): If none was measured, or files do not belong together.
    """
    settings = settings_of(config)
    names = task_names(load_config(split_variant(config)[0], interpolate=False))
    metrics = read_all_metrics(settings.metrics, names)
    if not metrics:
        raise InputError(Errors.H500.format(task="any", path=settings.metrics))
    tasks = tuple(
        TaskEvidence(
            m, _read_outputs(settings, m), _read_curve(settings, m), _newer_student(settings, m)
        )
        for m in metrics.values()
    )
    missing = tuple(name for name in names if name not in metrics)
    return Evidence(tasks, settings.promote, missing, _read_seconds(settings, names))


def task_names(config: Mapping[str, object]) -> List[str]:
    """RETURNS (List[str]): The tasks of a config in its order: components, or parts of a joint one.

    >>> task_names({"components": {"a": {"task": {"parts": {"b": {}, "c": {}}}}, "d": {}}})
    ['b', 'c', 'd']
    """
    names: List[str] = []
    components = config.get("components", {})
    for name, block in components.items() if isinstance(components, Mapping) else ():
        task = block.get("task") if isinstance(block, Mapping) else None
        parts = task.get("parts") if isinstance(task, Mapping) else None
        names.extend(parts if isinstance(parts, Mapping) and parts else [name])
    return names


def _read_outputs(settings: Settings, metrics: TaskMetrics) -> Tuple[GoldOutput, ...]:
    task = metrics.header.task
    figures = settings.metrics / f"{task}.json"
    path = outputs_path(outputs_folder(figures), task)
    if not path.exists():
        return ()
    header, outputs = read_outputs(path)
    names = {system.name for system in metrics.systems}
    complete = all(names <= {name for name, _ in output.found} for output in outputs)
    if header != metrics.header or len(outputs) != metrics.gold_texts or not complete:
        raise InputError(Errors.H430.format(path=path, figures=figures, task=task))
    return tuple(outputs)


def _newer_student(settings: Settings, metrics: TaskMetrics) -> Optional[Path]:
    """RETURNS (Optional[Path]): The folder of a student that was trained since; None if the
    measured one is still there, or there is nothing to compare it with.
    """
    task = metrics.header.task
    trained = trained_path(settings.training, task)
    student = without_others(metrics, trained).by_role(STUDENT)
    if student is None or student.digest is None:
        return None
    other = other_model(task, student, settings.training)
    return other if other is not None and other.exists() else None


def _read_curve(settings: Settings, metrics: TaskMetrics) -> Optional[Curve]:
    """RETURNS (Optional[Curve]): The curve, if it is of the task as it is now."""
    path = settings.training / metrics.header.task / RECORD
    if not path.exists():
        return None
    value = read_json(path, what="learning curve")
    curve = Curve.from_dict(value, where=str(path))
    return curve if curve.task_digest == metrics.header.task_digest and curve.points else None


def _read_seconds(settings: Settings, tasks: List[str]) -> Tuple[float, ...]:
    if not settings.dataset.exists():
        return ()
    dataset = Dataset(settings.dataset)
    dataset.db.open(readonly=True)
    try:
        return ClockTally.of(decision_heads(dataset, tasks)).seconds()
    finally:
        dataset.db.close()
