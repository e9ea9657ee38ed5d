"""Speed, memory, cost and time as a table one can read in a terminal."""

from typing import List, Optional, Sequence

from wasabi.tables import table

from ..scoring.results import LlmUse, Speed, TaskMetrics
from .table import short_name

SHARE = 0.9  # of the core; below it, the figures are those of a busy machine
HEADER = (
    "system",
    "words/s",
    "p50 ms",
    "p99 ms",
    "start s",
    "peak MB",
    "requests",
    "tokens in",
    "tokens out",
    "cost",
    "wait min",
)


def cost_table(metrics: TaskMetrics) -> str:
    """Render what the systems of a task take.

    metrics (TaskMetrics): Of one task.
    RETURNS (str): The table and what its figures are, or an empty string if there are none.
    """
    rows = [
        [short_name(s.name), *_speed_cells(s.speed), *_llm_cells(s.llm)]
        for s in metrics.systems
        if s.speed is not None or s.llm is not None
    ]
    lines: List[str] = []
    if rows:
        aligns = ("l", *"r" * (len(HEADER) - 1))
        lines.append(str(table(rows, header=HEADER, divider=True, aligns=aligns, max_col=60)))
        lines.extend(_notes(metrics))
    lines.extend(_human_line(metrics))
    return "\n".join(lines)


def _speed_cells(speed: Optional[Speed]) -> List[str]:
    if speed is None:
        return ["-"] * 5
    return [
        f"{speed.words_per_s:,.0f}",
        _number(speed.p50_ms, "{:.1f}"),
        _number(speed.p99_ms, "{:.1f}"),
        _number(speed.cold_start_s, "{:.1f}"),
        _number(speed.peak_megabytes, "{:.0f}"),
    ]


def _llm_cells(use: Optional[LlmUse]) -> List[str]:
    if use is None:
        return ["-"] * 5
    return [
        f"{use.requests:,.0f}",
        _number(use.prompt_tokens, "{:,.0f}"),
        _number(use.completion_tokens, "{:,.0f}"),
        _number(use.cost, "{:,.2f}"),
        _number(None if use.seconds is None else use.seconds / 60, "{:,.1f}"),
    ]


def _notes(metrics: TaskMetrics) -> List[str]:
    notes = []
    speeds = [s.speed for s in metrics.systems if s.speed is not None]
    if speeds:
        runs = _span([len(s.runs) for s in speeds])
        texts = _span([s.texts for s in speeds if s.texts is not None])
        notes.append(
            f"words/s: one core, one thread, warm, median of {runs} runs over {texts} texts. p50, "
            "p99: texts one by one. start: from the start of Python to the first annotated text. "
            f"Processor: {speeds[0].processor or 'not known'}."
        )
    busy = [s.core_share for s in speeds if s.core_share is not None and s.core_share < SHARE]
    if busy:
        notes.append(
            f"NOTE: other programs were running: what was timed had {min(busy):.0%} of its core. "
            "It is faster than these figures."
        )
    uses = [s.llm for s in metrics.systems if s.llm is not None]
    if uses:
        answers = _span([u.answers for u in uses])
        notes.append(
            f"requests, tokens, cost, wait: per 1,000 texts, from {answers} stored answers on gold "
            "texts; wait: one request after the other. -: the store does not know (cost: or "
            "[hitl.prices] has no price)."
        )
    return notes


def _human_line(metrics: TaskMetrics) -> List[str]:
    parts = [
        f"{seconds / 60:,.1f} minutes {what}"
        for seconds, what in (
            (metrics.human_seconds, "on texts to learn from"),
            (metrics.human_gold_seconds, "on gold"),
        )
        if seconds is not None
    ]
    return [f"{metrics.header.task}: people decided for {' and '.join(parts)}."] if parts else []


def _span(counts: Sequence[int]) -> str:
    """RETURNS (str): "5", or "3 to 5"."""
    if not counts:
        return "an unknown number of"
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _number(value: Optional[float], form: str) -> str:
    return "-" if value is None else form.format(value)
