"""What `spacy hitl status` says of students, figures and production agrees with `promote`."""

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
from promote_world import CONFIG, LINK, make_ner, save, set_metrics
from typer.testing import CliRunner

from spacy_hitl.cli import hitl_cli
from spacy_hitl.exchange.status.project import project_status
from spacy_hitl.exchange.status.standing import TaskStatus
from spacy_hitl.io import file_digest, folder_digest, write_json
from spacy_hitl.promote.run import promote
from spacy_hitl.promote.switch import current_version

BEST = Path("training/product/model-best")


def status() -> Dict[str, TaskStatus]:
    return {t.task: t for t in project_status(CONFIG).tasks}


def own_copy(task: str = "product", *, seed: int = 1) -> None:
    """Students of this test alone: those of the fixture are everybody's."""
    students = Path("training").readlink()
    Path("training").unlink()
    for name in ("product", "relevant"):
        if name != task:
            Path("training", name).parent.mkdir(exist_ok=True)
            Path("training", name).symlink_to(students / name)
    save(make_ner(seed=seed), BEST)


def test_it_passes_is_promoted_and_runs(ready: Any) -> None:
    found = status()["product"]
    assert (found.figures.state, found.gate.passed, found.gate.floor) == ("current", True, 0.7)
    assert (found.stage, found.production.runs) == ("evaluated", "no")
    assert found.next.line == "spacy hitl promote configs/prototype.cfg"
    promote(CONFIG)
    found = status()["product"]
    assert (found.stage, found.production.runs, found.promoted) == (
        "promoted",
        "this student",
        "yes",
    )
    assert project_status(CONFIG).version == current_version(LINK)
    assert found.next.command[2:4] == ("apply", str(LINK))


def test_what_promote_refuses_is_told_before(ready: Any, fails: Any) -> None:
    """H505: the figures are of another model than the one in the folder."""
    promote(CONFIG)
    own_copy(seed=7)
    found = status()["product"]
    assert (found.figures.state, found.production.runs) == ("stale", "older student")
    assert str(BEST) in found.figures.why and "older student" in found.figures.why
    assert found.next.step == "evaluate" and found.next.command[-2:] == ("--production", str(LINK))
    with fails("H505", BEST):
        promote(CONFIG)
    set_metrics("product", 0.9)
    assert status()["product"].figures.state == "current"


def test_the_verdict_is_that_of_promote(ready: Any) -> None:
    set_metrics("relevant", 0.6)
    found = {task: t.gate for task, t in status().items() if t.gate.passed is not None}
    verdicts = {v.task: v for v in promote(CONFIG).verdicts}
    assert {t: (g.passed, g.reasons) for t, g in found.items()} == {
        t: (v.passed, v.reasons) for t, v in verdicts.items()
    }
    relevant = status()["relevant"]
    assert relevant.gate.rules == ("above_floors",)
    assert (relevant.stage, relevant.promoted) == ("held", "held")


def test_a_held_need_holds(ready: Any) -> None:
    set_metrics("product", 0.6)
    needs = (("product", folder_digest(BEST)),)
    set_metrics("relevant", 0.9, needs=needs)
    found = status()["relevant"]
    assert (found.gate.passed, found.gate.held_by) == (False, "product")
    assert "it is held with 'product'" in found.next.why


def learned(corpora: List[Any], files: Any = ()) -> None:
    meta = json.loads((BEST / "meta.json").read_text())
    value = {"config": "c", "corpora": corpora, "files": files}
    write_json(BEST / "meta.json", {**meta, "hitl": {"v": 1, "learned": value}})


def test_a_student_is_stale_when_its_corpus_is_another_one(ready: Any) -> None:
    own_copy()
    assert status()["product"].student.state == "unknown"
    path = Path("corpus/product.jsonl")
    one = {"name": str(path), "task": "product", "kind": "ner", "task_digest": "d"}
    learned([{**one, "digest": file_digest(path)}])
    found = status()["product"].student
    assert (found.state, found.corpora) == ("current", ((str(path), file_digest(path)[:8]),))
    learned([{**one, "digest": file_digest(path)}], [("assets/catalog.jsonl", "0" * 64)])
    assert "'assets/catalog.jsonl' was changed" in status()["product"].student.why
    learned([{**one, "digest": "0" * 64}])
    found = status()["product"].student
    assert (found.state, found.why) == ("stale", f"'{path}' was changed since it learned from it")
    assert status()["product"].next.step in ("distill", "init")


def test_other_gold_texts_ask_for_other_figures(ready: Any) -> None:
    gold = Path("corpus/gold/product.jsonl")
    path = Path("metrics/product.json")
    value = json.loads(path.read_text())
    write_json(path, {**value, "gold_digest": file_digest(gold)})
    assert status()["product"].figures.state == "current"
    write_json(path, {**value, "gold_digest": "0" * 64})
    assert "other gold texts" in status()["product"].figures.why


@pytest.mark.parametrize(
    ("rules", "lacks"),
    [
        ({"margin": 0.1}, "the prompted original was not measured"),
        ({"min_words_per_s": 1.0}, "its speed was not measured"),
    ],
)
def test_figures_that_the_gate_would_miss(ready: Any, rules: Any, lacks: str) -> None:
    ready.edit({f"hitl.promote.{name}": value for name, value in rules.items()})
    found = status()["product"]
    assert lacks in found.figures.lacks and found.gate.passed is False
    assert (found.next.step, found.next.why) == ("evaluate", found.figures.lacks)


def test_the_training_config_may_have_any_name(ready: Any) -> None:
    assert status()["product"].student.config is None
    Path("configs/broken.cfg").write_text("[nlp")
    Path("configs/names.cfg").write_text('[nlp]\nlang = "en"\npipeline = ["tok2vec","product"]\n')
    assert status()["product"].student.config == "configs/names.cfg"
    Path("configs/product.cfg").write_text("")
    assert status()["product"].student.config == "configs/product.cfg"


def test_on_the_screen(ready: Any) -> None:
    promote(CONFIG)
    own_copy(seed=7)
    result = CliRunner().invoke(hitl_cli, ["status", str(CONFIG)])
    said = " ".join(result.output.split())
    assert "product (ner): " in said
    assert "product_f 0.900 (0.800 to 1.000) on 8 gold texts, floor 0.70; STALE:" in said
    assert f"promoted an older student in {LINK}, version {current_version(LINK)}" in said
    assert "distilled training/product/model-best; it does not say what it learned from" in said
