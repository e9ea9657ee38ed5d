"""Accept in bulk: plan it on what was decided, store it as one answer, take it back as one."""

import time
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import List, Tuple, TypeVar

from spacy.language import Language

from ...dataset.reviews import decisions_of
from ...dataset.store import Dataset
from ...dataset.task_versions import remember
from ...dataset.views import TrainingSet
from ...errors import Errors, InputError
from ...llm.stored import StoredResponses
from ...pipeline.hitl_llm import PromptedTask
from ...pipeline.loading import load_prompted, prompted_tasks
from ...records import (
    ACCEPT,
    BULK,
    PERSON,
    UNDO,
    Annotation,
    CategoryAnnotation,
    Decision,
    RelationAnnotation,
    SpanAnnotation,
    TaskRow,
)
from ...scoring.items import each, item_of
from ...scoring.scores import MIN_DECIDED, Scorer, rate_rows
from ...settings import Settings
from ..queue.routers import name_item
from ..session.plan import check_annotator
from .bulk import BulkPlan, Sampled, plan_bulk

_A = TypeVar("_A", SpanAnnotation, CategoryAnnotation, RelationAnnotation)
EXAMPLES = 5


@dataclass(frozen=True)
class BulkAccept:
    """What would be accepted, or was. uid: names it, once it is stored."""

    plan: BulkPlan
    uid: str = ""

    def examples(self) -> List[Tuple[str, str]]:
        """RETURNS (List[Tuple[str, str]]): The least certain texts, and what would be accepted."""
        found = []
        for score, row in self.plan.rows[:EXAMPLES]:
            annotation = row.proposal.annotation if row.proposal is not None else Annotation()
            names = [name_item(item_of(one), row.text) for one in each(annotation)]
            found.append(
                (" ".join(row.text.split()), f"{', '.join(names) or 'none'} ({score:.3f})")
            )
        return found


def accept_in_bulk(
    config: Path, task: str, *, max_error: float, annotator: str, store: bool
) -> BulkAccept:
    """Accept unseen the undecided texts of lane train whose answers are almost certainly right.

    config (Path): Config of the prompted pipeline.
    task (str): Name of the task.
    max_error (float): Share of annotations that may be wrong, at most; from 0 to 1.
    annotator (str): In whose name.
    store (bool): Store the decisions; else they are only planned.
    RETURNS (BulkAccept): What it would be, or is.
    RAISES (InputError): If there is no such task, or what is known can't bound the error.
    """
    if not 0 < max_error < 1:
        problem = f"{max_error} is not between 0 and 1"
        raise InputError(Errors.H004.format(where="--max-error", problem=problem))
    check_annotator(annotator)
    nlp, settings = load_prompted(config)
    tasks = prompted_tasks(nlp)
    if task not in tasks:
        known = ", ".join(tasks)
        raise InputError(Errors.H130.format(path=config, task=task, known=known))
    plan = plan_bulk(_read(config, tasks[task], nlp, settings), max_error=max_error, task=task)
    if not store or not plan.rows:
        return BulkAccept(plan)
    uid = uuid.uuid4().hex
    now = {name: prompted.task for name, prompted in tasks.items()}
    decisions = [_decide(row, tasks[task], annotator=annotator, uid=uid) for _, row in plan.rows]
    with Dataset(settings.dataset, synchronous="FULL") as dataset:
        remember(dataset, now, settings.changes)
        dataset.add_decisions(decisions)
    return BulkAccept(plan, uid)


def _read(config: Path, prompted: PromptedTask, nlp: Language, settings: Settings) -> List[Sampled]:
    """All texts outside gold with a proposal, its scores calibrated without the text's own fold."""
    name = prompted.name
    tasks = {name: found.task for name, found in prompted_tasks(nlp).items()}

    ask = prompted.asks_about(nlp)
    with (
        TrainingSet(settings.dataset) as training,
        StoredResponses(settings.responses, settings.privacy, ask=ask) as answers,
    ):
        history = training.histories(tasks, settings.changes, path=config)[name]
        sampled = list(training.sample_rows(name, key=prompted.key, history=history))
        rows = list(rate_rows(sampled, answers=answers.about))
    scorer = Scorer.fit(rows)
    if not scorer.calibrated:
        raise InputError(Errors.H225.format(task=name, wanted=MIN_DECIDED))
    found: List[Sampled] = []
    for row, (_, samples) in zip(rows, sampled, strict=True):
        if row.proposal is not None:
            found.append((replace(row, proposal=scorer.calibrate(row.proposal)), samples))
    return found


def _decide(row: TaskRow, prompted: PromptedTask, *, annotator: str, uid: str) -> Decision:
    assert row.proposal is not None
    return Decision(
        text_digest=row.text_digest,
        task=prompted.name,
        action=ACCEPT,
        annotator=annotator,
        origin=PERSON,
        task_digest=prompted.key[2],
        annotation=_bare(row.proposal.annotation),
        saw_proposal=prompted.source,
        time=time.time(),
        uid=uid,
        mode=BULK,
        edits=0,
    )


def _bare(annotation: Annotation) -> Annotation:
    """What is accepted is certain: no scores."""

    def bare(some: Tuple[_A, ...]) -> Tuple[_A, ...]:
        return tuple(replace(one, score=None, score_source=None) for one in some)

    return Annotation(bare(annotation.spans), bare(annotation.cats), bare(annotation.relations))


def undo_bulk(config: Path, uid: str) -> int:
    """Take a bulk accept back.

    config (Path): Config of the prompted pipeline.
    uid (str): As it was printed.
    RETURNS (int): How many decisions were taken back. What people decided on these texts since
        stays.
    RAISES (InputError): If it is none, or was taken back before.
    """
    _, settings = load_prompted(config)
    path = settings.dataset
    with Dataset(path, synchronous="FULL") as dataset:
        group = decisions_of(dataset, uid)
        if not group or any(d.mode != BULK for d in group):
            problem = "there is no answer with this uid" if not group else "people decided it"
            raise InputError(Errors.H226.format(uid=ascii(uid)[1:61], path=path, problem=problem))
        undos = [
            Decision(
                text_digest=d.text_digest,
                task=d.task,
                action=UNDO,
                annotator=d.annotator,
                origin=PERSON,
                task_digest=d.task_digest,
                time=time.time(),
                uid=f"undo:{uid}",  # one and the same: taken back twice is stored once
                undoes=uid,
            )
            for d in group
        ]
        taken = dataset.add_decisions(undos)
    if not taken:
        problem = "it was taken back before"
        raise InputError(Errors.H226.format(uid=uid, path=path, problem=problem))
    return taken
