"""From doubts about items to records that name what is given and what is suggested. Pure."""

from dataclasses import replace
from typing import List, Optional, Sequence, Tuple

from ...records import (
    NOTHING,
    Annotation,
    CategoryAnnotation,
    SpanAnnotation,
    Suspect,
    TaskHeader,
)
from ...scoring.items import Item, each, item_of
from ...scoring.label_errors import Doubt

DIGITS = 6  # of scores in the file
HELD_OUT = "held-out students"


def make_suspects(
    doubts: Sequence[Doubt],
    header: TaskHeader,
    texts: Sequence[Tuple[str, Annotation, bool]],
) -> List[Suspect]:
    """Write doubts down.

    doubts (Sequence[Doubt]): The most suspicious first.
    header (TaskHeader): What the task is.
    texts (Sequence[Tuple[str, Annotation, bool]]): Digest of each text, what is given for it, and
        whether by a decision.
    RETURNS (List[Suspect]): One for each.
    """
    found = []
    for doubt in doubts:
        digest, given, decided = texts[doubt.text]
        place = doubt.place
        # Of a place without an item the probabilities are those of "nothing".
        suggested = _annotation(place.suggested, place.other, header, given, place.given)
        found.append(
            Suspect(
                text_digest=digest,
                task=header.task,
                problem=place.problem,
                score=round(place.score, DIGITS),
                given=_annotation(place.given, place.confidence, header, given, place.given),
                suggested=suggested,
                decided=decided,
            )
        )
    return found


def _annotation(
    item: Optional[Item],
    chance: float,
    header: TaskHeader,
    given: Annotation,
    stands: Optional[Item],
) -> Annotation:
    if item is None:
        return NOTHING
    score = round(chance, DIGITS)
    if header.kind == "textcat":
        return Annotation(cats=(CategoryAnnotation(item.name, score, HELD_OUT),))
    if header.kind != "linking":
        span = SpanAnnotation(item.start, item.end, item.name, None, score, HELD_OUT)
        return Annotation(spans=(span,))
    # A link is called by its id; what kind of thing the mention is stays.
    mention = next(one for one in each(given) if item_of(one) == stands)
    assert isinstance(mention, SpanAnnotation)
    link = replace(mention, kb_id=item.name, score=score, score_source=HELD_OUT)
    return Annotation(spans=(link,))
