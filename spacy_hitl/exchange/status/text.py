"""Where each task stands, in lines that fit a terminal. Pure."""

import textwrap
from typing import Any, Dict, Iterator, List, Tuple

from pydantic import TypeAdapter

from ...records.base import VERSION
from .project import ProjectStatus
from .standing import (
    BROKEN,
    CURRENT,
    MISSING,
    NO,
    OLDER,
    PROMPTED,
    STALE,
    THIS,
    UNKNOWN,
    TaskStatus,
)

NAME = 11  # columns for the name of a step
WIDTHS = 60, 100  # columns: lines are never broken to less, and never longer


def task_lines(t: TaskStatus, *, width: int, link: str, version: str) -> List[str]:
    """Say where a task stands.

    t (TaskStatus): The task.
    width (int): Columns of the terminal. Commands are never broken: they are there to be copied.
    link (str): What production loads.
    version (str): Where it points to; empty without one.
    RETURNS (List[str]): One line for every step that was taken, then the next one and its command.
    """
    lines = [f"{t.task} ({t.kind}): {t.stage}"]
    for name, said in _steps(t, link, version):
        lines += _wrapped(said, width, first=f"  {name:<{NAME}}", rest=" " * (NAME + 2))
    for remark in (*t.decisions.remarks(), *t.problems):
        lines += _wrapped(remark, width, first="  ! ", rest="    ")
    lines += _wrapped(f"Next: {t.next.why}", width, first="  ", rest="    ")
    return [*lines, f"    {t.next.line}"]


def _steps(t: TaskStatus, link: str, version: str) -> Iterator[Tuple[str, str]]:
    yield "prompted", _prompted(t)
    if t.decided or t.decisions.in_part:
        yield "reviewed", _reviewed(t)
    if t.corpus.state != MISSING:
        yield "exported", t.corpus.path + ("" if t.corpus.state == CURRENT else f": {t.corpus.why}")
    if t.student.state != MISSING:
        yield "distilled", _distilled(t)
    if t.figures.state != MISSING:
        yield "evaluated", _evaluated(t)
    if t.gate.passed is False:
        yield "held", "; ".join(t.gate.reasons)
    if t.production.runs != NO:
        yield "promoted", f"{_runs(t)} in {link}, version {version}"


def _prompted(t: TaskStatus) -> str:
    p = t.proposals
    said = [f"{p.usable:,} usable proposals of {p.source}"]
    if p.unusable:
        said.append(f"not usable: {_counts(p.unusable)}")
    if p.other:
        said.append(f"not counted: {_counts(p.other)}")
    if p.missing:
        said.append(f"{p.missing:,} undecided texts not asked about")
    return "; ".join(said)


def _reviewed(t: TaskStatus) -> str:
    lanes = (("gold", t.gold), ("dev", t.dev), ("train", t.train))
    where = ", ".join(f"{lane.decided:,} of {lane.texts:,} {name}" for name, lane in lanes)
    return f"{t.decided:,} texts, {t.by_person:,} by people: {where}"


def _distilled(t: TaskStatus) -> str:
    said = t.student.path
    if t.student.corpora:
        said += " from " + ", ".join(f"{name} {digest}" for name, digest in t.student.corpora)
    if t.student.state == UNKNOWN:
        return f"{said}; {t.student.why}"
    return said + (f"; {t.student.state.upper()}: {t.student.why}" if t.student.why else "")


def _evaluated(t: TaskStatus) -> str:
    f = t.figures
    if f.state == BROKEN or f.score is None:
        return f.why
    interval = "" if f.low is None or f.high is None else f" ({f.low:.3f} to {f.high:.3f})"
    floor = ", no floor is set" if t.gate.floor is None else f", floor {t.gate.floor:.2f}"
    said = f"{f.main} {f.score:.3f}{interval} on {f.gold_texts:,} gold texts{floor}"
    return f"{said}; STALE: {f.why}" if f.state == STALE else said


def _runs(t: TaskStatus) -> str:
    return {THIS: "this student", OLDER: "an older student", PROMPTED: "asks a model"}[
        t.production.runs
    ]


def _counts(found: Dict[str, int]) -> str:
    return ", ".join(f"{n:,} {what}" for what, n in found.items())


def _wrapped(said: str, width: int, *, first: str, rest: str) -> List[str]:
    least, most = WIDTHS
    return textwrap.wrap(
        said,
        max(least, min(width, most)),
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def status_json(status: ProjectStatus) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): The same facts for machines: all fields, as JSON values."""
    value = TypeAdapter(ProjectStatus).dump_python(status, mode="json")
    for one, task in zip(value["tasks"], status.tasks, strict=True):
        one["stage"] = task.stage
        one["next"]["line"] = task.next.line
    return {"v": VERSION, **value}
