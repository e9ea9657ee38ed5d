"""A pipeline with a cascade over many texts: who abstained, and how often both disagreed."""

import json
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
import spacy
from apply_world import results, write
from spacy.language import Language
from spacy.tokens import Doc

from spacy_hitl.apply import shards
from spacy_hitl.apply.run import ApplySummary, apply
from spacy_hitl.cli.apply import _show
from spacy_hitl.pipeline.cascade import Disagreement, Drift
from spacy_hitl.pipeline.cascade.answers import ABSTAINED, LLM, STUDENT, CascadeAnswer, set_answer

ANSWERS = [
    CascadeAnswer(STUDENT, 0.9),
    CascadeAnswer(STUDENT, 0.9, agreed=False, audit=True),
    CascadeAnswer(LLM, 0.2, agreed=True),
    CascadeAnswer(LLM, 0.1, agreed=False),
    CascadeAnswer(ABSTAINED, 0.1, reason="the LLM is off"),
]
OUT = Path("out")


@Language.component("test_cascade_of_apply")
def leave_answers(doc: Doc) -> Doc:
    """Leave what a cascade leaves: which answer, the text says."""
    if doc.text[-1].isdigit():
        set_answer(doc, "product_cascade", ANSWERS[int(doc.text[-1])])
    return doc


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.chdir(tmp_path)
    nlp = spacy.blank("en")
    nlp.add_pipe("test_cascade_of_apply")
    nlp.to_disk("model")
    yield "model"


def run(pipeline: str, numbers: List[int], **options: Any) -> ApplySummary:
    return apply(pipeline, write([f"text {n}" for n in numbers]), OUT, shard_rows=2, **options)


def test_drift_adds_up_over_shards_and_runs(
    pipeline: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = [0, 1, 1, 2, 3, 3, 4]
    wanted = {
        "product_cascade": Drift(
            texts=7, asked=Disagreement(3, 2), audited=Disagreement(2, 2), abstained=1
        )
    }
    first = run(pipeline, numbers)
    assert first.drifts == wanted
    for part in ("part-00001.jsonl", "part-00003.jsonl"):
        (OUT / part).unlink()
    done = []
    real = shards._annotate
    monkeypatch.setattr(shards, "_annotate", lambda *args: done.append(1) or real(*args))
    again = run(pipeline, numbers)
    assert (again.before, len(done)) == (4, 2)
    assert again.drifts == wanted
    _show(again)
    shown = capsys.readouterr().out
    assert "product_cascade: 7 texts" in shown and "2 of 3 (66.7%" in shown
    assert "drift signal" in shown and "1 doubtful texts without an answer" in shown


def test_who_abstained_is_on_the_record(pipeline: str) -> None:
    run(pipeline, [0, 4, 3])
    found: List[Dict[str, Any]] = results(OUT)
    assert [r.get("abstained") for r in found] == [None, ["product_cascade"], None]


def test_without_a_cascade_there_is_nothing_to_tell(pipeline: str) -> None:
    path = Path("plain.jsonl")
    path.write_text(json.dumps({"id": "a", "text": "no number"}) + "\n")
    summary = apply(pipeline, path, OUT)
    assert summary.drifts == {} and "abstained" not in results(OUT)[0]
