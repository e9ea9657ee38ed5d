"""What a whole corpus teaches: in which order, how often, and what is left out. Pure."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Dict, List, Mapping, Optional, Sequence

from ...errors import Errors, InputError
from ...records import TRAIN, TaskHeader, TaskRow
from .lessons import (
    BLIND,
    DECISION,
    EVIDENCE,
    PARTIAL,
    PROPOSAL,
    Lesson,
    leave_out_near_dev,
    lessons_of,
)


@dataclass(frozen=True)
class Curriculum:
    """What a corpus teaches.

    lessons: in the order in which they come, with repetitions. counts: texts by kind of evidence,
    each counted once. left_out: texts, or parts of texts, that teach nothing, by reason.
    """

    lessons: List[Lesson] = field(default_factory=list)
    counts: Dict[str, int] = field(default_factory=dict)
    left_out: Dict[str, int] = field(default_factory=dict)

    @property
    def closed(self) -> bool:
        """Whether anything in it was looked at for everything there is."""
        return any(lesson.closed for lesson in self.lessons)

    def __str__(self) -> str:
        known = [f"{kind} {self.counts[kind]}" for kind in EVIDENCE if kind in self.counts]
        lost = [f"{what} {count}" for what, count in self.left_out.items()]
        end = f"; left out: {', '.join(lost)}" if lost else ""
        return (", ".join(known) or "nothing") + end


def read_weights(
    task: str,
    weights: Optional[Mapping[str, int]],
    *,
    repeat: int,
    decisions: bool,
    proposals: bool,
) -> Dict[str, int]:
    """Fill in how often each kind of evidence comes.

    task (str): Name of the task.
    weights (Optional[Mapping[str, int]]): What was asked for.
    repeat (int): How often what was decided comes if nothing else was asked for.
    decisions (bool): Whether decisions are read.
    proposals (bool): Whether proposals are read. They come once if nothing else was asked for.
    RETURNS (Dict[str, int]): A number from 0 for each of EVIDENCE. What was decided blind comes
        as often as the other decisions if nothing else was asked for.
    RAISES (InputError): If a kind or a number can't be used, or weighs what is not read.
    """
    given = dict(weights or {})
    for kind, weight in given.items():
        known = ", ".join(EVIDENCE)
        if kind not in EVIDENCE or type(weight) is not int or weight < 0:
            problem = f"found {kind!r}: {weight!r}"
            raise InputError(Errors.H321.format(task=task, problem=problem, known=known))
        option = "proposals" if kind == PROPOSAL else "decisions"
        if weight and not (proposals if kind == PROPOSAL else decisions):
            raise InputError(Errors.H322.format(task=task, kind=kind, weight=weight, option=option))
    filled = {kind: 1 if kind == PROPOSAL else repeat for kind in EVIDENCE}
    if DECISION in given:
        filled[BLIND] = given[DECISION]
    return {**filled, **given}


def plan(
    header: TaskHeader,
    rows: Sequence[TaskRow],
    *,
    lane: str,
    decisions: bool,
    proposals: bool,
    weights: Mapping[str, int],
    near_duplicates: Optional[float] = None,
) -> Curriculum:
    """Say what a corpus teaches, and how often.

    header (TaskHeader): The task.
    rows (Sequence[TaskRow]): Its rows of lanes train and dev.
    lane (str): The lane to read. Only train reads what was decided of a part: dev measures, and
        that takes whole texts.
    decisions (bool): Read what was decided.
    proposals (bool): Read what was proposed.
    weights (Mapping[str, int]): How often each of EVIDENCE comes; 0 leaves it out.
    near_duplicates (Optional[float]): Leave out of train what is this similar to a text of dev.
    RETURNS (Curriculum): Decided texts come first, then parts of texts, then proposals.
    """
    counts: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    if lane == TRAIN:
        rows, near = leave_out_near_dev(rows, near_duplicates)
        left_out.update({"near-duplicates of lane dev": near})
    whole: List[Lesson] = []
    parts: List[Lesson] = []
    silver: List[Lesson] = []
    for row in rows:
        if row.lane != lane:
            continue
        in_part = decisions and lane == TRAIN
        taught = list(
            lessons_of(row, header, decisions=decisions, partial=in_part, proposals=proposals)
        )
        if decisions and row.partial is not None and not taught:
            left_out["decided in part"] += 1
        for lesson in taught:
            if weights[lesson.kind] == 0:
                left_out[f"weight 0 ({lesson.kind})"] += 1
                continue
            counts[lesson.kind] += 1
            {PARTIAL: parts, PROPOSAL: silver}.get(lesson.kind, whole).append(lesson)
    # Whole texts first: the first examples tell a component its labels, and their order.
    ordered = [lesson for some in (whole, parts, silver) for lesson in _repeat(some, weights)]
    return Curriculum(ordered, dict(counts), {k: n for k, n in left_out.items() if n})


def _repeat(lessons: Sequence[Lesson], weights: Mapping[str, int]) -> List[Lesson]:
    """Pass by pass, so that the same text does not come twice in a row."""
    most = max((weights[lesson.kind] for lesson in lessons), default=0)
    return [x for turn in range(most) for x in lessons if weights[x.kind] > turn]
