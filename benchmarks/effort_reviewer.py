"""A simulated reviewer of entity texts: which keys of the review page turn what is shown into gold.

The page is modelled key by key (cursor, selection, active suggestion, lines of the text card), with
the meaning that its keys have there; every plan is played on that model and must end in gold. The
reviewer never errs, reads everything that is opened, and takes the shortest way to each next fix:
first down the list of suggestions, then through the text. Pointers are not used.

Key costs. Every press is 1, with or without Shift or Alt held.

| what | keys |
|---|---|
| accept the text | a |
| next, previous suggestion (round the end) | j, k |
| delete the active suggestion | d |
| take an offered suggestion in | + |
| move an edge of the active span by a token | Alt+arrow, Alt+Shift+arrow |
| move the cursor: a token, a line, first, last | arrows, Home, End |
| extend the selection by a token | Shift+arrow |
| give the (only) label to the selection | 1 |
| see where else the words of a correction stand | p |
| veto one of those places | j, k to go there, Space |
| apply to the others; or leave them all | Enter; Escape |
"""

from collections import deque
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from effort_page import MOVES, Item, Layout, Page, Place, Spot


class Correction(NamedTuple):
    """A span that was added, or moved, or (`added` is false) deleted."""

    place: Place
    added: bool


class Reviewed(NamedTuple):
    """How a text was brought to gold. corrections: in the order of the list."""

    keys: Tuple[str, ...]
    corrections: Tuple[Correction, ...]


def suggestions(shown: Dict[Place, Optional[float]], extra: Sequence[Place] = ()) -> List[Item]:
    """List what is shown: offered spans first, then the least certain ones; unknown ones last.

    shown (Dict[Place, Optional[float]]): Scores of the spans that are pre-filled.
    extra (Sequence[Place]): Spans that are offered as perhaps missing.
    RETURNS (List[Item]): The list of the page.
    """
    items = [Item(*p, "extra", (*p, "extra")) for p in sorted(extra)]
    rank = {p: 2.0 if s is None else s for p, s in shown.items()}
    on = sorted(shown, key=lambda p: (rank[p], p))
    return [*items, *(Item(*p, "on", (*p, "on")) for p in on)]


def review(tokens: Layout, items: Sequence[Item], gold: Sequence[Place]) -> Reviewed:
    """Find the keys that turn what is shown into gold, and accept it.

    tokens (Layout): The text.
    items (Sequence[Item]): As `suggestions` gives them. Not changed.
    gold (Sequence[Place]): What is right.
    RETURNS (Reviewed): The keys, and what was corrected.
    """
    page = Page(tokens, [Item(i.start, i.end, i.state, i.shown) for i in items])
    wanted = set(gold)
    for at in range(len(page.items)):
        _fix_item(page, at, wanted)
    for place in sorted(wanted - set(page.places())):
        page.press(*_way_to_select(page, place), "1")
    assert page.places() == sorted(wanted), (page.places(), sorted(wanted))
    return Reviewed((*page.keys, "a"), tuple(_corrections(page)))


def _fix_item(page: Page, at: int, wanted: "set[Place]") -> None:
    item = page.items[at]
    right = item.place in wanted
    if right == (item.state == "on") or (not right and item.state == "extra"):
        return
    there = _way_to_item(page, at)
    if right:
        page.press(*there, "+")
        return
    # A span that is nearly right is moved, or selected anew if that takes fewer keys.
    missing = sorted(p for p in wanted - set(page.places()) if item.meets(*p))
    if missing:
        edges = _way_to_edges(page, at, missing[0])
        anew = _way_to_select(page, missing[0])
        if edges is not None and len(there) + len(edges) <= len(anew) + 1:
            page.press(*there, *edges)
        return  # else the label given later covers it
    page.press(*there, "d")


def _way_to_item(page: Page, at: int) -> List[str]:
    now, size = page.spot.active, len(page.items)
    forth = at + 1 if now is None else (at - now) % size
    back = size - at if now is None else (now - at) % size
    return ["j"] * forth if forth <= back else ["k"] * back


def _way_to_edges(page: Page, at: int, place: Place) -> Optional[List[str]]:
    """RETURNS (Optional[List[str]]): None if another span that stays on is in the way."""
    item = page.items[at]
    start, end = place
    if any(o is not item and o.state == "on" and o.meets(start, end) for o in page.items):
        return None
    first = "Alt+Shift+ArrowRight" if start > item.start else "Alt+Shift+ArrowLeft"
    second = "Alt+ArrowRight" if end > item.end else "Alt+ArrowLeft"
    starts, ends = [first] * abs(start - item.start), [second] * abs(end - item.end)
    # An edge never crosses the other one.
    return [*ends, *starts] if end > item.end else [*starts, *ends]


def _way_to_select(page: Page, place: Place) -> List[str]:
    """RETURNS (List[str]): The fewest keys that select some tokens."""
    first, last = place[0], place[1] - 1
    back: Dict[Spot, Tuple[Optional[Spot], str]] = {page.spot: (None, "")}
    found = page.spot if page.spot.selecting and page.spot.cursor in (first, last) else None
    queue = deque([page.spot])
    while found is None:
        spot = queue.popleft()
        for key in MOVES:
            there = page.moved(spot, key)
            if there in back:
                continue
            back[there] = spot, key
            queue.append(there)
            if there.selecting and there.cursor in (first, last):
                found = there
                break
    keys: List[str] = []
    spot, key = found, back[found][1]
    while key:
        keys.append(key)
        before = back[spot][0]
        assert before is not None
        spot, key = before, back[before][1]
    extend = "Shift+ArrowRight" if found.cursor == first else "Shift+ArrowLeft"
    return [*reversed(keys), *[extend] * (last - first)]


def _corrections(page: Page) -> List[Correction]:
    def changed(item: Item) -> bool:
        return item.shown is None or item.shown != (*item.place, "on")

    added = [Correction(i.place, True) for i in page.items if i.state == "on" and changed(i)]
    gone = [i for i in page.items if i.state == "off" and i.shown and i.shown[2] == "on"]
    # A deleted span that a better one replaced is no decision against its words.
    alone = [i for i in gone if not any(i.meets(*c.place) for c in added)]
    return [*added, *(Correction(i.place, False) for i in alone)]


def veto(right: Sequence[bool]) -> List[str]:
    """Find the keys that apply a correction elsewhere, where it is right.

    right (Sequence[bool]): Of each place in the list, whether the change is right there.
    RETURNS (List[str]): p opens the list, its first place is in front; a tick is taken away from
        each wrong one; Enter applies the others. Escape leaves the list if none is right.

    >>> veto([True, True]), veto([True, False, True]), veto([False])
    (['p', 'Enter'], ['p', 'j', 'Space', 'Enter'], ['p', 'Escape'])
    """
    if not any(right):
        return ["p", "Escape"]
    keys, at = ["p"], 0
    for place in (i for i, agrees in enumerate(right) if not agrees):
        back = at + len(right) - place
        keys += ["j"] * (place - at) if place - at <= back else ["k"] * back
        keys.append("Space")
        at = place
    return [*keys, "Enter"]


def gestures(keys: Sequence[str]) -> int:
    """Count actions as if words were dragged over instead: with one label, that labels them.

    keys (Sequence[str]): As `review` gives them.
    RETURNS (int): All keys, but choosing and labelling words is one action, however far they are.

    >>> gestures(["j", "d", "ArrowDown", "ArrowRight", "Shift+ArrowRight", "1", "a"])
    4
    """
    count = moves = 0
    for key in keys:
        if key in MOVES or key.startswith("Shift+Arrow"):
            moves += 1
        else:
            count += 1 if key == "1" else moves + 1
            moves = 0
    return count
