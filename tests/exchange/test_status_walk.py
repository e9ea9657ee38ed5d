"""A whole project, step by step: nothing is typed but what `spacy hitl status` prints."""

import json
import shlex
import shutil
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
import srsly
from spacy.util import load_config
from typer.testing import CliRunner

from spacy_hitl.cli import hitl_cli
from spacy_hitl.exchange.run import import_file
from spacy_hitl.scoring.results import Speed

REPO = Path(__file__).parents[2]
CONFIG = Path("configs/my prompts.cfg")
TASKS = ("product", "link", "relevant")


def typed(*words: str) -> str:
    result = CliRunner().invoke(hitl_cli, list(words))
    assert result.exit_code == 0, (words, result.output, result.exception)
    return result.output


def told() -> Dict[str, Tuple[str, List[str]]]:
    """By task: its stage and the words of its command, as they are on the screen."""
    found: Dict[str, Tuple[str, List[str]]] = {}
    lines = typed("status", str(CONFIG)).splitlines()
    for i, line in enumerate(lines):
        for task in TASKS:
            if line.startswith(f"{task} ("):
                end = next((n for n in range(i, len(lines)) if not lines[n].strip()), len(lines))
                (command,) = [s for s in lines[i:end] if s.startswith("    spacy hitl ")]
                found[task] = line.split(": ")[1], shlex.split(command)[2:]
    assert tuple(found) == TASKS
    return found


def shorten(path: Path) -> None:
    """Training that takes no time: how well it learns does not matter here."""
    config = load_config(path)
    config["training"].update(max_steps=30, eval_frequency=15)
    config["training"].setdefault("optimizer", {"@optimizers": "Adam.v1"})["learn_rate"] = 0.01
    config.to_disk(path)


@pytest.fixture
def begun(project: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Prompts and texts, training configs for two of three tasks, and nothing else."""
    for name in ("product", "link"):
        shutil.copy(REPO / f"configs/{name}.cfg", "configs")
        shorten(Path(f"configs/{name}.cfg"))
    floors = {"product": 0.01, "link": 0.01, "relevant": 0.01}
    project.edit(
        {
            "nlp.pipeline": list(TASKS),
            "hitl.promote.min_gold": 8,
            "hitl.promote.floors": floors,
            "hitl.promote.label_floors": {"relevant": {"NOT_RELEVANT": 0.99}},
            "hitl.business": None,
        }
    )
    config = load_config(project.config)
    for name in ("attributes", "opinions"):
        del config["components"][name]
    config.to_disk(CONFIG)  # with a space: what is printed can be typed
    project.config.unlink()
    same = Speed(1000.0, runs=(1000.0,))
    monkeypatch.setattr("spacy_hitl.evaluate.systems.measure_speed", lambda *_, **__: same)
    monkeypatch.setattr("spacy_hitl.evaluate.run.baseline", _no_baseline)
    return project


def _no_baseline(header: Any, reviewed: Any, texts: Any, docs: Any) -> Any:
    from spacy_hitl.records import Annotation

    return "nothing", [Annotation() for _ in texts]


def test_from_texts_to_production_by_what_is_printed(begun: Any) -> None:
    done: List[str] = []
    for _ in range(30):
        stages = told()
        open_ = [task for task in TASKS if stages[task][0] not in ("promoted", "held")]
        if not open_:
            break
        command = stages[open_[0]][1]
        done.append(" ".join(command[:2]) if command[0] in ("init", "distill") else command[0])
        if command[0] == "review":  # people do that, in a browser; here a file says what they do
            assert command[:3] == ["review", str(CONFIG), "--task"]
            line = [dict(one) for one in srsly.read_jsonl(begun.reference)]
            only = [{k: r[k] for k in ("id", command[3]) if k in r} for r in line]
            srsly.write_jsonl("decided.jsonl", only)
            import_file(CONFIG, Path("decided.jsonl"))
            continue
        typed(*command)
        if command[0] == "init":
            shorten(Path(command[1]))
    per_task = ["review", "export", "distill configs/{}.cfg", "evaluate"]
    ways = {task: [step.format(task) for step in per_task] for task in TASKS}
    ways["relevant"].insert(2, "init configs/relevant.cfg")
    assert done == ["annotate", *(step for task in TASKS for step in ways[task]), "promote"]
    stages = told()
    assert {task: stage for task, (stage, _) in stages.items()} == {
        "product": "promoted",
        "link": "promoted",
        "relevant": "held",
    }
    assert stages["relevant"][1] == ["suspects", "configs/relevant.cfg"]
    command = stages["product"][1]
    assert command[:3] == ["apply", "pipelines/phones", "assets/posts.jsonl"]
    typed(*command)
    facts = json.loads(typed("status", str(CONFIG), "--json"))
    assert [t["stage"] for t in facts["tasks"]] == ["promoted", "promoted", "held"]
