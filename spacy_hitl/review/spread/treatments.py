"""Which forms people treated differently, kept up to date while they decide."""

from typing import Dict, Iterable, List, Set, Tuple

from ...dataset.decisions import Standing
from ...dataset.spreading import standing_texts
from ...records import GOLD, NOTHING
from ..session.plan import ReviewTask
from ..session.texts import Texts
from .consistency import DecidedText, Treatment, find_inconsistent
from .propagation import LINKING


class Treatments:
    """All decided texts of one task outside gold; read when first asked for.

    texts (Texts): The texts of the session.
    task (ReviewTask): A task of spans or links.
    """

    def __init__(self, texts: Texts, task: ReviewTask) -> None:
        self._texts = texts
        self._task = task
        found = standing_texts(texts.dataset, texts.histories[task.name])
        self._decided: Dict[str, DecidedText] = {d: _decided(d, text, s) for d, text, s in found}
        self._changed: Set[str] = set()
        self._found = self._find()

    def changed(self, digests: Iterable[str]) -> None:
        """Say that something was decided on texts, or taken back."""
        self._changed.update(digests)

    def list(self, *, offset: int, limit: int) -> Tuple[List[Treatment], int]:
        """RETURNS (Tuple[List[Treatment], int]): Some of the forms, and how many there are."""
        for digest in self._changed:
            self._read(digest)
        if self._changed:
            self._changed = set()
            self._found = self._find()
        return self._found[offset : offset + limit], len(self._found)

    def _find(self) -> List[Treatment]:
        return find_inconsistent(list(self._decided.values()), links=self._task.kind == LINKING)

    def _read(self, digest: str) -> None:
        if self._texts.lane(digest) == GOLD:
            return
        found = self._texts.standing(self._task.name, digest)
        if found is None:
            self._decided.pop(digest, None)
        else:
            self._decided[digest] = _decided(digest, self._texts.tokens(digest).text, found)


def _decided(digest: str, text: str, found: Standing) -> DecidedText:
    if found.annotation is not None:
        return DecidedText(digest, text, found.annotation)
    if found.partial is None:  # rejected, or put aside
        return DecidedText(digest, text, NOTHING, whole=False)
    partial = found.partial
    return DecidedText(digest, text, partial.annotation, whole=False, ranges=partial.ranges)
