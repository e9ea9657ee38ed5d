"""What the tests of scores share: further answers to questions that were answered once."""

from pathlib import Path
from typing import Any, Dict

from spacy_hitl.dataset.store import Dataset
from spacy_hitl.records import LANES, Proposal

DB = Path("datasets/hitl.db")


def add_samples(task: str, change: Any, *, sample: int) -> int:
    """Give every text that has a first sample another one. RETURNS: how many."""
    with Dataset(DB) as dataset:
        first = [
            p
            for digest, *_ in dataset.texts(lanes=LANES)
            for p in dataset.proposals(task, digest)
            if p.sample == 1
        ]
        more = [Proposal.from_dict({**p.to_dict(), **change(p), "sample": sample}) for p in first]
        dataset.add_proposals(more)
    return len(first)


def nothing(p: Proposal) -> Dict[str, Any]:
    """The model found nothing."""
    return {"annotation": {}, "status": "empty"}


def same(p: Proposal) -> Dict[str, Any]:
    """The model said the same."""
    return {}
