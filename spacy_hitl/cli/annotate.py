"""`spacy hitl annotate`: an LLM proposes."""

from pathlib import Path
from typing import Annotated, Optional

import typer
from wasabi import msg

from . import hitl_cli
from ._util import CodeOption, ConfigArgument, friendly_errors, import_code


@hitl_cli.command("annotate")
def annotate_cli(
    config: ConfigArgument,
    texts: Annotated[Path, typer.Argument(help="Texts to annotate: JSONL with id and text")],
    code: CodeOption = None,
    limit: Annotated[
        Optional[int], typer.Option("--limit", "-n", help="Stop after this many texts", min=0)
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar")] = False,
) -> None:
    """Store texts, ask the prompted components, store every answer and proposal.

    Can be stopped at any point and run again: it goes on where it stopped, and no stored answer
    is asked for twice.
    """
    with friendly_errors():
        from ..annotate.run import annotate

        import_code(code)
        summary = annotate(config, texts, limit=limit, progress=not quiet)
        msg.good(f"{summary.new_texts} new texts, {summary.annotated} annotated")
        rows = [(task, status, n) for (task, status), n in sorted(summary.statuses.items())]
        if rows:
            msg.table(rows, header=("task", "status", "texts"), divider=True)
        if summary.first_failure:
            msg.warn("Some texts failed and are marked; run again to retry. The first reason:")
            msg.text(summary.first_failure)
