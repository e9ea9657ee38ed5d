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
        Optional[Path],
        typer.Option(
            "--output",
            "-o",
            help="Write the figures to this JSON file, and what every system found to "
            "outputs/TASK.jsonl beside it",
        ),
    ] = None,
    production: Annotated[
        Optional[Path],
        typer.Option("--production", help="Also measure the pipeline that runs now, by its link"),
    ] = None,
    config: Annotated[
        Optional[Path],
        typer.Option(
            "--config",
            help="Config whose [hitl.utility] says what errors cost; a config that is measured "
            "brings its own",
        ),
    ] = None,
    code: CodeOption = None,
    labels: Annotated[bool, typer.Option("--labels", help="Also show every label")] = False,
    show_details: Annotated[
        bool,
        typer.Option("--details", help="Also show kinds of errors, confusions and slices"),
    ] = False,
    no_speed: Annotated[
        bool, typer.Option("--no-speed", help="Don't time trained pipelines (about 10 s each)")
    ] = False,
    near_duplicates: Annotated[
        float,
        typer.Option(
            "--near-duplicates",
            help="Refuse training texts and examples this similar to a gold text, 0 to 1 (0: only "
            "the same letters and digits)",
        ),
    ] = 0.8,
) -> None:
    """Measure pipelines on the blind gold texts of one task, beside a baseline."""
    with friendly_errors():
        from ..evaluate.cost_table import cost_table
        from ..evaluate.details import details
        from ..evaluate.run import evaluate
        from ..evaluate.table import business_line, comparison_lines, label_table, overview
        from ..io import write_json
        from ..scoring.outputs import outputs_folder

        import_code(code)
        metrics = evaluate(
            systems,
            gold=gold,
            train=train,
            production=production,
            config=config,
            outputs=None if output is None else outputs_folder(output),
            speed=not no_speed,
            code=code,
            near_duplicates=near_duplicates or None,
        )
        print(overview([metrics]))  # noqa: T201
        print("\n".join([*comparison_lines(metrics), business_line(metrics)]).rstrip())  # noqa: T201
        print(cost_table(metrics))  # noqa: T201
        if labels:
            print(label_table(metrics))  # noqa: T201
        if show_details:
            print(details(metrics))  # noqa: T201
        if output is not None:
            write_json(output, metrics.to_dict())
            msg.good(f"Figures: {output}")
