"""Estimates from strata: the published example, small counts, and what can't be estimated."""

from typing import Any, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_hitl.scoring.estimates import Stratum, recall, share, share_bounds, upper_bound


@st.composite
def strata(draw: Any) -> Stratum:
    size = draw(st.integers(1, 5000))
    sampled = draw(st.integers(1, size))
    return Stratum(size, sampled, draw(st.integers(0, sampled)))


lists = st.lists(strata(), min_size=1, max_size=4)


def test_the_recall_that_was_published_as_98_percent() -> None:
    """145 predicted, 114 of them right; 12 missed ones found in 1,000 of the 9,855 others."""
    found = recall([Stratum(145, 145, 114)], [Stratum(9855, 1000, 12)])
    assert found is not None
    assert found.value == pytest.approx(114 / (114 + 9855 * 0.012))
    assert str(found) == "0.491 [0.363, 0.620]"
    # All predicted ones were looked at: what is unsure is how many are missed, Wilson's interval
    # of 12 in 1,000 (0.0069 to 0.0208), a little narrower since there are only 9,855.
    assert 114 / (114 + 9855 * 0.0208) < found.low < found.high < 114 / (114 + 9855 * 0.0069)


def test_what_was_only_sampled_makes_it_less_sure() -> None:
    known = recall([Stratum(145, 145, 114)], [Stratum(9855, 1000, 12)])
    guessed = recall([Stratum(1450, 145, 114)], [Stratum(98550, 1000, 12)])
    assert known is not None and guessed is not None
    assert guessed.value == pytest.approx(known.value)
    assert guessed.low < known.low < known.high < guessed.high


def test_without_an_error_found_there_may_be_some() -> None:
    found = share([Stratum(10_000, 100, 0)])
    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(0.037, abs=0.001)  # Wilson's: z * z / (n + z * z)
    assert upper_bound(Stratum(10_000, 100, 0)) == pytest.approx(0.026, abs=0.001)
    assert upper_bound(Stratum(10_000, 100, 0), confidence=0.975) == pytest.approx(found.high)


def test_what_was_looked_at_in_all_is_known() -> None:
    assert share_bounds(Stratum(40, 40, 3)) == (0.075, 0.075)
    assert str(share([Stratum(40, 40, 3), Stratum(60, 60, 0)])) == "0.030 [0.030, 0.030]"
    assert str(recall([Stratum(10, 10, 3)], [Stratum(5, 5, 1)])) == "0.750 [0.750, 0.750]"
    # 3 wrong ones were seen, and 90 right ones: neither can be fewer.
    low, high = share_bounds(Stratum(100, 93, 3))
    assert low >= 0.03 and high <= 0.10


def test_a_stratum_counts_by_its_size_not_by_its_sample() -> None:
    doubtful, sure = Stratum(100, 90, 45), Stratum(900, 10, 0)
    found = share([doubtful, sure])
    assert found.value == pytest.approx(0.05)  # of the sample, 45 in 100 are positive
    assert found.low < 0.05 < 0.25 < found.high  # 10 of 900 say little


def test_nothing_found_anywhere() -> None:
    assert recall([Stratum(50, 50, 0)], [Stratum(900, 100, 0)]) is None
    assert str(recall([Stratum(0, 0, 0)], [Stratum(900, 100, 3)])) == "0.000 [0.000, 0.000]"
    assert str(recall([Stratum(50, 50, 9)], [Stratum(0, 0, 0)])) == "1.000 [1.000, 1.000]"
    none_missed = recall([Stratum(50, 50, 40)], [Stratum(900, 100, 0)])
    assert none_missed is not None and none_missed.value == none_missed.high == 1
    assert 0.5 < none_missed.low < 0.7  # up to 3.4% of 900 may be missed
    none_right = recall([Stratum(100, 50, 0)], [Stratum(900, 100, 3)])
    assert none_right is not None and none_right.value == none_right.low == 0
    assert 0 < none_right.high < 0.5


@given(lists)
def test_a_share_lies_in_its_interval(parts: List[Stratum]) -> None:
    found = share(parts)
    assert 0 <= found.low <= found.value + 1e-12 <= found.high + 2e-12 <= 1 + 3e-12
    smallest, largest = min(s.share for s in parts), max(s.share for s in parts)
    assert smallest - 1e-12 <= found.value <= largest + 1e-12


@given(lists, lists)
def test_a_recall_lies_in_its_interval(predicted: List[Stratum], others: List[Stratum]) -> None:
    found = recall(predicted, others)
    if found is None:
        assert not any(s.positive for s in predicted + others)
        return
    assert 0 <= found.low <= found.value <= found.high <= 1
    turned = recall(others, predicted)
    assert turned is not None
    assert turned.value == pytest.approx(1 - found.value)
    assert (turned.low, turned.high) == pytest.approx((1 - found.high, 1 - found.low), abs=1e-6)


@given(strata())
def test_a_split_stratum_is_the_same_whole(part: Stratum) -> None:
    twice = share([part, part])
    assert twice.value == pytest.approx(share([part]).value)
    assert twice.high - twice.low <= share([part]).high - share([part]).low + 1e-12


@pytest.mark.parametrize("values", [(10, 5, 6), (10, 11, 1), (10, 5, -1), (-1, -1, -1)])
def test_a_stratum_that_can_not_be(values: Any, fails: Any) -> None:
    with fails("H410", f"{values[2]} positive of {values[1]} sampled of {values[0]}"):
        Stratum(*values)


def test_a_stratum_of_which_nothing_is_known(fails: Any) -> None:
    with fails("H411", "9855"):
        Stratum(9855, 0, 0)
