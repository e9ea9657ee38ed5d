"""`spacy hitl import` and `spacy hitl export`: decisions in, corpora out."""

from pathlib import Path
from typing import Annotated, Optional

import typer
from wasabi import msg

from . import hitl_cli
from ._util import ConfigArgument, friendly_errors


@hitl_cli.command("import")
def import_cli(
    config: ConfigArgument,
    path: Annotated[
        Path, typer.Argument(help="JSONL: decisions (id, a field per task), or a whole dataset")
    ],
    annotator: Annotated[
        Optional[str],
        typer.Option("--annotator", "-a", help="Who decided; the file's name if not given"),
    ] = None,
) -> None:
    """Bring in decisions that were made elsewhere, or a dataset written by export --all.

    Imported decisions are marked as imported: figures that rest on them say so.
    """
    with friendly_errors():
        from ..exchange.run import import_file

        result = import_file(config, path, annotator=annotator)
        for what, count in result.counts.items():
            msg.good(f"{what}: {count}")
        if result.unused:
            msg.warn(f"Fields that are no task and were not read: {', '.join(result.unused)}")
        if result.misaligned:
            msg.warn(
                f"{len(result.misaligned)} spans don't stand on token boundaries. They are stored "
                f"and count as missed in evaluation, but nothing can learn them; the first: "
                f"{result.misaligned[0]}"
            )
        if result.decisions:
            msg.info(
                "These decisions are marked as imported: not made by a person in this project."
            )


@hitl_cli.command("export")
def export_cli(
    config: ConfigArgument,
    everything: Annotated[
        Optional[Path], typer.Option("--all", help="Write the whole dataset to this JSONL instead")
    ] = None,
    docbin: Annotated[
        bool, typer.Option("--docbin", help="Also write decided texts as .spacy files")
    ] = False,
) -> None:
    """Write one corpus per task for training (never gold), and one for evaluation (only gold)."""
    with friendly_errors():
        from ..exchange.run import export_all, export_corpora

        if everything is not None:
            msg.good(f"{export_all(config, everything)} records: {everything}")
            return
        for path, count in export_corpora(config, docbin=docbin).items():
            msg.good(f"{count} texts: {path}")
