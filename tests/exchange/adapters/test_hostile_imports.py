"""Import files of any bytes: stored whole or not at all, and what was stored stays as it was."""

import contextlib
import json
import sqlite3
import zlib
from pathlib import Path
from typing import Any, Dict, List

import pytest
import srsly
from adapter_util import NLP, TASKS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin, Span

from spacy_hitl.errors import HitlError
from spacy_hitl.exchange.adapters.docbin import count_layers, read_docbin, read_gold, stored_text
from spacy_hitl.exchange.adapters.losses import Losses
from spacy_hitl.exchange.formats import import_format
from spacy_hitl.exchange.run import import_file
from spacy_hitl.pipeline.loading import load_prompted

CONFIG = Path("configs/prototype.cfg")
DB = Path("datasets/hitl.db")
TEXT = "The K10 😀 is new"
MENTION = {"start": 4, "end": 7, "label": "PRODUCT"}


def annotated() -> Doc:
    doc = NLP(TEXT)
    doc.ents = [Span(doc, 1, 2, "PRODUCT")]
    doc.spans["sc"] = [Span(doc, 0, 2, "A"), Span(doc, 1, 2, "B")]
    doc.cats = {"A": 1.0, "B": 0.0}
    doc.user_data["x"] = "y"
    return doc


ATTRS = ["ORTH", "SPACY", "ENT_IOB", "ENT_TYPE", "ENT_KB_ID", "HEAD", "DEP", "SENT_START", "LEMMA"]
MESSAGE: Dict[str, Any] = srsly.msgpack_loads(
    zlib.decompress(DocBin(attrs=ATTRS, docs=[annotated()], store_user_data=True).to_bytes())
)
CHANGES = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=5)


def changed(content: bytes, changes: Any) -> bytes:
    found = bytearray(content)
    for place, byte in changes:
        found[place % len(found)] = byte
    return bytes(found)


def read_all(content: bytes) -> None:
    """Everything that an import looks at."""
    for doc in read_docbin(content, NLP.vocab, "f"):
        stored_text(doc, "f")
        count_layers(doc, list(TASKS.values()), "f", Losses())
        for task in TASKS.values():
            read_gold(doc, task, "f", Losses(), named=True)


@settings(max_examples=400, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(["whole", "tokens", "span_groups", "user_data"]), CHANGES)
def test_any_docbin(part: str, changes: Any) -> None:
    """Offsets, hashes and heads that spaCy would only stumble over later."""
    message = dict(MESSAGE)
    if part in ("tokens",):
        message[part] = changed(message[part], changes)
    elif part in ("span_groups", "user_data"):
        message[part] = [changed(one, changes) for one in message[part]]
    raw = srsly.msgpack_dumps(message)
    if part == "whole":
        raw = changed(raw, changes)
    try:
        read_all(zlib.compress(raw))
    except HitlError as e:
        assert str(e).startswith("[H071] 'f'"), e


ANY = st.recursive(
    st.none() | st.integers(-9, 9) | st.sampled_from(["A", "", "\ud800", b"\xff", 10**18, 0.5]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("AB"), inner),
    max_leaves=5,
)


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(sorted(MESSAGE)), st.none() | ANY)
def test_any_field_of_a_docbin(name: str, value: Any) -> None:
    try:
        raw = srsly.msgpack_dumps({**MESSAGE, name: value})
    except (UnicodeEncodeError, OverflowError):
        return
    try:
        read_all(zlib.compress(raw))
    except HitlError as e:
        assert str(e).startswith("[H071] 'f'"), e


@pytest.mark.parametrize("cats", [{1: 1.0}, {"A": "x"}, {"A": None}, {"A": [1]}])
def test_categories_that_are_none(cats: Any) -> None:
    doc = annotated()
    doc.cats = cats
    try:
        read_all(DocBin(docs=[doc]).to_bytes())
    except HitlError as e:
        assert str(e).startswith("[H071] 'f'"), e


def test_nothing_in_a_docbin_is_unpickled(tmp_path: Path) -> None:
    """A file may come from anybody: no field of it may run code."""
    mark = tmp_path / "it ran"

    class Evil:
        def __reduce__(self) -> Any:
            return Path.touch, (mark,)

    evil = srsly.pickle_dumps(Evil())
    for name in MESSAGE:
        for value in (evil, [evil]):
            raw = srsly.msgpack_dumps({**MESSAGE, name: value})
            with contextlib.suppress(HitlError):
                read_all(zlib.compress(raw))
    assert not mark.exists()
    srsly.pickle_loads(evil)
    assert mark.exists(), "it would have been seen"


# Whole imports


def state() -> List[str]:
    connection = sqlite3.connect(DB)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


GOOD: Dict[str, bytes] = {
    "prodigy": json.dumps({"text": TEXT, "answer": "accept", "spans": [MENTION]}).encode(),
    "doccano": json.dumps({"text": TEXT, "label": [[4, 7, "PRODUCT"]]}).encode(),
    "label-studio": json.dumps(
        [{"data": {"text": TEXT}, "annotations": [{"result": []}]}]
    ).encode(),
    "docbin": DocBin(docs=[annotated()], store_user_data=True).to_bytes(),
    "own": json.dumps({"id": "p0001", "relevant": "NOT_RELEVANT"}).encode(),
}
DEEP = b'{"text": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize("format", sorted(GOOD))
def test_any_bytes(format: str, exported: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found = load_prompted(CONFIG)
    monkeypatch.setattr("spacy_hitl.exchange.formats.load_prompted", lambda _: found)
    monkeypatch.setattr("spacy_hitl.exchange.run.load_prompted", lambda _: found)
    path = Path("some.jsonl")
    good = GOOD[format]
    stored = refused = 0

    def check(content: bytes) -> None:
        nonlocal stored, refused
        path.write_bytes(content)
        before = state()
        try:
            if format == "own":
                import_file(CONFIG, path)
            else:
                task = None if format == "docbin" else "product"
                import_format(CONFIG, path, format=format, task=task)
        except HitlError as e:
            refused += 1
            assert str(path) in str(e), e
            assert state() == before
        else:
            stored += 1

    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, len(good)), st.integers(0, 4), st.binary(max_size=4))
    def run(at: int, gone: int, new: bytes) -> None:
        check(good[:at] + new + good[at + gone :])

    check(good)
    assert stored == 1
    run()
    for content in (b"", DEEP, b"[" + DEEP + b"]", b"\0" * 99, b'{"text": ' + b"9" * 5000 + b"}"):
        check(content)
    assert refused > 9


def test_names_are_data(exported: Any) -> None:
    """Names of fields, tasks, people and files reach SQL as values only."""
    evil = "x'); DROP TABLE decisions; --"
    line = {"text": TEXT, "answer": "accept", "spans": [MENTION], "meta": {"id": evil, evil: evil}}
    path = Path(f"{evil}.jsonl")
    path.write_text(json.dumps({**line, "_annotator_id": evil}))
    import_format(CONFIG, path, format="prodigy", task="product", annotator=evil)
    connection = sqlite3.connect(DB)
    sql = "SELECT annotator FROM decisions ORDER BY id DESC"
    assert connection.execute(sql).fetchone() == (evil,)
    assert connection.execute("SELECT source, id FROM rows WHERE id = ?", (evil,)).fetchall()
    connection.close()
