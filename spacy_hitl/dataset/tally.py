"""Count decisions and proposals by the hundred thousand, without reading what was found in a text.

What holds for a text follows from who did what, as long as whole texts were decided, and under the
task as it is now. Few patterns of that occur, so each is worked out once, by the same code as
everywhere. All other texts are read in full.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Dict, Iterable, List, Mapping, NamedTuple, Optional, Tuple

from ..records import GOLD, NOTHING, OK, TRAIN, Decision
from .decisions import SPREAD, allowed_on_gold
from .history import HistorySummary, TaskHistory, summarise
from .reviews import DecisionHead
from .store import Dataset

Pattern = Tuple[Tuple[object, ...], ...]


class _Did(NamedTuple):
    """What was done with a text, once."""

    action: str
    mode: Optional[str]
    origin: str
    annotator: str
    uid: Optional[str]
    undoes: Optional[str]


@dataclass(frozen=True)
class LaneTally:
    """Texts of a lane for one task. Of gold, only what was decided by reading the text counts.

    texts: all of them. decided: whole; in_part: some labels or stretches. other: rejected or put
    aside.
    """

    texts: int = 0
    decided: int = 0
    in_part: int = 0
    other: int = 0

    @property
    def open(self) -> int:
        """Texts on which nothing was decided."""
        return self.texts - self.decided - self.in_part - self.other


@dataclass(frozen=True)
class TaskTally:
    """What was decided for a task, in all and by lane."""

    summary: HistorySummary
    lanes: Dict[str, LaneTally] = field(default_factory=dict)


def tally_decisions(
    dataset: Dataset, histories: Mapping[str, TaskHistory], heads: Iterable[DecisionHead]
) -> Dict[str, TaskTally]:
    """Count texts by what is left of their decisions.

    dataset (Dataset): Open; nothing is written.
    histories (Mapping[str, TaskHistory]): The tasks as they are and were.
    heads (Iterable[DecisionHead]): What was decided on them, oldest first.
    RETURNS (Dict[str, TaskTally]): By task.
    """
    current = {name: h.header.task_digest for name, h in histories.items()}
    quick: Dict[str, Dict[str, Tuple[_Did, ...]]] = {name: {} for name in histories}
    slow: Dict[str, Dict[str, None]] = {name: {} for name in histories}
    for d in heads:
        if not d.whole or d.task_digest != current[d.task]:
            slow[d.task][d.digest] = None
            continue
        texts = quick[d.task]
        did = _Did(d.action, d.mode, d.origin, d.annotator, d.uid, d.undoes)
        before = texts.get(d.digest)
        texts[d.digest] = (did,) if before is None else (*before, did)
    sizes = {lane: n for (lane,), n in dataset.tally("texts", "lane").items()}
    lanes = dict(
        dataset.db.rows("SELECT digest, lane FROM texts WHERE lane <> ?", (TRAIN,)),
    )
    return {
        name: _TaskCount(history, sizes).count(dataset, quick[name], slow[name], lanes)
        for name, history in histories.items()
    }


class _TaskCount:
    def __init__(self, history: TaskHistory, sizes: Mapping[str, int]) -> None:
        self.history = history
        self.sizes = sizes
        self._known: Dict[Pattern, HistorySummary] = {}

    def count(
        self,
        dataset: Dataset,
        quick: Mapping[str, Tuple[_Did, ...]],
        slow: Iterable[str],
        lanes: Mapping[str, str],
    ) -> TaskTally:
        task = self.history.header.task
        found: Counter[Tuple[str, HistorySummary]] = Counter()
        read: Counter[HistorySummary] = Counter()  # of gold, by reading the text
        behind: Dict[str, List[List[Decision]]] = {}
        slow = set(slow)
        for digest, done in quick.items():
            if digest in slow:
                continue
            lane = lanes.get(digest, TRAIN)
            found[lane, self._stands(done)] += 1
            if lane == GOLD:
                read[self._stands([d for d in done if d.mode not in SPREAD])] += 1
        for digest in sorted(slow):
            decisions = dataset.decisions(task, digest)
            behind.setdefault(lanes.get(digest, TRAIN), []).append(decisions)
        summaries: Dict[str, HistorySummary] = {}
        for lane in self.sizes:
            summaries[lane] = summarise(self.history, behind.get(lane, ()))
            for (where, one), n in found.items():
                if where == lane:
                    summaries[lane] += one * n
        order = {label: i for i, label in enumerate(self.history.header.labels)}
        total = sum(summaries.values(), HistorySummary())
        look = sorted(total.to_look_at, key=lambda pair: order.get(pair[0], len(order)))
        total = replace(total, to_look_at=tuple(look))
        gold = summarise(self.history, map(allowed_on_gold, behind.get(GOLD, ())))
        summaries[GOLD] = sum((one * n for one, n in read.items()), gold)
        tallies = {lane: _of_lane(n, summaries[lane]) for lane, n in self.sizes.items()}
        return TaskTally(total, tallies)

    def _stands(self, done: Iterable[_Did]) -> HistorySummary:
        """RETURNS (HistorySummary): What one text with these decisions counts as."""
        done = tuple(done)
        pattern: Pattern = (done[0][:3],) if len(done) == 1 else _pattern(done)
        known = self._known.get(pattern)
        if known is None:
            known = self._known[pattern] = summarise(self.history, [self._decisions(done)])
        return known

    def _decisions(self, done: Iterable[_Did]) -> List[Decision]:
        header = self.history.header
        return [
            Decision(
                "",
                header.task,
                d.action,
                d.annotator,
                d.origin,
                header.task_digest,
                annotation=NOTHING,
                uid=d.uid,
                undoes=d.undoes,
                mode=d.mode,
            )
            for d in done
        ]


def _pattern(done: Tuple[_Did, ...]) -> Pattern:
    """RETURNS (Pattern): The same for all texts with which the same was done: people and answers
    are numbered as they come.
    """
    numbers: Dict[object, int] = {None: -1}
    return tuple(
        (*d[:3], *(numbers.setdefault(name, len(numbers)) for name in _names(d))) for d in done
    )


def _names(d: _Did) -> Tuple[object, ...]:
    answer = None if d.uid is None else ("answer", d.uid)
    undone = None if d.undoes is None else ("answer", d.undoes)
    return ("person", d.annotator), answer, undone


def _of_lane(texts: int, found: HistorySummary) -> LaneTally:
    return LaneTally(texts, found.decided, found.in_part, found.rejected + found.put_aside)


class ProposalKey(NamedTuple):
    """Which proposals: one per text."""

    task: str
    source: str
    sample: int
    task_digest: str


def tally_proposals(dataset: Dataset) -> Dict[ProposalKey, Dict[str, int]]:
    """Count proposals by their status; the usable ones together, under "ok".

    dataset (Dataset): Open; nothing is written.
    RETURNS (Dict[ProposalKey, Dict[str, int]]): By what they are of. Read from indexes alone.
    """
    columns = "task, source, sample, task_digest"
    found: Dict[ProposalKey, Dict[str, int]] = {}
    for *key, n in dataset.db.rows(
        f"SELECT {columns}, count(*) FROM proposals GROUP BY {columns}"  # noqa: S608
    ):
        found[ProposalKey(*key)] = {OK: n}
    for *key, status, n in dataset.db.rows(
        f"SELECT {columns}, status, count(*) FROM proposals"  # noqa: S608
        f" WHERE status NOT IN ('ok', 'empty') GROUP BY {columns}, status"
    ):
        counts = found[ProposalKey(*key)]
        counts[status] = n
        counts[OK] -= n
    return found


def count_unproposed(dataset: Dataset, key: ProposalKey) -> int:
    """RETURNS (int): Texts of lanes train and dev that nobody decided on, and that have no proposal
    of any status.
    """
    query = (
        "SELECT count(*) FROM texts t WHERE t.lane <> ? AND NOT EXISTS (SELECT 1 FROM proposals p"
        " WHERE p.task = ? AND p.digest = t.digest AND p.source = ? AND p.sample = ?"
        " AND p.task_digest = ?) AND NOT EXISTS (SELECT 1 FROM decisions d WHERE d.task = ?"
        " AND d.digest = t.digest)"
    )
    return int(dataset.db.one(query, (GOLD, *key, key.task))[0])
