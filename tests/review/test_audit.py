"""Auditing what was accepted unseen: a random sample, blind, until it is done."""

import json
from pathlib import Path
from typing import Any, Dict, List

import live
import pytest
from typer.testing import CliRunner

from spacy_hitl.cli import hitl_cli
from spacy_hitl.dataset.basis import audit_of
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.dataset.task_versions import remember
from spacy_hitl.io import text_digest
from spacy_hitl.pipeline.loading import load_prompted, prompted_tasks
from spacy_hitl.records import Annotation, Decision, SpanAnnotation

WRONG = [[1, 2, "MAKER"]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def decide(texts: List[str], task: str = "product", **values: Any) -> None:
    """Store what bo accepted in bulk."""
    nlp, settings = load_prompted(live.CONFIG)
    tasks = prompted_tasks(nlp)
    source, _, digest = tasks[task].key
    shown = {"saw_proposal": source, "mode": "bulk", "uid": "b", **values}
    spans = (SpanAnnotation(4, 10, "PHONE"), SpanAnnotation(16, 21, "MAKER"))
    with Dataset(settings.dataset) as dataset:
        remember(dataset, {n: p.task for n, p in tasks.items()}, settings.changes)
        dataset.add_decisions(
            [
                Decision(
                    *(text_digest(text), task, "accept", "bo", "person", digest),
                    annotation=Annotation(spans=spans),
                    **shown,
                )
                for text in texts
            ]
        )


@pytest.fixture
def accepted() -> List[str]:
    texts = live.write_project(train=12, gold=2, tasks=("product",))
    decide(texts[:10])
    return texts[:10]


def test_the_sample_is_blind_and_of_accepted_texts_only(accepted: List[str]) -> None:
    with live.server(audit=4) as running:
        ann = running.client("ann")
        batch = ann.next(10)
        screens = batch["screens"]
        assert len(screens) == 4 == batch["progress"]["left"]
        assert {s["digest"] for s in screens} < {text_digest(t) for t in accepted}
        for screen in screens:
            assert screen["blind"] and screen["mode"] == "blind"
            shown = screen["tasks"]["product"]
            assert shown["annotation"]["spans"] == [] and shown["extra"] == []
            assert shown["source"] is None and not shown["raw"]
            evidence = ann.get(f"/api/evidence?digest={screen['digest']}&task=product")
            assert evidence.status == 403 or "H208" in json.dumps(evidence.json)
        done = ann.answer(live.answer_to(screens[0], tasks={"product": {"spans": WRONG}}))
        assert done["progress"]["done"] == 1
    (row,) = [r for r in live.stored() if r["mode"] == "blind"]
    assert "saw_proposal" not in row and row["annotator"] == "ann"


def test_it_goes_on_where_it_ended(accepted: List[str]) -> None:
    def sample(size: int) -> Dict[str, bool]:
        with live.session(audit=size) as session:
            texts = session.queue.next("ann", 20).turns
            return {turn.digest: True for turn in texts}

    first = sample(4)
    assert first == sample(4)
    assert set(first) < set(sample(7)) < set(sample(100))
    assert len(sample(100)) == 10
    with live.server(audit=4) as running:
        ann = running.client("ann")
        for screen in ann.next(4)["screens"]:
            ann.answer(live.answer_to(screen, tasks={"product": {"spans": WRONG}}))
        assert ann.next(4)["state"] == "empty"
    assert set(sample(7)).isdisjoint(first) and len(sample(7)) == 3


def test_who_accepted_may_audit_and_nobody_does_it_twice(accepted: List[str]) -> None:
    with live.server(audit=3) as running:
        ann, bo = running.client("ann"), running.client("bo")
        for screen in bo.next(3)["screens"]:
            bo.answer(live.answer_to(screen, tasks={"product": {"spans": WRONG}}))
        assert ann.next(3)["state"] == "empty"
    with live.session() as session:
        found = [audit_of(session.texts.decisions("product", text_digest(t))) for t in accepted]
    assert [d.annotator for d in found if d is not None] == ["bo"] * 3


def test_an_answer_that_is_taken_back_and_given_again(accepted: List[str]) -> None:
    with live.server(audit=1) as running:
        ann = running.client("ann")
        (screen,) = ann.next(1)["screens"]
        ann.answer(live.answer_to(screen, tasks={"product": {"spans": WRONG}}))
        back = ann.post("/api/undo", {"uid": "u", "undoes": None}).json
        assert back["progress"]["done"] == 0
        again = ann.get(f"/api/screen?digest={screen['digest']}").json
        assert again["blind"] and again["tasks"]["product"]["source"] is None
        done = ann.answer(live.answer_to(again, mode="reopened", tasks={"product": {"spans": []}}))
        assert done["progress"]["done"] == 1
    with live.session() as session:
        found = audit_of(session.texts.decisions("product", screen["digest"]))
    assert found is not None and (found.mode, found.annotation) == ("reopened", Annotation())


def test_nothing_to_audit(fails: Any) -> None:
    live.write_project(train=3, gold=1, tasks=("product",))
    with fails("H414", "product", "spacy hitl accept"), live.session(audit=5):
        pass


@pytest.mark.parametrize(
    "other", [{"adjudicate": True}, {"label": "PHONE"}, {"against": Path("other.cfg")}]
)
def test_an_audit_is_nothing_else(accepted: List[str], other: Dict[str, Any], fails: Any) -> None:
    with fails("H415", f"--{next(iter(other))}"), live.session(audit=5, **other):
        pass


# From the audit to the estimate


def estimate(*args: str) -> str:
    found = CliRunner().invoke(hitl_cli, ["estimate", str(live.CONFIG), "-t", "product", *args])
    assert found.exit_code == 0, found.output
    return " ".join(found.output.split())


def test_the_estimate_asks_for_the_audit_and_uses_it(accepted: List[str]) -> None:
    before = estimate()
    assert "10 texts were accepted unseen" in before and "--audit 100" in before
    assert "accepted texts with an error" not in before
    with live.server(audit=4) as running:
        ann = running.client("ann")
        for i, screen in enumerate(ann.next(4)["screens"]):
            right = [[1, 2, "PHONE"], [3, 4, "MAKER"]]
            spans = WRONG if i == 0 else right
            ann.answer(live.answer_to(screen, tasks={"product": {"spans": spans}}))
    after = estimate("--output", "estimates.json")
    assert "nobody looked" not in after
    texts, annotations = json.loads(Path("estimates.json").read_text())["figures"][:2]
    assert (texts["value"], texts["decided"], texts["population"]) == (0.25, 4, 10)
    assert texts["basis"] == "unbiased" and texts["low"] >= 0.1 and texts["high"] <= 0.7
    assert annotations["value"] == 2 / 8  # two wrong spans, a right one in the place of none
    assert "accepted texts with an error 0.250" in after
