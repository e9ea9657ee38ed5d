"""What a row teaches, what it leaves open, and how sure it is. Pure: no pipeline is needed."""

from dataclasses import dataclass
from typing import Iterator, List, Optional, Sequence, Tuple

from spacy.util import logger

from ...dataset.looks import overlay
from ...records import (
    DEV,
    NOTHING,
    TRAIN,
    Annotation,
    Look,
    PartialDecision,
    SpanAnnotation,
    TaskHeader,
    TaskRow,
)
from ...tasks.near_duplicates import NearDuplicates, check_threshold
from .doubtful import can_be_unknown

Range = Tuple[int, int]

# Kinds of evidence, the surest first. What can be weighed, by these names.
BLIND, DECISION, PARTIAL, BULK, PROPOSAL = "blind", "decision", "partial", "bulk", "proposal"
EVIDENCE = (BLIND, DECISION, PARTIAL, BULK, PROPOSAL)


@dataclass(frozen=True)
class Unknown:
    """What an annotation says nothing about: neither that something holds there, nor that it
    doesn't.

    ranges: stretches of text (offsets in characters, end exclusive), for entities. labels:
    categories.
    """

    ranges: Tuple[Range, ...] = ()
    labels: Tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.ranges or self.labels)


KNOWN = Unknown()  # nothing is left open


@dataclass(frozen=True)
class Lesson:
    """What one text teaches.

    annotation: what holds. kind: the kind of evidence, one of EVIDENCE. unknown: what is left open.
    rejected: proposed spans that are wrong; of entities only.
    """

    text: str
    annotation: Annotation
    kind: str
    unknown: Unknown = KNOWN
    rejected: Tuple[SpanAnnotation, ...] = ()

    @property
    def closed(self) -> bool:
        """Whether some stretch of the text is known to hold no other entity."""
        marked = [(s.start, s.end) for s in self.annotation.spans]
        outside = _outside([*marked, *self.unknown.ranges], self.text)
        return next(outside, None) is not None


def lessons_of(
    row: TaskRow,
    header: TaskHeader,
    *,
    decisions: bool = True,
    partial: bool = False,
    proposals: bool = False,
) -> Iterator[Lesson]:
    """Say what a row teaches.

    row (TaskRow): A text of the training side.
    header (TaskHeader): The task.
    decisions (bool): What was decided of the whole text.
    partial (bool): What was decided of a part of it.
    proposals (bool): What was proposed, of a text that was not decided whole. What was decided of
        a part is put over it.
    YIELDS (Lesson): None, one, or two of a text that was decided in part and has a proposal.
    """
    if row.decision is not None:
        if decisions:
            wrong = rejected_spans(row, header)
            yield Lesson(row.text, row.decision, _kind(row), rejected=wrong)
        return
    part = decided_part(row, header) if partial else None
    if part is not None:
        yield part
    if proposals and row.proposal is not None and row.proposal.usable:
        annotation = row.proposal.annotation
        if row.partial is not None:
            annotation = overlay(annotation, row.partial, header)
        wrong = rejected_spans(row, header)
        yield Lesson(row.text, annotation, PROPOSAL, rejected=wrong)


def decided_part(row: TaskRow, header: TaskHeader) -> Optional[Lesson]:
    """RETURNS (Optional[Lesson]): What was decided of a part of a text, and nothing else; None if
    nothing was, or if the task's component can't learn from it.
    """
    if row.partial is None or (header.kind == "textcat" and header.exclusive):
        return None  # which of all categories holds was not said
    annotation = overlay(NOTHING, row.partial, header)
    unknown = left_open(row.partial, header, row.text)
    if unknown and not can_be_unknown(header):
        return None
    wrong = rejected_spans(row, header)
    if header.kind == "textcat":
        silent = set(unknown.labels) >= set(header.labels)
    else:
        all_open = header.kind == "linking" or unknown.ranges == ((0, len(row.text)),)
        silent = all_open and not annotation.spans and not wrong
    if silent:
        return None
    return Lesson(row.text, annotation, PARTIAL, unknown, wrong)


def left_open(partial: PartialDecision, header: TaskHeader, text: str) -> Unknown:
    """Find what nobody looked at.

    partial (PartialDecision): What was looked at.
    header (TaskHeader): The task. A place is known once all its labels were looked for there.
    text (str): The text.
    RETURNS (Unknown): The rest. White space between two places needs no look of its own.
    """
    if header.kind == "textcat":
        # A category is about the whole text: a look at a stretch of it decides on none.
        whole = [look for look in partial.looks if look.ranges is None]
        return Unknown(labels=tuple(x for x in header.labels if not _for_label(whole, x)))
    if header.kind == "linking":  # its labels are a catalog: nobody looks for each of them
        return Unknown(ranges=((0, len(text)),))
    masks = [_looked_at(partial.looks, label, len(text)) for label in header.labels]
    known = [all(mask[i] for mask in masks) for i in range(len(text))]
    return Unknown(ranges=tuple(_gaps(known, text)))


def rejected_spans(row: TaskRow, header: TaskHeader) -> Tuple[SpanAnnotation, ...]:
    """Find proposed entities that a decision took away or changed.

    row (TaskRow): A text with a proposal and a decision, whole or of a part.
    header (TaskHeader): The task.
    RETURNS (Tuple[SpanAnnotation, ...]): Of a part, only spans that lie in it as a whole.
    """
    if header.kind != "ner" or row.proposal is None or not row.proposal.usable:
        return ()
    found = row.decision if row.partial is None else row.partial.annotation
    if found is None:
        return ()
    right = {(s.start, s.end, s.label) for s in found.spans}
    wrong = [s for s in row.proposal.annotation.spans if (s.start, s.end, s.label) not in right]
    if row.partial is not None:
        masks = {s.label: _looked_at(row.partial.looks, s.label, len(row.text)) for s in wrong}
        wrong = [s for s in wrong if all(masks[s.label][s.start : s.end])]
    return tuple(SpanAnnotation(s.start, s.end, s.label) for s in wrong)


def leave_out_near_dev(
    rows: Sequence[TaskRow], threshold: Optional[float]
) -> Tuple[List[TaskRow], int]:
    """Leave out what is nearly a text of lane dev: it would be found again there, not recognised.

    rows (Sequence[TaskRow]): Rows of one corpus.
    threshold (Optional[float]): Similarity (see `NearDuplicates`); None leaves nothing out.
    RETURNS (Tuple[List[TaskRow], int]): The others, and how many of lane train were left out.
    """
    if threshold is None:
        return list(rows), 0
    dev = NearDuplicates((row.text for row in rows if row.lane == DEV), threshold=threshold)
    kept = [row for row in rows if row.lane != TRAIN or row.text not in dev]
    return kept, len(rows) - len(kept)


def apart_from_dev(
    rows: Sequence[TaskRow], threshold: Optional[float], *, task: str
) -> List[TaskRow]:
    """As `leave_out_near_dev`, for what learns outside the ordinary loop; logs how many.

    rows (Sequence[TaskRow]): Rows of one corpus.
    threshold (Optional[float]): Similarity; None leaves nothing out.
    task (str): Name of the task.
    RETURNS (List[TaskRow]): The rows of lane dev, and those of lane train that are not near them.
    RAISES (InputError): If the threshold is no similarity.
    """
    if threshold is not None:
        check_threshold(threshold)
    kept, near = leave_out_near_dev(rows, threshold)
    if near:
        logger.info("Warm-up of '%s' without %d near-duplicates of lane dev", task, near)
    return kept


def mark(ranges: Sequence[Range], size: int) -> List[bool]:
    """RETURNS (List[bool]): For every character of a text, whether one of the ranges holds it."""
    marks = [False] * size
    for start, end in ranges:
        marks[start:end] = [True] * len(marks[start:end])
    return marks


def _kind(row: TaskRow) -> str:
    if row.bulk:
        return BULK
    return BLIND if row.blind else DECISION


def _for_label(looks: Sequence[Look], label: str) -> List[Look]:
    return [look for look in looks if look.labels is None or label in look.labels]


def _looked_at(looks: Sequence[Look], label: str, size: int) -> List[bool]:
    """For every character of a text, whether it was looked at for a label."""
    whole = ((0, size),)
    found = (whole if x.ranges is None else x.ranges for x in _for_label(looks, label))
    return mark([place for ranges in found for place in ranges], size)


def _outside(ranges: Sequence[Range], text: str) -> Iterator[Range]:
    return _gaps(mark(ranges, len(text)), text)


def _gaps(known: Sequence[bool], text: str) -> Iterator[Range]:
    """The stretches that are not known, unless they are white space."""
    start: Optional[int] = None
    for i in range(len(text) + 1):
        closed = i == len(text) or known[i]
        if not closed and start is None:
            start = i
        elif closed and start is not None:
            if text[start:i].strip():
                yield start, i
            start = None
