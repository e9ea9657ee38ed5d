"""What evaluation finds and promotion judges: metrics/<task>.json."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Optional, Sequence, Tuple

from ..errors import Errors, InputError
from ..io import read_text
from ..records import Record, TaskHeader

BASELINE, PROMPTED, STUDENT = ROLES = ("baseline", "prompted", "student")


@dataclass(frozen=True)
class LabelScore(Record):
    """Counts and scores of one label."""

    label: str
    tp: int
    fp: int
    fn: int
    p: float
    r: float
    f: float


@dataclass(frozen=True)
class SystemScore(Record):
    """One system on one task's gold texts.

    name: what it is, as given; role: baseline, prompted or student.
    score, low, high: the main score and its 95% interval.
    words_per_s: None where it says nothing (baselines, models over a network or replayed).
    digest: of the student's own folder; needs: the components of other folders that it was measured
    with, and the digests of these.
    """

    name: str
    role: str
    score: float
    low: float
    high: float
    p: float
    r: float
    labels: Tuple[LabelScore, ...] = ()
    accuracy: Optional[float] = None
    failed: int = 0
    words_per_s: Optional[float] = None
    megabytes: Optional[float] = None
    digest: Optional[str] = None
    needs: Tuple[Tuple[str, str], ...] = ()
    threshold: Optional[float] = None
    gain: Optional[Tuple[float, float, float]] = None


@dataclass(frozen=True)
class Comparison(Record):
    """One system against another, paired: on the same resampled texts.

    value, low, high: difference of the main score with its 95% interval. better: probability that
    the first is better.
    """

    first: str
    second: str
    value: float
    low: float
    high: float
    better: float


@dataclass(frozen=True)
class TaskMetrics(Record):
    """All systems on one task, on the same gold texts.

    main: name of the main score, prefixed by the component. origins: who decided on the gold
    texts ("person", "import") and how often. blind: whether no proposal was seen.
    """

    header: TaskHeader
    main: str
    gold_texts: int
    origins: Tuple[Tuple[str, int], ...]
    blind: bool
    systems: Tuple[SystemScore, ...] = ()
    comparisons: Tuple[Comparison, ...] = ()

    def by_role(self, role: str) -> Optional[SystemScore]:
        """RETURNS (Optional[SystemScore]): The best system of a role."""
        found = [s for s in self.systems if s.role == role]
        return max(found, key=lambda s: s.score, default=None)


def main_score(header: TaskHeader) -> Tuple[str, str]:
    """RETURNS (Tuple[str, str]): Name of a task's main score, and how labels are averaged."""
    if header.kind == "textcat" and header.exclusive:
        return f"{header.task}_cats_macro_f", "macro"
    names = {
        "ner": "ents_f",
        "spancat": "spans_f",
        "textcat": "cats_micro_f",
        "linking": "nel_f",
        "relations": "rel_f",
    }
    return f"{header.task}_{names[header.kind]}", "micro"


def read_all_metrics(folder: Path, tasks: Sequence[str]) -> Dict[str, TaskMetrics]:
    """Read what evaluation wrote.

    folder (Path): The folder with one JSON file per task.
    tasks (Sequence[str]): The tasks to look for.
    RETURNS (Dict[str, TaskMetrics]): The metrics of those that were measured, by task.
    RAISES (InputError): If a file is not what it should be.
    """
    metrics = {}
    for task in tasks:
        path = folder / f"{task}.json"
        if not path.exists():
            continue
        try:
            value = json.loads(read_text(path, what="metrics"))
        except ValueError as e:
            raise InputError(Errors.H004.format(where=path, problem=f"not JSON: {e}")) from e
        metrics[task] = TaskMetrics.from_dict(value, where=str(path))
    return metrics
