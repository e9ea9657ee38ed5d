"""Metrics files: the best system of a role, the name of the main score, broken files."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from spacy_hitl.io import write_json
from spacy_hitl.records import TaskHeader
from spacy_hitl.scoring.results import SystemScore, TaskMetrics, main_score, read_all_metrics

HEADER = TaskHeader("mood", "ner", ("A",), "digest")


def score(name: str, role: str, value: float) -> SystemScore:
    return SystemScore(name, role, value, value - 0.1, value + 0.1, 0.5, 0.5)


SYSTEMS = (score("a", "student", 0.5), score("b", "student", 0.7), score("c", "prompted", 0.9))
METRICS = TaskMetrics(HEADER, "mood_ents_f", 10, (("person", 10),), True, SYSTEMS)


def test_the_best_system_of_a_role() -> None:
    best = METRICS.by_role("student")
    assert best is not None and best.name == "b"
    assert METRICS.by_role("baseline") is None


@pytest.mark.parametrize(
    "kind, exclusive, wanted",
    [
        ("ner", False, ("mood_ents_f", "micro")),
        ("spancat", False, ("mood_spans_f", "micro")),
        ("textcat", False, ("mood_cats_micro_f", "micro")),
        ("textcat", True, ("mood_cats_macro_f", "macro")),
        ("linking", False, ("mood_nel_f", "micro")),
    ],
)
def test_main_scores(kind: str, exclusive: bool, wanted: Any) -> None:
    assert main_score(replace(HEADER, kind=kind, exclusive=exclusive)) == wanted


def test_metrics_are_read_back(tmp_path: Path, fails: Any) -> None:
    write_json(tmp_path / "mood.json", METRICS.to_dict())
    assert read_all_metrics(tmp_path, ["other", "mood"]) == {"mood": METRICS}
    (tmp_path / "other.json").write_text("{")
    with fails("H004", "other.json", "not JSON"):
        read_all_metrics(tmp_path, ["other", "mood"])
    write_json(tmp_path / "other.json", {**METRICS.to_dict(), "extra": 1})
    with fails("H004", "other.json", "'extra'"):
        read_all_metrics(tmp_path, ["other"])
