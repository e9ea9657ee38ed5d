"""Near-duplicates: the index finds what comparing all pairs finds."""

from typing import Any, List

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spacy_hitl.tasks.near_duplicates import NearDuplicates, jaccard, shingles

words = st.sampled_from(["the", "phone", "is", "good", "bad", "!", "🎉", "K10", "手机"])
texts = st.lists(words, max_size=12).map(" ".join)


@given(
    st.lists(texts, max_size=8), texts, st.sampled_from([0.1, 0.3, 0.5, 0.6, 2 / 3, 0.75, 0.8, 1])
)
@example(["a b c d e f g h"], "a b c d e f g", 5 / 6)
@example([""], "", 1)
def test_as_if_all_pairs_were_compared(stored: List[str], text: str, threshold: float) -> None:
    wanted = any(jaccard(shingles(text), shingles(s)) >= threshold - 1e-9 for s in stored)
    assert (text in NearDuplicates(stored, threshold=threshold)) == wanted


LONG = " ".join(f"w{i}" for i in range(30))


@pytest.mark.parametrize(
    "text, wanted",
    [
        (LONG.upper() + "!", True),
        (LONG.replace("w15", "x"), True),  # 25 of 31
        (LONG.replace("w15", "x").replace("w5", "y"), False),  # 22 of 34
        (" ".join(reversed(LONG.split())), False),
        ("w1 w2 w3", False),
        ("", False),
    ],
)
def test_changed_words(text: str, wanted: bool) -> None:
    assert (text in NearDuplicates([LONG])) == wanted


@pytest.mark.parametrize(
    "one, other, wanted",
    [
        ("great phone", "Great, phone!", True),
        ("great phone", "phone great", False),
        ("🎉", "🎉", True),
        ("🎉", "🙂", False),
        ("好手机真的好", "好手机真的好。", True),
        ("", " ", False),
    ],
)
def test_short_texts_are_equal_or_not(one: str, other: str, wanted: bool) -> None:
    assert (one in NearDuplicates([other])) == wanted


@pytest.mark.parametrize("value", [0, -0.5, 1.01, float("nan")])
def test_what_is_no_similarity(value: float, fails: Any) -> None:
    with fails("H323", value):
        NearDuplicates([], threshold=value)
