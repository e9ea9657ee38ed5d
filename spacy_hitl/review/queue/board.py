"""What the queue knows of its texts: who decided, who is still needed, how far it all is. Pure."""

import struct
from collections import Counter
from hashlib import sha256
from typing import Collection, Dict, Iterable, List, Mapping, NamedTuple, Tuple

from ...records import GOLD, TRAIN, QueueText

_NUMBERS = struct.Struct(">QQQ")


class Progress(NamedTuple):
    """Texts. total, done and left are of what the session is about; left: for one annotator."""

    done: int
    total: int
    gold_done: int
    gold_total: int
    mine: int
    left: int
    flagged: int
    skipped: int


class Board:
    """The texts by number, with counts that are kept up to date.

    texts (Iterable[QueueText]): All texts, each digest once.
    seed (str): Of all draws.
    overlap (int): How many people decide on a text.
    overlap_share (float): On which share of the texts; on the others, one.
    with_gold (bool): Whether gold texts count as work of this session.
    """

    def __init__(
        self,
        texts: Iterable[QueueText],
        *,
        seed: str,
        overlap: int,
        overlap_share: float,
        with_gold: bool,
    ) -> None:
        self.texts = list(texts)
        self.number = {text.digest: i for i, text in enumerate(self.texts)}
        draws = [_draw(seed, text.digest) for text in self.texts]
        self.order = sorted(range(len(draws)), key=draws.__getitem__)
        several = overlap_share * 2**64
        self._need = [overlap if drawn < several else 1 for _, drawn, _ in draws]
        train = (i for i in range(len(draws)) if self.texts[i].lane == TRAIN)
        self._train = sorted(train, key=lambda i: draws[i][2])
        self._with_gold = with_gold
        self._counts: Counter[str] = Counter()
        self._mine: Counter[str] = Counter()
        self._mine_open: Counter[str] = Counter()
        for text, need in zip(self.texts, self._need, strict=True):
            self._count(text, need, 1)

    def draw_train(self, count: int) -> List[int]:
        """RETURNS (List[int]): Texts of lane train, the same ones for everybody."""
        return self._train[:count]

    def skipped_by(self) -> Dict[str, List[int]]:
        """RETURNS (Dict[str, List[int]]): The texts that each annotator skipped, in order."""
        found: Dict[str, List[int]] = {}
        for i in self.order:
            for annotator in self.texts[i].skipped_by:
                found.setdefault(annotator, []).append(i)
        return found

    def is_open(self, i: int) -> bool:
        """RETURNS (bool): Whether a text still needs a decision, whosever."""
        return _is_open(self.texts[i], self._need[i])

    def is_urgent(self, i: int) -> bool:
        """RETURNS (bool): Whether something in a text is known or thought to be wrong."""
        return self.texts[i].problem is not None or self.texts[i].doubt is not None

    def is_recheck(self, i: int) -> bool:
        """RETURNS (bool): Whether a text is decided and waits for another look."""
        return _is_recheck(self.texts[i], self._need[i])

    def is_open_for(self, i: int, annotator: str) -> bool:
        """RETURNS (bool): Whether a text still needs a decision, and may have it from this one."""
        return _is_open_for(self.texts[i], self._need[i], annotator)

    def is_free(self, i: int, leased: Mapping[str, int], exclude: Collection[str]) -> bool:
        """RETURNS (bool): Whether an open text can be given away: not enough others have it."""
        text = self.texts[i]
        others = leased.get(text.digest, 0)
        if self.is_recheck(i):  # whoever decided before, one more look is enough
            return text.digest not in exclude and not others
        others += len(text.decided_by)
        return text.digest not in exclude and others < self._need[i]

    def update(self, text: QueueText) -> QueueText:
        """RETURNS (QueueText): What was known of the text before."""
        i = self.number[text.digest]
        before, need = self.texts[i], self._need[i]
        self._count(before, need, -1)
        self.texts[i] = text
        self._count(text, need, 1)
        return before

    def was_open_for(self, before: QueueText, annotator: str) -> bool:
        """RETURNS (bool): As `is_open_for`, of an earlier state."""
        return _is_open_for(before, self._need[self.number[before.digest]], annotator)

    def _count(self, text: QueueText, need: int, sign: int) -> None:
        again = _is_recheck(text, need)
        gold, done = text.lane == GOLD, len(text.decided_by) >= need and not again
        counts = self._counts
        counts["flagged"] += sign * text.flagged
        counts["gold_total"] += sign * gold
        counts["gold_done"] += sign * (gold and done)
        if text.decided_by:
            self._mine.update(dict.fromkeys(text.decided_by, sign))
        if gold and not self._with_gold:
            return
        open_ = not done and not text.flagged
        counts["total"] += sign
        counts["done"] += sign * done
        counts["open"] += sign * open_
        if open_ and text.decided_by and not again:
            self._mine_open.update(dict.fromkeys(text.decided_by, sign))

    def progress(self, annotator: str, *, skipped: int) -> Progress:
        """RETURNS (Progress): How far the session is, and this annotator in it."""
        counts = self._counts
        return Progress(
            done=counts["done"],
            total=counts["total"],
            gold_done=counts["gold_done"],
            gold_total=counts["gold_total"],
            mine=self._mine[annotator],
            left=counts["open"] - self._mine_open[annotator],
            flagged=counts["flagged"],
            skipped=skipped,
        )


def _is_recheck(text: QueueText, need: int) -> bool:
    return text.doubt is not None and len(text.decided_by) >= need


def _is_open(text: QueueText, need: int) -> bool:
    undecided = len(text.decided_by) < need
    return not text.flagged and (undecided or _is_recheck(text, need))


def _is_open_for(text: QueueText, need: int, annotator: str) -> bool:
    free = annotator not in text.decided_by or _is_recheck(text, need)
    return free and _is_open(text, need)


def _draw(seed: str, digest: str) -> Tuple[int, int, int]:
    """RETURNS (Tuple[int, int, int]): For the order, the overlap and the calibration texts; each
    below 2 ** 64.
    """
    first, second, third = _NUMBERS.unpack_from(sha256(f"{seed}:{digest}".encode()).digest())
    return first, second, third
