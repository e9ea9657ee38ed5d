"""Train one encoder on several tasks at once: the base that students are put on."""

import random
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

from spacy.language import Language
from spacy.pipeline import Tok2Vec
from spacy.training import Example
from spacy.util import logger
from thinc.api import fix_random_seed

from ...dataset.corpus import read_training_corpus
from ...errors import Errors, InputError
from ...io import batched
from ...records import TRAIN, TaskHeader
from ...tasks.near_duplicates import NEAR
from ..corpus.examples import make_examples
from ..corpus.lessons import apart_from_dev
from ..optimizer import make_adam
from ..recipes import COMPONENTS
from ..recipes.base import BASE, listener
from ..recipes.tok2vec import Size

HIDDEN = 64  # units of the heads that are thrown away
KINDS = ("ner", "spancat", "textcat", "textcat_multilabel")


def make_distill_base_callback(
    tasks: Dict[str, Path],
    component: str = BASE,
    epochs: int = 8,
    batch_size: int = 16,
    learn_rate: float = 0.002,
    dropout: float = 0.2,
    seed: int = 0,
    decisions: bool = True,
    proposals: bool = True,
) -> Callable[[Language], None]:
    """Make the training of a base for `[initialize.after_init]` of a pipeline with a tok2vec.

    Each task gets a head of its own, which learns beside the base and is thrown away: what a text
    says of one task is never taken for what it says of another.

    tasks (Dict[str, Path]): Files written by `spacy hitl export`, by the name of their task.
    component (str): Name of the tok2vec component.
    epochs (int): Passes over the examples of all tasks.
    batch_size (int): Examples per update, all of one task.
    learn_rate (float): Peak rate of an Adam optimizer of its own, falling to zero.
    dropout (float): Dropout rate, 0 to 1.
    seed (int): Of the heads and of the order.
    decisions (bool): Learn from what was decided.
    proposals (bool): Learn from what the model proposed for texts nobody decided on.
    RETURNS (Callable[[Language], None]): The callback.
    """

    def teach(nlp: Language) -> None:
        if component not in nlp.pipe_names or not isinstance(nlp.get_pipe(component), Tok2Vec):
            raise InputError(Errors.H303.format(name=component, pipeline=", ".join(nlp.pipe_names)))
        fix_random_seed(seed)
        learners = []
        for task, path in tasks.items():
            header, rows = read_training_corpus(Path(path), task)
            rows = apart_from_dev(rows, NEAR, task=task)
            found = list(
                make_examples(
                    nlp, header, rows, lane=TRAIN, decisions=decisions, proposals=proposals
                )
            )
            if not found:
                what = "decision or usable proposal"
                raise InputError(Errors.H300.format(task=task, path=path, what=what, lane=TRAIN))
            logger.info("Base: %d examples of '%s'", len(found), task)
            learners.append((make_learner(nlp, header, found, component=component), found))
        train_base(
            learners,
            epochs=epochs,
            batch_size=batch_size,
            learn_rate=learn_rate,
            dropout=dropout,
            seed=seed,
        )

    return teach


def make_learner(
    nlp: Language, header: TaskHeader, examples: List[Example], *, component: str = BASE
) -> Language:
    """Put a head for one task on the tok2vec of a pipeline.

    nlp (Language): Pipeline of the base; it stays as it is.
    header (TaskHeader): What the task is.
    examples (List[Example]): To initialise the head with.
    component (str): Name of the tok2vec component.
    RETURNS (Language): A pipeline of two components. The first is that of `nlp`, the same object.
    RAISES (InputError): If no head can learn the task.
    """
    kind = factory_of(header)
    base: Any = nlp.get_pipe(component)
    width = int(base.model.get_dim("nO"))
    size = Size(width=width, depth=0, hidden=HIDDEN)
    learner = type(nlp)(vocab=nlp.vocab)
    learner.add_pipe(component, source=nlp)
    config = COMPONENTS[kind](
        listener(width, upstream=component), size, spans_key=header.spans_key or "sc"
    )
    head: Any = learner.add_pipe(config.pop("factory"), name=f"{header.task}_head", config=config)
    head.initialize(lambda: examples, nlp=learner)
    return learner


def factory_of(header: TaskHeader) -> str:
    """RETURNS (str): Factory of the student of a task.
    RAISES (InputError): If no recipe has students of that kind on a base.
    """
    kind = header.kind
    if kind == "textcat" and not header.exclusive:
        kind = "textcat_multilabel"
    if kind not in KINDS:
        known = "ner, spancat, textcat"
        raise InputError(Errors.H361.format(task=header.task, kind=header.kind, known=known))
    return kind


def train_base(
    learners: List[Tuple[Language, List[Example]]],
    *,
    epochs: int,
    batch_size: int,
    learn_rate: float,
    dropout: float,
    seed: int,
) -> None:
    """Update pipelines that share their tok2vec, batch by batch in a drawn order.

    learners (List[Tuple[Language, List[Example]]]): Pipelines, and what each learns.
    """
    optimizer = make_adam(learn_rate)
    order = random.Random(seed)  # noqa: S311
    total = epochs * sum(-(-len(found) // batch_size) for _, found in learners)
    step = 0
    for epoch in range(epochs):
        batches = []
        losses: Dict[str, float] = {}
        for learner, found in learners:
            order.shuffle(found)
            batches += [(learner, batch) for batch in batched(found, batch_size)]
        order.shuffle(batches)
        for learner, batch in batches:
            # The base goes back once its last listener has: only the head that learns may listen.
            learner._link_components()
            optimizer.learn_rate = learn_rate * max(0.05, 1 - step / total)
            learner.update(batch, drop=dropout, sgd=optimizer, losses=losses)
            step += 1
        logger.info("Base: epoch %d of %d: loss %s", epoch + 1, epochs, losses)
