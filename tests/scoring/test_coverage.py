"""A small run of benchmarks/coverage.py: intervals hold the truth as often as they say, and the
methods they were chosen over would not pass.
"""

import json
import sys
from pathlib import Path
from typing import Any, Dict

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parent.parent.parent / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
from coverage import (  # noqa: E402
    OURS,
    Tally,
    jobs,
    run_accepted,
    run_rare,
    run_scores,
    summarise,
)
from coverage_worlds import ACCEPTED, RARE, WORLDS, truth  # noqa: E402

from spacy_hitl.scoring.intervals import wilson  # noqa: E402

DATASETS = 300
# 4 standard errors of 95% in 300 to the lower side, and all but one to the upper.
LOW, HIGH = 0.90, 0.997


@pytest.mark.parametrize("average, world", [("micro", "hard documents"), ("macro", "one category")])
def test_f_and_the_paired_difference(world: str, average: str) -> None:
    for outcome in run_scores(world, 100, average, datasets=DATASETS, seed=0):
        assert LOW <= outcome.methods[OURS].coverage <= HIGH, outcome.line()


@pytest.mark.parametrize("setting", RARE, ids=str)
def test_recall_of_a_rare_class(setting: Any) -> None:
    (outcome,) = run_rare(setting, datasets=DATASETS, seed=0)
    assert LOW <= outcome.methods[OURS].coverage <= HIGH, outcome.line()


@pytest.mark.parametrize("setting", ACCEPTED, ids=str)
def test_error_of_accepted_texts(setting: Any) -> None:
    (outcome,) = run_accepted(setting, datasets=DATASETS, seed=0)
    assert LOW <= outcome.methods[OURS].coverage <= HIGH, outcome.line()


def test_the_delta_method_would_fail() -> None:
    (outcome,) = run_rare(RARE[-1], datasets=DATASETS, seed=0)
    assert outcome.methods["delta"].coverage < LOW - 0.1


def test_walds_interval_would_fail() -> None:
    (outcome,) = run_accepted(ACCEPTED[-1], datasets=DATASETS, seed=0)
    assert outcome.methods["Wald"].coverage < LOW - 0.1


def test_annotations_as_the_units_would_fail() -> None:
    """Wilson's interval for as many independent trials as there are annotations."""
    rng, true, tally = np.random.default_rng(0), truth("hard documents", "micro")[0], Tally()
    for _ in range(DATASETS):
        tp, fp, fn = WORLDS["hard documents"](rng, 100)[0].sum(axis=(0, 1))
        tally.add(wilson(2 * tp / (2 * tp + fp + fn), tp + (fp + fn) / 2), true)
    assert tally.coverage < LOW - 0.1


def test_every_figure_is_in_the_summary() -> None:
    some = [(run_scores, "hard documents", 50, "micro"), jobs()[-1]]
    outcomes = [o for kind, *setting in some for o in kind(*setting, datasets=4, seed=1)]
    found: Dict[str, Any] = json.loads(json.dumps(summarise(outcomes)))
    assert set(found) == {"micro F", "difference of micro F", "error of accepted texts"}
    one = found["error of accepted texts"]
    assert one["coverage"] == one["lowest"] == one["highest"] and one["settings"] == 1
    assert set(one["others"]) == {"Wald"}
    assert len({str(job) for job in jobs()}) == len(jobs()) == 71
