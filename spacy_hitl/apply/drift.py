"""How often students and their LLM disagreed over a whole run, where the pipeline has cascades."""

from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Mapping, Tuple

from spacy.tokens import Doc

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


def write_drifts(drifts: Mapping[str, Drift]) -> List[Dict[str, Any]]:
    """RETURNS (List[Dict[str, Any]]): What a shard adds up to, as it is noted."""
    return [CascadeDrift(name, drift).to_dict() for name, drift in drifts.items()]


def read_drifts(notes: Iterable[Tuple[str, Dict[str, Any]]]) -> Drifts:
    """Add up what was noted of shards.

    notes (Iterable[Tuple[str, Dict[str, Any]]]): Place and counts.
    RETURNS (Drifts): The sums over all shards, by the name of the cascade.
    """
    found: Drifts = {}
    for where, value in notes:
        one = CascadeDrift.from_dict(value, where=where)
        found[one.name] = found.get(one.name, Drift()) + one.drift
    return found
