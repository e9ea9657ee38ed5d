"""What a review session keeps in the dataset: leases, logins, answers to take back, preferences."""

from contextlib import contextmanager
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from ..io import canonical_json
from ..records import Decision, Preference
from .store import Dataset


class DecisionHead(NamedTuple):
    """A decision without its annotation: enough to count, cheap to read by the hundred thousand.

    whole: whether all labels and the whole text were looked at. Times are in seconds.
    """

    digest: str
    task: str
    annotator: str
    uid: Optional[str]
    action: str
    undoes: Optional[str]
    flagged: bool
    seconds: Optional[float]
    time: Optional[float]
    edits: Optional[int]
    saw_proposal: Optional[str]
    mode: Optional[str]
    whole: bool
    task_digest: str
    origin: str


_HEAD = """
SELECT digest, task, annotator, uid, json_extract(record, '$.action'),
    json_extract(record, '$.undoes'), ifnull(json_extract(record, '$.flagged'), 0),
    json_extract(record, '$.seconds'), time, json_extract(record, '$.edits'),
    json_extract(record, '$.saw_proposal'), json_extract(record, '$.mode'),
    json_type(record, '$.labels') IS NULL AND json_type(record, '$.ranges') IS NULL,
    json_extract(record, '$.task_digest'), json_extract(record, '$.origin')
FROM decisions
"""


def decision_heads(dataset: Dataset, tasks: Sequence[str]) -> Iterator[DecisionHead]:
    """YIELDS (DecisionHead): What was decided on some tasks, oldest first."""
    marks = ", ".join("?" for _ in tasks)
    # The plus keeps SQLite from going by the index of tasks, and then sorting all there is.
    rows = dataset.db.rows(f"{_HEAD} WHERE +task IN ({marks}) ORDER BY id", list(tasks))
    return (DecisionHead(*row) for row in rows)


def decisions_of(dataset: Dataset, uid: str) -> List[Decision]:
    """RETURNS (List[Decision]): All decisions of one answer, or of one propagation."""
    rows = dataset.db.rows("SELECT record FROM decisions WHERE uid = ? ORDER BY id", (uid,))
    return [Decision.from_dict(dataset.db.load(record)) for (record,) in rows]


def decided_texts(dataset: Dataset, task: str, *, lane: str) -> "set[str]":
    """RETURNS (set[str]): Texts of a lane on which anybody decided anything for a task."""
    return {
        digest
        for (digest,) in dataset.db.rows(
            "SELECT DISTINCT d.digest FROM decisions d JOIN texts t ON t.digest = d.digest"
            " WHERE d.task = ? AND t.lane = ?",
            (task, lane),
        )
    }


def unusable_texts(dataset: Dataset, task: str, key: Tuple[str, int, str]) -> Dict[str, str]:
    """RETURNS (Dict[str, str]): By text, the status of proposals that can't be used, of one source,
    sample and task digest.
    """
    # As in the index, so that it is used.
    rows = dataset.db.rows(
        "SELECT digest, status FROM proposals WHERE task = ? AND source = ? AND sample = ?"
        " AND task_digest = ? AND status NOT IN ('ok', 'empty')",
        (task, *key),
    )
    return dict(rows)


def texts_without_any_proposal(dataset: Dataset, tasks: Sequence[str]) -> "set[str]":
    """RETURNS (set[str]): Texts for which nothing was proposed for any of some tasks."""
    missing = " AND ".join(
        "NOT EXISTS (SELECT 1 FROM proposals p WHERE p.task = ? AND p.digest = t.digest)"
        for _ in tasks
    )
    rows = dataset.db.rows(f"SELECT digest FROM texts t WHERE {missing}", list(tasks))  # noqa: S608
    return {digest for (digest,) in rows}


def proposals_by_text(
    dataset: Dataset, task: str, key: Tuple[str, int, str]
) -> Dict[str, Tuple[str, str]]:
    """RETURNS (Dict[str, Tuple[str, str]]): By text: status and annotation of the proposals of one
    source, sample and task digest, as canonical JSON.
    """
    rows = dataset.db.rows(
        "SELECT digest, status, ifnull(json_extract(record, '$.annotation'), '{}') FROM proposals"
        " WHERE task = ? AND source = ? AND sample = ? AND task_digest = ?",
        (task, *key),
    )
    return {digest: (status, annotation) for digest, status, annotation in rows}


def rows_of(dataset: Dataset, digest: str, *, limit: int = 3) -> List[Dict[str, object]]:
    """RETURNS (List[Dict[str, object]]): Source, id and meta of the first rows of a text."""
    found = dataset.db.rows(
        "SELECT source, id, meta FROM rows WHERE digest = ? ORDER BY rowid LIMIT ?",
        (digest, limit),
    )
    return [{"source": s, "id": i, "meta": dataset.db.load(m)} for s, i, m in found]


# Leases: who has which text on the screen, or waiting behind it


@contextmanager
def quick_transaction(dataset: Dataset) -> Iterator[None]:
    """A transaction that does not wait for the disk: a killed process loses nothing of it, a power
    cut may. For leases, so that answers don't queue behind them.
    """
    dataset.db.run("PRAGMA synchronous = NORMAL")
    try:
        with dataset.db.transaction():
            yield
    finally:
        dataset.db.run(f"PRAGMA synchronous = {dataset.db.synchronous}")


def set_leases(dataset: Dataset, annotator: str, digests: Iterable[str], *, expires: float) -> None:
    """Take leases, or renew them. expires: seconds since the epoch."""
    with dataset.db.transaction():
        for digest in digests:
            dataset.db.run(
                "INSERT INTO leases VALUES (?, ?, ?)"
                " ON CONFLICT (digest, annotator) DO UPDATE SET expires = excluded.expires",
                (digest, annotator, expires),
            )


def drop_lease(dataset: Dataset, annotator: str, digest: str) -> None:
    """Give a lease back."""
    dataset.db.run("DELETE FROM leases WHERE digest = ? AND annotator = ?", (digest, annotator))


def drop_expired(dataset: Dataset, now: float) -> None:
    """Forget leases that ran out."""
    dataset.db.run("DELETE FROM leases WHERE expires <= ?", (now,))


def leases(dataset: Dataset, now: float) -> List[Tuple[str, str, float]]:
    """RETURNS (List[Tuple[str, str, float]]): Digest, annotator, expiry of those that hold."""
    return list(
        dataset.db.rows(
            "SELECT digest, annotator, expires FROM leases WHERE expires > ? ORDER BY digest",
            (now,),
        )
    )


# Logins: the secret itself is only in the browser's cookie


def add_login(dataset: Dataset, secret_digest: str, annotator: str, now: float) -> None:
    """Remember a browser."""
    dataset.db.run("INSERT INTO logins VALUES (?, ?, ?)", (secret_digest, annotator, now))


def logins(dataset: Dataset, *, since: float) -> Dict[str, str]:
    """RETURNS (Dict[str, str]): Annotators by digest of their secret; older logins are removed."""
    dataset.db.run("DELETE FROM logins WHERE created < ?", (since,))
    return dict(dataset.db.rows("SELECT secret_digest, annotator FROM logins"))


# Preferences between two versions of a prompt


def add_preference(dataset: Dataset, preference: Preference) -> bool:
    """RETURNS (bool): Whether it was new; one whose uid is stored is not stored again."""
    with dataset.db.transaction():
        added = dataset.db.run(
            "INSERT INTO preferences (uid, task, record) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (preference.uid, preference.task, canonical_json(preference.to_dict())),
        ).rowcount
    return added > 0


def preferences(dataset: Dataset, task: Optional[str] = None) -> List[Preference]:
    """RETURNS (List[Preference]): All, or those of one task, oldest first."""
    rows = dataset.db.rows(
        "SELECT record FROM preferences WHERE ? IS NULL OR task = ? ORDER BY id", (task, task)
    )
    return [Preference.from_dict(dataset.db.load(record)) for (record,) in rows]
