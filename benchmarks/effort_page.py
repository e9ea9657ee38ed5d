"""The review page, key by key, as far as entities of one label need it. Pure.

What a key does here is what it does in spacy_hitl/review/static (model.js, actions.js); a test
plays the same keys there. Tokens stand on lines of a fixed width, as on a card of text.
"""

from dataclasses import dataclass, field
from typing import List, NamedTuple, Optional, Sequence, Tuple

LINE = 95  # characters on a line of the text card, measured in a window of 1280 pixels
MOVES = ("ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp", "Home", "End", "j", "k")

Place = Tuple[int, int]  # tokens, end exclusive


@dataclass
class Item:
    """A row of the list of suggestions; places in tokens. state: "on", "off" or "extra"."""

    start: int
    end: int
    state: str = "on"
    shown: Optional[Tuple[int, int, str]] = None

    @property
    def place(self) -> Place:
        return self.start, self.end

    def meets(self, start: int, end: int) -> bool:
        return self.start < end and start < self.end


class Spot(NamedTuple):
    """Where the page stands. active: number of an item; selecting: whether tokens are selected."""

    cursor: int
    active: Optional[int] = None
    selecting: bool = False


class Layout:
    """The tokens of a text on lines of equal width.

    tokens (Sequence[Tuple[str, bool]]): Each token, and whether a space follows.
    """

    def __init__(self, tokens: Sequence[Tuple[str, bool]], *, line: int = LINE) -> None:
        self.blank = [not text.strip() for text, _ in tokens]
        self.lines: List[List[int]] = [[]]
        self.middle: List[float] = []
        self.line_of: List[int] = []
        column, i = 0, 0
        while i < len(tokens):
            j = i + 1  # a line breaks after a space or white space only
            while j < len(tokens) and not tokens[j - 1][1] and not (self.blank[j] or self.blank[i]):
                j += 1
            width = sum(len(text) for text, _ in tokens[i:j])
            if column and column + width > line and not self.blank[i]:
                self.lines.append([])
                column = 0
            for text, space in tokens[i:j]:
                self.middle.append(column + len(text) / 2)
                self.line_of.append(len(self.lines) - 1)
                self.lines[-1].append(len(self.middle) - 1)
                column += len(text) + space
            if "\n" in tokens[i][0] and j < len(tokens):
                self.lines.append([])
                column = 0
            i = j

    def __len__(self) -> int:
        return len(self.blank)

    def away(self, at: int, by: int) -> int:
        """RETURNS (int): The nearest token on the line above (-1) or below (1)."""
        line = self.line_of[at] + by
        if not 0 <= line < len(self.lines):
            return at
        return min(self.lines[line], key=lambda i: abs(self.middle[i] - self.middle[at]))

    def seen(self, to: int, by: int) -> int:
        """RETURNS (int): The token at `to`, or the next one that can be seen."""
        last = len(self) - 1
        to = max(0, min(last, to))
        while 0 < to < last and self.blank[to]:
            to += by
        return to


@dataclass
class Page:
    """One text on the review page, as far as entities of one label need it."""

    layout: Layout
    items: List[Item] = field(default_factory=list)
    spot: Spot = field(default_factory=lambda: Spot(0))
    anchor: int = 0
    keys: List[str] = field(default_factory=list)

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.keys.append(key)
            if key in MOVES:
                self.spot = self.moved(self.spot, key)
                self.anchor = self.spot.cursor
            elif key in ("Shift+ArrowRight", "Shift+ArrowLeft"):
                by = 1 if key == "Shift+ArrowRight" else -1
                if not self.spot.selecting:
                    self.anchor = self.spot.cursor
                cursor = max(0, min(len(self.layout) - 1, self.spot.cursor + by))
                self.spot = Spot(cursor, None, True)
            elif key == "1":
                self._label()
            elif key in ("d", "+"):
                self._switch(delete=key == "d")
            elif key.startswith("Alt+"):
                self._move_edge(key)

    def moved(self, spot: Spot, key: str) -> Spot:
        """RETURNS (Spot): Where a key that only moves leads."""
        cursor, layout = spot.cursor, self.layout
        if key in ("j", "k"):
            if not self.items:
                return spot
            by = 1 if key == "j" else -1
            first = 0 if by > 0 else len(self.items) - 1
            at = first if spot.active is None else (spot.active + by) % len(self.items)
            return Spot(self.items[at].start, at)
        if key in ("ArrowRight", "ArrowLeft"):
            by = 1 if key == "ArrowRight" else -1
            # Leaving the list, the cursor first lands on the span that was active.
            step = by if spot.active is None else 0
            return Spot(layout.seen(cursor + step, by if step else 1), None, True)
        if key in ("ArrowDown", "ArrowUp"):
            by = 1 if key == "ArrowDown" else -1
            return Spot(layout.seen(layout.away(cursor, by), by), None, True)
        to = 0 if key == "Home" else len(layout) - 1
        return Spot(layout.seen(to, -1 if to < cursor else 1), None, True)

    def _label(self) -> None:
        assert self.spot.selecting
        start = min(self.anchor, self.spot.cursor)
        end = max(self.anchor, self.spot.cursor) + 1
        same = next((i for i in self.items if i.place == (start, end)), None)
        if same is None:
            same = Item(start, end)
            self.items.append(same)
        same.state = "on"
        for other in self.items:  # entities never overlap: what the new one covers goes
            if other is not same and other.state == "on" and other.meets(start, end):
                other.state = "off"
        self.items = [i for i in self.items if i.shown or i.state == "on"]
        self.spot = Spot(start, self.items.index(same))

    def _switch(self, *, delete: bool) -> None:
        at = self.spot.active
        assert at is not None
        item = self.items[at]
        if not delete or item.state == "off":
            item.state = "on"
            return
        item.state = "off"
        rest = [*range(at + 1, len(self.items)), *range(at - 1, -1, -1)]
        active = next((i for i in rest if self.items[i].state != "off"), at)
        self.spot = Spot(self.spot.cursor, active)

    def _move_edge(self, key: str) -> None:
        assert self.spot.active is not None
        item = self.items[self.spot.active]
        by = 1 if key.endswith("Right") else -1
        start, end = (by, 0) if "Shift+" in key else (0, by)
        item.start, item.end = item.start + start, item.end + end
        cursor = item.start if start else item.end - 1
        self.spot = Spot(cursor, self.spot.active)

    def places(self) -> List[Place]:
        """RETURNS (List[Place]): What would be accepted now."""
        return sorted(i.place for i in self.items if i.state == "on")
