"""`spacy hitl promote`: swap it in, if it is good enough."""

import sys
from pathlib import Path
from typing import Optional

import typer
from wasabi import msg

from . import hitl_cli
from ._util import friendly_errors


@hitl_cli.command("promote")
def promote_cli(
    # fmt: off
    config: Path = typer.Argument(..., help="Config of the prompted pipeline, with [hitl.promote]"),
    strict: bool = typer.Option(False, "--strict", help="Exit with 3 if a task is held"),
    with_prompted: bool = typer.Option(
        False, "--with-prompted", help="Add held tasks as prompted components"
    ),
    code: Optional[Path] = typer.Option(
        None, "--code", "-c", help="Python file with registered functions to import first"
    ),
    # fmt: on
) -> None:
    """Judge every student on its gold figures; compose those that pass; swap the link."""
    with friendly_errors():
        from spacy.util import import_file

        from ..promote.run import promote

        if code is not None:
            import_file("python_code", code)
        result = promote(config, with_prompted=with_prompted)
        for verdict in result.verdicts:
            if verdict.passed:
                msg.good(f"{verdict.task}: pass")
            else:
                msg.warn(f"{verdict.task}: held, {'; '.join(verdict.reasons)}")
        if result.link is None:
            msg.warn("Nothing was promoted: every task is held. Production is unchanged.")
        else:
            if result.prompted:
                msg.info(f"Added as prompted components: {', '.join(result.prompted)}")
            msg.good(f"{result.link} -> {result.version}")
        if strict and result.held:
            sys.exit(3)
