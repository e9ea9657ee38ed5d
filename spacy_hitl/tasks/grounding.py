"""From the words an answer quotes to exact places in the text.

The rules: letter for letter (only Unicode normal form and white space may differ), whole tokens,
each place used once, longer quotes first, places in text order. What can't be placed is reported.
"""

import unicodedata
from typing import Dict, Iterator, List, NamedTuple, Sequence, Set, Tuple

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
    found = _Finder(text, tokens)
    exact, quote = found.exact(quote.strip()), quote.strip()
    at, count = text.find(quote) if quote else -1, 0
    while at != -1:
        at, count = text.find(quote, at + 1), count + 1
    return found.find(quote), count > len(exact)


class _Finder:
    """Finds quotes in one text: what depends on the text alone is computed once. A model may be
    made to answer anything, so the time for a quote must not grow with the square of the text.
    """

    def __init__(self, text: str, tokens: Sequence[Tuple[int, int]]) -> None:
        self.text = text
        self.starts = list(dict.fromkeys(start for start, _ in tokens))
        self.ends = {end for _, end in tokens}
        self.composed = unicodedata.is_normalized("NFC", text)
        # The text in normal form, and where words begin and end in it. A place neither begins nor
        # ends with a token of white space.
        self.normal = ""
        self.begin_at: Dict[int, int] = {}
        self.end_at: Dict[int, int] = {}
        parts: List[str] = []
        length = last = 0
        for start, end in tokens:
            word = normal(text[start:end])
            if not word:
                continue
            # White space of this token, of the one before, or between them.
            around = text[last - 1 : start + 1] if parts else ""
            if any(c.isspace() for c in around):
                parts.append(" ")
                length += 1
            parts.append(word)
            self.begin_at[length] = start
            length += len(word)
            self.end_at[length] = last = end
        self.normal = "".join(parts)

    def find(self, quote: str) -> List[Tuple[int, int]]:
        """RETURNS (List[Tuple[int, int]]): The places of `find_places`."""
        quote = quote.strip()
        exact = self.exact(quote)
        target = normal(quote)
        if target == quote and self.composed and " " not in target:
            return exact
        # Where text and quote differ in normal form (NFC, NFD) or white space only.
        places = []
        for at, start in self.begin_at.items() if target and target in self.normal else ():
            end = self.end_at.get(at + len(target))
            if end is not None and self.normal.startswith(target, at):
                places.append((start, end))
        known = set(exact)
        return exact + [place for place in places if place not in known]

    def exact(self, quote: str) -> List[Tuple[int, int]]:
        """RETURNS (List[Tuple[int, int]]): Where the text is the quote, letter for letter."""
        if not quote or quote not in self.text:
            return []
        ends = ((start, start + len(quote)) for start in self.starts)
        return [p for p in ends if p[1] in self.ends and self.text.startswith(quote, p[0])]


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
    finder = _Finder(text, tokens)
    places: List[Place] = []
    problems: List[Problem] = []
    taken = bytearray(len(text) + 1)
    used: Dict[str, Set[Tuple[int, int]]] = {}
    # What is left of a quote's places, and what is wrong if none is: a place that is used stays so.
    left: Dict[Tuple[str, str], Iterator[Tuple[int, int]]] = {}
    wrong: Dict[Tuple[str, str], str] = {}
    order = sorted(range(len(quotes)), key=lambda i: (-len(quotes[i].text.strip()), i))
    for index in order:
        quote = quotes[index]
        # With overlap, one place may carry several labels, but the same label only once.
        key = quote.value if overlapping else ""
        name, mine = (key, quote.text), used.setdefault(key, set())
        if name in wrong:
            problems.append(Problem(kind=wrong[name], detail=quote.text))
            continue
        if name not in left:
            left[name] = iter(finder.find(quote.text))
        for start, end in left[name]:
            if (start, end) not in mine and (overlapping or taken.find(1, start, end) == -1):
                mine.add((start, end))
                taken[start:end] = b"\1" * (end - start)
                places.append(Place(start, end, index))
                break
        else:
            found = finder.find(quote.text)
            inside = quote.text.strip() in text and quote.text.strip() != ""
            wrong[name] = "not_on_tokens" if inside else "not_found"
            if found:
                wrong[name] = "repeated" if any(p in mine for p in found) else "overlap"
            problems.append(Problem(kind=wrong[name], detail=quote.text))
    return sorted(places), problems
