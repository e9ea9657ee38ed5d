"""`spacy hitl agreement`: how well people agree, with each other and with the models."""

from pathlib import Path
from typing import Annotated, Optional

import typer
from wasabi import msg

from ..records import LANES
from . import hitl_cli
from ._util import CodeOption, ConfigArgument, friendly_errors, import_code


@hitl_cli.command("agreement")
def agreement_cli(
    config: ConfigArgument,
    task: Annotated[
        Optional[str],
        typer.Option("--task", help="Name of the prompted component; all if left out"),
    ] = None,
    lanes: Annotated[
        str, typer.Option("--lanes", help="Lanes to look at, with commas between them")
    ] = ",".join(LANES),
    imported: Annotated[
        bool, typer.Option("--imported", help="Count decisions from files as those of people too")
    ] = False,
    output: Annotated[
        Optional[Path], typer.Option("--output", "-o", help="Write the figures as JSON too")
    ] = None,
    code: CodeOption = None,
) -> None:
    """Measure how well annotators agree on the texts that several of them decided.

    Each person counts with what they decided by themselves; the models count as annotators too,
    outside of gold. Figures have 95% intervals; from fewer than 10 texts none is made.
    """
    with friendly_errors():
        from ..io import write_json
        from ..review.people.agreement import agreement_report
        from ..review.people.agreement_table import label_table, pair_table, remarks

        import_code(code)
        chosen = [lane.strip() for lane in lanes.split(",")]
        found = agreement_report(config, task=task, lanes=chosen, imported=imported)
        for one in found:
            msg.divider(one.task)
            for table in (label_table(one), pair_table(one)):
                print(table)  # noqa: T201
            for line in remarks(one):
                msg.info(line)
        if output is not None:
            write_json(output, {"v": 1, "tasks": [one.to_json() for one in found]})
            msg.good(f"Written to {output}")
