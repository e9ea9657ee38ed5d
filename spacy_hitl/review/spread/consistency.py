"""The same words, labelled here and not there: what people decided differently. Pure."""

from collections import Counter
from dataclasses import dataclass
from typing import Dict, List, Sequence, Set, Tuple

from ...records import NIL, Annotation, SpanAnnotation
from .forms import Forms, form_of, overlaps

NOT_LABELLED = ""


@dataclass(frozen=True)
class DecidedText:
    """A text with what people accepted of it.

    whole: whether they looked at all of it; else `ranges` says where.
    """

    digest: str
    text: str
    annotation: Annotation
    whole: bool = True
    ranges: Tuple[Tuple[int, int], ...] = ()

    def looked_at(self, start: int, end: int) -> bool:
        """Whether a stretch was looked at."""
        return self.whole or any(s <= start and end <= e for s, e in self.ranges)


@dataclass(frozen=True)
class Treatment:
    """What was done with a surface form.

    labels: how often it got each label; under "" how often none. texts: in how many texts.
    """

    form: str
    labels: Tuple[Tuple[str, int], ...]
    texts: int

    @property
    def minority(self) -> int:
        """How many places are not treated like most are."""
        counts = [n for _, n in self.labels]
        return sum(counts) - max(counts)


def name_of(span: SpanAnnotation, *, links: bool) -> str:
    """RETURNS (str): What is said of a span: its label, or its catalog id."""
    return (span.kb_id or NIL) if links else span.label


def find_inconsistent(texts: Sequence[DecidedText], *, links: bool) -> List[Treatment]:
    """Find the forms that were treated in several ways.

    texts (Sequence[DecidedText]): Texts outside gold that people decided on.
    links (bool): Whether the labels are catalog ids; mentions without one are no question then.
    RETURNS (List[Treatment]): Those with the most places that differ first.
    """
    forms = Forms()
    seen: Dict[str, Set[str]] = {}
    for one in texts:
        for span in one.annotation.spans:
            form = form_of(one.text, span)
            forms.add(form, name_of(span, links=links))
            seen.setdefault(form, set()).add(one.digest)
    bare: Counter[str] = Counter()
    for one in texts if not links else ():
        for start, end, form in forms.find(one.text):
            if one.looked_at(start, end) and not overlaps(start, end, one.annotation.spans):
                bare[form] += 1
                seen[form].add(one.digest)
    found = []
    for form, labels in forms.labels.items():
        counts = {**labels, **({NOT_LABELLED: bare[form]} if bare[form] else {})}
        if len(counts) > 1:
            ordered = tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
            found.append(Treatment(form, ordered, len(seen[form])))
    return sorted(found, key=lambda t: (-t.minority, t.form))
