"""`spacy-hitl.TaskCorpus.v1`: an exported corpus as a spaCy reader, the labels of one task only."""

from pathlib import Path
from typing import Callable, Iterable, Iterator

from spacy.language import Language
from spacy.training import Example

from ..dataset.corpus import read_training_corpus
from ..errors import Errors, InputError
from ..records import GOLD, LANES
from .examples import make_examples


class TaskCorpus:
    """Reads examples each time it is called with a pipeline, as spaCy's own corpus does."""

    def __init__(
        self, path: Path, *, task: str, lane: str, decisions: bool, proposals: bool, repeat: int
    ) -> None:
        self.path = Path(path)
        self.task = task
        self.lane = lane
        self.decisions = decisions
        self.proposals = proposals
        self.repeat = repeat

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Read the examples.

        nlp (Language): The pipeline that learns.
        YIELDS (Example): Decided texts (`repeat` times), then proposals if they are wanted.
        RAISES (InputError): If the file is missing or of another task, holds gold, or has nothing
            to learn from.
        """
        header, rows = read_training_corpus(self.path, self.task)
        count = 0
        for _ in range(self.repeat if self.decisions else 0):
            for eg in make_examples(nlp, header, rows, lane=self.lane):
                count += 1
                yield eg
        if self.proposals:
            for eg in make_examples(
                nlp, header, rows, lane=self.lane, decisions=False, proposals=True
            ):
                count += 1
                yield eg
        if not count:
            what = "decision" if self.decisions else "usable proposal"
            raise InputError(
                Errors.H300.format(task=self.task, path=self.path, what=what, lane=self.lane)
            )


def make_task_corpus(
    path: Path,
    task: str,
    lane: str = "train",
    decisions: bool = True,
    proposals: bool = False,
    repeat: int = 1,
) -> Callable[[Language], Iterable[Example]]:
    """Make a reader of an exported corpus.

    path (Path): File written by `spacy hitl export`.
    task (str): Name of the task: a file of another one is refused.
    lane (str): "train" or "dev". Gold is refused.
    decisions (bool): Read what was decided, as gold-standard examples.
    proposals (bool): Read what the model proposed for texts without a decision, as silver
        examples; only answers with the status ok or empty.
    repeat (int): How often decided texts come, to weigh them against proposals.
    RETURNS (Callable[[Language], Iterable[Example]]): The reader. The file is read when called.
    RAISES (InputError): If the lane is gold or unknown.
    """
    if lane == GOLD:
        raise InputError(Errors.H056)
    if lane not in LANES:
        where = f"TaskCorpus for '{task}'"
        raise InputError(Errors.H054.format(where=where, lane=lane, lanes="train, dev"))
    return TaskCorpus(
        path, task=task, lane=lane, decisions=decisions, proposals=proposals, repeat=repeat
    )
