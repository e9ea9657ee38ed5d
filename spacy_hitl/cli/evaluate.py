"""`spacy hitl evaluate`: honest numbers."""

from pathlib import Path
from typing import List, Optional

import typer
from wasabi import msg

from . import hitl_cli
from ._util import friendly_errors


@hitl_cli.command("evaluate")
def evaluate_cli(
    # fmt: off
    systems: List[str] = typer.Argument(
        ...,
        help="Configs of prompted pipelines, folders of trained ones, or folders joined by + to run one after the other",
    ),
    gold: Path = typer.Option(..., "--gold", help="Exported gold corpus of the task"),
    train: Path = typer.Option(..., "--train", help="Exported training corpus (for the baseline)"),
    output: Optional[Path] = typer.Option(
        None, "--output", "-o", help="Write the figures to this JSON file"
    ),
    code: Optional[Path] = typer.Option(
        None, "--code", "-c", help="Python file with registered functions to import first"
    ),
    labels: bool = typer.Option(False, "--labels", help="Also show every label"),
    # fmt: on
) -> None:
    """Measure pipelines on the blind gold texts of one task, beside a baseline."""
    with friendly_errors():
        from spacy.util import import_file

        from ..evaluate.run import evaluate
        from ..evaluate.table import label_table, overview, verdict_line
        from ..io import write_json

        if code is not None:
            import_file("python_code", code)
        metrics = evaluate(systems, gold=gold, train=train)
        print(overview([metrics]))  # noqa: T201
        print(verdict_line(metrics))  # noqa: T201
        if labels:
            print(label_table(metrics))  # noqa: T201
        if output is not None:
            write_json(output, metrics.to_dict())
            msg.good(f"Figures: {output}")
