"""Keep the queue's routed and recall lines filled, a little at a time, between requests."""

from dataclasses import replace
from typing import Callable, Dict, List, Mapping, Sequence, Tuple

from ...dataset.candidates import alike_versions, read_candidates
from ...dataset.history import TaskHistory
from ...dataset.spreading import standing_texts
from ...dataset.store import Dataset
from ...records import GOLD, Annotation, Candidate, Proposal, Scored, SpanAnnotation
from ...ty import Router
from ..session.plan import ReviewTask
from .mix import RECALL_LINE, ROUTED_LINE
from .queue import Queue
from .recall import Recall, by_recall
from .routers import run_router

STEP = 100  # texts scored at a time: some milliseconds
SPANS = ("ner", "spancat")


class Ranker:
    """Asks the router, and the recall pass, about the texts that the queue wants scored.

    dataset (Dataset): Open.
    queue (Queue): The queue of the session.
    plan (Mapping[str, ReviewTask]): The tasks of the session.
    histories (Mapping[str, TaskHistory]): The tasks as they are and were.
    router (Router): What orders the routed line.
    """

    def __init__(
        self,
        dataset: Dataset,
        queue: Queue,
        plan: Mapping[str, ReviewTask],
        histories: Mapping[str, TaskHistory],
        *,
        router: Router,
    ) -> None:
        self._dataset = dataset
        self._queue = queue
        self._keys = {name: task.key for name, task in plan.items()}
        self._alike = {name: alike_versions(histories[name]) for name in plan}
        self._router = router
        self._recall: Dict[str, Recall] = {}
        if RECALL_LINE in queue.settings.shares:
            names = [name for name, task in plan.items() if task.kind in SPANS]
            self._recall = {name: _learn(dataset, histories[name]) for name in names}

    def step(self, size: int = STEP) -> bool:
        """Score some texts.

        size (int): How many at most, for each line.
        RETURNS (bool): Whether anything was done: if so, there may be more to do.
        RAISES (InputError): If the router fails.
        """
        routed = self._score(ROUTED_LINE, size, lambda some: run_router(self._router, some))
        label = self._queue.settings.label
        recall = self._score(RECALL_LINE, size, lambda some: by_recall(some, self._recall, label))
        return routed or recall

    def _score(
        self, line: str, size: int, score: Callable[[Sequence[Candidate]], List[Scored]]
    ) -> bool:
        digests = self._queue.unscored(line, size)
        if digests:
            self._queue.add_scores(score(self._read(digests)), line)
        return bool(digests)

    def _read(self, digests: Sequence[str]) -> List[Candidate]:
        found = read_candidates(self._dataset, digests, self._keys, alike=self._alike)
        label = self._queue.settings.label
        return found if label is None else [_only(c, label) for c in found]

    def learn(self, digest: str, accepted: Mapping[str, Annotation]) -> None:
        """Learn what people accepted, for the recall pass. Nothing is learned from a gold text.

        digest (str): The text, all of which was looked at.
        accepted (Mapping[str, Annotation]): By task.
        """
        names = self._recall.keys() & accepted.keys()
        text = self._queue.text(digest)
        if names and text is not None and text.lane != GOLD:
            words = self._dataset.text(digest)
            for name in names:
                self._recall[name].learn(words, accepted[name])

    def missing(
        self, task: str, digest: str, shown: Sequence[SpanAnnotation]
    ) -> Tuple[SpanAnnotation, ...]:
        """Find what may be missing in a text.

        task (str): A task of spans; any other has nothing here.
        digest (str): The text.
        shown (Sequence[SpanAnnotation]): What is there.
        RETURNS (Tuple[SpanAnnotation, ...]): The likeliest first, each with a score and where it
            comes from; none without a recall pass.
        RAISES (InputError): If the text is gold.
        """
        if task not in self._recall:
            return ()
        (candidate,) = self._read([digest])
        others = (*candidate.samples[task][1:], *candidate.others[task])
        found = self._recall[task].missing(candidate.text, shown, others)
        label = self._queue.settings.label
        return tuple(m.span for m in found if label in (None, m.span.label))


def _only(candidate: Candidate, label: str) -> Candidate:
    """In a pass over one label, nothing else is looked at."""

    def cut(proposals: Mapping[str, Tuple[Proposal, ...]]) -> Dict[str, Tuple[Proposal, ...]]:
        return {
            task: tuple(replace(p, annotation=_of_label(p.annotation, label)) for p in some)
            for task, some in proposals.items()
        }

    return replace(candidate, samples=cut(candidate.samples), others=cut(candidate.others))


def _of_label(annotation: Annotation, label: str) -> Annotation:
    return Annotation(
        spans=tuple(s for s in annotation.spans if s.label == label),
        cats=tuple(c for c in annotation.cats if c.label == label),
        relations=tuple(r for r in annotation.relations if r.label == label),
    )


def _learn(dataset: Dataset, history: TaskHistory) -> Recall:
    recall = Recall()
    for _, text, found in standing_texts(dataset, history):
        if found.annotation is not None and not found.bulk:
            recall.learn(text, found.annotation)
    return recall
