"""Parquet in and out, DocBins and queries in: the same rows in every form."""

import datetime
import json
import tempfile
from pathlib import Path
from typing import Any, Callable, List, Optional

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import spacy
from apply_world import failing, make_pipeline, make_texts, results, write
from database_world import query
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import DocBin
from typer.testing import CliRunner

from spacy_hitl.apply.copied import opened
from spacy_hitl.apply.run import apply
from spacy_hitl.apply.sources import Fields
from spacy_hitl.cli import hitl_cli
from spacy_hitl.records import FailedRow, Row

texts = st.text(st.characters(codec="utf-8"), max_size=20)


def read_all(
    path: Any, fields: Optional[Fields] = None, *, size: int = 2, **options: Any
) -> List[Any]:
    fields = fields or Fields()
    with opened(path, fields, **options) as source:
        return [row for s in source.scan(size).shards for _, row in source.rows(s)]


def put_parquet(columns: Any, path: str = "texts.parquet", **options: Any) -> Path:
    pq.write_table(pa.table(columns), path, **options)
    return Path(path)


def read_parts() -> Any:
    return pq.read_table(sorted(map(str, Path("out.parquet").glob("part-*.parquet"))))


def left_behind() -> List[Path]:
    return list(Path(tempfile.gettempdir()).glob("spacy-hitl-*"))


# Out


def test_parquet_holds_what_the_lines_hold(here: Path) -> None:
    make_pipeline("hitl_test_all").to_disk("pipeline")
    path = write(["my Nebula beats Orion", *make_texts(6), " ", "NUL \x00"])
    apply("pipeline", path, "out.jsonl", shard_rows=3)
    summary = apply("pipeline", path, "out.parquet", shard_rows=3)
    assert (summary.rows, summary.written) == (9, 7)
    rows = read_parts().to_pylist()
    lines = results(Path("out.jsonl"))
    assert [row["id"] for row in rows] == [line["id"] for line in lines]

    def full(value: Any) -> Any:
        """Without what is not there: as the lines are written."""
        if isinstance(value, dict):
            return {k: full(v) for k, v in value.items() if v is not None and v != []}
        return [full(v) for v in value] if isinstance(value, list) else value

    for row, line in zip(rows, lines, strict=True):
        line.pop("v")
        if "unanswered" in line:
            pairs = [{"component": c, "status": s} for c, s in line["unanswered"]]
            line["unanswered"] = pairs
        assert full(row) == line
    types = {str(pq.read_schema(p)) for p in Path("out.parquet").glob("part-*")}
    assert len(types) == 1  # also where a shard has nothing of a kind
    assert apply("pipeline", path, "out.parquet", shard_rows=3).before == 9


def test_a_record_that_parquet_cannot_hold_fails_alone(pipeline: str) -> None:
    lines = [json.dumps({"id": id_, "text": "my Nebula"}) for id_ in ("a", "\ud800", "b")]
    Path("texts.jsonl").write_text("\n".join(lines))
    summary = apply(pipeline, "texts.jsonl", "out.parquet")
    assert read_parts()["id"].to_pylist() == ["a", "b"]
    assert len(summary.failed) == 1 and "surrogates" in summary.failed[0].reason


# In


@given(rows=st.lists(st.tuples(texts.filter(bool), texts), max_size=8), size=st.integers(1, 5))
def test_parquet_round_trips(rows: Any, size: int, tmp_path_factory: Any) -> None:
    path = tmp_path_factory.mktemp("parquet") / "a.parquet"
    columns = {"id": pa.array([r[0] for r in rows], pa.string()), "text": [r[1] for r in rows]}
    columns["text"] = pa.array(columns["text"], pa.string())
    put_parquet(columns, str(path), row_group_size=3)
    assert read_all(path, size=size) == [Row("a.parquet", *row) for row in rows]


def test_a_bad_parquet_row_is_alone(here: Path) -> None:
    day = datetime.date(2026, 1, 2)
    path = put_parquet({"id": [1, 2, None], "text": ["fine", None, "x"], "day": [day] * 3})
    first, *bad = read_all(path)
    assert first == Row("texts.parquet", "1", "fine", meta={"day": "2026-01-02"})
    assert all(isinstance(row, FailedRow) for row in bad)
    assert [row.where for row in bad] == ["texts.parquet:2", "texts.parquet:3"]
    numbered = read_all(path, Fields(id=""))
    assert [row.id for row in numbered] == ["1", "2", "3"]


def test_docbins_give_texts_and_ids(pipeline: str) -> None:
    path = write(make_texts(5))
    apply(pipeline, path, "out.spacy")
    again = Path("out.spacy/part-00000.spacy")
    expected = [("part-00000.spacy", f"r{i}", t) for i, t in enumerate(make_texts(5))]
    assert [(row.source, row.id, row.text) for row in read_all(again)] == expected
    nlp = spacy.blank("de")
    docs = [nlp(text) for text in ("Ein Handy", "noch\neins")]
    DocBin(docs=docs).to_disk("plain.spacy")
    rows = read_all(Path("plain.spacy"))
    assert [(row.id, row.text) for row in rows] == [("1", "Ein Handy"), ("2", "noch\neins")]
    apply(pipeline, again, "out.jsonl")
    assert [len(r.get("ents", ())) for r in results(Path("out.jsonl"))] == [1, 1, 1, 1, 0]


def test_a_query_gives_texts(new_database: Callable[[str], str]) -> None:
    url = new_database("texts")
    query(url, "CREATE TABLE posts (nr int, body text, at varchar(9))")
    for i, text in enumerate(make_texts(9)):
        query(url, "INSERT INTO posts VALUES (:i, :t, '10:30')", i=i, t=text)
    select = "SELECT nr, body, at FROM posts WHERE at = '10:30' AND body LIKE '%fine' ORDER BY nr"
    out = ["apply", "pipeline", url, "out.jsonl", "--query", select]
    fields = ["--id-field", "nr", "--text-field", "body", "--shard-rows", "3"]
    done = CliRunner().invoke(hitl_cli, [*out, *fields])
    assert done.exit_code == 0, done.output
    found = results(Path("out.jsonl"))
    assert [r["id"] for r in found] == [str(i) for i in range(9) if i % 5 < 4]
    assert {len(r["ents"]) for r in found} == {1}
    done = CliRunner().invoke(hitl_cli, [*out, *fields])
    assert f"{len(found)} of them by an earlier run" in " ".join(done.output.split())
    rows = read_all(url, Fields("nr", "body"), query=select)
    assert rows[0].meta == {"at": "10:30"} and rows[0].source == found[0]["source"]
    # From a database into a database, also into the same one.
    summary = apply("pipeline", url, url, query=select, id_field="nr", text_field="body")
    assert summary.written == 8 and query(url, "SELECT count(*) FROM rows") == [(8,)]


def test_a_query_changes_nothing(new_database: Callable[[str], str], fails: Any) -> None:
    url = new_database("texts")
    query(url, "CREATE TABLE posts (id int, text varchar(9))")
    query(url, "INSERT INTO posts VALUES (1, 'a')")
    for statement in ("DELETE FROM posts", "DELETE FROM posts RETURNING id, text"):
        with fails("H612"):
            read_all(url, query=statement)
    assert query(url, "SELECT * FROM posts") == [(1, "a")]
    with fails("H608", "body", "--text-field"):
        read_all(url, Fields(text="body"), query="SELECT * FROM posts")
    with fails("H612", "nothing"):
        read_all(url, query="SELECT * FROM nothing")
    # PostgreSQL refuses by itself what gives no rows.
    with fails("H617" if url.startswith("sqlite") else "H612"):
        read_all(url, query="BEGIN")


def test_what_cannot_be_read_is_named(here: Path, fails: Any) -> None:
    with fails("H616", "--query"):
        read_all("sqlite:///a.db")
    with fails("H616"):
        read_all("texts.jsonl", query="SELECT 1")
    with fails("H611", "no such file"):
        read_all("sqlite:///none.db", query="SELECT 1")
    assert not Path("none.db").exists()
    for ending in ("parquet", "spacy"):
        with fails("H001", f"none.{ending}"):
            read_all(f"none.{ending}")
        Path(f"bad.{ending}").write_bytes(b"PAR1 nothing of the kind")
        with fails("H004", f"bad.{ending}"):
            read_all(f"bad.{ending}")
    with fails("H608", "'text'", "id, body"):
        read_all(put_parquet({"id": ["a"], "body": ["b"]}))


def test_a_missing_pyarrow_is_named(pipeline: str, monkeypatch: Any, fails: Any) -> None:
    path = put_parquet({"id": ["a"], "text": ["my Nebula"]})
    monkeypatch.setattr("spacy_hitl._compat.find_spec", lambda name: None)
    with fails("H009", "pyarrow", "spacy-hitl[parquet]"):
        apply(pipeline, path, "out.jsonl")
    with fails("H009", "pyarrow"):
        apply(pipeline, "texts.jsonl", "out.parquet")
    with fails("H009", "sqlalchemy", "spacy-hitl[database]"):
        apply(pipeline, "sqlite:///a.db", "out.jsonl", query="SELECT 1")


def test_the_copy_is_private_and_removed(pipeline: str) -> None:
    before = left_behind()
    path = put_parquet({"id": ["a"], "text": ["my Nebula"]})
    with opened(path, Fields()) as source:
        copy: Any = source
        assert copy.path.parent.stat().st_mode & 0o077 == 0
    assert not copy.path.exists() and left_behind() == before


@pytest.mark.parametrize("workers", [1, 2])
def test_places_are_in_what_was_copied(workers: int, here: Path) -> None:
    folder = failing("hitl_test_plain")
    path = put_parquet({"id": ["a", "b"], "text": ["my Nebula", " "]})
    parts = Path(__file__).with_name("apply_parts.py")
    summary = apply(folder, path, "out", workers=workers, code=parts)
    assert [row.where for row in summary.failed] == ["texts.parquet:2"]
    assert [r["source"] for r in results(Path("out"))] == ["texts.parquet"]
