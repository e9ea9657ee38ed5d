"""From a checked answer to the decisions that are stored. Pure."""

from typing import List, Mapping, Optional, Sequence

from ...records import FLAG, PERSON, SKIP, UNDO, Annotation, Decision, Mode
from .answers import Answer, seconds_of
from .plan import ReviewTask


def make_decisions(
    answer: Answer,
    plan: Mapping[str, ReviewTask],
    found: Mapping[str, Annotation],
    *,
    annotator: str,
    sources: Mapping[str, Optional[str]],
    mode: Mode,
    time: float,
) -> List[Decision]:
    """Write one answer as one decision per task.

    answer (Answer): What the page sent.
    plan (Mapping[str, ReviewTask]): The tasks that were on the screen.
    found (Mapping[str, Annotation]): What was accepted, by task.
    annotator (str): Who answered.
    sources (Mapping[str, Optional[str]]): Whose proposal was shown, by task.
    mode (Mode): Why the text was shown.
    time (float): Now, in seconds since the epoch.
    RETURNS (List[Decision]): All with the answer's uid.
    """
    action = FLAG if answer.action == SKIP and answer.flagged else answer.action
    return [
        Decision(
            text_digest=answer.digest,
            task=name,
            action=action,
            annotator=annotator,
            origin=PERSON,
            task_digest=task.digest,
            annotation=found.get(name),
            saw_proposal=sources[name],
            seconds=seconds_of(answer),
            time=time,
            uid=answer.uid,
            mode=mode,
            edits=answer.edits.get(name),
            labels=None if task.one_label is None else (task.one_label,),
            flagged=answer.flagged,
            note=answer.note or None,
        )
        for name, task in plan.items()
    ]


def make_undos(group: Sequence[Decision], *, uid: str, time: float) -> List[Decision]:
    """Write what takes an answer back.

    group (Sequence[Decision]): All decisions of the answer.
    uid (str): Of the undo.
    time (float): Now, in seconds since the epoch.
    RETURNS (List[Decision]): One for each.
    """
    return [
        Decision(
            text_digest=d.text_digest,
            task=d.task,
            action=UNDO,
            annotator=d.annotator,
            origin=PERSON,
            task_digest=d.task_digest,
            time=time,
            uid=uid,
            undoes=d.uid,
        )
        for d in group
    ]
