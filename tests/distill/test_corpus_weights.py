"""How often each kind of evidence comes."""

from collections import Counter
from pathlib import Path
from typing import Any, Dict

import pytest
import spacy

from spacy_hitl.dataset.corpus import write_corpus
from spacy_hitl.distill.corpus.reader import make_task_corpus
from spacy_hitl.io import text_digest
from spacy_hitl.records import (
    Annotation,
    CategoryAnnotation,
    Look,
    PartialDecision,
    Proposal,
    TaskHeader,
    TaskRow,
)

NLP = spacy.blank("en")
MOOD = TaskHeader("mood", "textcat", ("YES", "NO"), "digest")
YES = Annotation(cats=(CategoryAnnotation("YES"),))
PROPOSED = Proposal("d", "mood", "m", "ok", "t", annotation=YES)


def row(text: str, **values: Any) -> TaskRow:
    return TaskRow(text, text_digest(text), "train", **values)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    part = PartialDecision(YES, (Look(("YES",)),))
    rows = [
        row("blind", decision=YES, blind=True),
        row("decision", decision=YES, blind=False, proposal=PROPOSED),
        row("bulk", decision=YES, blind=False, bulk=True),
        row("partial", partial=part, blind=False, proposal=PROPOSED),
        row("proposal", proposal=PROPOSED),
    ]
    write_corpus(tmp_path / "mood.jsonl", MOOD, rows)
    return tmp_path / "mood.jsonl"


@pytest.mark.parametrize(
    "values, wanted",
    [
        ({}, {"blind": 1, "decision": 1, "bulk": 1, "partial": 1}),
        ({"repeat": 2}, {"blind": 2, "decision": 2, "bulk": 2, "partial": 2}),
        ({"decisions": False, "proposals": True}, {"proposal": 1, "partial": 1}),
        (
            {"proposals": True, "repeat": 3},
            # Decided of a part, the rest of it proposed: it teaches both.
            {"blind": 3, "decision": 3, "bulk": 3, "partial": 3 + 1, "proposal": 1},
        ),
        (
            {"proposals": True, "weights": {"decision": 3, "partial": 2, "bulk": 1, "proposal": 1}},
            {"blind": 3, "decision": 3, "bulk": 1, "partial": 2 + 1, "proposal": 1},
        ),
        ({"weights": {"blind": 2, "bulk": 0}}, {"blind": 2, "decision": 1, "partial": 1}),
        ({"weights": {"decision": 0, "partial": 0, "bulk": 1}}, {"bulk": 1}),
        (
            {"repeat": 2, "weights": {"decision": 1}},
            {"blind": 1, "decision": 1, "bulk": 2, "partial": 2},
        ),
        (
            {"proposals": True, "repeat": 0, "weights": {"proposal": 2}},
            {"proposal": 2, "partial": 2},
        ),
    ],
)
def test_weights(values: Any, wanted: Dict[str, int], corpus: Path) -> None:
    found = [eg.text for eg in make_task_corpus(corpus, "mood", **values)(NLP)]
    assert Counter(found) == wanted


def test_repetitions_come_pass_by_pass(corpus: Path) -> None:
    weights = {"blind": 3, "decision": 2, "bulk": 1, "partial": 2, "proposal": 1}
    reader = make_task_corpus(corpus, "mood", proposals=True, weights=weights)
    found = [eg.text for eg in reader(NLP)]
    assert sorted(found[:3]) == ["blind", "bulk", "decision"]
    assert sorted(found[3:5]) == ["blind", "decision"]
    assert found[5:8] == ["blind", "partial", "partial"]
    assert sorted(found[8:]) == ["partial", "proposal"]


@pytest.mark.parametrize(
    "weights", [{"silver": 1}, {"decision": -1}, {"decision": 1.5}, {"decision": True}]
)
def test_weights_that_mean_nothing(weights: Any, corpus: Path, fails: Any) -> None:
    ((kind, weight),) = weights.items()
    with fails("H321", "'mood'", f"'{kind}': {weight}", "blind, decision, partial"):
        make_task_corpus(corpus, "mood", weights=weights)


def test_weights_of_what_is_not_read(corpus: Path, fails: Any) -> None:
    with fails("H322", "'mood'", "'proposal'", "weight 2", "proposals is false"):
        make_task_corpus(corpus, "mood", weights={"proposal": 2})
    with fails("H322", "'partial'", "decisions is false"):
        make_task_corpus(corpus, "mood", decisions=False, proposals=True, weights={"partial": 1})
    make_task_corpus(corpus, "mood", weights={"proposal": 0})


def test_weights_that_leave_nothing(corpus: Path, fails: Any) -> None:
    with fails("H324", "weight 0 (blind): 1", "weight 0 (partial): 1"):
        list(make_task_corpus(corpus, "mood", repeat=0)(NLP))


def test_a_config_can_say_it(corpus: Path) -> None:
    block = {
        "@readers": "spacy-hitl.TaskCorpus.v1",
        "path": str(corpus),
        "task": "mood",
        "lane": "train",
        "weights": {"blind": 4, "partial": 0},
        "near_duplicates": None,
    }
    reader = spacy.registry.resolve({"corpus": block})["corpus"]
    assert Counter(eg.text for eg in reader(NLP)) == {"blind": 4, "decision": 1, "bulk": 1}
