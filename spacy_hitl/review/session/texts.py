"""What the dataset knows of one text, read when a screen is made or an answer is checked."""

from collections import OrderedDict
from typing import Callable, Dict, Generic, List, Mapping, Optional, Sequence, Tuple, TypeVar

from spacy.language import Language

from ...dataset.decisions import Standing
from ...dataset.history import TaskHistory
from ...dataset.store import Dataset
from ...errors import Errors, InputError
from ...records import GOLD, Decision, Proposal, SpanAnnotation
from ..queue.loading import Sources
from .plan import ReviewTask
from .prefill import BLANK, Prefill, make_prefill
from .screens import Tokens

_V = TypeVar("_V")
KEPT = 2_000  # texts whose tokens are kept in memory


class Recent(Generic[_V]):
    """The values that were used last.

    size (int): How many.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[str, _V] = OrderedDict()

    def get(self, key: str, make: Callable[[], _V]) -> _V:
        """RETURNS (_V): The value, made if it is not here."""
        if key in self._values:
            self._values.move_to_end(key)
            return self._values[key]
        value = self._values[key] = make()
        if len(self._values) > self._size:
            self._values.popitem(last=False)
        return value


class Texts:
    """The texts of a session.

    nlp (Language): Its tokenizer decides what a token is.
    dataset (Dataset): Open.
    plan (Mapping[str, ReviewTask]): The tasks of the session.
    histories (Mapping[str, TaskHistory]): All tasks of the config, as they are and were.
    """

    def __init__(
        self,
        nlp: Language,
        dataset: Dataset,
        plan: Mapping[str, ReviewTask],
        histories: Mapping[str, TaskHistory],
    ) -> None:
        self.nlp = nlp
        self.dataset = dataset
        self.plan = dict(plan)
        self.histories = dict(histories)
        self.sources = Sources(dataset, self.plan, self.histories)
        self._tokens: Recent[Tokens] = Recent(KEPT)

    def lane(self, digest: str) -> str:
        """RETURNS (str): The lane of a text.
        RAISES (InputError): If there is no such text.
        """
        lane = self.dataset.lane(digest)
        if lane is None:
            raise InputError(Errors.H206.format(digest=ascii(digest)[1:17]))
        return lane

    def tokens(self, digest: str) -> Tokens:
        """RETURNS (Tokens): The tokens of a text."""
        self.lane(digest)
        return self._tokens.get(digest, lambda: self.tokenize(self.dataset.text(digest)))

    def tokenize(self, text: str) -> Tokens:
        """RETURNS (Tokens): The tokens of any text."""
        return Tokens.of(self.nlp.make_doc(text))

    def decisions(self, task: str, digest: str) -> List[Decision]:
        """RETURNS (List[Decision]): All decisions on a text, oldest first."""
        return self.dataset.decisions(task, digest)

    def decided(self, digest: str) -> Tuple[Tuple[Tuple[int, int], ...], Dict[str, List[Decision]]]:
        """RETURNS (Tuple): Places of the tokens in characters, and all decisions by task."""
        tokens = self.tokens(digest)
        places = tuple(zip(tokens.starts, tokens.ends, strict=True))
        return places, {name: self.decisions(name, digest) for name in self.plan}

    def proposals(self, task: str, digest: str) -> List[Proposal]:
        """RETURNS (List[Proposal]): What was proposed for a text; nothing if it is gold."""
        return [] if self.lane(digest) == GOLD else self.dataset.proposals(task, digest)

    def standing(self, task: str, digest: str) -> Optional[Standing]:
        """RETURNS (Optional[Standing]): What holds for a text, whoever decided it."""
        return self.histories[task].standing(self.decisions(task, digest))

    def own_standing(self, task: str, digest: str, annotator: str) -> Optional[Standing]:
        """RETURNS (Optional[Standing]): What one person decided of a text."""
        return self.histories[task].standing_of(self.decisions(task, digest)).get(annotator)

    def prefill(
        self, task: ReviewTask, digest: str, *, blind: bool, decided: bool = False
    ) -> Prefill:
        """RETURNS (Prefill): What is shown of a text at first; with `decided`, what was decided."""
        if blind or self.lane(digest) == GOLD:
            return BLANK
        return make_prefill(
            task,
            self.proposals(task.name, digest),
            self.standing(task.name, digest),
            header=self.histories[task.name].header,
            text=self.tokens(digest).text,
            decided=decided,
        )

    def mentions(self, task: ReviewTask, digest: str) -> Sequence[SpanAnnotation]:
        """Find the mentions of links or relations whose entity task is not on the screen.

        task (ReviewTask): The task of links or relations.
        digest (str): The text.
        RETURNS (Sequence[SpanAnnotation]): What was decided in the entity task; else what was
            proposed there, or what the proposal of this task is about. None of a gold text that is
            undecided there: that would show what the model found.
        """
        if task.mention_task is not None:
            found = self.standing(task.mention_task, digest)
            if found is not None and found.annotation is not None:
                return found.annotation.spans
        names = [n for n in (task.mention_task, task.name) if n is not None]
        for proposal in (p for name in names for p in self.proposals(name, digest)):
            own = (proposal.source, proposal.sample, proposal.task_digest) == task.key
            if own or proposal.task == task.mention_task:
                return _places(proposal)
        return ()

    def all_mentions(self, digest: str) -> Dict[str, Sequence[SpanAnnotation]]:
        """RETURNS (Dict[str, Sequence[SpanAnnotation]]): Such mentions, by task."""
        return {
            name: self.mentions(task, digest)
            for name, task in self.plan.items()
            if task.kind in ("linking", "relations") and not task.mentions_shown
        }


def _places(proposal: Proposal) -> Tuple[SpanAnnotation, ...]:
    spans = {(s.start, s.end): s.label for s in proposal.annotation.spans}
    for r in proposal.annotation.relations:
        spans.setdefault((r.head_start, r.head_end), "")
        spans.setdefault((r.tail_start, r.tail_end), "")
    return tuple(SpanAnnotation(*place, label) for place, label in sorted(spans.items()))
