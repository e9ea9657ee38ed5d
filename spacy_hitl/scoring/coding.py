"""What annotators say of texts, as coded units: what agreement is computed on.

The units are: of entities the tokens (coded with the label that covers them, or nothing), of spans
that may overlap each label on each token, of exclusive categories the text, of others each label on
the text, of links the mentions that at least two annotators marked (coded with the id), of
relations the ordered pairs of mentions that anybody knows. Looking at one label, each unit is coded
with yes or no.
"""

from dataclasses import dataclass
from typing import Dict, FrozenSet, Hashable, List, Mapping, Optional, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray

from ..records import NIL, Annotation, TaskHeader
from .items import Item, items_of

Codes = NDArray[np.int64]  # shape (units, annotators): number of the code; MISSING if not coded
MISSING = -1
_Place = Tuple[int, int]
_Units = Dict[Hashable, Hashable]


@dataclass(frozen=True)
class Coding:
    """What one annotator says of one text. labels: those that were looked for, None for all."""

    annotation: Annotation
    labels: Optional[FrozenSet[str]] = None

    def looked_for(self, label: Optional[str]) -> bool:
        """Whether a label was looked for, or (None) all were."""
        return self.labels is None or (label is not None and label in self.labels)


@dataclass(frozen=True)
class CodedText:
    """One text. tokens: their places in characters; by: what each annotator says."""

    tokens: Tuple[_Place, ...]
    by: Mapping[str, Coding]


def encode(
    texts: Sequence[CodedText],
    annotators: Sequence[str],
    header: TaskHeader,
    label: Optional[str] = None,
) -> Tuple[List[Codes], int]:
    """Code texts.

    texts (Sequence[CodedText]): The texts.
    annotators (Sequence[str]): Whose codes are wanted, in this order.
    header (TaskHeader): The task.
    label (Optional[str]): Look at this label only.
    RETURNS (Tuple[List[Codes], int]): For each text, units by annotators; and how many different
        codes there are.
    """
    numbers: Dict[Hashable, int] = {}
    coded = []
    for text in texts:
        units = [_units(text, name, header, label) for name in annotators]
        names = sorted({unit for found in units for unit in found}, key=repr)
        codes = np.full((len(names), len(annotators)), MISSING, dtype=np.int64)
        for column, found in enumerate(units):
            for row, name in enumerate(names):
                if name in found:
                    codes[row, column] = numbers.setdefault(found[name], len(numbers))
        coded.append(codes)
    return coded, len(numbers)


def _units(text: CodedText, name: str, header: TaskHeader, label: Optional[str]) -> _Units:
    """RETURNS (_Units): The codes of one annotator by unit."""
    mine = text.by.get(name)
    if mine is None or not mine.looked_for(label):
        return {}
    labels = header.labels if label is None else (label,)
    if header.kind == "linking":
        return {(s.start, s.end): s.kb_id or NIL for s in mine.annotation.spans}
    if header.kind == "textcat" and not (header.exclusive and label is None):
        holds = {c.label for c in mine.annotation.cats}
        return {one: one in holds for one in labels}
    if header.kind == "spancat":
        covered = {one: _covered(text, mine.annotation, one) for one in labels}
        return {(i, one): i in covered[one] for i in range(len(text.tokens)) for one in labels}
    if header.kind == "textcat":
        return {"text": tuple(sorted(c.label for c in mine.annotation.cats))}
    if header.kind == "ner":
        codes: _Units = dict.fromkeys(range(len(text.tokens)), "")
        for one in labels:
            codes.update(dict.fromkeys(_covered(text, mine.annotation, one), one))
        return codes
    return _pairs(text, mine.annotation, labels)


def _covered(text: CodedText, annotation: Annotation, label: str) -> FrozenSet[int]:
    """RETURNS (FrozenSet[int]): The tokens that a label stands on."""
    spans = [s for s in annotation.spans if s.label == label]
    return frozenset(
        i
        for i, (start, end) in enumerate(text.tokens)
        if any(s.start < end and start < s.end for s in spans)
    )


def _pairs(text: CodedText, annotation: Annotation, labels: Sequence[str]) -> _Units:
    mentions = {
        place
        for coding in text.by.values()
        for r in coding.annotation.relations
        for place in ((r.head_start, r.head_end), (r.tail_start, r.tail_end))
    }
    found: Dict[Tuple[_Place, _Place], List[str]] = {}
    for r in annotation.relations:
        if r.label in labels:
            places = (r.head_start, r.head_end), (r.tail_start, r.tail_end)
            found.setdefault(places, []).append(r.label)
    return {
        (head, tail): tuple(sorted(found.get((head, tail), ())))
        for head in mentions
        for tail in mentions
        if head != tail
    }


def items_for(coding: Coding, header: TaskHeader, label: Optional[str]) -> FrozenSet[Item]:
    """RETURNS (FrozenSet[Item]): What is counted as found: of one label, or all."""
    items = items_of(coding.annotation)
    if header.kind == "linking":
        spans = coding.annotation.spans
        return frozenset(Item(s.kb_id or NIL, s.start, s.end) for s in spans)
    return items if label is None else frozenset(i for i in items if i.name == label)
