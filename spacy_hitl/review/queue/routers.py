"""Which doubtful text first: routers, plain functions from texts to scores. Pure.

A router gets a pool of candidates and says how urgent each is, and why. Anything that can be called
like that is one (`ty.Router`): register a function that makes it, name it in [hitl.review].
"""

import hashlib
import math
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Sequence, Tuple

from spacy.util import registry

from ...errors import Errors, InputError
from ...records import (
    FAILED,
    MALFORMED,
    REFUSED,
    TRUNCATED,
    UNALIGNED,
    Candidate,
    Proposal,
    Scored,
)
from ...scoring.confidence import VOTING
from ...scoring.items import Item, each, item_of, items_of
from ...scoring.scores import rate
from ...scoring.selection import farthest_first
from ...ty import Router

URGENT = 1000.0  # above any doubt: there is nothing usable to accept
BLOCK = 250  # texts compared with one another; all pairs of a pool would take seconds
QUOTE = 40  # characters of a text in a sentence

UNUSABLE = {
    REFUSED: "the model refused",
    MALFORMED: "the model's answer can't be read",
    TRUNCATED: "the model's answer was cut off",
    FAILED: "the model failed",
    UNALIGNED: "the model's answer quotes what is not in the text",
}


def make_disagreement() -> Router:
    """RETURNS (Router): Texts on which the answers differ most first; unusable ones before all."""
    return by_disagreement


def make_uncertainty() -> Router:
    """RETURNS (Router): Texts with the least certain annotation first; unusable before all."""
    return by_uncertainty


def make_random(seed: int = 0) -> Router:
    """RETURNS (Router): Any text, in the order of the seed."""

    def by_chance(candidates: Sequence[Candidate]) -> List[Scored]:
        return [Scored(c.digest, _draw(seed, c.digest), "drawn at random") for c in candidates]

    return by_chance


def make_diverse(seed: int = 0) -> Router:
    """RETURNS (Router): Texts that have as little in common as possible with those before them."""

    def by_diversity(candidates: Sequence[Candidate]) -> List[Scored]:
        return spread(candidates, seed=seed)

    return by_diversity


# The pure cores


def vote_entropy(ballots: Sequence[FrozenSet[Item]]) -> Dict[Item, float]:
    """Measure how disputed each item is (vote entropy: Dagan and Engelson, Committee-based sampling
    for training probabilistic classifiers, ICML 1995).

    ballots (Sequence[FrozenSet[Item]]): What each voter said.
    RETURNS (Dict[Item, float]): Bits, from 0 (all agree) to 1 (half of them).

    >>> vote_entropy([frozenset({Item("A")}), frozenset()])[Item("A")]
    1.0
    """
    found = {}
    for item in sorted(frozenset().union(*ballots)):
        share = sum(item in ballot for ballot in ballots) / len(ballots)
        rest = 1 - share
        found[item] = -sum(p * math.log2(p) for p in (share, rest) if p > 0) + 0.0
    return found


def by_disagreement(candidates: Sequence[Candidate]) -> List[Scored]:
    """Score texts by the sum of the entropies of all that samples and sources say of them.

    candidates (Sequence[Candidate]): The pool.
    RETURNS (List[Scored]): One for each, with the most disputed item in `why`.
    """
    return [_with_status(c, *_dispute(c)) for c in candidates]


def _dispute(candidate: Candidate) -> Tuple[float, str]:
    total, most, why = 0.0, 0.0, "all answers agree"
    asked = False
    for task, samples in candidate.samples.items():
        voters = [p for p in (*samples, *candidate.others.get(task, ())) if p.status in VOTING]
        ballots = [items_of(p.annotation) for p in voters]
        asked = asked or len(ballots) > 1
        for item, bits in vote_entropy(ballots).items() if len(ballots) > 1 else ():
            total += bits
            if bits > most:
                most, why = bits, _say_disputed(item, ballots, candidate.text)
    return total, why if asked else "only one answer is known"


def _say_disputed(item: Item, ballots: Sequence[FrozenSet[Item]], text: str) -> str:
    name, have = name_item(item, text), sum(item in ballot for ballot in ballots)
    if len(ballots) == 2:
        return f"two answers disagree about {name}"
    return f"{have} of {len(ballots)} answers have {name}"


def by_uncertainty(candidates: Sequence[Candidate]) -> List[Scored]:
    """Score texts by their least certain item: one that is shown, or that another answer has.

    candidates (Sequence[Candidate]): The pool. Scores that are in the shown proposals are used,
        calibrated or not; else the vote shares of the samples.
    RETURNS (List[Scored]): One for each; 1 minus the score of the item that `why` names.
    """
    return [_with_status(c, *_doubt(c)) for c in candidates]


def _doubt(candidate: Candidate) -> Tuple[float, str]:
    most, why = 0.0, "no score is known"
    for samples in candidate.samples.values():
        if not samples:
            continue
        shown = _scored(samples[0], samples, candidate.text)
        for one in each(shown.annotation):
            if one.score is not None and 1 - one.score >= most:
                most = 1 - one.score
                why = f"{name_item(item_of(one), candidate.text)} has the score {one.score:.2f}"
        ballots = [items_of(p.annotation) for p in samples if p.status in VOTING]
        given = items_of(shown.annotation)
        for item in sorted(frozenset().union(*ballots) - given):
            share = sum(item in ballot for ballot in ballots) / len(ballots)
            if share > most:
                name = name_item(item, candidate.text)
                most, why = share, f"{name} is missing here, but not in other answers"
    return most, why


def _scored(shown: Proposal, samples: Sequence[Proposal], text: str) -> Proposal:
    known = any(one.score is not None for one in each(shown.annotation))
    return shown if known else rate(shown, samples, text=text)


def spread(candidates: Sequence[Candidate], *, seed: int = 0) -> List[Scored]:
    """Score texts by when farthest-first choice takes them.

    candidates (Sequence[Candidate]): The pool; compared in blocks of 250.
    seed (int): Of the first of each block.
    RETURNS (List[Scored]): One for each, from 1 (first) down to 0.
    """
    why = "unlike the texts chosen before it"
    scores: List[Scored] = []
    for at in range(0, len(candidates), BLOCK):
        block = candidates[at : at + BLOCK]
        order = farthest_first([c.text for c in block], len(block), seed=seed)
        scores += (Scored(block[i].digest, 1 - k / BLOCK, why) for k, i in enumerate(order))
    return scores


def _with_status(candidate: Candidate, score: float, why: str) -> Scored:
    for samples in candidate.samples.values():
        shown = samples[0] if samples else None
        if shown is not None and shown.status in UNUSABLE:
            why = UNUSABLE[shown.status]
            if shown.status == UNALIGNED and shown.problems:
                why += f": {_cut(shown.problems[0].detail)}"
            return Scored(candidate.digest, URGENT + score, why)
    if not any(candidate.samples.values()):
        return Scored(candidate.digest, score, "nothing was proposed")
    return Scored(candidate.digest, score, why)


def name_item(item: Item, text: str) -> str:
    """RETURNS (str): What an item says, in words: "'nebula' (PRODUCT)"."""
    if not item.end:
        return item.name
    quote = _cut(text[item.start : item.end])
    if item.tail_end:
        quote += f" and {_cut(text[item.tail_start : item.tail_end])}"
    return f"{quote} ({item.name})"


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return f"'{flat}'" if len(flat) <= QUOTE else f"'{flat[:QUOTE]}...'"


def _draw(seed: int, digest: str) -> float:
    value = hashlib.sha256(f"{seed}:{digest}".encode()).digest()
    return int.from_bytes(value[:8], "big") / 2**64


# Routers of a config


def resolve_router(block: Optional[Mapping[str, Any]]) -> Router:
    """Make the router that a config names.

    block (Optional[Mapping[str, Any]]): As {"@misc": "spacy-hitl.Random.v1", "seed": 1}; without
        one, disagreement.
    RETURNS (Router): The router.
    RAISES (InputError): If there is none of that name, or it can't be made.
    """
    if block is None:
        return make_disagreement()
    try:
        router = registry.resolve({"router": dict(block)})["router"]
    except Exception as e:  # a user's own maker may raise anything
        raise InputError(Errors.H220.format(detail=str(e).strip())) from e
    if not callable(router):
        detail = f"it is {type(router).__name__}, not something that can be called"
        raise InputError(Errors.H220.format(detail=detail))
    made: Router = router
    return made


def run_router(router: Router, candidates: Sequence[Candidate]) -> List[Scored]:
    """Ask a router, and check what it says.

    router (Router): Any router; a user's own may do anything.
    candidates (Sequence[Candidate]): The pool.
    RETURNS (List[Scored]): One for each text that it wants seen, each once.
    RAISES (InputError): If it fails, or answers something else.
    """
    name = getattr(router, "__name__", type(router).__name__)
    try:
        answer: List[Any] = list(router(candidates))
    except Exception as e:
        detail = f"it raised {type(e).__name__}: {e}"
        raise InputError(Errors.H221.format(name=name, detail=detail)) from e
    known = {c.digest for c in candidates}
    scores: Dict[str, Scored] = {}
    for one in answer:
        if not isinstance(one, Scored):
            detail = f"it answered {type(one).__name__} where a Scored was expected"
        elif one.digest not in known:
            detail = "it scored a text that it was not given"
        elif not isinstance(one.score, (int, float)) or not math.isfinite(one.score):
            detail = f"it gave the score {one.score!r}"
        else:
            scores[one.digest] = one
            continue
        raise InputError(Errors.H221.format(name=name, detail=detail))
    return list(scores.values())
