"""Who judges which text: every text is left out once in a round. Pure."""

import hashlib
from typing import Dict, List, Sequence, Tuple

from ...records import TaskRow
from ...tasks.similarity import normalise


def draw_folds(rows: Sequence[TaskRow], *, folds: int, seed: int) -> List[int]:
    """Deal the texts to folds.

    rows (Sequence[TaskRow]): The texts.
    folds (int): How many folds, at least 2.
    seed (int): Another one deals them otherwise.
    RETURNS (List[int]): The fold of each text, 0 to folds - 1. Texts that are equal but for case,
        punctuation and white space share one: the twin of a wrong text would confirm it. Each lane,
        decided or not, is spread evenly.
    """
    groups: Dict[str, List[int]] = {}
    for i, row in enumerate(rows):
        groups.setdefault(normalise(row.text), []).append(i)
    strata: Dict[Tuple[str, bool], List[str]] = {}
    for name in sorted(groups, key=lambda name: _draw(seed, name)):
        first = rows[groups[name][0]]
        strata.setdefault((first.lane, first.decision is not None), []).append(name)
    found = [0] * len(rows)
    dealt = 0
    for stratum in sorted(strata):
        for name in strata[stratum]:
            for i in groups[name]:
                found[i] = dealt % folds
            dealt += 1
    return found


def _draw(seed: int, name: str) -> str:
    return hashlib.sha256(f"{seed}:{name}".encode("utf8", "surrogatepass")).hexdigest()
