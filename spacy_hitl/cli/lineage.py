"""`spacy hitl lineage`: where a pipeline comes from, and whether that is still so."""

import sys
from pathlib import Path
from typing import Annotated, Any, Callable, Dict, Optional

import typer
from wasabi import msg

from . import hitl_cli
from ._util import CodeOption, friendly_errors, import_code


@hitl_cli.command("lineage")
def lineage_cli(
    pipeline: Annotated[
        Path, typer.Argument(help="Folder of a promoted pipeline, or of a trained student")
    ],
    config: Annotated[
        Optional[Path],
        typer.Argument(help="Config of the prompted pipeline: --verify looks at its project"),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Check every link that is still there")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="With --verify: exit with 1 if a link is gone, too")
    ] = False,
    code: CodeOption = None,
) -> None:
    """Show which decisions, answers, prompts and versions a pipeline was made from.

    Without --verify nothing but the pipeline's own meta.json is read. With it, exit code 1 says
    that something is not what it was.
    """
    with friendly_errors():
        from ..promote.lineage import read_lineage
        from ..promote.tree import draw, tree_of
        from ..promote.verify import CHANGED, GONE, OK
        from ..promote.verify import verify as verify_lineage

        if not verify:
            for line in draw(tree_of(read_lineage(pipeline), name=pipeline.name)):
                print(line)  # noqa: T201
            return
        import_code(code)
        links = verify_lineage(pipeline, config=config, code=code)
        tell: Dict[str, Callable[..., Any]] = {OK: msg.good, CHANGED: msg.fail, GONE: msg.warn}
        for link in links:
            name = f"{link.task}: {link.what}" if link.task else link.what
            tell[link.state](f"{name}: {link.state}{', ' if link.detail else ''}{link.detail}")
        if config is None:
            msg.info("Only the pipeline itself was checked: give its config to check the project.")
        bad = {CHANGED, GONE} if strict else {CHANGED}
        if any(link.state in bad for link in links):
            sys.exit(1)
