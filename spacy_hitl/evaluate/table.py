"""Metrics as a table one can read in a terminal."""

from typing import List, Literal, Optional, Sequence, Tuple

from wasabi.tables import table

from ..records import PERSON
from ..scoring.results import Bounds, SystemScore, TaskMetrics, Utility
from ..scoring.utility import best_for_business, most_accurate

Align = Literal["l", "r", "c"]
HEADER = ("task", "system", "score", "95% interval", "P", "R", "words/s", "MB")


def system_row(task: str, s: SystemScore) -> List[str]:
    """RETURNS (List[str]): One line of the table."""
    return [
        task,
        f"{s.role}: {short_name(s.name)}" if s.role == "baseline" else s.role,
        f"{s.score:.3f}",
        f"{s.low:.3f} to {s.high:.3f}",
        f"{s.p:.2f}",
        f"{s.r:.2f}",
        _number(s.words_per_s, "{:,.0f}"),
        _number(s.megabytes, "{:.1f}"),
    ]


def _worth(u: Utility, *, sign: str = "") -> str:
    """RETURNS (str): Money with its interval."""
    digits = 0 if max(abs(u.low), abs(u.high)) >= 100 else 2
    return " ".join(
        (
            f"{u.value:{sign},.{digits}f}",
            f"[{u.low:{sign},.{digits}f}, {u.high:{sign},.{digits}f}]",
        )
    )


def _number(value: Optional[float], form: str) -> str:
    return "-" if value is None else form.format(value)


def short_name(name: str, *, width: int = 34) -> str:
    """RETURNS (str): The end of a long name.

    >>> short_name("training/product/model-best", width=13)
    '...model-best'
    """
    return name if len(name) <= width else "..." + name[-width + 3 :]


def overview(metrics: Sequence[TaskMetrics]) -> str:
    """Render all systems of some tasks.

    metrics (Sequence[TaskMetrics]): One per task.
    RETURNS (str): The table, and below it what the figures rest on.
    """
    rows = [system_row(m.main, s) for m in metrics for s in m.systems]
    header: Tuple[str, ...] = HEADER
    aligns: Tuple[Align, ...] = ("l", "l", "r", "l", "r", "r", "r", "r")
    systems = [s for m in metrics for s in m.systems]
    if any(s.utility is not None for s in systems):
        header, aligns = (*HEADER, "worth of 1,000"), (*aligns, "l")
        for row, s in zip(rows, systems, strict=True):
            row.append("-" if s.utility is None else _worth(s.utility))
    lines = [table(rows, header=header, divider=True, aligns=aligns, max_col=60)]
    lines.extend(footnotes(metrics))
    return "\n".join(lines)


def footnotes(metrics: Sequence[TaskMetrics]) -> List[str]:
    """RETURNS (List[str]): What must be known to read the figures rightly."""
    notes: List[str] = []
    for m in metrics:
        notes.extend(f"{m.header.task}: {note}" for note in m.notes)
        origins = ", ".join(
            f"{n} {'by a person' if o == PERSON else 'imported'}" for o, n in m.origins
        )
        notes.append(
            f"{m.header.task}: {m.gold_texts} gold texts ({origins}),"
            f" {'blind' if m.blind else 'NOT blind: some saw a proposal'}."
        )
    if any(origin != PERSON for m in metrics for origin, _ in m.origins):
        notes.append(
            "NOTE: imported gold decisions were not made by a person in this project. Figures on "
            "them show how the tools work, not how good the system is for your users."
        )
    notes.append(
        "Intervals: 95%, with documents as the units. words/s: whole pipeline of the system, "
        "one core; none for a model that is replayed or asked over a network."
    )
    return notes


def label_table(metrics: TaskMetrics) -> str:
    """RETURNS (str): Scores per label of every system of a task, with their 95% intervals."""
    rows = []
    for s in metrics.systems:
        for label in s.labels:
            figures = (
                _bounded(label.p, label.p_bounds),
                _bounded(label.r, label.r_bounds),
                _bounded(label.f, label.f_bounds),
            )
            counts = (str(label.tp), str(label.fp), str(label.fn))
            rows.append([s.role, label.label, *figures, *counts])
    header = ("system", "label", "P", "R", "F", "tp", "fp", "fn")
    return str(table(rows, header=header, divider=True, aligns=("l", "l", *"lllrrr")))


def _bounded(value: float, bounds: Optional[Bounds]) -> str:
    """RETURNS (str): A score with its interval, "-" where it is not defined."""
    return "-" if bounds is None else f"{value:.2f} [{bounds[0]:.2f}, {bounds[1]:.2f}]"


def comparison_lines(metrics: TaskMetrics) -> List[str]:
    """RETURNS (List[str]): In words: every system against every other, paired."""
    task = metrics.header.task
    return [
        f"{task}: {short_name(c.first)} is {c.value:+.3f} [{c.low:+.3f}, {c.high:+.3f}] against "
        f"{short_name(c.second)}; better with probability {c.better:.2f}."
        for c in metrics.comparisons
    ]


def business_line(metrics: TaskMetrics) -> str:
    """RETURNS (str): Which system is worth most, and whether that is the most accurate one; empty
    where it is not known what annotations are worth.
    """
    best, accurate = best_for_business(metrics.systems), most_accurate(metrics.systems)
    if best is None or best.utility is None or accurate is None:
        return ""
    task = metrics.header.task
    line = (
        f"{task}: better for the business is {short_name(best.name)}: 1,000 texts are worth "
        f"{_worth(best.utility)}"
    )
    if best == accurate:
        return f"{line}. It is the most accurate one, too."
    between = metrics.compared(best.name, accurate.name)
    line += f". The most accurate one is {short_name(accurate.name)}"
    if between is None or between.utility is None:
        return f"{line}."
    u = between.utility
    sure = "" if u.low > 0 else ", which may be chance"
    return f"{line}; the difference is {_worth(u, sign='+')}{sure}."
