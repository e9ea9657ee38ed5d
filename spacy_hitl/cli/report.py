"""`spacy hitl report`: the evidence as one page."""

from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from . import hitl_cli
from ._util import CodeOption, ConfigArgument, friendly_errors, import_code


@hitl_cli.command("report")
def report_cli(
    config: ConfigArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="The HTML file to write")] = Path(
        "report.html"
    ),
    code: CodeOption = None,
) -> None:
    """Write what was measured as one HTML file, with plots and the texts behind the errors.

    It needs no network and no script, so it can be sent. It holds gold texts: send it to people who
    may read them.
    """
    with friendly_errors():
        from ..evaluate.report.run import write_report

        import_code(code)
        evidence = write_report(config, output)
        for task in evidence.missing:
            msg.warn(f"{task}: not evaluated, so not in the report")
        msg.good(f"Report: {output}")
