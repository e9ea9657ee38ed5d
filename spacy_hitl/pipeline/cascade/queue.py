"""Cases that a student was not sure of, on their way to the people who review."""

import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, List, Optional

from ...errors import InputError, StateError, Warnings
from ...records import EMPTY, GOLD, NOTHING, OK, TRAIN, Annotation, Proposal, Row
from ...ty import Task

if TYPE_CHECKING:
    from ...dataset.store import Dataset

FULL = 256  # cases that are written together


@dataclass(frozen=True)
class Case:
    """One text that was asked about.

    confidence: how likely the student was all right. student: what it said. llm: what the LLM
    answered, None if it was not asked.
    """

    text: str
    confidence: float
    student: Annotation
    llm: Optional[Proposal] = None


class ReviewQueue:
    """Writes cases to a dataset: the text, and what student and LLM propose.

    A text that is new goes to lane train: it was chosen because it is doubtful, so it is no random
    sample. One that is there keeps its lane; of a gold text nothing is written.

    path (Path): The dataset.
    name (str): Name of the cascade: the source of new rows.
    task (Task): What is annotated.
    student (str): Name of the student and of its task.
    """

    def __init__(self, path: Path, name: str, task: Task, student: str) -> None:
        self.path = path
        self._name = name
        self._task = task
        self._student = student
        self._cases: List[Case] = []

    @property
    def waiting(self) -> int:
        """How many cases are not written yet."""
        return len(self._cases)

    @property
    def source(self) -> str:
        """The name under which the student's proposals are stored."""
        return f"student:{self._student}"

    def add(self, case: Case) -> None:
        """Take a case up. It is written with others, or at the end of the stream."""
        self._cases.append(case)
        if len(self._cases) % FULL == 0:
            self.flush()

    def flush(self) -> None:
        """Write what waits. If the dataset can't be written now (a review has it open), the cases
        go on waiting and a warning says so.
        """
        from ...dataset.store import Dataset

        if not self._cases:
            return
        try:
            with Dataset(self.path) as dataset, dataset.db.transaction():
                self._remember_task(dataset)
                for case in self._cases:
                    self._write(dataset, case)
        except StateError as e:
            message = Warnings.W561.format(count=len(self._cases), path=self.path, detail=e)
            warnings.warn(message, UserWarning, stacklevel=3)
            return
        self._cases = []

    def _remember_task(self, dataset: "Dataset") -> None:
        """Record what the task is, unless the project has: it knows of changes, a pipeline not."""
        from ...dataset.task_versions import read_versions, remember

        if self._task.digest() not in read_versions(dataset, self._student):
            remember(dataset, {self._student: self._task}, {})

    def _write(self, dataset: "Dataset", case: Case) -> None:
        from ...dataset.rows import check_row
        from ...io import text_digest
        from ...settings import DataSettings, LaneSettings

        digest = text_digest(case.text)
        lane = dataset.lane(digest)
        if lane == GOLD:
            return
        meta = {"confidence": round(case.confidence, 4)}
        row = Row(self._name, digest[:16], case.text, None if lane else TRAIN, meta)
        try:
            check_row(row, where=self._name, settings=DataSettings())
        except InputError as e:  # a text that no dataset can hold
            warnings.warn(Warnings.W562.format(name=self._name, detail=e), UserWarning, 2)
            return
        dataset.add_rows([row], LaneSettings())
        dataset.add_proposals(self._proposals(case, digest))

    def _proposals(self, case: Case, digest: str) -> List[Proposal]:
        status = EMPTY if case.student == NOTHING else OK
        found = [
            Proposal(
                text_digest=digest,
                task=self._student,
                source=self.source,
                status=status,
                task_digest=self._task.digest(),
                annotation=case.student,
            )
        ]
        if case.llm is not None:
            found.append(replace(case.llm, text_digest=digest))
        return found
