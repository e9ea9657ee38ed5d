"""Who may read what is written, and links that somebody else put in its place."""

import os
from pathlib import Path
from typing import Any, Iterator, Set

import pytest

from spacy_hitl.annotate.run import annotate
from spacy_hitl.apply.folders import locked
from spacy_hitl.exchange.run import export_all, export_corpora, import_file
from spacy_hitl.io import PRIVATE, open_lock, write_atomic, write_bytes, write_json, write_jsonl
from spacy_hitl.promote.switch import locked as promoting
from spacy_hitl.records import TaskHeader
from spacy_hitl.scoring.outputs import write_outputs
from spacy_hitl.sqlite import Database

SCHEMA = "CREATE TABLE things (name TEXT);"


@pytest.fixture(params=[0o022, 0o077], ids=["umask-022", "umask-077"])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield int(request.param)
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def modes(folder: Path) -> Set[int]:
    found = {mode(path) for path in folder.rglob("*") if path.is_file()}
    assert found
    return found


def test_what_is_private_whatever_the_umask(umask: int, tmp_path: Path) -> None:
    """SQLite gives its -wal and -shm, which hold texts too, the mode of the file itself."""
    database = Database(tmp_path / "db/x.db", what="hitl test", format=1, schema=SCHEMA)
    database.open()
    with database.transaction():
        database.run("INSERT INTO things VALUES ('x')")
    names = {"x.db", "x.db-wal", "x.db-shm", "x.db.lock"}
    assert {path.name for path in (tmp_path / "db").iterdir()} == names
    assert modes(tmp_path / "db") == {0o600}
    database.close()
    write_outputs(tmp_path / "outputs/x.jsonl", TaskHeader("x", "ner", ("A",), "d"), [])
    assert modes(tmp_path / "outputs") == {0o600}
    with locked(tmp_path / "lock", name="x"):
        assert mode(tmp_path / "lock") == 0o600


def test_what_is_passed_on_follows_the_umask(umask: int, tmp_path: Path) -> None:
    write_bytes(tmp_path / "out/a", b"x")
    write_json(tmp_path / "out/b", 1)
    write_jsonl(tmp_path / "out/c", [{}])
    assert modes(tmp_path / "out") == {0o666 & ~umask}


def test_a_file_is_never_open_to_others_while_it_is_written(tmp_path: Path) -> None:
    with write_atomic(tmp_path / "x", mode=PRIVATE) as file_:
        file_.write(b"a text")
        file_.flush()
        assert modes(tmp_path) == {0o600}


def test_a_project(project: Any) -> None:
    before = os.umask(0o022)
    try:
        annotate(project.config, project.texts)
        import_file(project.config, project.reference)
        export_corpora(project.config)
        export_all(project.config, Path("all.jsonl"))
    finally:
        os.umask(before)
    assert modes(Path("datasets")) == {0o600}
    assert modes(Path("corpus")) == {0o644} == {mode(Path("all.jsonl"))}


# Links


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "out.json").symlink_to(victim)
    write_json(tmp_path / "out.json", {"new": 1})
    assert victim.read_text() == "precious"
    assert not (tmp_path / "out.json").is_symlink()


def test_a_lock_that_is_a_link_is_refused(tmp_path: Path, fails: Any) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    for name in ("x.db.lock", "lock", ".promote.lock"):
        (tmp_path / name).symlink_to(victim)
        with pytest.raises(OSError, match="symbolic"):
            open_lock(tmp_path / name)
    database = Database(tmp_path / "x.db", what="hitl test", format=1, schema=SCHEMA)
    with fails("H060", "x.db"):
        database.open()
    with fails("H007", "lock"), locked(tmp_path / "lock", name="x"):
        pass
    assert victim.read_text() == "precious"
    assert not (tmp_path / "x.db").exists()


def test_a_lock_for_promotion_that_is_a_link_is_refused(tmp_path: Path, fails: Any) -> None:
    from spacy_hitl.promote.switch import LOCK

    (tmp_path / "versions").mkdir()
    (tmp_path / "versions" / LOCK).symlink_to(tmp_path / "new")
    with (
        fails("H007", "phones"),
        promoting(tmp_path / "pipelines/phones", tmp_path / "versions"),
    ):
        pass
    assert not (tmp_path / "new").exists()


def test_a_lock_keeps_its_content(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("something")
    open_lock(tmp_path / "lock").close()
    assert (tmp_path / "lock").read_text() == "something"
