"""Callbacks of a training config: warm up on what the model proposed, choose a threshold."""

import random
from pathlib import Path
from typing import Any, Callable, List, Mapping, Optional, Sequence

import numpy as np
from spacy.language import Language
from spacy.training import Example
from spacy.util import logger
from thinc.api import Optimizer

from ..dataset.corpus import read_training_corpus
from ..errors import Errors, InputError
from ..io import batched
from ..records import DEV, TRAIN, Annotation, TaskHeader, TaskRow
from .examples import make_examples, select_annotation
from .pooling import train_on_segments
from .rationales import SegmentedText, segment_text, soft_target


def make_distill_callback(
    path: Path,
    task: str,
    epochs: int = 5,
    batch_size: int = 16,
    learn_rate: float = 0.001,
    dropout: float = 0.2,
    seed: int = 0,
    decisions: bool = False,
) -> Callable[[Language], None]:
    """Make the warm-up for `[initialize.after_init]`: the ordinary loop then tunes on decisions.

    path (Path): File written by `spacy hitl export`.
    task (str): Name of the task.
    epochs (int): Passes over the silver examples.
    batch_size (int): Examples per update.
    learn_rate (float): Of the warm-up's own Adam optimizer.
    dropout (float): Dropout rate, 0 to 1.
    seed (int): Of the order of the examples.
    decisions (bool): Warm up on decided texts of lane train too.
    RETURNS (Callable[[Language], None]): The callback.
    """

    def warm_up(nlp: Language) -> None:
        header, rows = read_training_corpus(Path(path), task)
        examples = list(
            make_examples(nlp, header, rows, lane=TRAIN, decisions=decisions, proposals=True)
        )
        if not examples:
            what = "usable proposal"
            raise InputError(Errors.H300.format(task=task, path=path, what=what, lane=TRAIN))
        logger.info("Warm-up of '%s' on %d examples", task, len(examples))
        train(
            nlp,
            examples,
            epochs=epochs,
            batch_size=batch_size,
            learn_rate=learn_rate,
            dropout=dropout,
            seed=seed,
        )

    return warm_up


def train(
    nlp: Language,
    examples: List[Example],
    *,
    epochs: int,
    batch_size: int,
    learn_rate: float,
    dropout: float,
    seed: int,
) -> None:
    """Update an initialised pipeline, with an optimizer that is thrown away afterwards.

    nlp (Language): Changed in place.
    examples (List[Example]): What to learn, shuffled anew in each epoch.
    epochs (int): Passes over the examples.
    batch_size (int): Examples per update.
    learn_rate (float): Of Adam.
    dropout (float): Dropout rate, 0 to 1.
    seed (int): Of the order.
    """
    optimizer = Optimizer(
        learn_rate,
        beta1=0.9,
        beta2=0.999,
        eps=1e-8,
        L2=0.01,
        grad_clip=1.0,
        L2_is_weight_decay=True,
    )
    order = random.Random(seed)  # noqa: S311
    for epoch in range(epochs):
        order.shuffle(examples)
        losses: dict[str, float] = {}
        for batch in batched(examples, batch_size):
            nlp.update(batch, drop=dropout, sgd=optimizer, losses=losses)
        logger.info("Warm-up epoch %d of %d: loss %s", epoch + 1, epochs, losses)


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
    RETURNS (Callable[[Language], None]): The callback.
    """

    def warm_up(nlp: Language) -> None:
        header, rows = read_training_corpus(Path(path), task)
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
