"""How sure one can be of each annotation: how many answers gave it, how probable its label was.

Several answers to the same question (samples, prompt versions) vote. What a model says about its
own confidence is not used: it is the least reliable sign there is (Refuel, Labeling with
confidence, 2023). Samples of one model are not independent: a vote share is a score, not a
probability, until it was calibrated (`scoring.calibration`).
"""

from dataclasses import dataclass, field, replace
from typing import Dict, FrozenSet, List, Mapping, Optional, Sequence, Tuple, Union

from ..records import (
    EMPTY,
    NIL,
    OK,
    UNALIGNED,
    Annotation,
    CategoryAnnotation,
    Proposal,
    Response,
    SpanAnnotation,
)
from ..tasks.grounding import normal
from .logprobs import JsonValue, value_probabilities

VOTING = (OK, EMPTY, UNALIGNED)  # an unaligned answer votes with what it placed
MIN_VOTERS = 2  # one voter always agrees with itself
VOTES, RELAXED_VOTES, LOGPROBS = "votes", "relaxed votes", "logprobs"


@dataclass(frozen=True, order=True)
class Item:
    """What an annotation says, without its score.

    name: the catalog id if it has one, else the label. start, end: offsets in characters, end
    exclusive; both 0 for a category.
    """

    name: str
    start: int = 0
    end: int = 0

    def agrees(self, other: "Item") -> bool:
        """Whether both say the same of overlapping stretches (categories: say the same)."""
        overlap = self.start < other.end and other.start < self.end
        return self.name == other.name and (overlap or self == other)


def item_of(one: Union[SpanAnnotation, CategoryAnnotation]) -> Item:
    """RETURNS (Item): What a span or a category says."""
    if isinstance(one, CategoryAnnotation):
        return Item(one.label)
    return Item(one.label if one.kb_id is None else one.kb_id, one.start, one.end)


def items_of(annotation: Annotation) -> FrozenSet[Item]:
    """RETURNS (FrozenSet[Item]): What an annotation says; what it says twice counts once."""
    return frozenset([*map(item_of, annotation.spans), *map(item_of, annotation.cats)])


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
        relaxed (bool): Also count voters who gave the same name to an overlapping span.
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


def label_probabilities(
    response: Response, annotation: Annotation, *, text: str
) -> Dict[Item, float]:
    """Find how probable the label (or catalog id) of each annotation was to the model.

    response (Response): The answer, with log-probabilities if the server gave them.
    annotation (Annotation): What was understood of it.
    text (str): The text that was asked about: spans are found in the answer by their words.
    RETURNS (Dict[Item, float]): Probability by item; without those that could not be found.
    """
    labels: Dict[Item, float] = {}
    quoted: Dict[Tuple[str, str], List[float]] = {}
    values = value_probabilities(response)
    words = {v.path[:-1]: str(v.value) for v, _ in values if v.path[-1:] == ("text",)}
    for value, probability in values:
        if value.path[:-1] in words:
            if value.path[-1] in ("label", "id"):
                key = normal(words[value.path[:-1]]), _name(value)
                quoted.setdefault(key, []).append(probability)
        else:
            labels.setdefault(Item(str(value.value)), probability)
    found = {}
    # Of equal quotes the first takes the first place, as in grounding.
    for span in sorted(annotation.spans, key=lambda s: (s.start, s.end)):
        item = item_of(span)
        key = normal(text[span.start : span.end]), item.name
        if quoted.get(key):
            found[item] = quoted[key].pop(0)
    cats = map(item_of, annotation.cats)
    return {**found, **{item: labels[item] for item in cats if item in labels}}


def _name(value: JsonValue) -> str:
    return NIL if value.value is None else str(value.value)


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
    responses: Optional[Mapping[str, Response]] = None,
) -> Confidence:
    """Gather what the answers to one question tell about each annotation.

    proposals (Sequence[Proposal]): Of one text and one task: samples, prompt versions.
    text (str): The text; only needed for log-probabilities.
    responses (Optional[Mapping[str, Response]]): The stored answers by their key.
    RETURNS (Confidence): Votes and label probabilities.
    """
    probabilities: Dict[Item, Tuple[float, ...]] = {}
    for p in proposals:
        response = (responses or {}).get(p.response_key or "")
        if response is None or p.status not in VOTING:
            continue
        for item, value in label_probabilities(response, p.annotation, text=text).items():
            probabilities[item] = (*probabilities.get(item, ()), value)
    return Confidence(count_votes(proposals), probabilities)


def scored_annotation(
    proposal: Proposal, confidence: Confidence, *, relaxed: bool = False
) -> Annotation:
    """Write the scores into a proposal's annotation.

    proposal (Proposal): Any proposal for the same text and task.
    confidence (Confidence): What all answers tell.
    relaxed (bool): Use the relaxed vote share.
    RETURNS (Annotation): The same spans and categories, each with `score` and `score_source`.
    """

    spans, cats = [], []
    for s in proposal.annotation.spans:
        score, source = confidence.score(item_of(s), relaxed=relaxed)
        spans.append(replace(s, score=score, score_source=source))
    for c in proposal.annotation.cats:
        score, source = confidence.score(item_of(c), relaxed=relaxed)
        cats.append(replace(c, score=score, score_source=source))
    # Relations keep what they have: votes on them are not counted yet.
    return replace(proposal.annotation, spans=tuple(spans), cats=tuple(cats))
