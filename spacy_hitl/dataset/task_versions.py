"""The versions of a task, kept in the dataset: what people were told when they decided."""

from itertools import groupby
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Mapping

from ..errors import Errors, InputError
from ..io import canonical_json
from ..records import Decision, TaskChanges, TaskVersion
from ..ty import Task
from .changes import check_changes
from .history import TaskHistory
from .store import Dataset


def version_of(name: str, task: Task, changes: TaskChanges) -> TaskVersion:
    """RETURNS (TaskVersion): A task as it is now."""
    # A user's own task may not tell what people are told apart from its prompt.
    meaning = getattr(task, "meaning", task.digest)
    return TaskVersion(task.header(name), str(meaning()), changes)


def remember(
    dataset: Dataset, tasks: Mapping[str, Task], changes: Mapping[str, TaskChanges]
) -> None:
    """Record the tasks as they are now. To be called by whatever stores proposals or decisions.

    dataset (Dataset): Open for writing.
    tasks (Mapping[str, Task]): The tasks by name.
    changes (Mapping[str, TaskChanges]): [hitl.changes].
    """
    add_versions(
        dataset, (version_of(n, task, changes.get(n, TaskChanges())) for n, task in tasks.items())
    )


def add_versions(dataset: Dataset, versions: Iterable[TaskVersion]) -> None:
    """Store versions, all or none. One that is stored already stays as it was, unless it is the
    newest: its changes may be written into the config after it was first used.
    """
    with dataset.db.transaction():
        for version in versions:
            header, record = version.header, canonical_json(version.to_dict())
            stored = dataset.db.run(
                "INSERT INTO task_versions VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (header.task, header.task_digest, record),
            )
            if not stored.rowcount:
                dataset.db.run(
                    "UPDATE task_versions SET record = ? WHERE task = ? AND task_digest = ? AND"
                    " rowid = (SELECT max(rowid) FROM task_versions WHERE task = ?)",
                    (record, header.task, header.task_digest, header.task),
                )


def read_versions(dataset: Dataset, task: str) -> Dict[str, TaskVersion]:
    """RETURNS (Dict[str, TaskVersion]): The stored versions of a task by digest, oldest first."""
    rows = dataset.db.rows(
        "SELECT task_digest, record FROM task_versions WHERE task = ? ORDER BY rowid", (task,)
    )
    return {digest: TaskVersion.from_dict(dataset.db.load(record)) for digest, record in rows}


def read_histories(
    dataset: Dataset,
    tasks: Mapping[str, Task],
    changes: Mapping[str, TaskChanges],
    *,
    path: Path,
) -> Dict[str, TaskHistory]:
    """Read what the tasks are and were.

    dataset (Dataset): Open; nothing is written.
    tasks (Mapping[str, Task]): The tasks of the config by name.
    changes (Mapping[str, TaskChanges]): [hitl.changes].
    path (Path): The config, for error messages.
    RETURNS (Dict[str, TaskHistory]): By task.
    RAISES (InputError): If [hitl.changes] names a task or a label that there is not, or contradicts
        itself.
    """
    for name in changes:
        if name not in tasks:
            raise InputError(Errors.H233.format(task=name, path=path, known=", ".join(tasks)))
    found = {}
    for name, task in tasks.items():
        now = version_of(name, task, changes.get(name, TaskChanges()))
        then = read_versions(dataset, name)
        check_changes(now.changes, now.header, then)
        found[name] = TaskHistory(now, then)
    return found


def decisions_by_text(dataset: Dataset, task: str) -> Iterator[List[Decision]]:
    """YIELDS (List[Decision]): For each text with any, by digest: all decisions, oldest first."""
    rows = dataset.db.rows(
        "SELECT digest, record FROM decisions WHERE task = ? ORDER BY digest, id", (task,)
    )
    for _, group in groupby(rows, key=lambda row: row[0]):
        yield [Decision.from_dict(dataset.db.load(record)) for _, record in group]
