"""What became of audited texts: production's word against people's, task by task, over time."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional

from ..dataset.audits import AuditedText, read_audited
from ..dataset.changes import HOLDS
from ..dataset.decisions import Standing
from ..dataset.history import TaskHistory
from ..dataset.store import Dataset
from ..records import ACCEPT, IMPORT, PERSON, Annotation, Decision
from ..scoring.intervals import Interval
from ..scoring.quality import Judged, Quality, quality
from ..scoring.results import main_score
from ..tasks.reference import compare


@dataclass(frozen=True)
class TaskQuality:
    """The audit of one task.

    main: name of the score. drawn: texts of which production said something. waiting: of these,
    not decided yet. left_out: decided, but rejected, put aside, not blind, or under labels with
    which what production said can't be compared. imported: of those that count, decided in a file.
    promoted: the figure of the pipeline in production, if it was promoted with one.
    """

    task: str
    main: str
    drawn: int
    waiting: int
    left_out: int
    imported: int
    promoted: Optional[Interval]
    quality: Quality


def audit_quality(
    dataset: Dataset, histories: Mapping[str, TaskHistory], meta: Mapping[str, Any]
) -> List[TaskQuality]:
    """Follow the quality of all tasks that were audited.

    dataset (Dataset): Open; nothing is written.
    histories (Mapping[str, TaskHistory]): The tasks as they are and were.
    meta (Mapping[str, Any]): `nlp.meta["hitl"]` of the pipeline in production; empty without one.
    RETURNS (List[TaskQuality]): Those of which any text was drawn.
    """
    found = []
    for task, history in histories.items():
        main, average = main_score(history.header)
        judged: List[Judged] = []
        counts: Counter[str] = Counter()
        for text in read_audited(dataset, task):
            counts["drawn"] += 1
            one, why = judge_text(text, history)
            counts[why] += 1
            judged += [] if one is None else [one]
        if counts["drawn"]:
            promoted = promoted_figure(meta, task, main)
            found.append(
                TaskQuality(
                    task=task,
                    main=main,
                    drawn=counts["drawn"],
                    waiting=counts["waiting"],
                    left_out=counts["left out"],
                    imported=counts[IMPORT],
                    promoted=promoted,
                    quality=quality(judged, average=average, promoted=promoted),
                )
            )
    return found


def judge_text(text: AuditedText, history: TaskHistory) -> "tuple[Optional[Judged], str]":
    """Hold what production said against what was decided, in the labels of now.

    text (AuditedText): The text.
    history (TaskHistory): The task.
    RETURNS (tuple[Optional[Judged], str]): How right it was; and who decided, or why it does not
        count ("waiting", "left out").
    """
    found: Optional[Standing] = history.standing(text.decisions)
    if found is None or found.partial is not None:
        return None, "waiting"
    said = _said(text, history)
    if found.annotation is None or not found.blind or said is None:
        return None, "left out"
    counts = compare(found.annotation, said, history.header)
    return Judged(text.drawn, counts), found.origin


def _said(text: AuditedText, history: TaskHistory) -> Optional[Annotation]:
    """What production said in the labels of now: they change for it as for decisions."""
    said = Decision(
        text_digest=text.text_digest,
        task=text.proposal.task,
        action=ACCEPT,
        annotator=text.source,
        origin=PERSON,
        task_digest=text.proposal.task_digest,
        annotation=text.proposal.annotation,
    )
    held = history.holds(said)
    return held.decision.annotation if held.state == HOLDS and held.decision else None


def promoted_figure(meta: Mapping[str, Any], task: str, main: str) -> Optional[Interval]:
    """RETURNS (Optional[Interval]): The main score a task was promoted with, if it is known."""
    student: Dict[str, Any] = meta.get("students", {}).get(task, {})
    value, bounds = student.get("score", {}).get(main), student.get("interval")
    if value is None or not bounds:
        return None
    return Interval(float(value), float(bounds[0]), float(bounds[1]))
