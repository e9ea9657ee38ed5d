"""What a search finds: `search.json`."""

from dataclasses import dataclass
from typing import Optional, Tuple

from ...records import Record


@dataclass(frozen=True)
class MixScore(Record):
    """One mix.

    score, low, high: on held-out reviewed texts, with its 95% interval. gain: difference to the
    best with its interval, on the splits that both were tried on; error: standard error of the
    difference; better: probability that it is better than the best. splits: how many it was tried
    on. seconds: mean of a training. dropped: why it was not tried further, if so.
    """

    name: str
    what: str
    score: Optional[float] = None
    low: Optional[float] = None
    high: Optional[float] = None
    gain: Optional[Tuple[float, float, float]] = None
    error: Optional[float] = None
    better: Optional[float] = None
    splits: int = 0
    seconds: float = 0.0
    dropped: Optional[str] = None


@dataclass(frozen=True)
class SearchResult(Record):
    """A search: what was compared on what, and what was chosen.

    main: name of the score. config: the file that was given. reviewed: reviewed texts; scored: how
    many of them were held out at least once. proposals: undecided texts with a usable proposal.
    folds: splits per pass. minutes: the budget; seconds: what it took.
    """

    task: str
    task_digest: str
    main: str
    config: str
    chosen: str
    best: str
    reason: str
    reviewed: int
    scored: int
    proposals: int
    folds: int
    splits: int
    seed: int
    minutes: float
    seconds: float
    spacy: str
    spacy_hitl: str
    mixes: Tuple[MixScore, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether every reviewed text was held out at least once, or only one mix was left."""
        alive = sum(mix.dropped is None for mix in self.mixes)
        return self.splits >= self.folds or alive == 1
