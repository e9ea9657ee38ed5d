"""What the rest of a corpus says of a form: is it labelled elsewhere, or does it stand bare? Pure.

A student that never met a name finds it unlikely, and one that met two of three words of it may
find anything likely. So its probabilities are put together with a second, independent witness: how
the same words are treated in the other texts. Words that occur nowhere else say nothing.
"""

import math
import re
from collections import Counter
from typing import Dict, List, Mapping, Sequence

from .items import Item

WORD = re.compile(r"\w+|[^\w\s]")
SURE = 0.99  # no student is believed to be surer than this, either way
LONGEST = 8  # words of a form


def with_forms(
    texts: Sequence[str],
    given: Sequence[Sequence[Item]],
    chances: Sequence[Mapping[Item, float]],
) -> List[Dict[Item, float]]:
    """Put together what students say of spans and what the other texts say of their words.

    texts (Sequence[str]): The texts.
    given (Sequence[Sequence[Item]]): The spans that are given in each.
    chances (Sequence[Mapping[Item, float]]): What held-out students say, for each text.
    RETURNS (List[Dict[Item, float]]): Probabilities of the same spans and of all given ones: the
        odds of the student, times (labelled so elsewhere + 1) / (not labelled so elsewhere + 1).
    """
    forms = [
        {item: form_of(text, item) for item in {*some, *said}}
        for text, some, said in zip(texts, given, chances, strict=True)
    ]
    wanted = {form for of_text in forms for form in of_text.values()}
    stands = [_count(text, wanted) for text in texts]
    named = [
        Counter((of_text[item], item.name) for item in set(some))
        for of_text, some in zip(forms, given, strict=True)
    ]
    all_stand, all_named = sum(stands, Counter()), sum(named, Counter())
    found: List[Dict[Item, float]] = []
    for i, of_text in enumerate(forms):
        own: Dict[Item, float] = {}
        for item, form in of_text.items():
            labelled = all_named[form, item.name] - named[i][form, item.name]
            bare = max(all_stand[form] - stands[i][form] - labelled, 0)
            own[item] = combine(chances[i].get(item, 0.0), labelled, bare)
        found.append(own)
    return found


def combine(chance: float, labelled: int, bare: int) -> float:
    """RETURNS (float): Probability of a span, from that of a student and from how often its words
    are labelled so in other texts, and how often they are not.

    >>> round(combine(0.5, 9, 0), 3), round(combine(0.5, 0, 9), 3), round(combine(0.2, 0, 0), 3)
    (0.909, 0.091, 0.2)
    """
    chance = min(max(chance, 1 - SURE), SURE)
    odds = math.log(chance / (1 - chance)) + math.log((labelled + 1) / (bare + 1))
    return 1 / (1 + math.exp(-odds))


def form_of(text: str, item: Item) -> str:
    """RETURNS (str): The words of a span, in lower case."""
    return " ".join(WORD.findall(text[item.start : item.end].casefold()))


def _count(text: str, forms: "set[str]") -> "Counter[str]":
    words: List[str] = WORD.findall(text.casefold())
    found: Counter[str] = Counter()
    for first in range(len(words)):
        for size in range(1, min(LONGEST, len(words) - first) + 1):
            form = " ".join(words[first : first + size])
            if form in forms:
                found[form] += 1
    return found
