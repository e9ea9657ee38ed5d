"""Texts of production in the gold lane: drawn at random, decided on blind, for quality over time.

What production said of them is stored as a proposal. Nobody is shown it, as no proposal is ever
shown for gold.
"""

from dataclasses import dataclass, replace
from typing import Any, Dict, Iterable, Iterator, List, Optional, Set, Tuple

from ..errors import InputError
from ..io import text_digest
from ..records import GOLD, AuditDraw, Decision, Proposal, Row
from ..settings import Settings
from .decisions import allowed_on_gold
from .lanes import normal_digest
from .rows import check_row
from .store import Dataset

AUDIT = "audit"  # source of the rows, and name of what their meta says about the draw
PRODUCTION = "production:"


def production_source(digest: str) -> str:
    """RETURNS (str): Source of the proposals of a pipeline in production, by its digest."""
    return f"{PRODUCTION}{digest[:16]}"


@dataclass(frozen=True)
class AuditCounts:
    """What became of the texts that were drawn.

    new: now in the gold lane. before: there already, from an earlier draw. known: in the dataset
    otherwise, or a near-duplicate of a text in it, and not drawn: they may have been learned from.
    unusable: can't be stored (see [hitl.data] max_chars).
    """

    new: int = 0
    before: int = 0
    known: int = 0
    unusable: int = 0


@dataclass(frozen=True)
class AuditedText:
    """A drawn text: when (seconds since the epoch), by which pipeline, what that said, and all
    decisions of people, oldest first.
    """

    text_digest: str
    drawn: float
    source: str
    proposal: Proposal
    decisions: Tuple[Decision, ...]


def add_draws(
    dataset: Dataset,
    draws: Iterable[AuditDraw],
    settings: Settings,
    *,
    file: str,
    source: str,
    now: float,
) -> AuditCounts:
    """Put drawn texts into the gold lane, with what production said: all or none.

    dataset (Dataset): Open for writing.
    draws (Iterable[AuditDraw]): The texts.
    settings (Settings): The project's settings.
    file (str): The input they stood in.
    source (str): Source of the proposals.
    now (float): The time, in seconds since the epoch.
    RETURNS (AuditCounts): What became of them. What is there already stays as it is.
    """
    counts: Dict[str, int] = dict.fromkeys(("new", "before", "known", "unusable"), 0)
    met: Set[str] = set()
    with dataset.db.transaction():
        for d in draws:
            digest, normal = text_digest(d.row.text), normal_digest(d.row.text)
            if normal in met:
                continue  # the same text again, in this input
            met.add(normal)
            what = _state(dataset, digest, normal)
            if what == "new":
                meta = {"drawn": now, "file": file, "id": d.row.id}
                meta["pipeline"] = source.removeprefix(PRODUCTION)
                row = replace(
                    d.row,
                    source=AUDIT,
                    id=_free_id(dataset, d.row.id, digest),
                    lane=GOLD,
                    meta={**(d.row.meta or {}), AUDIT: meta},
                )
                what = _store(dataset, row, d.proposals, settings)
            counts[what] += 1
    return AuditCounts(**counts)


def _state(dataset: Dataset, digest: str, normal: str) -> str:
    stored = dataset.db.first("SELECT digest FROM texts WHERE normal = ?", (normal,))
    if stored is None:
        return "new"
    drawn = dataset.db.first(
        "SELECT 1 FROM rows r JOIN texts t ON t.digest = r.digest"
        " WHERE t.normal = ? AND r.source = ?",
        (normal, AUDIT),
    )
    return "known" if drawn is None else "before"


def _store(dataset: Dataset, row: Row, proposals: Iterable[Proposal], settings: Settings) -> str:
    try:
        check_row(row, where=row.id, settings=settings.data)
    except InputError:
        return "unusable"
    dataset.add_rows([row], settings.lanes)
    dataset.add_proposals(proposals)
    return "new"


def _free_id(dataset: Dataset, id_: str, digest: str) -> str:
    taken = dataset.db.first("SELECT 1 FROM rows WHERE source = ? AND id = ?", (AUDIT, id_))
    return id_ if taken is None else f"{id_}-{digest[:12]}"


def read_audited(dataset: Dataset, task: str) -> Iterator[AuditedText]:
    """Read the drawn texts of which production said something for a task.

    dataset (Dataset): Open; nothing is written.
    task (str): Name of the task.
    YIELDS (AuditedText): In the order in which they were drawn. Decisions that nobody made by
        reading the text are left out.
    """
    rows = dataset.db.rows("SELECT digest, meta FROM rows WHERE source = ?", (AUDIT,))
    found: List[Tuple[float, str, Dict[str, Any]]] = []
    for digest, meta in rows:
        about = dataset.db.load(meta).get(AUDIT)
        if isinstance(about, dict) and "drawn" in about and "pipeline" in about:
            found.append((float(about["drawn"]), digest, about))
    for drawn, digest, about in sorted(found, key=lambda one: one[:2]):
        source = production_source(about["pipeline"])
        said = _first(dataset.proposals(task, digest), source)
        if said is not None:
            decisions = tuple(allowed_on_gold(dataset.decisions(task, digest)))
            yield AuditedText(digest, drawn, source, said, decisions)


def _first(proposals: Iterable[Proposal], source: str) -> Optional[Proposal]:
    return next((p for p in proposals if p.source == source), None)
