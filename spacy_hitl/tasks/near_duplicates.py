"""Texts that are nearly one of many others, by the runs of words they share. Exact, and pure."""

import math
from collections import Counter
from typing import Dict, FrozenSet, Iterable, List, Tuple

from ..errors import Errors, InputError
from .similarity import normalise, split_words

NEAR = 0.8  # as similar as this and above is nearly the same
WORDS = 3  # words in a shingle

Shingle = Tuple[str, ...]
ALMOST = 1e-9  # 0.8 * 15 is a little more than 12


def shingles(text: str) -> FrozenSet[Shingle]:
    """Break a text into runs of words.

    text (str): Any text.
    RETURNS (FrozenSet[Shingle]): All runs of three words, case folded and without punctuation; of
        a shorter text, the whole of it. Never empty.

    >>> sorted(shingles("Great phone, would buy!"))
    [('great', 'phone', 'would'), ('phone', 'would', 'buy')]
    """
    words = [w for w in split_words(text) if w[0].isalnum()]
    if len(words) < WORDS:
        return frozenset([tuple(words) or (normalise(text),)])
    return frozenset(zip(*(words[i:] for i in range(WORDS)), strict=False))


def check_threshold(value: float) -> None:
    """RAISES (InputError): If a value is no similarity above 0 and up to 1."""
    if not 0 < value <= 1:
        raise InputError(Errors.H323.format(value=value))


def jaccard(one: FrozenSet[Shingle], other: FrozenSet[Shingle]) -> float:
    """RETURNS (float): Shingles that both have, as a share of those that any has, 0 to 1."""
    both = len(one & other)
    return both / (len(one) + len(other) - both)


class NearDuplicates:
    """Tells whether a text is nearly one of many others: the Jaccard similarity of their shingles.

    Two sets that share so many shingles also share one of the few rarest of each: only these are
    looked up (the prefix filter of Chaudhuri, Ganti and Kaushik, 2006, "A Primitive Operator for
    Similarity Joins in Data Cleaning"). What is found is then compared in full, so that the answer
    is that of comparing all pairs.

    texts (Iterable[str]): The texts to find.
    threshold (float): Similarity from which on two texts are nearly the same, above 0 and up to 1.
    RAISES (InputError): If the threshold can't be used.
    """

    def __init__(self, texts: Iterable[str], *, threshold: float = NEAR) -> None:
        check_threshold(threshold)
        self.threshold = threshold
        sets = list(dict.fromkeys(map(shingles, texts)))
        self._spread = dict(Counter(shingle for each in sets for shingle in each))
        self._places: Dict[Shingle, List[FrozenSet[Shingle]]] = {}
        for each in sets:
            for shingle in self._rarest(each):
                self._places.setdefault(shingle, []).append(each)

    def __contains__(self, text: str) -> bool:
        mine = shingles(text)
        smallest = self.threshold * len(mine) - ALMOST
        largest = len(mine) / self.threshold + ALMOST
        seen = set()
        for shingle in self._rarest(mine):
            for other in self._places.get(shingle, ()):
                if id(other) not in seen and smallest <= len(other) <= largest:
                    seen.add(id(other))
                    if jaccard(mine, other) >= self.threshold - ALMOST:
                        return True
        return False

    def _rarest(self, each: FrozenSet[Shingle]) -> List[Shingle]:
        """So many that who shares none of them can't be similar enough."""
        count = len(each) - math.ceil(self.threshold * len(each) - ALMOST) + 1
        known = [shingle for shingle in each if shingle in self._spread]
        count -= len(each) - len(known)  # those that no text has are the rarest
        if count <= 0:
            return []
        return sorted(known, key=lambda shingle: (self._spread[shingle], shingle))[:count]
