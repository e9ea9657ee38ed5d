"""A small project whose students were trained by plain `spacy train`, measured and promoted."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List

from promote_world import CONFIG, make_metrics
from spacy.cli.train import train
from spacy.util import load_config

from spacy_hitl.dataset.store import Dataset
from spacy_hitl.io import file_digest, write_json
from spacy_hitl.promote.run import promote
from spacy_hitl.records import Annotation, Decision
from spacy_hitl.scoring.results import LabelScore, SliceScore

REPO = Path(__file__).parent.parent.parent
TASKS = ("product", "attributes")
SHORT: Dict[str, Dict[str, Any]] = {
    "product": {"training.max_steps": 2, "initialize.after_init.epochs": 1},
    "attributes": {"training.max_steps": 2, "initialize.after_init.epochs": 1},
}


def train_student(task: str) -> None:
    """Train a student of the worked example, shortly."""
    config = Path(f"configs/{task}.cfg")
    shutil.copy(REPO / config, config)
    train(config, Path(f"training/{task}"), overrides=SHORT[task])


def measure(task: str, score: float) -> None:
    path = Path(f"training/{task}/model-best")
    found = make_metrics(task, score, path)
    gold = Path(f"corpus/gold/{task}.jsonl")
    labels = tuple(LabelScore(label, 9, 1, 2, 0.9, 0.8, 0.85) for label in found.header.labels)
    slices = (SliceScore("length", "under 20 words", 5, 0.7, 0.5, 0.9),)
    *others, student = found.systems
    systems = (*others, replace(student, labels=labels, slices=slices))
    found = replace(found, systems=systems, gold_digest=file_digest(gold))
    write_json(Path(f"metrics/{task}.json"), found.to_dict())


def set_floors() -> None:
    config = load_config(CONFIG)
    config["hitl"]["promote"].update({"min_gold": 8, "floors": dict.fromkeys(TASKS, 0.7)})
    config.to_disk(CONFIG)


def make_promoted() -> None:
    """In the current folder, an exported project."""
    set_floors()
    for task in TASKS:
        train_student(task)
        measure(task, 0.9)
    promote(CONFIG)


def gold_texts(posts: List[Dict[str, Any]]) -> List[str]:
    return [post["text"] for post in posts]


def decide(task: str, *, known: bool) -> None:
    """Somebody decides that nothing is in a text: one that was decided, or another."""
    with Dataset(Path("datasets/hitl.db")) as dataset:
        for digest, *_ in dataset.texts(lanes=["train"]):
            before = dataset.decisions(task, digest)
            if bool(before) != known or (known and before[-1].annotation == Annotation()):
                continue
            task_digest = dataset.proposals(task, digest)[0].task_digest
            decision = Decision(
                *(digest, task, "accept", "ada", "person", task_digest),
                annotation=Annotation(),
                time=2e9,
            )
            assert dataset.add_decisions([decision]) == 1
            return
    raise AssertionError("no such text")
