"""From the rows of a corpus to spaCy examples."""

from typing import Iterator, Optional, Sequence, Tuple

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ...dataset.looks import overlay
from ...errors import Errors, InputError
from ...records import Annotation, SpanAnnotation, TaskHeader, TaskRow
from ...tasks.reference import set_reference
from ...tasks.spans import to_spans
from ..base.frozen import with_base
from .doubtful import can_be_unknown
from .lessons import KNOWN, Unknown, mark
from .mentions import set_example_mentions


def select_annotation(
    row: TaskRow, *, decisions: bool, proposals: bool, header: Optional[TaskHeader] = None
) -> Optional[Annotation]:
    """What a row teaches: a decision counts more than a proposal; an unusable proposal nothing.

    What was decided of a part of a text is put over its proposal.

    row (TaskRow): A text of the training side.
    decisions (bool): Whether decisions are wanted.
    proposals (bool): Whether proposals are wanted, on texts without a decision too.
    header (Optional[TaskHeader]): The task: with it, entities that were decided on push away
        proposed ones that overlap with them.
    RETURNS (Optional[Annotation]): The annotation to learn from, if there is one.
    """
    if row.decision is not None:
        return row.decision if decisions else None
    if proposals and row.proposal is not None and row.proposal.usable:
        proposed = row.proposal.annotation
        return proposed if row.partial is None else overlay(proposed, row.partial, header)
    return None


def make_example(
    nlp: Language,
    text: str,
    annotation: Annotation,
    header: TaskHeader,
    *,
    unknown: Unknown = KNOWN,
    rejected: Sequence[SpanAnnotation] = (),
    incorrect_spans_key: Optional[str] = None,
) -> Example:
    """Make one example.

    nlp (Language): The pipeline that will learn.
    text (str): The text.
    annotation (Annotation): What is right.
    header (TaskHeader): What the task is.
    unknown (Unknown): What is neither right nor wrong: tokens become missing, categories absent.
    rejected (Sequence[SpanAnnotation]): Entities that are wrong.
    incorrect_spans_key (Optional[str]): Where the component looks for these; None if it doesn't.
    RETURNS (Example): For linking, the predicted document carries what a linker works on:
        sentence starts, and the mentions without their ids. Tokens under an entity that does not
        stand on token boundaries are missing, not outside. For relations, it carries the mentions,
        unless the pipeline finds some.
    RAISES (InputError): If something is unknown and the task's component knows no such thing.
    """
    if unknown and not can_be_unknown(header):
        raise InputError(Errors.H325.format(task=header.task, kind=header.kind))
    predicted, reference = nlp.make_doc(text), nlp.make_doc(text)
    if header.kind == "linking":
        for doc in (predicted, reference):
            _split_sentences(nlp, doc)
        predicted.set_ents(to_spans(predicted, annotation))
    elif header.kind == "relations":
        set_example_mentions(nlp, predicted, reference, annotation)
    set_reference(reference, annotation, header)
    for label in unknown.labels:
        reference.cats.pop(label, None)
    if header.kind == "ner":
        _leave_open(reference, annotation, unknown.ranges)
        if incorrect_spans_key is not None:
            wrong = to_spans(reference, Annotation(spans=tuple(rejected)))
            reference.spans[incorrect_spans_key] = wrong
    return Example(predicted, reference)


def _leave_open(doc: Doc, annotation: Annotation, ranges: Sequence[Tuple[int, int]]) -> None:
    """Make tokens missing that no entity covers, in some stretches and under entities that could
    not be set."""
    placed = {(e.start_char, e.end_char) for e in doc.ents}
    lost = [(s.start, s.end) for s in annotation.spans if (s.start, s.end) not in placed]
    if not ranges and not lost:
        return
    is_open = mark((*ranges, *lost), len(doc.text))
    free = [t for t in doc if t.ent_iob_ == "O" and any(is_open[t.idx : t.idx + len(t)])]
    doc.set_ents(list(doc.ents), missing=[doc[t.i : t.i + 1] for t in free], default="outside")


def _split_sentences(nlp: Language, doc: Doc) -> None:
    """Entity linking reads whole sentences; without sentence starts spaCy takes the whole text."""
    for name, pipe in nlp.pipeline:
        if nlp.get_pipe_meta(name).factory == "sentencizer":
            pipe(doc)


def make_examples(
    nlp: Language,
    header: TaskHeader,
    rows: Sequence[TaskRow],
    *,
    lane: str,
    decisions: bool = True,
    proposals: bool = False,
) -> Iterator[Example]:
    """YIELDS (Example): One per row of the lane that teaches something."""
    selected = (
        (row, select_annotation(row, decisions=decisions, proposals=proposals, header=header))
        for row in rows
        if row.lane == lane
    )
    yield from with_base(
        nlp, (make_example(nlp, row.text, one, header) for row, one in selected if one is not None)
    )
