"""The files of a new project, as texts: templates filled in, nothing written."""

import json
from pathlib import Path
from typing import Any, Dict, Iterator, Mapping

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..about import __version__
from ..io import text_digest
from .example import TEXTS, example_records, example_tasks, example_texts
from .plan import KINDS, NewProject, NewTask

TEMPLATES = Path(__file__).parent / "templates"
CONFIG = "configs/prototype.cfg"
GUIDELINES = "assets/GUIDELINES"
RESPONSES = "assets/responses.jsonl"
MIN_GOLD = 50
FLOOR = 0.8
# What to go by where the user has not said it yet.
RULES = {
    "ner": (
        "Mark the words that name the thing and no others: no article, no punctuation.",
        "Mark every mention, a repeated one too.",
    ),
    "spancat": (
        "Mark the shortest stretch that can be understood on its own.",
        "Stretches may overlap.",
    ),
    "textcat": ("Judge what the text says as a whole, not the words that are used.",),
}


def project_files(project: NewProject, students: Mapping[str, str]) -> Dict[str, str]:
    """Make the files of a project.

    project (NewProject): What it is.
    students (Mapping[str, str]): Training config of every task, by its name.
    RETURNS (Dict[str, str]): Content by path inside the folder.
    """
    values = {
        "project": project,
        "tasks": project.tasks,
        "first": project.tasks[0],
        "config": CONFIG,
        "texts": f"assets/{TEXTS}",
        "responses": RESPONSES,
        "kinds": KINDS,
        "guidelines": {task.name: _guidelines_path(project, task) for task in project.tasks},
        "min_gold": MIN_GOLD,
        "floor": FLOOR,
        "student": project.student,
        "version": __version__,
    }
    files = {
        "README.md": _fill("README.md", **values),
        "project.yml": _fill("project.yml", **values),
        "requirements.txt": _fill("requirements.txt", **values),
        ".gitignore": _fill("gitignore", **values),
        CONFIG: _fill("prototype.cfg", **values),
        f"assets/{TEXTS}": example_texts(),
    }
    for task in project.tasks:
        files[f"configs/{task.name}.cfg"] = students[task.name]
        rules = example_tasks()[task.kind].rules if task.is_example else RULES[task.kind]
        path = _guidelines_path(project, task)
        files[path] = _fill("GUIDELINES.md", task=task, rules=rules)
    if project.server is None:
        files[RESPONSES] = "".join(f"{line}\n" for line in _responses(project))
    return files


def _guidelines_path(project: NewProject, task: NewTask) -> str:
    """One task has the guidelines, several have theirs: a prompt shows those of its task."""
    return f"{GUIDELINES}.md" if len(project.tasks) == 1 else f"{GUIDELINES}-{task.name}.md"


def _responses(project: NewProject) -> Iterator[str]:
    """YIELDS (str): The answers to the example texts, one JSON line per text and task. They name
    texts by digest: that holds when others have taken their place.
    """
    texts = {record["id"]: record["text"] for record in example_records()}
    for task in project.tasks:
        for id_, answer in example_tasks()[task.kind].answers.items():
            response = json.dumps(_answer(task, answer))
            named = {"id": id_, "text_digest": text_digest(texts[id_]), "task": task.name}
            yield json.dumps({**named, "sample": 1, "response": response})


def _answer(task: NewTask, answer: Any) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): What a model would send, by the schema of the task."""
    if task.kind == "textcat":
        return {"label": answer[0]} if task.exclusive else {"labels": answer}
    field = "entities" if task.kind == "ner" else task.name
    return {field: [{"text": text, "label": label} for text, label in answer]}


def _fill(name: str, **values: Any) -> str:
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - Markdown, YAML and configs, no HTML
    )
    env.filters["json"] = lambda value: json.dumps(value, ensure_ascii=False)
    env.filters["code"] = code
    return env.get_template(f"{name}.jinja").render(**values)


def code(label: str) -> str:
    """Show a label in Markdown, on one line.

    >>> code("A B")
    '`A B`'
    """
    return f"`{' '.join(label.replace('`', chr(39)).split())}`"
