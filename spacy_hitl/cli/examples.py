"""`spacy hitl examples`: few-shot examples from decisions."""

from pathlib import Path
from typing import Annotated, Optional

import typer
from wasabi import msg

from . import hitl_cli
from ._util import CodeOption, ConfigArgument, friendly_errors, import_code


@hitl_cli.command("examples")
def examples_cli(
    config: ConfigArgument,
    task: Annotated[str, typer.Option("--task", "-t", help="Name of the task")],
    output: Annotated[Path, typer.Option("--output", "-o", help="JSONL file to write")],
    count: Annotated[
        Optional[int],
        typer.Option("--count", "-n", help="How many examples (8; a pool: all)", min=1),
    ] = None,
    strategy: Annotated[
        str,
        typer.Option(
            "--strategy",
            "-s",
            help="labels (every label is shown), diverse, or pool (all, to choose from per text)",
        ),
    ] = "labels",
    seed: Annotated[int, typer.Option("--seed", help="Of the choice")] = 0,
    code: CodeOption = None,
) -> None:
    """Choose few-shot examples from decided texts of lane train, never from gold or dev.

    Put the file into the task block: examples = "FILE". For a pool, examples_nearest = 4 beside it
    shows each text the four most similar ones.
    """
    with friendly_errors():
        from ..exchange.examples import choose_examples

        import_code(code)
        written = choose_examples(config, task, output, count=count, strategy=strategy, seed=seed)
        msg.good(f"{written} examples: {output}")
