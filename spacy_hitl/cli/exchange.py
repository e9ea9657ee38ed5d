"""`spacy hitl import` and `spacy hitl export`: decisions in, corpora out; other tools' files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer
from wasabi import msg

from ..errors import Errors, InputError
from . import hitl_cli
from ._util import CodeOption, ConfigArgument, friendly_errors, import_code

if TYPE_CHECKING:
    from ..exchange.adapters.losses import LossReport

FORMATS_HELP = "prodigy, label-studio, doccano or docbin"
TaskOption = Annotated[Optional[str], typer.Option("--task", "-t", help="With --format: the task")]


@hitl_cli.command("import")
def import_cli(
    config: ConfigArgument,
    path: Annotated[
        Path,
        typer.Argument(
            help="JSONL: decisions (id, a field per task), or a whole dataset; see --format"
        ),
    ],
    annotator: Annotated[
        Optional[str],
        typer.Option(
            "--annotator",
            "-a",
            help="Who decided, where the file does not say; the file's name if not given",
        ),
    ] = None,
    format: Annotated[
        Optional[str],
        typer.Option("--format", "-f", help=f"Read the file of another tool: {FORMATS_HELP}"),
    ] = None,
    task: TaskOption = None,
    confirmed: Annotated[
        bool,
        typer.Option(
            "--confirmed",
            help="doccano: all texts of the file were approved, those without labels too",
        ),
    ] = False,
    code: CodeOption = None,
) -> None:
    """Bring in decisions that were made elsewhere, or a dataset written by export --all.

    Imported decisions are marked as imported: figures that rest on them say so. With --format,
    texts that are not stored yet become rows, and what can't be carried is listed.
    """
    with friendly_errors():
        import_code(code)
        if format is None:
            _needs_format("--task", task)
            _needs_format("--confirmed", confirmed or None)
            _import_decisions(config, path, annotator)
            return
        from ..exchange.formats import import_format

        result = import_format(
            config, path, format=format, task=task, annotator=annotator, confirmed=confirmed
        )
        for what, count in result.counts.items():
            msg.good(f"{what}: {count}")
        _show_losses(result.lost)
        _warn_misaligned(result.misaligned)


def _import_decisions(config: Path, path: Path, annotator: Optional[str]) -> None:
    from ..exchange.run import import_file

    result = import_file(config, path, annotator=annotator)
    for what, count in result.counts.items():
        msg.good(f"{what}: {count}")
    if result.unused:
        msg.warn(f"Fields that are no task and were not read: {', '.join(result.unused)}")
    _warn_misaligned(result.misaligned)
    if result.decisions:
        msg.info("These decisions are marked as imported: not made by a person in this project.")


@hitl_cli.command("export")
def export_cli(
    config: ConfigArgument,
    everything: Annotated[
        Optional[Path], typer.Option("--all", help="Write the whole dataset to this JSONL instead")
    ] = None,
    docbin: Annotated[
        bool, typer.Option("--docbin", help="Also write decided texts as .spacy files")
    ] = False,
    format: Annotated[
        Optional[str],
        typer.Option("--format", "-f", help=f"Write files for another tool: {FORMATS_HELP}"),
    ] = None,
    output: Annotated[
        Optional[Path], typer.Option("--output", "-o", help="With --format: folder to write to")
    ] = None,
    task: TaskOption = None,
    lanes: Annotated[
        Optional[str],
        typer.Option(
            "--lanes", help="With --format: lanes to write (train,dev; for docbin all lanes)"
        ),
    ] = None,
    near_duplicates: Annotated[
        float,
        typer.Option(
            "--near-duplicates",
            help="Leave out of training what is this similar to a gold text, 0 to 1 (0: nothing)",
        ),
    ] = 0.8,
    code: CodeOption = None,
) -> None:
    """Write one corpus per task for training (never gold), and one for evaluation (only gold).

    With --format, write what is decided and proposed for another tool, and list what it can't hold.
    """
    with friendly_errors():
        import_code(code)
        if format is None:
            for option, value in (("--output", output), ("--task", task), ("--lanes", lanes)):
                _needs_format(option, value)
            _export_own(config, everything, docbin, near_duplicates)
            return
        if output is None or everything is not None or docbin:
            problem = "give --output FOLDER with it, and neither --all nor --docbin"
            raise InputError(Errors.H075.format(option="--format", value=format, problem=problem))
        from ..exchange.formats import export_format

        chosen = None if lanes is None else [lane.strip() for lane in lanes.split(",")]
        result = export_format(config, output, format=format, task=task, lanes=chosen)
        for path, count in result.files.items():
            msg.good(f"{count} records: {path}" if count else f"written: {path}")
        _show_losses(result.lost)


def _export_own(
    config: Path, everything: Optional[Path], docbin: bool, near_duplicates: float
) -> None:
    from ..exchange.run import export_all, export_corpora

    if everything is not None:
        msg.good(f"{export_all(config, everything)} records: {everything}")
        return
    result = export_corpora(config, docbin=docbin, near_duplicates=near_duplicates or None)
    for path, count in result.counts.items():
        msg.good(f"{count} texts: {path}")
        if result.near_gold.get(path):
            msg.info(f"{result.near_gold[path]} more were left out: nearly a gold text")


def _needs_format(option: str, value: object) -> None:
    if value is not None:
        problem = f"it is for other tools' files; add --format ({FORMATS_HELP})"
        raise InputError(Errors.H075.format(option=option, value=value, problem=problem))


def _warn_misaligned(misaligned: "tuple[str, ...]") -> None:
    if misaligned:
        msg.warn(
            f"{len(misaligned)} spans don't stand on token boundaries. They are stored "
            f"and count as missed in evaluation, but nothing can learn them; the first: "
            f"{misaligned[0]}"
        )


def _show_losses(lost: "LossReport") -> None:
    """One line per reason, with the first examples."""
    if lost.losses:
        msg.warn("Not carried over:")
    for loss in lost.losses:
        msg.text(f"  {loss.count} x {loss.reason}, e.g. {'; '.join(loss.examples)}")
    if lost.notes:
        msg.info("Carried over, but look at it:")
    for note in lost.notes:
        msg.text(f"  {note.count} x {note.reason}, e.g. {'; '.join(note.examples)}")
