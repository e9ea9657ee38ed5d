"""`spacy hitl status` in production: quality over time, and a warning if it falls."""

import random
from pathlib import Path
from typing import Any, List, Sequence

import pytest
from typer.testing import CliRunner

from spacy_hitl.cli import hitl_cli
from spacy_hitl.dataset.audits import add_draws, production_source
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.exchange.quality import TaskQuality
from spacy_hitl.exchange.status.project import project_status
from spacy_hitl.io import text_digest, write_json
from spacy_hitl.pipeline.loading import load_prompted, prompted_tasks
from spacy_hitl.records import (
    ACCEPT,
    BLIND,
    IMPORT,
    PERSON,
    REJECT,
    Annotation,
    AuditDraw,
    Decision,
    Proposal,
    Row,
    SpanAnnotation,
)
from spacy_hitl.scoring.quality import EARLIER, PROMOTED

CONFIG, DB = Path("configs/prototype.cfg"), Path("datasets/hitl.db")
SOURCE = production_source("0123456789abcdef" * 4)
JANUARY, DAY = 1_767_225_600.0, 86_400.0
PHONE = Annotation(spans=(SpanAnnotation(4, 10, "PRODUCT"),))
NOTHING = Annotation()


class World:
    """Texts that all name a phone; production finds some of them, people all."""

    def __init__(self, project: Any) -> None:
        self.project = project
        nlp, self.settings = load_prompted(CONFIG)
        self.digest = prompted_tasks(nlp)["product"].task.digest()
        self.count = 0

    def month(
        self, number: int, found: Sequence[bool], *, decide: bool = True, **more: Any
    ) -> None:
        """Audit texts of a month; each is found by production or not."""
        texts = [f"The Nebula is nr {self.count + i}" for i in range(len(found))]
        self.count += len(found)
        draws = [
            AuditDraw(
                Row("texts.jsonl", f"t{text_digest(text)[:9]}", text), (self.said(text, hit),)
            )
            for text, hit in zip(texts, found, strict=True)
        ]
        now = JANUARY + (number * 30.5 + 3) * DAY
        with Dataset(DB) as dataset:
            add_draws(dataset, draws, self.settings, file="texts.jsonl", source=SOURCE, now=now)
            if decide:
                dataset.add_decisions([self.decided(text, **more) for text in texts])

    def said(self, text: str, hit: bool) -> Proposal:
        annotation, status = (PHONE, "ok") if hit else (NOTHING, "empty")
        return Proposal(text_digest(text), "product", SOURCE, status, self.digest, annotation)

    def decided(self, text: str, **more: Any) -> Decision:
        values = {"action": ACCEPT, "origin": PERSON, "annotation": PHONE, "mode": BLIND, **more}
        return Decision(
            text_digest=text_digest(text),
            task="product",
            annotator="ann",
            task_digest=self.digest,
            time=JANUARY,
            **values,
        )

    def quality(self) -> TaskQuality:
        (found,) = project_status(CONFIG).quality
        return found


def hits(share: float, n: int, seed: int = 0) -> List[bool]:
    """So many texts are found, in random order."""
    found = [i < share * n for i in range(n)]
    random.Random(seed).shuffle(found)
    return found


def promote(score: float, interval: Sequence[float], main: str = "product_ents_f") -> None:
    """A promoted pipeline, as far as status looks at it."""
    student = {
        "kind": "ner",
        "task_digest": "t",
        "student_digest": "s",
        "score": {main: score},
        "interval": list(interval),
        "gold_texts": 200,
    }
    write_json(Path("pipelines/phones/meta.json"), {"hitl": {"students": {"product": student}}})


@pytest.fixture
def world(exported: Any) -> World:
    return World(exported)


def said() -> str:
    result = CliRunner().invoke(hitl_cli, ["status", str(CONFIG)])
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def test_a_project_without_audits(world: World) -> None:
    assert project_status(CONFIG).quality == ()
    assert "in production" not in said()


def test_quality_that_falls_is_warned_about(world: World) -> None:
    promote(0.95, (0.92, 0.97))
    for month, share in enumerate((0.9, 0.9, 0.5)):
        world.month(month, hits(share, 60))
    found = world.quality()
    assert (found.task, found.main) == ("product", "product_ents_f")
    assert (found.drawn, found.waiting, found.left_out) == (180, 0, 0)
    scores = [p.score.value for p in found.quality.periods]
    assert scores == [pytest.approx(2 * s / (1 + s)) for s in (0.9, 0.9, 0.5)]
    assert [p.months for p in found.quality.periods] == ["2026-01", "2026-02", "2026-03"]
    assert [f.against for f in found.quality.falls] == [PROMOTED, EARLIER]
    text = said()
    assert "product in production" in text and "2026-03" in text
    assert text.count("quality fell") == 2 and "the promoted figure 0.950" in text


def test_quality_that_stays_is_not(world: World) -> None:
    promote(0.95, (0.92, 0.97))
    for month in range(3):
        world.month(month, hits(0.9, 60, seed=month))
    assert world.quality().quality.falls == ()
    assert "quality fell" not in said()


def test_without_a_promoted_figure(world: World) -> None:
    world.month(0, hits(0.9, 60))
    assert world.quality().promoted is None
    world.month(1, hits(0.3, 60))
    assert [f.against for f in world.quality().quality.falls] == [EARLIER]
    promote(0.95, (0.92, 0.97), main="product_another_f")
    assert world.quality().promoted is None


def test_what_does_not_count(world: World) -> None:
    world.month(0, [True] * 3)
    world.month(0, [True] * 4, decide=False)
    world.month(0, [True] * 5, action=REJECT, annotation=None)
    world.month(0, [True] * 6, saw_proposal="somebody", mode="reopened")
    world.month(0, [True] * 7, origin=IMPORT)
    found = world.quality()
    assert (found.drawn, found.waiting, found.left_out, found.imported) == (25, 4, 11, 7)
    (period,) = found.quality.periods
    assert (period.texts, period.full) == (10, False)
    text = said()
    assert "25 audited texts, 4 wait for a decision, 11 left out" in text
    assert "too few to compare" in text and "7 of them were decided in an imported file" in text


def test_production_is_held_to_the_labels_of_now(world: World) -> None:
    """A label that is gone: what production said under it can't be compared any more."""
    world.month(0, [True] * 3)
    world.project.edit({"components.product.task.labels": ["GADGET"]})
    world.project.edit({"components.product.task.label_definitions": {"GADGET": "a thing"}})
    found = world.quality()
    assert (found.drawn, found.waiting) == (3, 3)
    world.project.edit({"hitl.changes.product.rename": {"PRODUCT": "GADGET"}})
    found = world.quality()
    assert (found.waiting, found.left_out) == (0, 0)
    assert found.quality.periods[0].score.value == 1.0
