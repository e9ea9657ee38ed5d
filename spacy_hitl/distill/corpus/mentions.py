"""What stands in relations, and what could: the mentions of training texts.

A corpus of relations names heads and tails. What it does not say, the entity labels and the
mentions that are related to nothing, stands in the corpus of the task that finds them.
"""

from dataclasses import replace
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from spacy.language import Language
from spacy.tokens import Doc

from ...dataset.corpus import read_corpus, read_training_corpus
from ...errors import Errors, InputError
from ...records import Annotation, SpanAnnotation, TaskHeader, TaskRow
from ...tasks.relations.annotations import MENTION, mentions_of
from ...tasks.spans import to_spans

KINDS = ("ner", "linking")  # whose spans never overlap
Mentions = Tuple[SpanAnnotation, ...]


def read_mentions(path: Path) -> Dict[str, Mentions]:
    """Read the mentions of texts of the training side.

    path (Path): Corpus of an `ner` or `linking` task, written by `spacy hitl export`.
    RETURNS (Dict[str, Mentions]): By text digest, as decided, else as proposed by a usable answer.
    RAISES (InputError): If it is of another kind, or holds a row of lane gold.
    """
    task = read_corpus(path)[0].task
    header, rows = read_training_corpus(path, task)
    if header.kind not in KINDS:
        raise InputError(Errors.H332.format(path=path, kind=header.kind, known=" or ".join(KINDS)))
    found = {}
    for row in rows:
        if row.decision is not None:
            found[row.text_digest] = row.decision.spans
        elif row.proposal is not None and row.proposal.usable:
            found[row.text_digest] = row.proposal.annotation.spans
    return found


def add_mentions(
    rows: Sequence[TaskRow], path: Optional[Path], header: TaskHeader
) -> List[TaskRow]:
    """Put the mentions of another corpus into what rows of a relation task say.

    rows (Sequence[TaskRow]): Rows of the relation task.
    path (Optional[Path]): Corpus of the task that finds the mentions; None adds nothing.
    header (TaskHeader): The relation task.
    RETURNS (List[TaskRow]): The same rows; decisions and proposals have mentions as `spans`.
    RAISES (InputError): If the task is of another kind, or the corpus can't be used.
    """
    if path is None:
        return list(rows)
    if header.kind != "relations":
        raise InputError(Errors.H333.format(task=header.task, kind=header.kind))
    known = read_mentions(Path(path))
    return [_with_mentions(row, known) for row in rows]


def _with_mentions(row: TaskRow, known: Mapping[str, Mentions]) -> TaskRow:
    given = known.get(row.text_digest, ())
    if row.decision is not None:
        row = replace(row, decision=join_mentions(row.decision, given))
    if row.proposal is not None:
        annotation = join_mentions(row.proposal.annotation, given)
        row = replace(row, proposal=replace(row.proposal, annotation=annotation))
    if row.partial is not None:
        annotation = join_mentions(row.partial.annotation, given)
        row = replace(row, partial=replace(row.partial, annotation=annotation))
    return row


def join_mentions(annotation: Annotation, given: Sequence[SpanAnnotation] = ()) -> Annotation:
    """Give an annotation all mentions as spans.

    annotation (Annotation): With relations.
    given (Sequence[SpanAnnotation]): Mentions of the text, with their entity labels.
    RETURNS (Annotation): Its spans are heads, tails and those of `given` that overlap with none of
        them. Heads and tails have the label that `given` or the annotation has for them.
    """
    given = [*annotation.spans, *given]
    labels = {(s.start, s.end): s.label for s in reversed(given)}
    spans = [
        replace(s, label=labels.get((s.start, s.end), MENTION))
        for s in mentions_of(annotation, label=MENTION)
    ]
    for s in given:
        if all(s.end <= one.start or one.end <= s.start for one in spans):
            spans.append(SpanAnnotation(s.start, s.end, s.label))
    # The score says that they are there, whatever the task that found them was sure of.
    return replace(annotation, spans=tuple(replace(s, score=1.0) for s in sorted(spans)))


def set_example_mentions(
    nlp: Language, predicted: Doc, reference: Doc, annotation: Annotation
) -> None:
    """Write mentions to the documents of an example.

    nlp (Language): The pipeline that will learn. If it finds mentions itself, it does so on the
        predicted document, which is then left without any.
    predicted, reference (Doc): Changed in place.
    annotation (Annotation): Relations, and mentions as spans if they are known.
    """
    mentions = join_mentions(annotation)
    finds = any("doc.ents" in nlp.get_pipe_meta(name).assigns for name in nlp.component_names)
    for doc in (reference,) if finds else (predicted, reference):
        doc.set_ents(to_spans(doc, mentions))
