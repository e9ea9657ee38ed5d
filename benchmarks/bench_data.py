"""Reads benchmark data: JSONL with `text`, people's `gold` or `ents`, a model's `llm`."""

import hashlib
import json
from pathlib import Path
from typing import Any, Dict, Iterable, List, Sequence, Tuple

import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.util import filter_spans

Row = Dict[str, Any]
EVAL_SHARE = 0.2


def read(path: Path) -> List[Row]:
    """RETURNS (List[Row]): The rows of a file."""
    with path.open(encoding="utf8") as lines:
        return [json.loads(line) for line in lines]


def ents_of(row: Row) -> List[Tuple[int, int, str]]:
    """RETURNS (List[Tuple[int, int, str]]): People's entities if there are some, else the LLM's."""
    labels = row if "ents" in row else row.get("gold") or row["llm"]
    ents = labels["ents"]
    return [(start, end, label) for start, end, label in ents]


def make_docs(nlp: Language, rows: Iterable[Row]) -> List[Doc]:
    """RETURNS (List[Doc]): The texts with their entities; spans off the tokens are left out."""
    docs = []
    for row in rows:
        doc = nlp.make_doc(row["text"])
        spans = (doc.char_span(s, e, label=label) for s, e, label in ents_of(row))
        doc.ents = filter_spans([span for span in spans if span is not None])
        docs.append(doc)
    return docs


def write_docs(path: Path, rows: Sequence[Row]) -> None:
    """Write rows as a DocBin for spacy train."""
    DocBin(docs=make_docs(spacy.blank("en"), rows)).to_disk(path)


def fixed_split(
    rows: Sequence[Row], *, share: float = EVAL_SHARE, salt: str = ""
) -> Tuple[List[Row], List[Row]]:
    """Split rows once and for all, by a digest of salt and text: the rest, and the share."""
    parts: Tuple[List[Row], List[Row]] = ([], [])
    for row in rows:
        digest = hashlib.sha256((salt + row["text"]).encode("utf8", "surrogatepass")).hexdigest()
        parts[int(digest[:8], 16) / 16**8 < share].append(row)
    return parts
