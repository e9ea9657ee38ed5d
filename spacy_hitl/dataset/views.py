"""Two doors to the dataset: the training side, which can't open gold, and gold, for evaluation."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from ..errors import Errors, InputError
from ..records import DEV, GOLD, TRAIN, Decision, Proposal, RowMeta, TaskChanges, TaskRow
from ..ty import Task
from .decisions import Standing, allowed_on_gold, standing
from .history import TaskHistory
from .store import Dataset
from .task_versions import read_histories

ProposalKey = Tuple[str, int, str]  # source, sample, task digest

MAX_META_CHARS = 100  # longer values are no names of a group


class _View:
    lanes: Tuple[str, ...] = ()

    def __init__(self, path: Path) -> None:
        self._dataset = Dataset(path)

    def __enter__(self) -> "_View":
        self._dataset.db.open(readonly=True)
        return self

    def __exit__(self, *args: object) -> None:
        self._dataset.db.close()

    def histories(
        self, tasks: Mapping[str, Task], changes: Mapping[str, TaskChanges], *, path: Path
    ) -> Dict[str, TaskHistory]:
        """RETURNS (Dict[str, TaskHistory]): As `task_versions.read_histories`."""
        return read_histories(self._dataset, tasks, changes, path=path)

    def _rows(
        self,
        task: str,
        key: Optional[ProposalKey],
        lanes: Sequence[str],
        history: Optional[TaskHistory],
    ) -> Iterator[Tuple[str, TaskRow]]:
        for digest, text, normal, lane in self._dataset.texts(lanes=lanes):
            decisions = self._dataset.decisions(task, digest)
            if lane == GOLD:
                decisions = allowed_on_gold(decisions)
            found = _stand(decisions, history)
            row = TaskRow(text, digest, lane)
            if found is not None:
                row = replace(
                    row,
                    decision=found.annotation,
                    partial=found.partial,
                    origin=None if found.rejected or found.put_aside else found.origin,
                    blind=found.blind,
                    bulk=found.bulk,
                )
            if found is None or not (found.rejected or found.put_aside):
                # What nobody could annotate, or what is being talked about, teaches nothing.
                proposals = self._dataset.proposals(task, digest)
                row = replace(row, proposal=_find_proposal(proposals, key))
            yield normal, row


class TrainingSet(_View):
    """The lanes train and dev. Nothing that learns sees the dataset through anything else."""

    lanes = (TRAIN, DEV)

    def __enter__(self) -> "TrainingSet":
        super().__enter__()
        return self

    def task_rows(
        self,
        task: str,
        *,
        key: Optional[ProposalKey] = None,
        lanes: Sequence[str] = lanes,
        history: Optional[TaskHistory] = None,
    ) -> Iterator[TaskRow]:
        """Read the texts with what is known about them for one task, sorted by digest.

        task (str): Name of the task.
        key (Optional[ProposalKey]): Which model's proposals, or None for none.
        lanes (Sequence[str]): Any of train and dev.
        history (Optional[TaskHistory]): The task as it is and was; without it, what was decided is
            taken as if the task had always been the same.
        YIELDS (TaskRow): Texts with a decision or a proposal. Texts that were rejected or put aside
            are left out, and so are near-duplicates of a gold text, and those of a dev text in
            train.
        RAISES (InputError): If gold is asked for.
        """
        if GOLD in lanes:
            raise InputError(Errors.H056)
        gold, dev = self._dataset.normals(GOLD), self._dataset.normals(DEV)
        mine = [lane for lane in lanes if lane in self.lanes]
        for normal, row in self._rows(task, key, mine, history):
            if normal in gold or (row.lane == TRAIN and normal in dev):
                continue
            if any(found is not None for found in (row.decision, row.partial, row.proposal)):
                yield row

    def sample_rows(
        self,
        task: str,
        *,
        key: ProposalKey,
        versions: Sequence[ProposalKey] = (),
        lanes: Sequence[str] = lanes,
        history: Optional[TaskHistory] = None,
    ) -> Iterator[Tuple[TaskRow, Tuple[Proposal, ...]]]:
        """Read the same texts with all samples of one model, and of other versions of the prompt.

        task (str): Name of the task.
        key (ProposalKey): Which model's proposals, and which sample is the row's own.
        versions (Sequence[ProposalKey]): Other prompts (or models) whose samples vote too.
        lanes (Sequence[str]): Any of train and dev.
        history (Optional[TaskHistory]): As in `task_rows`.
        YIELDS (Tuple[TaskRow, Tuple[Proposal, ...]]): As `task_rows`, with the samples in order.
        RAISES (InputError): If gold is asked for.
        """
        asked = {(source, digest) for source, _, digest in (key, *versions)}
        for row in self.task_rows(task, key=key, lanes=lanes, history=history):
            found = self._dataset.proposals(task, row.text_digest)
            yield row, tuple(p for p in found if (p.source, p.task_digest) in asked)

    def near_duplicates(self) -> Dict[str, int]:
        """RETURNS (Dict[str, int]): Texts left out per lane because of near-duplicates."""
        gold, dev = self._dataset.normals(GOLD), self._dataset.normals(DEV)
        counts = {TRAIN: 0, DEV: 0}
        for lane in self.lanes:
            for normal, n in self._dataset.normal_counts(lane):
                if normal in gold or (lane == TRAIN and normal in dev):
                    counts[lane] += n
        return counts


class GoldSet(_View):
    """The lane gold, for evaluation only."""

    lanes = (GOLD,)

    def __enter__(self) -> "GoldSet":
        super().__enter__()
        return self

    def task_rows(self, task: str, *, history: Optional[TaskHistory] = None) -> Iterator[TaskRow]:
        """Read the gold texts that were decided on.

        task (str): Name of the task.
        history (Optional[TaskHistory]): As in `TrainingSet.task_rows`.
        YIELDS (TaskRow): Without proposals, with the rows they stood in, sorted by digest. What was
            decided without reading the text (propagated, in bulk) does not count here.
        """
        for _, row in self._rows(task, None, self.lanes, history):
            if row.decision is not None:
                yield replace(row, rows=self._origins(row.text_digest))

    def _origins(self, digest: str) -> Tuple[RowMeta, ...]:
        found: List[RowMeta] = []
        for source, meta in self._dataset.row_meta(digest):
            row = RowMeta(source, {k: v for k, v in meta.items() if _is_plain(v)} or None)
            if row not in found:
                found.append(row)
        return tuple(found)

    def texts(self) -> Iterator[str]:
        """YIELDS (str): All gold texts, decided or not: for keeping what is like them apart."""
        return (text for _, text, _, _ in self._dataset.texts(lanes=self.lanes))


def _is_plain(value: Any) -> bool:
    return isinstance(value, (bool, int, float, str)) and len(str(value)) <= MAX_META_CHARS


def _stand(decisions: Sequence[Decision], history: Optional[TaskHistory]) -> Optional[Standing]:
    return standing(decisions) if history is None else history.standing(decisions)


def _find_proposal(proposals: Sequence[Proposal], key: Optional[ProposalKey]) -> Optional[Proposal]:
    return next((p for p in proposals if (p.source, p.sample, p.task_digest) == key), None)
