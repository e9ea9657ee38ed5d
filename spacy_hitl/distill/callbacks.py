"""Callbacks of a training config: warm up on what the model proposed, choose a threshold."""

import random
from pathlib import Path
from typing import Any, Callable, List, Optional, Sequence

import numpy as np
from spacy.language import Language
from spacy.training import Example
from spacy.util import logger
from thinc.api import Optimizer

from ..dataset.corpus import read_training_corpus
from ..errors import Errors, InputError
from ..io import batched
from ..records import DEV, TRAIN, TaskHeader
from .examples import make_examples


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
        name = component or task
        if name not in nlp.pipe_names:
            pipeline = ", ".join(nlp.pipe_names)
            raise InputError(Errors.H303.format(name=name, pipeline=pipeline))
        header, rows = read_training_corpus(Path(path), task)
        examples = list(make_examples(nlp, header, rows, lane=DEV))
        if not examples:
            raise InputError(Errors.H300.format(task=task, path=path, what="decision", lane=DEV))
        docs = list(nlp.pipe([eg.predicted.copy() for eg in examples]))
        scores = [[doc.cats[label] for label in header.labels] for doc in docs]
        wanted = _wanted(examples, header)
        pipe: Any = nlp.get_pipe(name)
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
    return float((flat[best] + below) / 2)
