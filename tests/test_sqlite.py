"""SQLite: transactions, one writer, versions, foreign files, full disks."""

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any, List

import pytest

from spacy_hitl.sqlite import Database

SCHEMA = "CREATE TABLE things (name TEXT NOT NULL, size INTEGER CHECK (size > 0));"


def make(path: Path, *, what: str = "hitl test", format: int = 3) -> Database:
    return Database(path, what=what, format=format, schema=SCHEMA)


@pytest.fixture
def database(tmp_path: Path) -> Any:
    db = make(tmp_path / "data" / "things.db")
    db.open()
    yield db
    db.close()


def names(db: Database) -> List[str]:
    return [name for (name,) in db.rows("SELECT name FROM things ORDER BY rowid")]


def add(db: Database, *values: str) -> None:
    with db.transaction():
        for name in values:
            db.run("INSERT INTO things VALUES (?, 1)", (name,))


def test_a_new_file_is_private_and_versioned(database: Database) -> None:
    assert database.path.stat().st_mode & 0o777 == 0o600
    assert database.one("PRAGMA user_version") == (3,)
    assert database.one("PRAGMA journal_mode") == ("wal",)


def test_transaction_is_all_or_nothing(database: Database, fails: Any) -> None:
    add(database, "kept")
    with pytest.raises(ZeroDivisionError), database.transaction():
        add(database, "lost")  # a transaction inside another is part of it
        raise ZeroDivisionError
    with fails("H060", database.path, "CHECK"), database.transaction():
        add(database, "lost too")
        database.run("INSERT INTO things VALUES ('x', 0)")
    assert names(database) == ["kept"]
    add(database, "next")
    assert names(database) == ["kept", "next"]


def test_rows_are_all_read(database: Database) -> None:
    wanted = [str(i) for i in range(1203)]
    add(database, *wanted)
    assert names(database) == wanted
    assert database.first("SELECT name FROM things WHERE name = 'no'") is None


def test_what_sqlite_cannot_hold_is_an_error_of_ours(database: Database, fails: Any) -> None:
    with fails("H060", database.path, "surrogates not allowed"):
        add(database, "\ud800")
    assert names(database) == []


def test_a_closed_database_says_so(tmp_path: Path, fails: Any) -> None:
    with fails("H051", "closed"):
        make(tmp_path / "x.db").run("SELECT 1")


def test_one_writer(database: Database, fails: Any) -> None:
    with fails("H062", database.path, "in use"):
        make(database.path).open()
    reader = make(database.path)
    reader.open(readonly=True)
    add(database, "seen")
    assert names(reader) == ["seen"]
    reader.close()
    database.close()
    second = make(database.path)
    second.open()
    second.close()


def test_one_writer_among_processes(database: Database) -> None:
    program = (
        "import sys; from pathlib import Path; from spacy_hitl.sqlite import Database\n"
        "db = Database(Path(sys.argv[1]), what='hitl test', format=3, schema='')\n"
        "try: db.open()\n"
        "except Exception as e: print(e)"
    )
    command = [sys.executable, "-c", program, str(database.path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert answer.startswith("[H062]")
    database.close()  # the lock goes with its holder
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == ""


def test_readonly_needs_a_file_and_makes_none(tmp_path: Path, fails: Any) -> None:
    with fails("H057", tmp_path / "no.db"):
        make(tmp_path / "no.db").open(readonly=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("readonly", [False, True])
def test_a_newer_version_is_left_alone(readonly: bool, tmp_path: Path, fails: Any) -> None:
    path = tmp_path / "new.db"
    newer = make(path, format=4)
    newer.open()
    newer.close()
    before = path.read_bytes()
    with fails("H050", path, "format 4", "up to 3", "pip install --upgrade"):
        make(path).open(readonly=readonly)
    assert path.read_bytes() == before


@pytest.mark.parametrize("readonly", [False, True])
def test_foreign_files_are_left_alone(readonly: bool, tmp_path: Path, fails: Any) -> None:
    foreign, other, text = (tmp_path / name for name in ("foreign.db", "other.db", "text.db"))
    connection = sqlite3.connect(foreign)
    connection.execute("CREATE TABLE mine (x)")
    connection.close()
    db = make(other, what="response store")
    db.open()
    db.close()
    text.write_text("just some text\n" * 50)
    for path in (foreign, other, text):
        before = path.read_bytes()
        with fails("H051", path, "hitl test", "Nothing was changed"):
            make(path).open(readonly=readonly)
        assert path.read_bytes() == before


def test_a_damaged_file_is_named(tmp_path: Path, fails: Any) -> None:
    db = make(tmp_path / "broken.db")
    db.open()
    add(db, *(f"{i}" * 50 for i in range(2000)))
    db.close()
    content = bytearray(db.path.read_bytes())
    content[8192:] = b"\x99" * (len(content) - 8192)
    db.path.write_bytes(content)
    with fails("H051", db.path, "malformed"):
        db.open()
        names(db)
    db.close()


def test_a_full_disk_loses_nothing(small_disk: Any, fails: Any) -> None:
    db = make(small_disk.folder / "things.db")
    db.open()
    add(db, "one", "two")
    small_disk.fill()
    with fails("H060", db.path, "Free some disk space"):
        add(db, *("x" * 1000 for _ in range(3000)))
    assert names(db) == ["one", "two"]
    small_disk.free()
    db.close()
    db.open()
    assert db.one("PRAGMA integrity_check") == ("ok",)
    add(db, "three")
    assert names(db) == ["one", "two", "three"]
    db.close()


def test_a_full_disk_when_the_file_is_made(small_disk: Any, fails: Any) -> None:
    db = make(small_disk.folder / "things.db")
    small_disk.fill()
    with fails("H060", db.path, "Free some disk space"):
        db.open()
    small_disk.free()
    db.open()
    add(db, "one")
    assert names(db) == ["one"]
    db.close()
