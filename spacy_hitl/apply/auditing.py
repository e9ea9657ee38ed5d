"""Which texts of production people will check, and what production said of them. Pure."""

from dataclasses import dataclass
from typing import Optional, Tuple

from spacy.language import Language
from spacy.tokens import Doc

from ..dataset.lanes import is_audited, normal_digest
from ..io import text_digest
from ..pipeline.loading import threshold_of
from ..records import (
    EMPTY,
    FAILED,
    NOTHING,
    OK,
    Annotation,
    AuditDraw,
    Problem,
    Proposal,
    Row,
    Status,
    TaskHeader,
)
from ..tasks.base import get_proposals
from ..tasks.reference import get_annotation


@dataclass(frozen=True)
class AuditPlan:
    """What is drawn, and what is kept of it.

    share: of the texts, 0 to 1. salt: of the project's lanes. source: whose proposals they are.
    tasks: the tasks of the pipeline, each with the digest of the version it was trained for.
    """

    share: float
    salt: str
    source: str
    tasks: Tuple[TaskHeader, ...]


def draw(row: Row, doc: Optional[Doc], nlp: Language, plan: AuditPlan) -> Optional[AuditDraw]:
    """Draw a text or leave it: its characters alone decide, whatever was found in it.

    row (Row): The row.
    doc (Optional[Doc]): Its annotated text; None if the pipeline failed on it.
    nlp (Language): The pipeline.
    plan (AuditPlan): What to draw.
    RETURNS (Optional[AuditDraw]): The row with what production said for each task, if it is drawn.
    """
    if not is_audited(normal_digest(row.text), share=plan.share, salt=plan.salt):
        return None
    digest = text_digest(row.text)
    proposals = []
    for header in plan.tasks:
        status, annotation, problems = _said(doc, nlp, header)
        proposals.append(
            Proposal(
                text_digest=digest,
                task=header.task,
                source=plan.source,
                status=status,
                task_digest=header.task_digest,
                annotation=annotation,
                problems=problems,
            )
        )
    return AuditDraw(row, tuple(proposals))


def _said(
    doc: Optional[Doc], nlp: Language, header: TaskHeader
) -> Tuple[Status, Annotation, Tuple[Problem, ...]]:
    if doc is None:
        return FAILED, NOTHING, (Problem("error", "the pipeline failed on this text"),)
    prompted = get_proposals(doc).get(header.task)
    if prompted is not None:
        return prompted.status, prompted.annotation, prompted.problems
    annotation = get_annotation(doc, header, threshold=threshold_of(nlp, header.task))
    return (EMPTY if annotation == NOTHING else OK), annotation, ()
