"""One review session of the effort benchmark, on the product's own parts, without server and disk.

Whose turn it is comes from the product's queue, what is shown from `make_prefill`, what holds
from `standing`, other places of the same words from `look_at` and `decide`. Gold reaches none of
them but as an answer of the reviewer.
"""

from dataclasses import dataclass, field
from typing import Dict, FrozenSet, Iterator, List, Mapping, NamedTuple, Optional, Sequence

from effort_reviewer import Correction, Reviewed, gestures, review, suggestions, veto
from effort_texts import NAME, SOURCE, Text

from spacy_hitl.dataset.decisions import Standing, standing
from spacy_hitl.dataset.looks import overlay
from spacy_hitl.records import (
    ACCEPT,
    BLIND,
    GOLD,
    NOTHING,
    PERSON,
    PROPAGATED,
    Annotation,
    Candidate,
    Counts,
    Decision,
    Proposal,
    QueueText,
    TaskRow,
)
from spacy_hitl.review.queue.queue import Queue, QueueSettings
from spacy_hitl.review.session.plan import ReviewTask
from spacy_hitl.review.session.prefill import BLANK, Prefill, make_prefill
from spacy_hitl.review.spread.propagation import Known, Occurrence, decide, look_at
from spacy_hitl.scoring.intervals import prf
from spacy_hitl.tasks.grounding import normal
from spacy_hitl.tasks.ner.task import NERTask

ANNOTATOR = "simulated"
OFFERS = 3  # corrections of an answer that the page looks for elsewhere


class Point(NamedTuple):
    """How far a session is.

    screens: texts that were answered. words: that were read. gestures: keys, but with a pointer to
    choose words.
    """

    keys: int
    f: float
    screens: int
    words: int
    gestures: int


@dataclass
class Session:
    """A reviewer at work.

    texts: by digest. lanes: by digest. prefill: whether proposals are shown; if not, a text that
    nobody decided has no annotation. spread: whether corrections are carried over to other places.
    students: proposals of students, by digest; never shown before they are given.
    """

    task: NERTask
    texts: Mapping[str, Text]
    lanes: Mapping[str, str]
    settings: QueueSettings
    prefill: bool = True
    spread: bool = True
    students: Mapping[str, Proposal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        key = (SOURCE, 1, self.task.digest())
        self.header = self.task.header(NAME)
        self.plan = ReviewTask(NAME, "ner", self.task, key, tuple(self.task.labels))
        self.decisions: Dict[str, List[Decision]] = {}
        self.whole: Dict[str, FrozenSet[str]] = {}
        self.open_queue()
        self.keys = self.screens = self.words = self.gestures = 0
        self.trained = [d for d in self.texts if self.lanes[d] != GOLD]
        self._flat = {d: normal(self.texts[d].text) for d in self.trained}
        self._found = {d: self._compare(d) for d in self.trained}
        self._total = sum(self._found.values(), Counts())
        self.curve = [self.point()]

    def open_queue(self) -> None:
        """Start the server again: the order is the same, what was decided is not asked again."""
        rows = (
            QueueText(d, self.lanes[d], self.whole.get(d, frozenset()), problem=self._problem(d))
            for d in self.texts
        )
        self.queue = Queue(rows, self.settings)

    def _problem(self, digest: str) -> Optional[str]:
        proposal = self.texts[digest].proposal
        return proposal.status if self.prefill and not proposal.usable else None

    # What is known

    def standing(self, digest: str) -> Optional[Standing]:
        """RETURNS (Optional[Standing]): What holds for a text."""
        return standing(self.decisions.get(digest, ()), self.header)

    def shown(self, digest: str) -> Prefill:
        """RETURNS (Prefill): What is on the screen at first; nothing of a blind text."""
        if self.lanes[digest] == GOLD:
            return BLANK
        text = self.texts[digest]
        proposals = [text.proposal] if self.prefill else []
        if self.prefill and digest in self.students:
            proposals.append(self.students[digest])
        return make_prefill(
            self.plan, proposals, self.standing(digest), header=self.header, text=text.text
        )

    def annotation(self, digest: str) -> Annotation:
        """RETURNS (Annotation): What the dataset says of a text: decided, else proposed."""
        base = self.texts[digest].proposal.annotation if self.prefill else NOTHING
        found = self.standing(digest)
        if found is None:
            return base
        if found.partial is not None:
            return overlay(base, found.partial, self.header)
        return found.annotation or NOTHING

    def known(self, digest: str) -> Known:
        """RETURNS (Known): The text as propagation sees it."""
        text, found = self.texts[digest], self.standing(digest)
        return Known(
            digest=digest,
            text=text.text,
            tokens=tuple(zip(text.tokens.starts, text.tokens.ends, strict=True)),
            annotation=self.annotation(digest),
            whole=found is not None and found.annotation is not None,
            ranges=found.partial.ranges if found is not None and found.partial else (),
            source=SOURCE if self.prefill else None,
        )

    def rows(self) -> Iterator[TaskRow]:
        """YIELDS (TaskRow): The texts outside gold, as an export gives them to students."""
        for digest in self.trained:
            found, text = self.standing(digest), self.texts[digest]
            yield TaskRow(
                text=text.text,
                text_digest=digest,
                lane=self.lanes[digest],
                decision=None if found is None else found.annotation,
                partial=None if found is None else found.partial,
                proposal=text.proposal,
            )

    def candidates(self, digests: Sequence[str]) -> List[Candidate]:
        """RETURNS (List[Candidate]): Texts as a router sees them: what was proposed for them."""
        found = []
        for digest in digests:
            samples = {NAME: (self.texts[digest].proposal,)} if self.prefill else {}
            others = {NAME: (self.students[digest],)} if digest in self.students else {}
            found.append(Candidate(digest, self.texts[digest].text, samples, others))
        return found

    # What the reviewer does

    def step(self) -> bool:
        """RETURNS (bool): Whether there was a text to answer."""
        batch = self.queue.next(ANNOTATOR, 1)
        if not batch.turns:
            return False
        turn = batch.turns[0]
        text, shown = self.texts[turn.digest], self.shown(turn.digest)
        scores = {text.tokens.cover(s.start, s.end)[0]: s.score for s in shown.annotation.spans}
        extra = text.places(Annotation(spans=shown.extra))
        done = review(text.layout, suggestions(scores, extra), text.places(text.gold))
        self._count(done, turn.digest)
        self._store(
            Decision(
                text_digest=turn.digest,
                task=NAME,
                action=ACCEPT,
                annotator=ANNOTATOR,
                origin=PERSON,
                task_digest=self.task.digest(),
                annotation=text.gold,
                saw_proposal=shown.source,
                uid=f"{turn.digest}-answer",
                mode=turn.mode,
                edits=len(done.corrections),
            )
        )
        self.whole[turn.digest] = frozenset({ANNOTATOR})
        self.queue.answered(turn.digest, ANNOTATOR, ACCEPT)
        self.curve.append(self.point())
        if self.spread and turn.mode != BLIND:
            self._carry_over(text, done.corrections)
        return True

    def _count(self, done: Reviewed, digest: str) -> None:
        self.keys += len(done.keys)
        self.gestures += gestures(done.keys)
        self.screens += 1
        self.words += len(self.texts[digest].text.split())

    def _store(self, decision: Decision) -> None:
        digest = decision.text_digest
        self.decisions.setdefault(digest, []).append(decision)
        if digest in self._found:
            before, self._found[digest] = self._found[digest], self._compare(digest)
            now = self._found[digest]
            total = self._total + now
            self._total = Counts(total.tp - before.tp, total.fp - before.fp, total.fn - before.fn)

    def _carry_over(self, text: Text, corrections: Sequence[Correction]) -> None:
        """The page offers the first correction whose words stand elsewhere and differ there."""
        label = self.task.labels[0]
        for correction in corrections[:OFFERS]:
            wanted = label if correction.added else None
            start, end = text.tokens.chars(*correction.place)
            places = self.elsewhere(text.digest, text.text[start:end], wanted)
            differ = [p for p in places if p.differs]
            open_ = [p for p in differ if not p.blocked]
            if open_:
                self._look_through(open_, wanted, uid=f"{text.digest}-elsewhere")
                return

    def elsewhere(self, digest: str, form: str, label: Optional[str]) -> List[Occurrence]:
        """RETURNS (List[Occurrence]): The same words in all other texts outside gold."""
        flat = normal(form)
        found: List[Occurrence] = []
        for other in self.trained:
            if other != digest and flat in self._flat[other]:
                found += look_at(self.known(other), form, label, kind="ner")
        return found

    def _look_through(
        self, places: Sequence[Occurrence], label: Optional[str], *, uid: str
    ) -> None:
        right = [self._agrees(place, label) for place in places]
        keys = len(veto(right))
        self.keys, self.gestures = self.keys + keys, self.gestures + keys
        self.words += sum(len((p.before + p.match + p.after).split()) for p in places)
        kept: Dict[str, List[Occurrence]] = {}
        for place, agrees in zip(places, right, strict=True):
            if agrees:
                kept.setdefault(place.digest, []).append(place)
        for digest, some in kept.items():
            decision = decide(
                self.known(digest),
                some,
                label,
                kind="ner",
                task=NAME,
                task_digest=self.task.digest(),
                annotator=ANNOTATOR,
                uid=uid,
                mode=PROPAGATED,
                time=0.0,
            )
            if decision is not None:
                self._store(decision)
        self.curve.append(self.point())

    def _agrees(self, place: Occurrence, label: Optional[str]) -> bool:
        spans = self.texts[place.digest].gold.spans
        there = any((s.start, s.end) == (place.start, place.end) for s in spans)
        return there == (label is not None)

    # What it is worth

    def _compare(self, digest: str) -> Counts:
        counts = self.task.compare(self.texts[digest].gold, self.annotation(digest))
        return sum(counts.values(), Counts())

    def point(self) -> Point:
        """RETURNS (Point): Effort so far, and F of all texts outside gold."""
        return Point(self.keys, prf(self._total)[2], self.screens, self.words, self.gestures)
