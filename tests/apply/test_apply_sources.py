"""Rows out of files: whatever the size of the shards, the same rows; a bad one is alone."""

import csv
import io
import json
from pathlib import Path
from typing import Any, List, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_hitl.apply.sources import Fields, Source, open_source
from spacy_hitl.records import FailedRow, Row

words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
words |= st.sampled_from(
    ['say "hi"', "a,b", "two\nlines", "\u2028", "e\u0301 👩‍🚀", "x\r\ny", "\r"]
)
sizes = st.integers(1, 5)


def read(source: Source, size: int) -> List[Union[Row, FailedRow]]:
    """All rows, shard by shard, the last shard first: none needs another one."""
    shards = source.scan(size).shards
    assert [s.number for s in shards] == list(range(len(shards)))
    found = {}
    for shard in reversed(shards):
        found[shard.number] = [row for _, row in source.rows(shard)]
        assert len(found[shard.number]) == shard.rows <= size
    return [row for number in sorted(found) for row in found[number]]


def texts_of(rows: List[Union[Row, FailedRow]]) -> List[str]:
    return [row.text for row in rows if isinstance(row, Row)]


def put(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@given(texts=st.lists(words, max_size=9), size=sizes, bom=st.booleans(), end=st.booleans())
def test_jsonl(tmp_path_factory: Any, texts: List[str], size: int, bom: bool, end: bool) -> None:
    lines = [json.dumps({"id": i, "text": t, "more": [i]}) for i, t in enumerate(texts)]
    content = ("\ufeff" if bom else "") + "\n\n".join(lines) + ("\n" if end else "")
    path = put(tmp_path_factory.mktemp("jsonl"), "a.jsonl", content.encode())
    expected = [Row("a.jsonl", str(i), t, meta={"more": [i]}) for i, t in enumerate(texts)]
    assert read(open_source(path, Fields()), size) == expected


@given(
    texts=st.lists(words, max_size=9),
    size=sizes,
    bom=st.booleans(),
    form=st.sampled_from([("csv", ","), ("tsv", "\t")]),
)
def test_csv(tmp_path_factory: Any, texts: List[str], size: int, bom: bool, form: Any) -> None:
    file_ = io.StringIO(newline="")
    writer = csv.writer(file_, delimiter=form[1])
    writer.writerow(["text", "id", "date"])
    writer.writerows([t, f"r{i}", "today"] for i, t in enumerate(texts))
    content = ("\ufeff" if bom else "") + file_.getvalue()
    path = put(tmp_path_factory.mktemp("csv"), f"a.{form[0]}", content.encode())
    rows = read(open_source(path, Fields()), size)
    assert rows == [Row(path.name, f"r{i}", t, meta={"date": "today"}) for i, t in enumerate(texts)]


def test_plain_text(tmp_path: Path) -> None:
    path = put(tmp_path, "a.txt", "\ufeffone\r\n\n  \ntwo \xfc".encode() + b"\n\xff\n")
    rows = read(open_source(path, Fields()), 2)
    assert rows[:2] == [Row("a.txt", "1", "one"), Row("a.txt", "4", "two ü")]
    assert isinstance(rows[2], FailedRow)
    assert (rows[2].id, rows[2].where) == ("5", f"{path}:5")


def test_a_bad_row_is_alone(tmp_path: Path) -> None:
    lines = [b'{"id": "a", "text": "fine"}', b"{", b"[1]", b'{"text": "no id"}', b'{"id": "b"}']
    lines += [b'{"id": true, "text": "x"}', b'{"id": "c", "text": 5}', b"\xff", b"[" * 100_000]
    lines += [b'{"id": "z", "text": "fine too"}']
    path = put(tmp_path, "a.jsonl", b"\n".join(lines))
    rows = read(open_source(path, Fields()), 3)
    assert texts_of(rows) == ["fine", "fine too"]
    failed = [row for row in rows if isinstance(row, FailedRow)]
    assert [row.where for row in failed] == [f"{path}:{n}" for n in range(2, 10)]
    assert [row.id for row in failed] == [None, None, None, "b", None, "c", None, None]
    assert all(row.reason for row in failed)


def test_a_bad_csv_row_is_alone(tmp_path: Path) -> None:
    huge = "x" * (csv.field_size_limit() + 1)
    content = f"id,text\na,fine\nb\nc,{huge}\nd,e,f\n,no id\nz,fine too\n"
    path = put(tmp_path, "a.csv", content.encode())
    for size in (1, 2, 10):
        rows = read(open_source(path, Fields()), size)
        assert texts_of(rows) == ["fine", "fine too"]
        failed = [row for row in rows if isinstance(row, FailedRow)]
        assert [row.where for row in failed] == [f"{path}:{n}" for n in (3, 4, 5, 6)]


def test_rows_without_ids_are_numbered(tmp_path: Path) -> None:
    path = put(tmp_path, "a.jsonl", b'{"body": "one"}\n\n{"body": "two"}\n')
    rows = read(open_source(path, Fields(id="", text="body")), 1)
    assert rows == [Row("a.jsonl", "1", "one"), Row("a.jsonl", "3", "two")]


def test_the_digest_is_of_every_byte(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv", b"id,text\na,fine\n\n")
    one = open_source(path, Fields()).scan(5)
    assert one.size == 16
    path.write_bytes(b"id,text\na,fine\n \n")
    assert open_source(path, Fields()).scan(5).digest != one.digest


def test_what_cannot_be_read_is_named(tmp_path: Path, fails: Any) -> None:
    with fails("H001", "none.jsonl"):
        open_source(tmp_path / "none.jsonl", Fields())
    with fails("H601", "a.docx", "'.docx'"):
        open_source(put(tmp_path, "a.docx", b""), Fields())
    with fails("H601", "without an ending"):
        open_source(put(tmp_path, "a", b""), Fields())
    path = put(tmp_path, "a.csv", b"id,body\n1,x\n")
    with fails("H608", "'text'", "id, body", "--text-field"):
        open_source(path, Fields())
    with fails("H608", "'key'", "--id-field"):
        open_source(path, Fields(id="key", text="body"))
    with fails("H608", "none"):
        open_source(put(tmp_path, "empty.csv", b""), Fields())
    (tmp_path / "folder.jsonl").mkdir()
    with fails("H004", "folder.jsonl"):
        open_source(tmp_path / "folder.jsonl", Fields()).scan(1)


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_a_file_that_shrinks_is_noticed(tmp_path: Path, name: str, fails: Any) -> None:
    lines = {"a.jsonl": ['{"id": 1, "text": "x"}'] * 2, "a.csv": ["id,text", "1,x", "2,y"]}
    path = put(tmp_path, name, "\n".join(lines[name]).encode())
    source = open_source(path, Fields())
    (shard,) = source.scan(5).shards
    path.write_bytes("\n".join(lines[name][:-1]).encode())
    with fails("H609", name):
        list(source.rows(shard))
