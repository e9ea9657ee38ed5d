"""`spacy hitl promote`: swap it in, if it is good enough."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Dict, Optional

import typer
from wasabi import msg

from ..errors import Errors, InputError
from . import hitl_cli
from ._util import CodeOption, ConfigArgument, friendly_errors, import_code

if TYPE_CHECKING:
    from ..promote.run import Promotion


@hitl_cli.command("promote")
def promote_cli(
    config: ConfigArgument,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 3 if a task is held")] = False,
    with_prompted: Annotated[
        bool, typer.Option("--with-prompted", help="Add held tasks as prompted components")
    ] = False,
    drop_held: Annotated[
        bool,
        typer.Option("--drop-held", help="Go on though production loses a task that it has"),
    ] = False,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Back to the version before this one; judge nothing")
    ] = False,
    to: Annotated[
        Optional[str],
        typer.Option("--to", metavar="VERSION", help="Go back to this version, or how it starts"),
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="Show the versions that are kept; change nothing")
    ] = False,
    code: CodeOption = None,
) -> None:
    """Judge every student on its gold figures; compose those that pass; swap the link."""
    with friendly_errors():
        _refuse_together(
            {"--strict": strict, "--with-prompted": with_prompted, "--drop-held": drop_held},
            {"--rollback": rollback, "--to": to is not None},
            {"--list": list_},
        )
        if list_:
            _list(config)
        elif rollback or to is not None:
            _roll_back(config, to)
        else:
            from ..promote.run import promote

            import_code(code)
            found = promote(config, with_prompted=with_prompted, drop_held=drop_held, code=code)
            _show(found)
            if strict and found.held:
                sys.exit(3)


def _refuse_together(*groups: Dict[str, bool]) -> None:
    """RAISES (InputError): If options of two groups were given."""
    given = [next(n for n, on in group.items() if on) for group in groups if any(group.values())]
    if len(given) > 1:
        raise InputError(Errors.H512.format(first=given[0], second=given[1]))


def _show(found: "Promotion") -> None:
    for verdict in found.verdicts:
        if verdict.passed:
            msg.good(f"{verdict.task}: pass")
        else:
            msg.warn(f"{verdict.task}: held, {'; '.join(verdict.reasons)}")
        for note in verdict.notes:
            msg.info(f"{verdict.task}: {note}")
    if found.missing:
        msg.warn(
            f"Nothing was promoted: production would lose {', '.join(found.missing)}. "
            "--with-prompted puts the prompted component in its place, --drop-held goes on without."
        )
    elif found.link is None:
        msg.warn("Nothing was promoted: every task is held. Production is unchanged.")
    else:
        if found.prompted:
            msg.info(f"Added as prompted components: {', '.join(found.prompted)}")
        msg.good(f"{found.link} -> {found.version}")


def _roll_back(config: Path, to: Optional[str]) -> None:
    from ..promote.rollback import rollback

    link, version = rollback(config, to=to)
    msg.good(f"{link} -> {version}")


def _list(config: Path) -> None:
    from ..promote.rollback import list_versions

    rows = []
    for v in list_versions(config):
        now = "in production" if v.is_current else ("was in production" if v.swaps else "never was")
        when = "" if v.last is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(v.last))
        rows.append((v.name, now, when, v.number, ", ".join(v.tasks), v.problem or ""))
    if rows:
        msg.table(
            rows, header=("version", "", "since", "package", "tasks", "problem"), divider=True
        )
    else:
        msg.info("No version is kept: nothing was promoted yet.")
