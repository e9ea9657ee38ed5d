"""Break a text down: the phrases that carry a category teach more than the category alone.

A rationale is the stretch of text for which an annotator chose a label (Zaidan, Eisner and Piatko,
"Using Annotator Rationales to Improve Machine Learning for Text Categorization", NAACL 2007). Here
a model quotes them (a spancat task), and a text becomes several segments to learn from: the whole,
its sentences, its rationales, and the stretches between them, in which nothing holds.
"""

import re
from dataclasses import dataclass
from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc

from ...records import Annotation

Floats = NDArray[np.float32]

MIN_GAP = 3  # tokens; shorter stretches without a rationale say nothing
_SENTENCE_END = re.compile(r"(?<=[.!?…\n])[\"')\]]*\s+|\n+|\s+(?=[-–•]\s)")


@dataclass(frozen=True)
class Segment:
    """Tokens `start` to `end` (exclusive) and what holds for them.

    target (Floats): Shape (labels,), 0 to 1.
    """

    start: int
    end: int
    target: Floats


@dataclass(frozen=True)
class SegmentedText:
    """A text and its segments; the first is the whole text."""

    doc: Doc
    segments: Tuple[Segment, ...]


def soft_target(labels: Sequence[str], readings: Sequence[Sequence[str]]) -> Floats:
    """Average several answers on the same text.

    labels (Sequence[str]): All labels.
    readings (Sequence[Sequence[str]]): The labels of each answer.
    RETURNS (Floats): Shape (labels,): share of the answers that have the label.

    >>> soft_target(["A", "B"], [["A"], ["A", "B"]]).tolist()
    [1.0, 0.5]
    """
    rows = [[float(label in reading) for label in labels] for reading in readings]
    mean: Floats = np.asarray(rows, dtype=np.float32).mean(axis=0)
    return mean


def segment_text(
    doc: Doc, labels: Sequence[str], target: Floats, rationales: Optional[Annotation]
) -> SegmentedText:
    """Break a text down into segments.

    doc (Doc): The text.
    labels (Sequence[str]): All labels.
    target (Floats): What holds for the whole text, shape (labels,).
    rationales (Optional[Annotation]): Labelled phrases, or None if they are not known: then only
        the whole text is learned from.
    RETURNS (SegmentedText): Whole text, sentences (if there are several), rationales, gaps.
    """
    segments = [Segment(0, len(doc), target)]
    if rationales is None:
        return SegmentedText(doc, tuple(segments))
    index = {label: i for i, label in enumerate(labels)}
    phrases = _phrases(doc, rationales, index)
    sentences = split_sentences(doc)
    if len(sentences) > 1:
        for start, end in sentences:
            inside = [p for p in phrases if _mostly_inside(p, start, end)]
            segments.append(Segment(start, end, _target(len(labels), inside)))
    segments += [Segment(p[0], p[1], _target(len(labels), [p])) for p in phrases]
    nothing = _target(len(labels), [])
    segments += [Segment(start, end, nothing) for start, end in _gaps(len(doc), phrases)]
    return SegmentedText(doc, tuple(segments))


def split_sentences(doc: Doc) -> List[Tuple[int, int]]:
    """RETURNS (List[Tuple[int, int]]): Token offsets of sentences, by punctuation and lines."""
    starts = [0]
    for match in _SENTENCE_END.finditer(doc.text):
        first = next((t.i for t in doc if t.idx >= match.end()), None)
        if first is not None and first > starts[-1]:
            starts.append(first)
    return list(zip(starts, [*starts[1:], len(doc)], strict=True))


def _phrases(doc: Doc, rationales: Annotation, index: Dict[str, int]) -> List[Tuple[int, int, int]]:
    found = []
    for s in rationales.spans:
        span = doc.char_span(s.start, s.end, alignment_mode="expand")
        if span is not None and len(span) and s.label in index:
            found.append((span.start, span.end, index[s.label]))
    return found


def _mostly_inside(phrase: Tuple[int, int, int], start: int, end: int) -> bool:
    overlap = min(end, phrase[1]) - max(start, phrase[0])
    return 2 * overlap >= phrase[1] - phrase[0]


def _target(size: int, phrases: Sequence[Tuple[int, int, int]]) -> Floats:
    target = np.zeros(size, dtype=np.float32)
    target[[label for _, _, label in phrases]] = 1
    return target


def _gaps(length: int, phrases: Sequence[Tuple[int, int, int]]) -> List[Tuple[int, int]]:
    covered = {i for start, end, _ in phrases for i in range(start, end)}
    gaps: List[Tuple[int, int]] = []
    start = 0
    for i in range(length + 1):
        if i == length or i in covered:
            if i - start >= MIN_GAP:
                gaps.append((start, i))
            start = i + 1
    return gaps
