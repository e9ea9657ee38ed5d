"""Offsets of other tools: what they count, found by what they quote; and whether one can tell.

Inside, offsets count code points. Tools that run in a browser may count UTF-16 units (an emoji is
two), and may have turned CRLF into LF before they counted.
"""

import unicodedata
from typing import List, Optional, Sequence, Tuple

Wanted = Tuple[int, int, Optional[str]]  # start, end, the quoted text if the tool gives it
Place = Tuple[int, int]
_INSIDE = -1  # an offset between the two halves of a surrogate pair

CODE_POINTS = "code points"


def boundaries(text: str, *, utf16: bool, crlf: bool) -> List[int]:
    """List where each offset of a tool is in the text.

    text (str): The text.
    utf16 (bool): Whether the tool counts UTF-16 units.
    crlf (bool): Whether it counts CR LF as one.
    RETURNS (List[int]): Offset in code points per offset of the tool; -1 inside a character.

    >>> boundaries("a😀b", utf16=True, crlf=False)
    [0, 1, -1, 2, 3]
    """
    places = []
    for i, c in enumerate(text):
        if crlf and c == "\n" and i and text[i - 1] == "\r":
            continue
        places.append(i)
        if utf16 and ord(c) > 0xFFFF:
            places.append(_INSIDE)
    places.append(len(text))
    return places


def find_places(
    text: str, wanted: Sequence[Wanted]
) -> Tuple[List[Optional[Place]], List[str], bool]:
    """Find where the spans of one record stand: all of them counted in the same unit.

    text (str): The text.
    wanted (Sequence[Wanted]): Offsets, and what the tool says stands there.
    RETURNS (Tuple[List[Optional[Place]], List[str], bool]): Per span its place in code points, or
        None if its quote stands elsewhere; the units that fit all quotes, the first is used;
        whether two of them fit and give different places.
    """
    best: List[Optional[Place]] = []
    fitting: List[str] = []
    readings: List[List[Optional[Place]]] = []
    for name, utf16, crlf in _units(text):
        places = _read(text, wanted, boundaries(text, utf16=utf16, crlf=crlf))
        if None not in places:
            fitting.append(name)
            readings.append(places)
        if not best or best.count(None) > places.count(None):
            best = places
    return (readings or [best])[0], fitting, any(r != readings[0] for r in readings[1:])


def _units(text: str) -> List[Tuple[str, bool, bool]]:
    astral, crlf = any(ord(c) > 0xFFFF for c in text), "\r\n" in text
    units = [(CODE_POINTS, False, False)]
    if astral:
        units.append(("UTF-16", True, False))
    if crlf:
        units.append(("code points without CR", False, True))
    if astral and crlf:
        units.append(("UTF-16 without CR", True, True))
    return units


def _read(text: str, wanted: Sequence[Wanted], places: List[int]) -> List[Optional[Place]]:
    found: List[Optional[Place]] = []
    for start, end, quote in wanted:
        inside = end < len(places) and _INSIDE not in (places[start], places[end])
        place = (places[start], places[end]) if inside else None
        if place is not None and quote is not None:
            there = _lines(text[place[0] : place[1]])
            place = place if there == _lines(quote) else None
        found.append(place)
    return found


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def joins(text: str, at: int) -> bool:
    """RETURNS (bool): Whether the characters before and after an offset are shown as one.

    >>> joins("e\u0301", 1), joins("ab", 1)
    (True, False)
    """
    if not 0 < at < len(text):
        return False
    before, after = text[at - 1], text[at]
    joined = unicodedata.category(after) in ("Mn", "Me", "Mc") or after == "\u200d"
    flags = all("\U0001f1e6" <= c <= "\U0001f1ff" for c in (before, after))
    skin = "\U0001f3fb" <= after <= "\U0001f3ff"
    return joined or before == "\u200d" or flags or skin or (before, after) == ("\r", "\n")


def countable(text: str) -> bool:
    """RETURNS (bool): Whether every tool counts this text alike, whatever it counts."""
    return not any(ord(c) > 0xFFFF or joins(text, i) for i, c in enumerate(text))


def doubtful(text: str, start: int, end: int) -> bool:
    """RETURNS (bool): Whether a span begins or ends where no annotator would: inside a character
    that is shown as one, or in white space.
    """
    edges = text[start].isspace() or text[end - 1].isspace()
    return edges or joins(text, start) or joins(text, end)
