"""Results in a database. A shard is one transaction: its rows and that it is done, or nothing."""

import json
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from spacy.tokens import Doc
from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.engine import URL

from ...errors import Errors, StateError
from ...io import batched, json_digest
from ...records import AppliedTo, FailedRow, Row
from ..found import doc_to_record
from ..sinks import ERRORS, Add, Records
from .connect import SQLITE, connected, make_tables, masked, only_run, read_url
from .tables import failures, notes, row_key, rows, runs, shards
from .values import Values, plain, to_values
from .writing import AT_ONCE, add_failures, write_shard

FORM = "database"


@dataclass(frozen=True)
class DatabaseSink:
    """A database, and the run whose results it takes.

    url: with the password, so it is never shown. name: the same without. run: empty until
    `prepared`. source: name of the texts.
    """

    url: URL = field(repr=False)
    name: str
    run: str = ""
    pipeline_digest: str = ""
    source: str = ""
    form = FORM

    @classmethod
    def open(cls, value: str) -> "DatabaseSink":
        """RETURNS (DatabaseSink): A database by its URL. Nothing is opened yet.
        RAISES (InputError): If it is none.
        """
        url = read_url(value)
        name = masked(url)
        if url.drivername == SQLITE:  # workers may have another current folder
            url = url.set(database=str(Path(url.database or "").absolute()))
        return cls(url, name)

    @property
    def errors(self) -> str:
        """Where rows without results are listed."""
        return f"the table {failures.name} of {self.name}"

    @contextmanager
    def prepared(
        self, applied: AppliedTo, meta: Mapping[str, Any], *, overwrite: bool
    ) -> Iterator["DatabaseSink"]:
        """Make the tables and the run, or go on with it.

        applied (AppliedTo): What the results are of.
        meta (Mapping[str, Any]): Of the pipeline: name, version, lineage.
        overwrite (bool): Remove what the pipeline found in the same source.
        YIELDS (DatabaseSink): The sink of this run. No other run over the same source with the same
            pipeline can begin meanwhile.
        RAISES (InputError): If another run is at it, or the tables are somebody else's.
        RAISES (StateError): If the database can't be used.
        """
        run = run_id(applied)
        sink = replace(
            self, run=run, pipeline_digest=applied.pipeline_digest, source=applied.source
        )
        with connected(self.url) as engine, only_run(self.url, engine, _lock_number(applied)):
            make_tables(self.url, engine)
            with engine.begin() as connection:
                _begin_run(connection, run, applied, meta, overwrite=overwrite)
            yield sink

    def done(self) -> Set[int]:
        """RETURNS (Set[int]): Numbers of the finished shards."""
        with connected(self.url) as engine, engine.connect() as connection:
            return set(
                connection.scalars(select(shards.c.shard).where(shards.c.run_id == self.run))
            )

    @contextmanager
    def shard(self, number: int) -> Iterator[Add]:
        """YIELDS (Add): Takes a row and its document; all are written once the block ends."""
        taken: List[Values] = []

        def add(row: Row, doc: Doc, records: Optional[Records]) -> None:
            found = doc_to_record(doc, row)
            taken.append(to_values(found, records, self.run, number, self.pipeline_digest))

        yield add
        with connected(self.url) as engine, engine.begin() as connection:
            self._take_turn(connection)
            write_shard(connection, self.run, number, taken)

    def _take_turn(self, connection: Connection) -> None:
        """Let no other process write to the run before this transaction ends.

        RAISES (StateError): If another run has taken the place of this one.
        """
        query = select(runs.c.superseded_by).where(runs.c.run_id == self.run).with_for_update()
        found = connection.execute(query).one_or_none()
        if found is None or found[0] is not None:
            raise StateError(Errors.H615.format(url=self.name))

    def note(self, number: int, kind: str, notes_: Sequence[Mapping[str, Any]]) -> None:
        """Keep what has to be known of a shard, in place of earlier notes of the kind."""
        content = json.dumps([dict(note) for note in notes_], sort_keys=True)
        with connected(self.url) as engine, engine.begin() as connection:
            self._take_turn(connection)
            if connection.scalar(self._done(number)) is not None:
                return  # by another process that was believed dead
            if kind == ERRORS:
                connection.execute(delete(failures).where(*_of(failures, self.run, number)))
                found = [FailedRow.from_dict(note, where=self.name) for note in notes_]
                add_failures(connection, self.run, number, found)
                self._drop_stale(connection, found)
                return
            connection.execute(
                delete(notes).where(*_of(notes, self.run, number), notes.c.kind == kind)
            )
            values = {"run_id": self.run, "shard": number, "kind": kind, "content": content}
            connection.execute(insert(notes), values)

    def _drop_stale(self, connection: Connection, failed: Sequence[FailedRow]) -> None:
        """Remove what an earlier run found for rows that have no results now."""
        keys = [
            row_key(self.source, one.id, self.pipeline_digest)
            for one in failed
            if one.id is not None
        ]
        for some in batched(keys, AT_ONCE):
            connection.execute(
                delete(rows).where(rows.c.row_key.in_(some), rows.c.run_id != self.run)
            )

    def _done(self, number: int) -> Any:
        return select(shards.c.shard).where(*_of(shards, self.run, number))

    def notes(self, kind: str, numbers: Sequence[int]) -> Iterator[Tuple[str, Dict[str, Any]]]:
        """YIELDS (Tuple[str, Dict[str, Any]]): Place and content."""
        wanted = set(numbers)
        table = failures if kind == ERRORS else notes
        query = select(table).where(table.c.run_id == self.run).order_by(*table.primary_key)
        if kind != ERRORS:
            query = query.where(notes.c.kind == kind)
        with connected(self.url) as engine, engine.connect() as connection:
            found = [dict(one) for one in connection.execute(query).mappings()]
        for one in found:
            if one["shard"] in wanted:
                where = f"{self.name}, shard {one['shard']}"
                for content in _contents(one):
                    yield where, content

    def forget(self, kind: str, numbers: Sequence[int]) -> None:
        """Remove notes."""
        gone = delete(notes).where(notes.c.run_id == self.run, notes.c.kind == kind)
        with connected(self.url) as engine, engine.begin() as connection:
            for some in batched(numbers, AT_ONCE):
                connection.execute(gone.where(notes.c.shard.in_(some)))

    def finish(self, failed: Sequence[FailedRow], *, rows: int) -> None:
        """Write down that the run has ended. The rows without results are listed already."""
        values = {"source_rows": rows, "finished": _now()}
        with connected(self.url) as engine, engine.begin() as connection:
            connection.execute(update(runs).where(runs.c.run_id == self.run).values(values))


def _contents(note: Mapping[str, Any]) -> List[Dict[str, Any]]:
    if "content" in note:
        found: List[Dict[str, Any]] = json.loads(note["content"])
        return found
    return [FailedRow(note["place"], note["reason"], id=note["id"]).to_dict()]


def run_id(applied: AppliedTo) -> str:
    """RETURNS (str): The key of a run: what is done in it, wherever the pipeline lies."""
    return json_digest({**asdict(applied), "pipeline": None})[:32]


def _lock_number(applied: AppliedTo) -> int:
    return int(json_digest([applied.source, applied.pipeline_digest])[:15], 16)


def _of(table: Any, run: str, number: int) -> Tuple[Any, Any]:
    return table.c.run_id == run, table.c.shard == number


def _now() -> float:
    return datetime.now(UTC).timestamp()


def _begin_run(
    connection: Connection,
    run: str,
    applied: AppliedTo,
    meta: Mapping[str, Any],
    *,
    overwrite: bool,
) -> None:
    same = (
        runs.c.source == plain(applied.source),
        runs.c.pipeline_digest == applied.pipeline_digest,
    )
    if overwrite:
        mine = delete(rows).where(rows.c.source == plain(applied.source))
        connection.execute(mine.where(rows.c.pipeline_digest == applied.pipeline_digest))
        connection.execute(delete(runs).where(*same))
    others = select(runs.c.run_id).where(*same, runs.c.run_id != run)
    for table in (shards, failures, notes):
        # Its rows are replaced one by one from now on: what it had done is not there any more.
        connection.execute(delete(table).where(table.c.run_id.in_(others)))
    connection.execute(
        update(runs).where(*same, runs.c.run_id != run).values(superseded_by=run, finished=None)
    )
    if connection.scalar(select(runs.c.run_id).where(runs.c.run_id == run)) is None:
        options = {k: v for k, v in asdict(applied).items() if k not in runs.c and k != "form"}
        values = {
            "run_id": run,
            "pipeline": plain(applied.pipeline),
            "pipeline_name": plain(str(meta.get("name", ""))),
            "pipeline_version": plain(str(meta.get("version", ""))),
            "pipeline_digest": applied.pipeline_digest,
            "lineage": json.dumps(meta.get("hitl", {}), sort_keys=True),
            "source": plain(applied.source),
            "source_digest": applied.source_digest,
            "source_bytes": applied.source_bytes,
            "options": json.dumps(options, sort_keys=True),
            "started": _now(),
        }
        connection.execute(insert(runs), values)
    else:
        connection.execute(update(runs).where(runs.c.run_id == run).values(superseded_by=None))
