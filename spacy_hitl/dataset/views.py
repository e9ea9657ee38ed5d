"""Two doors to the dataset: the training side, which can't open gold, and gold, for evaluation."""

from pathlib import Path
from typing import Dict, Iterator, Optional, Sequence, Tuple

from ..errors import Errors, InputError
from ..records import ACCEPT, DEV, GOLD, TRAIN, Decision, Proposal, TaskRow
from .store import Dataset

ProposalKey = Tuple[str, int, str]  # source, sample, task digest


class _View:
    lanes: Tuple[str, ...] = ()

    def __init__(self, path: Path) -> None:
        self._dataset = Dataset(path)

    def __enter__(self) -> "_View":
        self._dataset.db.open(readonly=True)
        return self

    def __exit__(self, *args: object) -> None:
        self._dataset.db.close()

    def _rows(
        self, task: str, key: Optional[ProposalKey], lanes: Sequence[str]
    ) -> Iterator[Tuple[str, TaskRow]]:
        for digest, text, normal, lane in self._dataset.texts(lanes=lanes):
            decision = last_decision(self._dataset.decisions(task, digest))
            proposal = _find_proposal(self._dataset.proposals(task, digest), key)
            yield (
                normal,
                TaskRow(
                    text=text,
                    text_digest=digest,
                    lane=lane,
                    decision=None if decision is None else decision.annotation,
                    origin=None if decision is None else decision.origin,
                    blind=decision is None or decision.saw_proposal is None,
                    proposal=proposal,
                ),
            )


class TrainingSet(_View):
    """The lanes train and dev. Nothing that learns sees the dataset through anything else."""

    lanes = (TRAIN, DEV)

    def __enter__(self) -> "TrainingSet":
        super().__enter__()
        return self

    def task_rows(
        self, task: str, *, key: Optional[ProposalKey] = None, lanes: Sequence[str] = lanes
    ) -> Iterator[TaskRow]:
        """Read the texts with what is known about them for one task, sorted by digest.

        task (str): Name of the task.
        key (Optional[ProposalKey]): Which model's proposals, or None for none.
        lanes (Sequence[str]): Any of train and dev.
        YIELDS (TaskRow): Texts with a decision or a proposal. Texts that are near-duplicates of a
            gold text are left out, and those of a dev text are left out of train.
        RAISES (InputError): If gold is asked for.
        """
        if GOLD in lanes:
            raise InputError(Errors.H056)
        gold, dev = self._dataset.normals(GOLD), self._dataset.normals(DEV)
        for normal, row in self._rows(task, key, [lane for lane in lanes if lane in self.lanes]):
            if normal in gold or (row.lane == TRAIN and normal in dev):
                continue
            if row.decision is not None or row.proposal is not None:
                yield row

    def sample_rows(
        self, task: str, *, key: ProposalKey, lanes: Sequence[str] = lanes
    ) -> Iterator[Tuple[TaskRow, Tuple[Proposal, ...]]]:
        """Read the same texts with all samples of one model, asked under the same task digest.

        task (str): Name of the task.
        key (ProposalKey): Which model's proposals, and which sample is the row's own.
        lanes (Sequence[str]): Any of train and dev.
        YIELDS (Tuple[TaskRow, Tuple[Proposal, ...]]): As `task_rows`, with the samples in order.
        RAISES (InputError): If gold is asked for.
        """
        for row in self.task_rows(task, key=key, lanes=lanes):
            found = self._dataset.proposals(task, row.text_digest)
            yield row, tuple(p for p in found if (p.source, p.task_digest) == (key[0], key[2]))

    def near_duplicates(self) -> Dict[str, int]:
        """RETURNS (Dict[str, int]): Texts left out per lane because of near-duplicates."""
        gold, dev = self._dataset.normals(GOLD), self._dataset.normals(DEV)
        counts = {TRAIN: 0, DEV: 0}
        for _, _, normal, lane in self._dataset.texts(lanes=self.lanes):
            counts[lane] += normal in gold or (lane == TRAIN and normal in dev)
        return counts


class GoldSet(_View):
    """The lane gold, for evaluation only."""

    lanes = (GOLD,)

    def __enter__(self) -> "GoldSet":
        super().__enter__()
        return self

    def task_rows(self, task: str) -> Iterator[TaskRow]:
        """YIELDS (TaskRow): The gold texts that were decided on, without proposals, by digest."""
        for _, row in self._rows(task, None, self.lanes):
            if row.decision is not None:
                yield row


def last_decision(decisions: Sequence[Decision]) -> Optional[Decision]:
    """RETURNS (Optional[Decision]): The decision that counts: the last one, if it accepted."""
    last = decisions[-1] if decisions else None
    return last if last is not None and last.action == ACCEPT else None


def _find_proposal(proposals: Sequence[Proposal], key: Optional[ProposalKey]) -> Optional[Proposal]:
    return next((p for p in proposals if (p.source, p.sample, p.task_digest) == key), None)
