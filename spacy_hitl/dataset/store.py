"""The dataset: one SQLite file. Texts never change their lane, decisions are only ever added."""

from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Literal, Optional, Sequence, Tuple

from ..errors import Errors, InputError
from ..io import canonical_json, text_digest
from ..records import Decision, Proposal, Row
from ..settings import LaneSettings
from ..sqlite import Database
from .lanes import draw_lane, normal_digest

FORMAT = 2
_REVIEW = """
CREATE INDEX rows_digest ON rows (digest);
CREATE INDEX proposals_unusable ON proposals (task, source, sample, task_digest, digest, status)
    WHERE status NOT IN ('ok', 'empty');
CREATE UNIQUE INDEX decisions_uid ON decisions (uid, task, digest) WHERE uid IS NOT NULL;
CREATE TABLE task_versions (
    task TEXT NOT NULL,
    task_digest TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (task, task_digest)
);
CREATE TABLE preferences (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    task TEXT NOT NULL,
    record TEXT NOT NULL
);
CREATE TABLE leases (
    digest TEXT NOT NULL REFERENCES texts (digest),
    annotator TEXT NOT NULL,
    expires REAL NOT NULL,
    PRIMARY KEY (digest, annotator)
);
CREATE TABLE logins (
    secret_digest TEXT PRIMARY KEY,
    annotator TEXT NOT NULL,
    created REAL NOT NULL
);
"""
MIGRATIONS = {1: "ALTER TABLE decisions ADD COLUMN uid TEXT;\n" + _REVIEW}
SCHEMA = (
    """
CREATE TABLE texts (
    digest TEXT PRIMARY KEY,
    text TEXT NOT NULL,
    normal TEXT NOT NULL,
    lane TEXT NOT NULL CHECK (lane IN ('gold', 'dev', 'train')),
    lane_source TEXT NOT NULL CHECK (lane_source IN ('file', 'drawn'))
);
CREATE INDEX texts_normal ON texts (normal);
CREATE TABLE rows (
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    digest TEXT NOT NULL REFERENCES texts (digest),
    meta TEXT NOT NULL,
    PRIMARY KEY (source, id)
);
CREATE INDEX rows_id ON rows (id);
CREATE TABLE proposals (
    digest TEXT NOT NULL REFERENCES texts (digest),
    task TEXT NOT NULL,
    source TEXT NOT NULL,
    sample INTEGER NOT NULL,
    task_digest TEXT NOT NULL,
    status TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (task, digest, source, sample, task_digest)
);
CREATE TABLE decisions (
    id INTEGER PRIMARY KEY,
    digest TEXT NOT NULL REFERENCES texts (digest),
    task TEXT NOT NULL,
    annotator TEXT NOT NULL,
    time REAL,
    record TEXT NOT NULL,
    uid TEXT
);
CREATE INDEX decisions_text ON decisions (task, digest);
CREATE TRIGGER decisions_are_never_changed BEFORE UPDATE ON decisions
    BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
CREATE TRIGGER decisions_are_never_removed BEFORE DELETE ON decisions
    BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
"""
    + _REVIEW
)


class Dataset:
    """Everything known about the texts of a project. Opened for writing by one process at a time.

    Stages on the training side never get this class but `views.TrainingSet`.
    """

    def __init__(self, path: Path, *, synchronous: Literal["NORMAL", "FULL"] = "NORMAL") -> None:
        self.db = Database(
            path,
            what="hitl dataset",
            format=FORMAT,
            schema=SCHEMA,
            migrations=MIGRATIONS,
            synchronous=synchronous,
        )
        self.path = path

    def __enter__(self) -> "Dataset":
        self.db.open()
        return self

    def __exit__(self, *args: object) -> None:
        self.db.close()

    def add_rows(self, rows: Sequence[Row], lanes: LaneSettings) -> int:
        """Store rows and their texts; all of them or none.

        rows (Sequence[Row]): Checked rows of one source.
        lanes (LaneSettings): Shares for texts that bring no lane of their own.
        RETURNS (int): How many texts were new. A row that is stored already is left as it is.
        RAISES (InputError): If a row is stored with another text, or its text in another lane.
        """
        before = self.count("texts")
        with self.db.transaction():
            for row in rows:
                self._add_row(row, lanes)
        return self.count("texts") - before

    def _add_row(self, row: Row, lanes: LaneSettings) -> None:
        digest, where = text_digest(row.text), f"{row.source}, id {row.id}"
        stored = self.db.first(
            "SELECT digest FROM rows WHERE source = ? AND id = ?", (row.source, row.id)
        )
        if stored is not None and stored[0] != digest:
            raise InputError(Errors.H053.format(where=where, id=row.id, source=row.source))
        known = self.db.first("SELECT lane FROM texts WHERE digest = ?", (digest,))
        if known is None:
            normal = normal_digest(row.text)
            lane, source = self._lane_of(row, normal, lanes)
            self.db.run(
                "INSERT INTO texts VALUES (?, ?, ?, ?, ?)", (digest, row.text, normal, lane, source)
            )
        elif row.lane not in (None, known[0]):
            raise InputError(
                Errors.H055.format(where=where, id=row.id, stored=known[0], lane=row.lane)
            )
        if stored is None:
            meta = canonical_json(row.meta or {})
            self.db.run("INSERT INTO rows VALUES (?, ?, ?, ?)", (row.source, row.id, digest, meta))

    def _lane_of(self, row: Row, normal: str, lanes: LaneSettings) -> Tuple[str, str]:
        if row.lane is not None:
            return row.lane, "file"
        near = self.db.first(
            "SELECT lane FROM texts WHERE normal = ? ORDER BY lane = 'gold' DESC", (normal,)
        )
        if near is not None:
            return near[0], "drawn"
        return draw_lane(normal, gold=lanes.gold, dev=lanes.dev, salt=lanes.salt), "drawn"

    def find_text(self, row_id: str, *, source: Optional[str] = None) -> Optional[str]:
        """RETURNS (Optional[str]): Digest of the text of a row, if the id names exactly one."""
        found = {
            digest
            for (digest,) in self.db.rows(
                "SELECT digest FROM rows WHERE id = ? AND (? IS NULL OR source = ?)",
                (row_id, source, source),
            )
        }
        return found.pop() if len(found) == 1 else None

    def lane(self, digest: str) -> Optional[str]:
        """RETURNS (Optional[str]): The lane of a text, or None if it is not stored."""
        row = self.db.first("SELECT lane FROM texts WHERE digest = ?", (digest,))
        return None if row is None else str(row[0])

    def text(self, digest: str) -> str:
        """RETURNS (str): The text with this digest."""
        return str(self.db.one("SELECT text FROM texts WHERE digest = ?", (digest,))[0])

    def texts_without(
        self, keys: Dict[str, Tuple[str, int, str]], *, lanes: Sequence[str]
    ) -> List[str]:
        """Find the texts for which a proposal is still missing, in the order they were stored.

        keys (Dict[str, Tuple[str, int, str]]): Source, sample and task digest by task name.
        lanes (Sequence[str]): The lanes to look in.
        RETURNS (List[str]): Their digests. A failed proposal counts as missing.
        """
        marks = ", ".join("?" for _ in lanes)
        missing = " OR ".join(
            "NOT EXISTS (SELECT 1 FROM proposals p WHERE p.task = ? AND p.digest = t.digest"
            " AND p.source = ? AND p.sample = ? AND p.task_digest = ? AND p.status <> 'failed')"
            for _ in keys
        )
        values: List[Any] = [*lanes]
        for task, key in keys.items():
            values.extend((task, *key))
        rows = self.db.rows(
            f"SELECT t.digest FROM texts t WHERE t.lane IN ({marks}) AND ({missing})"  # noqa: S608
            " ORDER BY t.rowid",
            values,
        )
        return [digest for (digest,) in rows]

    def add_proposals(self, proposals: Iterable[Proposal]) -> None:
        """Store proposals, all or none. One that is stored already stays, unless it had failed."""
        with self.db.transaction():
            for p in proposals:
                self.db.run(
                    "INSERT INTO proposals VALUES (?, ?, ?, ?, ?, ?, ?)"
                    " ON CONFLICT DO UPDATE SET status = excluded.status, record = excluded.record"
                    " WHERE proposals.status = 'failed'",
                    (
                        p.text_digest,
                        p.task,
                        p.source,
                        p.sample,
                        p.task_digest,
                        p.status,
                        canonical_json(p.to_dict()),
                    ),
                )

    def add_decisions(self, decisions: Sequence[Decision]) -> int:
        """Append decisions, all or none.

        decisions (Sequence[Decision]): What was decided.
        RETURNS (int): How many were new: one whose uid is stored for this text and task, or one
            without a uid that equals the annotator's last decision on the same text and task in
            everything but time, is not stored again.
        """
        added = 0
        with self.db.transaction():
            for d in decisions:
                if d.uid is None and self._is_known(d):
                    continue
                record = canonical_json(d.to_dict())
                added += self.db.run(
                    "INSERT INTO decisions (digest, task, annotator, time, record, uid)"
                    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    (d.text_digest, d.task, d.annotator, d.time, record, d.uid),
                ).rowcount
        return added

    def _is_known(self, d: Decision) -> bool:
        last = self.db.first(
            "SELECT record FROM decisions WHERE task = ? AND digest = ? AND annotator = ?"
            " ORDER BY id DESC",
            (d.task, d.text_digest, d.annotator),
        )
        return last is not None and _same_decision(Decision.from_dict(self.db.load(last[0])), d)

    def proposals(self, task: str, digest: str) -> List[Proposal]:
        """RETURNS (List[Proposal]): All proposals for a text, sorted by source and sample."""
        rows = self.db.rows(
            "SELECT record FROM proposals WHERE task = ? AND digest = ?"
            " ORDER BY source, sample, task_digest",
            (task, digest),
        )
        return [Proposal.from_dict(self.db.load(record)) for (record,) in rows]

    def decisions(self, task: str, digest: str) -> List[Decision]:
        """RETURNS (List[Decision]): All decisions on a text, oldest first."""
        rows = self.db.rows(
            "SELECT record FROM decisions WHERE task = ? AND digest = ? ORDER BY id",
            (task, digest),
        )
        return [Decision.from_dict(self.db.load(record)) for (record,) in rows]

    def row_meta(self, digest: str) -> List[Tuple[str, Dict[str, Any]]]:
        """RETURNS (List[Tuple[str, Dict[str, Any]]]): Source and meta of the rows of a text."""
        query = "SELECT DISTINCT source, meta FROM rows WHERE digest = ? ORDER BY source, meta"
        found = self.db.rows(query, (digest,))
        return [(source, self.db.load(meta)) for source, meta in found]

    def texts(self, *, lanes: Sequence[str]) -> Iterator[Tuple[str, str, str, str]]:
        """YIELDS (Tuple[str, str, str, str]): Digest, text, normal digest, lane; by digest."""
        marks = ", ".join("?" for _ in lanes)
        yield from self.db.rows(
            f"SELECT digest, text, normal, lane FROM texts WHERE lane IN ({marks})"  # noqa: S608
            " ORDER BY digest",
            list(lanes),
        )

    def normals(self, lane: str) -> "set[str]":
        """RETURNS (set[str]): Digests of the normalised texts of a lane."""
        return {n for (n,) in self.db.rows("SELECT normal FROM texts WHERE lane = ?", (lane,))}

    def normal_counts(self, lane: str) -> Iterator[Tuple[str, int]]:
        """YIELDS (Tuple[str, int]): Digests of the normalised texts of a lane, and how many have
        each.
        """
        return self.db.rows(
            "SELECT normal, count(*) FROM texts WHERE lane = ? GROUP BY normal", (lane,)
        )

    def count(self, table: str) -> int:
        """RETURNS (int): Number of texts, rows, proposals or decisions."""
        if table not in ("texts", "rows", "proposals", "decisions"):
            raise ValueError(table)
        return int(self.db.one(f"SELECT count(*) FROM {table}")[0])  # noqa: S608

    def tally(self, table: str, *columns: str) -> Dict[Tuple[Any, ...], int]:
        """RETURNS (Dict[Tuple[Any, ...], int]): Row counts by the values of some columns."""
        names = ", ".join(columns)
        rows = self.db.rows(f"SELECT {names}, count(*) FROM {table} GROUP BY {names}")  # noqa: S608
        return {tuple(row[:-1]): row[-1] for row in rows}


def _same_decision(one: Decision, other: Decision) -> bool:
    def plain(d: Decision) -> Dict[str, Any]:
        return {k: v for k, v in d.to_dict().items() if k not in ("time", "seconds")}

    return plain(one) == plain(other)
