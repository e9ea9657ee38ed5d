"""metrics/outputs/<task>.jsonl: written whole, for the owner only, and read back."""

import stat
from pathlib import Path
from typing import Any

from spacy_hitl.io import write_jsonl
from spacy_hitl.records import Annotation, SpanAnnotation, TaskHeader
from spacy_hitl.scoring.outputs import outputs_path, read_outputs, write_outputs
from spacy_hitl.scoring.results import GoldOutput

HEADER = TaskHeader("thing", "ner", ("A",), "d")
SPAN = Annotation(spans=(SpanAnnotation(0, 2, "A"),))
OUTPUTS = [
    GoldOutput("K9 \u2028", "1", SPAN, (("lookup", Annotation()), ("s", SPAN))),
    GoldOutput("no", "2", Annotation(), (("lookup", Annotation()), ("s", SPAN))),
]


def test_outputs_are_read_back(tmp_path: Path) -> None:
    path = outputs_path(tmp_path / "outputs", "thing")
    assert write_outputs(path, HEADER, OUTPUTS) == 2
    assert read_outputs(path) == (HEADER, OUTPUTS)


def test_only_the_owner_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "thing.jsonl"
    for _ in range(2):
        write_outputs(path, HEADER, OUTPUTS)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_files_that_are_no_outputs(tmp_path: Path, fails: Any) -> None:
    path = tmp_path / "thing.jsonl"
    with fails("H001", "thing.jsonl", "evaluat"):
        read_outputs(path)
    path.write_text("\n")
    with fails("H440", "thing.jsonl"):
        read_outputs(path)
    write_jsonl(path, [HEADER.to_dict(), {"v": 1, "text": "x"}])
    with fails("H004", "thing.jsonl:2", "text_digest"):
        read_outputs(path)
