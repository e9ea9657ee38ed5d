"""What an export was made from: corpus/exported.json tells whether the corpora are still of now."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, Mapping, Optional

from ..dataset.audits import PRODUCTION
from ..dataset.history import TaskHistory
from ..dataset.store import Dataset
from ..dataset.tally import tally_proposals
from ..errors import InputError
from ..io import json_digest, read_json, write_json
from ..records import GOLD, OK, Record

NAME = "exported.json"


@dataclass(frozen=True)
class TaskState(Record):
    """What the dataset held for a task, in numbers that change with all that an export reads.

    version: digest of the task with its changes. decisions: how many; last: the number of the
    newest. proposals: usable ones, of all models. gold: texts of that lane, decided or not: what is
    like them is left out. corpus, gold_corpus: SHA-256 of the two files that were written.
    """

    version: str
    decisions: int = 0
    last: int = 0
    proposals: int = 0
    gold: int = 0
    corpus: Optional[str] = None
    gold_corpus: Optional[str] = None


@dataclass(frozen=True)
class Exported(Record):
    """corpus/exported.json: by task, the state of the dataset that its corpora were made from."""

    tasks: Dict[str, TaskState] = field(default_factory=dict)


def task_states(dataset: Dataset, histories: Mapping[str, TaskHistory]) -> Dict[str, TaskState]:
    """Read what an export would be made from now.

    dataset (Dataset): Open; nothing is written.
    histories (Mapping[str, TaskHistory]): The tasks as they are and were.
    RETURNS (Dict[str, TaskState]): By task, without files.
    """
    decided = {
        task: (n, last)
        for task, n, last in dataset.db.rows(
            "SELECT task, count(*), max(id) FROM decisions GROUP BY task"
        )
    }
    proposals: Dict[str, int] = {}
    for key, counts in tally_proposals(dataset).items():
        if not key.source.startswith(PRODUCTION):
            proposals[key.task] = proposals.get(key.task, 0) + counts[OK]
    gold = dataset.tally("texts", "lane").get((GOLD,), 0)
    return {
        task: TaskState(
            json_digest(history.now.to_dict()),
            *decided.get(task, (0, 0)),
            proposals=proposals.get(task, 0),
            gold=gold,
        )
        for task, history in histories.items()
    }


def write_exported(folder: Path, states: Mapping[str, TaskState]) -> None:
    """Write beside the corpora what they were made from."""
    write_json(folder / NAME, Exported(dict(states)).to_dict())


def read_exported(folder: Path) -> Dict[str, TaskState]:
    """RETURNS (Dict[str, TaskState]): By task; empty if it is not known: the record is not there,
    or can't be read.
    """
    path = folder / NAME
    try:
        value = read_json(path, what="record of the export")
        return Exported.from_dict(value, where=str(path)).tasks
    except InputError:
        return {}
