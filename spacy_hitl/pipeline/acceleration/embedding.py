"""The embedding of a feature row, computed once.

Everything before the first window of a tok2vec depends on a token's features alone (NORM, PREFIX,
SUFFIX, SHAPE and so on, not on its form: "n't" has the norm "not"), and texts use the same few
rows again and again. What was computed for a row is kept until parameters change. Where word
vectors are part of it, the word that is looked up is one more feature.
"""

from dataclasses import dataclass
from typing import Any, Callable, List, Optional, Tuple

import numpy as np
from spacy.tokens import Doc
from thinc.api import Model

from .products import Watch, parameters
from .rows import RowTable
from .vectors import VectorWatch, can_be_kept, keys_of, project

Forward = Callable[["Model[Any, Any]", Any, bool], Tuple[Any, Any]]
CAPACITY = 1 << 16  # rows; at a width of 96 a full table takes 28 MB


@dataclass(frozen=True)
class Parts:
    """The layers of a MultiHashEmbed.

    extract: features of documents. embed: rows of features to vectors, side by side. mix: all
    vectors of a token to one. static: the projection of word vectors, if there are some.
    """

    extract: "Model[Any, Any]"
    embed: "Model[Any, Any]"
    mix: "Model[Any, Any]"
    static: Optional["Model[Any, Any]"] = None


def parts_of(node: "Model[Any, Any]") -> Optional[Parts]:
    """RETURNS (Optional[Parts]): The layers, if this is spaCy's MultiHashEmbed."""
    layers, static = list(node.layers), None
    if len(layers) == 3 and len(layers[0].layers) == 2:
        inner, static = layers[0].layers
        layers = [*inner.layers, *layers[1:]]
    names = [layer.name for layer in layers]
    if len(names) != 5 or names[:2] != ["extract_features", "list2ragged"]:
        return None
    if names[4] != "ragged2list" or not all(n.startswith("with_array(") for n in names[2:4]):
        return None
    leaves = {leaf.name for layer in layers[2:4] for leaf in layer.walk() if not leaf.layers}
    if not leaves <= {"ints-getitem", "hashembed", "maxout", "layernorm", "dropout"}:
        return None
    if static is not None and static.name != "static_vectors":
        return None
    return Parts(layers[0], layers[2].layers[0], layers[3].layers[0], static)


class CachedEmbedding:
    """A forward for MultiHashEmbed. While training it steps aside.

    forward (Forward): The layer's own forward.
    capacity (int): Rows that are kept; a power of 2. When there is no room, it starts anew.
    """

    def __init__(self, forward: Forward, *, capacity: int = CAPACITY) -> None:
        self.forward = forward
        self.capacity = capacity
        self._watch = Watch()
        self._words: Optional[VectorWatch] = None
        self._table: Optional[RowTable] = None

    def __call__(
        self, model: "Model[Any, Any]", docs: List[Doc], is_train: bool
    ) -> Tuple[Any, Any]:
        """Embed documents.

        model (Model): The layer.
        docs (List[Doc]): The documents.
        is_train (bool): Whether to compute everything, for the way back.
        RETURNS (Tuple[List[Floats2d], Callable]): One array of shape (tokens, width) per document.
        """
        parts = parts_of(model)
        if is_train or parts is None:
            self._table = None
            return self.forward(model, docs, is_train)
        vectors = docs[0].vocab.vectors if docs and parts.static is not None else None
        if not any(len(doc) for doc in docs) or (vectors is not None and not can_be_kept(vectors)):
            return self.forward(model, docs, is_train)
        features = parts.extract.predict(docs)
        rows = np.concatenate(features)
        if vectors is not None:
            rows = np.hstack([rows, keys_of(docs, vectors)])
        table = self._ready_table(rows.shape[1], model, parts, vectors)
        index = table.find(rows)
        unknown = np.nonzero(index < 0)[0]
        if len(unknown):
            new = np.unique(rows[unknown], axis=0)
            if len(table) + len(new) > self.capacity:
                self._table = None
                if len(np.unique(rows, axis=0)) > self.capacity:
                    return self.forward(model, docs, is_train)
                return self(model, docs, is_train)
            if self._words is not None:
                self._words.remember(vectors, new[:, -1], len(table))
            table.add(new, _embed(parts, vectors, new))
            index[unknown] = table.find(rows[unknown])
        if self._words is not None and not self._words.still(vectors, index):
            self._table = None
            return self(model, docs, is_train)
        ends = np.cumsum([len(f) for f in features])[:-1]
        return np.split(table.values[index], ends), no_way_back

    def _ready_table(
        self, width: int, model: "Model[Any, Any]", parts: Parts, vectors: Any
    ) -> RowTable:
        layers = [parts.embed, parts.mix, *([] if parts.static is None else [parts.static])]
        nodes = [n for layer in layers for n in layer.walk() if n.param_names]
        changed = self._watch.changed(parameters(*nodes))
        if vectors is not None:
            if self._table is None or self._words is None:
                self._words = VectorWatch(self.capacity)
            changed = self._words.changed(vectors) or changed
        if changed or self._table is None:
            self._table = RowTable(width, model.get_dim("nO"), capacity=self.capacity)
        return self._table


def _embed(parts: Parts, vectors: Any, rows: np.ndarray) -> np.ndarray:
    """RETURNS (ndarray): The embeddings of feature rows, shape (n, width)."""
    if parts.static is None:
        return np.asarray(parts.mix.predict(parts.embed.predict(rows)))
    hashed = parts.embed.predict(np.ascontiguousarray(rows[:, :-1]))
    static = project(parts.static, vectors, rows[:, -1])
    return np.asarray(parts.mix.predict(np.hstack([hashed, static])))


def no_way_back(*_: Any) -> Any:
    """Stand where the way back of a prediction would be."""
    raise RuntimeError("a prediction has no gradient: call the model with is_train=True")
