"""Parts of the gold texts that get a score of their own: by length, source, label, meta. Pure.

The number of parts is bounded and none is small: a score on a handful of texts says nothing. Names
that are too rare for a part of their own are put together; what is left out even so is told.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Collection, Dict, List, Optional, Sequence, Set, Tuple, Union

from ..records import NIL, Annotation, TaskHeader, TaskRow

Plain = Union[bool, int, float, str]

FEW = 10  # texts; a smaller part gets no score
MAX_PARTS = 8  # of one kind
MAX_FIELDS = 6  # of the meta
PARTS = 3  # of lengths and numbers: thirds with equally many texts


@dataclass(frozen=True)
class Slice:
    """A part of the gold texts.

    by: what they were sorted by; value: which part. texts: their numbers, rising. A text that stood
    in several rows may be in several parts.
    """

    by: str
    value: str
    texts: Tuple[int, ...]


def find_slices(
    header: TaskHeader, rows: Sequence[TaskRow]
) -> Tuple[Tuple[Slice, ...], Tuple[str, ...]]:
    """Sort gold texts into parts.

    header (TaskHeader): What the task is.
    rows (Sequence[TaskRow]): The gold texts with their decisions, and the rows they stood in.
    RETURNS (Tuple[Tuple[Slice, ...], Tuple[str, ...]]): Parts by length in words (thirds), by
        source, by the labels that are wanted (not of exclusive categories: there, that is recall)
        and by each field of the meta, where there are at least two of the kind. And sentences that
        say what was left out.
    """
    slices: List[Slice] = []
    notes: List[str] = []

    def add(by: str, found: Tuple[List[Slice], str]) -> None:
        parts, note = found
        if len(parts) > 1:
            slices.extend(parts)
        if note:
            notes.append(f"Slices by {by}: {note}")

    lengths = [[len(row.text.split())] for row in rows]
    add("length", _by_number("length", lengths, unit=" words"))
    sources = [{r.source for r in row.rows} for row in rows]
    add("source", _by_name("source", sources))
    if not (header.kind == "textcat" and header.exclusive):
        add("label", _by_name("label", [_wanted(row.decision) for row in rows]))
    fields = sorted({name for row in rows for r in row.rows for name in r.meta or {}})
    usable = []
    for name in fields:
        values = [[r.meta[name] for r in row.rows if r.meta and name in r.meta] for row in rows]
        found = _by_field(name, values)
        if found is not None and (len(found[0]) > 1 or found[1]):
            usable.append((name, found))
    for name, found in usable[:MAX_FIELDS]:
        add(name, found)
    if len(usable) > MAX_FIELDS:
        left = ", ".join(name for name, _ in usable[MAX_FIELDS:])
        notes.append(f"Slices: the first {MAX_FIELDS} fields of the meta, without {left}.")
    return tuple(slices), tuple(notes)


def _wanted(decision: Optional[Annotation]) -> Set[str]:
    one = decision or Annotation()
    labels = {s.kb_id or s.label or NIL for s in one.spans}
    return labels | {c.label for c in one.cats} | {r.label for r in one.relations}


def _by_field(name: str, values: Sequence[Sequence[Plain]]) -> Optional[Tuple[List[Slice], str]]:
    """RETURNS (Optional[Tuple[List[Slice], str]]): Dates by year (by month within one), numbers of
    many values in thirds, all else by its value; None for what is no group: ids, free text.
    """
    every = [v for some in values for v in some]
    dates = [_date(v) for v in every]
    if every and all(d is not None for d in dates):
        year_only = len({d[:4] for d in dates if d is not None}) > 1
        size = 4 if year_only else 7
        return _by_name(name, [{(_date(v) or "")[:size] for v in some} for some in values])
    distinct = len({str(v) for v in every})
    if distinct > MAX_PARTS and all(_is_number(v) for v in every):
        return _by_number(name, [[float(v) for v in some] for some in values])
    if distinct > max(MAX_PARTS, len(every) // FEW):
        return None
    return _by_name(name, [{str(v) for v in some} for some in values])


def _by_name(by: str, names: Sequence[Collection[str]]) -> Tuple[List[Slice], str]:
    """One part per name: the frequent ones, and all others together."""
    texts: Dict[str, List[int]] = {}
    for i, some in enumerate(names):
        for name in sorted(set(some)):
            texts.setdefault(name, []).append(i)
    ranked = sorted(texts, key=lambda name: (-len(texts[name]), name))
    if len(ranked) < 2 or sum(1 for some in names if some) < 2 * FEW:
        return [], ""  # too few texts for any two parts
    kept = [name for name in ranked if len(texts[name]) >= FEW]
    if len(kept) > MAX_PARTS:
        kept = kept[: MAX_PARTS - 1]
    slices = [Slice(by, name, tuple(texts[name])) for name in sorted(kept)]
    rest = [name for name in ranked if name not in kept]
    others = sorted({i for name in rest for i in texts[name]})
    if len(others) >= FEW and len(rest) > 1:
        slices.append(Slice(by, f"{len(rest)} others", tuple(others)))
    elif rest:
        shown = ", ".join(f"{name} ({len(texts[name])})" for name in rest[:5])
        more = f" and {len(rest) - 5} more" if len(rest) > 5 else ""
        return slices, f"left out for having fewer than {FEW} texts: {shown}{more}."
    return slices, ""


def _by_number(
    by: str, values: Sequence[Sequence[float]], *, unit: str = ""
) -> Tuple[List[Slice], str]:
    """Parts of about equally many values; equal ones stay together, and no part is small."""
    every = sorted(v for some in values for v in some if math.isfinite(v))
    wanted = min(PARTS, len(every) // FEW)
    cuts = [every[len(every) * k // wanted - 1] for k in range(1, wanted)]
    low = -math.inf
    slices = []
    for high in [*sorted(set(cuts)), math.inf]:
        texts = _between(values, low, high)
        if len(texts) < FEW or (high < math.inf and len(_between(values, high, math.inf)) < FEW):
            continue  # it is part of the next one
        inside = [v for v in every if low < v <= high]
        first, last = (f"{v:g}" for v in (inside[0], inside[-1]))
        name = first if first == last else f"{first} to {last}"
        slices.append(Slice(by, f"{name}{unit}", texts))
        low = high
    return slices, ""


def _between(values: Sequence[Sequence[float]], low: float, high: float) -> Tuple[int, ...]:
    return tuple(i for i, some in enumerate(values) if any(low < v <= high for v in some))


def _is_number(value: Plain) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _date(value: Plain) -> Optional[str]:
    """RETURNS (Optional[str]): The day of an ISO date or time."""
    if not isinstance(value, str) or len(value) < 8:
        return None
    try:
        return datetime.fromisoformat(value).date().isoformat()
    except ValueError:
        return None
