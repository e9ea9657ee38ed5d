"""From the words an answer quotes to exact places in the text.

The rules: letter for letter (only Unicode normal form and white space may differ), whole tokens,
each place used once, longer quotes first, places in text order. What can't be placed is reported.
"""

import unicodedata
from typing import Dict, List, NamedTuple, Sequence, Set, Tuple

from ..records import Problem


class Quote(NamedTuple):
    """A piece of text that an answer says is in the document, with what it says of it."""

    text: str
    value: str


class Place(NamedTuple):
    """Where a quote was found: character offsets (end exclusive) and the number of the quote."""

    start: int
    end: int
    quote: int


def normal(text: str) -> str:
    """RETURNS (str): The text without what grounding ignores: normal form and white space."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def find_places(
    text: str, tokens: Sequence[Tuple[int, int]], quote: str
) -> Tuple[List[Tuple[int, int]], bool]:
    """Find all places where a quote stands as whole tokens.

    text (str): The text.
    tokens (Sequence[Tuple[int, int]]): Start and end offset of each token, in characters.
    quote (str): What to find; its case counts.
    RETURNS (Tuple[List[Tuple[int, int]], bool]): Offsets in text order, places spelled exactly
        like the quote before all others, and whether the quote also stands inside tokens.
    """
    starts = {start for start, _ in tokens}
    ends = {end for _, end in tokens}
    places: List[Tuple[int, int]] = []
    inside = False
    quote = quote.strip()
    if not quote:
        return places, inside
    at = text.find(quote)
    while at != -1:
        if at in starts and at + len(quote) in ends:
            places.append((at, at + len(quote)))
        else:
            inside = True
        at = text.find(quote, at + 1)
    exact = set(places)
    places += [p for p in _find_normalised(text, tokens, quote) if p not in exact]
    return places, inside


def _find_normalised(
    text: str, tokens: Sequence[Tuple[int, int]], quote: str
) -> List[Tuple[int, int]]:
    """The same, where text and quote differ in normal form (NFC, NFD) or white space only."""
    target = normal(quote)
    if target == quote and unicodedata.is_normalized("NFC", text) and " " not in target:
        return []
    places = []
    # A place neither begins nor ends with a token of white space.
    words = [(start, end) for start, end in tokens if not text[start:end].isspace()]
    for i, (start, _) in enumerate(words):
        for j in range(i, len(words)):
            end = words[j][1]
            candidate = normal(text[start:end])
            if candidate == target:
                places.append((start, end))
            if not target.startswith(candidate):
                break
    return places


def ground(
    text: str,
    tokens: Sequence[Tuple[int, int]],
    quotes: Sequence[Quote],
    *,
    overlapping: bool = False,
) -> Tuple[List[Place], List[Problem]]:
    """Give every quote its own place in the text.

    text (str): The text.
    tokens (Sequence[Tuple[int, int]]): Start and end offset of each token, in characters.
    quotes (Sequence[Quote]): The quotes of one answer, in its order. A quote that is listed n
        times takes the first n places.
    overlapping (bool): Whether places may overlap (span categories) or not (entities).
    RETURNS (Tuple[List[Place], List[Problem]]): Places sorted by offset, and one problem for
        each quote without a place: not_found, not_on_tokens, overlap or repeated.
    """
    places: List[Place] = []
    problems: List[Problem] = []
    taken = [False] * (len(text) + 1)
    used: Dict[str, Set[Tuple[int, int]]] = {}
    order = sorted(range(len(quotes)), key=lambda i: (-len(quotes[i].text.strip()), i))
    for index in order:
        quote = quotes[index]
        found, inside = find_places(text, tokens, quote.text)
        # With overlap, one place may carry several labels, but the same label only once.
        key = quote.value if overlapping else ""
        mine = used.setdefault(key, set())
        free = [p for p in found if p not in mine]
        if not overlapping:
            free = [p for p in free if not any(taken[p[0] : p[1]])]
        if free:
            start, end = free[0]
            mine.add((start, end))
            for i in range(start, end):
                taken[i] = True
            places.append(Place(start, end, index))
            continue
        kind = "not_on_tokens" if inside else "not_found"
        if found:
            kind = "repeated" if any(p in mine for p in found) else "overlap"
        problems.append(Problem(kind=kind, detail=quote.text))
    return sorted(places), problems
