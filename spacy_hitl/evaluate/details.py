"""Errors, confusions and slices as tables one can read in a terminal."""

from collections import Counter
from typing import Dict, List, Sequence

from wasabi.tables import table

from ..scoring.error_types import BOTH, BOUNDARY, KINDS, LABEL
from ..scoring.results import SliceScore, SystemScore, TaskMetrics

MAX_LABELS = 10  # per system, those with most errors
MAX_PAIRS = 10


def details(metrics: TaskMetrics) -> str:
    """RETURNS (str): All tables of a task that have a line."""
    parts = (errors_table(metrics), confusion_table(metrics), slices_table(metrics))
    return "\n".join(part for part in parts if part)


def errors_table(metrics: TaskMetrics) -> str:
    """RETURNS (str): How often each system made each kind of error, in all and by label; empty if
    nobody made one.
    """
    kinds = kinds_of(metrics)
    rows = []
    for name, s in zip(_names(metrics.systems), metrics.systems, strict=True):
        by_label: Dict[str, Counter[str]] = {}
        for e in s.errors:
            by_label.setdefault(e.label, Counter())[e.kind] += e.count
        ranked = sorted(by_label, key=lambda x: (-by_label[x].total(), x))
        counts = [("all", sum(by_label.values(), Counter()))]
        if len(metrics.header.labels) > 1:
            counts += [(label, by_label[label]) for label in ranked[:MAX_LABELS]]
        if len(ranked) > MAX_LABELS:
            rest = ranked[MAX_LABELS:]
            counts.append((f"{len(rest)} others", sum((by_label[x] for x in rest), Counter())))
        for label, c in counts:
            cells = [str(c[kind]) for kind in kinds]
            rows.append([name, label, *cells, str(c.total())])
    if not any(s.errors for s in metrics.systems):
        return ""
    header = ("errors", "label", *kinds, "all")
    return str(table(rows, header=header, divider=True, aligns=("l", "l", *"r" * len(header[2:]))))


def kinds_of(metrics: TaskMetrics) -> List[str]:
    """RETURNS (List[str]): The kinds of errors that a task can have, in the order of `KINDS`."""
    header = metrics.header
    without = {
        "textcat": {BOUNDARY, BOTH, *(() if header.exclusive else (LABEL,))},
        "relations": {BOUNDARY, BOTH},
    }.get(header.kind, set())
    if len(header.labels) < 2:
        without = without | {LABEL, BOTH}
    return [kind for kind in KINDS if kind not in without]


def confusion_table(metrics: TaskMetrics) -> str:
    """RETURNS (str): Which label each system took for which other, the most frequent pairs; empty
    if none did.
    """
    rows = []
    for name, s in zip(_names(metrics.systems), metrics.systems, strict=True):
        for c in s.confusion[:MAX_PAIRS]:
            rows.append([name, c.wanted, c.found, str(c.count)])
        if len(s.confusion) > MAX_PAIRS:
            rest = s.confusion[MAX_PAIRS:]
            more = sum(c.count for c in rest)
            rows.append([name, f"{len(rest)} other pairs", "", str(more)])
    if not rows:
        return ""
    header = ("confusion", "wanted", "found", "times")
    return str(table(rows, header=header, divider=True, aligns=("l", "l", "l", "r")))


def slices_table(metrics: TaskMetrics) -> str:
    """RETURNS (str): The main score of every system on parts of the gold texts, with intervals;
    empty if there are too few texts for parts.
    """
    if not metrics.systems or not metrics.systems[0].slices:
        return ""
    rows = []
    for i, part in enumerate(metrics.systems[0].slices):
        cells = [_slice_cell(s.slices[i]) for s in metrics.systems]
        rows.append([part.by, part.value, str(part.texts), *cells])
    names = _names(metrics.systems)
    header = ("slice", "value", "texts", *names)
    aligns = ("l", "l", "r", *"l" * len(names))
    return str(table(rows, header=header, divider=True, aligns=aligns, max_col=40))


def _slice_cell(s: SliceScore) -> str:
    return f"{s.score:.2f} [{s.low:.2f}, {s.high:.2f}]"


def _names(systems: Sequence[SystemScore]) -> List[str]:
    """The roles, numbered where several systems have the same."""
    total = Counter(s.role for s in systems)
    seen: Counter[str] = Counter()
    names = []
    for s in systems:
        seen[s.role] += 1
        names.append(s.role if total[s.role] == 1 else f"{s.role} {seen[s.role]}")
    return names
