"""Databases with bytes nobody wrote: an error that names the file, or what can still be read."""

import sqlite3
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spacy_hitl.dataset.exchange import dump
from spacy_hitl.dataset.reviews import decision_heads, preferences, rows_of
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.dataset.task_versions import decisions_by_text, read_versions
from spacy_hitl.errors import HitlError
from spacy_hitl.io import text_digest
from spacy_hitl.llm.store import ResponseStore
from spacy_hitl.records import (
    Annotation,
    Decision,
    Message,
    Proposal,
    Request,
    Response,
    Row,
    SpanAnnotation,
)
from spacy_hitl.settings import LaneSettings

TEXTS = [f"The K{i} of Größe {i}." for i in range(6)]
FOUND = Annotation(spans=(SpanAnnotation(4, 6, "PRODUCT"),))


def request(text: str) -> Request:
    messages = (Message("user", text),)
    return Request(
        messages=messages, text_digest=text_digest(text), task="product", sample=1, schema={}
    )


def fill_dataset(path: Path) -> None:
    with Dataset(path) as dataset:
        rows = [Row("s", str(i), t, meta={"n": i}) for i, t in enumerate(TEXTS)]
        dataset.add_rows(rows, LaneSettings())
        digests = [text_digest(t) for t in TEXTS]
        dataset.add_proposals(Proposal(d, "product", "m", "ok", "t", FOUND) for d in digests)
        dataset.add_decisions(
            [Decision(d, "product", "accept", "ann", "person", "t", FOUND) for d in digests]
        )


def read_dataset(path: Path) -> None:
    dataset = Dataset(path)
    dataset.db.open(readonly=True)
    try:
        list(dump(dataset))
        list(dataset.texts(lanes=["gold", "dev", "train"]))
        list(decisions_by_text(dataset, "product"))
        list(decision_heads(dataset, ["product"]))
        read_versions(dataset, "product")
        preferences(dataset)
        dataset.tally("proposals", "task", "status")
        for text in TEXTS:
            digest = text_digest(text)
            dataset.proposals("product", digest)
            dataset.decisions("product", digest)
            rows_of(dataset, digest)
            dataset.row_meta(digest)
            dataset.text(digest)
    finally:
        dataset.db.close()


def fill_store(path: Path) -> None:
    with ResponseStore(path) as store:
        for text in TEXTS:
            store.put(text, request(text), Response("m", text="{}", prompt_tokens=3))


def read_store(path: Path) -> None:
    store = ResponseStore(path)
    store.db.open(readonly=True)
    try:
        list(store.recorded())
        list(store.usage())
        for text in TEXTS:
            store.get(text)
            store.find(request(text), model="m")
    finally:
        store.db.close()


KINDS: Dict[str, Any] = {
    "dataset": (fill_dataset, read_dataset),
    "store": (fill_store, read_store),
}


@pytest.fixture(params=sorted(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def attempt(work: Callable[[Path], None], path: Path) -> bool:
    """RETURNS: Whether it was refused, in a way that a user understands."""
    try:
        work(path)
    except HitlError as e:
        assert str(path) in str(e) or str(e).startswith("[H004] record"), e
        return True
    return False


def test_any_bytes_changed(kind: str, tmp_path: Path) -> None:
    fill, read = KINDS[kind]
    path = tmp_path / "x.db"
    fill(path)
    read(path)
    good = path.read_bytes()
    places = [i for i, byte in enumerate(good) if byte]  # most of a small file is empty
    refused = 0

    @settings(max_examples=250, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(st.sampled_from(places), st.integers(0, 255)), min_size=1))
    def check(changes: Any) -> None:
        nonlocal refused
        content = bytearray(good)
        for place, byte in changes:
            content[place] = byte
        path.write_bytes(content)
        refused += attempt(read, path)
        assert path.read_bytes() == content, "reading changes nothing"

    check()
    assert 20 < refused < 245, "both ways are taken"


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=200), st.integers(0, 20_000))
def test_any_content(kind: str, tmp_path: Path, tail: bytes, length: int) -> None:
    """Cut off anywhere, and with anything behind that."""
    fill, read = KINDS[kind]
    whole = tmp_path / "whole.db"
    if not whole.exists():
        fill(whole)
    path = tmp_path / "x.db"
    content = whole.read_bytes()[:length] + tail
    path.write_bytes(content)
    refused = attempt(read, path)
    assert path.read_bytes() == content
    if refused and content:  # opened to be written, it is refused as well, and left alone
        attempt(fill, path)


TABLES: Dict[str, List[Any]] = {
    "dataset": [
        ("proposals", "record"),
        ("rows", "meta"),
        ("texts", "text"),
    ],
    "store": [("responses", "response")],
}


@pytest.mark.parametrize(
    "value", ["", " ", "{", "[]", "3", "[" * 100_000, b"\xff\xfe", b"{}", "NaN"], ids=range(9)
)
def test_any_value_in_place_of_a_record(kind: str, value: Any, tmp_path: Path) -> None:
    fill, read = KINDS[kind]
    for table, column in TABLES[kind]:
        path = tmp_path / f"{table}.db"
        fill(path)
        connection = sqlite3.connect(path)
        connection.execute(f"UPDATE {table} SET {column} = ?", (value,))
        connection.commit()
        connection.close()
        if column != "text" and value != b"{}":
            with pytest.raises(HitlError):
                read(path)
        attempt(read, path)


def test_a_text_that_is_gone(tmp_path: Path, fails: Any) -> None:
    path = tmp_path / "x.db"
    fill_dataset(path)
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM texts")
    connection.commit()
    connection.close()
    with fails("H051", path, "what it refers to is not in it"):
        read_dataset(path)
