"""A pipeline that needs no training, one that fails on demand, and texts for them."""

from pathlib import Path
from typing import Any, Dict, List

import apply_parts
import spacy
import srsly

PARTS = Path(apply_parts.__file__)
NAMES = ["Nebula", "K9", "Orion", "👩‍🚀 One"]


def make_pipeline(*parts: str, label: str = "PRODUCT", name: str = "product") -> Any:
    """An entity ruler called 'product' that knows some names, behind failing components."""
    nlp = spacy.blank("en")
    for part in parts:
        nlp.add_pipe(part)
    ruler: Any = nlp.add_pipe("entity_ruler", name=name)
    ruler.add_patterns([{"label": label, "pattern": name} for name in NAMES])
    return nlp


def make_texts(n: int) -> List[str]:
    """Texts of which most name a product, all different."""
    return [f"Text {i}: my {NAMES[i % 5]} is fine" if i % 5 < 4 else f"{i} ü" for i in range(n)]


def write(texts: List[str], name: str = "texts.jsonl") -> Path:
    """Write texts as rows r0, r1, ..."""
    srsly.write_jsonl(name, [{"id": f"r{i}", "text": t} for i, t in enumerate(texts)])
    return Path(name)


def results(out: Path) -> List[Dict[str, Any]]:
    """All records, in the order of the shards."""
    return [r for part in sorted(out.glob("part-*.jsonl")) for r in srsly.read_jsonl(part)]


def files(out: Path) -> Dict[str, bytes]:
    """Names and contents of what a user sees."""
    return {p.name: p.read_bytes() for p in out.iterdir() if p.is_file()}


def failing(part: str) -> str:
    """Folder of a pipeline with a component that fails on demand."""
    make_pipeline(part).to_disk("failing")
    return "failing"
