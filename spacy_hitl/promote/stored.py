"""What dataset and response store hold now: what a lineage is checked against."""

from pathlib import Path
from typing import Dict, List, Mapping, Optional, Sequence

from ..dataset.views import GoldSet, TrainingSet
from ..llm.store import ResponseStore
from ..pipeline.hitl_llm import PromptedTask
from ..records import TaskRow
from ..settings import Settings
from ..tasks.near_duplicates import NearDuplicates


def stored_rows(
    config: Path, settings: Settings, tasks: Mapping[str, PromptedTask]
) -> Dict[str, List[TaskRow]]:
    """Read what an export with default options would write to the training corpora now.

    config (Path): Config of the prompted pipeline, for error messages.
    settings (Settings): Its [hitl] section.
    tasks (Mapping[str, PromptedTask]): Its tasks.
    RETURNS (Dict[str, List[TaskRow]]): Rows of lanes train and dev, by task; without scores.
    """
    with GoldSet(settings.dataset) as gold:
        near = NearDuplicates(gold.texts())
    known: Dict[str, bool] = {}
    now = {name: prompted.task for name, prompted in tasks.items()}
    rows: Dict[str, List[TaskRow]] = {}
    with TrainingSet(settings.dataset) as training:
        histories = training.histories(now, settings.changes, path=config)
        for name, prompted in tasks.items():
            rows[name] = []
            for row in training.task_rows(name, key=prompted.key, history=histories[name]):
                if row.text_digest not in known:
                    known[row.text_digest] = row.text in near
                if not known[row.text_digest]:
                    rows[name].append(row)
    return rows


def missing_answers(path: Path, keys: Sequence[str]) -> Optional[int]:
    """RETURNS (Optional[int]): How many of some answers are not stored; None without a store."""
    if not path.is_file():
        return None
    store = ResponseStore(path)
    store.db.open(readonly=True)
    try:
        return sum(store.get(key) is None for key in keys)
    finally:
        store.db.close()
