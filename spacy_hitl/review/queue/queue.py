"""Which text comes next, for whom, and why. Pure: no dataset, no clock, no page.

All texts stand in lines, in an order drawn from a salted hash of their digest: gold, random,
routed, recall. Each next text is taken from the line that is furthest behind its share. A restart
gives the same order. Nothing here scans: with 100,000 texts a turn costs as much as with 100.
"""

from collections import Counter
from heapq import heappush
from typing import (
    Callable,
    Collection,
    Dict,
    Iterable,
    List,
    Literal,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

from ...records import (
    BLIND,
    CALIBRATION,
    FLAG,
    GOLD,
    ONE_LABEL,
    RANDOM,
    RECALL,
    RECHECK,
    ROUTED,
    SKIP,
    Action,
    QueueText,
    Scored,
)
from .board import Board, Progress
from .lines import Desk, Line, Ranking, Reader, Turn
from .mix import GOLD_LINE, RANDOM_LINE, RECALL_LINE, ROUTED_LINE, Purpose, QueueSettings

__all__ = ["Batch", "Progress", "Purpose", "Queue", "QueueSettings", "QueueText", "Turn"]

State = Literal["ok", "empty", "waiting", "calibrating"]
MAX_SKIPS = 2  # skipped that often in a session, a text is left for the next session
TOGETHER = "blind: everybody decides on these texts first"


class Batch(NamedTuple):
    """The next texts of an annotator; message: why there are none."""

    turns: Tuple[Turn, ...]
    state: State = "ok"
    message: str = ""


class Queue:
    """The texts of a session, and how far each annotator came. Not for several threads.

    texts (Iterable[QueueText]): All texts, each digest once.
    settings (QueueSettings): The mix.
    """

    def __init__(self, texts: Iterable[QueueText], settings: QueueSettings) -> None:
        self.settings = settings
        self.agreement: Optional[float] = None  # of the calibration round, set from outside
        self._shares = settings.shares
        review = settings.purpose == "review"
        self._board = board = Board(
            texts,
            seed=settings.seed,
            overlap=settings.overlap if review else 1,
            overlap_share=settings.overlap_share,
            with_gold=GOLD_LINE in self._shares or not review,
        )
        gold = [i for i in board.order if review and board.texts[i].lane == GOLD]
        rest = [i for i in board.order if not review or board.texts[i].lane != GOLD]
        self._lines = {GOLD_LINE: Line(gold), RANDOM_LINE: Line(rest)}
        ranked = [name for name in (ROUTED_LINE, RECALL_LINE) if name in self._shares]
        urgent = Line(sorted(rest, key=lambda i: not board.is_urgent(i)))
        self._feeds = {name: Reader(urgent) for name in ranked}
        self._rankings = {name: Ranking(self._lines[RANDOM_LINE]) for name in ranked}
        self._live: Counter[str] = Counter()  # scored texts that are open, by line
        self._full = dict.fromkeys(ranked, False)
        self._desks: Dict[str, Desk] = {}
        self._skipped_before = board.skipped_by()
        self._calibration = board.draw_train(settings.calibration_texts) if review else []

    # What comes next

    def next(
        self,
        annotator: str,
        count: int,
        *,
        leased: Optional[Mapping[str, int]] = None,
        exclude: Collection[str] = (),
    ) -> Batch:
        """Choose the next texts for an annotator.

        annotator (str): Their name.
        count (int): How many at most.
        leased (Optional[Mapping[str, int]]): By digest, how many *others* have a text before them.
        exclude (Collection[str]): Digests of the texts this annotator has before them.
        RETURNS (Batch): The texts, each with its mode; if there are none, why.
        """
        desk = self._desk(annotator)
        if self.calibrating:
            return self._next_calibration(annotator, desk, count, exclude)

        def is_free(i: int) -> bool:
            return self._board.is_free(i, leased or {}, exclude)

        turns = self._take_held(annotator, desk, count, is_free)
        shares = dict(self._shares)
        while len(turns) < count and shares:
            name = desk.choose(shares)
            turn = self._take(annotator, desk, name, is_free)
            if turn is None:
                del shares[name]
            else:
                desk.pay(name, shares)
                turns.append(turn)
        turns += self._take_skipped(annotator, desk, count - len(turns), is_free)
        if turns:
            return Batch(tuple(turns))
        if desk.held:
            return Batch((), "waiting", "The texts that are left are open elsewhere.")
        return Batch((), "empty", "Nothing is left for you.")

    def _take(
        self, annotator: str, desk: Desk, name: str, is_free: Callable[[int], bool]
    ) -> Optional[Turn]:
        while (i := desk.take(name)) is not None:
            if i in desk.held or i in desk.skipped or not self._board.is_open_for(i, annotator):
                continue
            turn = desk.held[i] = self._turn(i, name)
            if is_free(i):
                return turn
        return None

    def _take_held(
        self, annotator: str, desk: Desk, count: int, is_free: Callable[[int], bool]
    ) -> List[Turn]:
        """Texts that were given or met before and are free now: a lease ran out."""
        turns: List[Turn] = []
        for i, turn in list(desk.held.items()):
            if not self._board.is_open_for(i, annotator):
                del desk.held[i]
            elif len(turns) < count and is_free(i):
                turns.append(self._turn(i, RANDOM_LINE) if self._board.is_recheck(i) else turn)
        return turns

    def _take_skipped(
        self, annotator: str, desk: Desk, count: int, is_free: Callable[[int], bool]
    ) -> List[Turn]:
        turns: List[Turn] = []
        for i, turn in list(desk.skipped.items()) if count else ():
            if not self._board.is_open_for(i, annotator):
                del desk.skipped[i]
            elif len(turns) < count and desk.skips[i] < MAX_SKIPS and is_free(i):
                desk.held[i] = desk.skipped.pop(i)
                turns.append(turn)
        return turns

    def _turn(self, i: int, name: str) -> Turn:
        text, label = self._board.texts[i], self.settings.label
        if self.settings.only_turn is not None:
            return Turn(text.digest, *self.settings.only_turn)
        if text.lane == GOLD:
            return Turn(text.digest, BLIND, "blind: for evaluation")
        why = self._rankings[name].why(i) if name in self._rankings else "drawn at random"
        if self._board.is_recheck(i):
            return Turn(text.digest, RECHECK, str(text.doubt))
        if label is not None:
            return Turn(text.digest, ONE_LABEL, f"only {label}: {why}")
        return Turn(text.digest, {ROUTED_LINE: ROUTED, RECALL_LINE: RECALL}.get(name, RANDOM), why)

    def turn(self, annotator: str, digest: str) -> Turn:
        """RETURNS (Turn): Why this annotator sees a text; after a restart, what is known of it."""
        i, desk = self._board.number[digest], self._desk(annotator)
        if self.calibrating and i in self._calibration:
            return Turn(digest, CALIBRATION, TOGETHER)
        return desk.held.get(i) or desk.skipped.get(i) or self._turn(i, RANDOM_LINE)

    def _desk(self, annotator: str) -> Desk:
        if annotator not in self._desks:
            readers = {name: Reader(line) for name, line in self._lines.items()}
            desk = Desk(readers, {name: r.heap() for name, r in self._rankings.items()})
            skipped = self._skipped_before.get(annotator, ())
            desk.add_skipped((i, self._turn(i, RANDOM_LINE)) for i in skipped)
            self._desks[annotator] = desk
        return self._desks[annotator]

    # The calibration round

    @property
    def calibration(self) -> Tuple[str, ...]:
        """Digests of the texts that everybody decides on first."""
        return tuple(self._board.texts[i].digest for i in self._calibration)

    @property
    def calibrating(self) -> bool:
        """Whether the queue is still closed: not all are done, or they agree too little."""
        if not self._calibration:
            return False
        if self.waiting_for():
            return True
        floor, people = self.settings.calibration_floor, self.settings.annotators
        if floor <= 0 or len(people) < 2:
            return False
        return self.agreement is None or self.agreement < floor

    def waiting_for(self) -> Tuple[str, ...]:
        """RETURNS (Tuple[str, ...]): Who has calibration texts left."""
        size = len(self._calibration)
        return tuple(a for a in self.settings.annotators if self.calibrated(a) < size)

    def calibrated(self, annotator: str) -> int:
        """RETURNS (int): How many of the calibration texts an annotator has done."""
        return len(self._calibration) - len(self._uncalibrated(annotator))

    def _uncalibrated(self, annotator: str) -> List[int]:
        texts = self._board.texts
        return [
            i
            for i in self._calibration
            if not texts[i].flagged and annotator not in texts[i].decided_by
        ]

    def _next_calibration(
        self, annotator: str, desk: Desk, count: int, exclude: Collection[str]
    ) -> Batch:
        texts = self._board.texts
        free = [i for i in self._uncalibrated(annotator) if texts[i].digest not in exclude]
        free.sort(key=lambda i: desk.skips[i])  # skipped ones last, else as they were drawn
        turns = tuple(Turn(texts[i].digest, CALIBRATION, TOGETHER) for i in free[:count])
        if turns:
            return Batch(turns)
        people = ", ".join(self.waiting_for())
        message = f"Waiting for {people}." if people else "You agree too little: talk it over."
        return Batch((), "calibrating", message)

    # What happened

    def answered(self, digest: str, annotator: str, action: Action) -> None:
        """Count an answer: accept, reject, skip or flag (put aside)."""
        i = self._board.number[digest]
        text = self._board.texts[i]
        if action == SKIP:
            desk = self._desk(annotator)
            desk.add_skipped([(i, self.turn(annotator, digest))])
            self._board.texts[i] = text._replace(skipped_by=text.skipped_by | {annotator})
        elif action == FLAG:
            self.update(text._replace(flagged=True))
        else:
            decided_by = text.decided_by | {annotator}
            self.update(text._replace(decided_by=decided_by, flagged=False, doubt=None))

    def update(self, text: QueueText) -> None:
        """Say what is known of a text now: after an undo, a propagated answer, a bulk accept.

        text (QueueText): One that was there before. What is open again comes again.
        """
        board, i = self._board, self._board.number[text.digest]
        was_open = board.is_open(i)
        before = board.update(text)
        for name, ranking in self._rankings.items():
            self._live[name] += (i in ranking) * (board.is_open(i) - was_open)
        for annotator, desk in self._desks.items():
            opened = not board.was_open_for(before, annotator)
            if annotator not in text.skipped_by and desk.skipped.pop(i, None) is not None:
                opened = True
            if opened and board.is_open_for(i, annotator):
                desk.put_back(i, self._rankings)

    # Routers

    def unscored(self, line: str = ROUTED_LINE, limit: int = 100) -> Tuple[str, ...]:
        """Name the texts that a router should see now. What it says of them goes to `add_scores`.

        line (str): "routed", or "recall".
        limit (int): How many at most.
        RETURNS (Tuple[str, ...]): Digests, texts with unusable answers first. None if the pool is
            full, or has not fallen to three quarters since it was; none without such a line.
        """
        feed, ranking = self._feeds.get(line), self._rankings.get(line)
        if feed is None or ranking is None:
            return ()
        room = self.settings.pool - self._live[line]
        self._full[line] = room <= 0 or (self._full[line] and room * 4 < self.settings.pool)
        found: List[str] = []
        wanted = 0 if self._full[line] else min(limit, room)
        while len(found) < wanted and (i := feed.take()) is not None:
            if i not in ranking and self._board.is_open(i):
                found.append(self._board.texts[i].digest)
        return tuple(found)

    def add_scores(self, scores: Sequence[Scored], line: str = ROUTED_LINE) -> None:
        """Take in what a router said. A text that it left out still comes at random.

        scores (Sequence[Scored]): As `routers.run_router` gives them.
        line (str): As in `unscored`.
        """
        ranking = self._rankings[line]
        for one in scores:
            i = self._board.number[one.digest]
            self._live[line] += i not in ranking and self._board.is_open(i)
            ranking.add(i, one.score, one.why)
            for desk in self._desks.values():
                heappush(desk.heaps[line], ranking.entry(i))

    # How far it is

    def text(self, digest: str) -> Optional[QueueText]:
        """RETURNS (Optional[QueueText]): What is known of a text; None if it is none of these."""
        i = self._board.number.get(digest)
        return None if i is None else self._board.texts[i]

    def is_recheck(self, digest: str) -> bool:
        """RETURNS (bool): Whether a text is decided, in doubt, and waits for another look."""
        return self._board.is_recheck(self._board.number[digest])

    def progress(self, annotator: str) -> Progress:
        """RETURNS (Progress): How far the session is, and this annotator in it."""
        return self._board.progress(annotator, skipped=len(self._desk(annotator).skipped))
