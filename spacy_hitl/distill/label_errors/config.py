"""The training config of a student, pointed at the part of its corpus that it may see."""

from pathlib import Path
from typing import Any, Tuple

from confection import Config

from ...errors import Errors, InputError

READER = "spacy-hitl.TaskCorpus.v1"


def corpus_of(config: Config, *, path: Path) -> Tuple[str, str]:
    """Find what a student learns from.

    config (Config): An interpolated training config.
    path (Path): Where it was read, for the error message.
    RETURNS (Tuple[str, str]): The corpus file, as the config names it, and the task.
    RAISES (InputError): If the training corpus is not read by spacy-hitl.TaskCorpus.v1.
    """
    name = config.get("training", {}).get("train_corpus", "corpora.train")
    block: Any = config
    for part in str(name).split("."):
        block = block.get(part) if isinstance(block, dict) else None
    found = block.get("@readers") if isinstance(block, dict) else None
    if found != READER or not block.get("path") or not block.get("task"):
        raise InputError(Errors.H350.format(path=path, name=name, found=found))
    return str(block["path"]), str(block["task"])


def config_of_fold(config: Config, *, corpus: str, part: Path, seed: int) -> Config:
    """Write the config of one of the students.

    config (Config): An interpolated training config.
    corpus (str): The corpus file, as the config names it.
    part (Path): The file that takes its place, wherever it is named: readers, warm-up, threshold.
    seed (int): Of this student.
    RETURNS (Config): A copy; the given one is as it was.
    """

    def replaced(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: replaced(v) for key, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [replaced(v) for v in value]
        return str(part) if value == corpus else value

    found = Config(replaced(dict(config)))
    found["training"]["seed"] = seed
    return found
