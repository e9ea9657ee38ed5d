"""Repeated K-fold splits of the reviewed texts."""

import random
from dataclasses import dataclass
from itertools import count
from typing import Dict, Iterator, List, Sequence, Tuple

from ...errors import Errors, InputError
from ...records import DEV, LANES, TRAIN, TaskRow
from ...tasks.similarity import normalise
from .inputs import Hidden

FOLDS = 4
MIN_TRAIN, MIN_DEV = 2 * FOLDS, 2  # reviewed texts; fewer can't be dealt out


@dataclass(frozen=True)
class Split:
    """One part of the reviewed texts to score on; a student may learn from the rest.

    number: from 0; `FOLDS` of them are a pass, in which every reviewed text is held out once.
    seed: of the trainings on this split, the same for all that are compared.
    """

    number: int
    seed: int
    held_out: Tuple[TaskRow, ...]

    @property
    def hidden(self) -> Hidden:
        """What must not be seen in a training on this split."""
        return Hidden(row.text for row in self.held_out)


def reviewed_rows(rows: Sequence[TaskRow]) -> List[TaskRow]:
    """RETURNS (List[TaskRow]): The texts that somebody decided on and looked at."""
    return [row for row in rows if row.decision is not None and not row.bulk]


def make_splits(rows: Sequence[TaskRow], *, folds: int = FOLDS, seed: int = 0) -> Iterator[Split]:
    """Deal the reviewed texts out, pass after pass, without an end.

    rows (Sequence[TaskRow]): Rows of a training corpus.
    folds (int): Splits per pass.
    seed (int): Of the dealing and of the trainings.
    YIELDS (Split): The lanes are dealt out by themselves, so that every split leaves some texts
        of each; near-duplicates share a fold.
    RAISES (InputError): If there are too few reviewed texts.
    """
    groups: Dict[str, List[TaskRow]] = {}
    for row in sorted(reviewed_rows(rows), key=lambda row: row.text_digest):
        groups.setdefault(normalise(row.text), []).append(row)
    by_lane = {lane: [g for g in groups.values() if g[0].lane == lane] for lane in LANES}
    if len(by_lane[TRAIN]) < MIN_TRAIN or len(by_lane[DEV]) < MIN_DEV:
        raise InputError(
            Errors.H341.format(
                train=len(by_lane[TRAIN]),
                dev=len(by_lane[DEV]),
                min_train=MIN_TRAIN,
                min_dev=MIN_DEV,
            )
        )
    for turn in count():
        order = random.Random(f"{seed} {turn}")  # noqa: S311
        dealt: List[List[TaskRow]] = [[] for _ in range(folds)]
        at = 0
        for lane in LANES:
            shuffled = list(by_lane[lane])
            order.shuffle(shuffled)
            for group in shuffled:
                dealt[at % folds].extend(group)
                at += 1
        for fold, held_out in enumerate(dealt):
            number = turn * folds + fold
            yield Split(number, seed + number, tuple(held_out))
