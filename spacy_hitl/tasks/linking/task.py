"""Entity linking: `spacy-hitl.Linking.v1`, written to ent.kb_id_ of the mentions in doc.ents."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from spacy.tokens import Doc

from ...errors import Errors, InputError
from ...records import NIL, Annotation, Counts, ParsedAnswer, Response, SpanAnnotation
from ..base import BaseTask
from ..spans import check_offsets, refuse_overlap
from .annotations import get_links, set_links
from .catalog import CatalogEntry, read_catalog
from .compare import compare_links
from .parse import FIELD, build_schema, parse_links


class LinkingTask(BaseTask):
    """Ask which catalog entry each mention means. Its labels are the catalog ids."""

    kind = "linking"
    folder = Path(__file__).parent

    def __init__(self, *, catalog: Path, mention_label: str, **common: Any) -> None:
        super().__init__(labels=(), label_definitions={}, **common)
        self.catalog_path = Path(catalog)
        self.mention_label = mention_label
        self._catalog: Optional[Dict[str, CatalogEntry]] = None

    @property
    def catalog(self) -> Dict[str, CatalogEntry]:
        """The catalog, read when first asked for."""
        if self._catalog is None:
            self._catalog = read_catalog(self.catalog_path)
        return self._catalog

    @property
    def labels(self) -> Tuple[str, ...]:
        """All catalog ids."""
        return tuple(self.catalog)

    def header_values(self) -> Dict[str, Any]:
        """Where the names of the entries are."""
        return {"catalog": self.catalog_path.as_posix()}

    def prompt_values(self) -> Dict[str, Any]:
        """The catalog entries."""
        return {"entries": list(self.catalog.values())}

    def meaning_values(self) -> Dict[str, Any]:
        """Names, aliases and descriptions of the entries."""
        return {"entries": [asdict(entry) for entry in self.catalog.values()]}

    def context(self, doc: Doc) -> str:
        """The mentions to link, as a JSON list."""
        return "Mentions: " + json.dumps([ent.text for ent in doc.ents], ensure_ascii=False)

    def schema(self) -> Dict[str, Any]:
        """RETURNS (Dict[str, Any]): JSON schema of an answer."""
        return build_schema(self.labels)

    def parse(self, doc: Doc, response: Response) -> ParsedAnswer:
        """Match the links of an answer to the mentions."""
        return parse_links(doc, response, self.catalog)

    def set_annotation(self, doc: Doc, annotation: Annotation) -> None:
        """Write catalog ids to the mentions, in place."""
        set_links(doc, annotation)

    def get_annotation(self, doc: Doc) -> Annotation:
        """Read the links of all mentions; a mention without a link counts as NIL."""
        return get_links(doc, nil=NIL)

    def compare(self, gold: Annotation, predicted: Annotation) -> Dict[str, Counts]:
        """Count exact matches per catalog id."""
        return compare_links(gold, predicted)

    def read_compact(self, value: Any, *, where: str, text: str) -> Annotation:
        """Read [[start, end, id or null], ...]."""
        if not isinstance(value, list):
            problem, remedy = f"found {value!r}", "Expected a list of [start, end, id]."
            raise InputError(
                Errors.H061.format(where=where, problem=problem, task=self.kind, remedy=remedy)
            )
        spans = []
        for item in value:
            start, end, target = check_offsets(item, where=where, text=text, task=self.kind)
            known_id = isinstance(target, str) and target in self.catalog
            if target is not None and not known_id:
                known = ", ".join(list(self.catalog)[:20])
                raise InputError(
                    Errors.H058.format(
                        where=where, what="catalog id", value=target, task=self.kind, known=known
                    )
                )
            kb_id = NIL if target is None else target
            spans.append(SpanAnnotation(start, end, self.mention_label, kb_id=kb_id))
        return refuse_overlap(
            Annotation(spans=tuple(sorted(spans, key=_offset))), where=where, task=self.kind
        )

    def write_compact(self, annotation: Annotation) -> List[List[Any]]:
        """Write [[start, end, id or null], ...]."""
        return [[s.start, s.end, None if s.kb_id == NIL else s.kb_id] for s in annotation.spans]

    def example_answer(self, annotation: Annotation, text: str) -> Dict[str, Any]:
        """The JSON answer for an annotation."""
        return {
            FIELD: [
                {"text": text[s.start : s.end], "id": None if s.kb_id == NIL else s.kb_id}
                for s in annotation.spans
            ]
        }


def _offset(span: SpanAnnotation) -> Tuple[int, int]:
    return span.start, span.end


def make_linking_task(
    catalog: Path,
    mention_label: str = "MENTION",
    guidelines: Optional[str] = None,
    guidelines_path: Optional[Path] = None,
    examples: Optional[Path] = None,
    examples_nearest: Optional[int] = None,
) -> LinkingTask:
    """Make an entity linking task.

    catalog (Path): JSONL with id, name and aliases of each entry. Read when first needed.
    mention_label (str): Label of the mentions in imported annotations; spaCy's entities need one.
    guidelines (Optional[str]): Annotation guidelines for the prompt.
    guidelines_path (Optional[Path]): File with the guidelines; wins over `guidelines`.
    examples (Optional[Path]): JSONL of few-shot examples: {"text", "annotation": [[0, 3, "ID"]]}.
    examples_nearest (Optional[int]): Show each text only so many of them, the most similar ones.
    RETURNS (LinkingTask): The task.
    """
    return LinkingTask(
        catalog=catalog,
        mention_label=mention_label,
        guidelines=guidelines,
        guidelines_path=guidelines_path,
        examples=examples,
        examples_nearest=examples_nearest,
    )
