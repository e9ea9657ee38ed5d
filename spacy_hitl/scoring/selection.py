"""Choose few examples out of many: by label, or as different from one another as possible. Pure."""

import random
from collections import Counter
from typing import Dict, List, Sequence, Set

from ..tasks.similarity import similarity, word_weights


def spread_over_labels(labels: Sequence[Set[str]], count: int, *, seed: int = 0) -> List[int]:
    """Choose examples so that every label is shown about equally often.

    labels (Sequence[Set[str]]): The labels of each candidate; an empty set is a label of its own.
    count (int): How many to choose.
    seed (int): Of the order among equals.
    RETURNS (List[int]): Indices. The rarest label that was shown least is served first.

    >>> chosen = spread_over_labels([{"A"}, {"A"}, {"B"}, set()], 3)
    >>> sorted(chosen)[1:]
    [2, 3]
    """
    sets = [found or {""} for found in labels]
    frequency = Counter(label for found in sets for label in found)
    shown: Dict[str, int] = dict.fromkeys(frequency, 0)
    order = list(range(len(sets)))
    random.Random(seed).shuffle(order)  # noqa: S311
    chosen: List[int] = []
    while len(chosen) < min(count, len(sets)):
        wanted = min(
            (x for x in shown if any(x in sets[i] for i in order if i not in chosen)),
            key=lambda label: (shown[label], frequency[label], label),
        )
        best = next(i for i in order if i not in chosen and wanted in sets[i])
        chosen.append(best)
        for label in sets[best]:
            shown[label] += 1
    return chosen


def farthest_first(texts: Sequence[str], count: int, *, seed: int = 0) -> List[int]:
    """Choose texts that have as little in common as possible.

    Greedy k-center (Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985):
    each next text is the one whose nearest chosen one is farthest away.

    texts (Sequence[str]): The candidates.
    count (int): How many to choose.
    seed (int): Of the first.
    RETURNS (List[int]): Indices, in the order of choice.

    >>> sorted(farthest_first(["a b", "a b", "c d"], 2, seed=1))[-1]
    2
    """
    if not texts:
        return []
    vectors = word_weights(texts)
    chosen = [random.Random(seed).randrange(len(texts))]  # noqa: S311
    nearest = [similarity(v, vectors[chosen[0]]) for v in vectors]
    while len(chosen) < min(count, len(texts)):
        rest = (i for i in range(len(texts)) if i not in chosen)
        best = min(rest, key=lambda i: (nearest[i], i))
        chosen.append(best)
        nearest = [
            max(n, similarity(v, vectors[best])) for n, v in zip(nearest, vectors, strict=True)
        ]
    return chosen
