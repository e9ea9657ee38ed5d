"""The convolutions of a tok2vec, in pieces that fit the cache, without what only training needs."""

from typing import Any, List, Optional, Sequence, Tuple

import numpy as np
from thinc.api import Model

from .embedding import Forward, no_way_back
from .products import Watch, parameters

PIECE = 1024  # tokens at a time: a width of 96 takes 1.2 MB then
EPSILON = 1e-8  # as in thinc's LayerNorm


def window_layers(node: "Model[Any, Any]") -> Optional[List[Tuple[Any, Any]]]:
    """Recognise spaCy's MaxoutWindowEncoder with a window of one token to each side.

    node (Model): Any layer.
    RETURNS (Optional[List[Tuple[Model, Model]]]): Maxout and normalising layer of each convolution,
        or None if it is something else.
    """
    if not node.name.startswith("with_array(residual(") or len(node.layers) != 1:
        return None
    inner = node.layers[0]
    blocks = [inner] if inner.name.startswith("residual(") and len(inner.layers) == 1 else None
    blocks = inner.layers if blocks is None else blocks
    found = []
    for block in blocks:
        leaves = [leaf for leaf in block.walk() if not leaf.layers]
        names = [leaf.name for leaf in leaves if leaf.name != "dropout"]
        if names != ["expand_window", "maxout", "layernorm"]:
            return None
        window, maxout, norm = (leaf for leaf in leaves if leaf.name != "dropout")
        if window.attrs["window_size"] != 1 or not block.name.startswith("residual("):
            return None
        found.append((maxout, norm))
    return found


class _Layer:
    """The parameters of one convolution, laid out for one product and a plain maximum."""

    def __init__(self, maxout: "Model[Any, Any]", norm: "Model[Any, Any]") -> None:
        weights: Any = maxout.get_param("W")  # (nO, nP, nI)
        bias: Any = maxout.get_param("b")  # (nO, nP)
        self.width, self.pieces, inner = weights.shape
        # (nI, nP * nO): the pieces of a unit lie in blocks, not side by side.
        self.weights = np.ascontiguousarray(weights.transpose(2, 1, 0).reshape(inner, -1))
        self.bias = np.ascontiguousarray(bias.T.reshape(-1))
        self.scale, self.shift = norm.get_param("G"), norm.get_param("b")

    def __call__(self, x: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """RETURNS (ndarray): x plus the convolution of x; x and it have the shape (n, width)."""
        w = self.width
        columns[:, w : 2 * w] = x
        columns[1:, :w] = x[:-1]
        columns[:-1, 2 * w :] = x[1:]
        columns[0, :w] = 0
        columns[-1, 2 * w :] = 0
        y = columns @ self.weights
        y += self.bias
        best = y[:, :w].copy() if self.pieces == 1 else np.maximum(y[:, :w], y[:, w : 2 * w])
        for piece in range(2, self.pieces):
            np.maximum(best, y[:, piece * w : (piece + 1) * w], out=best)
        best -= best.mean(axis=1, keepdims=True)
        variance = np.einsum("ij,ij->i", best, best) / np.float32(w)
        best *= (1 / np.sqrt(variance + np.float32(EPSILON)))[:, None]
        best *= self.scale
        best += self.shift
        best += x
        out: np.ndarray = best
        return out


class FusedEncoder:
    """A forward for MaxoutWindowEncoder. While training it steps aside.

    forward (Forward): The layer's own forward.
    """

    def __init__(self, forward: Forward) -> None:
        self.forward = forward
        self._watch = Watch()
        self._layers: List[_Layer] = []

    def __call__(self, model: "Model[Any, Any]", x: Any, is_train: bool) -> Tuple[Any, Any]:
        """Encode sequences.

        model (Model): The layer.
        x (List[np.ndarray]): One array of shape (tokens, width) per document.
        is_train (bool): Whether to compute everything, for the way back.
        RETURNS (Tuple[List[np.ndarray], Callable]): Arrays of the same shapes.
        """
        if is_train or not isinstance(x, (list, tuple)) or not sum(map(len, x)):
            return self.forward(model, x, is_train)
        self._prepare(model)
        pad = model.attrs["pad"]
        encoded: List[np.ndarray] = []
        for some in _pieces(x, pad):
            encoded.extend(self._encode(some, pad))
        return encoded, no_way_back

    def _prepare(self, model: "Model[Any, Any]") -> None:
        pairs = window_layers(model)
        assert pairs is not None
        if self._watch.changed(parameters(*(node for pair in pairs for node in pair))):
            self._layers = [_Layer(maxout, norm) for maxout, norm in pairs]

    def _encode(self, sequences: Sequence[np.ndarray], pad: int) -> List[np.ndarray]:
        """Lay sequences out with padding between them, as thinc does, and run all layers."""
        width = self._layers[0].width
        starts, at = [], pad
        for sequence in sequences:
            starts.append(at)
            at += len(sequence) + pad
        x = np.zeros((at, width), dtype="f")
        for start, sequence in zip(starts, sequences, strict=True):
            x[start : start + len(sequence)] = sequence
        columns = np.empty((at, 3 * width), dtype="f")
        for layer in self._layers:
            x = layer(x, columns)
        return [x[s : s + len(seq)] for s, seq in zip(starts, sequences, strict=True)]


def _pieces(sequences: Sequence[np.ndarray], pad: int) -> List[List[np.ndarray]]:
    """RETURNS (List[List[np.ndarray]]): The sequences in groups of about `PIECE` tokens."""
    groups: List[List[np.ndarray]] = [[]]
    size = pad
    for sequence in sequences:
        if groups[-1] and size + len(sequence) > PIECE:
            groups.append([])
            size = pad
        groups[-1].append(sequence)
        size += len(sequence) + pad
    return groups
