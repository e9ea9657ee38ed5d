"""What may be missing: forms labelled elsewhere, what other sources see, likely neighbours. Pure.

The commonest error of a language model is a span that it missed. Who looks only at what is proposed
can't find it.
"""

import re
from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Iterable, List, Mapping, Optional, Sequence

from ...records import Annotation, Candidate, Proposal, Scored, SpanAnnotation
from ...scoring.items import item_of
from ..spread.forms import Forms, form_of, overlaps, split
from .routers import name_item

ELSEWHERE, BESIDE = "elsewhere", "beside"  # where a score comes from
MIN_SHARE = 0.5  # a form that people left bare more often than not is no sign
BESIDE_SCORE = 0.25  # a guess by its looks alone
OTHER_SCORE = 0.5  # another source says so, but not how surely
JOINTS = frozenset(",/&+;|")


@dataclass(frozen=True)
class Missing:
    """A span that may be missing, and why it is thought so."""

    span: SpanAnnotation
    why: str


class Recall:
    """What people labelled so far in one task of spans."""

    def __init__(self) -> None:
        self._forms = Forms()
        self._bare: Counter[str] = Counter()

    def learn(self, text: str, annotation: Annotation) -> None:
        """Learn from what people accepted of a whole text outside gold."""
        for span in annotation.spans:
            self._forms.add(form_of(text, span), span.label)
        for start, end, form in self._forms.find(text):
            self._bare[form] += not overlaps(start, end, annotation.spans)

    def share(self, form: str) -> float:
        """RETURNS (float): How often people labelled a form, of the places where it stood."""
        labelled = sum(self._forms.labels[form].values())
        return labelled / (labelled + self._bare[form])

    def missing(
        self, text: str, shown: Sequence[SpanAnnotation], others: Iterable[Proposal] = ()
    ) -> List[Missing]:
        """Find what may be missing in a text.

        text (str): The text.
        shown (Sequence[SpanAnnotation]): What is there.
        others (Iterable[Proposal]): What other answers and other sources say.
        RETURNS (List[Missing]): The likeliest first. None overlaps with what is shown, nor with
            another one.
        """
        found = [*self._elsewhere(text), *_of_others(text, others), *_beside(text, shown)]
        found.sort(key=lambda m: (-(m.span.score or 0.0), m.span.start, m.span.end))
        free: List[Missing] = []
        taken = list(shown)
        for one in found:
            if not overlaps(one.span.start, one.span.end, taken):
                taken.append(one.span)
                free.append(one)
        return free

    def _elsewhere(self, text: str) -> Iterable[Missing]:
        for start, end, form in self._forms.find(text):
            share = self.share(form)
            if share >= MIN_SHARE:
                label = self._forms.labels[form].most_common(1)[0][0]
                span = SpanAnnotation(start, end, label, score=share, score_source=ELSEWHERE)
                name = name_item(item_of(span), text)
                yield Missing(span, f"{name} is labelled elsewhere but not here")


def _of_others(text: str, others: Iterable[Proposal]) -> Iterable[Missing]:
    for proposal in others:
        for span in proposal.annotation.spans if proposal.usable else ():
            score = OTHER_SCORE if span.score is None else span.score
            span = replace(span, score=score, score_source=span.score_source or proposal.source)
            yield Missing(span, f"another answer also has {name_item(item_of(span), text)}")


def _beside(text: str, shown: Sequence[SpanAnnotation]) -> Iterable[Missing]:
    """Words that look like a span and are joined to it: "the K10, K11 and the Ultra"."""
    words = split(text)
    at = {start: i for i, (start, _) in enumerate(words)}
    ends = {end: i for i, (_, end) in enumerate(words)}
    for span in shown:
        first, last = at.get(span.start), ends.get(span.end)
        if first is None or last is None:
            continue
        looks = {_shape(text[s:e]) for s, e in words[first : last + 1]}
        for joint, place in ((last + 1, last + 2), (first - 1, first - 2)):
            if not (0 <= place < len(words) and 0 <= joint < len(words)):
                continue
            start, end = words[place]
            if text[slice(*words[joint])] in JOINTS and _shape(text[start:end]) in looks - {"x"}:
                new = SpanAnnotation(start, end, span.label, None, BESIDE_SCORE, BESIDE)
                name = name_item(item_of(new), text)
                yield Missing(new, f"{name} stands beside '{text[span.start : span.end]}'")


def _shape(word: str) -> str:
    """RETURNS (str): What a word looks like: "K10" is "Xd", "Nebula" is "Xx"."""
    letters = re.sub(r"\d", "d", re.sub(r"[^\W\d_]", lambda m: _case(m.group()), word))
    return "".join(c for c, after in pairwise(f"{letters} ") if c != after)


def _case(letter: str) -> str:
    return "X" if letter.isupper() else "x"


def by_recall(
    candidates: Sequence[Candidate], known: Mapping[str, Recall], label: Optional[str] = None
) -> List[Scored]:
    """Score texts by what may be missing in them.

    candidates (Sequence[Candidate]): The pool.
    known (Mapping[str, Recall]): What people labelled, by task of spans.
    label (Optional[str]): Look for this label only.
    RETURNS (List[Scored]): Texts in which something may be missing; the score is how much.
    """
    found: List[Scored] = []
    for candidate in candidates:
        missing: List[Missing] = []
        for task, recall in known.items():
            samples = candidate.samples.get(task, ())
            shown = samples[0].annotation.spans if samples else ()
            others = (*samples[1:], *candidate.others.get(task, ()))
            found_here = recall.missing(candidate.text, shown, others)
            missing += (m for m in found_here if label in (None, m.span.label))
        if missing:
            total = sum(m.span.score or 0.0 for m in missing)
            best = max(missing, key=lambda m: m.span.score or 0.0)
            found.append(Scored(candidate.digest, total, best.why))
    return found
