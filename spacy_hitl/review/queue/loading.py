"""Read at the start what the queue must know: fast, for a hundred thousand texts."""

from dataclasses import dataclass, field
from typing import Dict, List, Mapping, Optional, Set

from ...dataset.history import TaskHistory
from ...dataset.reviews import (
    DecisionHead,
    decided_texts,
    decision_heads,
    texts_without_any_proposal,
    unusable_texts,
)
from ...dataset.store import Dataset
from ...records import GOLD, QueueText
from ..session.plan import ReviewTask
from .heads import exact_text, plain_text


@dataclass(frozen=True)
class Sources:
    """Where what a session knows comes from.

    plan: the tasks of the session. histories: all tasks of the config, as they are and were.
    """

    dataset: Dataset
    plan: Mapping[str, ReviewTask]
    histories: Mapping[str, TaskHistory]


@dataclass
class Loaded:
    """What a session starts with.

    texts: all texts that can be reviewed. heads: of all decisions, oldest first.
    """

    texts: List[QueueText] = field(default_factory=list)
    heads: List[DecisionHead] = field(default_factory=list)


def load_queue_texts(known: Sources) -> Loaded:
    """Read all texts with what was decided on them.

    Texts of train and dev that nothing was proposed for are left out as long as there are others:
    they were not annotated yet.

    known (Sources): Dataset and tasks.
    RETURNS (Loaded): Texts in the order in which they were stored.
    """
    dataset, plan = known.dataset, known.plan
    heads = list(decision_heads(dataset, tuple(plan)))
    by_text: Dict[str, List[DecisionHead]] = {}
    for head in heads:
        by_text.setdefault(head.digest, []).append(head)
    problems: Dict[str, str] = {}
    for task in plan.values():
        problems.update(unusable_texts(dataset, task.name, task.key))
    bare = texts_without_any_proposal(dataset, tuple(plan))
    all_bare = len(bare) == dataset.count("texts")
    with_mentions = _with_mentions(dataset, plan)
    loaded = Loaded(heads=heads)
    for digest, lane in dataset.db.rows("SELECT digest, lane FROM texts ORDER BY rowid"):
        gold, made = lane == GOLD, by_text.get(digest)
        if gold and with_mentions is not None and digest not in with_mentions:
            continue
        if digest in bare and not gold and not all_bare and made is None:
            continue
        text = QueueText(digest, lane, problem=problems.get(digest))
        if made is not None:
            text = plain_text(text, made, plan) or read_text(known, text)
        loaded.texts.append(text)
    return loaded


def read_text(known: Sources, base: QueueText) -> QueueText:
    """RETURNS (QueueText): What the queue must know of one text now."""
    bare = QueueText(base.digest, base.lane, problem=base.problem)
    decisions = {name: known.dataset.decisions(name, base.digest) for name in known.plan}
    return exact_text(bare, decisions, known.plan, known.histories)


def _with_mentions(dataset: Dataset, plan: Mapping[str, ReviewTask]) -> Optional[Set[str]]:
    """Gold texts whose mentions were decided, if a task needs mentions that are not decided on the
    same screen; None if no task does. The others can't be shown: their mentions are the model's.
    """
    needed = {t.mention_task for t in plan.values() if t.mention_task and not t.mentions_shown}
    if not needed:
        return None
    return set.intersection(*(decided_texts(dataset, name, lane=GOLD) for name in sorted(needed)))
