"""Offsets in other units are found by what they quote; where nothing is quoted they are doubted."""

from typing import Any, List, Tuple

import pytest
from adapter_util import TEXTS
from hypothesis import given
from hypothesis import strategies as st

from spacy_hitl.exchange.adapters.offsets import (
    CODE_POINTS,
    boundaries,
    countable,
    doubtful,
    find_places,
    joins,
)

UNITS = [(False, False), (True, False), (False, True), (True, True)]


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@st.composite
def text_and_places(draw: Any) -> Tuple[str, List[Tuple[int, int]]]:
    text = draw(TEXTS)
    starts = draw(st.lists(st.integers(0, len(text) - 1), min_size=1, max_size=3))
    return text, [(s, draw(st.integers(s + 1, len(text)))) for s in starts]


@pytest.mark.parametrize("units", UNITS)
@given(text_and_places())
def test_places_are_found_in_any_unit(units: Any, drawn: Any) -> None:
    """As a browser would count them: CRLF may have become LF, an emoji may be two."""
    text, places = drawn
    in_utf16, without_cr = units
    # Nobody can mark half of a line end that is shown as one.
    inside = [i for i in range(1, len(text)) if text[i - 1 : i + 1] == "\r\n"]
    places = [p for p in places if not without_cr or not set(p) & set(inside)]

    def counted(at: int) -> int:
        before = text[:at].replace("\r\n", "\n") if without_cr else text[:at]
        return utf16(before) if in_utf16 else len(before)

    def quoted(start: int, end: int) -> str:
        quote = text[start:end]
        return quote.replace("\r\n", "\n") if without_cr else quote

    wanted = [(counted(s), counted(e), quoted(s, e)) for s, e in places]
    found, fitting, ambiguous = find_places(text, wanted)
    assert None not in found and fitting
    # Another unit may fit the quotes too, never without saying so.
    assert found == places or ambiguous
    for place, (_, _, quote) in zip(found, wanted, strict=True):
        assert text[slice(*place)].replace("\r\n", "\n") == quote.replace("\r\n", "\n")


def test_all_spans_of_a_record_are_counted_alike() -> None:
    """Alone, the first would fit as it is; the second shows that the tool counts UTF-16."""
    text = "😀 aaa b"
    wanted = [(3, 4, "a"), (7, 8, "b")]
    assert find_places(text, wanted[:1]) == ([(3, 4)], [CODE_POINTS, "UTF-16"], True)
    assert find_places(text, wanted) == ([(2, 3), (6, 7)], ["UTF-16"], False)


def test_what_stands_elsewhere_is_not_found() -> None:
    assert find_places("Ada met Bob", [(0, 3, "Ada"), (8, 11, "Eve")]) == (
        [(0, 3), None],
        [],
        False,
    )
    # Inside an emoji there is no place.
    assert find_places("😀a", [(1, 3, "\ude00a")])[0] == [None]


def test_without_quotes_code_points_are_assumed() -> None:
    assert find_places("😀 Bob", [(2, 5, None)]) == (
        [(2, 5)],
        [CODE_POINTS, "UTF-16"],
        True,
    )
    assert find_places("😀 Bob", [(3, 6, None)])[:2] == ([(2, 5)], ["UTF-16"])


@given(TEXTS)
def test_boundaries_lead_through_the_text(text: str) -> None:
    for in_utf16, without_cr in UNITS:
        places = boundaries(text, utf16=in_utf16, crlf=without_cr)
        inner = [p for p in places if p >= 0]
        assert inner == sorted(set(inner)) and inner[0] == 0 and inner[-1] == len(text)
        counted = text.replace("\r\n", "\n") if without_cr else text
        assert len(places) == (utf16(counted) if in_utf16 else len(counted)) + 1


@pytest.mark.parametrize(
    "text, at",
    [("e\u0301", 1), ("👩\u200d🚒", 1), ("👩\u200d🚒", 2), ("🇨🇭", 1), ("\r\n", 1), ("👍🏽", 1)],
)
def test_characters_that_are_shown_as_one(text: str, at: int) -> None:
    assert joins(text, at) and not countable(text)
    assert doubtful(text + "x", at, len(text) + 1)


def test_plain_text_is_counted_alike_by_all() -> None:
    text = "Ünïcode שלום 日本"
    assert countable(text)
    assert not doubtful(text, 0, 7) and doubtful(text, 7, 12) and doubtful(text, 0, 8)
