"""A thin hand on sqlite3: one writing process per file, versioned, errors a user understands."""

import fcntl
import json
import os
import sqlite3
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Dict, Iterator, List, Literal, Mapping, Optional, Sequence, Tuple

from .errors import Errors, StateError
from .io import PRIVATE, open_lock, remedy_for


class Database:
    """One SQLite file in WAL mode.

    path (Path): The file; made with its folder when first opened for writing.
    what (str): What the file is, for error messages.
    format (int): Version of the schema, kept in the file's user_version.
    schema (str): SQL that makes a new file.
    migrations (Mapping[int, str]): SQL that takes a file of an older format to the next one.
    synchronous (str): "NORMAL": a killed process loses nothing; "FULL": nor does a power cut.
    """

    def __init__(
        self,
        path: Path,
        *,
        what: str,
        format: int,
        schema: str,
        migrations: Optional[Mapping[int, str]] = None,
        synchronous: Literal["NORMAL", "FULL"] = "NORMAL",
    ) -> None:
        self.path = path
        self.what = what
        self.format = format
        self.schema = schema
        self.migrations = dict(migrations or {})
        self.synchronous = synchronous
        self._connection: Optional[sqlite3.Connection] = None
        self._lock: Optional[IO[bytes]] = None
        self._turn = threading.RLock()  # answers are written from the thread that receives them

    def open(self, *, readonly: bool = False) -> None:
        """Open the file, make it if it is not there.

        readonly (bool): Never write, never make a file, take no lock. Only a file of an older
            format is brought to the present one first.
        RAISES (StateError): If another process writes to it, it is of a newer version, or no
            database of this kind.
        """
        try:
            if readonly:
                if not self.path.exists():
                    raise StateError(Errors.H057.format(path=self.path))
            else:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._take_lock()
                # Private before SQLite writes to it; what it puts beside it gets the same mode.
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, PRIVATE))
            self._connection = sqlite3.connect(
                self.path, isolation_level=None, timeout=10, check_same_thread=False
            )
            if not readonly and not self._has_tables():
                self.path.chmod(PRIVATE)
                self.run("PRAGMA journal_mode = WAL")
                self._create()
            self.run(f"PRAGMA synchronous = {self.synchronous}")
            self.run("PRAGMA trusted_schema = OFF")  # the file may come from anywhere
            if self._check_format() < self.format:
                self._upgrade(readonly=readonly)
        except (sqlite3.Error, OSError) as e:
            self.close()
            raise self._error(e) from e
        except StateError:
            self.close()
            raise

    def close(self) -> None:
        """Close the file and give the lock back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written inside is stored, or nothing of it. Inside another, part of that.

        RAISES (StateError): If the disk is full or the file can't be written.
        """
        with self._turn:
            if self._connection is not None and self._connection.in_transaction:
                yield
                return
            self.run("BEGIN IMMEDIATE")
            try:
                yield
                self.run("COMMIT")
            except BaseException:
                if self._connection is not None and self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def run(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """RETURNS (sqlite3.Cursor): The executed statement."""
        if self._connection is None:
            raise StateError(Errors.H051.format(path=self.path, what=self.what, detail="closed"))
        try:
            return self._connection.execute(sql, values)
        except (sqlite3.Error, UnicodeError) as e:
            raise self._error(e) from e

    def rows(self, sql: str, values: Sequence[Any] = ()) -> Iterator[Tuple[Any, ...]]:
        """YIELDS (Tuple[Any, ...]): The rows of a query, as they are read."""
        cursor = self.run(sql, values)
        while chunk := self._fetch(cursor, 500):
            yield from chunk

    def first(self, sql: str, values: Sequence[Any] = ()) -> Optional[Tuple[Any, ...]]:
        """RETURNS (Optional[Tuple[Any, ...]]): The first row of a query, if there is one. Waits for
        a transaction of another thread: what that has not stored yet is not there.
        """
        with self._turn:
            return next(iter(self._fetch(self.run(sql, values), 1)), None)

    def one(self, sql: str, values: Sequence[Any] = ()) -> Tuple[Any, ...]:
        """RETURNS (Tuple[Any, ...]): The row of a query that always has one."""
        row = self.first(sql, values)
        if row is None:
            raise self._damaged("what it refers to is not in it")
        return row

    def load(self, value: Any) -> Dict[str, Any]:
        """Read a JSON object out of a column.

        value (Any): The column's value.
        RETURNS (Dict[str, Any]): The object.
        RAISES (StateError): If the file is damaged there.
        """
        try:
            found = json.loads(value)
        except (TypeError, ValueError, RecursionError) as e:
            raise self._damaged(f"a record in it is not JSON: {e}") from e
        if not isinstance(found, dict):
            raise self._damaged(f"a record in it is {type(found).__name__}")
        return found

    def _fetch(self, cursor: sqlite3.Cursor, size: int) -> List[Tuple[Any, ...]]:
        try:
            return cursor.fetchmany(size)
        except (sqlite3.Error, UnicodeError) as e:
            raise self._error(e) from e

    def _take_lock(self) -> None:
        lock = open_lock(self.path.with_name(f"{self.path.name}.lock"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            lock.close()
            detail = "it holds the lock file"
            raise StateError(Errors.H062.format(path=self.path, detail=detail)) from e
        self._lock = lock

    def _has_tables(self) -> bool:
        return bool(self.one("SELECT count(*) FROM sqlite_master")[0])

    def _create(self) -> None:
        with self.transaction():
            self._run_script(self.schema)
            self.run(f"PRAGMA user_version = {self.format}")
            self.run(f"PRAGMA application_id = {_application_id(self.what)}")

    def _upgrade(self, *, readonly: bool) -> None:
        """Bring a file of an older format to the present one: all steps or none."""
        if readonly:
            self._take_lock()  # whoever holds it has upgraded the file already, or is about to
        with self.transaction():
            for step in range(self._check_format(), self.format):
                self._run_script(self.migrations[step])
            self.run(f"PRAGMA user_version = {self.format}")
        if readonly and self._lock is not None:
            self._lock.close()
            self._lock = None

    def _run_script(self, script: str) -> None:
        statement = ""
        for line in script.splitlines(keepends=True):
            statement += line
            if sqlite3.complete_statement(statement):
                self.run(statement)
                statement = ""

    def _check_format(self) -> int:
        """RETURNS (int): The format of the file: the present one or an older one."""
        if self.one("PRAGMA application_id")[0] != _application_id(self.what):
            detail = "it holds other tables"
            raise StateError(Errors.H051.format(path=self.path, what=self.what, detail=detail))
        found = self.one("PRAGMA user_version")[0]
        if found > self.format:
            raise StateError(Errors.H050.format(path=self.path, found=found, known=self.format))
        return int(found)

    def _damaged(self, detail: object) -> StateError:
        return StateError(Errors.H051.format(path=self.path, what=self.what, detail=detail))

    def _error(self, error: Exception) -> StateError:
        signs = ("not a database", "malformed", "Could not decode to UTF-8")
        broken = isinstance(error, sqlite3.DatabaseError) and any(s in str(error) for s in signs)
        # SQLite's own message can quote damaged bytes, which are no UTF-8 either.
        if broken or isinstance(error, UnicodeDecodeError):
            return self._damaged(error)
        if "locked" in str(error):
            return StateError(Errors.H062.format(path=self.path, detail=error))
        remedy = remedy_for(error)
        return StateError(Errors.H060.format(path=self.path, detail=error, remedy=remedy))


def _application_id(what: str) -> int:
    return int.from_bytes(what.encode("ascii")[:4], "big") & 0x7FFFFFFF
