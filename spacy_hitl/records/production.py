"""What a pipeline found in production, and which of its texts people will check."""

from dataclasses import dataclass
from typing import Optional, Tuple

from .annotations import CategoryAnnotation, RelationAnnotation, SpanAnnotation
from .answers import Proposal
from .base import Record
from .corpus import Row
from .names import Status


@dataclass(frozen=True)
class SpanGroupFound(Record):
    """The spans of one group of `doc.spans`."""

    key: str
    spans: Tuple[SpanAnnotation, ...] = ()


@dataclass(frozen=True)
class Found(Record):
    """What a pipeline found in the text of one row: a line of the results of `apply`.

    source, id: the row; text_digest: its text, which is not in it. ents: with their `kb_id` where
    they are linked. cats: all labels with their scores. unanswered: prompted components that could
    not use their model's answer, with its status. abstained: cascades that were not sure and had
    nobody to ask: what is found for their task is doubtful.
    """

    source: str
    id: str
    text_digest: str
    ents: Tuple[SpanAnnotation, ...] = ()
    cats: Tuple[CategoryAnnotation, ...] = ()
    spans: Tuple[SpanGroupFound, ...] = ()
    relations: Tuple[RelationAnnotation, ...] = ()
    unanswered: Tuple[Tuple[str, Status], ...] = ()
    abstained: Tuple[str, ...] = ()


@dataclass(frozen=True)
class FailedRow(Record):
    """A row without results, and why: a line of errors.jsonl.

    where: its place in the input; id: None if it could not be read.
    """

    where: str
    reason: str
    id: Optional[str] = None


@dataclass(frozen=True)
class AuditDraw(Record):
    """A text of production that was drawn for people to check, and what production said of it."""

    row: Row
    proposals: Tuple[Proposal, ...] = ()


@dataclass(frozen=True)
class AppliedTo(Record):
    """What results are of: run.json. Other results are never mixed with them.

    audit: share of the texts that was drawn; None without. code_digest: of the user's own Python
    file. business_digest: of the [hitl.business] and the files that it names; None without.
    """

    pipeline: str
    pipeline_digest: str
    source: str
    source_digest: str
    source_bytes: int
    id_field: str
    text_field: str
    form: str
    shard_rows: int
    audit: Optional[float] = None
    code_digest: Optional[str] = None
    business_digest: Optional[str] = None
