"""Tables of the report: what was measured, as rows of cells. Pure."""

from dataclasses import dataclass
from typing import Callable, Dict, List, Optional, Sequence, Tuple

from ...scoring.results import SystemScore, TaskMetrics
from . import figures

MAX_LABELS = 60
MAX_PAIRS = 20
BUSY = 0.9  # share of the core below which speed says little
MATRIX = 8  # labels; more of them make a list


@dataclass(frozen=True)
class Table:
    """A table whose first column names the rows.

    head: names of the columns. rows: as many cells each. texts: how many of the first columns hold
    words; the others hold numbers.
    """

    caption: str
    head: Tuple[str, ...]
    rows: Tuple[Tuple[str, ...], ...]
    texts: int = 1
    note: str = ""


def systems_table(m: TaskMetrics) -> Table:
    """RETURNS (Table): All systems with the main score, its interval, and their worth."""
    name = figures.metric_name(m)
    head = ["system", "what it is", name, "95% interval", "P", "R"]
    accuracy = any(s.accuracy is not None for s in m.systems)
    worth = any(s.utility is not None for s in m.systems)
    if accuracy:
        head.append("accuracy")
    if worth:
        head.append("worth per 1,000 texts")
    rows = []
    for s in m.systems:
        row = [
            figures.system_name(m, s),
            s.name,
            figures.score(s.score),
            figures.interval(s.low, s.high),
            f"{s.p:.2f}",
            f"{s.r:.2f}",
        ]
        if accuracy:
            row.append("–" if s.accuracy is None else f"{s.accuracy:.1%}")
        if worth:
            u = s.utility
            row.append("–" if u is None else f"{u.value:,.2f} ({u.low:,.2f} to {u.high:,.2f})")
        rows.append(tuple(row))
    return Table("Systems on the same gold texts", tuple(head), tuple(rows), texts=2)


def comparisons_table(m: TaskMetrics) -> Optional[Table]:
    """RETURNS (Optional[Table]): Every system against every other, paired; None with one only."""
    names = {s.name: figures.system_name(m, s) for s in m.systems}
    rows = tuple(
        (
            names.get(c.first, c.first),
            names.get(c.second, c.second),
            figures.signed(c.value),
            figures.signed_interval(c.low, c.high),
            figures.probability(c.better),
        )
        for c in m.comparisons
    )
    head = ("system", "against", "difference", "95% interval", "probability that it is better")
    caption = "Systems against each other, on the same texts"
    return Table(caption, head, rows, texts=2) if rows else None


def labels_table(m: TaskMetrics, subject: SystemScore) -> Table:
    """RETURNS (Table): Every label of one system with counts and intervals."""
    rows = [
        (
            x.label,
            _figure(x.p, x.p_bounds),
            _figure(x.r, x.r_bounds),
            _figure(x.f, x.f_bounds),
            f"{x.tp:,}",
            f"{x.fp:,}",
            f"{x.fn:,}",
        )
        for x in subject.labels[:MAX_LABELS]
    ]
    more = len(subject.labels) - len(rows)
    note = f"{figures.count(more, 'more label')} in the metrics file." if more else ""
    caption = f"Labels of the {figures.system_name(m, subject)}, with 95% intervals"
    head = ("label", "P", "R", "F", "right", "false", "missed")
    return Table(caption, head, tuple(rows), note=note)


def _figure(value: float, bounds: Optional[Tuple[float, float]]) -> str:
    return f"{value:.2f}" + ("" if bounds is None else f" ({bounds[0]:.2f} to {bounds[1]:.2f})")


def confusion_table(m: TaskMetrics, subject: SystemScore) -> Optional[Table]:
    """RETURNS (Optional[Table]): What was taken for what: all against all for a few exclusive
    categories, else the most frequent pairs. None without such errors.
    """
    if not subject.confusion:
        return None
    name = figures.system_name(m, subject)
    labels = m.header.labels
    if m.header.exclusive and len(labels) <= MATRIX:
        found: Dict[Tuple[str, str], int] = {
            (c.wanted, c.found): c.count for c in subject.confusion
        }
        found.update({(x.label, x.label): x.tp for x in subject.labels})
        matrix = tuple(
            (wanted, *(f"{found.get((wanted, label), 0):,}" for label in labels))
            for wanted in labels
        )
        caption = f"What was wanted (rows) and what the {name} found (columns)"
        return Table(caption, ("wanted", *(f"found {label}" for label in labels)), matrix)
    rows = tuple((c.wanted, c.found, f"{c.count:,}") for c in subject.confusion[:MAX_PAIRS])
    more = len(subject.confusion) - len(rows)
    note = f"{figures.count(more, 'rarer pair')} in the metrics file." if more else ""
    caption = f"What the {name} takes for something else"
    return Table(caption, ("wanted", "found", "how often"), rows, texts=2, note=note)


def slices_table(
    m: TaskMetrics, subject: SystemScore, other: Optional[SystemScore]
) -> Optional[Table]:
    """RETURNS (Optional[Table]): The main score on parts of the gold texts; None if unknown."""
    if not subject.slices:
        return None
    shown = [subject] + ([] if other is None or not other.slices else [other])
    theirs = [{(x.by, x.value): x for x in s.slices} for s in shown]
    rows = []
    for part in subject.slices:
        cells = [part.by, part.value, f"{part.texts:,}"]
        for known in theirs:
            x = known.get((part.by, part.value))
            cells.append("–" if x is None else f"{x.score:.2f} ({x.low:.2f} to {x.high:.2f})")
        rows.append(tuple(cells))
    head = ("by", "part", "texts", *(figures.system_name(m, s) for s in shown))
    caption = f"{figures.metric_name(m)} on parts of the gold texts, with 95% intervals"
    return Table(caption[:1].upper() + caption[1:], head, tuple(rows), texts=2)


def speed_table(m: TaskMetrics) -> Optional[Table]:
    """RETURNS (Optional[Table]): Speed, memory, size of trained systems; None if unknown."""
    columns: Sequence[Tuple[str, Callable[[SystemScore], str]]] = (
        ("words a second", lambda s: figures.number(_words(s))),
        ("runs", lambda s: _runs(s)),
        ("p50 ms", lambda s: figures.number(s.speed.p50_ms if s.speed else None, 1)),
        ("p99 ms", lambda s: figures.number(s.speed.p99_ms if s.speed else None, 1)),
        ("cold start, s", lambda s: figures.number(s.speed.cold_start_s if s.speed else None, 1)),
        ("memory, MB", lambda s: figures.number(s.speed.peak_megabytes if s.speed else None)),
        ("on disk, MB", lambda s: figures.number(s.megabytes, 1)),
    )
    known = [s for s in m.systems if _words(s) is not None or s.megabytes is not None]
    processors = sorted({s.speed.processor for s in known if s.speed and s.speed.processor})
    note = f"Measured on: {', '.join(processors)}." if processors else ""
    shares = [s.speed.core_share for s in known if s.speed and s.speed.core_share is not None]
    if shares and min(shares) < BUSY:
        note += f" Other programs were running, so that a system got {min(shares):.0%} of the core"
        note += " at the least: measure again on a quiet machine."
    return _measured(m, known, columns, "How fast and how large the trained systems are", note)


def cost_table(m: TaskMetrics) -> Optional[Table]:
    """RETURNS (Optional[Table]): What 1,000 texts cost where a model is asked; None if unknown."""
    columns: Sequence[Tuple[str, Callable[[SystemScore], str]]] = (
        ("requests", lambda s: figures.number(s.llm.requests if s.llm else None)),
        ("tokens in", lambda s: figures.number(s.llm.prompt_tokens if s.llm else None)),
        ("tokens out", lambda s: figures.number(s.llm.completion_tokens if s.llm else None)),
        ("money", lambda s: figures.number(s.llm.cost if s.llm else None, 2)),
        ("waiting, s", lambda s: figures.number(s.llm.seconds if s.llm else None)),
        ("stored answers", lambda s: figures.number(s.llm.answers if s.llm else None)),
    )
    known = [s for s in m.systems if s.llm is not None]
    return _measured(m, known, columns, "What 1,000 texts cost where a model is asked", "")


def _measured(
    m: TaskMetrics,
    systems: Sequence[SystemScore],
    columns: Sequence[Tuple[str, Callable[[SystemScore], str]]],
    caption: str,
    note: str,
) -> Optional[Table]:
    """A table without the columns of which nothing is known."""
    cells = [[get(s) for s in systems] for _, get in columns]
    kept = [i for i, column in enumerate(cells) if any(cell != "–" for cell in column)]
    if not kept:
        return None
    rows: List[Tuple[str, ...]] = [
        (figures.system_name(m, s), *(cells[i][n] for i in kept)) for n, s in enumerate(systems)
    ]
    return Table(caption, ("system", *(columns[i][0] for i in kept)), tuple(rows), note=note)


def _words(s: SystemScore) -> Optional[float]:
    return s.speed.words_per_s if s.speed is not None else s.words_per_s


def _runs(s: SystemScore) -> str:
    runs = s.speed.runs if s.speed is not None else ()
    return f"{min(runs):,.0f} to {max(runs):,.0f}" if len(runs) > 1 else "–"
