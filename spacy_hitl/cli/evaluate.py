"""`spacy hitl evaluate`: honest numbers."""

from pathlib import Path
from typing import Annotated, List, Optional

import typer
from wasabi import msg

from . import hitl_cli
from ._util import CodeOption, friendly_errors, import_code


@hitl_cli.command("evaluate")
def evaluate_cli(
    systems: Annotated[
        List[str],
        typer.Argument(
            help="What to measure: a config of a prompted pipeline, a folder of a trained one, "
            "or folders joined by + that run one after the other"
        ),
    ],
    gold: Annotated[Path, typer.Option("--gold", help="Exported gold corpus of the task")],
    train: Annotated[
        Path, typer.Option("--train", help="Exported training corpus, for the baseline")
    ],
    output: Annotated[
        Optional[Path], typer.Option("--output", "-o", help="Write the figures to this JSON file")
    ] = None,
    code: CodeOption = None,
    labels: Annotated[bool, typer.Option("--labels", help="Also show every label")] = False,
) -> None:
    """Measure pipelines on the blind gold texts of one task, beside a baseline."""
    with friendly_errors():
        from ..evaluate.run import evaluate
        from ..evaluate.table import comparison_lines, label_table, overview
        from ..io import write_json

        import_code(code)
        metrics = evaluate(systems, gold=gold, train=train)
        print(overview([metrics]))  # noqa: T201
        print("\n".join(comparison_lines(metrics)))  # noqa: T201
        if labels:
            print(label_table(metrics))  # noqa: T201
        if output is not None:
            write_json(output, metrics.to_dict())
            msg.good(f"Figures: {output}")
