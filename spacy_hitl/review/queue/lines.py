"""Where each annotator stands in the lines of the queue. No scans: a step is O(1) or a heap's."""

from collections import Counter
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from ...records import Mode

Entry = Tuple[float, int, int]  # minus the score, place among equals, text


class Turn(NamedTuple):
    """A text whose turn it is.

    mode: why it is shown; why: the same in a plain sentence.
    """

    digest: str
    mode: Mode
    why: str


class Line:
    """Texts in an order that never changes.

    order (Sequence[int]): Numbers of the texts.
    """

    def __init__(self, order: Sequence[int]) -> None:
        self.order = order
        self._place = {text: place for place, text in enumerate(order)}

    def __contains__(self, text: int) -> bool:
        return text in self._place

    def place(self, text: int) -> int:
        """RETURNS (int): Where a text stands."""
        return self._place[text]


@dataclass
class Reader:
    """How far one annotator came in a line. What came back since is read first."""

    line: Line
    at: int = 0
    back: List[int] = field(default_factory=list)

    def take(self) -> Optional[int]:
        """RETURNS (Optional[int]): The next text, if there is one."""
        if self.back:
            return self.line.order[heappop(self.back)]
        if self.at == len(self.line.order):
            return None
        self.at += 1
        return self.line.order[self.at - 1]

    def put_back(self, text: int) -> None:
        """Read a text again, if it was read."""
        place = self.line.place(text)
        if place < self.at:
            heappush(self.back, place)


class Ranking:
    """Texts that a router scored, for all annotators.

    line (Line): Whose order decides between equal scores.
    """

    def __init__(self, line: Line) -> None:
        self.line = line
        self._known: Dict[int, Tuple[float, str]] = {}

    def __contains__(self, text: int) -> bool:
        return text in self._known

    def add(self, text: int, score: float, why: str) -> None:
        """Keep a score, instead of the one there was."""
        self._known[text] = (score, why)

    def why(self, text: int) -> str:
        """RETURNS (str): Why a text was scored as it was."""
        return self._known[text][1]

    def entry(self, text: int) -> Entry:
        """RETURNS (Entry): For a heap whose first is the most urgent."""
        return -self._known[text][0], self.line.place(text), text

    def heap(self) -> List[Entry]:
        """RETURNS (List[Entry]): All of them."""
        entries = [self.entry(text) for text in self._known]
        heapify(entries)
        return entries


@dataclass
class Desk:
    """What one annotator has before them.

    readers: places in the lines, by name. heaps: scored texts, by name. held: texts they were
    given, or met while somebody else had them. skipped: in the order of skipping; skips: how often.
    """

    readers: Dict[str, Reader]
    heaps: Dict[str, List[Entry]]
    held: Dict[int, Turn] = field(default_factory=dict)
    skipped: Dict[int, Turn] = field(default_factory=dict)
    skips: "Counter[int]" = field(default_factory=Counter)
    credit: Dict[str, float] = field(default_factory=dict)

    def take(self, name: str) -> Optional[int]:
        """RETURNS (Optional[int]): The next text of a line, open or not, if there is one."""
        if name in self.heaps:
            return heappop(self.heaps[name])[2] if self.heaps[name] else None
        return self.readers[name].take()

    def put_back(self, text: int, rankings: Dict[str, Ranking]) -> None:
        """Let a text come again."""
        for reader in self.readers.values():
            if text in reader.line:
                reader.put_back(text)
        for name, ranking in rankings.items():
            if text in ranking:
                heappush(self.heaps[name], ranking.entry(text))

    def add_skipped(self, turns: Iterable[Tuple[int, Turn]]) -> None:
        """Put texts behind all others."""
        for text, turn in turns:
            self.held.pop(text, None)
            self.skipped.pop(text, None)
            self.skipped[text] = turn
            self.skips[text] += 1

    def choose(self, shares: Dict[str, float]) -> str:
        """RETURNS (str): The line that is furthest behind its share."""
        return max(shares, key=lambda name: self.credit.get(name, 0.0) + shares[name])

    def pay(self, chosen: str, shares: Dict[str, float]) -> None:
        """Count a text that was taken from a line, for all that could have given one."""
        total = sum(shares.values()) or 1.0
        for name, share in shares.items():
            self.credit[name] = self.credit.get(name, 0.0) + share / total
        self.credit[chosen] -= 1.0
