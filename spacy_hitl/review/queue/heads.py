"""What the queue must know of a text, from what was decided on it. Pure.

`dataset.decisions` says what holds; it reads whole decisions. At the start there may be a hundred
thousand texts, most of them decided in the plainest way, which the heads of the decisions show.
"""

from typing import Dict, List, Mapping, Optional, Sequence

from ...dataset.decisions import live_decisions, open_labels
from ...dataset.history import TaskHistory
from ...dataset.reviews import DecisionHead
from ...records import ACCEPT, BULK, REJECT, SKIP, Decision, QueueText
from ..session.plan import ReviewTask

PLAIN = (ACCEPT, REJECT)


def plain_text(
    base: QueueText, heads: Sequence[DecisionHead], plan: Mapping[str, ReviewTask]
) -> Optional[QueueText]:
    """Read a text from heads alone, if that is safe.

    base (QueueText): The text before anything was decided.
    heads (Sequence[DecisionHead]): Of all that was decided on it, oldest first.
    plan (Mapping[str, ReviewTask]): The tasks of the session.
    RETURNS (Optional[QueueText]): None if it takes the decisions themselves: something was taken
        back, skipped, put aside, looked at in part, or decided under a task that has changed.
    """
    done: Dict[str, List[str]] = {}
    for h in heads:
        task = plan.get(h.task)
        if task is None:
            continue
        current = h.task_digest == task.digest
        if not current or not h.whole or h.action not in PLAIN or h.mode == BULK:
            return None
        done.setdefault(h.annotator, []).append(h.task)
    people = frozenset(a for a, names in done.items() if set(names) >= set(plan))
    return base._replace(decided_by=people)


def exact_text(
    base: QueueText,
    decisions: Mapping[str, Sequence[Decision]],
    plan: Mapping[str, ReviewTask],
    histories: Mapping[str, TaskHistory],
) -> QueueText:
    """Read a text from all that was decided on it.

    base (QueueText): The text before anything was decided.
    decisions (Mapping[str, Sequence[Decision]]): By task, oldest first.
    plan (Mapping[str, ReviewTask]): The tasks of the session.
    histories (Mapping[str, TaskHistory]): The tasks as they are and were.
    RETURNS (QueueText): Who decided all tasks, who skipped, whether it is put aside.
    """
    settled: Dict[str, int] = {}
    skipped: Dict[str, bool] = {}
    put_aside = False
    for name, task in plan.items():
        history, made = histories[name], decisions.get(name, ())
        for annotator, found in history.standing_of(made).items():
            if task.one_label is None:
                done = found.annotation is not None or found.rejected
            else:
                done = not found.put_aside and task.one_label not in open_labels(
                    found, history.header
                )
            settled[annotator] = settled.get(annotator, 0) + done
        whole = history.standing(made)
        put_aside = put_aside or (whole is not None and whole.put_aside)
        for d in live_decisions(made):
            skipped[d.annotator] = d.action == SKIP
    return base._replace(
        decided_by=frozenset(a for a, n in settled.items() if n == len(plan)),
        skipped_by=frozenset(a for a, last in skipped.items() if last),
        flagged=put_aside,
    )
