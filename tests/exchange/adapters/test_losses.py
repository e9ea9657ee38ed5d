"""The report: counts, first examples, and nothing in it that a terminal would obey."""

from typing import Any

import pytest

from spacy_hitl.exchange.adapters import fields
from spacy_hitl.exchange.adapters.losses import MAX_CHARS, Losses, LossReport, show


def test_reasons_are_counted_with_their_first_examples() -> None:
    losses = Losses()
    for n in range(5):
        losses.add("scores", f"f:{n}", n)
    losses.add("notes", "f:9")
    losses.note("look at it", "f:1")
    report = losses.report()
    assert [(x.reason, x.count, x.examples) for x in report.losses] == [
        ("scores", 5, ("f:0: 0", "f:1: 1", "f:2: 2")),
        ("notes", 1, ("f:9",)),
    ]
    both = report + report
    assert (both.count("scores"), both.count("notes")) == (10, 2)
    assert both.losses[0].examples == report.losses[0].examples
    assert both.notes[0].count == 2
    assert LossReport.from_dict(both.to_dict()) == both
    assert report + LossReport() == report


def test_quoted_input_can_do_nothing_to_a_terminal() -> None:
    losses = Losses()
    losses.add("labels", "f:1", "\x1b[31mred\r\n\u202e\ud800" + "é😀" * 200)
    (example,) = losses.report().losses[0].examples
    assert "\\x1b[31mred\\r\\n\\u202e\\ud800é😀" in example
    assert example.isprintable() and len(example) < MAX_CHARS * 3
    assert show("plain é😀") == "plain é😀"


def test_large_files_are_refused(tmp_path: Any, fails: Any, monkeypatch: Any) -> None:
    path = tmp_path / "large.jsonl"
    path.write_bytes(b"x" * 5000)
    assert fields.check_size(path) == path
    monkeypatch.setattr(fields, "MAX_BYTES", 4999)
    with fails("H072", path):
        fields.check_size(path)
    with fails("H001", "none.jsonl"):
        fields.check_size(tmp_path / "none.jsonl")


@pytest.mark.parametrize("depth, refused", [(fields.MAX_DEPTH, False), (900, True)])
def test_nesting_is_bounded(depth: int, refused: bool, fails: Any) -> None:
    value: Any = 1
    for _ in range(depth):
        value = {"a": [value]} if refused else [value]
    if not refused:
        fields.Reader("Tool").check(value, "f:1")
        return
    with fails("H070", "f:1", "too deep"):
        fields.Reader("Tool").check(value, "f:1")
