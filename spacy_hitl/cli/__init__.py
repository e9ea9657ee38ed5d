"""`spacy hitl <word>`: one file per word. A cheap zone: imported at every `spacy` command.

The `spacy_cli` entry point only gets this module imported; the group is added here.
"""

import typer
from spacy.cli._util import app

hitl_cli = typer.Typer(
    name="hitl",
    help="Human-in-the-loop distillation: annotate, review, distill, evaluate, promote, apply.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

from . import (  # noqa: E402
    accept,  # noqa: F401
    agreement,  # noqa: F401
    annotate,  # noqa: F401
    apply,  # noqa: F401
    cascade,  # noqa: F401
    confidence,  # noqa: F401
    distill,  # noqa: F401
    estimate,  # noqa: F401
    evaluate,  # noqa: F401
    examples,  # noqa: F401
    exchange,  # noqa: F401
    init,  # noqa: F401
    lineage,  # noqa: F401
    promote,  # noqa: F401
    report,  # noqa: F401
    review,  # noqa: F401
    status,  # noqa: F401
    suspects,  # noqa: F401
    vectors,  # noqa: F401
)

app.add_typer(hitl_cli)
