"""Streams unlabelled texts: never all in memory, never one of lane dev."""

import random
from dataclasses import dataclass
from pathlib import Path
from typing import FrozenSet, Iterable, Iterator, List, Optional, Sequence, TypeVar

from ...errors import Errors, InputError
from ...io import batched, check_text, read_jsonl, text_digest
from ...records import DEV, TRAIN, TaskRow
from ...tasks.similarity import normalise

_T = TypeVar("_T")

POOL = 64  # batches that are shuffled at a time: bounds the memory


def normal_digest(text: str) -> str:
    """RETURNS (str): Equal for texts that are equal but for case, punctuation and spaces."""
    return text_digest(normalise(text))


@dataclass(frozen=True)
class SoftTexts:
    """Where the texts come from.

    path: JSONL with `text`, or None. own: texts of the exported corpus. held_out: digests of
    normalised texts that are for choosing checkpoints: none of `path` with one of them is given.
    """

    path: Optional[Path]
    own: Sequence[str]
    held_out: FrozenSet[str]

    @classmethod
    def of(cls, rows: Sequence[TaskRow], path: Optional[Path], *, corpus: bool) -> "SoftTexts":
        """Choose texts.

        rows (Sequence[TaskRow]): The exported corpus, lanes train and dev.
        path (Optional[Path]): JSONL with `text`.
        corpus (bool): Whether the texts of lane train are wanted.
        """
        own = [row.text for row in rows if corpus and row.lane == TRAIN and row.text.strip()]
        held_out = frozenset(normal_digest(row.text) for row in rows if row.lane == DEV)
        return cls(path, own, held_out)

    def read(self, *, max_chars: int) -> Iterator[Optional[str]]:
        """Read all texts once.

        max_chars (int): Longer texts are refused.
        YIELDS (Optional[str]): The texts, those of the corpus first; None for one that is held out.
        RAISES (InputError): If the file is missing, or a line has no usable text.
        """
        yield from self.own
        if self.path is None:
            return
        for where, line in read_jsonl(self.path, what="file of unlabelled texts"):
            text = line.get("text")
            if not isinstance(text, str):
                problem = "field 'text' is missing or not a string"
                raise InputError(Errors.H004.format(where=where, problem=problem))
            check_text(text, where=where, max_chars=max_chars)
            yield None if normal_digest(text) in self.held_out else text


def shuffled_batches(
    texts: Iterable[str], *, size: int, order: random.Random, pool: int = POOL
) -> Iterator[List[str]]:
    """Batch a stream in a random order, with texts of a length together.

    texts (Iterable[str]): The stream.
    size (int): Texts per batch.
    order (random.Random): Draws the order.
    pool (int): How many batches are held in memory.
    YIELDS (List[str]): Batches; each text comes once.
    """
    for held in batched(texts, size * pool):
        order.shuffle(held)
        # One step of a transition system takes all texts of a batch: equal lengths are faster.
        held.sort(key=len)
        found = list(batched(held, size))
        order.shuffle(found)
        yield from found
