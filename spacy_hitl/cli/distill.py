"""`spacy hitl distill`: a small component learns."""

from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from . import hitl_cli
from ._util import friendly_errors


@hitl_cli.command("distill")
def distill_cli(
    config: Annotated[Path, typer.Argument(help="Training config of the student (.cfg)")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for model-best and model-last")
    ],
    gpu: Annotated[int, typer.Option("--gpu-id", "-g", help="GPU to use, -1 for the CPU")] = -1,
) -> None:
    """Train a student: the same as `spacy train CONFIG --output DIR`, with errors explained."""
    with friendly_errors():
        from ..distill.run import distill

        best = distill(config, output, gpu=gpu)
        msg.good(f"Student: {best}")
