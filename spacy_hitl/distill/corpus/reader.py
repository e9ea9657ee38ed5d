"""`spacy-hitl.TaskCorpus.v1`: an exported corpus as a spaCy reader, the labels of one task only."""

from pathlib import Path
from typing import Callable, Dict, Iterable, Iterator, List, Mapping, Optional

from spacy.language import Language
from spacy.pipeline import EntityRecognizer
from spacy.training import Example
from spacy.util import logger

from ...dataset.corpus import read_training_corpus
from ...errors import Errors, InputError
from ...records import GOLD, LANES, TRAIN, TaskHeader
from ...tasks.near_duplicates import NEAR, check_threshold
from ..base.frozen import with_base
from ..learned import META, remember_inputs
from .curriculum import Curriculum, plan, read_weights
from .examples import make_example
from .mentions import add_mentions


class TaskCorpus:
    """Reads examples each time it is called with a pipeline, as spaCy's own corpus does."""

    def __init__(
        self,
        path: Path,
        *,
        task: str,
        lane: str,
        decisions: bool,
        proposals: bool,
        weights: Mapping[str, int],
        incorrect_spans_key: Optional[str],
        near_duplicates: Optional[float],
        mentions: Optional[Path] = None,
    ) -> None:
        self.path = Path(path)
        self.task = task
        self.lane = lane
        self.decisions = decisions
        self.proposals = proposals
        self.weights = weights
        self.incorrect_spans_key = incorrect_spans_key
        self.near_duplicates = near_duplicates
        self.mentions = mentions
        self._told = False

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Read the examples.

        nlp (Language): The pipeline that learns.
        YIELDS (Example): Decided texts, then parts of texts that were decided, then proposals if
            they are wanted, each as often as its weight.
        RAISES (InputError): If the file is missing or of another task, holds gold, or has nothing
            to learn from.
        """
        header, rows = read_training_corpus(self.path, self.task)
        rows = add_mentions(rows, self.mentions, header)
        key = find_incorrect_spans_key(nlp, header, self.incorrect_spans_key)
        found = plan(
            header,
            rows,
            lane=self.lane,
            decisions=self.decisions,
            proposals=self.proposals,
            weights=self.weights,
            near_duplicates=self.near_duplicates,
        )
        first = not self._told
        self._tell(header, found)
        if first or META not in nlp.meta:
            remember_inputs(nlp)
        examples = (
            make_example(
                nlp,
                lesson.text,
                lesson.annotation,
                header,
                unknown=lesson.unknown,
                rejected=lesson.rejected,
                incorrect_spans_key=key,
            )
            for lesson in found.lessons
        )
        yield from with_base(nlp, examples)

    def _tell(self, header: TaskHeader, found: Curriculum) -> None:
        """Say once what is learned from, and complain if it is nothing."""
        if not found.lessons:
            where = {"task": self.task, "path": self.path, "lane": self.lane}
            if found.left_out:
                detail = ", ".join(f"{what}: {count}" for what, count in found.left_out.items())
                raise InputError(Errors.H324.format(**where, detail=detail))
            what = "decision" if self.decisions else "usable proposal"
            raise InputError(Errors.H300.format(**where, what=what))
        if self._told:
            return
        self._told = True
        logger.info("Corpus of '%s', lane %s: %s", self.task, self.lane, found)
        if header.kind == "ner" and not found.closed:
            logger.warning(
                "Nothing in the corpus of '%s' says where no entity is: only parts of texts were "
                "decided. The component will find entities everywhere. Set proposals = true, or "
                "decide on some texts whole.",
                self.task,
            )


def find_incorrect_spans_key(
    nlp: Language, header: TaskHeader, wanted: Optional[str]
) -> Optional[str]:
    """Find out where the component that learns a task looks for entities that are wrong.

    nlp (Language): The pipeline that learns.
    header (TaskHeader): The task. Its component has its name, or is the only `ner`.
    wanted (Optional[str]): The key that the reader was given; None for the component's.
    RETURNS (Optional[str]): The key of a group in `doc.spans`; None if rejected spans are not used.
    RAISES (InputError): If the two don't agree, or if the task is no `ner`.
    """
    if header.kind != "ner":
        if wanted is not None:
            raise InputError(Errors.H326.format(task=header.task, kind=header.kind))
        return None
    keys: Dict[str, Optional[str]] = {
        name: pipe.incorrect_spans_key
        for name, pipe in nlp.components
        if isinstance(pipe, EntityRecognizer)
    }
    if header.task in keys:
        keys = {header.task: keys[header.task]}
    if wanted is None:
        return next(iter(keys.values())) if len(keys) == 1 else None
    if keys and wanted not in keys.values():
        found: List[str] = [f"'{name}' has {key!r}" for name, key in keys.items()]
        component = f"component {', '.join(found)} as its incorrect_spans_key"
        raise InputError(Errors.H320.format(task=header.task, key=wanted, component=component))
    return wanted


def make_task_corpus(
    path: Path,
    task: str,
    lane: str = TRAIN,
    decisions: bool = True,
    proposals: bool = False,
    repeat: int = 1,
    weights: Optional[Dict[str, int]] = None,
    incorrect_spans_key: Optional[str] = None,
    near_duplicates: Optional[float] = NEAR,
    mentions: Optional[Path] = None,
) -> Callable[[Language], Iterable[Example]]:
    """Make a reader of an exported corpus.

    path (Path): File written by `spacy hitl export`.
    task (str): Name of the task: a file of another one is refused.
    lane (str): "train" or "dev". Gold is refused.
    decisions (bool): Read what was decided, as gold-standard examples; in train also what was
        decided of a part of a text, the rest of it being unknown.
    proposals (bool): Read what the model proposed for texts without a decision, as silver
        examples; only answers with the status ok or empty.
    repeat (int): How often what was decided comes, to weigh it against proposals.
    weights (Optional[Dict[str, int]]): How often each kind of evidence comes: "blind" (decided
        without seeing a proposal), "decision", "partial", "bulk" (accepted above a threshold),
        "proposal". 0 leaves it out. What is not named comes `repeat` times, "blind" as often as
        "decision", and a proposal once.
    incorrect_spans_key (Optional[str]): Group in doc.spans for proposed entities that a decision
        took away. If not given, the one that the `ner` component has in its config.
    near_duplicates (Optional[float]): Leave out of train what is nearly a text of dev: similarity
        above 0 and up to 1; keep all if not given.
    mentions (Optional[Path]): relations: exported corpus of the `ner` or `linking` task that finds
        the mentions. Without it only heads and tails are known, and not their entity labels.
    RETURNS (Callable[[Language], Iterable[Example]]): The reader. The file is read when called.
    RAISES (InputError): If the lane is gold or unknown, or another option can't be used.
    """
    if lane == GOLD:
        raise InputError(Errors.H056)
    if lane not in LANES:
        where = f"TaskCorpus for '{task}'"
        raise InputError(Errors.H054.format(where=where, lane=lane, lanes="train, dev"))
    if near_duplicates is not None:
        check_threshold(near_duplicates)
    return TaskCorpus(
        path,
        task=task,
        lane=lane,
        decisions=decisions,
        proposals=proposals,
        weights=read_weights(
            task, weights, repeat=repeat, decisions=decisions, proposals=proposals
        ),
        incorrect_spans_key=incorrect_spans_key,
        near_duplicates=near_duplicates,
        mentions=mentions,
    )
