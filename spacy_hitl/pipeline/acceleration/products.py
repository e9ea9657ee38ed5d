"""Matrix products through the fastest library on the machine."""

import time
from functools import cache
from typing import Any, Tuple

import numpy as np
from thinc.api import Model, NumpyOps

SHAPE = (512, 288, 288)  # rows, inner and outer width: as a layer of a default tok2vec has them
ROUNDS = 5


@cache
def fastest_ops() -> NumpyOps:
    """Find out which library multiplies matrices fastest here: BLIS, or the one numpy brings.

    RETURNS (NumpyOps): Measured once per process, in a few milliseconds.
    """
    return min((NumpyOps(use_blis=blis) for blis in (False, True)), key=_seconds)


def _seconds(ops: NumpyOps) -> float:
    rows, inner, outer = SHAPE
    x = np.ones((rows, inner), dtype="f")
    w = np.ones((outer, inner), dtype="f")
    times = []
    for _ in range(ROUNDS + 1):  # the first one warms up
        start = time.perf_counter()
        ops.gemm(x, w, trans2=True)
        times.append(time.perf_counter() - start)
    return min(times[1:])


def use_ops(model: "Model[Any, Any]", ops: NumpyOps) -> int:
    """Let all layers of a model compute with other ops.

    model (Model): Changed in place. Layers whose ops are not thinc's plain NumpyOps (a GPU's, or
        those of a package for the machine) keep them.
    ops (NumpyOps): The ops.
    RETURNS (int): How many layers were changed.
    """
    changed = 0
    for node in model.walk():
        if type(node.ops) is NumpyOps and node.ops is not ops:
            node.ops = ops
            changed += 1
    return changed


def on_cpu(model: "Model[Any, Any]") -> bool:
    """RETURNS (bool): Whether all layers compute with numpy arrays."""
    return all(isinstance(node.ops, NumpyOps) for node in model.walk())


def parameters(*nodes: "Model[Any, Any]") -> Tuple[np.ndarray, ...]:
    """RETURNS (Tuple[ndarray, ...]): The parameters of some layers, as they are now."""
    found: Any = (node.get_param(name) for node in nodes for name in sorted(node.param_names))
    return tuple(found)


class Watch:
    """Notices that parameters were replaced or changed since they were last looked at.

    Training, loading and averaging put other arrays in place. What writes into an array is noticed
    by a sum over some of its values.
    """

    SAMPLED = 64  # values per array

    def __init__(self) -> None:
        self._arrays: Tuple[np.ndarray, ...] = ()
        self._sums: Tuple[float, ...] = ()

    def changed(self, arrays: Tuple[np.ndarray, ...]) -> bool:
        """RETURNS (bool): Whether these are not, or no longer, what was looked at last."""
        sums = tuple(float(self._sample(a).sum()) for a in arrays)
        same = len(arrays) == len(self._arrays) and all(
            one is other for one, other in zip(arrays, self._arrays, strict=True)
        )
        if same and sums == self._sums:
            return False
        self._arrays, self._sums = arrays, sums
        return True

    def _sample(self, array: np.ndarray) -> np.ndarray:
        flat = array.reshape(-1)
        return flat[:: max(1, flat.size // self.SAMPLED)]
