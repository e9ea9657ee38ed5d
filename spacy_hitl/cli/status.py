"""`spacy hitl status`: where each task stands."""

import json
import shutil
from typing import TYPE_CHECKING, Annotated

import typer
from wasabi import msg

from . import hitl_cli
from ._util import CodeOption, ConfigArgument, friendly_errors, import_code

if TYPE_CHECKING:
    from ..exchange.quality import TaskQuality
    from ..exchange.status.project import ProjectStatus


@hitl_cli.command("status")
def status_cli(
    config: ConfigArgument,
    figures: Annotated[
        bool, typer.Option("--figures", help="Show the last evaluation of every task instead")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="The same facts as one JSON document, for machines")
    ] = False,
    code: CodeOption = None,
) -> None:
    """Show where each task stands, with its figures, and the next command to type.

    Whatever is missing or can't be read is said there; nothing is changed.
    """
    with friendly_errors():
        from ..evaluate.table import overview
        from ..exchange.status.project import project_metrics, project_status
        from ..exchange.status.text import status_json

        import_code(code)
        if figures:
            print(overview(project_metrics(config)))  # noqa: T201
            return
        status = project_status(config, code=code)
        if as_json:
            print(json.dumps(status_json(status), indent=2))  # noqa: T201
            return
        _show(status)


def _show(status: "ProjectStatus") -> None:
    from ..exchange.status.text import task_lines
    from ..scoring.clock import clock_table

    lanes = ", ".join(f"{n:,} {lane}" for lane, n in status.lanes.items()) or "none yet"
    msg.info(f"{status.rows:,} rows, {sum(status.lanes.values()):,} texts ({lanes})")
    if status.near_duplicates:
        msg.info(f"{status.near_duplicates:,} near-duplicates of gold or dev kept out of training")
    for problem in status.problems:
        msg.warn(problem)
    width = shutil.get_terminal_size().columns
    for t in status.tasks:
        lines = task_lines(t, width=width, link=status.link, version=status.version or "")
        said = "\n".join(["", *lines])
        print(said.encode("utf8", "backslashreplace").decode("utf8"))  # noqa: T201
    if status.clock.decisions:
        print(clock_table(status.people, status.clock))  # noqa: T201
    for audited in status.quality:
        _show_quality(audited)


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
