"""The transition decoder: one step of all documents of a batch in a few array operations.

spaCy's own loop adds up the features of each state with three to thirteen calls of a BLAS function
that take longer to be called than to add. Here one step gathers them for all states at once.
"""

from types import SimpleNamespace
from typing import Any, Dict, List, Optional, Union

import numpy as np
from spacy.ml.parser_model import ParserStepModel  # type: ignore[import-not-found]
from spacy.pipeline import DependencyParser, EntityRecognizer
from spacy.tokens import Doc

MIN_DOCS = 4  # below, the loop over documents costs less than that over arrays


class FastEntityRecognizer(EntityRecognizer):  # type: ignore[misc]
    """spaCy's `ner`, with another loop around the same states and actions."""

    def predict(self, docs: Union[Doc, List[Doc]]) -> List[Any]:
        """RETURNS (List[StateClass]): The final state of each document."""
        found = decode(self, docs)
        return super().predict(docs) if found is None else found


class FastDependencyParser(DependencyParser):  # type: ignore[misc]
    """spaCy's `parser`, with another loop around the same states and actions."""

    def predict(self, docs: Union[Doc, List[Doc]]) -> List[Any]:
        """RETURNS (List[StateClass]): The final state of each document."""
        found = decode(self, docs)
        return super().predict(docs) if found is None else found


FAST: Dict[type, Any] = {
    EntityRecognizer: FastEntityRecognizer,
    DependencyParser: FastDependencyParser,
}
# What each constructor takes from the component's cfg.
_SHARED = ("update_with_oracle_cut_size", "beam_width", "beam_density", "beam_update_prob")
_OWN = {
    EntityRecognizer: ("incorrect_spans_key",),
    DependencyParser: ("learn_tokens", "min_action_freq"),
}


def fast_component(pipe: Any) -> Optional[Any]:
    """Make the fast twin of a component. They share model and transition system.

    pipe (Any): A component.
    RETURNS (Optional[Any]): A component of the same kind, or None if there is no fast one.
    """
    kind = type(pipe)
    if kind not in FAST or pipe.cfg.get("multitasks"):
        return None
    options = {name: pipe.cfg[name] for name in (*_SHARED, *_OWN[kind]) if name in pipe.cfg}
    twin = FAST[kind](
        pipe.vocab, pipe.model, pipe.name, moves=pipe.moves, scorer=pipe.scorer, **options
    )
    twin.cfg.update(pipe.cfg)
    twin.set_error_handler(pipe.get_error_handler())
    return twin


def decode(pipe: Any, docs: Union[Doc, List[Doc]]) -> Optional[List[Any]]:
    """Run the transition system over documents, greedily.

    pipe (Any): An entity recognizer or a dependency parser.
    docs (Union[Doc, List[Doc]]): The documents.
    RETURNS (Optional[List[StateClass]]): The final states, or None where spaCy's own loop should do
        it: few documents, beam search.
    """
    if isinstance(docs, Doc) or len(docs) < MIN_DOCS or pipe.cfg["beam_width"] != 1:
        return None
    if not any(len(doc) for doc in docs):
        return None
    pipe._ensure_labels_are_added(docs)
    step = _StepModel(pipe.model, docs)
    batch: List[Any] = pipe.moves.init_batch(docs)
    states = [state for state in batch if not state.is_final()]
    while states:
        states = pipe.transition_states(states, step.score(states))
    return batch


class _StepModel:
    """Scores the actions of states: what spaCy's ParserStepModel does, for all states at once."""

    def __init__(self, model: Any, docs: List[Doc]) -> None:
        tok2vec, lower, upper = model.layers
        vectors = tok2vec.predict(docs)
        weights = lower.get_param("W")  # (nF, nO, nP, nI)
        self.features, self.hidden, self.pieces, inner = weights.shape
        rows = weights.transpose(0, 2, 1, 3).reshape(-1, inner)  # pieces of a unit in blocks
        per_feature = self.pieces * self.hidden
        cached = np.empty((len(vectors) + 1, self.features, per_feature), dtype="f")
        np.dot(vectors, rows.T, out=cached[:-1].reshape(len(vectors), -1))
        # What stands for a missing token comes last: spaCy's -1 finds it there.
        cached[-1] = lower.get_param("pad")[0].transpose(0, 2, 1).reshape(self.features, -1)
        cached[:, 0] += lower.get_param("b").T.reshape(-1)  # the bias once per state
        self._cached = cached
        self._upper = upper if model.attrs["has_upper"] else None
        self._unseen = sorted(model.attrs["unseen_classes"])
        # Only its reading of the states is used: it needs no more than the number of features.
        self._reader = ParserStepModel.__new__(ParserStepModel)
        self._reader.state2vec = SimpleNamespace(nF=self.features)

    def score(self, states: List[Any]) -> np.ndarray:
        """RETURNS (ndarray): Shape (states, actions)."""
        ids = self._reader.get_token_ids(states)
        total = self._cached[ids[:, 0], 0]
        for feature in range(1, self.features):
            total += self._cached[ids[:, feature], feature]
        w = self.hidden
        best = total[:, :w]
        for piece in range(1, self.pieces):
            best = np.maximum(best, total[:, piece * w : (piece + 1) * w])
        if self._upper is None:
            scores = np.ascontiguousarray(best)
        else:
            scores = best @ self._upper.get_param("W").T
            scores += self._upper.get_param("b")
        if self._unseen:
            scores[:, self._unseen] = scores.min()
        return scores
