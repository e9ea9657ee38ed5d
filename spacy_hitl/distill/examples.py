"""From the rows of a corpus to spaCy examples."""

from typing import Iterator, Optional, Sequence

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ..dataset.looks import overlay
from ..records import Annotation, TaskHeader, TaskRow
from ..tasks.reference import set_reference
from ..tasks.spans import to_spans


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


def make_example(nlp: Language, text: str, annotation: Annotation, header: TaskHeader) -> Example:
    """Make one example.

    nlp (Language): The pipeline that will learn.
    text (str): The text.
    annotation (Annotation): What is right.
    header (TaskHeader): What the task is.
    RETURNS (Example): For linking, the predicted document carries what a linker works on:
        sentence starts, and the mentions without their ids.
    """
    predicted, reference = nlp.make_doc(text), nlp.make_doc(text)
    if header.kind == "linking":
        for doc in (predicted, reference):
            _split_sentences(nlp, doc)
        predicted.set_ents(to_spans(predicted, annotation))
    set_reference(reference, annotation, header)
    return Example(predicted, reference)


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
    for row in rows:
        if row.lane == lane:
            annotation = select_annotation(
                row, decisions=decisions, proposals=proposals, header=header
            )
            if annotation is not None:
                yield make_example(nlp, row.text, annotation, header)
