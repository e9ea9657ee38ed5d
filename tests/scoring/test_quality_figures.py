"""Quality over time from counts alone: periods, intervals, and how often there is a false alarm."""

import math
from typing import List, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_hitl.records import Counts
from spacy_hitl.scoring.intervals import Interval
from spacy_hitl.scoring.quality import (
    AT_LEAST,
    EARLIER,
    PERIODS,
    PROMOTED,
    Judged,
    month_of,
    quality,
    split_periods,
    subtract,
)

DAY = 86_400.0
JANUARY = 1_767_225_600.0  # 2026-01-01 in UTC
months = st.lists(st.sampled_from(["2026-01", "2026-02", "2026-03", "2027-01"])).map(sorted)


def simulate(
    rng: np.random.Generator, right: List[float], *, texts: int, mentions: float = 1.5
) -> List[Judged]:
    """A text per share of a month; each has some mentions, found with a chance of its month. Texts
    differ in how hard they are.
    """
    judged = []
    for month, chance in enumerate(right):
        for i in range(texts):
            wanted = rng.poisson(mentions)
            hard = rng.beta(8 * chance, 8 * (1 - chance)) if chance < 1 else 1.0
            tp = int(rng.binomial(wanted, hard))
            fp = int(rng.binomial(wanted, (1 - hard) / 2))
            time = JANUARY + (month * 30.5 + 25 * i / texts) * DAY
            judged.append(Judged(time, {"PRODUCT": Counts(tp, fp, int(wanted) - tp)}))
    return judged


def measured(rng: np.random.Generator, chance: float, texts: int = 200) -> Interval:
    """The figure on which such a pipeline was promoted."""
    return quality(simulate(rng, [chance], texts=texts), average="micro").periods[0].score


@given(months=months, at_least=st.integers(1, 6))
def test_periods_are_whole_months_of_enough_texts(months: List[str], at_least: int) -> None:
    bounds = list(split_periods(months, at_least=at_least))
    assert [i for start, end in bounds for i in range(start, end)] == list(range(len(months)))
    for number, (start, end) in enumerate(bounds):
        assert end == len(months) or months[end - 1] != months[end]
        last = number == len(bounds) - 1
        assert last or end - start >= at_least
        # no shorter run of months would have been enough
        months_in = sorted(set(months[start:end]))
        without_last = [m for m in months[start:end] if m != months_in[-1]]
        assert len(without_last) < at_least


def test_months_are_those_of_utc() -> None:
    assert [month_of(JANUARY - 1), month_of(JANUARY)] == ["2025-12", "2026-01"]


def test_a_difference_is_newcombes() -> None:
    """Newcombe 1998, table II, example (a): 56/70 and 48/80, method 10: 0.0524 to 0.3339."""
    found = subtract(Interval(0.8, 0.6911, 0.8770), Interval(0.6, 0.4904, 0.7004))
    assert (round(found.low, 3), round(found.high, 3)) == (0.052, 0.334)
    wide = subtract(Interval(0.8, 0.7, 0.9), Interval(0.6, 0.5, 0.7), width=2)
    assert wide.low == pytest.approx(0.2 - 2 * math.hypot(0.1, 0.1))


def test_no_texts_no_figure() -> None:
    assert quality([], average="micro").periods == ()
    few = quality(simulate(np.random.default_rng(0), [0.9], texts=5), average="micro")
    assert [p.full for p in few.periods] == [False] and few.falls == ()


def test_a_fall_is_found_and_named() -> None:
    rng = np.random.default_rng(1)
    promoted = measured(rng, 0.9)
    found = quality(simulate(rng, [0.9, 0.9, 0.6], texts=80), average="micro", promoted=promoted)
    assert [p.months for p in found.periods] == ["2026-01", "2026-02", "2026-03"]
    assert [f.against for f in found.falls] == [PROMOTED, EARLIER]
    assert all(f.period == found.periods[-1] and f.difference.high < 0 for f in found.falls)
    assert found.falls[0].was == promoted.value
    assert "2026-03" in str(found.falls[1]) and EARLIER in str(found.falls[1])


def test_too_few_new_texts_say_nothing_yet() -> None:
    rng = np.random.default_rng(2)
    texts = simulate(rng, [0.9, 0.9], texts=80) + [
        Judged(j.time + 61 * DAY, j.counts) for j in simulate(rng, [0.2], texts=AT_LEAST - 1)
    ]
    found = quality(texts, average="micro")
    assert [p.full for p in found.periods] == [True, True, False] and found.falls == ()


def alarms(seed: int, right: List[float], *, promoted: float, peeks: Sequence[int]) -> List[int]:
    """The months in which a project is warned that looks whenever a month has so many texts."""
    rng = np.random.default_rng(seed)
    figure = measured(rng, promoted)
    texts, per_month = simulate(rng, right, texts=peeks[-1]), peeks[-1]
    found = []
    for month in range(len(right)):
        before, mine = month * per_month, texts[month * per_month :]
        # How the earlier texts are put into periods is of no account.
        earlier = [Judged(JANUARY, one.counts) for one in texts[:before]]
        seen = [
            quality([*earlier, *mine[:n]], average="micro", promoted=figure).falls for n in peeks
        ]
        found += [month] if any(seen) else []
    return found


def test_hardly_ever_a_false_alarm() -> None:
    """200 projects whose quality stays, for 12 months, looked at again while each month fills: at
    most 5 in 100 are ever warned.
    """
    found = [alarms(seed, [0.85] * PERIODS, promoted=0.85, peeks=(50, 100)) for seed in range(200)]
    assert sum(map(bool, found)) <= 0.05 * 200


def test_the_ordinary_interval_would_cry_wolf() -> None:
    """What the wider interval is for: with the 95% one, far more than 5 in 100 are warned."""
    warned = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        figure = measured(rng, 0.85)
        scores = quality(simulate(rng, [0.85] * PERIODS, texts=60), average="micro").periods
        warned += any(subtract(p.score, figure).high < 0 for p in scores)
    assert warned > 0.1 * 60


def test_a_real_fall_is_noticed() -> None:
    right = [0.85] * 3 + [0.65] * 2
    found = [alarms(seed, right, promoted=0.85, peeks=(60,)) for seed in range(40)]
    assert sum(bool(months) and months[0] >= 3 for months in found) >= 36
