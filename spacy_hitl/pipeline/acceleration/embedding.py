"""The embedding of a feature row, computed once.

Everything before the first window of a tok2vec depends on a token's features alone (NORM, PREFIX,
SUFFIX, SHAPE and so on, not on its form: "n't" has the norm "not"), and texts use the same few
rows again and again. What was computed for a row is kept until parameters change.
"""

from typing import Any, Callable, List, Optional, Tuple

import numpy as np
from spacy.tokens import Doc
from thinc.api import Model

from .products import Watch, parameters
from .rows import RowTable

Forward = Callable[["Model[Any, Any]", Any, bool], Tuple[Any, Any]]
CAPACITY = 1 << 16  # rows; at a width of 96 a full table takes 28 MB


def is_hash_embedding(node: "Model[Any, Any]") -> bool:
    """RETURNS (bool): Whether this is spaCy's MultiHashEmbed without static vectors."""
    names = [layer.name for layer in node.layers]
    if len(names) != 5 or names[:2] != ["extract_features", "list2ragged"]:
        return False
    if names[4] != "ragged2list" or not all(n.startswith("with_array(") for n in names[2:4]):
        return False
    inner = {leaf.name for layer in node.layers[2:4] for leaf in layer.walk() if not leaf.layers}
    return inner <= {"ints-getitem", "hashembed", "maxout", "layernorm", "dropout"}


class CachedEmbedding:
    """A forward for MultiHashEmbed. While training it steps aside.

    forward (Forward): The layer's own forward.
    capacity (int): Rows that are kept; a power of 2. When there is no room, it starts anew.
    """

    def __init__(self, forward: Forward, *, capacity: int = CAPACITY) -> None:
        self.forward = forward
        self.capacity = capacity
        self._watch = Watch()
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
        if is_train:
            self._table = None
            return self.forward(model, docs, is_train)
        extract, _, embed, mix, _ = model.layers
        features = extract.predict(docs)
        rows = np.concatenate(features) if features else np.zeros((0, 1), dtype="uint64")
        if not len(rows):
            return self.forward(model, docs, is_train)
        table = self._ready_table(rows.shape[1], model)
        index = table.find(rows)
        unknown = np.nonzero(index < 0)[0]
        if len(unknown):
            new = np.unique(rows[unknown], axis=0)
            if len(table) + len(new) > self.capacity:
                self._table = None
                if len(np.unique(rows, axis=0)) > self.capacity:
                    return self.forward(model, docs, is_train)
                return self(model, docs, is_train)
            table.add(new, mix.layers[0].predict(embed.layers[0].predict(new)))
            index[unknown] = table.find(rows[unknown])
        ends = np.cumsum([len(f) for f in features])[:-1]
        return np.split(table.values[index], ends), no_way_back

    def _ready_table(self, width: int, model: "Model[Any, Any]") -> RowTable:
        nodes = [n for layer in model.layers[2:4] for n in layer.walk() if n.param_names]
        if self._watch.changed(parameters(*nodes)) or self._table is None:
            self._table = RowTable(width, model.get_dim("nO"), capacity=self.capacity)
        return self._table


def no_way_back(*_: Any) -> Any:
    """Stand where the way back of a prediction would be."""
    raise RuntimeError("a prediction has no gradient: call the model with is_train=True")
