"""`spacy hitl <word>`: one file per word. A cheap zone: imported at every `spacy` command.

The `spacy_cli` entry point only gets this module imported; the group is added here.
"""

import typer
from spacy.cli._util import app

hitl_cli = typer.Typer(
    name="hitl",
    help="Human-in-the-loop distillation: annotate, review, distill, evaluate, promote.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

from . import annotate, confidence, distill, evaluate, examples, exchange, promote, status  # noqa: E402, F401

app.add_typer(hitl_cli)
