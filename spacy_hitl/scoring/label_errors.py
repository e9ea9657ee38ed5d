"""Which annotations are probably wrong: confident learning over what held-out students say. Pure.

Northcutt, Jiang and Chuang, Confident learning: estimating uncertainty in dataset labels, JAIR 70
(2021): an annotation is in doubt if a model that did not see it gives another label at least the
probability that it gives, on average, to annotations of that other label. The thresholds are per
label, so that a label of which students are never sure can be a doubt, too. For spans, "nothing
here" is one more label, and a place may have an alternative with other boundaries.
"""

from dataclasses import dataclass
from typing import Dict, FrozenSet, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from ..records import BOUNDARY, MISSING, SPURIOUS, WRONG_LABEL, TaskHeader
from .items import Item

NO_LABEL = ""  # the class of a place where nothing is given
LEAST = 0.05  # a span that is less likely is no place where something could be missing


@dataclass(frozen=True)
class JudgedText:
    """What is given for a text, and the probabilities that held-out students give to items."""

    given: FrozenSet[Item]
    chances: Mapping[Item, float]

    def chance(self, item: Item) -> float:
        """RETURNS (float): Probability of an item; 0 for what no student considers."""
        return self.chances.get(item, 0.0)


@dataclass(frozen=True)
class Place:
    """One thing that was said, or left unsaid, and the best of what else could be said.

    label, other_label: what it is called, NO_LABEL for nothing, and "not LABEL" for a category that
    does not hold. confidence: probability of what is given; other: of the alternative. given,
    suggested: the items; None where nothing is said.
    """

    label: str
    confidence: float
    other_label: str
    other: float
    given: Optional[Item] = None
    suggested: Optional[Item] = None

    @property
    def score(self) -> float:
        """From 0 to 1: half of (1 + other - confidence), the normalised margin turned round."""
        return (1 + self.other - self.confidence) / 2

    @property
    def problem(self) -> str:
        """What is wrong if the alternative is right."""
        if self.given is None:
            return MISSING
        if self.suggested is None:
            return SPURIOUS
        return WRONG_LABEL if self.given.name != self.suggested.name else BOUNDARY


@dataclass(frozen=True)
class Doubt:
    """A place where the alternative is more likely. text: its number."""

    text: int
    place: Place


def average(rounds: Sequence[Mapping[Item, float]]) -> Dict[Item, float]:
    """RETURNS (Dict[Item, float]): Mean probability of each item over several students of one text;
    a student that does not consider an item gives it 0.
    """
    items = sorted({item for some in rounds for item in some})
    return {item: sum(some.get(item, 0.0) for some in rounds) / len(rounds) for item in items}


def find_doubts(
    texts: Sequence[JudgedText], header: TaskHeader
) -> Tuple[List[Doubt], Dict[str, float]]:
    """Find what is probably wrong.

    texts (Sequence[JudgedText]): All texts that were judged.
    header (TaskHeader): What the task is.
    RETURNS (Tuple[List[Doubt], Dict[str, float]]): Doubts, the most suspicious first, and the
        threshold of each label.
    """
    places = [(i, place) for i, text in enumerate(texts) for place in places_of(text, header)]
    limits = thresholds(place for _, place in places)
    found = [Doubt(i, place) for i, place in places if is_doubtful(place, limits)]
    found.sort(key=lambda d: (-d.place.score, d.text, d.place.given or d.place.suggested))
    return found, limits


def thresholds(places: Iterable[Place]) -> Dict[str, float]:
    """RETURNS (Dict[str, float]): By label, the mean probability of it where it is given.

    >>> round(thresholds([Place("A", 0.9, "B", 0.1), Place("A", 0.5, "B", 0.5)])["A"], 3)
    0.7
    """
    sums: Dict[str, Tuple[float, int]] = {}
    for place in places:
        total, count = sums.get(place.label, (0.0, 0))
        sums[place.label] = (total + place.confidence, count + 1)
    return {label: total / count for label, (total, count) in sorted(sums.items())}


def is_doubtful(place: Place, limits: Mapping[str, float]) -> bool:
    """RETURNS (bool): Whether the alternative is more likely than what is given, and at least as
    likely as its label is, on average, where that is given. A label that is never given is no
    alternative.
    """
    limit = limits.get(place.other_label)
    return limit is not None and place.other > place.confidence and place.other >= limit


# What else could be said


def places_of(text: JudgedText, header: TaskHeader) -> Iterator[Place]:
    """YIELDS (Place): All places of a text, in the order of the text."""
    if header.kind != "textcat":
        yield from _span_places(text, header)
    elif header.exclusive:
        yield from _class_places(text)
    else:
        yield from _category_places(text, header.labels)


def _class_places(text: JudgedText) -> Iterator[Place]:
    others = sorted((i for i in text.chances if i not in text.given), key=text.chance)
    for item in sorted(text.given) if len(text.given) == 1 and others else ():
        best = others[-1]
        yield Place(item.name, text.chance(item), best.name, text.chance(best), item, best)


def _category_places(text: JudgedText, labels: Sequence[str]) -> Iterator[Place]:
    for label in labels:
        item = Item(label)
        if item not in text.chances:
            continue
        chance, absent = text.chance(item), f"not {label}"
        if item in text.given:
            yield Place(label, chance, absent, 1 - chance, given=item)
        else:
            yield Place(absent, 1 - chance, label, chance, suggested=item)


def _span_places(text: JudgedText, header: TaskHeader) -> Iterator[Place]:
    kind = header.kind
    others = [item for item in sorted(text.chances) if item not in text.given]
    taken = set()
    for item in sorted(text.given):
        rivals = [other for other in others if _competes(item, other, kind)]
        taken.update(rivals)
        nothing = 1 - text.chance(item) - sum(text.chance(rival) for rival in rivals)
        best = max(rivals, key=text.chance, default=None)
        # A linker says something of every mention: "nothing" is no answer.
        if best is None or (kind != "linking" and nothing >= text.chance(best)):
            chance = max(nothing, 0.0)
            yield Place(item.name, text.chance(item), NO_LABEL, chance, given=item)
        else:
            yield Place(item.name, text.chance(item), best.name, text.chance(best), item, best)
    free = [item for item in others if item not in taken and text.chance(item) >= LEAST]
    free.sort(key=lambda item: (-text.chance(item), item))
    for item in free if kind != "linking" else ():
        if item in taken:
            continue
        rivals = [other for other in others if _competes(item, other, kind)]
        taken.update(rivals)
        nothing = max(0.0, 1 - sum(text.chance(rival) for rival in rivals))
        yield Place(NO_LABEL, nothing, item.name, text.chance(item), suggested=item)


def _competes(item: Item, other: Item, kind: str) -> bool:
    """Whether both can't hold: entities never overlap; other spans may, unless they stand at one
    place or are called the same.
    """
    overlap = item.start < other.end and other.start < item.end
    same_place = (item.start, item.end) == (other.start, other.end)
    if kind == "ner":
        return overlap
    return same_place or (overlap and kind == "spancat" and item.name == other.name)
