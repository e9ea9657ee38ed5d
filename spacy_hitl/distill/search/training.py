"""Train a student in process and score it on texts it has not seen."""

import io
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence, Tuple

import spacy
from confection import Config
from spacy.cli._util import setup_gpu
from spacy.language import Language
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import copy_config

from ...errors import Errors, HitlError, InputError
from ...records import Annotation, Counts, TaskHeader, TaskRow
from ...tasks.reference import compare, get_annotation
from ..corpus.examples import make_example
from ..run import TRAIN_ERRORS

QUIET = {"@loggers": "spacy.ConsoleLogger.v1", "progress_bar": False}


@dataclass(frozen=True)
class Trial:
    """One training and its counts: one per text that was held out, in their order."""

    counts: Tuple[Dict[str, Counts], ...]
    seconds: float


def try_out(
    config: Config, header: TaskHeader, held_out: Sequence[TaskRow], *, seed: int, gpu: int = -1
) -> Trial:
    """Train a student and count its hits and errors on held-out texts.

    config (Config): Variables filled in; it may read nothing of the held-out texts.
    header (TaskHeader): Of the task.
    held_out (Sequence[TaskRow]): Decided texts.
    seed (int): Of the training, in place of the config's.
    gpu (int): GPU to use, -1 for the CPU.
    RETURNS (Trial): Counts and the seconds of the training.
    RAISES (InputError): If it can't be trained.
    """
    start = time.perf_counter()
    nlp = train_quietly(config, seed=seed, gpu=gpu)
    seconds = time.perf_counter() - start
    return Trial(tuple(count_hits(nlp, header, held_out)), seconds)


def train_quietly(config: Config, *, seed: int, gpu: int = -1) -> Language:
    """Train a student and throw its files away.

    config (Config): Variables filled in.
    seed (int): Of the training, in place of the config's.
    gpu (int): GPU to use, -1 for the CPU.
    RETURNS (Language): The best model.
    RAISES (InputError): If it can't be trained.
    """
    config = copy_config(config)
    training: Dict[str, Any] = config.setdefault("training", {})
    training["seed"] = seed
    training["logger"] = QUIET
    training.setdefault("gpu_allocator", None)
    try:
        setup_gpu(gpu, silent=True)
        # The best checkpoint and what [training.before_to_disk] does to it are only on disk.
        with tempfile.TemporaryDirectory() as folder:
            nlp = init_nlp(config, use_gpu=gpu)
            train(nlp, Path(folder), use_gpu=gpu, stdout=io.StringIO(), stderr=io.StringIO())
            return spacy.load(Path(folder) / "model-best")
    except HitlError:
        raise
    except TRAIN_ERRORS as e:
        raise InputError(Errors.H343.format(detail=str(e).strip())) from e


def count_hits(
    nlp: Language, header: TaskHeader, rows: Sequence[TaskRow]
) -> Iterator[Dict[str, Counts]]:
    """YIELDS (Dict[str, Counts]): Hits and errors per label, for each decided text."""
    decided = [row.decision or Annotation() for row in rows]
    # A linker and a relation extractor get the mentions that were decided.
    docs = [
        make_example(nlp, row.text, decision, header).predicted
        for row, decision in zip(rows, decided, strict=True)
    ]
    threshold = threshold_of(nlp, header.task)
    for doc, decision in zip(nlp.pipe(docs), decided, strict=True):
        yield compare(decision, get_annotation(doc, header, threshold=threshold), header)


def threshold_of(nlp: Language, name: str) -> float:
    """RETURNS (float): The lowest score at which a category holds, as the component brings it."""
    pipe = nlp.get_pipe(name) if name in nlp.pipe_names else None
    value = (getattr(pipe, "cfg", None) or {}).get("threshold")
    return 0.5 if value is None else float(value)


def all_counts(trials: Sequence[Trial]) -> List[Dict[str, Counts]]:
    """RETURNS (List[Dict[str, Counts]]): The counts of several trials, one after the other."""
    return [counts for trial in trials for counts in trial.counts]
