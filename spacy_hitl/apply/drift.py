"""How often students and their LLM disagreed over a whole run, where the pipeline has cascades."""

from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterable, Mapping, Tuple

from spacy.tokens import Doc

from ..io import read_jsonl, write_jsonl
from ..pipeline.cascade import ABSTAINED, Drift, get_answers
from ..records import Record

Drifts = Dict[str, Drift]


@dataclass(frozen=True)
class CascadeDrift(Record):
    """What the answers of one cascade add up to in one shard."""

    name: str
    drift: Drift


def count_answers(drifts: Drifts, doc: Doc) -> None:
    """Add what the cascades of a pipeline did with a document.

    drifts (Drifts): By the name of the cascade; changed.
    doc (Doc): As the pipeline gave it.
    """
    for name, answer in get_answers(doc).items():
        drifts[name] = drifts.get(name, Drift()) + Drift.of([answer])


def abstained(doc: Doc) -> Tuple[str, ...]:
    """RETURNS (Tuple[str, ...]): The cascades that were not sure of a document and had nobody to
    ask: what their students said stands, and is doubtful.
    """
    return tuple(n for n, answer in get_answers(doc).items() if answer.answered == ABSTAINED)


def write_drifts(path: Path, drifts: Mapping[str, Drift]) -> None:
    """Write what a shard adds up to; an empty file where there is no cascade."""
    write_jsonl(path, (CascadeDrift(name, drift).to_dict() for name, drift in drifts.items()))


def read_drifts(paths: Iterable[Path]) -> Drifts:
    """RETURNS (Drifts): The sums over all shards, by the name of the cascade."""
    found: Drifts = {}
    for path in paths:
        for where, value in read_jsonl(path, what="counts of cascades"):
            one = CascadeDrift.from_dict(value, where=where)
            found[one.name] = found.get(one.name, Drift()) + one.drift
    return found
