"""How sure one can be of each annotation: how many answers gave it, how probable its label was.

Several answers to the same question (samples, prompt versions) vote. What a model says about its
own confidence is not used: it is the least reliable sign there is (Refuel, Labeling with
confidence, 2023). Samples of one model are not independent: a vote share is a score, not a
probability, until it was calibrated (`scoring.calibration`).
"""

from dataclasses import dataclass, field
from typing import Dict, FrozenSet, List, Mapping, Optional, Protocol, Sequence, Tuple

from ..records import EMPTY, OK, UNALIGNED, Annotation, Proposal, Response
from .items import Item, item_of, items_of, with_scores
from .logprobs import label_probabilities

VOTING = (OK, EMPTY, UNALIGNED)  # an unaligned answer votes with what it placed
MIN_VOTERS = 2  # one voter always agrees with itself
VOTES, RELAXED_VOTES, LOGPROBS = "votes", "relaxed votes", "logprobs"


class Responses(Protocol):
    """Where stored answers are found by their key: a dict, or the response store."""

    def get(self, key: str, /) -> Optional[Response]:
        """The answer, if there is one."""
        ...


@dataclass(frozen=True)
class Votes:
    """The answers that could vote, as sets of items."""

    ballots: Tuple[FrozenSet[Item], ...] = ()

    @property
    def voters(self) -> int:
        """How many answers voted."""
        return len(self.ballots)

    @property
    def items(self) -> List[Item]:
        """Everything that any voter gave, sorted."""
        return sorted(frozenset().union(*self.ballots))

    def share(self, item: Item, *, relaxed: bool = False) -> Optional[float]:
        """Compute which part of the voters gave an item.

        item (Item): Any item; one that nobody gave has the share 0.
        relaxed (bool): Also count voters who gave the same name to an overlapping span, or to a
            relation whose head and tail both overlap.
        RETURNS (Optional[float]): From 0 to 1; None with fewer than two voters.

        >>> votes = Votes((frozenset({Item("A", 0, 3)}), frozenset({Item("A", 0, 5)})))
        >>> votes.share(Item("A", 0, 3)), votes.share(Item("A", 0, 3), relaxed=True)
        (0.5, 1.0)
        """
        if self.voters < MIN_VOTERS:
            return None
        agree = sum(item in b or (relaxed and any(map(item.agrees, b))) for b in self.ballots)
        return agree / self.voters

    def absence(self, label: str) -> Optional[float]:
        """RETURNS (Optional[float]): Share of the voters who did not give a category."""
        share = self.share(Item(label))
        return None if share is None else 1 - share


def count_votes(proposals: Sequence[Proposal]) -> Votes:
    """Let the answers to one question vote.

    proposals (Sequence[Proposal]): Of one text and one task.
    RETURNS (Votes): The ballots of those that are ok, empty or unaligned. Failed, refused,
        malformed and truncated answers say nothing, and don't count as voters.
    """
    return Votes(tuple(items_of(p.annotation) for p in proposals if p.status in VOTING))


@dataclass(frozen=True)
class Confidence:
    """What several answers to one question tell about every item.

    probabilities: of the item's label, one per answer that gave it and has log-probabilities.
    """

    votes: Votes
    probabilities: Mapping[Item, Tuple[float, ...]] = field(default_factory=dict)

    def score(self, item: Item, *, relaxed: bool = False) -> Tuple[Optional[float], Optional[str]]:
        """Combine what is known of an item: the mean of vote share and label probability.

        item (Item): Any item.
        relaxed (bool): Use the relaxed vote share.
        RETURNS (Tuple[Optional[float], Optional[str]]): Score from 0 to 1, and where it comes
            from: "votes", "relaxed votes", "logprobs", or two of them joined by "+". Both are
            None if nothing is known: one answer, without log-probabilities.
        """
        parts: Dict[str, float] = {}
        share = self.votes.share(item, relaxed=relaxed)
        if share is not None:
            parts[RELAXED_VOTES if relaxed else VOTES] = share
        known = self.probabilities.get(item, ())
        if known:
            parts[LOGPROBS] = sum(known) / len(known)
        if not parts:
            return None, None
        return sum(parts.values()) / len(parts), "+".join(parts)


def weigh(
    proposals: Sequence[Proposal],
    *,
    text: str = "",
    responses: Optional[Responses] = None,
) -> Confidence:
    """Gather what the answers to one question tell about each annotation.

    proposals (Sequence[Proposal]): Of one text and one task: samples, prompt versions.
    text (str): The text; only needed for log-probabilities.
    responses (Optional[Responses]): The stored answers by their key.
    RETURNS (Confidence): Votes and label probabilities.
    """
    probabilities: Dict[Item, Tuple[float, ...]] = {}
    for p in proposals:
        if responses is None or p.response_key is None or p.status not in VOTING:
            continue
        response = responses.get(p.response_key)
        if response is None:
            continue
        given = label_probabilities(response, p.annotation, text=text, task=p.task)
        for item, value in given.items():
            probabilities[item] = (*probabilities.get(item, ()), value)
    return Confidence(count_votes(proposals), probabilities)


def scored_annotation(
    proposal: Proposal, confidence: Confidence, *, relaxed: bool = False
) -> Annotation:
    """Write the scores into a proposal's annotation.

    proposal (Proposal): Any proposal for the same text and task.
    confidence (Confidence): What all answers tell.
    relaxed (bool): Use the relaxed vote share.
    RETURNS (Annotation): The same spans, categories and relations, each with `score` and
        `score_source`. One of which nothing is known stays as it is.
    """
    return with_scores(
        proposal.annotation, lambda one: confidence.score(item_of(one), relaxed=relaxed)
    )
