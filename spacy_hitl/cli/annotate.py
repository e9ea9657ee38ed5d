"""`spacy hitl annotate`: an LLM proposes."""

from pathlib import Path
from typing import Optional

import typer
from wasabi import msg

from . import hitl_cli
from ._util import friendly_errors


@hitl_cli.command("annotate")
def annotate_cli(
    # fmt: off
    config: Path = typer.Argument(..., help="Config of the prompted pipeline (.cfg)"),
    texts: Path = typer.Argument(..., help="Texts to annotate: JSONL with id and text"),
    code: Optional[Path] = typer.Option(
        None, "--code", "-c", help="Python file with registered functions to import first"
    ),
    limit: Optional[int] = typer.Option(
        None, "--limit", "-n", help="Stop after this many texts", min=0
    ),
    quiet: bool = typer.Option(False, "--quiet", "-q", help="No progress bar"),
    # fmt: on
) -> None:
    """Store texts, ask the prompted components, store every answer and proposal.

    Can be stopped at any point and run again: it goes on where it stopped, and no stored answer
    is asked for twice.
    """
    with friendly_errors():
        from spacy.util import import_file

        from ..annotate.run import annotate

        if code is not None:
            import_file("python_code", code)
        summary = annotate(config, texts, limit=limit, progress=not quiet)
        msg.good(f"{summary.new_texts} new texts, {summary.annotated} annotated")
        rows = [(task, status, n) for (task, status), n in sorted(summary.statuses.items())]
        if rows:
            msg.table(rows, header=("task", "status", "texts"), divider=True)
        if summary.first_failure:
            msg.warn("Some texts failed and are marked; run again to retry. The first reason:")
            msg.text(summary.first_failure)
