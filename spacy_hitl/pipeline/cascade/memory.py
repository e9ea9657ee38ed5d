"""What a layer of the student gave is used again, for the documents of the last batches.

The encoder takes most of a student's time; how sure it was follows from the same vectors. So the
layer's forward function is replaced by one that keeps its last results. Weights, graph and what is
saved stay as they are.
"""

from collections import deque
from typing import Any, Callable, Deque, Dict, List, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc

Floats = NDArray[np.float64]
KEPT = 32  # calls: spaCy's parsers cut a batch into four


class Remembered:
    """The forward function of a layer, which keeps what it was given and what it gave."""

    def __init__(self, forward: Callable[..., Any]) -> None:
        self.forward = forward
        self.calls: Deque[Tuple[Any, Any]] = deque(maxlen=KEPT)

    def __call__(self, model: Any, inputs: Any, is_train: bool) -> Any:
        """RETURNS (Any): What the layer gives. Nothing is kept while it learns."""
        outputs, backprop = self.forward(model, inputs, is_train)
        if not is_train:
            self.calls.append((inputs, outputs))
        return outputs, backprop


def remember(layer: Any) -> Remembered:
    """RETURNS (Remembered): The forward function of a layer, from now on a remembering one."""
    if not isinstance(layer._func, Remembered):
        layer._func = Remembered(layer._func)
    found: Remembered = layer._func
    return found


def rows_of(
    layer: Any, docs: Sequence[Doc], *, read: Callable[[Any, Any], Tuple[Sequence[Doc], List[int]]]
) -> Dict[int, Floats]:
    """Find what a layer gave for documents.

    layer (Any): A layer that remembers.
    docs (Sequence[Doc]): The documents.
    read (Callable): Gives the documents of a call, and how many rows of its output each has.
    RETURNS (Dict[int, Floats]): By the `id` of the document; those that were forgotten are missing.
    """
    wanted = {id(doc): doc for doc in docs}
    found: Dict[int, Floats] = {}
    for inputs, outputs in reversed(remember(layer).calls):
        if wanted.keys() <= found.keys():
            break
        called, sizes = read(inputs, outputs)
        at = 0
        for doc, size in zip(called, sizes, strict=True):
            if wanted.get(id(doc)) is doc:
                found.setdefault(id(doc), outputs[at : at + size])
            at += size
    return found


def forget(layer: Any) -> None:
    """Give up what a layer keeps, and with it the documents."""
    if isinstance(layer._func, Remembered):
        layer._func.calls.clear()
