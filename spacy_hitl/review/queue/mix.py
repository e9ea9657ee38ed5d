"""How the queue is mixed: what part of the next texts comes from which line. Pure."""

from dataclasses import dataclass
from typing import Dict, Literal, Optional, Sequence, Tuple

from ...records import ADJUDICATION, BLIND, Mode
from ...settings import ReviewSettings

Purpose = Literal["review", "adjudicate", "compare", "audit"]
GOLD_LINE, RANDOM_LINE, ROUTED_LINE, RECALL_LINE = "gold", "random", "routed", "recall"

OTHER_TURNS: Dict[str, Tuple[Mode, str]] = {
    "adjudicate": (ADJUDICATION, "two people decided differently"),
    "compare": (BLIND, "two versions, shown without their names"),
    "audit": (BLIND, "blind: drawn at random from what was accepted unseen"),
}


@dataclass(frozen=True)
class QueueSettings:
    """How the queue is mixed; see `settings.ReviewSettings`.

    seed: of all orders. annotators: of this session; in a calibration round they wait for one
    another. label: the only label of this pass. purpose: to "adjudicate", to "compare" and to
    "audit", all texts come in the order of the seed, whatever their lane.
    """

    seed: str = "0"
    annotators: Tuple[str, ...] = ()
    gold_share: float = 0.2
    random_share: float = 0.2
    recall_share: float = 0.0
    pool: int = 2000
    overlap: int = 1
    overlap_share: float = 1.0
    calibration_texts: int = 0
    calibration_floor: float = 0.0
    label: Optional[str] = None
    purpose: Purpose = "review"

    @classmethod
    def of(
        cls,
        settings: ReviewSettings,
        annotators: Sequence[str],
        *,
        label: Optional[str] = None,
        purpose: Purpose = "review",
    ) -> "QueueSettings":
        """RETURNS (QueueSettings): From [hitl.review]."""
        return cls(
            seed=str(settings.seed),
            annotators=tuple(annotators),
            gold_share=settings.gold_share,
            random_share=settings.random_share,
            recall_share=settings.recall_share,
            pool=settings.pool,
            overlap=settings.overlap,
            overlap_share=settings.overlap_share,
            calibration_texts=settings.calibration_texts,
            calibration_floor=settings.calibration_floor,
            label=label,
            purpose=purpose,
        )

    @property
    def only_turn(self) -> Optional[Tuple[Mode, str]]:
        """Why any text is shown, in a session that is not a review."""
        return OTHER_TURNS.get(self.purpose)

    @property
    def shares(self) -> Dict[str, float]:
        """What part of the next texts each line gives; lines that give none are not there."""
        if self.purpose != "review":
            return {RANDOM_LINE: 1.0}
        rest = 1 - self.gold_share
        shares = {
            GOLD_LINE: self.gold_share,
            ROUTED_LINE: rest * (1 - self.random_share - self.recall_share),
            RECALL_LINE: rest * self.recall_share,
        }
        # The random one is always there: what no router ranks would never be seen otherwise.
        used = {name: round(share, 9) for name, share in shares.items() if round(share, 9) > 0}
        return {**used, RANDOM_LINE: rest * self.random_share}
