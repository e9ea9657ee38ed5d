"""One decision on a surface form, for its other occurrences: found, shown, then decided. Pure.

Only places that stand exactly like the form, on whole tokens, are ever changed. What overlaps with
another span is listed and left alone.
"""

import unicodedata
from dataclasses import dataclass
from typing import Dict, List, Optional, Sequence, Tuple

from ...records import (
    ACCEPT,
    PERSON,
    Annotation,
    Decision,
    Mode,
    SpanAnnotation,
)
from ...tasks.grounding import normal
from .consistency import name_of
from .forms import overlaps

Stretch = Tuple[int, int]
CONTEXT = 60  # characters shown around an occurrence
NER, SPANCAT, LINKING = SPREADABLE = ("ner", "spancat", "linking")


@dataclass(frozen=True)
class Known:
    """A text and what is known of it for one task.

    tokens: start and end of each, in characters. annotation: what holds, or else what was proposed.
    whole: whether people decided on all of it; if not, ranges and labels: the stretches, and the
    labels, that they decided on.
    closed: why it can't be changed here ("rejected", "put aside"), if it can't. source: whose
    proposal it is, if nobody decided on the whole text.
    """

    digest: str
    text: str
    tokens: Sequence[Stretch]
    annotation: Annotation
    whole: bool = False
    ranges: Tuple[Stretch, ...] = ()
    labels: Tuple[str, ...] = ()
    closed: Optional[str] = None
    source: Optional[str] = None

    def decided(self, start: int, end: int, label: Optional[str]) -> bool:
        """Whether people decided if a stretch has a label."""
        looked = any(s <= start and end <= e for s, e in self.ranges)
        return self.whole or looked or label in self.labels


@dataclass(frozen=True)
class Occurrence:
    """A place where a form stands.

    now: its label (or catalog id) as things are, None if it has none. decided: whether people
    decided that. differs: whether it is not what is wanted. blocked: why it can't be changed here.
    """

    digest: str
    start: int
    end: int
    before: str
    match: str
    after: str
    now: Optional[str]
    decided: bool
    differs: bool
    blocked: Optional[str] = None

    @property
    def id(self) -> str:
        """Names the place: "digest:start:end"."""
        return f"{self.digest}:{self.start}:{self.end}"


def find_form(
    text: str, tokens: Sequence[Stretch], form: str, *, ignore_case: bool = False
) -> List[Stretch]:
    """Find a surface form as whole tokens; only Unicode normal form and white space may differ.

    text (str): The text.
    tokens (Sequence[Stretch]): Start and end offset of each token, in characters.
    form (str): What to find.
    ignore_case (bool): Whether upper and lower case are the same.
    RETURNS (List[Stretch]): In text order, without overlaps: the first of two that overlap counts.
    """
    target = _key(form, ignore_case)
    longest = _size(target)
    words = [(start, end) for start, end in tokens if not text[start:end].isspace()]
    places: List[Stretch] = []
    for i, (start, _) in enumerate(words):
        if not target or (places and start < places[-1][1]):
            continue
        for _, end in words[i:]:
            found = _key(text[start:end], ignore_case)
            if found == target:
                places.append((start, end))
            if found == target or _size(found) > longest:
                break
    return places


def _key(text: str, ignore_case: bool) -> str:
    flat = normal(text)
    # Not casefold: a letter stays one letter, so that a search for letters finds all of them.
    return normal(flat.lower().replace("ς", "σ")) if ignore_case else flat


def _size(text: str) -> int:
    # Taken apart, a part is never longer than the whole.
    return len(unicodedata.normalize("NFD", text))


def look_at(
    known: Known, form: str, label: Optional[str], *, kind: str, ignore_case: bool = False
) -> List[Occurrence]:
    """Look at a form in one text.

    known (Known): The text.
    form (str): What to find.
    label (Optional[str]): What it should be: a label, a catalog id for links; None for no label.
    kind (str): "ner", "spancat" or "linking".
    ignore_case (bool): As in `find_form`.
    RETURNS (List[Occurrence]): For links, only where there is a mention.
    """
    found = []
    for start, end in find_form(known.text, known.tokens, form, ignore_case=ignore_case):
        spans = known.annotation.spans
        here = [s for s in spans if (s.start, s.end) == (start, end)]
        if kind == LINKING and not here:
            continue
        names = [name_of(s, links=kind == LINKING) for s in here]
        now = label if label in names else ", ".join(names) or None
        found.append(
            Occurrence(
                digest=known.digest,
                start=start,
                end=end,
                before=known.text[max(0, start - CONTEXT) : start],
                match=known.text[start:end],
                after=known.text[end : end + CONTEXT],
                now=now,
                decided=known.decided(start, end, label or now),
                differs=now != label,
                blocked=known.closed or _in_the_way(known, start, end),
            )
        )
    return found


def _in_the_way(known: Known, start: int, end: int) -> Optional[str]:
    for s in known.annotation.spans:
        if (s.start, s.end) != (start, end) and overlaps(start, end, [s]):
            return f"overlaps with '{known.text[s.start : s.end]}' ({s.label})"
    return None


def decide(
    known: Known,
    places: Sequence[Occurrence],
    label: Optional[str],
    *,
    kind: str,
    task: str,
    task_digest: str,
    annotator: str,
    uid: str,
    mode: Mode,
    time: float,
) -> Optional[Decision]:
    """Decide on some places of one text, and on nothing else in it.

    known (Known): The text.
    places (Sequence[Occurrence]): As `look_at` gives them; blocked ones, and decided ones that are
        as they should be, are left alone.
    label (Optional[str]): What they should be.
    kind, task, task_digest, annotator, uid, mode, time: As in `Decision`.
    RETURNS (Optional[Decision]): With `ranges`: a partial look, whatever is decided of the rest.
        None if nothing is left to decide.
    """
    chosen = [p for p in places if not p.blocked and (p.differs or not p.decided)]
    if not chosen:
        return None
    labels = {(s.start, s.end): s.label for s in known.annotation.spans}
    spans = []
    for p in chosen if label is not None else ():
        if kind == LINKING:
            spans.append(SpanAnnotation(p.start, p.end, labels[p.start, p.end], kb_id=label))
        else:
            spans.append(SpanAnnotation(p.start, p.end, str(label)))
    return Decision(
        text_digest=known.digest,
        task=task,
        action=ACCEPT,
        annotator=annotator,
        origin=PERSON,
        task_digest=task_digest,
        annotation=Annotation(spans=tuple(spans)),
        saw_proposal=known.source,
        time=time,
        uid=uid,
        mode=mode,
        edits=sum(p.differs for p in chosen),
        # One label of several that may hold at a place: the others were not looked at.
        labels=(label,) if kind == SPANCAT and label is not None else None,
        ranges=tuple((p.start, p.end) for p in chosen),
    )


def read_ids(ids: Sequence[str]) -> Dict[str, List[Stretch]]:
    """Read the names of occurrences.

    ids (Sequence[str]): As `Occurrence.id` gives them.
    RETURNS (Dict[str, List[Stretch]]): Places by text digest, each once.
    RAISES (ValueError): If one has another form.
    """
    places: Dict[str, List[Stretch]] = {}
    for one in ids:
        digest, start, end = one.split(":")
        place = int(start), int(end)
        if place not in places.setdefault(digest, []):
            places[digest].append(place)
    return places
