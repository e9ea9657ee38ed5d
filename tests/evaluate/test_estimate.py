"""Estimates of a project: what counts as evidence, what is marked, what is refused."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, List, Optional, Sequence

import pytest
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parent.parent / "review"))
import live

from spacy_hitl.cli import hitl_cli
from spacy_hitl.dataset.basis import CHOSEN, SHOWN, UNBIASED
from spacy_hitl.dataset.history import TaskHistory
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.evaluate.estimate import (
    Estimates,
    Known,
    error_of_accepted,
    estimate,
    known_of,
    recall_of_labels,
)
from spacy_hitl.io import text_digest
from spacy_hitl.pipeline.loading import load_prompted, prompted_tasks
from spacy_hitl.records import (
    Annotation,
    CategoryAnnotation,
    Decision,
    Proposal,
    SpanAnnotation,
    TaskChanges,
    TaskHeader,
    TaskVersion,
)
from spacy_hitl.scoring.estimates import Stratum

HEADER = TaskHeader("t", "textcat", ("A", "B"), "v")
KEY = ("m", 1, "v")
HISTORY = TaskHistory(TaskVersion(HEADER, "meaning", TaskChanges()), {})


def cats(*labels: str) -> Annotation:
    return Annotation(cats=tuple(CategoryAnnotation(label) for label in labels))


def made(mode: str, annotation: Annotation, annotator: str = "ann", **values: Any) -> Decision:
    seen = "m" if mode in ("bulk", "random", "routed", "recheck") else None
    decision = Decision(
        "d", "t", "accept", annotator, "person", "v", annotation, seen, mode=mode, uid=mode
    )
    return replace(decision, **values)


def known(
    decisions: Sequence[Decision], said: Optional[Annotation], lane: str = "train", **values: Any
) -> Known:
    status = values.pop("status", "ok")
    proposals = [] if said is None else [Proposal("d", "t", "m", status, "v", said)]
    return known_of(decisions, proposals, key=KEY, lane=lane, history=HISTORY)


# One text


def test_what_is_known_of_a_gold_text() -> None:
    found = known([made("blind", cats("A"))], cats("B"), "gold")
    assert found == Known("gold", cats("B"), cats("A"), UNBIASED)
    unusable = known([made("blind", cats("A"))], cats("B"), "gold", status="malformed")
    assert unusable.predicted == Annotation()
    assert known([made("blind", cats("A"))], None, "gold").predicted is None
    other = Proposal("d", "t", "another model", "ok", "v", cats("B"))
    assert known_of([], [other], key=KEY, lane="gold", history=HISTORY) == Known("gold")


def test_what_is_known_of_an_accepted_text() -> None:
    bulk = made("bulk", cats("A"), "bo")
    assert known([bulk], cats("A")) == Known("train", cats("A"), accepted=cats("A"))
    again = known([bulk, made("recheck", cats("B"))], cats("A"))
    assert (again.accepted, again.audited, again.looked_at) == (cats("A"), None, True)
    audit = made("blind", cats("B"))
    audited = known([bulk, audit], cats("A"))
    assert (audited.accepted, audited.audited, audited.looked_at) == (cats("A"), audit, False)
    skipped = known([bulk, made("blind", cats(), action="skip")], cats("A"))
    assert skipped.passed_over and skipped.audited is None


# Accepted texts


def accepted(right: int, wrong: int, unseen: int, **values: Any) -> List[Known]:
    bulk = made("bulk", cats("A"), "bo")
    texts = [known([bulk, made("blind", cats("A"))], cats("A"))] * right
    texts += [known([bulk, made("blind", cats("A", "B"))], cats("A"))] * wrong
    return texts + [known([bulk], cats("A"))] * unseen


def test_the_error_of_accepted_texts() -> None:
    texts, annotations = error_of_accepted(accepted(90, 10, 900), command="x").figures
    assert (texts.value, texts.decided, texts.population) == (0.1, 100, 1000)
    assert texts.strata == (Stratum(1000, 100, 10),)
    assert 0.05 < texts.low < 0.1 < texts.high < 0.18
    assert annotations.value == pytest.approx(10 / 110)
    assert texts.basis == annotations.basis == UNBIASED and texts.lanes == (("train", 100),)


def test_a_rejected_text_is_all_wrong() -> None:
    bulk = made("bulk", cats("A", "B"), "bo")
    text = known([bulk, made("blind", Annotation(), action="reject")], cats("A", "B"))
    _, annotations = error_of_accepted([text], command="x").figures
    assert annotations.value == 1


def test_nobody_looked() -> None:
    bulk = made("bulk", cats("A"), "bo")
    texts = [*accepted(0, 0, 5), known([bulk, made("recheck", cats("B"))], cats("A"))]
    found = error_of_accepted(texts, command="review x")
    assert found.figures == ()
    said = " ".join(found.notes)
    assert "1 of the accepted texts were looked at again" in said
    assert "6 texts were accepted unseen" in said and "review x --audit 100" in said
    assert error_of_accepted([known([], cats("A"))], command="x") == Estimates()


# Recall


def decided(said: str, true: str, n: int, mode: str = "blind", lane: str = "gold") -> List[Known]:
    return [known([made(mode, cats(*true))], cats(*said), lane)] * n


def test_recall_by_strata() -> None:
    """10 of 1,000 texts are said to be A; of 200 gold ones 2, and one of the others holds it."""
    gold = decided("A", "A", 2) + decided("", "", 197) + decided("", "A", 1)
    rest = [known([], cats("A"))] * 8 + [known([], cats())] * 792
    (figure,) = recall_of_labels(gold + rest, HEADER).figures
    assert (figure.name, figure.label, figure.basis) == ("recall", "A", UNBIASED)
    assert figure.strata == (Stratum(10, 2, 2), Stratum(990, 198, 1))
    assert figure.value == pytest.approx(10 / (10 + 5))
    assert figure.low < 0.4 and figure.high > 0.9  # 2 of 3 would have said as much
    assert (figure.decided, figure.population) == (200, 1000)
    assert (
        "none of the 200 decided texts holds it" in recall_of_labels(gold + rest, HEADER).notes[0]
    )


def test_blind_texts_count_alone() -> None:
    """What was decided with the proposal in sight is not added to what was not."""
    texts = decided("A", "A", 5) + decided("", "A", 5)
    texts += decided("A", "A", 90, "random", "train") + decided("A", "A", 90, "routed", "train")
    found = recall_of_labels(texts, HEADER)
    (figure,) = found.figures
    assert (figure.basis, figure.decided, figure.lanes) == (UNBIASED, 10, (("gold", 10),))
    assert any("180 decided texts are not used" in note for note in found.notes)


def test_without_blind_ones_the_figure_says_that_it_is_biased() -> None:
    texts = decided("A", "A", 9, "random", "train") + decided("", "A", 1, "random", "train")
    texts += decided("", "A", 30, "routed", "train")
    (figure,) = recall_of_labels(texts, HEADER).figures
    assert (figure.basis, figure.decided) == (SHOWN, 10)


def test_routed_texts_alone_say_nothing() -> None:
    texts = decided("A", "A", 9, "routed", "train")
    assert {t.basis for t in texts} == {CHOSEN}
    found = recall_of_labels(texts, HEADER)
    assert found.figures == () and "No recall" in found.notes[0]


def test_a_stratum_that_nobody_looked_at() -> None:
    texts = decided("", "", 20) + [known([], cats("A"))] * 5 + [known([], None)] * 3
    found = recall_of_labels(texts, HEADER)
    assert found.figures == ()
    assert "3 texts were not annotated" in found.notes[0]
    assert "of the 5 texts with it" in found.notes[1]
    assert recall_of_labels(texts, replace(HEADER, kind="linking")).figures == ()


# A project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> List[str]:
    monkeypatch.chdir(tmp_path)
    return live.write_project(train=6, gold=4, tasks=("product",))


def store(texts: Sequence[str], mode: str, *, end: int = 10) -> None:
    nlp, settings = load_prompted(live.CONFIG)
    source, _, digest = prompted_tasks(nlp)["product"].key
    spans = Annotation(spans=(SpanAnnotation(4, end, "PHONE"),))
    seen = None if mode == "blind" else source
    with Dataset(settings.dataset) as dataset:
        dataset.add_decisions(
            [
                Decision(
                    text_digest(text), "product", "accept", "ann", "person", digest, spans, seen,
                    mode=mode, uid=f"u{i}",
                )
                for i, text in enumerate(texts)
            ]
        )  # fmt: skip


def test_a_project(project: List[str]) -> None:
    store(project[6:], "blind")
    found = estimate(live.CONFIG, "product")
    (figure,) = found.figures
    assert (figure.label, figure.value, figure.basis) == ("PHONE", 1.0, UNBIASED)
    assert (figure.decided, figure.population) == (4, 10)
    accepted, maker = found.notes
    assert "No text was accepted unseen" in accepted and "spacy hitl accept" in accepted
    assert maker == "No recall of MAKER: none of the 4 decided texts holds it."


def test_the_command_marks_what_is_biased(project: List[str]) -> None:
    store(project[:3], "random")
    found = CliRunner().invoke(hitl_cli, ["estimate", str(live.CONFIG), "--task", "product"])
    assert found.exit_code == 0, found.output
    assert "biased: proposal was shown" in found.output and "3 of 10" in found.output


def test_what_a_router_chose_is_refused(project: List[str], fails: Any) -> None:
    store(project[:3], "routed")
    with fails("H413", "product", "3 decided texts", "gold_share"):
        estimate(live.CONFIG, "product")


def test_without_decisions_nothing_can_be_said(project: List[str], fails: Any) -> None:
    with fails("H412", "product", "hitl.db"):
        estimate(live.CONFIG, "product")
    with fails("H130", "nothing", "product"):
        estimate(live.CONFIG, "nothing")
    none = CliRunner().invoke(hitl_cli, ["estimate", str(live.CONFIG), "--task", "product"])
    assert none.exit_code == 1 and "[H412]" in none.output
