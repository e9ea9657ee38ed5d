"""What a student's config reads: its task, its files, and copies of them that hold less."""

import configparser
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Callable, Container, Dict, Iterable, List, Mapping, Tuple

from confection import Config, ConfigValidationError
from spacy.util import load_config

from ...dataset.corpus import is_corpus, read_training_corpus, write_corpus
from ...errors import Errors, InputError
from ...io import (
    file_digest,
    find_file,
    first_keys,
    folder_digest,
    read_jsonl,
    strings_in,
    write_jsonl,
)
from ...records import TaskHeader, TaskRow
from ...tasks.near_duplicates import NearDuplicates
from ...tasks.similarity import normalise
from ..corpus.mentions import add_mentions

READER = "spacy-hitl.TaskCorpus.v1"
CONFIG_ERRORS = (ConfigValidationError, configparser.Error, OSError, ValueError, KeyError)


@dataclass(frozen=True)
class Student:
    """A training config whose data can be dealt out.

    path: the file. config: as it is there, variables not filled in. reader: where the block of the
    training corpus is, as names of sections. header, rows: of that corpus; decided relations come
    with the mentions that the reader knows.
    """

    path: Path
    config: Config
    reader: Tuple[str, ...]
    header: TaskHeader
    rows: Tuple[TaskRow, ...]


def read_config(path: Path) -> Config:
    """Read a training config.

    path (Path): The file.
    RETURNS (Config): As it is there: variables are not filled in.
    RAISES (InputError): If it is missing or can't be read.
    """
    find_file(path, what="training config")
    try:
        return load_config(path, interpolate=False)
    except CONFIG_ERRORS as e:
        raise InputError(Errors.H304.format(config=path, detail=str(e).strip())) from e


def read_student(path: Path) -> Student:
    """Read a training config and the corpus it learns from.

    path (Path): A training config that reads with spacy-hitl.TaskCorpus.v1.
    RETURNS (Student): The config and its corpus.
    RAISES (InputError): If the config or its corpus can't be read, or if it reads data of which it
        can't be told whose texts they are.
    """
    config = read_config(path)
    try:
        filled = config.interpolate()
    except CONFIG_ERRORS as e:
        raise InputError(Errors.H304.format(config=path, detail=str(e).strip())) from e
    training = filled.get("training", {})
    places = [
        tuple(str(training.get(f"{part}_corpus", f"corpora.{part}")).split("."))
        for part in ("train", "dev")
    ]
    for place in places:
        block = get_block(filled, place)
        if block.get("@readers") != READER:
            problem = f"[{'.'.join(place)}] is not a {READER}"
            raise InputError(Errors.H340.format(config=path, problem=problem))
        if not {"path", "task"} <= set(block):
            problem = f"[{'.'.join(place)}] has no path or no task"
            raise InputError(Errors.H340.format(config=path, problem=problem))
    for value in named_paths(filled):
        if value.endswith(".spacy"):
            problem = f"it can't be told which texts '{value}' holds"
            raise InputError(Errors.H340.format(config=path, problem=problem))
    block = get_block(filled, places[0])
    header, rows = read_training_corpus(Path(block["path"]), block["task"])
    mentions = block.get("mentions")
    rows = add_mentions(rows, None if mentions is None else Path(mentions), header)
    return Student(path, config, places[0], header, tuple(rows))


def get_block(config: Mapping[str, Any], place: Tuple[str, ...]) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): A section of a config by its names, empty if it isn't there."""
    found: Any = config
    for name in place:
        found = found.get(name, {}) if isinstance(found, Mapping) else {}
    return found if isinstance(found, dict) else {}


def named_paths(config: Mapping[str, Any]) -> List[str]:
    """Find the files and folders that a config reads, wherever it names them.

    config (Mapping[str, Any]): An interpolated config, or some sections of one. [paths] is passed
        over (what is used of it stands where it is used), and so is our own [hitl].
    RETURNS (List[str]): Values that are the path of something that exists, sorted. A plain word
        ("en") is one if there is such a file or trained pipeline.
    """
    read = [value for name, value in config.items() if name not in ("paths", "hitl")]
    texts = {v for v in strings_in(read) if 0 < len(v) < 4096 and v.isprintable()}
    return sorted(v for v in texts if _is_path(v))


def digest_inputs(config: Mapping[str, Any]) -> Tuple[List[str], List[Tuple[str, str]]]:
    """Take down what a config reads.

    config (Mapping[str, Any]): As in `named_paths`.
    RETURNS (Tuple[List[str], List[Tuple[str, str]]]): The exported corpora, and all other files and
        folders, each with its digest.
    """
    corpora, others = [], []
    for value in named_paths(config):
        path = Path(value)
        if is_corpus(path):
            corpora.append(value)
        else:
            others.append((value, folder_digest(path) if path.is_dir() else file_digest(path)))
    return corpora, others


def _is_path(value: str) -> bool:
    path = Path(value)
    try:
        if path.is_dir():
            return "/" in value or "." in value or (path / "meta.json").is_file()
        return path.is_file()
    except OSError:  # too long for a name
        return False


class Hidden:
    """Texts that must not be seen: `text in hidden` also holds for their near-duplicates.

    texts (Iterable[str]): The texts.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        texts = list(texts)
        self._same = {normalise(text) for text in texts}
        self._near = NearDuplicates(texts)

    def __contains__(self, text: object) -> bool:
        return isinstance(text, str) and (normalise(text) in self._same or text in self._near)


class Copies:
    """Lets configs read less: copies of the JSONL files that they name, without some texts.

    folder (Path): Where the copies go.
    hidden (Container[str]): Texts to leave out of all files, with their decisions and their
        proposals.
    undecided (Container[str]): Digests of texts whose decisions are taken away: what is left is
        what the model proposed.
    """

    def __init__(
        self, folder: Path, *, hidden: Container[str], undecided: Container[str] = ()
    ) -> None:
        self.folder = folder
        self.hidden = hidden
        self.undecided = undecided
        self._copies: Dict[str, str] = {}

    def fill(self, config: Config) -> Config:
        """Let a config read the copies. A file is copied once, however many configs name it.

        config (Config): A training config; not changed.
        RETURNS (Config): The same config, variables filled in, with the paths of the copies.
        """
        filled = config.interpolate()
        for value in named_paths(filled):
            if value not in self._copies:
                self._copies[value] = self._copy(value)
        return Config(_replaced(dict(filled), lambda v: self._copies.get(v, v)))

    def _copy(self, value: str) -> str:
        """RETURNS (str): Path of the copy; the same path if the file holds no texts."""
        path, target = Path(value), self.folder / f"{len(self._copies)}-{Path(value).name}"
        if is_corpus(path):
            _copy_corpus(path, target, self.hidden, self.undecided)
        elif "text" not in first_keys(path) or not _copy_texts(path, target, self.hidden):
            return value
        return str(target)


def _copy_corpus(
    path: Path, target: Path, hidden: Container[str], undecided: Container[str]
) -> None:
    task = next(read_jsonl(path, what="corpus"))[1]["task"]
    header, rows = read_training_corpus(path, task)
    kept = [
        replace(row, decision=None, origin=None) if row.text_digest in undecided else row
        for row in rows
        if row.text not in hidden
    ]
    write_corpus(target, header, kept)


def _copy_texts(path: Path, target: Path, hidden: Container[str]) -> bool:
    """RETURNS (bool): Whether it was needed: the file holds texts that must not be seen."""
    lines = [value for _, value in read_jsonl(path, what="texts")]
    kept = [v for v in lines if v.get("text") not in hidden]
    if len(kept) < len(lines):
        write_jsonl(target, kept)
    return len(kept) < len(lines)


def _replaced(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {k: _replaced(v, change) for k, v in value.items()}
    if isinstance(value, list):
        return [_replaced(v, change) for v in value]
    return value


def trained_inputs(config: Config) -> List[str]:
    """RETURNS (List[str]): Folders of trained pipelines that a config names (source, teacher)."""
    return [v for v in named_paths(config.interpolate()) if (Path(v) / "meta.json").is_file()]
