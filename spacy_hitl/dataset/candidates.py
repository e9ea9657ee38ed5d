"""What a router sees of texts: all that was proposed for them. Gold can't be read here."""

from typing import Collection, Dict, Iterator, List, Mapping, Sequence, Tuple

from ..errors import Errors, InputError
from ..io import batched
from ..records import GOLD, Candidate, Proposal
from .history import TaskHistory
from .store import Dataset

ProposalKey = Tuple[str, int, str]  # source, sample, task digest
CHUNK = 500  # SQLite takes at least 999 values in one statement


def read_candidates(
    dataset: Dataset,
    digests: Sequence[str],
    keys: Mapping[str, ProposalKey],
    *,
    alike: Mapping[str, Collection[str]],
) -> List[Candidate]:
    """Read texts with their proposals.

    dataset (Dataset): Open.
    digests (Sequence[str]): The texts.
    keys (Mapping[str, ProposalKey]): By task, the proposals that are shown.
    alike (Mapping[str, Collection[str]]): By task, digests of other versions of it whose proposals
        can be compared (see `alike_versions`).
    RETURNS (List[Candidate]): In the same order; a text that is not stored is left out.
    RAISES (InputError): If one of the texts is gold.
    """
    found: Dict[str, Candidate] = {}
    for chunk in batched(digests, CHUNK):
        texts = _texts(dataset, chunk)
        proposals = {task: _proposals(dataset, chunk, task) for task in keys}
        for digest, text in texts.items():
            samples, others = {}, {}
            for task, key in keys.items():
                some = proposals[task].get(digest, [])
                samples[task] = _samples(some, key)
                others[task] = tuple(p for p in some if _is_other(p, key, alike.get(task, ())))
            found[digest] = Candidate(digest, text, samples, others)
    return [found[digest] for digest in digests if digest in found]


def alike_versions(history: TaskHistory) -> Tuple[str, ...]:
    """RETURNS (Tuple[str, ...]): Digests of earlier versions of a task with the same labels."""
    labels = history.header.labels
    return tuple(d for d, version in history.then.items() if version.header.labels == labels)


def _texts(dataset: Dataset, digests: Sequence[str]) -> Dict[str, str]:
    rows = _select(dataset, "SELECT digest, text, lane FROM texts WHERE digest IN", digests)
    texts = {}
    for digest, text, lane in rows:
        if lane == GOLD:
            raise InputError(Errors.H056)
        texts[digest] = text
    return texts


def _proposals(dataset: Dataset, digests: Sequence[str], task: str) -> Dict[str, List[Proposal]]:
    sql = "SELECT digest, record FROM proposals WHERE task = ? AND digest IN"
    found: Dict[str, List[Proposal]] = {}
    for digest, record in _select(dataset, sql, digests, task):
        found.setdefault(digest, []).append(Proposal.from_dict(dataset.db.load(record)))
    return found


def _select(
    dataset: Dataset, sql: str, digests: Sequence[str], *values: str
) -> Iterator[Tuple[str, ...]]:
    marks = ", ".join("?" for _ in digests)
    return dataset.db.rows(f"{sql} ({marks})", [*values, *digests])


def _samples(proposals: Sequence[Proposal], key: ProposalKey) -> Tuple[Proposal, ...]:
    """The answers of the model to the task as it is, the shown one first."""
    source, sample, task_digest = key
    mine = [p for p in proposals if (p.source, p.task_digest) == (source, task_digest)]
    return tuple(sorted(mine, key=lambda p: (p.sample != sample, p.sample)))


def _is_other(proposal: Proposal, key: ProposalKey, alike: Collection[str]) -> bool:
    source, _, task_digest = key
    if proposal.task_digest == task_digest:
        return proposal.source != source
    return proposal.task_digest in alike
