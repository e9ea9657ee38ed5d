"""Results in a database: the same as in files, each once, and nothing shown or run as SQL."""

import fcntl
import json
import pickle
import sqlite3
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
import srsly
from apply_world import make_pipeline, make_texts, results, write
from database_world import query, tables
from spacy.util import load_config
from typer.testing import CliRunner

from spacy_hitl.apply.database.sink import DatabaseSink
from spacy_hitl.apply.engines import run_here
from spacy_hitl.apply.run import apply
from spacy_hitl.cli import hitl_cli
from spacy_hitl.io import folder_digest, text_digest

New = Callable[[str], str]


def command(*words: Any) -> Any:
    return CliRunner().invoke(hitl_cli, ["apply", *map(str, words)])


def test_the_same_as_in_files(new_database: New) -> None:
    texts = make_texts(23)
    texts[3] = " "
    url = new_database("found")
    summary = apply("pipeline", write(texts), url, shard_rows=5)
    apply("pipeline", Path("texts.jsonl"), Path("out"), shard_rows=5)
    records = {r["id"]: r for r in results(Path("out"))}
    assert (summary.rows, summary.written, [f.id for f in summary.failed]) == (23, 22, ["r3"])
    found: Dict[str, List[Any]] = {id_: [] for (id_,) in query(url, "SELECT id FROM rows")}
    for id_, *values in query(
        url,
        "SELECT id, start_char, end_char, label, score, span_group FROM rows "
        "JOIN mentions USING (row_key) ORDER BY id, mention",
    ):
        found[id_].append(values)
    assert found == {
        id_: [[e["start"], e["end"], e["label"], None, None] for e in r.get("ents", ())]
        for id_, r in records.items()
    }
    digests = dict(query(url, "SELECT id, text_digest FROM rows"))
    assert digests == {id_: r["text_digest"] for id_, r in records.items()}
    listed = list(srsly.read_jsonl("out/errors.jsonl"))
    assert query(url, "SELECT place, id, reason FROM failures") == [
        (r["where"], r["id"], r["reason"]) for r in listed
    ]


def test_everything_that_stands_on_a_document(new_database: New) -> None:
    nlp = make_pipeline("hitl_test_all")
    nlp.meta["hitl"] = {"students": {"product": {"student_digest": "abc"}}}
    nlp.meta.update(name="phones", version="1.2.3")
    nlp.to_disk("pipeline")
    url = new_database("found")
    apply("pipeline", write(["my Nebula beats Orion"]), url)
    expected = {
        "mentions": [
            (0, 3, 9, "PRODUCT", None, None),
            (1, 16, 21, "PRODUCT", None, None),
            (2, 0, 2, "OWNER", "sc", 0.5),
        ],
        "links": [(0, "Q1")],
        "categories": [("BAD", 0.25), ("GOOD", 0.75)],
        "relations": [(0, 3, 9, 16, 21, "BEATS", None)],
        "unanswered": [("refuser", "refused")],
    }
    for table, rows in expected.items():
        there = sorted(query(url, f"SELECT * FROM {table}"))
        assert [row[1:] for row in there] == rows, table
    ((name, version, digest, lineage, rows_, source),) = query(
        url,
        "SELECT pipeline_name, pipeline_version, pipeline_digest, lineage, source_rows, source "
        "FROM runs",
    )
    assert (name, version, rows_, source) == ("phones", "1.2.3", 1, "texts.jsonl")
    assert digest == folder_digest(Path("pipeline"))
    assert json.loads(lineage) == nlp.meta["hitl"]


def test_texts_are_values_and_never_sql(new_database: New) -> None:
    evil = "x'); DROP TABLE rows; --"
    nlp = make_pipeline(label=evil)
    nlp.to_disk("pipeline")
    srsly.write_jsonl("texts.jsonl", [{"id": f"{evil}", "text": "my Nebula %s :id ? \\ '"}])
    url = new_database("found")
    assert apply("pipeline", Path("texts.jsonl"), url).written == 1
    assert query(url, "SELECT id, label FROM rows JOIN mentions USING (row_key)") == [(evil, evil)]


def test_what_a_database_cannot_hold_fails_alone(new_database: New) -> None:
    ids = ["fine", "nul \x00", "half \ud800", "long" * 300, "also fine"]
    lines = [json.dumps({"id": id_, "text": f"my Nebula {n}"}) for n, id_ in enumerate(ids)]
    Path("texts.jsonl").write_text("\n".join(lines))
    url = new_database("found")
    summary = apply("pipeline", Path("texts.jsonl"), url)
    assert sorted(query(url, "SELECT id FROM rows")) == [("also fine",), ("fine",)]
    reasons = [row.reason for row in summary.failed]
    assert ["surrogate" in r for r in reasons] == [True, True, False]
    assert "longer than" in reasons[2]
    make_pipeline("hitl_test_all").to_disk("pipeline")
    (failed,) = apply("pipeline", write(["NAN"]), url).failed
    assert "no finite number" in failed.reason


def test_the_first_of_rows_with_one_id_counts(new_database: New) -> None:
    ids = ["a", "b", "a", "c", "b", "a"]
    texts = ["my Nebula", "1", "2", "3", "4", "5"]
    rows = [{"id": i, "text": t} for i, t in zip(ids, texts, strict=True)]
    srsly.write_jsonl("texts.jsonl", rows)
    found = []
    for backwards in (False, True):

        def engine(job: Any, shards: Any, *, report: Any, turn: bool = backwards) -> Any:
            return run_here(job, shards[::-1] if turn else shards, report=report)

        url = new_database("found")
        summary = apply("pipeline", Path("texts.jsonl"), url, shard_rows=2, engine=engine)
        assert sorted(r.id or "" for r in summary.failed) == ["a", "a", "b"]
        assert dict(query(url, "SELECT id, text_digest FROM rows")) == {
            "a": text_digest("my Nebula"),
            "b": text_digest("1"),
            "c": text_digest("3"),
        }
        assert (summary.rows, summary.written) == (6, 3)
        found.append(tables(url))
    assert found[0] == found[1]


def test_pipelines_side_by_side_and_texts_that_change(new_database: New) -> None:
    url, path = new_database("found"), write(make_texts(6))
    apply("pipeline", path, url, shard_rows=4)
    one = tables(url)
    make_pipeline(label="PHONE").to_disk("other")
    apply("other", path, url, shard_rows=4)
    assert tables(url)["rows"][0] == 12 and len(query(url, "SELECT * FROM runs")) == 2
    # The same source with other texts: what is new or has changed takes the place of the old.
    write([*make_texts(5), "changed", "one more Nebula"])
    summary = apply("pipeline", path, url, shard_rows=4)
    assert summary.before == 0
    digests = query(
        url,
        "SELECT id, text_digest FROM rows WHERE pipeline_digest = :d",
        d=folder_digest(Path("pipeline")),
    )
    assert len(digests) == 7 and dict(digests)["r5"] == text_digest("changed")
    superseded = query(url, "SELECT count(*) FROM runs WHERE superseded_by IS NOT NULL")
    assert superseded == [(1,)]
    # And back: what the first run had done is not there any more, so it is done again.
    write(make_texts(6))
    assert apply("pipeline", path, url, shard_rows=4).before == 0
    gone = text_digest("changed")
    assert query(url, "SELECT count(*) FROM rows WHERE text_digest = :d", d=gone) == [(0,)]
    # Start anew: what this pipeline found in this source goes, the other's stays.
    apply("pipeline", path, url, shard_rows=4, overwrite=True)
    assert tables(url)["rows"][0] == 12
    other = folder_digest(Path("other"))
    query(url, "DELETE FROM rows WHERE pipeline_digest = :d", d=other)
    query(url, "DELETE FROM runs WHERE pipeline_digest = :d", d=other)
    assert tables(url) == one


def test_a_row_that_fails_now_keeps_no_old_results(new_database: New) -> None:
    url, texts = new_database("found"), make_texts(6)
    apply("pipeline", write(texts), url, shard_rows=4)
    failed = apply("pipeline", write([*texts[:2], "", *texts[3:]]), url, shard_rows=4).failed
    assert [row.id for row in failed] == ["r2"]
    assert {i for (i,) in query(url, "SELECT id FROM rows")} == {"r0", "r1", "r3", "r4", "r5"}
    left = "SELECT count(*) FROM mentions WHERE row_key NOT IN (SELECT row_key FROM rows)"
    assert query(url, left) == [(0,)]


def test_workers_write_the_same(new_database: New) -> None:
    path = write(make_texts(60))
    one, two = new_database("one"), new_database("two")
    apply("pipeline", path, one, shard_rows=7)
    assert apply("pipeline", path, two, shard_rows=7, workers=2).written == 60
    assert tables(one) == tables(two)


def test_a_shard_is_written_once(new_database: New) -> None:
    """As by two workers of which one was believed dead."""
    url = new_database("found")

    def engine(job: Any, shards: Any, *, report: Any) -> Any:
        list(run_here(job, shards, report=report))
        return run_here(job, shards, report=report)

    failed = [*make_texts(5), " "]
    summary = apply("pipeline", write(failed), url, shard_rows=2, engine=engine)
    assert (summary.written, len(summary.failed)) == (5, 1)
    once = new_database("once")
    apply("pipeline", write(failed), once, shard_rows=2)
    assert tables(url) == tables(once)


def test_a_run_whose_place_was_taken_ends(new_database: New, fails: Any) -> None:
    url, path = new_database("found"), write(make_texts(4))

    def engine(job: Any, shards: Any, *, report: Any) -> Any:
        query(url, "UPDATE runs SET superseded_by = 'another'")
        return run_here(job, shards, report=report)

    with fails("H615"):
        apply("pipeline", path, url, engine=engine)
    assert query(url, "SELECT count(*) FROM rows") == [(0,)]


def test_one_run_at_a_time(new_database: New, fails: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("spacy_hitl.apply.database.connect.PATIENCE", 0.2)
    url, path = new_database("found"), write(make_texts(4))

    def engine(job: Any, shards: Any, *, report: Any) -> Any:
        with fails("H610", "found"):
            apply("pipeline", path, url)
        return run_here(job, shards, report=report)

    assert apply("pipeline", path, url, engine=engine).written == 4
    assert apply("pipeline", path, url).before == 4


def test_tables_of_others_and_of_later_releases(new_database: New, fails: Any) -> None:
    url, path = new_database("found"), write(make_texts(4))
    query(url, "CREATE TABLE rows (mine int)")
    with fails("H614", "rows", "another database"):
        apply("pipeline", path, url, overwrite=True)
    query(url, "DROP TABLE rows")
    apply("pipeline", path, url)
    query(url, "UPDATE hitl_schema SET version = 99")
    before = tables(url)
    with fails("H613", "99", "--upgrade"):
        apply("pipeline", path, url, overwrite=True)
    assert tables(url) == before


def test_the_audit_waits_in_the_database(
    new_database: New, exported: Any, monkeypatch: Any
) -> None:
    monkeypatch.chdir(exported.root)
    config = load_config(exported.config)
    config["hitl"].pop("business", None)
    config.to_disk("mine.cfg")
    make_pipeline().to_disk("pipeline")
    url, path = new_database("found"), write(make_texts(40))
    summary = apply("pipeline", path, url, audit=0.5, config=Path("mine.cfg"), shard_rows=9)
    assert summary.audit is not None and summary.audit.new > 5
    assert query(url, "SELECT count(*) FROM notes WHERE kind = 'audit'") == [(0,)]


# What is no database


@pytest.mark.parametrize(
    "url, part",
    [
        ("mysql://u:secret@h/db", "'mysql' is not supported"),
        ("postgresql+pg8000://u:secret@h/db", "not supported"),
        ("sqlite://", "name a file"),
        ("sqlite:///:memory:", "name a file"),
        ("sqlite:///a.db?mode=secret", "no options"),
        ("postgresql://u:secret@h:port/db", "no URL"),
        ("x://", "not"),
    ],
)
def test_urls_that_are_refused(url: str, part: str, fails: Any) -> None:
    with fails("H611", part) as _:
        DatabaseSink.open(url)
    with pytest.raises(Exception) as caught:
        DatabaseSink.open(url)
    assert "secret" not in str(caught.value).replace("mode=secret", "")


def test_a_password_is_never_shown(pipeline: str, fails: Any) -> None:
    path = write(make_texts(2))
    for url in (
        "postgresql://me:geheim@127.0.0.1:1/db",
        "postgres://me@127.0.0.1:1/db?password=geheim&connect_timeout=2",
    ):
        sink = DatabaseSink.open(url)
        assert "geheim" not in f"{sink!r} {sink.name} {sink.errors}" and "***" in sink.name
        assert "geheim" in pickle.loads(pickle.dumps(sink)).url.render_as_string(False)
        result = command(pipeline, path, url, "--quiet")
        assert result.exit_code == 1 and "[H612]" in result.output
        assert "geheim" not in result.output


def test_no_password_is_stored(new_database: New, postgres: str) -> None:
    url = new_database("found")
    if url.startswith("postgresql"):
        url = url.replace("postgres@", "postgres:geheim@")
    result = command("pipeline", write(make_texts(3)), url, "--quiet")
    assert result.exit_code == 0 and "geheim" not in result.output
    for (values,) in query(url, "SELECT pipeline || lineage || source || options FROM runs"):
        assert "geheim" not in values and "postgres" not in values


def test_a_missing_package_is_named(pipeline: str, monkeypatch: Any, fails: Any) -> None:
    path = write(make_texts(2))
    for package in ("sqlalchemy", "psycopg"):
        with monkeypatch.context() as patch:
            patch.setattr(
                "spacy_hitl._compat.find_spec", lambda name, p=package: None if name == p else 1
            )
            with fails("H009", package, "spacy-hitl[database]"):
                apply(pipeline, path, "postgresql://h/db")


def test_a_file_that_is_no_database(pipeline: str, fails: Any) -> None:
    path = write(make_texts(2))
    Path("mine.db").write_text("my thesis, " * 1000)
    with fails("H612", "mine.db", "not a database"):
        apply(pipeline, path, "sqlite:///mine.db", overwrite=True)
    assert Path("mine.db").read_text() == "my thesis, " * 1000
    with fails("H612", "nowhere"):
        apply(pipeline, path, "sqlite:///nowhere/found.db")


def test_a_database_is_closed_to_others(pipeline: str) -> None:
    apply(pipeline, write(make_texts(2)), "sqlite:///found.db")
    assert {p.stat().st_mode & 0o777 for p in Path().glob("found.db*")} == {0o600}
    with Path("found.db-hitl.lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # given back


def test_readers_do_not_stop_the_run(pipeline: str) -> None:
    apply(pipeline, write(make_texts(2)), "sqlite:///found.db")
    reader = sqlite3.connect("found.db", isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM rows").fetchone() == (2,)
    assert apply(pipeline, write(make_texts(9)), "sqlite:///found.db").written == 9
    assert reader.execute("SELECT count(*) FROM rows").fetchone() == (2,)
    reader.close()


def test_a_full_disk_loses_no_shard(pipeline: str, small_disk: Any, fails: Any) -> None:
    url, path = f"sqlite:///{small_disk.folder}/found.db", write(make_texts(300))
    apply(pipeline, write(make_texts(3), "few.jsonl"), url)
    small_disk.fill()
    with fails("H612", "go"):
        apply(pipeline, path, url, shard_rows=50)
    small_disk.free()
    assert apply(pipeline, path, url, shard_rows=50).written == 300
    assert query(url, "SELECT count(*) FROM rows") == [(303,)]
