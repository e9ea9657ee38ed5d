"""What is nearly a text of lane dev is kept out of training."""

from pathlib import Path
from typing import Any, List, Optional

import pytest
import spacy

from spacy_hitl.dataset.corpus import write_corpus
from spacy_hitl.distill.corpus.reader import make_task_corpus
from spacy_hitl.io import text_digest
from spacy_hitl.records import Annotation, CategoryAnnotation, Proposal, TaskHeader, TaskRow

NLP = spacy.blank("en")
MOOD = TaskHeader("mood", "textcat", ("YES", "NO"), "digest")
YES = Annotation(cats=(CategoryAnnotation("YES"),))
LONG = " ".join(f"w{i}" for i in range(30))
NEARLY = LONG.replace("w15", "x")  # 25 of 31 runs of three words: 0.81


def row(text: str, lane: str, *, decided: bool = True) -> TaskRow:
    proposal = Proposal("d", "mood", "m", "ok", "t", annotation=YES)
    decision = YES if decided else None
    return TaskRow(text, text_digest(text), lane, decision, proposal=proposal)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    rows = [
        row(LONG, "dev", decided=False),  # nobody decided on it yet
        row(LONG + " and more", "dev"),
        row(NEARLY, "train"),
        row(LONG + "!", "train", decided=False),
        row("something else", "train"),
    ]
    write_corpus(tmp_path / "mood.jsonl", MOOD, rows)
    return tmp_path / "mood.jsonl"


@pytest.mark.parametrize(
    "threshold, wanted",
    [
        (0.8, ["something else"]),
        (0.9, ["something else", NEARLY]),
        (None, ["something else", NEARLY, LONG + "!"]),
    ],
)
def test_train_without_dev(
    threshold: Optional[float], wanted: List[str], corpus: Path, caplog: Any
) -> None:
    caplog.set_level("INFO", logger="spacy")
    reader = make_task_corpus(corpus, "mood", proposals=True, near_duplicates=threshold)
    assert sorted(eg.text for eg in reader(NLP)) == sorted(wanted)
    out = 3 - len(wanted)
    assert (f"near-duplicates of lane dev {out}" in caplog.text) == (out > 0)


def test_it_is_the_default(corpus: Path) -> None:
    assert [eg.text for eg in make_task_corpus(corpus, "mood")(NLP)] == ["something else"]


def test_dev_keeps_its_near_duplicates(corpus: Path) -> None:
    found = [eg.text for eg in make_task_corpus(corpus, "mood", lane="dev")(NLP)]
    assert found == [LONG + " and more"]


def test_nothing_else_to_learn_from(corpus: Path, fails: Any) -> None:
    write_corpus(corpus, MOOD, [row(LONG, "dev"), row(NEARLY, "train")])
    with fails("H324", "mood.jsonl", "near-duplicates of lane dev: 1"):
        list(make_task_corpus(corpus, "mood")(NLP))


def test_what_is_no_similarity_is_said_at_once(corpus: Path, fails: Any) -> None:
    for value in (0.0, 1.5):
        with fails("H323", value):
            make_task_corpus(corpus, "mood", near_duplicates=value)
