"""The texts of the effort benchmark: real proposals, and human gold that only the reviewer sees."""

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import spacy
from effort_page import Layout, Place

from spacy_hitl.dataset.lanes import draw_lane, normal_digest
from spacy_hitl.io import read_jsonl, text_digest
from spacy_hitl.records import Annotation, Proposal, Response, SpanAnnotation
from spacy_hitl.review.session.screens import Tokens
from spacy_hitl.settings import LaneSettings
from spacy_hitl.tasks.ner.task import NERTask, make_ner_task

SOURCE, STATED = "llm", "stated"
NAME = "entities"


@dataclass(frozen=True)
class Text:
    """One text.

    id: its own, in the file. proposal: the LLM's raw answer as the task understands it, with the
    confidence that the LLM stated for each span, if there is one. gold: what people annotated.
    """

    digest: str
    id: str
    text: str
    tokens: Tokens
    layout: Layout
    proposal: Proposal
    gold: Annotation

    def places(self, annotation: Annotation) -> List[Place]:
        """RETURNS (List[Place]): Spans in tokens; those inside tokens are widened, as shown."""
        found = (self.tokens.cover(s.start, s.end)[0] for s in annotation.spans)
        return sorted(dict.fromkeys(found))

    def span(self, place: Place, label: str) -> SpanAnnotation:
        """RETURNS (SpanAnnotation): Tokens as characters."""
        return SpanAnnotation(*self.tokens.chars(*place), label)

    def lane(self, *, salt: str) -> str:
        """RETURNS (str): Drawn from the text alone, as everywhere."""
        shares = LaneSettings()
        return draw_lane(normal_digest(self.text), gold=shares.gold, dev=shares.dev, salt=salt)


@lru_cache(maxsize=1)
def read_texts(path: Path, *, line: int) -> Tuple[NERTask, Tuple[Text, ...]]:
    """Read train.jsonl of a folder with human gold and an LLM's answers.

    path (Path): The file: {"text", "gold": {"ents"}, "llm": {"ents", "raw", "confidence"}}.
    line (int): Characters on a line of the text card.
    RETURNS (Tuple[NERTask, Tuple[Text, ...]]): The task, and the texts.
    """
    rows = [row for _, row in read_jsonl(path, what="texts with gold and LLM labels")]
    labels = sorted({label for row in rows for *_, label in row["gold"]["ents"]})
    if len(labels) != 1:
        raise ValueError(f"{path}: the model of the page knows one label, found {labels}")
    task = make_ner_task(labels)
    nlp = spacy.blank("en")
    texts: Dict[str, Text] = {}
    for row in rows:
        doc = nlp.make_doc(row["text"])
        tokens = Tokens.of(doc)
        digest = text_digest(row["text"])
        parsed = task.parse(doc, Response(model=SOURCE, text=row["llm"]["raw"]))
        texts[digest] = Text(
            digest=digest,
            id=row["id"],
            text=row["text"],
            tokens=tokens,
            layout=Layout([(t, bool(space)) for t, space in tokens.shown()], line=line),
            proposal=Proposal(
                text_digest=digest,
                task=NAME,
                source=SOURCE,
                status=parsed.status,
                task_digest=task.digest(),
                annotation=_with_confidence(parsed.annotation, row["llm"]),
                problems=parsed.problems,
            ),
            gold=task.read_compact(row["gold"]["ents"], where=row["id"], text=row["text"]),
        )
    return task, tuple(texts.values())


def _with_confidence(annotation: Annotation, llm: Dict[str, Any]) -> Annotation:
    stated = {tuple(e): c for e, c in zip(llm["ents"], llm.get("confidence") or (), strict=False)}

    def scored(s: SpanAnnotation) -> SpanAnnotation:
        score: Optional[float] = stated.get((s.start, s.end, s.label))
        return s if score is None else replace(s, score=score, score_source=STATED)

    return replace(annotation, spans=tuple(scored(s) for s in annotation.spans))


def in_half(text: Text, half: int) -> bool:
    """RETURNS (bool): Whether a text is in half 0 (for development) or 1, drawn from its id."""
    return hashlib.sha256(f"dev:{text.id}".encode()).digest()[-1] % 2 == half


def without_confidence(proposal: Proposal) -> Proposal:
    """RETURNS (Proposal): The same, as if the LLM had stated none."""
    bare = (replace(s, score=None, score_source=None) for s in proposal.annotation.spans)
    return replace(proposal, annotation=Annotation(spans=tuple(bare)))
