"""Agreement as tables one can read in a terminal."""

from typing import List, Optional

from wasabi.tables import table

from ...scoring.agreement import FEW, Agreement
from ...scoring.intervals import Interval
from .agreement import TaskAgreement


def label_table(found: TaskAgreement) -> str:
    """RETURNS (str): How people agree, on all labels together and on each."""
    header = ("people", "texts", "alpha", "F", "F, overlapping")
    rows = [
        (a.label or "all", a.texts, _figure(a.alpha), _figure(a.f), _figure(a.relaxed))
        for a in (found.together, *found.labels)
    ]
    return str(table(rows, header=header, divider=True, max_col=60))


def pair_table(found: TaskAgreement) -> str:
    """RETURNS (str): How each pair agrees: two people, or anybody and a model."""
    header = ("pair", "texts", "kappa", "F", "F, overlapping")
    models = set(found.models)
    pairs = [*found.together.pairs]
    pairs += (p for p in found.all.pairs if models & {p.first, p.second})
    rows = [
        (
            f"{p.first} and {p.second}",
            p.texts,
            _figure(p.kappa),
            _figure(p.f),
            _figure(p.relaxed),
        )
        for p in pairs
        if p.texts
    ]
    return str(table(rows, header=header, divider=True, max_col=60))


def remarks(found: TaskAgreement) -> List[str]:
    """RETURNS (List[str]): What must be known to read the figures rightly."""
    lines = []
    if found.ways:
        ways = ", ".join(f"{n} {way}" for way, n in found.ways.items())
        lines.append(f"Where people differ: {ways}.")
    if found.refused:
        lines.append(f"{_texts(found.refused)} somebody rejected and somebody accepted.")
    if found.seen:
        lines.append(
            f"{found.seen} of {found.compared} answers that are compared with a model were given "
            "with a proposal in sight: people tend to agree with what they see."
        )
    if _few(found.together) or _few(found.all):
        lines.append(f"No figure is made from fewer than {FEW} texts.")
    return lines


def _few(agreement: Agreement) -> bool:
    return any(0 < p.texts < FEW for p in agreement.pairs)


def _figure(value: Optional[Interval]) -> str:
    return "-" if value is None else str(value)


def _texts(n: int) -> str:
    return "1 text" if n == 1 else f"{n:,} texts"
