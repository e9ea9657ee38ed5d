"""A review session: what comes next, what was answered, what is taken back. No HTTP.

Everything here runs on one thread. What the queue and the counters say can always be computed
again from the dataset; they are kept in memory so that no request has to.
"""

import time
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from spacy.language import Language

from ...dataset.history import TaskHistory
from ...dataset.reviews import decisions_of, quick_transaction
from ...dataset.store import Dataset
from ...errors import Errors, InputError
from ...records import (
    ACCEPT,
    ADJUDICATION,
    BLIND,
    CALIBRATION,
    GOLD,
    NOTHING,
    ONE_LABEL,
    RANDOM,
    RECALL,
    RECHECK,
    REOPENED,
    ROUTED,
    SKIP,
    UNDO,
    Annotation,
    Decision,
    Mode,
)
from ..people.agreement import calibration_agreement
from ..queue.leases import Leases
from ..queue.lines import Turn
from ..queue.mix import QueueSettings
from ..queue.queue import Queue
from ..spread.spread import Spreader
from .answers import Answer, read_answer, read_tasks, refused
from .deciding import make_decisions, make_undos
from .plan import ReviewTask
from .purposes import Comparing, Purpose, Reviewing
from .sight import Sight
from .tally import Tally
from .texts import Texts

MAX_NEXT = 20  # screens handed out at once
SEEN_MODES = (
    ROUTED,
    RANDOM,
    RECALL,
    RECHECK,
)  # what a page may say of a text whose proposal it showed


@dataclass(frozen=True)
class Screen:
    """A text for the page, before it is written as JSON. reopened: it was answered before."""

    turn: Turn
    annotator: str
    expires: float
    reopened: bool = False
    undone: Optional[str] = None


class Session:
    """One run of the review server on one dataset.

    nlp (Language): Its tokenizer.
    plan (Mapping[str, ReviewTask]): The tasks.
    dataset (Dataset): Open for writing.
    histories (Mapping[str, TaskHistory]): All tasks of the config, as they are and were.
    queue (QueueSettings): How texts are mixed; names the annotators.
    purpose (Optional[Purpose]): What the session is for; to review if not given.
    lease_minutes (float): How long a text is kept for who has it before them.
    now (Callable[[], float]): Seconds since the epoch.
    """

    def __init__(
        self,
        nlp: Language,
        plan: Mapping[str, ReviewTask],
        dataset: Dataset,
        histories: Mapping[str, TaskHistory],
        *,
        queue: QueueSettings,
        purpose: Optional[Purpose] = None,
        lease_minutes: float = 30.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.plan = dict(plan)
        self.dataset = dataset
        self.now = now
        self.texts = Texts(nlp, dataset, plan, histories)
        self.leases = Leases(dataset, minutes=lease_minutes, now=now)
        self.label = queue.label
        self.sources = self.texts.sources
        self.purpose: Purpose = Reviewing() if purpose is None else purpose
        loaded = self.purpose.load(self.sources)
        self.queue = Queue(loaded.texts, queue)
        self.sight = Sight(self.texts, self.queue, self.purpose)
        self._calibrate()
        self.tally = Tally(loaded.heads)
        self.spreader = Spreader(self.texts)

    # What comes next

    def next(
        self,
        annotator: str,
        *,
        count: int,
        have: Sequence[str] = (),
        tab: str = "",
        closed: Sequence[str] = (),
    ) -> Tuple[List[Screen], str, str]:
        """Hand out texts.

        annotator (str): To whom.
        count (int): How many at most.
        have (Sequence[str]): The texts that the tab holds already.
        tab (str): Which of the annotator's tabs asks.
        closed (Sequence[str]): Tabs of the annotator that are gone.
        RETURNS (Tuple[List[Screen], str, str]): The screens; else why there are none: "empty",
            "waiting" or "calibrating", and the same in words.
        """
        count = max(0, min(count, MAX_NEXT))
        with quick_transaction(self.dataset):
            self.leases.close_tabs(annotator, closed)
            self.leases.take(annotator, [d for d in have if self.queue.text(d)], tab=tab)
            elsewhere = self.leases.mine(annotator, tab=tab)
            adrift = self.leases.adrift(annotator)
            leased = self.leases.others(annotator)
            taken = {*have, *elsewhere, *adrift}
            batch = self.queue.next(annotator, count, leased=leased, exclude=taken)
            if not batch.turns and adrift:
                taken = {*have, *(elsewhere - adrift)}
                batch = self.queue.next(annotator, count, leased=leased, exclude=taken)
            expires = self.leases.take(annotator, [t.digest for t in batch.turns], tab=tab)
        screens = [Screen(turn, annotator, expires) for turn in batch.turns]
        state = "ok" if screens or not count else batch.state
        return screens, state, batch.message

    def reopen(self, annotator: str, digest: str, *, undone: Optional[str] = None) -> Screen:
        """Hand out a text that was answered before.

        annotator (str): To whom.
        digest (str): The text.
        undone (Optional[str]): Uid of the answer that was just taken back.
        RETURNS (Screen): The text, with this annotator's own answer.
        RAISES (InputError): If there is no such text.
        """
        if self.queue.text(digest) is None:
            raise InputError(Errors.H206.format(digest=ascii(digest)[1:17]))
        turn = Turn(digest, REOPENED, "you answered it before")
        expires = self.leases.take(annotator, [digest], tab="")
        return Screen(turn, annotator, expires, reopened=True, undone=undone)

    # What was answered

    def answer(self, annotator: str, value: Any) -> str:
        """Store one answer, whole or not at all. The same answer again is not stored again.

        annotator (str): Who answers.
        value (Any): The Answer of the page.
        RETURNS (str): Its uid: it is on disk.
        RAISES (InputError): If it can't be used; nothing of it was stored.
        RAISES (StateError): If the dataset can't be written; nothing of it was stored.
        """
        if isinstance(self.purpose, Comparing):
            raise InputError(Errors.H217)
        answer = read_answer(value)
        known = decisions_of(self.dataset, answer.uid)
        if known:
            same = (known[0].annotator, known[0].text_digest) == (annotator, answer.digest)
            if not same or known[0].action == UNDO:
                raise refused("its uid belongs to another answer")
            return answer.uid
        if self.queue.text(answer.digest) is None:
            raise InputError(Errors.H206.format(digest=ascii(answer.digest)[1:17]))
        self.store(annotator, self._decide(annotator, answer))
        return answer.uid

    def _decide(self, annotator: str, answer: Answer) -> List[Decision]:
        digest, tokens = answer.digest, self.texts.tokens(answer.digest)
        blind = self.sight.is_blind(annotator, digest)
        found: Mapping[str, Annotation] = {}
        if answer.action == ACCEPT:
            mentions = self.texts.all_mentions(digest)
            found = read_tasks(answer, self.plan, tokens, mentions=mentions)
        return make_decisions(
            answer,
            self.plan,
            found,
            annotator=annotator,
            sources={
                name: self.sight.prefill(task, digest, blind=blind).source
                for name, task in self.plan.items()
            },
            mode=self._mode(annotator, answer, blind=blind),
            time=self.now(),
        )

    def _mode(self, annotator: str, answer: Answer, *, blind: bool) -> Mode:
        """Why the text was shown. The page says it; what can't be so is put right."""
        if self.purpose.kind == "adjudicate":
            return ADJUDICATION
        if answer.mode == REOPENED:
            return RECHECK if self.queue.is_recheck(answer.digest) else REOPENED
        if blind:
            drawn = self.purpose.kind == "audit" or self.texts.lane(answer.digest) == GOLD
            return BLIND if drawn else CALIBRATION
        if self.label is not None:
            return ONE_LABEL
        if answer.mode in SEEN_MODES:
            return answer.mode
        return self.queue.turn(annotator, answer.digest).mode

    # What is taken back

    def undo(self, annotator: str, uid: str, undoes: Optional[str]) -> Tuple[str, List[str]]:
        """Take an answer back, or all of a propagated one. Undo is another decision.

        annotator (str): Who takes back; only their own answers.
        uid (str): Of the undo, from the page: the same undo again is not stored again.
        undoes (Optional[str]): The answer; the last one that stands if None.
        RETURNS (Tuple[str, List[str]]): The answer that was taken back, and its texts.
        RAISES (InputError): If there is no such answer.
        """
        before = [d for d in decisions_of(self.dataset, uid) if d.annotator == annotator]
        if before:
            return str(before[0].undoes), _texts_of(before)
        if undoes is None:
            undoes = self.tally.last(annotator)
        group = [] if undoes is None else decisions_of(self.dataset, undoes)
        group = [d for d in group if d.annotator == annotator and d.action != UNDO]
        if undoes is None or not group:
            raise InputError(Errors.H211)
        undos = make_undos(group, uid=uid, time=self.now())
        self.dataset.add_decisions(undos)
        self._read_again(undos)
        return undoes, _texts_of(group)

    # What is counted

    def store(self, annotator: str, decisions: Sequence[Decision], *, release: bool = True) -> None:
        """Store the decisions of one answer, or of one propagation, and count them.

        annotator (str): Who decided.
        decisions (Sequence[Decision]): All with the same uid; at least one.
        release (bool): Whether the annotator is done with the texts.
        RAISES (StateError): If the dataset can't be written; nothing of it was stored.
        """
        digests = _texts_of(decisions)
        with self.dataset.db.transaction():
            self.dataset.add_decisions(decisions)
            for digest in digests if release else ():
                self.leases.drop(annotator, digest)
        for digest in digests if release else ():
            self.leases.forget(annotator, digest)
        if decisions[0].action == SKIP:
            self.queue.answered(decisions[0].text_digest, annotator, SKIP)
        self._read_again(decisions)

    def release(self, annotator: str, digest: str) -> None:
        """Give a lease back that nothing was decided on."""
        self.leases.drop(annotator, digest)
        self.leases.forget(annotator, digest)

    def _read_again(self, decisions: Sequence[Decision]) -> None:
        self.tally.add(decisions)
        whole = [d for d in decisions if d.action == ACCEPT and not (d.labels or d.ranges)]
        if self.sight.ranker is not None and whole:
            accepted = {d.task: d.annotation or NOTHING for d in whole}
            self.sight.ranker.learn(whole[0].text_digest, accepted)
        if decisions[0].action != SKIP:
            self.spreader.changed(_texts_of(decisions))
            self.refresh(_texts_of(decisions))

    def _calibrate(self) -> None:
        """Tell the queue how well people agree, once all have done the calibration texts."""
        queue = self.queue
        if not queue.calibration or queue.waiting_for():
            queue.agreement = None
            return
        texts = [self.texts.decided(digest) for digest in queue.calibration]
        histories = {name: self.texts.histories[name] for name in self.plan}
        queue.agreement = calibration_agreement(texts, queue.settings.annotators, histories)

    def refresh(self, digests: Iterable[str]) -> None:
        """Read again what was decided on some texts, and tell the queue."""
        digests = list(digests)
        for digest in digests:
            known = self.queue.text(digest)
            if known is not None:
                self.queue.update(self.purpose.read(self.sources, known))
        if not set(digests).isdisjoint(self.queue.calibration):
            self._calibrate()

    def progress(self, annotator: str) -> Dict[str, int]:
        """RETURNS (Dict[str, int]): Texts done, left, put aside and so on."""
        return self.queue.progress(annotator)._asdict()


def _texts_of(decisions: Iterable[Decision]) -> List[str]:
    return list(dict.fromkeys(d.text_digest for d in decisions))
