"""Files in, files out: every bad line is named, every write is whole or not at all."""

import json
from pathlib import Path
from typing import Any, Dict, Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spacy_hitl.errors import InputError
from spacy_hitl.io import (
    batched,
    canonical_json,
    check_text,
    folder_digest,
    json_digest,
    read_jsonl,
    read_text,
    text_digest,
    write_atomic,
    write_json,
    write_jsonl,
)

any_text = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    "line, detail",
    [
        (b'{"id": "a"', "delimiter"),
        (b"{'id': 'a'}", "property name"),
        (b'{"id": "a"} {"id": "b"}', "Extra data"),
        (b"[1, 2]", "found list"),
        (b'"text"', "found str"),
        (b"null", "found NoneType"),
        (b'{"text": "\xff"}', "codec can't decode"),
        (b'{"text": "\xed\xa0\x80"}', "codec can't decode"),
        (b"[" * 100_000, "recursion"),
        (b"\x00", "Expecting value"),
    ],
)
def test_read_jsonl_names_file_and_line(
    line: bytes, detail: str, tmp_path: Path, fails: Any
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"id": 1}\n\n' + line + b'\n{"id": 2}\n')
    lines = read_jsonl(path, what="rows")
    assert next(lines) == (f"{path}:1", {"id": 1})
    with fails("H002", f"{path}:3", detail):
        next(lines)


def test_read_jsonl_splits_at_newlines_only(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes('{"t": "a\u2028b\x85c"}\r\n{"t": "d"}'.encode())
    assert [v["t"] for _, v in read_jsonl(path, what="rows")] == ["a\u2028b\x85c", "d"]


def test_missing_file_and_folder(tmp_path: Path, fails: Any) -> None:
    with fails("H001", "rows", tmp_path / "no.jsonl", Path.cwd()):
        list(read_jsonl(tmp_path / "no.jsonl", what="rows"))
    with fails("H004", tmp_path, "Is a directory"):
        list(read_jsonl(tmp_path, what="rows"))
    with fails("H004", tmp_path, "Is a directory"):
        read_text(tmp_path, what="guidelines")


@pytest.mark.parametrize("text", ["a", " a ", "👩‍🚀", "\u200b", "\ufeffBOM", "a\nb\tc", "x" * 20])
def test_check_text_lets_pass(text: str) -> None:
    assert check_text(text, where="here", max_chars=20) == text


@pytest.mark.parametrize(
    "text, code, part",
    [
        ("", "H005", "empty"),
        (" \n\t\u3000\xa0", "H005", "empty"),
        ("ab\x00c", "H005", "NUL character at offset 2"),
        ("abc\ud800", "H005", "lone surrogate at offset 3"),
        ("\udc00\ud800", "H005", "lone surrogate at offset 0"),
        ("x" * 21, "H006", "21 characters, more than the limit of 20"),
    ],
)
def test_check_text_refuses(text: str, code: str, part: str, fails: Any) -> None:
    with fails(code, "f.jsonl:3", part):
        check_text(text, where="f.jsonl:3", max_chars=20)


@given(any_text)
@example("\ud83d\ude00")
def test_what_passes_can_be_stored(text: str) -> None:
    try:
        check_text(text, where="here", max_chars=100)
    except InputError:
        return
    assert text.encode("utf8").decode("utf8") == text
    assert text.strip() and "\x00" not in text and len(text) <= 100


@given(any_text, any_text)
def test_digests_differ_where_texts_do(one: str, other: str) -> None:
    assert (text_digest(one) == text_digest(other)) == (one == other)


def test_text_digest_is_pinned() -> None:
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert text_digest("abc") == digest


def test_canonical_json_has_one_form() -> None:
    assert canonical_json({"b": [1, None], "a": "é"}) == '{"a":"\\u00e9","b":[1,null]}'
    assert json_digest({"a": 1, "b": 2}) == json_digest({"b": 2, "a": 1})


@given(st.lists(st.dictionaries(any_text, any_text | st.none() | st.integers())))
def test_write_jsonl_round_trip(tmp_path_factory: Any, records: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "round.jsonl"
    assert write_jsonl(path, records) == len(records)
    lines = path.read_bytes().split(b"\n")
    assert [json.loads(line) for line in lines[:-1]] == json.loads(json.dumps(records))
    assert lines[-1] == b""


def holds_only(folder: Path, files: Dict[str, bytes]) -> bool:
    return {p.name: p.read_bytes() for p in folder.iterdir()} == files


def test_write_atomic_replaces_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    with write_atomic(path) as file_:
        file_.write(b"new")
        file_.flush()
        assert not path.exists()
    assert holds_only(path.parent, {"file": b"new"})
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_the_old_file_stays_when_the_writer_raises(error: Any, tmp_path: Path) -> None:
    path = tmp_path / "file.jsonl"
    write_jsonl(path, [{"old": 1}])

    def records() -> Iterator[Dict[str, int]]:
        yield {"new": 1}
        raise error

    with pytest.raises(error):
        write_jsonl(path, records())
    assert holds_only(tmp_path, {"file.jsonl": b'{"old": 1}\n'})


def test_the_old_file_stays_when_the_disk_is_full(small_disk: Any, fails: Any) -> None:
    path = small_disk.folder / "file.json"
    write_json(path, {"old": 1})
    small_disk.fill()
    with fails("H007", path, "Free some disk space", "unchanged"):
        write_jsonl(path, ({"line": "x" * 500} for _ in range(5000)))
    with fails("H007", path):
        write_json(path, "x" * 2_000_000)
    small_disk.free()
    assert holds_only(small_disk.folder, {"file.json": b'{\n  "old": 1\n}\n'})
    assert write_jsonl(path, [{"new": 1}]) == 1


def test_a_folder_in_the_way(tmp_path: Path, fails: Any) -> None:
    (tmp_path / "file").mkdir()
    with fails("H007", tmp_path / "file", "give another path"):
        write_json(tmp_path / "file", 1)
    with fails("H007", tmp_path / "plain/file", "give another path"):
        (tmp_path / "plain").write_text("x")
        write_json(tmp_path / "plain" / "file", 1)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "plain"]


def test_folder_digest_sees_names_and_contents(tmp_path: Path) -> None:
    def digest_of(files: Dict[str, str]) -> str:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content)
        return folder_digest(folder)

    same = digest_of({"a/b": "1", "c": "2"})
    assert digest_of({"c": "2", "a/b": "1"}) == same
    others = [{"a/b": "2", "c": "1"}, {"a/b": "1", "d": "2"}, {"a/b": "1"}, {"a/b": "12", "c": ""}]
    assert len({same, *map(digest_of, others)}) == 5


@given(st.lists(st.integers()), st.integers(1, 5))
def test_batched(items: Any, size: int) -> None:
    batches = list(batched(items, size))
    assert [x for batch in batches for x in batch] == items
    assert all(len(b) == size for b in batches[:-1]) and all(batches)
