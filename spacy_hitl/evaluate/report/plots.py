"""Plots of what was measured. Each returns None where there is nothing to see."""

from typing import List, Optional, Sequence, Tuple

import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from ...scoring.error_types import KINDS
from ...scoring.results import SystemScore, TaskMetrics
from . import figures
from .drawing import COLOURS, Plot, dot, drawing, name_rows, score_axis, to_plot

MAX_LABELS = 24
ROW = 0.34  # inches


def systems_plot(m: TaskMetrics) -> Plot:
    """RETURNS (Plot): The main score of every system with its interval."""
    key, systems = f"{figures.key(m)}-systems", m.systems
    with drawing(0.75 + ROW * len(systems), key) as (figure, axes):
        for y, s in enumerate(systems):
            dot(axes, y, s.score, (s.low, s.high), rank=figures.role_rank(s.role))
            axes.annotate(
                figures.score(s.score),
                (s.score, y),
                xytext=(0, 6),
                textcoords="offset points",
                ha="center",
                fontsize=9,
            )
        names = [figures.system_name(m, s) for s in systems]
        name_rows(axes, names, label=figures.metric_name(m))
        score_axis(axes, min(s.low for s in systems))
        figure.align_labels()
        text = "; ".join(
            f"{name} {figures.score(s.score)} ({figures.interval(s.low, s.high)})"
            for name, s in zip(names, systems, strict=True)
        )
        return to_plot(figure, key, title="Score of each system with its 95% interval", text=text)


def labels_plot(
    m: TaskMetrics, subject: SystemScore, other: Optional[SystemScore]
) -> Optional[Plot]:
    """RETURNS (Optional[Plot]): F per label, lowest first; None with one label only."""
    labels = sorted(subject.labels, key=lambda x: (x.f, x.label))[:MAX_LABELS]
    if len(labels) < 2:
        return None
    key = f"{figures.key(m)}-labels"
    theirs = {} if other is None else {x.label: x for x in other.labels}
    name = figures.system_name(m, subject)
    with drawing(0.95 + 0.8 * ROW * len(labels), key) as (figure, axes):
        for y, label in enumerate(labels):
            if other is not None and label.label in theirs:
                dot(
                    axes,
                    y,
                    theirs[label.label].f,
                    None,
                    rank=figures.role_rank(other.role),
                    hollow=True,
                )
            dot(axes, y, label.f, label.f_bounds, rank=figures.role_rank(subject.role))
        name_rows(axes, [x.label for x in labels], label="F")
        lows = [label.f if label.f_bounds is None else label.f_bounds[0] for label in labels]
        score_axis(axes, min(lows))
        shown = [(subject, name)] + (
            [] if other is None else [(other, figures.system_name(m, other))]
        )
        for n, (system, label_) in enumerate(shown):
            rank = figures.role_rank(system.role)
            dot(axes, np.nan, np.nan, None, rank=rank, hollow=bool(n), label=label_)
        figure.legend(loc="outside upper left", ncols=2)
        more = len(subject.labels) - len(labels)
        note = f"The {len(labels)} lowest of {len(subject.labels)} labels." if more else ""
        text = "; ".join(f"{x.label} {figures.score(x.f)}" for x in labels)
        return to_plot(figure, key, title=f"F of each label, {name}", text=text, note=note)


def errors_plot(m: TaskMetrics, subject: SystemScore) -> Optional[Plot]:
    """RETURNS (Optional[Plot]): Errors by label and kind, as stacked bars; None without errors."""
    bars = count_by_label(subject)
    if not bars:
        return None
    key = f"{figures.key(m)}-errors"
    used = [i for i in range(len(KINDS)) if any(counts[i] for _, counts in bars)]
    most = max(sum(counts) for _, counts in bars)
    with drawing(0.95 + ROW * len(bars), key) as (figure, axes):
        left = np.zeros(len(bars))
        for i in used:
            widths = np.array([counts[i] for _, counts in bars])
            colour = COLOURS[f"e{i}"]
            axes.barh(
                range(len(bars)),
                widths,
                left=left,
                height=0.66,
                color=colour,
                edgecolor=COLOURS["paper"],
                linewidth=1,
                label=KINDS[i],
            )
            for y, width in enumerate(widths):
                if width >= most * 0.045:
                    x = left[y] + width / 2
                    colour = COLOURS["on"]
                    axes.text(x, y, str(width), ha="center", va="center", color=colour, fontsize=9)
            left += widths
        for y, end in enumerate(left):
            axes.annotate(
                f"{end:.0f}", (end, y), xytext=(4, 0), textcoords="offset points", va="center"
            )
        name_rows(axes, [label for label, _ in bars], label="errors")
        axes.set_xlim(0, most * 1.08)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        figure.legend(loc="outside upper left", ncols=len(used))
        text = "; ".join(
            f"{label}: " + ", ".join(f"{n} {KINDS[i]}" for i, n in enumerate(counts) if n)
            for label, counts in bars
        )
        title = f"Errors of the {figures.system_name(m, subject)} by label"
        return to_plot(figure, key, title=title, text=text)


def count_by_label(subject: SystemScore) -> List[Tuple[str, Tuple[int, ...]]]:
    """RETURNS (List[Tuple[str, Tuple[int, ...]]]): Each label with its errors by kind, those with
    most errors first; rare ones together.
    """
    found = {e.label: [0] * len(KINDS) for e in subject.errors if e.count}
    for e in subject.errors:
        if e.count and e.kind in KINDS:
            found[e.label][KINDS.index(e.kind)] += e.count
    ranked = sorted(found.items(), key=lambda item: (-sum(item[1]), item[0]))
    rows = [(label, tuple(counts)) for label, counts in ranked[:MAX_LABELS]]
    rest = [counts for _, counts in ranked[MAX_LABELS:]]
    if rest:
        rows.append((f"{len(rest)} others", tuple(map(sum, zip(*rest, strict=True)))))
    return rows


def speed_plot(m: TaskMetrics, words: Optional[float]) -> Optional[Plot]:
    """Draw speed against quality.

    m (TaskMetrics): The systems.
    words (Optional[float]): Words in a text, the mean; turns the waiting of a model into a speed.
    RETURNS (Optional[Plot]): None with fewer than two systems whose speed is known.
    """
    speeds = [(s, speed_of(s, words)) for s in m.systems]
    known = [(s, speed) for s, speed in speeds if speed]
    if len(known) < 2:
        return None
    key = f"{figures.key(m)}-speed"
    with drawing(3.0, key) as (figure, axes):
        for s, speed in known:
            bounds = (s.low, s.high)
            dot(axes, s.score, speed, bounds, rank=figures.role_rank(s.role), upright=True)
            axes.annotate(
                figures.system_name(m, s),
                (speed, s.score),
                xytext=(8, 4),
                textcoords="offset points",
            )
        axes.set_xscale("log")
        values = [speed for _, speed in known]
        axes.set_xlim(min(values) / 2, max(values) * 4)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.10g}"))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("words a second")
        axes.set_ylabel(figures.metric_name(m))
        axes.grid()
        text = "; ".join(
            f"{figures.system_name(m, s)}: {speed:,.0f} words/s, {figures.score(s.score)}"
            for s, speed in known
        )
        note = ""
        if any(s.llm is not None for s, _ in known):
            note = (
                "Of a prompted component: by the waiting for stored answers, one after the other."
            )
        return to_plot(figure, key, title="Speed against quality", text=text, note=note)


def speed_of(s: SystemScore, words: Optional[float]) -> Optional[float]:
    """RETURNS (Optional[float]): Words a second; of a model from how long its answers took."""
    if s.speed is not None:
        return s.speed.words_per_s
    if s.words_per_s is not None:
        return s.words_per_s
    if s.llm is None or not s.llm.seconds or words is None:
        return None
    return 1000 * words / s.llm.seconds


def time_plot(seconds: Sequence[float]) -> Optional[Plot]:
    """RETURNS (Optional[Plot]): How long answers took; None with fewer than ten of them."""
    values = np.maximum(np.asarray(seconds, dtype=np.float64), 0.5)
    if len(values) < 10:
        return None
    key, median = "time", float(np.median(values))
    with drawing(2.6, key) as (figure, axes):
        edges = np.geomspace(0.5, max(60.0, float(values.max())), 25)
        axes.hist(
            values,
            bins=edges.tolist(),
            color=COLOURS["s2"],
            edgecolor=COLOURS["paper"],
            linewidth=1,
        )
        axes.axvline(median, color=COLOURS["ink"], linewidth=1)
        axes.annotate(
            f"median {median:.1f} s",
            (median, 1),
            xycoords=("data", "axes fraction"),
            xytext=(5, -4),
            va="top",
            textcoords="offset points",
        )
        axes.set_ylim(top=1.16 * axes.get_ylim()[1])
        axes.set_xscale("log")
        ticks = [t for t in (1, 2, 5, 10, 20, 60, 120, 300, 900, 3600) if t <= edges[-1]]
        axes.xaxis.set_major_locator(FixedLocator(ticks))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        axes.set_xlabel("seconds for an answer")
        axes.set_ylabel("answers")
        axes.grid(axis="y")
        text = f"{len(values):,} answers, median {median:.1f} seconds"
        return to_plot(figure, key, title="How long answers took", text=text)
