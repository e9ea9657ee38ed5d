"""What the warm-up learns before the ordinary loop tunes on decisions: soft labels, proposals."""

import random
from dataclasses import replace
from typing import Iterator, List, Optional, Sequence, Tuple

from spacy.language import Language
from spacy.training import Example
from spacy.util import logger

from ..dataset.looks import overlay
from ..errors import Errors, InputError
from ..io import batched
from ..records import TRAIN, Annotation, PartialDecision, TaskHeader, TaskRow
from ..tasks.similarity import TextIndex
from .base.frozen import with_base
from .corpus.doubtful import Sorted, can_be_unknown, count_doubts, sort_out
from .corpus.examples import make_example, make_examples
from .corpus.lessons import Unknown
from .optimizer import make_adam


def check_options(
    task: str,
    *,
    taught: bool,
    proposals: bool,
    min_score: Optional[float],
    neighbours: int,
    temperature: float,
    follow: str,
) -> None:
    """RAISES (InputError): If an option has a value that means nothing."""
    wrong: List[Tuple[str, object, str]] = []
    if not taught and not proposals:
        wrong.append(("proposals", proposals, "true where there is no teacher"))
    if min_score is not None and not 0 <= min_score <= 1:
        wrong.append(("min_score", min_score, "a number from 0 to 1"))
    if neighbours < 0:
        wrong.append(("neighbours", neighbours, "0 (all proposals) or a count"))
    if not 0 < temperature < float("inf"):
        wrong.append(("temperature", temperature, "a number above 0"))
    if follow not in ("student", "teacher"):
        wrong.append(("follow", follow, "'student' or 'teacher'"))
    for name, value, expected in wrong:
        raise InputError(
            Errors.H317.format(task=task, name=name, value=repr(value), expected=expected)
        )


def near_decided(rows: Sequence[TaskRow], count: int) -> List[TaskRow]:
    """Leave out the proposals that no decided text is near to.

    rows (Sequence[TaskRow]): Of a corpus.
    count (int): How many undecided texts of lane train each decided one of it calls, the most
        similar first (`tasks.similarity`); a text may be called by several.
    RETURNS (List[TaskRow]): The called texts and all that have a decision, in their order. Empty
        if no text of lane train was decided.
    """
    decided = [row for row in rows if row.lane == TRAIN and row.decision is not None]
    others = [
        row
        for row in rows
        if row.lane == TRAIN
        and row.decision is None
        and row.proposal is not None
        and row.proposal.usable
    ]
    if not decided:
        return []
    index = TextIndex([row.text for row in others])
    called = {others[i].text_digest for row in decided for i in index.nearest(row.text, count)}
    return [row for row in rows if row.decision is not None or row.text_digest in called]


def sure_examples(
    nlp: Language,
    header: TaskHeader,
    rows: Sequence[TaskRow],
    *,
    min_score: float,
    decisions: bool = False,
) -> Iterator[Example]:
    """Make examples of lane train of which only what is sure teaches.

    nlp (Language): The pipeline that learns.
    header (TaskHeader): What the task is.
    rows (Sequence[TaskRow]): Of its corpus.
    min_score (float): Lowest score of a proposed annotation that teaches.
    decisions (bool): Decided texts too.
    YIELDS (Example): What is doubtful is unknown in it; where that can't be said, the text is left
        out. What a person decided of a part of a text is sure.
    """
    yield from with_base(nlp, _sure(nlp, header, rows, min_score, decisions))


def _sure(
    nlp: Language, header: TaskHeader, rows: Sequence[TaskRow], min_score: float, decisions: bool
) -> Iterator[Example]:
    for row in rows:
        if row.lane != TRAIN:
            continue
        if row.decision is not None:
            if decisions:
                yield make_example(nlp, row.text, row.decision, header)
            continue
        if row.proposal is None or not row.proposal.usable:
            continue
        found = sort_out(row.proposal.annotation, min_score)
        if row.partial is not None:
            found = _correct(found, row.partial, header)
        if found.complete or can_be_unknown(header):
            unknown = unknown_of(found.doubtful, header)
            yield make_example(nlp, row.text, found.sure, header, unknown=unknown)


def unknown_of(doubtful: Annotation, header: TaskHeader) -> Unknown:
    """Say what is unknown where an annotation is doubtful.

    doubtful (Annotation): What may or may not hold.
    header (TaskHeader): Of a task that `can_be_unknown`.
    RETURNS (Unknown): Stretches of text for entities, labels for categories. Nothing for links: a
        mention that is not shown teaches nothing.
    """
    ranges = [(s.start, s.end) for s in doubtful.spans if header.kind == "ner"]
    return Unknown(tuple(ranges), tuple(cat.label for cat in doubtful.cats))


def _correct(found: Sorted, partial: PartialDecision, header: TaskHeader) -> Sorted:
    """Put what was decided of a part over both: where somebody looked, nothing is doubtful."""
    left = overlay(found.doubtful, partial, header)
    doubtful = Annotation(
        spans=tuple(a for a in left.spans if a in found.doubtful.spans),
        cats=tuple(a for a in left.cats if a in found.doubtful.cats),
        relations=tuple(a for a in left.relations if a in found.doubtful.relations),
    )
    return replace(found, sure=overlay(found.sure, partial, header), doubtful=doubtful)


def proposal_examples(
    nlp: Language,
    header: TaskHeader,
    rows: Sequence[TaskRow],
    *,
    path: object,
    decisions: bool,
    min_score: Optional[float],
    neighbours: int,
) -> List[Example]:
    """Make the examples of a warm-up on proposals.

    nlp (Language): The pipeline that learns.
    header (TaskHeader): What the task is.
    rows (Sequence[TaskRow]): Of its corpus.
    path (object): Of the corpus, for error messages.
    decisions (bool): Decided texts of lane train too.
    min_score (Optional[float]): Lowest score of what teaches; None for all.
    neighbours (int): Only proposals on this many texts nearest to each decided one; 0 for all.
    RETURNS (List[Example]): Empty if there is nothing to learn from.
    RAISES (InputError): If scores or decided texts are needed and there are none.
    """
    if neighbours:
        rows = near_decided(rows, neighbours)
        if not rows:
            raise InputError(Errors.H319.format(count=neighbours, path=path, task=header.task))
    if min_score is None:
        return list(
            make_examples(nlp, header, rows, lane=TRAIN, decisions=decisions, proposals=True)
        )
    doubts = count_doubts([row for row in rows if row.lane == TRAIN], min_score)
    if doubts.total and not doubts.scored:
        raise InputError(Errors.H316.format(min_score=min_score, task=header.task, path=path))
    logger.info(
        "Proposals of '%s': %d of %d annotations have a score of at least %s (%d calibrated)",
        header.task,
        doubts.sure,
        doubts.total,
        min_score,
        doubts.calibrated,
    )
    return list(sure_examples(nlp, header, rows, min_score=min_score, decisions=decisions))


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
    optimizer = make_adam(learn_rate)
    order = random.Random(seed)  # noqa: S311
    for epoch in range(epochs):
        order.shuffle(examples)
        losses: dict[str, float] = {}
        for batch in batched(examples, batch_size):
            nlp.update(batch, drop=dropout, sgd=optimizer, losses=losses)
        logger.info("Warm-up epoch %d of %d: loss %s", epoch + 1, epochs, losses)
