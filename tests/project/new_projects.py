"""Make new projects by the command, and what their tests ask of them."""

import re
import shlex
from pathlib import Path
from typing import Any, List

import srsly
from typer.testing import CliRunner

import spacy_hitl
from spacy_hitl.cli import hitl_cli
from spacy_hitl.exchange.run import import_file
from spacy_hitl.project.example import example_records, example_tasks
from spacy_hitl.project.files import CONFIG

PACKAGE = Path(spacy_hitl.__file__).parent
TEXTS = {record["id"]: record for record in example_records()}
FILES = {
    "README.md",
    "project.yml",
    "requirements.txt",
    ".gitignore",
    "assets/texts.jsonl",
    "assets/GUIDELINES.md",
    "assets/responses.jsonl",
    "configs/prototype.cfg",
    "configs/ner.cfg",
}
SERVER = ("--endpoint", "http://127.0.0.1:9/v1", "--model", "toy")


def run(*words: object, **options: Any) -> Any:
    return CliRunner().invoke(hitl_cli, [*map(str, words)], **options)


def init(*words: object, **options: Any) -> Any:
    result = run("init", *words, **options)
    assert result.exit_code == 0, result.output
    return result


def refused(code: str, *words: object, parts: List[str], init_path: str = "demo") -> None:
    """The command ends with this error and leaves the folder as it was."""
    before = sorted(Path().rglob("*"))
    result = run("init", init_path, *words)
    shown = " ".join(result.output.split())
    assert result.exit_code == 1 and f"[{code}]" in shown, result.output
    for part in parts:
        assert part in shown
    assert sorted(Path().rglob("*")) == before


def files_in(folder: Path) -> "set[str]":
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def compact(name: str, kind: str, answers: Any, id_: str, *, exclusive: bool) -> Any:
    """What the import format has for an answer of the example."""
    if kind == "textcat":
        return answers[0] if exclusive else answers
    text = TEXTS[id_]["text"]
    return [[text.index(q), text.index(q) + len(q), label] for q, label in answers]


def decide(*tasks: Any, lanes: Any = ("train", "dev", "gold")) -> None:
    """Import the example's answers as decisions."""
    records = []
    for id_, record in TEXTS.items():
        if record["lane"] in lanes:
            values = {
                name: compact(name, kind, example_tasks()[kind].answers[id_], id_, exclusive=ex)
                for name, kind, ex in tasks
            }
            records.append({"id": id_, **values})
    srsly.write_jsonl("decisions.jsonl", records)
    import_file(Path(CONFIG), Path("decisions.jsonl"))


def commands_of(readme: Path) -> List[List[str]]:
    """The commands of spacy that a README names, in its order."""
    blocks = re.findall(r"^ *```bash\n(.*?)^ *```", readme.read_text(), re.DOTALL | re.MULTILINE)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    assert lines[0] == "pip install -r requirements.txt"
    return [shlex.split(line) for line in lines[1:]]
