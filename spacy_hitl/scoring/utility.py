"""What a system is worth: annotations and errors turned into money. Pure.

The better system for the business need not be the more accurate one: a missed annotation may cost
ten times as much as one too many, and asking a model costs money for every text. Texts are the
units, as everywhere (`intervals`), and two systems are compared text by text.
"""

import math
from typing import Optional, Sequence, Tuple

import numpy as np

from ..settings import UtilitySettings
from .intervals import Floats, Z, student
from .results import BASELINE, PROMPTED, SystemScore, Utility

PER = 1000  # texts


def values_of(settings: UtilitySettings, labels: Sequence[str]) -> Floats:
    """RETURNS (Floats): Shape (labels, 3): money for a tp, an fp and an fn of each label; the last
    two are not above 0.
    """
    values = np.zeros((len(labels), 3))
    for row, label in zip(values, labels, strict=True):
        own = settings.labels.get(label)
        right, missed, spurious = settings.right, settings.missed, settings.spurious
        if own is not None:
            right = right if own.right is None else own.right
            missed = missed if own.missed is None else own.missed
            spurious = spurious if own.spurious is None else own.spurious
        row[:] = right, -spurious, -missed
    return values


def worth(counts: Floats, values: Floats) -> Floats:
    """RETURNS (Floats): Shape (texts,): what a system's annotations of each text are worth.

    counts (Floats): Shape (texts, labels, 3): tp, fp, fn. values (Floats): As `values_of` gives.
    """
    found: Floats = np.einsum("tlc,lc->t", counts, values)
    return found


def utility(money: Floats) -> Optional[Utility]:
    """Compute what 1,000 texts are worth.

    money (Floats): Shape (texts,): of each gold text, or the difference of two systems on it.
    RETURNS (Optional[Utility]): The mean of PER texts, with its 95% interval by Student's t; None
        with fewer than two texts.
    """
    n = len(money)
    if n < 2:
        return None
    value = PER * float(money.mean())
    reach = PER * student(Z, n - 1) * float(money.std(ddof=1)) / math.sqrt(n)
    return Utility(value, value - reach, value + reach)


def running_cost(system: SystemScore, settings: UtilitySettings) -> Tuple[float, str]:
    """RETURNS (Tuple[float, str]): What 1,000 texts cost to run, and a sentence if that is not
    known.
    """
    if system.role == BASELINE:
        return 0.0, ""
    if system.role != PROMPTED:
        return settings.student_cost_per_1000, ""
    cost: Optional[float] = None if system.llm is None else system.llm.cost
    if cost is None:
        return 0.0, (
            f"Utility of '{system.name}' is without what the model costs: no price is known "
            "([hitl.prices])."
        )
    return cost, ""


def best_for_business(systems: Sequence[SystemScore]) -> Optional[SystemScore]:
    """RETURNS (Optional[SystemScore]): The system of the highest utility, None if none is known."""
    known = [s for s in systems if s.utility is not None]
    return max(known, key=lambda s: 0.0 if s.utility is None else s.utility.value, default=None)


def most_accurate(systems: Sequence[SystemScore]) -> Optional[SystemScore]:
    """RETURNS (Optional[SystemScore]): The system of the highest main score."""
    return max(systems, key=lambda s: s.score, default=None)
