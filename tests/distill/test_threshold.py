"""The threshold of a multilabel student: the best there is, chosen on dev."""

from pathlib import Path
from typing import Any, List

import numpy as np
import pytest
import spacy
from hypothesis import example, given
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc

from spacy_hitl.dataset.corpus import write_corpus
from spacy_hitl.distill.callbacks import best_threshold, make_threshold_callback
from spacy_hitl.io import text_digest
from spacy_hitl.records import Annotation, CategoryAnnotation, TaskHeader, TaskRow

scores = st.floats(0, 1) | st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])


def micro_f(scores: Any, wanted: Any, threshold: float) -> float:
    found = np.asarray(scores) >= threshold
    right = np.asarray(wanted, dtype=bool)
    return float(2 * (found & right).sum() / max(1, found.sum() + right.sum()))


@given(st.lists(st.lists(st.tuples(scores, st.booleans()), min_size=2, max_size=2), min_size=1))
@example([[(5e-324, True), (0.0, False)]])
@example([[(0.5, True), (0.49999999999999994, False)]])
@example([[(0.0, True), (0.0, True)]])
def test_no_other_threshold_is_better(table: Any) -> None:
    values = [[s for s, _ in row] for row in table]
    wanted = [[w for _, w in row] for row in table]
    found = best_threshold(values, wanted)
    candidates = {s for row in values for s in row} | {2.0}
    best = max(micro_f(values, wanted, t) for t in candidates)
    assert 0 <= found <= 1
    assert micro_f(values, wanted, found) == pytest.approx(best)


def test_worked_example() -> None:
    values = [[0.9, 0.2], [0.8, 0.3], [0.7, 0.6]]
    wanted = [[True, False], [True, False], [False, True]]
    # From 0.6 up: 3 hits of 4 found, F 6/7; from 0.8 up: 2 of 2, F 4/5.
    assert best_threshold(values, wanted) == pytest.approx((0.6 + 0.3) / 2)


def test_nothing_wanted_is_nothing_known() -> None:
    assert best_threshold([[0.1, 0.9]], [[False, False]]) == 0.5


TOPICS = TaskHeader("topics", "textcat", ("A", "B"), "digest")


class Scorer:
    """A component whose scores stand in the text: "a=0.7 b=0.2"."""

    def __init__(self) -> None:
        self.cfg = {"threshold": 0.5}

    def __call__(self, doc: Doc) -> Doc:
        parts = dict(part.split("=") for part in doc.text.split())
        doc.cats = {"A": float(parts["a"]), "B": float(parts["b"])}
        return doc


@Language.factory("test_scorer")
def make_scorer(nlp: Language, name: str) -> Scorer:
    return Scorer()


def make_row(text: str, lane: str, labels: str) -> TaskRow:
    cats = tuple(CategoryAnnotation(label) for label in labels)
    return TaskRow(text, text_digest(text), lane, decision=Annotation(cats=cats))


@pytest.fixture
def nlp() -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("test_scorer", name="topics")
    return nlp


def test_the_callback_reads_dev_only(nlp: Any, tmp_path: Path) -> None:
    rows: List[TaskRow] = [
        make_row("a=0.30 b=0.10", "dev", "A"),
        make_row("a=0.20 b=0.40", "dev", "B"),
        make_row("a=0.90 b=0.85", "train", "A"),
        make_row("a=0.10 b=0.05", "train", "AB"),
    ]
    write_corpus(tmp_path / "topics.jsonl", TOPICS, rows)
    assert make_threshold_callback(tmp_path / "topics.jsonl", "topics")(nlp) is nlp
    assert nlp.get_pipe("topics").cfg["threshold"] == pytest.approx(0.25)


def test_the_callback_says_what_is_missing(nlp: Any, tmp_path: Path, fails: Any) -> None:
    path = tmp_path / "topics.jsonl"
    write_corpus(path, TOPICS, [make_row("a=0.3 b=0.1", "train", "A")])
    with fails("H300", "'topics'", path, "lane 'dev'"):
        make_threshold_callback(path, "topics")(nlp)
    with fails("H303", "'nobody'", "topics"):
        make_threshold_callback(path, "topics", component="nobody")(nlp)
    assert nlp.get_pipe("topics").cfg["threshold"] == 0.5
