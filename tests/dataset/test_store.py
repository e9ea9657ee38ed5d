"""The dataset: rows all or none, decisions only added, proposals kept, nothing lost."""

import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest
import srsly

from spacy_hitl.dataset.rows import read_rows
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.io import text_digest
from spacy_hitl.records import (
    STATUSES,
    Annotation,
    CategoryAnnotation,
    Decision,
    Problem,
    Proposal,
    Row,
)
from spacy_hitl.settings import DataSettings, LaneSettings

LANES = LaneSettings()
TEXT = "hello"
YES, NO = (Annotation(cats=(CategoryAnnotation(label),)) for label in ("YES", "NO"))


def make_row(id_: str, text: str = TEXT, lane: Optional[str] = None) -> Row:
    return Row(source="rows.jsonl", id=id_, text=text, lane=lane)


def make_decision(**values: Any) -> Decision:
    first = Decision(
        *(text_digest(TEXT), "mood", "accept", "ann", "person", "digest"), annotation=YES, time=1.0
    )
    return replace(first, **values)


def make_proposal(status: str, **values: Any) -> Proposal:
    first = Proposal(text_digest(TEXT), "mood", "model", status, "digest", annotation=YES)
    return replace(first, **values)


@pytest.fixture
def dataset(tmp_path: Path) -> Any:
    with Dataset(tmp_path / "hitl.db") as dataset:
        dataset.add_rows([make_row("first")], LANES)
        yield dataset


def test_rows_are_all_or_nothing(dataset: Dataset, fails: Any) -> None:
    with fails("H053", "'first'", "rows.jsonl"):
        dataset.add_rows([make_row("2", "a"), make_row("3", "b"), make_row("first", "c")], LANES)
    assert (dataset.count("rows"), dataset.count("texts")) == (1, 1)


def test_importing_again_changes_nothing(dataset: Dataset) -> None:
    rows = [make_row("2", "a"), make_row("3", "b"), make_row("4", "a")]
    assert dataset.add_rows(rows, LANES) == 2  # two rows, one text
    before = [list(dataset.db.rows(f"SELECT * FROM {t}")) for t in ("texts", "rows")]
    assert dataset.add_rows(rows, LaneSettings(salt="other")) == 0
    assert [list(dataset.db.rows(f"SELECT * FROM {t}")) for t in ("texts", "rows")] == before


def test_find_text_needs_one_answer(dataset: Dataset) -> None:
    assert dataset.find_text("first") == text_digest(TEXT)
    assert dataset.find_text("nobody") is None
    dataset.add_rows([Row("other.jsonl", "first", "another text")], LANES)
    assert dataset.find_text("first") is None
    assert dataset.find_text("first", source="other.jsonl") == text_digest("another text")


@pytest.mark.parametrize("sql", ["UPDATE decisions SET annotator = 'eve'", "DELETE FROM decisions"])
def test_decisions_are_append_only(sql: str, dataset: Dataset, fails: Any) -> None:
    dataset.add_decisions([make_decision()])
    with fails("H060", "append-only"):
        dataset.db.run(sql)
    with sqlite3.connect(dataset.path) as anyone, pytest.raises(sqlite3.Error, match="append-only"):
        anyone.execute(sql)
    assert dataset.decisions("mood", text_digest(TEXT)) == [make_decision()]


def test_the_same_decision_is_stored_once(dataset: Dataset) -> None:
    assert dataset.add_decisions([make_decision(), make_decision(time=2.0, seconds=3.0)]) == 1
    assert dataset.add_decisions([make_decision(time=9.0)]) == 0
    others: List[Dict[str, Any]] = [
        {"annotation": NO},
        {"annotator": "bob"},
        {"action": "reject", "annotation": None},
        {"task_digest": "newer"},
        {"saw_proposal": "model"},
        {"task": "tone"},
    ]
    assert dataset.add_decisions([make_decision(**values) for values in others]) == len(others)


def test_changing_ones_mind_back_is_a_decision(dataset: Dataset) -> None:
    history = [make_decision(annotation=a, time=t) for t, a in enumerate((YES, NO, YES))]
    assert dataset.add_decisions(history) == 3
    assert dataset.decisions("mood", text_digest(TEXT)) == history


def test_decisions_are_all_or_nothing(dataset: Dataset) -> None:
    broken = make_decision(annotator="\ud800")
    with pytest.raises(Exception, match="H060"):
        dataset.add_decisions([make_decision(), broken])
    assert dataset.count("decisions") == 0


@pytest.mark.parametrize("second", STATUSES)
@pytest.mark.parametrize("first", STATUSES)
def test_a_proposal_stays_unless_it_had_failed(first: str, second: str, dataset: Dataset) -> None:
    one = make_proposal(first)
    two = make_proposal(second, annotation=NO, problems=(Problem("kind", "why"),))
    dataset.add_proposals([one])
    dataset.add_proposals([two])
    kept = two if first == "failed" else one
    assert dataset.proposals("mood", text_digest(TEXT)) == [kept]
    assert dataset.tally("proposals", "status") == {(kept.status,): 1}


def test_proposals_of_different_questions_stand_side_by_side(dataset: Dataset) -> None:
    different: List[Dict[str, Any]] = [{}, {"source": "b"}, {"sample": 2}, {"task_digest": "n"}]
    proposals = [make_proposal("ok", **values) for values in different]
    dataset.add_proposals(proposals)
    assert set(map(repr, dataset.proposals("mood", text_digest(TEXT)))) == set(map(repr, proposals))


def test_texts_without_a_proposal(dataset: Dataset) -> None:
    dataset.add_rows([make_row("2", "b", "dev"), make_row("3", "c", "train")], LANES)
    b, c = text_digest("b"), text_digest("c")
    key = {"mood": ("model", 1, "digest")}
    lanes = ("dev", "train")
    assert dataset.texts_without(key, lanes=lanes)[-2:] == [b, c]
    assert dataset.texts_without(key, lanes=("dev",))[-1:] == [b]
    dataset.add_proposals([make_proposal("failed", text_digest=b)])
    dataset.add_proposals([make_proposal("malformed", text_digest=c)])
    assert b in dataset.texts_without(key, lanes=lanes)
    assert c not in dataset.texts_without(key, lanes=lanes)
    for other in (("model", 2, "digest"), ("other", 1, "digest"), ("model", 1, "newer")):
        assert c in dataset.texts_without({"mood": other}, lanes=lanes)
    assert c in dataset.texts_without({**key, "tone": ("model", 1, "digest")}, lanes=lanes)


def test_a_full_disk_loses_nothing(small_disk: Any, tmp_path: Path, fails: Any) -> None:
    """Also with the process gone: what lies on the disk then is whole."""
    path = small_disk.folder / "hitl.db"
    with Dataset(path) as dataset:
        dataset.add_rows([make_row("1")], LANES)
        dataset.add_decisions([make_decision()])
        small_disk.fill()
        with fails("H060", path, "rolled back"):
            dataset.add_rows([make_row(f"x{i}", f"text {i} " * 200) for i in range(800)], LANES)
        with fails("H060", path):
            many = [make_decision(annotator=f"{i}" * 200) for i in range(5000)]
            dataset.add_decisions(many)
        small_disk.free()
        shutil.copytree(small_disk.folder, tmp_path / "crashed")
        assert dataset.add_decisions([make_decision(annotator="bob")]) == 1
    for folder, decisions in ((tmp_path / "crashed", 1), (small_disk.folder, 2)):
        with Dataset(folder / "hitl.db") as dataset:
            assert dataset.db.one("PRAGMA integrity_check") == ("ok",)
            counts = [dataset.count(t) for t in ("texts", "rows", "decisions")]
            assert counts == [1, 1, decisions]
            assert dataset.text(text_digest(TEXT)) == TEXT


def read(tmp_path: Path, *records: Any, **values: Any) -> List[Row]:
    srsly.write_jsonl(tmp_path / "rows.jsonl", records)
    return read_rows(tmp_path / "rows.jsonl", DataSettings(**values))


def test_read_rows(tmp_path: Path) -> None:
    rows = read(
        tmp_path, {"id": 7, "text": "a", "date": "x"}, {"id": "b", "text": "c", "lane": "dev"}
    )
    assert rows == [
        Row("rows.jsonl", "7", "a", None, {"date": "x"}),
        Row("rows.jsonl", "b", "c", "dev", {}),
    ]
    named = read(tmp_path, {"nr": "1", "body": "x", "id": "meta"}, id_field="nr", text_field="body")
    assert named == [Row("rows.jsonl", "1", "x", None, {"id": "meta"})]


@pytest.mark.parametrize(
    "record, code, parts",
    [
        ({"id": "1", "text": "other"}, "H052", ["'1'", "rows.jsonl:1"]),
        ({"id": 1, "text": "other"}, "H052", ["'1'", "rows.jsonl:1"]),
        ({"text": "x"}, "H008", ["'id'"]),
        ({"id": "", "text": "x"}, "H008", ["'id'"]),
        ({"id": True, "text": "x"}, "H008", ["'id'"]),
        ({"id": ["2"], "text": "x"}, "H008", ["'id'"]),
        ({"id": "2"}, "H008", ["'text'"]),
        ({"id": "2", "text": None}, "H008", ["'text'"]),
        ({"id": "2", "text": "x", "lane": "test"}, "H054", ["'test'", "gold, dev, train"]),
        ({"id": "2", "text": "x", "lane": ["gold"]}, "H054", ["gold, dev, train"]),
        ({"id": "2", "text": " "}, "H005", []),
        ({"id": "\x00", "text": "x"}, "H005", ["(id)"]),
        ({"id": "2", "text": "x" * 51}, "H006", ["51", "50"]),
        ({"id": "x" * 1001, "text": "x"}, "H006", ["(id)", "1001"]),
    ],
)
def test_read_rows_names_the_line(
    record: Any, code: str, parts: List[str], tmp_path: Path, fails: Any
) -> None:
    with fails(code, "rows.jsonl:2", *parts):
        read(tmp_path, {"id": "1", "text": "x"}, record, max_chars=50)
