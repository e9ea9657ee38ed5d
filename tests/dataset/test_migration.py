"""A dataset of an older format is brought to the present one, with everything in it."""

import json
import sqlite3

import pytest

from spacy_hitl.dataset.store import FORMAT, Dataset
from spacy_hitl.records import Decision

# The schema of format 1, as it was released.
FORMAT_1 = """
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
    record TEXT NOT NULL
);
CREATE INDEX decisions_text ON decisions (task, digest);
CREATE TRIGGER decisions_are_never_changed BEFORE UPDATE ON decisions
    BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
CREATE TRIGGER decisions_are_never_removed BEFORE DELETE ON decisions
    BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
PRAGMA user_version = 1;
"""
OLD = Decision("d1", "product", "accept", "ann", "person", "t1", time=1.0)


@pytest.fixture
def old_file(tmp_path):
    path = tmp_path / "hitl.db"
    db = sqlite3.connect(path)
    db.executescript(FORMAT_1)
    db.execute(f"PRAGMA application_id = {int.from_bytes(b'hitl', 'big')}")
    db.execute("INSERT INTO texts VALUES ('d1', 'a text', 'n1', 'train', 'file')")
    db.execute(
        "INSERT INTO decisions (digest, task, annotator, time, record) VALUES (?, ?, ?, ?, ?)",
        ("d1", "product", "ann", 1.0, json.dumps(OLD.to_dict())),
    )
    db.commit()
    db.close()
    return path


def schema_of(path):
    db = sqlite3.connect(path)
    found = db.execute("SELECT type, name FROM sqlite_master ORDER BY name").fetchall()
    columns = {name: db.execute(f"PRAGMA table_info({name})").fetchall() for _, name in found}
    db.close()
    return found, columns


@pytest.mark.parametrize("readonly", [True, False])
def test_an_old_file_is_upgraded_and_keeps_everything(old_file, tmp_path, readonly):
    dataset = Dataset(old_file)
    dataset.db.open(readonly=readonly)
    assert dataset.db.one("PRAGMA user_version")[0] == FORMAT
    assert dataset.decisions("product", "d1") == [OLD]
    dataset.db.close()
    with Dataset(tmp_path / "new.db"):
        pass
    assert schema_of(old_file) == schema_of(tmp_path / "new.db")


def test_an_upgrade_that_fails_changes_nothing(old_file, fails):
    db = sqlite3.connect(old_file)
    db.execute("CREATE TABLE leases (x)")  # in the way of the last steps
    db.commit()
    db.close()
    before = schema_of(old_file)
    with fails("H060", old_file), Dataset(old_file):
        pass
    assert schema_of(old_file) == before


def test_an_answer_is_stored_once_whoever_sends_it_again(old_file):
    answer = Decision("d1", "product", "accept", "bo", "person", "t1", uid="u1", time=2.0)
    with Dataset(old_file) as dataset:
        assert dataset.add_decisions([answer, answer]) == 1
        assert dataset.add_decisions([answer]) == 0
        other_task = Decision("d1", "link", "accept", "bo", "person", "t2", uid="u1", time=2.0)
        assert dataset.add_decisions([other_task]) == 1
        # The same decision in a new answer is one: the person said it twice.
        again = Decision("d1", "product", "accept", "bo", "person", "t1", uid="u2", time=3.0)
        assert dataset.add_decisions([again]) == 1
