"""Span categories: `spacy-hitl.SpanCat.v1`, written to doc.spans[spans_key]."""

from pathlib import Path
from typing import Any, Dict, List, Optional

from spacy.tokens import Doc

from ...records import Annotation, Counts, ParsedAnswer, Response
from ..base import BaseTask, check_labels
from ..spans import read_compact_spans
from .annotations import get_span_categories, set_span_categories
from .compare import compare_span_categories
from .parse import build_schema, parse_span_categories


class SpanCatTask(BaseTask):
    """Ask for labelled phrases, ground them exactly, write them to doc.spans."""

    kind = "spancat"
    folder = Path(__file__).parent

    def __init__(self, *, spans_key: str, **common: Any) -> None:
        super().__init__(**common)
        self.spans_key = spans_key

    def prompt_values(self) -> Dict[str, Any]:
        """The answer's field is called like the span group."""
        return {"field": self.spans_key}

    def header_values(self) -> Dict[str, Any]:
        """Where the spans are."""
        return {"spans_key": self.spans_key}

    def schema(self) -> Dict[str, Any]:
        """RETURNS (Dict[str, Any]): JSON schema of an answer."""
        return build_schema(self.spans_key, self.labels)

    def parse(self, doc: Doc, response: Response) -> ParsedAnswer:
        """Ground the spans of an answer."""
        return parse_span_categories(doc, response, field=self.spans_key, labels=self.labels)

    def set_annotation(self, doc: Doc, annotation: Annotation) -> None:
        """Write the span group, in place."""
        set_span_categories(doc, annotation, key=self.spans_key)

    def get_annotation(self, doc: Doc) -> Annotation:
        """Read the span group."""
        return get_span_categories(doc, key=self.spans_key)

    def compare(self, gold: Annotation, predicted: Annotation) -> Dict[str, Counts]:
        """Count exact matches per label."""
        return compare_span_categories(gold, predicted)

    def read_compact(self, value: Any, *, where: str, text: str) -> Annotation:
        """Read [[start, end, label], ...]."""
        return read_compact_spans(value, where=where, text=text, task=self.kind, labels=self.labels)

    def write_compact(self, annotation: Annotation) -> List[List[Any]]:
        """Write [[start, end, label], ...]."""
        return [[s.start, s.end, s.label] for s in annotation.spans]

    def example_answer(self, annotation: Annotation, text: str) -> Dict[str, Any]:
        """The JSON answer for an annotation."""
        items = [{"text": text[s.start : s.end], "label": s.label} for s in annotation.spans]
        return {self.spans_key: items}


def make_spancat_task(
    labels: List[str],
    spans_key: str = "sc",
    label_definitions: Optional[Dict[str, str]] = None,
    guidelines: Optional[str] = None,
    guidelines_path: Optional[Path] = None,
    examples: Optional[Path] = None,
    examples_nearest: Optional[int] = None,
) -> SpanCatTask:
    """Make a span category task.

    labels (List[str]): Span labels.
    spans_key (str): Key in doc.spans, and name of the list in the model's answer.
    label_definitions (Optional[Dict[str, str]]): What each label means, in a sentence.
    guidelines (Optional[str]): Annotation guidelines for the prompt.
    guidelines_path (Optional[Path]): File with the guidelines; wins over `guidelines`.
    examples (Optional[Path]): JSONL of few-shot examples: {"text", "annotation": [[0, 3, "A"]]}.
    examples_nearest (Optional[int]): Show each text only so many of them, the most similar ones.
    RETURNS (SpanCatTask): The task.
    RAISES (InputError): If there are no labels.
    """
    return SpanCatTask(
        spans_key=spans_key,
        labels=check_labels(labels, kind="spancat"),
        label_definitions=label_definitions or {},
        guidelines=guidelines,
        guidelines_path=guidelines_path,
        examples=examples,
        examples_nearest=examples_nearest,
    )
