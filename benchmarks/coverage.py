"""Do 95% intervals hold the truth 95 times of 100? Simulated, with known truth.

For each setting, so many data sets are made up (coverage_worlds.py); the product's own functions
compute an interval of each. Beside them stand the methods they were chosen over: percentiles of the
bootstrap and BCa (Efron, Better bootstrap confidence intervals, 1987) for F and the paired
difference, Wald's interval for shares, the delta method for recall. The methods were chosen on the
same settings with another seed (1, 5, 6); all settings are printed.

usage: python benchmarks/coverage.py [--datasets 2000] [--seed 0] [--jobs 2]
A line per setting; the last line is JSON: for each figure the coverage over all settings, the
lowest and the highest of a setting, and the settings outside 93.5 to 96.5%. 2,000 data sets leave a
standard error of 0.5% on one setting. About a quarter of an hour of one core.
"""

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[_name] = "1"  # before numpy is imported: one setting a process

import argparse
import json
import math
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np
from coverage_worlds import ACCEPTED, RARE, WORLDS, Accepted, RareClass, totals, truth

from spacy_hitl.scoring import estimates
from spacy_hitl.scoring.estimates import Stratum
from spacy_hitl.scoring.intervals import (
    Bounds,
    Floats,
    Z,
    bootstrap_weights,
    difference,
    f_score,
    interval,
    ratio_interval,
    resample,
)

TEXTS = (50, 100, 200, 500)
WANTED = (0.935, 0.965)
OURS = "ours"
NORMAL = NormalDist()


@dataclass
class Tally:
    """How often an interval held the truth, and how wide it was on average."""

    datasets: int = 0
    held: int = 0
    below: int = 0
    width: float = 0.0

    def add(self, bounds: Bounds, true: float) -> None:
        low, high = bounds
        self.datasets += 1
        self.held += low - 1e-9 <= true <= high + 1e-9
        self.below += true < low - 1e-9
        self.width += high - low

    @property
    def coverage(self) -> float:
        return self.held / self.datasets


@dataclass
class Outcome:
    """All methods on one figure in one setting. truth: on average."""

    figure: str
    setting: str
    truth: float = 0.0
    methods: Dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))

    def line(self) -> str:
        parts = (
            f"{name} {t.coverage:.3f} (too high {t.below / t.datasets:.3f}, "
            f"width {t.width / t.datasets:.3f})"
            for name, t in self.methods.items()
        )
        return f"{self.figure}, {self.setting}, truth {self.truth:.3f}: {'; '.join(parts)}"


# What was tried as well


def percentiles(rounds: Floats) -> Bounds:
    low, high = np.percentile(rounds, [2.5, 97.5])
    return float(low), float(high)


def bca(rounds: Floats, value: float, without: Floats) -> Bounds:
    """without: the figure without each text."""
    share = float((rounds < value).mean() + 0.5 * (rounds == value).mean())
    least = 0.5 / len(rounds)
    bias = NORMAL.inv_cdf(min(max(share, least), 1 - least))
    off = without.mean() - without
    spread = float((off**2).sum()) ** 1.5
    skew = float((off**3).sum()) / (6 * spread) if spread else 0.0
    at = [NORMAL.cdf(bias + (bias + z) / (1 - skew * (bias + z))) for z in (-Z, Z)]
    low, high = np.percentile(rounds, [100 * a for a in at])
    return float(low), float(high)


def wald(s: Stratum) -> Bounds:
    error = math.sqrt(s.share * (1 - s.share) / s.sampled * (1 - s.sampled / s.size))
    return s.share - Z * error, s.share + Z * error


def delta(predicted: Stratum, others: Stratum) -> Bounds:
    found, missed = predicted.total, others.total
    if not found + missed:
        return 0.0, 0.0
    spread = [
        s.size**2 * s.share * (1 - s.share) / s.sampled * (1 - s.sampled / s.size)
        for s in (predicted, others)
    ]
    error = math.sqrt(missed**2 * spread[0] + found**2 * spread[1]) / (found + missed) ** 2
    value = found / (found + missed)
    return value - Z * error, value + Z * error


# The simulation


def run_scores(world: str, texts: int, average: str, *, datasets: int, seed: int) -> List[Outcome]:
    """F of a system, and the difference of two."""
    rng = np.random.default_rng([seed, texts, *world.encode()])
    true = truth(world, average)
    weights = bootstrap_weights(texts)
    setting = f"{world}, {texts} texts"
    score = Outcome(f"{average} F", setting, true[0])
    gain = Outcome(f"difference of {average} F", setting, true[0] - true[1])
    for _ in range(datasets):
        pair = WORLDS[world](rng, texts)
        found = interval(pair[0], weights, average=average)
        score.methods[OURS].add((found.low, found.high), true[0])
        better = difference(*pair, weights, average=average)
        gain.methods[OURS].add((better.low, better.high), gain.truth)
        drawn = [resample(c, weights, average=average) for c in pair]
        left = [f_score(c.sum(axis=0) - c, average=average) for c in pair]
        for outcome, rounds, value, without in (
            (score, drawn[0], found.value, left[0]),
            (gain, drawn[0] - drawn[1], better.value, left[0] - left[1]),
        ):
            outcome.methods["percentiles"].add(percentiles(rounds), outcome.truth)
            outcome.methods["BCa"].add(bca(rounds, value, without), outcome.truth)
    return [score, gain]


def run_label(world: str, texts: int, *, datasets: int, seed: int) -> List[Outcome]:
    """Precision and recall of the rarest label of a system."""
    rng = np.random.default_rng([seed, texts, 3, *world.encode()])
    sums = totals(world)[0][-1]
    found = []
    for name, other in (("precision", 1), ("recall", 2)):
        true = float(sums[0] / (sums[0] + sums[other]))
        found.append((Outcome(f"{name} of a rare label", f"{world}, {texts} texts", true), other))
    for _ in range(datasets):
        label = WORLDS[world](rng, texts)[0][:, -1]
        for outcome, other in found:
            hits, every = label[:, 0], label[:, 0] + label[:, other]
            bounds = ratio_interval(hits, every)
            outcome.methods[OURS].add((bounds.low, bounds.high), outcome.truth)
            n, share = every.sum(), bounds.value
            error = math.sqrt(share * (1 - share) / n) if n else 1.0
            outcome.methods["Wald"].add((share - Z * error, share + Z * error), outcome.truth)
    return [outcome for outcome, _ in found]


def run_rare(setting: RareClass, *, datasets: int, seed: int) -> List[Outcome]:
    """Recall of a rare class from two strata."""
    rng = np.random.default_rng([seed, RARE.index(setting), 1])
    name = (
        f"{setting.texts:,} texts, {setting.prevalence:.1%} of the class, {setting.predicted} "
        f"predicted and {setting.others} other ones looked at"
    )
    outcome = Outcome("recall of a rare class", name)
    for _ in range(datasets):
        predicted, others, true = setting.draw(rng)
        found = estimates.recall([predicted], [others])
        outcome.truth += true / datasets
        bounds = (0.0, 1.0) if found is None else (found.low, found.high)
        outcome.methods[OURS].add(bounds, true)
        outcome.methods["delta"].add(delta(predicted, others), true)
    return [outcome]


def run_accepted(setting: Accepted, *, datasets: int, seed: int) -> List[Outcome]:
    """Error of what was accepted unseen."""
    rng = np.random.default_rng([seed, ACCEPTED.index(setting), 2])
    name = f"{setting.error:.1%} of {setting.size:,} accepted, {setting.audited} audited"
    outcome = Outcome("error of accepted texts", name)
    for _ in range(datasets):
        stratum, true = setting.draw(rng)
        found = estimates.share([stratum])
        outcome.truth += true / datasets
        outcome.methods[OURS].add((found.low, found.high), true)
        outcome.methods["Wald"].add(wald(stratum), true)
    return [outcome]


def run(job: Tuple[Any, ...], datasets: int, seed: int) -> List[Outcome]:
    kind, *setting = job
    return list(kind(*setting, datasets=datasets, seed=seed))


def jobs() -> List[Tuple[Any, ...]]:
    scores = [
        (run_scores, world, texts, average)
        for average in ("micro", "macro")
        for world in WORLDS
        for texts in TEXTS
    ]
    labels = [(run_label, world, texts) for world in WORLDS for texts in TEXTS[1:]]
    return [
        *scores,
        *labels,
        *((run_rare, s) for s in RARE),
        *((run_accepted, s) for s in ACCEPTED),
    ]


def summarise(outcomes: Sequence[Outcome]) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): By figure, the coverage of the product and of the other methods."""
    figures: Dict[str, List[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        figures[outcome.figure].append(outcome)
    found = {}
    for figure, some in figures.items():
        each = {o.setting: round(o.methods[OURS].coverage, 4) for o in some}
        found[figure] = {
            "coverage": round(float(np.mean(list(each.values()))), 4),
            "lowest": min(each.values()),
            "highest": max(each.values()),
            "settings": len(each),
            "outside": {s: c for s, c in each.items() if not WANTED[0] <= c <= WANTED[1]},
            "others": {
                name: {
                    "coverage": round(float(np.mean([o.methods[name].coverage for o in some])), 4),
                    "lowest": round(min(o.methods[name].coverage for o in some), 4),
                }
                for name in some[0].methods
                if name != OURS
            },
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()
    outcomes: List[Outcome] = []
    with ProcessPoolExecutor(args.jobs) as pool:
        running = [pool.submit(run, job, args.datasets, args.seed) for job in jobs()]
        for one in running:
            outcomes += one.result()
            for outcome in one.result():
                print(outcome.line(), flush=True)
    found = summarise(outcomes)
    print(json.dumps({"datasets": args.datasets, "seed": args.seed, "figures": found}))


if __name__ == "__main__":
    main()
