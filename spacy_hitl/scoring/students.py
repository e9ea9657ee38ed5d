"""Trained students on the disk, and whether what was measured is what lies there now."""

from dataclasses import replace
from pathlib import Path
from typing import Callable, Optional

from ..io import folder_digest
from .results import STUDENT, SystemScore, TaskMetrics

BEST = "model-best"


def trained_path(training: Path, task: str) -> Path:
    """RETURNS (Path): Where `spacy train` left the best model of a task."""
    return training / task / BEST


def other_model(
    task: str,
    student: SystemScore,
    training: Path,
    *,
    digest: Callable[[Path], str] = folder_digest,
) -> Optional[Path]:
    """Find out whether a student was measured on other folders than those that are there.

    task (str): Its task.
    student (SystemScore): What was measured.
    training (Path): The folder with one folder per task.
    digest (Callable[[Path], str]): Of a folder.
    RETURNS (Optional[Path]): The first folder that is not the measured one, or is not there; its
        own, or one that it was measured with. None if all are the same.
    """
    for name, measured in ((task, student.digest), *student.needs):
        path = trained_path(training, name)
        if not path.exists() or digest(path) != measured:
            return path
    return None


def without_others(
    metrics: TaskMetrics, trained: Path, *, digest: Callable[[Path], str] = folder_digest
) -> TaskMetrics:
    """Leave out students that were measured and are not what would be promoted.

    metrics (TaskMetrics): What was measured.
    trained (Path): The folder that would be promoted.
    digest (Callable[[Path], str]): Of a folder.
    RETURNS (TaskMetrics): Of several students, only the one in the folder is among them.
    """
    students = [s for s in metrics.systems if s.role == STUDENT]
    if len(students) < 2 or not trained.is_dir():
        return metrics
    found = digest(trained)
    mine = [s for s in students if s.digest == found]
    others = [s for s in students if mine and s is not mine[0]]
    return replace(metrics, systems=tuple(s for s in metrics.systems if s not in others))
