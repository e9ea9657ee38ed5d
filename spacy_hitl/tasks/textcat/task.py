"""Text categories, one or several: `spacy-hitl.TextCat.v1`, written to doc.cats."""

from pathlib import Path
from typing import Any, Dict, List, Optional, Union

from spacy.tokens import Doc

from ...errors import Errors, InputError
from ...records import Annotation, CategoryAnnotation, Counts, ParsedAnswer, Response
from ..base import BaseTask, check_labels, unknown_label
from .annotations import get_categories, set_categories
from .compare import compare_categories
from .parse import EXCLUSIVE_FIELD, MULTILABEL_FIELD, build_schema, parse_categories


class TextCatTask(BaseTask):
    """Ask for categories and write them to doc.cats."""

    kind = "textcat"
    folder = Path(__file__).parent

    def __init__(self, *, exclusive_classes: bool, **common: Any) -> None:
        super().__init__(**common)
        self.exclusive = exclusive_classes
        # A trained component brings its own threshold; prompted scores are 0 and 1.
        self.threshold = 0.5

    def prompt_values(self) -> Dict[str, Any]:
        """Whether one label or several are asked for."""
        return {"exclusive": self.exclusive}

    def meaning_values(self) -> Dict[str, Any]:
        """Whether exactly one label holds."""
        return self.prompt_values()

    def header_values(self) -> Dict[str, Any]:
        """Whether exactly one label holds."""
        return {"exclusive": self.exclusive}

    def schema(self) -> Dict[str, Any]:
        """RETURNS (Dict[str, Any]): JSON schema of an answer."""
        return build_schema(self.labels, exclusive=self.exclusive)

    def parse(self, doc: Doc, response: Response) -> ParsedAnswer:
        """Read the categories of an answer."""
        return parse_categories(response, self.labels, exclusive=self.exclusive)

    def set_annotation(self, doc: Doc, annotation: Annotation) -> None:
        """Write categories to doc.cats, in place."""
        set_categories(doc, annotation, self.labels)

    def get_annotation(self, doc: Doc) -> Annotation:
        """Read this task's categories from doc.cats."""
        return get_categories(doc, self.labels, exclusive=self.exclusive, threshold=self.threshold)

    def compare(self, gold: Annotation, predicted: Annotation) -> Dict[str, Counts]:
        """Count hits and errors per label."""
        return compare_categories(gold, predicted)

    def read_compact(self, value: Any, *, where: str, text: str) -> Annotation:
        """Read "A" (exclusive) or ["A", "B"]."""
        found: Union[List[Any], Any] = [value] if self.exclusive else value
        if not isinstance(found, list):
            remedy = "Expected a label." if self.exclusive else "Expected a list of labels."
            problem = f"found {value!r}"
            raise InputError(
                Errors.H061.format(where=where, problem=problem, task=self.kind, remedy=remedy)
            )
        for label in found:
            if label not in self.labels:
                raise unknown_label(where, label, self.kind, self.labels)
        cats = tuple(CategoryAnnotation(label) for label in self.labels if label in found)
        return Annotation(cats=cats)

    def write_compact(self, annotation: Annotation) -> Any:
        """Write "A" (exclusive; None if no label holds) or ["A", "B"]."""
        names = [c.label for c in annotation.cats]
        return (names[0] if names else None) if self.exclusive else names

    def example_answer(self, annotation: Annotation, text: str) -> Dict[str, Any]:
        """The JSON answer for an annotation."""
        field = EXCLUSIVE_FIELD if self.exclusive else MULTILABEL_FIELD
        return {field: self.write_compact(annotation)}


def make_textcat_task(
    labels: List[str],
    exclusive_classes: bool = False,
    label_definitions: Optional[Dict[str, str]] = None,
    guidelines: Optional[str] = None,
    guidelines_path: Optional[Path] = None,
    examples: Optional[Path] = None,
    examples_nearest: Optional[int] = None,
) -> TextCatTask:
    """Make a category task.

    labels (List[str]): Category labels.
    exclusive_classes (bool): Whether exactly one label holds (distilled into `textcat`) or any
        number (distilled into `textcat_multilabel`).
    label_definitions (Optional[Dict[str, str]]): What each label means, in a sentence.
    guidelines (Optional[str]): Annotation guidelines for the prompt.
    guidelines_path (Optional[Path]): File with the guidelines; wins over `guidelines`.
    examples (Optional[Path]): JSONL of few-shot examples: {"text", "annotation": ["A"]}.
    examples_nearest (Optional[int]): Show each text only so many of them, the most similar ones.
    RETURNS (TextCatTask): The task.
    RAISES (InputError): If there are no labels.
    """
    return TextCatTask(
        exclusive_classes=exclusive_classes,
        labels=check_labels(labels, kind="textcat"),
        label_definitions=label_definitions or {},
        guidelines=guidelines,
        guidelines_path=guidelines_path,
        examples=examples,
        examples_nearest=examples_nearest,
    )
