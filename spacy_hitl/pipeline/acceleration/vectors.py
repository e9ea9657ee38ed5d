"""Static word vectors in front of an embedding: what they add to a token, and whether they changed.

spaCy looks up every token of a text in a table of words (or puts floret vectors together from
pieces of each) and projects what it finds. That depends on the word alone.
"""

from typing import Any, List, Tuple

import numpy as np
from spacy.attrs import ORTH  # type: ignore[import-not-found]
from spacy.tokens import Doc
from spacy.vectors import Mode, Vectors  # type: ignore[import-not-found]
from thinc.api import Model

FLORET_VALUES = 10_000_000  # a bigger table takes too long to be looked through in each batch


def can_be_kept(vectors: Any) -> bool:
    """RETURNS (bool): Whether changes of these vectors can be noticed in time."""
    if not isinstance(vectors, Vectors) or not isinstance(vectors.data, np.ndarray):
        return False
    if vectors.mode == Mode.floret:
        return bool(vectors.data.size <= FLORET_VALUES)
    return bool(vectors.mode == Mode.default and vectors.data.size)


def keys_of(docs: List[Doc], vectors: Any) -> np.ndarray:
    """RETURNS (ndarray): What tokens are looked up by: uint64, shape (tokens, 1)."""
    attr = getattr(vectors, "attr", ORTH)
    keys = [np.asarray(doc.to_array(attr), dtype="uint64").reshape(-1, 1) for doc in docs]
    return np.concatenate(keys)


def project(node: "Model[Any, Any]", vectors: Any, keys: np.ndarray) -> np.ndarray:
    """Look words up and project what is found, as spaCy's StaticVectors does.

    node (Model): That layer.
    vectors (Vectors): The table.
    keys (ndarray): Shape (n,), uint64.
    RETURNS (ndarray): Shape (n, width): zeros for a word that is not in a table of words.
    """
    weights: Any = node.ops.as_contig(node.get_param("W"))
    if vectors.mode == Mode.floret:
        return np.asarray(node.ops.gemm(vectors.get_batch(keys), weights, trans2=True))
    rows = vectors.find(keys=keys)
    found = np.asarray(node.ops.gemm(vectors.data[rows], weights, trans2=True))
    found[rows < 0] = 0
    return found


class VectorWatch:
    """Notices that vectors changed: were replaced, got another word, or other values.

    capacity (int): As many words are kept as embeddings.
    """

    def __init__(self, capacity: int) -> None:
        self._rows = np.zeros(capacity, dtype="int64")
        self._sums = np.zeros(capacity, dtype="f")
        self._state: Tuple[Any, ...] = ()

    def changed(self, vectors: Any) -> bool:
        """RETURNS (bool): Whether this is not, or no longer, the table that was looked at last."""
        total = float(vectors.data.sum()) if vectors.mode == Mode.floret else 0.0
        state = (id(vectors), id(vectors.data), vectors.n_keys, vectors.data.shape, total)
        if state == self._state:
            return False
        self._state = state
        return True

    def remember(self, vectors: Any, keys: np.ndarray, start: int) -> None:
        """Note what the words that are kept from number `start` on look like now."""
        if vectors.mode == Mode.default:
            rows = vectors.find(keys=keys)
            self._rows[start : start + len(rows)] = rows
            self._sums[start : start + len(rows)] = vectors.data[rows].sum(axis=1)

    def still(self, vectors: Any, numbers: np.ndarray) -> bool:
        """RETURNS (bool): Whether the words with these numbers look as they did."""
        if vectors.mode != Mode.default:
            return True
        used = np.unique(numbers)
        sums = vectors.data[self._rows[used]].sum(axis=1)
        return bool(np.array_equal(sums, self._sums[used], equal_nan=True))
