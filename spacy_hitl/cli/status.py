"""`spacy hitl status`: where each task stands."""

from typing import TYPE_CHECKING, Annotated

import typer
from wasabi import msg

from . import hitl_cli
from ._util import ConfigArgument, friendly_errors

if TYPE_CHECKING:
    from ..exchange.quality import TaskQuality


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
        for audited in status.quality:
            _show_quality(audited)
        if status.near_duplicates:
            msg.info(
                f"{status.near_duplicates} near-duplicates of gold or dev kept out of training"
            )


def _show_quality(audited: "TaskQuality") -> None:
    """Print a task's score in production over time, and warn if it fell."""
    waiting = f", {audited.waiting} wait for a decision" if audited.waiting else ""
    left_out = f", {audited.left_out} left out" if audited.left_out else ""
    msg.divider(f"{audited.task} in production")
    msg.info(f"{audited.drawn} audited texts{waiting}{left_out}")
    rows = [("promoted", "-", str(audited.promoted), "")] if audited.promoted is not None else []
    for p in audited.quality.periods:
        rows.append((p.months, str(p.texts), str(p.score), "" if p.full else "too few to compare"))
    if rows:
        msg.table(
            rows, header=("period", "texts", f"{audited.main}, 95% interval", ""), divider=True
        )
    if audited.imported:
        msg.info(f"{audited.imported} of them were decided in an imported file")
    for fall in audited.quality.falls:
        msg.warn(f"{audited.task}: quality fell. {fall}")
