"""What a learning curve found: training/<task>/curve.json."""

from dataclasses import dataclass
from typing import Optional, Tuple

from ..records import Record

RECORD = "curve.json"


@dataclass(frozen=True)
class CurvePoint(Record):
    """The student with one share of the decisions.

    texts: reviewed texts it learned from, mean over the splits. score, low, high: on held-out
    reviewed texts, with its 95% interval. gain: difference to the point before, paired, with its
    interval; better: probability that it is better than that.
    """

    share: float
    texts: float
    score: float
    low: float
    high: float
    gain: Optional[Tuple[float, float, float]] = None
    better: Optional[float] = None


@dataclass(frozen=True)
class Curve(Record):
    """A learning curve.

    main: name of the score. config: the file that was given. reviewed: reviewed texts; scored: how
    many of them were held out at least once. minutes: the budget; seconds: what it took.
    """

    task: str
    task_digest: str
    main: str
    config: str
    reviewed: int
    scored: int
    folds: int
    splits: int
    seed: int
    minutes: float
    seconds: float
    spacy: str
    spacy_hitl: str
    points: Tuple[CurvePoint, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether every reviewed text was held out at least once."""
        return self.splits >= self.folds


def slope_sentence(curve: Curve) -> str:
    """Say whether more decisions seem to pay, by the last step of the curve.

    curve (Curve): At least two points.
    RETURNS (str): Plain words.
    """
    before, last = curve.points[-2:]
    value, low, high = last.gain or (0.0, 0.0, 0.0)
    more = last.texts - before.texts
    step = (
        f"From {before.texts:.0f} to {last.texts:.0f} reviewed texts the score changes by "
        f"{value:+.3f} [{low:+.3f}, {high:+.3f}]"
    )
    if low > 0:
        per_100 = 100 * value / max(1e-9, more)
        return f"{step}: more decisions seem to pay, about {per_100:+.3f} per 100 texts at first."
    if high < 0:
        return (
            f"{step}: it fell with more decisions. Look for decisions that contradict one another "
            "before you review more."
        )
    return (
        f"{step}: the interval includes 0, so this can't tell whether more decisions pay. If they "
        f"do, then hardly by more than {high:.3f} for the next {more:.0f}."
    )
