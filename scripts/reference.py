"""Write docs/reference.md from setup.cfg, the commands and the error catalogue.

usage: python scripts/reference.py [--check]
"""

import configparser
import importlib
import inspect
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


def names():
    yield "## Names for configs\n"
    for group, name, target in entry_points():
        if group == "spacy_cli":
            continue
        module, _, attribute = target.partition(":")
        function = getattr(importlib.import_module(module), attribute)
        yield f"### {name}\n\n`{group}`\n\n```text\n{inspect.getdoc(function)}\n```\n"


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
            message = message.replace("|", "/").replace("<", "&lt;").replace(">", "&gt;")
            yield f"| {code} | {message} |"


def reference():
    head = (
        "# Reference\n\nMade by `python scripts/reference.py`; a test fails if it is out of date.\n"
    )
    return "\n".join([head, *names(), *commands(), *errors()]) + "\n"


if __name__ == "__main__":
    if "--check" in sys.argv:
        raise SystemExit(TARGET.read_text() != reference())
    TARGET.write_text(reference())
