"""`spacy hitl status`: where each task stands."""

from typing import Annotated

import typer
from wasabi import msg

from . import hitl_cli
from ._util import ConfigArgument, friendly_errors


@hitl_cli.command("status")
def status_cli(
    config: ConfigArgument,
    figures: Annotated[
        bool, typer.Option("--figures", help="Show the last evaluation of every task instead")
    ] = False,
) -> None:
    """Show texts by lane, and per task: proposals, decisions, the student's figure, the verdict."""
    with friendly_errors():
        from ..evaluate.table import overview
        from ..exchange.status import project_metrics, project_status
        from ..scoring.clock import clock_table

        if figures:
            print(overview(project_metrics(config)))  # noqa: T201
            return
        status = project_status(config)
        lanes = ", ".join(f"{n} {lane}" for lane, n in status.lanes.items())
        msg.info(f"{status.rows} rows, {sum(status.lanes.values())} texts ({lanes})")
        header = ("task", "usable", "other", "decided", "look again", "score", "promoted")
        rows = [
            (
                t.task,
                t.usable,
                ", ".join(f"{n} {s}" for s, n in t.unusable.items()) or "-",
                f"{t.decided} ({t.by_person} by people)",
                t.decisions.in_part + t.decisions.again or "-",
                "-" if t.score is None else f"{t.score:.3f}",
                t.promoted,
            )
            for t in status.tasks
        ]
        msg.table(rows, header=header, divider=True)
        for t in status.tasks:
            for line in t.decisions.remarks():
                msg.info(f"{t.task}: {line}")
        if status.clock.decisions:
            print(clock_table(status.people, status.clock))  # noqa: T201
        if status.near_duplicates:
            msg.info(
                f"{status.near_duplicates} near-duplicates of gold or dev kept out of training"
            )
