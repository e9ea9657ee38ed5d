"""`spacy hitl estimate`: what nobody counted, from what was drawn at random."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional, Sequence

import typer
from wasabi import msg

from . import hitl_cli
from ._util import CodeOption, ConfigArgument, friendly_errors, import_code

if TYPE_CHECKING:
    from ..scoring.estimates import Figure

HEADER = ("estimate", "value", "95% interval", "decided texts", "basis")


@hitl_cli.command("estimate")
def estimate_cli(
    config: ConfigArgument,
    task: Annotated[str, typer.Option("--task", "-t", help="Name of the task")],
    output: Annotated[
        Optional[Path], typer.Option("--output", "-o", help="Write the figures to this JSON file")
    ] = None,
    code: CodeOption = None,
) -> None:
    """Estimate the error of what was accepted in bulk, and the recall of every label.

    Each figure comes with its 95% interval and says what it rests on. Decisions on texts that a
    router chose are never used; without blind ones, figures are marked as biased.
    """
    with friendly_errors():
        from ..evaluate.estimate import estimate
        from ..io import write_json

        import_code(code)
        found = estimate(config, task)
        print(f"{found.header.task}, as answered by {found.source}")  # noqa: T201
        if found.figures:
            print(_table(found.figures))  # noqa: T201
        for note in found.notes:
            msg.warn(note)
        if output is not None:
            write_json(output, found.to_dict())
            msg.good(f"Figures: {output}")


def _table(figures: "Sequence[Figure]") -> str:
    from wasabi.tables import table

    rows = [
        (
            f.name + (f" of {f.label}" if f.label else ""),
            f"{f.value:.3f}",
            f"{f.low:.3f} to {f.high:.3f}",
            f"{f.decided:,} of {f.population:,}",
            f.basis + (f", {f.imported:,} imported" if f.imported else ""),
        )
        for f in figures
    ]
    return str(table(rows, header=HEADER, divider=True)).strip("\n")
