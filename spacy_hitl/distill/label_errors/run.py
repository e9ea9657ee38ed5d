"""Train cross-fitted students, and let each judge the texts that it did not see."""

import io
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, List, Optional, Sequence, Tuple

import spacy
from confection import Config
from spacy.language import Language
from spacy.training.initialize import init_nlp
from spacy.training.loop import train as train_nlp
from spacy.util import load_config, logger
from thinc.api import require_gpu

from ...dataset.corpus import read_training_corpus, write_corpus
from ...dataset.label_errors import write_suspects
from ...errors import Errors, HitlError, InputError
from ...io import find_file
from ...records import Annotation, Suspect, SuspectsHeader, TaskHeader, TaskRow
from ...scoring.form_evidence import with_forms
from ...scoring.items import items_of
from ...scoring.label_errors import JudgedText, average, find_doubts
from ..corpus.examples import select_annotation
from ..run import TRAIN_ERRORS
from .config import config_of_fold, corpus_of
from .folds import draw_folds
from .judges import Chances, judge
from .suspects import make_suspects

MAX_ROUNDS = 100


@dataclass(frozen=True)
class Effort:
    """How much is spent.

    folds: students of a round, each of which sees all but its own fold. rounds: at most so many,
    each with other folds and seeds; one if there is no budget either. minutes: no further round is
    begun that would take longer.
    """

    folds: int = 5
    rounds: Optional[int] = None
    minutes: Optional[float] = None

    @property
    def most(self) -> int:
        """How many rounds there can be."""
        if self.rounds is not None:
            return self.rounds
        return 1 if self.minutes is None else MAX_ROUNDS


@dataclass(frozen=True)
class GivenText:
    """What is given for a text. decided: by a decision, not by a proposal."""

    row: TaskRow
    annotation: Annotation
    decided: bool


def find_label_errors(
    config: Path,
    *,
    output: Optional[Path] = None,
    effort: Effort = Effort(),
    gpu: int = -1,
    clock: Callable[[], float] = time.monotonic,
) -> Tuple[Path, SuspectsHeader, List[Suspect]]:
    """Find the annotations of a corpus that are probably wrong, and write them.

    config (Path): Training config of a student that reads the corpus with
        spacy-hitl.TaskCorpus.v1.
    output (Optional[Path]): The file of suspects; label_errors/TASK.jsonl beside the corpus if not
        given.
    effort (Effort): Folds, rounds, minutes. The same folds and rounds give the same file.
    gpu (int): GPU to use, -1 for the CPU.
    clock (Callable[[], float]): Seconds.
    RETURNS (Tuple[Path, SuspectsHeader, List[Suspect]]): The file, and what is in it.
    RAISES (InputError): If the config can't be used, the corpus holds gold or too few texts, or the
        budget does not suffice for one round.
    """
    find_file(config, what="training config")
    if effort.folds < 2 or effort.most < 1 or (effort.minutes is not None and effort.minutes <= 0):
        problem = f"folds {effort.folds}, rounds {effort.rounds}, minutes {effort.minutes}"
        raise InputError(Errors.H353.format(problem=problem))
    try:
        loaded = load_config(config, interpolate=True)
        path, task = corpus_of(loaded, path=config)
        header, rows = read_training_corpus(Path(path), task)
        given = given_texts(header, rows)
        if len(given) < 2 * effort.folds:
            message = Errors.H354.format(
                path=path, count=len(given), folds=effort.folds, wanted=2 * effort.folds
            )
            raise InputError(message)
        if gpu >= 0:
            require_gpu(gpu)
        chances, rounds = _judge_all(loaded, path, header, rows, given, effort=effort, clock=clock)
    except HitlError:
        raise
    except TRAIN_ERRORS as e:
        raise InputError(Errors.H304.format(config=config, detail=str(e).strip())) from e
    judged = judged_texts(header, given, chances)
    doubts, thresholds = find_doubts(judged, header)
    suspects = make_suspects(
        doubts,
        header,
        [(t.row.text_digest, t.annotation, t.decided) for t in given],
    )
    found = SuspectsHeader(
        task=header.task,
        kind=header.kind,
        task_digest=header.task_digest,
        folds=effort.folds,
        rounds=rounds,
        texts=len(given),
        annotations=sum(len(one.given) for one in judged),
        thresholds={name: round(value, 4) for name, value in sorted(thresholds.items())},
    )
    output = output or Path(path).parent / "label_errors" / f"{task}.jsonl"
    write_suspects(output, found, suspects)
    return output, found, suspects


def given_texts(header: TaskHeader, rows: Sequence[TaskRow]) -> List[GivenText]:
    """RETURNS (List[GivenText]): The texts with a decision or a usable proposal, by digest."""
    found = []
    for row in sorted(rows, key=lambda row: row.text_digest):
        annotation = select_annotation(row, decisions=True, proposals=True, header=header)
        if annotation is not None:
            found.append(GivenText(row, annotation, row.decision is not None))
    return found


def judged_texts(
    header: TaskHeader, given: Sequence[GivenText], chances: Sequence[Chances]
) -> List[JudgedText]:
    """RETURNS (List[JudgedText]): What is given and how likely students find it; for entities and
    spans, together with how their words are treated in the other texts.
    """
    items = [items_of(text.annotation) for text in given]
    if header.kind in ("ner", "spancat"):
        chances = with_forms([t.row.text for t in given], [sorted(i) for i in items], chances)
    return [JudgedText(*pair) for pair in zip(items, chances, strict=True)]


def _judge_all(
    config: Config,
    corpus: str,
    header: TaskHeader,
    rows: Sequence[TaskRow],
    given: Sequence[GivenText],
    *,
    effort: Effort,
    clock: Callable[[], float],
) -> Tuple[List[Chances], int]:
    """RETURNS (Tuple[List[Chances], int]): Of each text, the average over the rounds; and how many
    rounds there were.
    """
    start = clock()
    budget = None if effort.minutes is None else effort.minutes * 60
    rounds: List[List[Chances]] = []
    while len(rounds) < effort.most:
        number, begun = len(rounds), clock()
        folds = draw_folds([t.row for t in given], folds=effort.folds, seed=number)
        chances: List[Chances] = [{} for _ in given]
        for fold in range(effort.folds):
            held_out = [i for i, one in enumerate(folds) if one == fold]
            digests = {given[i].row.text_digest for i in held_out}
            seen = [row for row in rows if row.text_digest not in digests]
            nlp = _train(config, corpus, header, seen, seed=number * effort.folds + fold)
            texts = [given[i].row.text for i in held_out]
            said = judge(nlp, header, texts, [given[i].annotation for i in held_out])
            for i, one in zip(held_out, said, strict=True):
                chances[i] = one
            if budget is not None and not number and not fold:
                _check_budget((clock() - begun) * effort.folds, effort)
            logger.info("Round %d: fold %d of %d judged", number + 1, fold + 1, effort.folds)
        rounds.append(chances)
        now = clock()
        if budget is not None and now - start + (now - begun) > budget:
            break
    return [average([some[i] for some in rounds]) for i in range(len(given))], len(rounds)


def _check_budget(wanted: float, effort: Effort) -> None:
    minutes = effort.minutes or 0.0
    if wanted > minutes * 60:
        message = Errors.H352.format(
            minutes=f"{minutes:g}", wanted=f"{wanted / 60:.1f}", folds=effort.folds
        )
        raise InputError(message)


def _train(
    config: Config, corpus: str, header: TaskHeader, rows: Sequence[TaskRow], *, seed: int
) -> Language:
    """RETURNS (Language): A student of these rows only; the best by lane dev."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        part = folder / "corpus.jsonl"
        write_corpus(part, header, rows)
        own = config_of_fold(config, corpus=corpus, part=part, seed=seed)
        nlp = init_nlp(own)
        train_nlp(nlp, folder, stdout=io.StringIO(), stderr=io.StringIO())
        return spacy.load(folder / "model-best")
