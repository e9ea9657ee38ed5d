"""The scores of a greedy `ner` in any of its states, without stepping through them.

A state knows the token and the entity that is open, no more. So the states on the way to an
annotation are known as soon as the annotation is, and can be scored all at once.
"""

from typing import Any, Dict, List, Optional, Sequence

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Steps:
    """Scores the actions in a state of one text: what spaCy's ParserStepModel does, without states.

    model (Any): Of a TransitionBasedParser: encoder, lower and (perhaps) upper layer.
    vectors (Floats): Of the tokens, shape (tokens, width).
    """

    def __init__(self, model: Any, vectors: Floats) -> None:
        _, lower, upper = model.layers
        ops = model.ops
        weights = ops.to_numpy(lower.get_param("W"))  # (features, hidden, pieces, width)
        self.features, self._hidden, self._pieces, width = weights.shape
        self._vectors = vectors
        # Pieces in blocks: the maximum of a few blocks is quicker than that of many pairs.
        self._weights = weights.transpose(0, 2, 1, 3).reshape(self.features, -1, width)
        self._pad = _in_blocks(ops.to_numpy(lower.get_param("pad"))[0])  # (features, size)
        self._bias = _in_blocks(ops.to_numpy(lower.get_param("b")))
        self._upper = None
        if model.attrs["has_upper"]:
            self._upper = (ops.to_numpy(upper.get_param("W")), ops.to_numpy(upper.get_param("b")))
        self._unseen = sorted(model.attrs["unseen_classes"])
        self._parts: Dict[int, Floats] = {}

    def score(self, token: int, start: int = -1) -> Floats:
        """RETURNS (Floats): Shape (actions,): in the state at a token, with the entity open that
        begins at `start`; -1 if none is.
        """
        ids = self._features(np.array([token]), np.array([start]))[:, 0]
        total = self._bias
        for feature, i in enumerate(ids):
            total = total + (self._part(feature)[i] if i >= 0 else self._pad[feature])
        scores: Floats = self._finish(total[None])[0]
        return scores

    def score_closed(self, tokens: Ints) -> Floats:
        """RETURNS (Floats): Shape (tokens, actions): in the states at tokens, no entity open."""
        pads = self._bias + self._pad[1:].sum(axis=0)
        return self._finish(self._vectors[tokens] @ self._weights[0].T + pads)

    def score_open(self, tokens: Ints, starts: Ints) -> Floats:
        """RETURNS (Floats): Shape (tokens, actions): in the states at tokens, each with the entity
        open that begins at its start.
        """
        total = np.broadcast_to(self._bias, (len(tokens), len(self._bias)))
        for feature, ids in enumerate(self._features(tokens, starts)):
            part = self._vectors[ids] @ self._weights[feature].T
            total = total + np.where(ids[:, None] >= 0, part, self._pad[feature])
        return self._finish(total)

    def _features(self, tokens: Ints, starts: Ints) -> Ints:
        """RETURNS (Ints): Shape (features, states): the tokens that a state looks at, -1: none."""
        ids = np.full((self.features, len(tokens)), -1)
        ids[0] = tokens
        opened = starts >= 0
        for feature in range(1, self.features):
            if self.features == 3:
                found, known = (starts if feature == 1 else tokens - 1), opened
            else:
                found = starts + feature - 1
                known = opened & (found < tokens)
            ids[feature] = np.where(known, found, -1)
        return ids

    def _part(self, feature: int) -> Floats:
        if feature not in self._parts:
            self._parts[feature] = self._vectors @ self._weights[feature].T
        return self._parts[feature]

    def _finish(self, total: Floats) -> Floats:
        hidden: Floats = total[:, : self._hidden]
        for piece in range(1, self._pieces):
            at = piece * self._hidden
            hidden = np.maximum(hidden, total[:, at : at + self._hidden])
        scores = hidden
        if self._upper is not None:
            scores = hidden @ self._upper[0].T + self._upper[1]
        if self._unseen:
            scores[:, self._unseen] = scores.min(axis=1, keepdims=True)
        return scores


def _in_blocks(params: Floats) -> Floats:
    """RETURNS (Floats): Shape (..., pieces * hidden), of shape (..., hidden, pieces)."""
    return np.moveaxis(params, -1, -2).reshape(*params.shape[:-2], -1)


def may_begin(doc: Doc) -> List[bool]:
    """RETURNS (List[bool]): Of each token, whether an entity may begin with it."""
    spaces: List[bool] = (_column(doc, "IS_SPACE") == 0).tolist()
    return spaces


def _column(doc: Doc, attribute: str) -> Ints:
    found: Any = doc.to_array([attribute])
    return np.asarray(found).reshape(-1)


def may_go_on(doc: Doc) -> List[bool]:
    """RETURNS (List[bool]): Of each token, whether an entity that holds it may hold the next."""
    inside: List[bool] = (_column(doc, "SENT_START")[1:] != 1).tolist()
    return [*inside, False] if len(doc) else []


def annotation_chances(
    model: Any,
    names: Sequence[str],
    docs: Sequence[Doc],
    vectors: Floats,
    *,
    labels: Optional[Sequence[str]] = None,
) -> List[float]:
    """Compute how likely the entities of each text are, all of them together and no others.

    It is the product of the probabilities of the actions that lead there: the softmax over those
    that are allowed. What another component set (entities of other labels) takes no action.

    model (Any): Of the recognizer.
    names (Sequence[str]): Of its actions: "O", and "B-", "I-", "L-", "U-" with a label.
    docs (Sequence[Doc]): With their entities.
    vectors (Floats): Of all tokens, one text after the other, from the first layer of the model.
    labels (Optional[Sequence[str]]): Those that count, all if not given. A recognizer takes up the
        labels that it meets on documents, and never learned them.
    RETURNS (List[float]): From 0 to 1. A text without a choice has 1.
    """
    moves = {name: i for i, name in enumerate(names)}
    sizes = [len(doc) for doc in docs]
    total = sum(sizes)
    begins = np.concatenate([may_begin(doc) for doc in docs])
    goes_on = np.concatenate([may_go_on(doc) for doc in docs])
    taken = np.full(total, moves["O"])
    starts = np.full(total, -1)
    closing = np.full(total, -1)  # the action that closes the entity that is open
    chosen = np.ones(total, dtype=bool)
    if labels is not None:
        names = [name if name == "O" or name[2:] in labels else "" for name in names]
    numbers = {name[2:]: i for i, name in enumerate(names) if name.startswith("L-")}
    at = 0
    for doc, size in zip(docs, sizes, strict=True):
        for ent in doc.ents:
            first, last = at + ent.start, at + ent.end - 1
            if ent.label_ not in numbers:
                chosen[first : last + 1] = False
                continue
            taken[first : last + 1] = moves[f"I-{ent.label_}"]
            taken[last] = moves[f"L-{ent.label_}"]
            taken[first] = moves[f"{'U' if first == last else 'B'}-{ent.label_}"]
            starts[first + 1 : last + 1] = first
            closing[first + 1 : last + 1] = numbers[ent.label_]
        at += size
    steps = Steps(model, vectors)
    logs = np.zeros(total)
    closed = np.flatnonzero(chosen & (starts < 0))
    masks = _closed_masks(names)[2 * begins[closed] + goes_on[closed]]
    logs[closed] = _log_chances(steps.score_closed(closed), masks, taken[closed])
    opened = np.flatnonzero(chosen & (starts >= 0))
    if len(opened):
        masks = _open_masks(names)[closing[opened], goes_on[opened].astype(int)]
        scores = steps.score_open(opened, starts[opened])
        logs[opened] = _log_chances(scores, masks, taken[opened])
    owner = np.repeat(np.arange(len(docs)), sizes)
    return [float(v) for v in np.exp(np.bincount(owner, weights=logs, minlength=len(docs)))]


def _log_chances(scores: Floats, allowed: Flags, taken: Ints) -> Floats:
    """RETURNS (Floats): Shape (states,): of the action that was taken, among those allowed."""
    rows = np.arange(len(taken))
    allowed[rows, taken] = True  # another component may have set what this one can't
    scores = np.where(allowed, scores, -np.inf)
    scores -= scores.max(axis=1, keepdims=True)
    found: Floats = scores[rows, taken] - np.log(np.exp(scores).sum(axis=1))
    return found


def _closed_masks(names: Sequence[str]) -> Flags:
    """RETURNS (Flags): Shape (4, actions): those allowed where no entity is open. Rows: 2 if one
    may begin, plus 1 if it may go on.
    """
    letters = np.array([name[0] if name[1:2] == "-" and name[2:] else "" for name in names])
    outside = np.array([name == "O" for name in names])
    unit, begin = letters == "U", letters == "B"
    return np.array([outside, outside, outside | unit, outside | unit | begin])


def _open_masks(names: Sequence[str]) -> Flags:
    """RETURNS (Flags): Shape (actions, 2, actions): those allowed where the entity is open that the
    first action closes; second axis: whether it may go on.
    """
    labels = np.array([name[2:] for name in names])
    letters = np.array([name[:2] for name in names])
    same = labels[:, None] == labels
    last = same & (letters == "L-")
    return np.stack([last, last | (same & (letters == "I-"))], axis=1)


def action_names(pipe: Any) -> List[str]:
    """RETURNS (List[str]): The names of a recognizer's actions, in the order of their scores."""
    return [pipe.moves.get_class_name(i) for i in range(pipe.moves.n_moves)]


def chance_of_all(
    pipe: Any,
    docs: Sequence[Doc],
    vectors: Optional[Floats] = None,
    *,
    labels: Optional[Sequence[str]] = None,
) -> List[float]:
    """RETURNS (List[float]): As `annotation_chances`; the vectors are computed if not given."""
    if vectors is None:
        vectors = pipe.model.ops.to_numpy(pipe.model.layers[0].predict(list(docs)))
    return annotation_chances(pipe.model, action_names(pipe), docs, vectors, labels=labels)
