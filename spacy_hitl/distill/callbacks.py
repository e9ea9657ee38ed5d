"""Callbacks of a training config: warm up on what the model proposed, choose a threshold."""

from pathlib import Path
from typing import Any, Callable, List, Mapping, Optional, Sequence, Union

import numpy as np
from spacy.language import Language
from spacy.training import Example
from spacy.util import logger

from ..dataset.corpus import read_training_corpus
from ..errors import Errors, InputError
from ..records import DEV, TRAIN, Annotation, TaskHeader, TaskRow
from ..tasks.near_duplicates import NEAR
from .base.frozen import read_base
from .corpus.examples import make_examples, select_annotation
from .corpus.lessons import apart_from_dev
from .corpus.mentions import add_mentions
from .learned import remember_inputs
from .soft.run import SoftSettings, learn_softly
from .soft.texts import SoftTexts
from .textcat.pooling import train_on_segments
from .textcat.rationales import SegmentedText, segment_text, soft_target
from .warm_up import check_options, proposal_examples, train


def make_distill_callback(
    path: Path,
    task: str,
    epochs: int = 5,
    batch_size: int = 16,
    learn_rate: float = 0.001,
    dropout: float = 0.2,
    seed: int = 0,
    decisions: bool = False,
    proposals: bool = True,
    min_score: Optional[float] = None,
    neighbours: int = 0,
    teacher: Union[Path, Sequence[Path]] = (),
    teacher_component: Optional[str] = None,
    component: Optional[str] = None,
    texts: Optional[Path] = None,
    corpus_texts: bool = True,
    soft_epochs: int = 5,
    soft_learn_rate: float = 0.002,
    temperature: float = 1.0,
    follow: str = "student",
    mentions: Optional[Path] = None,
    near_duplicates: Optional[float] = NEAR,
) -> Callable[[Language], None]:
    """Make the warm-up for `[initialize.after_init]`: the ordinary loop then tunes on decisions.

    First come soft labels, if there is a teacher, then proposals.

    path (Path): File written by `spacy hitl export`.
    task (str): Name of the task.
    epochs (int): Passes over the silver examples.
    batch_size (int): Examples per update.
    learn_rate (float): Of the warm-up's own Adam optimizer.
    dropout (float): Dropout rate, 0 to 1.
    seed (int): Of the order of the examples.
    decisions (bool): Warm up on decided texts of lane train too.
    proposals (bool): Warm up on proposals. Without them there must be a teacher.
    min_score (Optional[float]): Proposed annotations below this score are unknown, not wrong.
    neighbours (int): Only proposals on this many texts nearest to each decided one; 0 for all.
    teacher (Union[Path, Sequence[Path]]): Folder of a trained pipeline; of several, the
        probabilities are averaged.
    teacher_component (Optional[str]): That teaches; if not given, the one with the name of the
        student, or else the only one of its kind.
    component (Optional[str]): That is taught softly; the task's if not given.
    texts (Optional[Path]): JSONL with `text`: read for soft labels, never held in memory.
    corpus_texts (bool): Texts of lane train are read for soft labels too.
    soft_epochs (int): Passes over these texts.
    soft_learn_rate (float): Peak rate of Adam for soft labels.
    temperature (float): Above 1, what the teacher finds unlikely counts for more.
    follow (str): For `ner`: whose action leads to the next state, "student" or "teacher".
    mentions, near_duplicates: As in `spacy-hitl.TaskCorpus.v1`.
    RETURNS (Callable[[Language], None]): The callback.
    RAISES (InputError): If an option has a value that means nothing.
    """
    teachers = tuple(map(Path, [teacher] if isinstance(teacher, (str, Path)) else teacher))
    check_options(
        task,
        taught=bool(teachers),
        proposals=proposals,
        min_score=min_score,
        neighbours=neighbours,
        temperature=temperature,
        follow=follow,
    )
    settings = SoftSettings(
        teachers=teachers,
        component=teacher_component,
        epochs=soft_epochs,
        batch_size=batch_size,
        learn_rate=soft_learn_rate,
        dropout=dropout,
        temperature=temperature,
        follow=follow,
        seed=seed,
    )

    def warm_up(nlp: Language) -> None:
        remember_inputs(nlp)
        header, rows = read_training_corpus(Path(path), task)
        rows = apart_from_dev(add_mentions(rows, mentions, header), near_duplicates, task=task)
        if settings.teachers:
            name = component or task
            _get_pipe(nlp, name)
            file = None if texts is None else Path(texts)
            unlabelled = SoftTexts.of(rows, file, corpus=corpus_texts)
            learn_softly(nlp, name, unlabelled, settings, labels=header.labels)
        examples: List[Example] = []
        if proposals:
            examples = proposal_examples(
                nlp,
                header,
                rows,
                path=path,
                decisions=decisions,
                min_score=min_score,
                neighbours=neighbours,
            )
        if not examples and not settings.teachers:
            what = "usable proposal"
            raise InputError(Errors.H300.format(task=task, path=path, what=what, lane=TRAIN))
        logger.info("Warm-up of '%s' on %d examples", task, len(examples))
        train(
            nlp,
            examples,
            epochs=epochs if examples else 0,
            batch_size=batch_size,
            learn_rate=learn_rate,
            dropout=dropout,
            seed=seed,
        )

    return warm_up


def make_distill_rationales_callback(
    path: Path,
    task: str,
    rationales: Path,
    rationale_task: str,
    component: Optional[str] = None,
    groups: Sequence[Sequence[str]] = (),
    epochs: int = 14,
    batch_size: int = 32,
    learn_rate: float = 0.004,
    seed: int = 0,
    near_duplicates: Optional[float] = NEAR,
) -> Callable[[Language], None]:
    """Make a warm-up of a text classifier that learns from the phrases that carry its labels.

    For `[initialize.after_init]` of a pipeline with a `textcat_multilabel` whose model is a
    spacy.TextCatReduce.v1 that reduces by maximum and mean.

    path (Path): Corpus of the category task, written by `spacy hitl export`.
    task (str): Name of the category task.
    rationales (Path): Corpus of the spancat task whose spans carry the same labels.
    rationale_task (str): Name of the spancat task.
    component (Optional[str]): Name of the component; the task's if not given.
    groups (Sequence[Sequence[str]]): Labels that belong together; "any of these" is learned too.
    epochs (int): Passes over the texts.
    batch_size (int): Texts per update.
    learn_rate (float): Peak rate of Adam.
    seed (int): Of order and noise.
    near_duplicates (Optional[float]): As in `spacy-hitl.TaskCorpus.v1`.
    RETURNS (Callable[[Language], None]): The callback.
    """

    def warm_up(nlp: Language) -> None:
        remember_inputs(nlp)
        header, rows = read_training_corpus(Path(path), task)
        rows = apart_from_dev(rows, near_duplicates, task=task)
        _, rationale_rows = read_training_corpus(Path(rationales), rationale_task)
        pipe = _get_pipe(nlp, component or task)
        phrases = {
            row.text_digest: select_annotation(row, decisions=True, proposals=True)
            for row in rationale_rows
        }
        texts = segment_rows(nlp, header.labels, rows, phrases)
        if not texts:
            what = "usable proposal"
            raise InputError(Errors.H300.format(task=task, path=path, what=what, lane=TRAIN))
        logger.info("Warm-up of '%s' on %d texts and their segments", task, len(texts))
        # The component may have its labels in another order than the corpus.
        order = {label: i for i, label in enumerate(header.labels)}
        if list(pipe.labels) != list(header.labels):
            raise InputError(
                Errors.H306.format(name=component or task, found=pipe.labels, known=header.labels)
            )
        train_on_segments(
            pipe.model,
            texts,
            groups=[[order[label] for label in group] for group in groups],
            epochs=epochs,
            batch_size=batch_size,
            learn_rate=learn_rate,
            seed=seed,
        )

    return warm_up


def segment_rows(
    nlp: Language,
    labels: Sequence[str],
    rows: Sequence[TaskRow],
    phrases: Mapping[str, Optional[Annotation]],
) -> List[SegmentedText]:
    """Break the texts of lane train down.

    nlp (Language): The pipeline that learns.
    labels (Sequence[str]): Labels of the category task.
    rows (Sequence[TaskRow]): Rows of its corpus.
    phrases (Mapping[str, Optional[Annotation]]): Rationales by text digest.
    RETURNS (List[SegmentedText]): Decided texts teach what was decided, and only rationales that
        agree with it. Else the two answers of the model are averaged where they differ.
    """
    texts = []
    for row in rows:
        annotation = select_annotation(row, decisions=True, proposals=True)
        if row.lane != TRAIN or annotation is None:
            continue
        said = [c.label for c in annotation.cats]
        found = phrases.get(row.text_digest)
        readings = [said]
        if found is not None and row.decision is None:
            readings.append([s.label for s in found.spans])
        elif found is not None:
            found = Annotation(spans=tuple(s for s in found.spans if s.label in said))
        target = soft_target(labels, readings)
        texts.append(segment_text(nlp.make_doc(row.text), labels, target, found))
    read_base(nlp, [text.doc for text in texts])
    return texts


def _get_pipe(nlp: Language, name: str) -> Any:
    if name not in nlp.pipe_names:
        raise InputError(Errors.H303.format(name=name, pipeline=", ".join(nlp.pipe_names)))
    return nlp.get_pipe(name)


def make_threshold_callback(
    path: Path, task: str, component: Optional[str] = None
) -> Callable[[Language], Language]:
    """Make the choice of a threshold for `[training.before_to_disk]`: on lane dev, never on gold.

    path (Path): File written by `spacy hitl export`.
    task (str): Name of the task.
    component (Optional[str]): Name of the textcat_multilabel component; the task's if not given.
    RETURNS (Callable[[Language], Language]): The callback: sets `cfg["threshold"]` of the
        component, which is saved with it, to the value with the best micro F on dev.
    """

    def choose(nlp: Language) -> Language:
        pipe = _get_pipe(nlp, component or task)
        header, rows = read_training_corpus(Path(path), task)
        examples = list(make_examples(nlp, header, rows, lane=DEV))
        if not examples:
            raise InputError(Errors.H300.format(task=task, path=path, what="decision", lane=DEV))
        docs = list(nlp.pipe([eg.predicted.copy() for eg in examples]))
        scores = [[doc.cats[label] for label in header.labels] for doc in docs]
        wanted = _wanted(examples, header)
        pipe.cfg["threshold"] = best_threshold(scores, wanted)
        return nlp

    return choose


def _wanted(examples: Sequence[Example], header: TaskHeader) -> List[List[bool]]:
    return [[eg.reference.cats[label] > 0.5 for label in header.labels] for eg in examples]


def best_threshold(scores: Sequence[Sequence[float]], wanted: Sequence[Sequence[bool]]) -> float:
    """Find the threshold with the best micro F.

    scores (Sequence[Sequence[float]]): Per text, the score of each label, 0 to 1.
    wanted (Sequence[Sequence[bool]]): Per text, whether each label holds.
    RETURNS (float): In the middle between two scores, so that small changes don't matter; 0.5
        if no label ever holds.

    >>> round(best_threshold([[0.9, 0.2], [0.4, 0.1]], [[True, False], [True, False]]), 3)
    0.3
    """
    flat = np.asarray(scores, dtype=np.float64).ravel()
    right = np.asarray(wanted, dtype=bool).ravel()
    if not right.any():
        return 0.5
    order = np.argsort(-flat, kind="stable")
    flat, right = flat[order], right[order]
    found = np.arange(1, len(flat) + 1)
    f = 2 * np.cumsum(right) / (found + right.sum())
    # Only where the score changes can a threshold separate.
    f[:-1][flat[:-1] == flat[1:]] = -1
    best = int(np.argmax(f))
    below = flat[best + 1] if best + 1 < len(flat) else 0.0
    middle = (flat[best] + below) / 2
    # Between two neighbouring floats there is no middle.
    return float(middle if middle > below else flat[best])
