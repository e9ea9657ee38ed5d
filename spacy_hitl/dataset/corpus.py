"""Exported corpora: one JSONL file per task, a header and then rows, byte for byte reproducible."""

from pathlib import Path
from typing import Iterator, List, Sequence, Tuple

from ..errors import Errors, InputError
from ..io import first_keys, read_jsonl, write_jsonl
from ..records import GOLD, TaskHeader, TaskRow

HEADER_KEYS = {"task", "kind", "labels", "task_digest"}  # of the first line


def write_corpus(path: Path, header: TaskHeader, rows: Sequence[TaskRow]) -> None:
    """Write a corpus: the same dataset always gives the same bytes (sorted, no times)."""
    ordered = sorted(rows, key=lambda row: row.text_digest)
    write_jsonl(path, (record.to_dict() for record in (header, *ordered)))


def read_corpus(path: Path) -> Tuple[TaskHeader, List[Tuple[str, TaskRow]]]:
    """Read a corpus.

    path (Path): A file written by `write_corpus`.
    RETURNS (Tuple[TaskHeader, List[Tuple[str, TaskRow]]]): The header, and "file:line" and row.
    RAISES (InputError): If the file is missing or a line is not what it should be.
    """
    lines = read_jsonl(path, what="corpus (made by 'spacy hitl export')")
    first = next(lines, None)
    if first is None:
        problem = "the file is empty, expected a header line. Export it again"
        raise InputError(Errors.H004.format(where=path, problem=problem))
    header = TaskHeader.from_dict(first[1], where=first[0])
    return header, [(where, TaskRow.from_dict(value, where=where)) for where, value in lines]


def read_training_corpus(path: Path, task: str) -> Tuple[TaskHeader, List[TaskRow]]:
    """Read a corpus for training.

    path (Path): The exported file.
    task (str): The task it must be of.
    RETURNS (Tuple[TaskHeader, List[TaskRow]]): Header and rows of lanes train and dev.
    RAISES (InputError): If it is of another task, or a row is of lane gold.
    """
    header, rows = read_corpus(path)
    if header.task != task:
        raise InputError(Errors.H302.format(path=path, found=header.task, task=task))
    for where, row in rows:
        if row.lane == GOLD:
            raise InputError(Errors.H301.format(path=path, where=where))
    return header, [row for _, row in rows]


def read_gold_corpus(path: Path) -> Tuple[TaskHeader, List[TaskRow]]:
    """Read a corpus for evaluation.

    path (Path): The exported file.
    RETURNS (Tuple[TaskHeader, List[TaskRow]]): Header and decided rows of lane gold.
    RAISES (InputError): If a row is of another lane, or there is none.
    """
    header, rows = read_corpus(path)
    for where, row in rows:
        if row.lane != GOLD:
            raise InputError(Errors.H402.format(path=path, lane=row.lane, where=where))
    if not rows:
        raise InputError(Errors.H400.format(task=header.task, path=path))
    return header, [row for _, row in rows]


def iter_decided(rows: Sequence[TaskRow], *, lane: str) -> Iterator[TaskRow]:
    """YIELDS (TaskRow): The rows of a lane that were decided on."""
    return (row for row in rows if row.lane == lane and row.decision is not None)


def is_corpus(path: Path) -> bool:
    """RETURNS (bool): Whether a file begins like an exported corpus."""
    return first_keys(path) >= HEADER_KEYS
