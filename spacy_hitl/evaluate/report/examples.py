"""The texts behind each kind of error, drawn with displaCy: what was wanted, what was found.

A text is data: it is escaped by displaCy, a label (which displaCy leaves as it is) here.
"""

import unicodedata
from dataclasses import dataclass
from typing import Dict, List, Optional, Sequence, Tuple

from markupsafe import Markup, escape
from spacy import displacy

from ...records import Annotation, CategoryAnnotation, RelationAnnotation, TaskHeader
from ...scoring.error_types import KINDS, AnnotationError, find_errors
from ...scoring.items import AnyAnnotation, item_of
from ...scoring.results import GoldOutput

PER_KIND = 6
CONTEXT = 80  # characters before and after
LONGEST = 240  # characters of what is shown between them
MARK = '<mark class="{role}">{text}<b dir="auto">{label}</b></mark>'

Place = Tuple[int, int, str]  # start, end, what is written beside it


@dataclass(frozen=True)
class Line:
    """One way to see a text. who: "wanted" or "found"; said: its categories, if that is it."""

    who: str
    text: Markup
    said: Tuple[str, ...] = ()


@dataclass(frozen=True)
class ErrorClass:
    """One kind of error: how many there are, and some of them, each as one or two lines."""

    kind: str
    total: int
    examples: Tuple[Tuple[Line, ...], ...]


def collect(
    header: TaskHeader, outputs: Sequence[GoldOutput], system: str, *, per_kind: int = PER_KIND
) -> List[ErrorClass]:
    """Choose examples of every kind of error.

    header (TaskHeader): What the task is.
    outputs (Sequence[GoldOutput]): The gold texts.
    system (str): Whose errors.
    per_kind (int): How many are shown of a kind. The labels take turns, those with most errors
        first, so that a frequent one doesn't hide the others.
    RETURNS (List[ErrorClass]): The kinds that occur.
    """
    found: Dict[str, Dict[str, List[Tuple[str, AnnotationError]]]] = {kind: {} for kind in KINDS}
    for output in outputs:
        theirs = dict(output.found).get(system, Annotation())
        for error in find_errors(header, output.wanted, theirs):
            found[error.kind].setdefault(error.label, []).append((output.text, error))
    classes = []
    for kind, by_label in found.items():
        if by_label:
            chosen = take_turns(list(by_label.values()), per_kind)
            shown = tuple(draw(text, error) for text, error in chosen)
            classes.append(ErrorClass(kind, sum(map(len, by_label.values())), shown))
    return classes


def take_turns(
    groups: Sequence[List[Tuple[str, AnnotationError]]], wanted: int
) -> List[Tuple[str, AnnotationError]]:
    """RETURNS (List[Tuple[str, AnnotationError]]): One of each group, largest first, then another
    of each, until there are as many as wanted.
    """
    ranked = sorted(groups, key=lambda group: (-len(group), group[0][1].label))
    turns = [
        group[turn] for turn in range(wanted) for group in ranked[:wanted] if turn < len(group)
    ]
    return turns[:wanted]


def draw(text: str, error: AnnotationError) -> Tuple[Line, ...]:
    """RETURNS (Tuple[Line, ...]): The text around an error, as wanted and as found."""
    sides = [("wanted", error.wanted), ("found", error.found)]
    start, end = window(text, [p for _, one in sides for p in places_of(one)])
    lines = []
    for who, one in sides:
        if one is None:
            continue
        said = (one.label,) if isinstance(one, CategoryAnnotation) else ()
        lines.append(Line(who, render(text, start, end, places_of(one), role=who), said))
    if isinstance(error.wanted, CategoryAnnotation) and isinstance(error.found, CategoryAnnotation):
        # The text is the same; it is enough to see it once.
        lines[1] = Line("found", Markup(""), lines[1].said)
    return tuple(lines)


def places_of(one: Optional[AnyAnnotation]) -> List[Place]:
    """RETURNS (List[Place]): What to mark: a span, or both ends of a relation unless they overlap;
    nothing for a category.
    """
    if one is None or isinstance(one, CategoryAnnotation):
        return []
    if isinstance(one, RelationAnnotation):
        head = (one.head_start, one.head_end, f"{one.label} from")
        tail = (one.tail_start, one.tail_end, f"{one.label} to")
        apart = head[1] <= tail[0] or tail[1] <= head[0]
        return [head, tail] if apart else [head]
    return [(one.start, one.end, item_of(one).name)]


def window(text: str, places: Sequence[Place]) -> Tuple[int, int]:
    """Find out which part of a text to show.

    text (str): The text.
    places (Sequence[Place]): What must be in it; nothing: the beginning is shown.
    RETURNS (Tuple[int, int]): Start and end, not within a word if it can be helped.
    """
    first = min((start for start, _, _ in places), default=0)
    last = max((end for _, end, _ in places), default=LONGEST - CONTEXT)
    last = min(last, first + LONGEST, len(text))
    start, end = max(0, first - CONTEXT), min(len(text), last + CONTEXT)
    if start > 0:
        space = text.find(" ", start, first)
        start = start if space < 0 else space + 1
    if end < len(text):
        space = text.rfind(" ", last, end)
        end = end if space < 0 else space
    return start, end


def render(text: str, start: int, end: int, places: Sequence[Place], *, role: str) -> Markup:
    """Draw a part of a text with displaCy.

    text (str): The whole text.
    start, end (int): The part.
    places (Sequence[Place]): What to mark in it; what lies outside is left out.
    role (str): "wanted" or "found".
    RETURNS (Markup): HTML, escaped.
    """
    before, after = "… " if start > 0 else "", " …" if end < len(text) else ""
    shift = len(before) - start
    ents = [
        {
            "start": max(s, start) + shift,
            "end": min(e, end) + shift,
            "label": str(escape(label)),
            "params": {"role": role},
        }
        for s, e, label in places
        if s < end and e > start
    ]
    shown = before + text[start:end] + after
    value = {"text": shown, "ents": ents, "settings": {"direction": direction(text)}}
    options = {"template": MARK}
    html = displacy.render(value, style="ent", manual=True, jupyter=False, options=options)
    return Markup(html)  # noqa: S704 (displaCy escapes the text; the label was escaped above)


def direction(text: str) -> str:
    """RETURNS (str): Of the first letter that has one.

    >>> direction("12 km"), direction("מישהו ניסה")
    ('ltr', 'rtl')
    """
    strong = (unicodedata.bidirectional(char) for char in text)
    first = next((kind for kind in strong if kind in ("L", "R", "AL")), "L")
    return "ltr" if first == "L" else "rtl"
