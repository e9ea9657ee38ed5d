"""How alike texts are: near-duplicates have the same letters, neighbours many rare words. Pure."""

import math
import re
import unicodedata
from collections import Counter
from typing import Dict, List, Sequence

import numpy as np
from numpy.typing import NDArray

Weights = Dict[str, float]

DIGITS = 9  # so that equally similar texts are equal whatever the order of the additions was

# Thai, Lao, Myanmar, Khmer, Kana and Han are written without spaces: a character is a word.
_ALONE = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff"
_PIECE = re.compile(rf"[{_ALONE}]|[^\s{_ALONE}]+")


def normalise(text: str) -> str:
    """Reduce a text to what near-duplicates have in common.

    text (str): Any text.
    RETURNS (str): Letters and digits only, case folded, in compatibility normal form; the text
        itself if nothing would be left (emoji, punctuation).

    >>> normalise("Nebula  PRO, again!") == normalise("nebula pro again")
    True
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    # Folding takes some letters apart; upper and lower case must end up the same.
    folded = unicodedata.normalize("NFKC", folded)
    return "".join(c for c in folded if c.isalnum()) or text


def split_words(text: str) -> List[str]:
    """Split a text into words to compare it by, without a language.

    text (str): Any text.
    RETURNS (List[str]): Lower case, without the punctuation around them; what is nothing but
        punctuation or emoji stays.

    >>> split_words("Great (K10), so-so 😀")
    ['great', 'k10', 'so-so', '😀']
    """
    pieces = _PIECE.findall(unicodedata.normalize("NFKC", text).casefold())
    return [_bare(piece) for piece in pieces]


def _bare(piece: str) -> str:
    # Not a regular expression: one for the end takes quadratic time on hostile texts.
    places = range(len(piece))
    start = next((i for i in places if piece[i].isalnum()), None)
    if start is None:
        return piece
    return piece[start : next(i for i in reversed(places) if piece[i].isalnum()) + 1]


def word_rarity(bags: Sequence["Counter[str]"]) -> Weights:
    """RETURNS (Weights): Inverse document frequency of each word of some texts, above 0."""
    spread = Counter(word for bag in bags for word in bag)
    return {word: math.log(1 + len(bags) / count) for word, count in spread.items()}


def word_weights(texts: Sequence[str]) -> List[Weights]:
    """RETURNS (List[Weights]): Each text as unit-length tf-idf weights of its words."""
    bags = [Counter(split_words(text)) for text in texts]
    rarity = word_rarity(bags)
    return [_unit({word: n * rarity[word] for word, n in bag.items()}) for bag in bags]


def _unit(raw: Weights) -> Weights:
    norm = math.sqrt(sum(value * value for value in raw.values())) or 1.0
    return {word: value / norm for word, value in raw.items()}


def similarity(one: Weights, other: Weights) -> float:
    """RETURNS (float): Cosine of two texts' weights, 0 to 1."""
    small, large = sorted((one, other), key=len)
    return sum(value * large.get(word, 0.0) for word, value in small.items())


class TextIndex:
    """Finds the most similar of many texts, word by word: what shares no word costs nothing.

    texts (Sequence[str]): The texts to find.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._size = len(texts)
        self._rarity = word_rarity([Counter(split_words(text)) for text in texts])
        self._same: Dict[str, List[int]] = {}
        places: Dict[str, List[int]] = {}
        values: Dict[str, List[float]] = {}
        for i, (text, weights) in enumerate(zip(texts, word_weights(texts), strict=True)):
            self._same.setdefault(normalise(text), []).append(i)
            for word, value in weights.items():
                places.setdefault(word, []).append(i)
                values.setdefault(word, []).append(value)
        self._places: Dict[str, NDArray[np.int64]] = {w: np.array(v) for w, v in places.items()}
        self._values: Dict[str, NDArray[np.float64]] = {w: np.array(v) for w, v in values.items()}

    def nearest(self, text: str, count: int) -> List[int]:
        """Find the texts most similar to another one, by the cosine of their tf-idf weights.

        text (str): Any text. Words that no text of the index has don't count.
        count (int): How many to find at most.
        RETURNS (List[int]): Indices, the most similar first, equally similar ones in their order.
            Never the text itself, nor one with the same letters and digits.
        """
        bag = Counter(split_words(text))
        query = _unit({w: n * self._rarity[w] for w, n in bag.items() if w in self._rarity})
        scores = np.zeros(self._size)
        for word, value in query.items():
            scores[self._places[word]] += value * self._values[word]
        scores = np.round(scores, DIGITS)
        scores[self._same.get(normalise(text), [])] = -1.0
        order = np.argsort(-scores, kind="stable")[:count]
        return [i for i in order.tolist() if scores[i] >= 0]
