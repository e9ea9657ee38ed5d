"""What the curves of the effort benchmark say: effort to a quality, and ratios of effort."""

from typing import Any, Dict, List, Optional, Sequence

import numpy as np
from effort_session import Point

TARGET = 0.97
STEPS = (0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99)
SECONDS_PER_KEY, WORDS_PER_MINUTE = 0.28, 238  # Card, Moran, Newell 1980; Brysbaert 2019


def reach(curve: Sequence[Point], f: float) -> Optional[Point]:
    """RETURNS (Optional[Point]): Where a curve first comes to a quality."""
    return next((p for p in curve if p.f >= f), None)


def hours(point: Point) -> float:
    """RETURNS (float): Reading what is opened, and pressing keys."""
    return (60 * point.words / WORDS_PER_MINUTE + SECONDS_PER_KEY * point.keys) / 3600


def thin(curve: Sequence[Point], size: int = 40) -> List[List[float]]:
    """RETURNS (List[List[float]]): About `size` pairs of keys and F, the last one among them."""
    places = sorted({round(i) for i in np.linspace(0, len(curve) - 1, size)})
    return [[curve[i].keys, round(curve[i].f, 4)] for i in places]


def ratio(above: Sequence[float], below: Sequence[float]) -> List[float]:
    """RETURNS (List[float]): Ratio of the means over seeds, with a 95% bootstrap interval: of
    orders, lanes and students, on these texts.
    """
    a, b = np.array(above, dtype=float), np.array(below, dtype=float)
    draws = np.random.default_rng(0).integers(0, len(a), size=(5000, len(a)))
    low, high = np.percentile(a[draws].mean(axis=1) / b[draws].mean(axis=1), [2.5, 97.5])
    return [round(float(v), 2) for v in (a.mean() / b.mean(), low, high)]


def summarise(found: Dict[str, List[List[Point]]]) -> Dict[str, Any]:
    """Compare the arms at the target.

    found (Dict[str, List[List[Point]]]): Curves by arm, one per seed, in the order of the seeds.
    RETURNS (Dict[str, Any]): Per arm: keys, screens and hours (means), ratios against scratch;
        also of the actions of who drags over words instead of going there by keys.
    """
    ends = {arm: [reach(c, TARGET) for c in curves] for arm, curves in found.items()}
    table: Dict[str, Any] = {}
    for arm, points in ends.items():
        base = ends["scratch"][: len(points)]  # the same seeds
        if any(p is None for p in (*points, *base)):
            table[arm] = None  # some seed never got there
            continue
        table[arm] = {
            "keys": round(float(np.mean([p.keys for p in points]))),
            "screens": round(float(np.mean([p.screens for p in points]))),
            "hours": round(float(np.mean([hours(p) for p in points])), 2),
            "keys_ratio": ratio([p.keys for p in base], [p.keys for p in points]),
            "screens_ratio": ratio([p.screens for p in base], [p.screens for p in points]),
            "hours_ratio": ratio([hours(p) for p in base], [hours(p) for p in points]),
            "pointer_ratio": ratio([p.gestures for p in base], [p.gestures for p in points]),
        }
    return table


def mean_curves(found: Dict[str, List[List[Point]]]) -> Dict[str, List[Optional[int]]]:
    """RETURNS (Dict[str, List[Optional[int]]]): Mean keys to each step of F; None if a seed never
    came there.
    """
    curves = {}
    for arm, runs in found.items():
        ends = [[reach(curve, f) for curve in runs] for f in STEPS]
        curves[arm] = [
            None if None in points else round(float(np.mean([p.keys for p in points])))
            for points in ends
        ]
    return curves
