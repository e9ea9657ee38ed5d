"""`spacy hitl promote`: swap it in, if it is good enough."""

import sys
from typing import Annotated

import typer
from wasabi import msg

from . import hitl_cli
from ._util import CodeOption, ConfigArgument, friendly_errors, import_code


@hitl_cli.command("promote")
def promote_cli(
    config: ConfigArgument,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 3 if a task is held")] = False,
    with_prompted: Annotated[
        bool, typer.Option("--with-prompted", help="Add held tasks as prompted components")
    ] = False,
    code: CodeOption = None,
) -> None:
    """Judge every student on its gold figures; compose those that pass; swap the link."""
    with friendly_errors():
        from ..promote.run import promote

        import_code(code)
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
