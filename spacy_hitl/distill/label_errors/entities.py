"""The exact probability of every entity under a greedy `ner`.

A greedy recognizer learns to choose the next action, so each of its steps has probabilities: the
softmax over the actions that are allowed. Its state knows the token and the entity that is open,
no more, so the probability of an entity, a sum over all ways to get there, takes one pass over the
text. (Beam search adds up raw scores instead, which such a model never learned to compare: it
gives entities that the model itself predicts a probability of 0.)
"""

from dataclasses import dataclass
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc

from ...pipeline.entity_steps import Steps, action_names, may_begin, may_go_on

Floats = NDArray[np.float64]
Span = Tuple[int, int, str]  # tokens, end exclusive, and label
LONGEST = 40  # tokens of an entity; the few longer ones are given up
LEAST = 1e-4  # what is less likely is not followed


def entity_chances(pipe: Any, docs: Sequence[Doc]) -> List[Dict[Span, float]]:
    """Compute how likely each entity is.

    pipe (Any): spaCy's `ner`, or another greedy one with the same model.
    docs (Sequence[Doc]): Without entities of their own; their sentences are respected.
    RETURNS (List[Dict[Span, float]]): Of each text, the probability of each entity that is reached
        with at least 0.0001.
    """
    model = pipe.model
    names = action_names(pipe)
    vectors = model.ops.to_numpy(model.layers[0].predict(list(docs)))
    found: List[Dict[Span, float]] = []
    at = 0
    for doc in docs:
        steps = Steps(model, vectors[at : at + len(doc)])
        at += len(doc)
        found.append(forward(steps, names, may_begin(doc), may_go_on(doc)))
    return found


@dataclass(frozen=True)
class _Actions:
    """Numbers of the actions, by label."""

    outside: int
    unit: Dict[str, int]
    begin: Dict[str, int]
    inside: Dict[str, int]
    last: Dict[str, int]

    @classmethod
    def of(cls, names: Sequence[str]) -> "_Actions":
        """RETURNS (_Actions): From names as "B-PRODUCT" and "O"."""
        by_letter: Dict[str, Dict[str, int]] = {"B": {}, "I": {}, "L": {}, "U": {}}
        for i, name in enumerate(names):
            letter, _, label = name.partition("-")
            if label and letter in by_letter:
                by_letter[letter][label] = i
        b, i_, last, u = (by_letter[letter] for letter in "BILU")
        return cls(list(names).index("O"), u, b, i_, last)


def forward(
    steps: Any, names: Sequence[str], may_begin: Sequence[bool], may_go_on: Sequence[bool]
) -> Dict[Span, float]:
    """Add up the probabilities of all ways to each entity. Pure, but for the scores.

    steps (Any): Gives `score(token, start)`, shape (actions,).
    names (Sequence[str]): Of the actions: "O", and "B-", "I-", "L-", "U-" with a label.
    may_begin (Sequence[bool]): Of each token, whether an entity may begin with it.
    may_go_on (Sequence[bool]): Of each token, whether an entity may hold it and the next one.
    RETURNS (Dict[Span, float]): Probabilities. Those of spans that share a token never add up to
        more than 1.
    """
    moves = _Actions.of(names)
    reached = np.zeros(len(may_begin) + 1)  # probability that no entity is open before a token
    reached[0] = 1.0
    found: Dict[Span, float] = {}
    for i, begins in enumerate(may_begin):
        allowed = [moves.outside]
        if begins:
            allowed += moves.unit.values()
            allowed += moves.begin.values() if may_go_on[i] else ()
        chance = _softmax(steps.score(i), allowed) * reached[i]
        reached[i + 1] += chance[moves.outside]
        for label, move in moves.unit.items():
            _add(found, (i, i + 1, label), chance[move])
            reached[i + 1] += chance[move]
        open_ = {x: chance[move] for x, move in moves.begin.items() if chance[move] >= LEAST}
        for at in range(i + 1, min(i + LONGEST, len(may_begin))) if open_ else ():
            scores = steps.score(at, i)
            for label, mass in list(open_.items()):
                last, inside = moves.last[label], moves.inside[label]
                here = _softmax(scores, [last, inside] if may_go_on[at] else [last]) * mass
                _add(found, (i, at + 1, label), here[last])
                reached[at + 1] += here[last]
                open_[label] = here[inside]
            open_ = {label: mass for label, mass in open_.items() if mass >= LEAST}
            if not open_:
                break
    return found


def _add(found: Dict[Span, float], span: Span, chance: float) -> None:
    if chance >= LEAST:
        found[span] = found.get(span, 0.0) + float(chance)


def _softmax(scores: Floats, allowed: Sequence[int]) -> Floats:
    found = np.zeros(len(scores))
    some = scores[list(allowed)].astype("float64")
    shifted = np.exp(some - some.max())
    found[list(allowed)] = shifted / shifted.sum()
    return found
