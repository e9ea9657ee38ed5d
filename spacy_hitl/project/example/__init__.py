"""Ten example texts, and per kind of task what a model answered to them: written, not recorded."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Dict, List, Tuple

HERE = Path(__file__).parent
TEXTS = (HERE / "texts.jsonl").name


@dataclass(frozen=True)
class ExampleTask:
    """What the example texts have of one kind of task.

    labels: what they mean, by label. rules: guidelines, one sentence each. answers: by the id of a
    text, quotes with labels, or labels.
    """

    labels: Dict[str, str]
    rules: Tuple[str, ...]
    answers: Dict[str, List[Any]]


@cache
def example_tasks() -> Dict[str, ExampleTask]:
    """RETURNS (Dict[str, ExampleTask]): By kind."""
    found = json.loads((HERE / "tasks.json").read_text(encoding="utf8"))
    return {
        kind: ExampleTask(task["labels"], tuple(task["rules"]), task["answers"])
        for kind, task in found.items()
    }


def example_texts() -> str:
    """RETURNS (str): The texts as JSON lines, each with its lane."""
    return (HERE / TEXTS).read_text(encoding="utf8")


def example_records() -> List[Dict[str, str]]:
    """RETURNS (List[Dict[str, str]]): The same, read: id, text and lane of each."""
    return [json.loads(line) for line in example_texts().splitlines()]
