"""Write docs/reference.md from setup.cfg, the commands and the error catalogue.

usage: python scripts/reference.py [--check]
"""

import configparser
import importlib
import inspect
import re
import sys
from pathlib import Path

import typer

from spacy_hitl.cli import hitl_cli
from spacy_hitl.errors import Errors, Warnings
from spacy_hitl.errors.catalogue import codes

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "docs" / "reference.md"


def entry_points():
    config = configparser.ConfigParser()
    config.optionxform = str
    config.read(ROOT / "setup.cfg")
    for group, lines in config["options.entry_points"].items():
        for line in lines.strip().splitlines():
            name, _, target = line.partition("=")
            yield group, name.strip(), target.strip()


def as_markdown(docstring):
    """Paragraphs stay paragraphs, `name (Type): text` becomes an item of a list."""
    parts = []
    for block in docstring.split("\n\n"):
        if block.startswith((" ", ">>>")):
            parts.append(f"```text\n{block}\n```")
            continue
        lines = re.sub(r"\n +", " ", block).splitlines()  # indented: goes on from the line above
        items = [re.fullmatch(r"(\w+(?:, \w+)*)(?: \((.*?)\))?: (.*)", line) for line in lines]
        if all(items):
            parts.append("\n".join(f"* {as_item(*item.groups())}" for item in items))
        else:
            parts.append(escape(" ".join(lines)))
    return "\n\n".join(parts)


def as_item(name, kind, text):
    label = name.lower() if name.isupper() else f"`{name.replace(', ', '`, `')}`"
    return f"{label}: {escape(text)}" if kind is None else f"{label} (`{kind}`): {escape(text)}"


def escape(text):
    """What is not code must not be taken for HTML."""
    parts = text.split("`")
    parts[::2] = [part.replace("<", "&lt;").replace(">", "&gt;") for part in parts[::2]]
    return "`".join(parts)


def names():
    yield "## Names for configs\n"
    for group, name, target in entry_points():
        if group == "spacy_cli":
            continue
        module, _, attribute = target.partition(":")
        function = getattr(importlib.import_module(module), attribute)
        yield f"### {name}\n\n`{group}`\n\n{as_markdown(inspect.getdoc(function))}\n"


def commands():
    yield "## Commands\n"
    group = typer.main.get_command(hitl_cli)
    for name, command in sorted(group.commands.items()):
        yield f"### spacy hitl {name}\n\n{inspect.cleandoc(command.help or '')}\n"
        yield "| argument or option | |\n|---|---|"
        for param in command.params:
            if param.name == "help":
                continue
            spelled = ", ".join(param.opts) if param.opts[0].startswith("-") else param.name.upper()
            yield f"| `{spelled}` | {(param.help or '').replace('|', '/')} |"
        yield ""


def errors():
    yield "## Errors and warnings\n\n| code | message |\n|---|---|"
    for catalogue in (Errors, Warnings):
        for code in codes(catalogue):
            message = getattr(catalogue, code).partition("] ")[2]
            message = " ".join(message.split()).replace("|", "/")  # a row is one line
            yield f"| {code} | {escape(message)} |"


def reference():
    head = (
        "# Reference\n\nMade by `python scripts/reference.py`; a test fails if it is out of date.\n"
    )
    return "\n".join([head, *names(), *commands(), *errors()]) + "\n"


if __name__ == "__main__":
    if "--check" in sys.argv:
        raise SystemExit(TARGET.read_text() != reference())
    TARGET.write_text(reference())
