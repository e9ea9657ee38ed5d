"""The dataset as texts with answers and proposals of one task: what adapters write."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

from ..dataset.decisions import allowed_on_gold, live_decisions
from ..dataset.exchange import DECISION, PROPOSAL, ROW, dump
from ..dataset.history import TaskHistory
from ..dataset.store import Dataset
from ..dataset.views import ProposalKey
from ..io import text_digest
from ..records import (
    ACCEPT,
    BULK,
    GOLD,
    NOTHING,
    SKIP,
    Annotation,
    Decision,
    Proposal,
    Row,
    TaskHeader,
)
from .adapters.docbin import RowName, StoredText
from .adapters.items import Answer, Item, Suggestion
from .adapters.losses import Losses, LossReport


@dataclass
class Snapshot:
    """Everything in a dataset, by the digest of the text.

    decisions: with their place among all decisions; both oldest first. others: how many records of
    other kinds there are.
    """

    rows: Dict[str, List[Row]] = field(default_factory=dict)
    proposals: Dict[str, List[Proposal]] = field(default_factory=dict)
    decisions: Dict[str, List[Tuple[int, Decision]]] = field(default_factory=dict)
    others: Dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class FormatExport:
    """Records per file, and what could not be carried."""

    files: Dict[Path, int]
    lost: LossReport


def read_snapshot(dataset: Dataset) -> Snapshot:
    """RETURNS (Snapshot): What an open dataset holds now."""
    found = Snapshot()
    number = 0
    for value in dump(dataset):
        kind = value.pop("record")
        if kind == ROW:
            row = Row.from_dict(value)
            found.rows.setdefault(text_digest(row.text), []).append(row)
        elif kind == PROPOSAL:
            proposal = Proposal.from_dict(value)
            found.proposals.setdefault(proposal.text_digest, []).append(proposal)
        elif kind == DECISION:
            decision = Decision.from_dict(value)
            found.decisions.setdefault(decision.text_digest, []).append((number, decision))
            number += 1
        else:
            found.others[kind] = found.others.get(kind, 0) + 1
    return found


def stored_texts(
    snapshot: Snapshot, *, lanes: Sequence[str], task: Optional[str] = None
) -> Tuple[List[Tuple[str, StoredText]], LossReport]:
    """Collect what a DocBin keeps.

    snapshot (Snapshot): The dataset.
    lanes (Sequence[str]): The lanes to write.
    task (Optional[str]): Only decisions of this task; all if not given.
    RETURNS (Tuple[List[Tuple[str, StoredText]], LossReport]): Texts in the order of their rows, and
        what is not kept.
    """
    losses = Losses()
    texts = []
    for kind, count in snapshot.others.items():
        losses.add(f"records of the kind '{kind}' (--all keeps them)", "dataset", count)
    for digest, rows in snapshot.rows.items():
        lane = rows[0].lane
        if lane is None or lane not in lanes:
            continue
        for proposal in snapshot.proposals.get(digest, []):
            losses.add("proposals (--all keeps them)", _where(rows[0]), proposal.task)
        decisions = [
            (number, d)
            for number, d in snapshot.decisions.get(digest, [])
            if task in (None, d.task)
        ]
        stored = StoredText(
            text_digest=digest,
            lane=lane,
            rows=tuple(RowName(row.source, row.id, row.meta) for row in rows),
            decisions=tuple(d for _, d in decisions),
            order=tuple(number for number, _ in decisions),
        )
        texts.append((rows[0].text, stored))
    return texts, losses.report()


def gather_items(
    snapshot: Snapshot, history: TaskHistory, key: ProposalKey, *, lanes: Sequence[str]
) -> Tuple[List[Item], LossReport]:
    """Collect what a tool can be told about one task.

    snapshot (Snapshot): The dataset.
    history (TaskHistory): The task as it is and was.
    key (ProposalKey): Whose proposals go along with texts that nobody decided on.
    lanes (Sequence[str]): The lanes to write. Gold texts go without proposals.
    RETURNS (Tuple[List[Item], LossReport]): Texts in the order of their rows, each with what holds
        of each annotator, or with a usable proposal; and what no tool can hold.
    """
    losses = Losses()
    items = []
    task = history.header.task
    for digest, rows in snapshot.rows.items():
        if rows[0].lane not in lanes:
            continue
        gold, where = rows[0].lane == GOLD, _where(rows[0])
        if len(rows) > 1:
            losses.add("more rows with the same text", where, len(rows) - 1)
        losses.add("sources of rows (an import puts its own file there)", where)
        all_ = live_decisions(d for _, d in snapshot.decisions.get(digest, []) if d.task == task)
        decisions = [d for d in (allowed_on_gold(all_) if gold else all_) if d.mode != BULK]
        if len(decisions) < len(all_):
            losses.add("decisions that nobody made by reading the text", where)
        proposals = [p for p in snapshot.proposals.get(digest, []) if p.task == task]
        found = _suggestions(proposals, key, where, losses, gold=gold, decided=bool(decisions))
        items.append(
            Item(
                text=rows[0].text,
                where=where,
                id=rows[0].id,
                meta=dict(rows[0].meta or {}),
                answers=_answers(decisions, history, where, losses),
                suggestions=found,
            )
        )
    return items, losses.report()


def _answers(
    decisions: Sequence[Decision], history: TaskHistory, where: str, losses: Losses
) -> Tuple[Answer, ...]:
    """What holds of each annotator's decisions, in their order; what holds of all comes last."""
    last = {d.annotator: (number, d) for number, d in enumerate(decisions)}
    stands = history.standing_of(decisions)
    overall = history.standing(decisions)
    winner = None if overall is None else overall.last.annotator
    answers = []
    for name, (_, d) in sorted(last.items(), key=lambda one: (one[0] == winner, one[1][0])):
        theirs = [one for one in decisions if one.annotator == name]
        if len(theirs) > 1:
            losses.add("earlier decisions of the same annotator", where, f"{name}, {len(theirs)}")
        found = stands.get(name)
        if found is None and any(one.action != SKIP for one in theirs):
            losses.add("decisions of which the task as it is now leaves nothing", where, name)
        elif found is not None and found.partial is not None:
            losses.add("decisions on some labels or parts of a text only", where, name)
        elif found is None:
            answers.append(_answer(d, (d,), d.annotation, history, where, losses))
        else:
            annotation = found.annotation or found.last.annotation
            answers.append(_answer(found.last, found.parts, annotation, history, where, losses))
    return tuple(answers)


def _answer(
    d: Decision,
    parts: Sequence[Decision],
    annotation: Optional[Annotation],
    history: TaskHistory,
    where: str,
    losses: Losses,
) -> Answer:
    _count_fields(d, history.header, where, losses)
    if d.action != ACCEPT and annotation == NOTHING:
        annotation = None  # what was not accepted and holds nothing says nothing
    return Answer(
        action=d.action,
        annotation=annotation,
        annotator=d.annotator,
        saw_proposal=next((p.saw_proposal for p in reversed(parts) if p.saw_proposal), None),
        seconds=d.seconds,
        time=d.time,
        flagged=d.flagged,
    )


def _count_fields(d: Decision, header: TaskHeader, where: str, losses: Losses) -> None:
    """What no tool has a place for."""
    if d.task_digest != header.task_digest:
        losses.add("under which version of the task a text was decided", where)
    if d.note is not None:
        losses.add("notes of decisions", where, d.note)
    if (d.mode, d.edits, d.uid) != (None, None, None):
        losses.add("how a decision came about (mode, edits, uid)", where)


def _suggestions(
    proposals: Sequence[Proposal],
    key: ProposalKey,
    where: str,
    losses: Losses,
    *,
    gold: bool,
    decided: bool,
) -> Tuple[Suggestion, ...]:
    found: Tuple[Suggestion, ...] = ()
    for p in proposals:
        if gold:
            losses.add("proposals for gold texts (nobody may see them)", where, p.source)
        elif decided:
            losses.add("proposals for texts that are decided", where, p.source)
        elif (p.source, p.sample, p.task_digest) != key:
            losses.add(
                "proposals of other models, samples or versions of the task", where, p.source
            )
        elif not p.usable:
            losses.add(f"proposals with status {p.status}", where, p.source)
        else:
            found = (Suggestion(p.source, p.annotation),)
    return found


def _where(row: Row) -> str:
    return f"{row.source}, id {row.id}"
