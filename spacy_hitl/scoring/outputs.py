"""metrics/outputs/<task>.jsonl: every gold text with what was wanted and what each system found."""

from pathlib import Path
from typing import Iterable, List, Tuple

from ..errors import Errors, InputError
from ..io import PRIVATE, read_jsonl, write_jsonl
from ..records import TaskHeader
from .results import GoldOutput


def outputs_folder(metrics: Path) -> Path:
    """RETURNS (Path): The folder of the outputs that belong to a metrics file.

    >>> outputs_folder(Path("metrics/product.json")).as_posix()
    'metrics/outputs'
    """
    return metrics.parent / "outputs"


def outputs_path(folder: Path, task: str) -> Path:
    """RETURNS (Path): The outputs of a task.

    >>> outputs_path(Path("metrics/outputs"), "product").as_posix()
    'metrics/outputs/product.jsonl'
    """
    return folder / f"{task}.jsonl"


def write_outputs(path: Path, header: TaskHeader, outputs: Iterable[GoldOutput]) -> int:
    """Write outputs, whole or not at all; only the owner can read the file.

    path (Path): The file; missing parent folders are made.
    header (TaskHeader): What the task is.
    outputs (Iterable[GoldOutput]): One per gold text.
    RETURNS (int): How many were written.
    """
    records = (record.to_dict() for record in (header, *outputs))
    return write_jsonl(path, records, mode=PRIVATE) - 1


def read_outputs(path: Path) -> Tuple[TaskHeader, List[GoldOutput]]:
    """Read outputs.

    path (Path): A file that `spacy hitl evaluate` wrote beside the metrics.
    RETURNS (Tuple[TaskHeader, List[GoldOutput]]): What the task is, and one output per gold text.
    RAISES (InputError): If the file is missing or a line is not what it should be.
    """
    lines = read_jsonl(path, what="outputs of an evaluation (made by 'spacy hitl evaluate')")
    first = next(lines, None)
    if first is None:
        raise InputError(Errors.H440.format(path=path))
    header = TaskHeader.from_dict(first[1], where=first[0])
    return header, [GoldOutput.from_dict(value, where=where) for where, value in lines]
