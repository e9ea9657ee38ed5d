"""Made-up data whose truth is known: documents with their own difficulty, and strata that are drawn
from.

Documents differ in length (a gamma distribution) and in how hard they are, for all labels and both
systems alike (normal, on the logit of being right); what a system finds in one document is
therefore correlated. Each data set of strata has its own prevalence, recall and precision, drawn
around those of the setting: no real ones are alike, and one fixed value would show the luck of a
few whole numbers.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Callable, Dict, Sequence, Tuple

import numpy as np

from spacy_hitl.scoring.estimates import Stratum
from spacy_hitl.scoring.intervals import Floats, f_score

Rng = np.random.Generator
Pair = Tuple[Floats, Floats]  # counts of two systems, shape (texts, labels, 3)


def mentions(
    wanted: Sequence[float],
    found: Sequence[Sequence[float]],
    spurious: Sequence[Sequence[float]],
    hard: float,
) -> Callable[[Rng, int], Pair]:
    """wanted: mentions of each label per document. found: logit of finding one, by system and
    label. spurious: wrong ones per document. hard: how much documents differ.
    """

    def draw(rng: Rng, texts: int) -> Pair:
        length, common = rng.gamma(2, 0.5, size=(texts, 1)), rng.normal(size=(texts, 1))
        gold = rng.poisson(np.array(wanted) * length)
        pair = []
        for logit, wrong in zip(found, spurious, strict=True):
            ease = hard * (0.8 * common + 0.6 * rng.normal(size=(texts, 1)))
            tp = rng.binomial(gold, 1 / (1 + np.exp(-(np.array(logit) + ease))))
            fp = rng.poisson(np.array(wrong) * length * np.exp(-ease / 2))
            pair.append(np.stack([tp, fp, gold - tp], axis=-1).astype(np.float64))
        return pair[0], pair[1]

    return draw


def categories(
    shares: Sequence[float], right: Sequence[Sequence[float]], hard: float
) -> Callable[[Rng, int], Pair]:
    """shares: of the categories, of which one holds. right: logit of getting it right, by system
    and category.
    """

    def draw(rng: Rng, texts: int) -> Pair:
        every, number = np.array(shares), np.arange(texts)
        true, common = rng.choice(len(every), p=every, size=texts), rng.normal(size=texts)
        pair = []
        for logit in right:
            ease = hard * (0.8 * common + 0.6 * rng.normal(size=texts))
            ok = rng.random(texts) < 1 / (1 + np.exp(-(np.array(logit)[true] + ease)))
            others = np.tile(every, (texts, 1))
            others[number, true] = 0
            below = (others / others.sum(axis=1, keepdims=True)).cumsum(axis=1)
            said = np.where(ok, true, (below < rng.random((texts, 1))).sum(axis=1))
            counts = np.zeros((texts, len(every), 3))
            counts[number, true, np.where(ok, 0, 2)] = 1
            counts[number[~ok], said[~ok], 1] = 1
            pair.append(counts)
        return pair[0], pair[1]

    return draw


WORLDS: Dict[str, Callable[[Rng, int], Pair]] = {
    "six labels": mentions(
        [1.2, 0.8, 0.5, 0.3, 0.2, 0.1],
        [[2.5, 2.2, 2.0, 1.8, 1.5, 1.2], [2.2, 2.0, 2.0, 1.5, 1.5, 1.0]],
        [[0.15, 0.1, 0.1, 0.06, 0.05, 0.03], [0.2, 0.12, 0.1, 0.06, 0.05, 0.04]],
        1.0,
    ),
    "few mentions": mentions(
        [0.3, 0.1], [[2.5, 1.5], [2.3, 1.0]], [[0.05, 0.03], [0.06, 0.03]], 1.0
    ),
    "F of 0.95": mentions(
        [1.0, 0.5, 0.3],
        [[4.0, 3.5, 3.0], [3.8, 3.2, 3.0]],
        [[0.03, 0.02, 0.02], [0.04, 0.02, 0.02]],
        1.0,
    ),
    "hard documents": mentions(
        [2.0, 1.0], [[2.0, 1.5], [1.5, 1.0]], [[0.4, 0.2], [0.4, 0.25]], 2.5
    ),
    "one category": categories([0.75, 0.17, 0.08], [[3.0, 1.5, 1.0], [3.0, 1.2, 0.8]], 1.0),
}


def truth(world: str, average: str) -> Tuple[float, float]:
    """RETURNS (Tuple[float, float]): F of the two systems, on a million documents."""
    one, other = (f_score(sums, average=average) for sums in totals(world))
    return float(one), float(other)


@lru_cache
def totals(world: str) -> Pair:
    """RETURNS (Pair): Counts of the two systems on a million documents, shape (labels, 3)."""
    rng, one, other = np.random.default_rng(12345), np.zeros(()), np.zeros(())
    for _ in range(20):
        pair = WORLDS[world](rng, 50_000)
        one, other = one + pair[0].sum(axis=0), other + pair[1].sum(axis=0)
    return one, other


@dataclass(frozen=True)
class RareClass:
    """texts: of all; prevalence: of the class; recall, precision: of the system, about; predicted,
    others: texts that are looked at.
    """

    texts: int
    prevalence: float
    recall: float
    precision: float
    predicted: int
    others: int

    def draw(self, rng: Rng) -> Tuple[Stratum, Stratum, float]:
        """RETURNS (Tuple[Stratum, Stratum, float]): Predicted, not predicted, true recall."""
        while True:
            odds = self.recall / (1 - self.recall) * np.exp(0.3 * rng.normal())
            positive = rng.binomial(self.texts, self.prevalence * np.exp(0.2 * rng.normal()))
            hits = int(rng.binomial(positive, odds / (1 + odds)))
            wrong = int(rng.poisson(hits * (1 - self.precision) / self.precision))
            if hits:
                break
        missed, size = int(positive) - hits, self.texts - hits - wrong
        looked_at = min(self.predicted, hits + wrong)
        return (
            Stratum(hits + wrong, looked_at, int(rng.hypergeometric(hits, wrong, looked_at))),
            Stratum(size, self.others, int(rng.hypergeometric(missed, size - missed, self.others))),
            hits / (hits + missed),
        )


RARE = (
    RareClass(10_000, 0.02, 0.5, 0.8, 145, 1000),  # about the published example
    RareClass(10_000, 0.02, 0.8, 0.8, 100, 500),
    RareClass(5_000, 0.05, 0.85, 0.8, 100, 300),
    RareClass(5_000, 0.05, 0.7, 0.8, 50, 200),
    RareClass(20_000, 0.01, 0.6, 0.7, 100, 1000),
    RareClass(2_000, 0.1, 0.9, 0.85, 60, 300),
    RareClass(20_000, 0.005, 0.6, 0.7, 70, 1000),
    RareClass(10_000, 0.02, 0.95, 0.9, 100, 1000),
)


@dataclass(frozen=True)
class Accepted:
    """size: texts accepted unseen; error: share of them with an error, about; audited: of them."""

    size: int
    error: float
    audited: int

    def draw(self, rng: Rng) -> Tuple[Stratum, float]:
        """RETURNS (Tuple[Stratum, float]): The audit, and the true error."""
        wrong = int(rng.binomial(self.size, min(1.0, self.error * np.exp(0.3 * rng.normal()))))
        seen = int(rng.hypergeometric(wrong, self.size - wrong, self.audited))
        return Stratum(self.size, self.audited, seen), wrong / self.size


ACCEPTED = (
    Accepted(500, 0.02, 50),
    Accepted(500, 0.02, 100),
    Accepted(2_000, 0.01, 100),
    Accepted(2_000, 0.02, 200),
    Accepted(2_000, 0.05, 100),
    Accepted(5_000, 0.01, 400),
    Accepted(300, 0.05, 100),
    Accepted(1_000, 0.005, 200),
)
