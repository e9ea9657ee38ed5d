"""Named entities: `spacy-hitl.NER.v1`, written to doc.ents."""

from pathlib import Path
from typing import Any, Dict, List, Optional

from spacy.tokens import Doc

from ...records import Annotation, Counts, ParsedAnswer, Response
from ..base import BaseTask, check_labels
from ..spans import read_compact_spans, refuse_overlap
from .annotations import get_entities, set_entities
from .compare import compare_entities
from .parse import FIELD, build_schema, parse_entities


class NERTask(BaseTask):
    """Ask for entities, ground them exactly, write them to doc.ents."""

    kind = "ner"
    folder = Path(__file__).parent

    def schema(self) -> Dict[str, Any]:
        """RETURNS (Dict[str, Any]): JSON schema of an answer."""
        return build_schema(self.labels)

    def parse(self, doc: Doc, response: Response) -> ParsedAnswer:
        """Ground the entities of an answer."""
        return parse_entities(doc, response, self.labels)

    def set_annotation(self, doc: Doc, annotation: Annotation) -> None:
        """Write entities to doc.ents, in place."""
        set_entities(doc, annotation)

    def get_annotation(self, doc: Doc) -> Annotation:
        """Read this task's entities from doc.ents."""
        return get_entities(doc, self.labels)

    def compare(self, gold: Annotation, predicted: Annotation) -> Dict[str, Counts]:
        """Count exact matches per label."""
        return compare_entities(gold, predicted)

    def read_compact(self, value: Any, *, where: str, text: str) -> Annotation:
        """Read [[start, end, label], ...]."""
        spans = read_compact_spans(
            value, where=where, text=text, task=self.kind, labels=self.labels
        )
        return refuse_overlap(spans, where=where, task=self.kind)

    def write_compact(self, annotation: Annotation) -> List[List[Any]]:
        """Write [[start, end, label], ...]."""
        return [[s.start, s.end, s.label] for s in annotation.spans]

    def example_answer(self, annotation: Annotation, text: str) -> Dict[str, Any]:
        """The JSON answer for an annotation."""
        return {
            FIELD: [{"text": text[s.start : s.end], "label": s.label} for s in annotation.spans]
        }


def make_ner_task(
    labels: List[str],
    label_definitions: Optional[Dict[str, str]] = None,
    guidelines: Optional[str] = None,
    guidelines_path: Optional[Path] = None,
    examples: Optional[Path] = None,
    examples_nearest: Optional[int] = None,
) -> NERTask:
    """Make an entity task.

    labels (List[str]): Entity labels.
    label_definitions (Optional[Dict[str, str]]): What each label means, in a sentence.
    guidelines (Optional[str]): Annotation guidelines for the prompt.
    guidelines_path (Optional[Path]): File with the guidelines; wins over `guidelines`.
    examples (Optional[Path]): JSONL of few-shot examples: {"text", "annotation": [[0, 3, "A"]]}.
    examples_nearest (Optional[int]): Show each text only so many of them, the most similar ones.
    RETURNS (NERTask): The task. Files are read when the first prompt is made.
    RAISES (InputError): If there are no labels.
    """
    return NERTask(
        labels=check_labels(labels, kind="ner"),
        label_definitions=label_definitions or {},
        guidelines=guidelines,
        guidelines_path=guidelines_path,
        examples=examples,
        examples_nearest=examples_nearest,
    )
