"""Relations between entities: `spacy-hitl.Relations.v1`, written to doc._.rel."""

import json
from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional, Tuple

from spacy.tokens import Doc

from ...errors import Errors, InputError
from ...records import Annotation, Counts, ParsedAnswer, RelationAnnotation, Response
from ..base import BaseTask, check_labels, unknown_label
from ..spans import check_offsets, read_compact_spans, refuse_overlap
from .annotations import (
    add_extension,
    get_relations,
    mentions_of,
    set_relations,
    sort_relations,
)
from .compare import compare_relations
from .parse import FIELD, Allowed, build_schema, number_mentions, parse_relations


class RelationsTask(BaseTask):
    """Ask which of the mentions in doc.ents stand in a relation; write it to doc._.rel."""

    kind = "relations"
    folder = Path(__file__).parent

    def __init__(self, *, allowed: Allowed, **common: Any) -> None:
        super().__init__(**common)
        self.allowed = allowed
        # Documents that no answer reached, or that another process annotated, have it too.
        add_extension()

    def prompt_values(self) -> Dict[str, Any]:
        """Which entity labels a relation may connect."""
        return {"allowed": self.allowed}

    def meaning_values(self) -> Dict[str, Any]:
        """Which entity labels a relation may connect."""
        return self.prompt_values()

    def context(self, doc: Doc) -> str:
        """The mentions, as a JSON list with their ids."""
        mentions = number_mentions(doc).items()
        return "Mentions: " + show_mentions((n, ent.text, ent.label_) for n, ent in mentions)

    def schema(self) -> Dict[str, Any]:
        """RETURNS (Dict[str, Any]): JSON schema of an answer."""
        return build_schema(self.labels)

    def parse(self, doc: Doc, response: Response) -> ParsedAnswer:
        """Match the relations of an answer to the mentions."""
        return parse_relations(doc, response, self.labels, self.allowed)

    def set_annotation(self, doc: Doc, annotation: Annotation) -> None:
        """Write relations to doc._.rel, in place."""
        set_relations(doc, annotation, self.labels)

    def get_annotation(self, doc: Doc) -> Annotation:
        """Read this task's relations from doc._.rel."""
        return get_relations(doc, self.labels)

    def compare(self, gold: Annotation, predicted: Annotation) -> Dict[str, Counts]:
        """Count exact matches per label."""
        return compare_relations(gold, predicted)

    def read_compact(self, value: Any, *, where: str, text: str) -> Annotation:
        """Read [[[head_start, head_end], [tail_start, tail_end], label], ...]."""
        if not isinstance(value, list):
            raise self._refused(where, f"found {value!r}")
        relations: Dict[RelationAnnotation, None] = {}
        for item in value:
            if not isinstance(item, (list, tuple)) or len(item) != 3:
                raise self._refused(where, f"found {item!r}")
            head = self._read_mention(item[0], where=where, text=text)
            tail = self._read_mention(item[1], where=where, text=text)
            label = item[2]
            if not isinstance(label, str) or label not in self.labels:
                raise unknown_label(where, label, self.kind, self.labels)
            relation = RelationAnnotation(*head, *tail, label)
            if head == tail:
                raise self._refused(where, f"{item!r} relates a mention to itself")
            if relation in relations:
                raise self._refused(where, f"{item!r} is listed twice")
            relations[relation] = None
        annotation = Annotation(relations=sort_relations(relations))
        refuse_overlap(Annotation(spans=mentions_of(annotation)), where=where, task=self.kind)
        return annotation

    def _read_mention(self, value: Any, *, where: str, text: str) -> Tuple[int, int]:
        if not isinstance(value, (list, tuple)) or len(value) != 2:
            raise self._refused(where, f"found {value!r}")
        start, end, _ = check_offsets([*value, ""], where=where, text=text, task=self.kind)
        return start, end

    def _refused(self, where: str, problem: str) -> InputError:
        remedy = "Expected a list of [[head_start, head_end], [tail_start, tail_end], label]."
        return InputError(
            Errors.H061.format(where=where, problem=problem, task=self.kind, remedy=remedy)
        )

    def write_compact(self, annotation: Annotation) -> List[List[Any]]:
        """Write [[[head_start, head_end], [tail_start, tail_end], label], ...]."""
        return [
            [[r.head_start, r.head_end], [r.tail_start, r.tail_end], r.label]
            for r in annotation.relations
        ]

    def example_answer(self, annotation: Annotation, text: str) -> Dict[str, Any]:
        """The JSON answer for an annotation."""
        return {
            FIELD: [
                {"head": r.head_start, "label": r.label, "tail": r.tail_start}
                for r in annotation.relations
            ]
        }

    def example_values(
        self, record: Dict[str, Any], annotation: Annotation, *, where: str, text: str
    ) -> Dict[str, str]:
        """The mentions of an example: those given, else those that are related."""
        spans = mentions_of(annotation)
        if "mentions" in record:
            given = read_compact_spans(
                record["mentions"], where=where, text=text, task=self.kind, labels=None
            )
            refuse_overlap(given, where=where, task=self.kind)
            places = {(s.start, s.end) for s in given.spans}
            missing = [text[s.start : s.end] for s in spans if (s.start, s.end) not in places]
            if missing:
                raise self._refused(where, f"{missing[0]!r} is related, but not in 'mentions'")
            spans = given.spans
        return {"mentions": show_mentions((s.start, text[s.start : s.end], s.label) for s in spans)}


def show_mentions(mentions: Iterable[Tuple[int, str, str]]) -> str:
    """RETURNS (str): Ids, texts and entity labels (if known) of mentions as one line of JSON."""
    shown = (
        {"id": number, "text": text, **({"label": label} if label else {})}
        for number, text, label in mentions
    )
    return json.dumps(list(shown), ensure_ascii=False)


def check_allowed(allowed: Any, labels: Tuple[str, ...]) -> Dict[str, Tuple[Tuple[str, str], ...]]:
    """RETURNS (Dict[str, Tuple[Tuple[str, str], ...]]): The pairs of entity labels by label."""
    checked = {}
    for label, pairs in allowed.items():
        fits = isinstance(pairs, (list, tuple)) and all(
            isinstance(pair, (list, tuple))
            and len(pair) == 2
            and all(isinstance(name, str) for name in pair)
            for pair in pairs
        )
        if label not in labels or not fits or not pairs:
            what = f"its own labels and pairs of entity labels in allowed, not {label} = {pairs!r}"
            remedy = f'For example: {labels[0]} = [["PRODUCT", "PRODUCT"]].'
            raise InputError(Errors.H101.format(kind="relations", what=what, remedy=remedy))
        checked[label] = tuple((head, tail) for head, tail in pairs)
    return checked


def make_relations_task(
    labels: List[str],
    allowed: Optional[Dict[str, List[List[str]]]] = None,
    label_definitions: Optional[Dict[str, str]] = None,
    guidelines: Optional[str] = None,
    guidelines_path: Optional[Path] = None,
    examples: Optional[Path] = None,
    examples_nearest: Optional[int] = None,
) -> RelationsTask:
    """Make a relation task: directed relations between the entities that are in doc.ents.

    labels (List[str]): Relation labels.
    allowed (Optional[Dict[str, List[List[str]]]]): By relation label, the pairs of entity labels
        [head, tail] that it may connect. A label that is not listed may connect any.
    label_definitions (Optional[Dict[str, str]]): What each label means, in a sentence.
    guidelines (Optional[str]): Annotation guidelines for the prompt.
    guidelines_path (Optional[Path]): File with the guidelines; wins over `guidelines`.
    examples (Optional[Path]): JSONL of few-shot examples: {"text", "annotation":
        [[[0, 3], [10, 12], "A"]]}, and, if there are mentions without a relation or entity labels
        matter, all "mentions": [[0, 3, "PRODUCT"], ...].
    examples_nearest (Optional[int]): Show each text only so many of them, the most similar ones.
    RETURNS (RelationsTask): The task.
    RAISES (InputError): If there are no labels, or `allowed` is about others.
    """
    names = check_labels(labels, kind="relations")
    return RelationsTask(
        allowed=check_allowed(allowed or {}, names),
        labels=names,
        label_definitions=label_definitions or {},
        guidelines=guidelines,
        guidelines_path=guidelines_path,
        examples=examples,
        examples_nearest=examples_nearest,
    )
