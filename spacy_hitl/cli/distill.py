"""`spacy hitl distill`: a small component learns."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from wasabi import msg

from ..errors import Errors, InputError, Warnings
from . import hitl_cli
from ._util import CodeOption, friendly_errors, import_code

if TYPE_CHECKING:
    from ..distill.search.results import SearchResult
    from ..scoring.curves import Curve


@hitl_cli.command("distill")
def distill_cli(
    config: Annotated[Path, typer.Argument(help="Training config of the student (.cfg)")],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="Folder for model-best, model-last and the records"),
    ],
    gpu: Annotated[int, typer.Option("--gpu-id", "-g", help="GPU to use, -1 for the CPU")] = -1,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Don't go on from the last student: train from scratch"),
    ] = False,
    search: Annotated[
        bool,
        typer.Option("--search", help="First find out which mix of decisions and proposals to use"),
    ] = False,
    curve: Annotated[
        bool,
        typer.Option("--curve", help="Only find out whether more decisions would pay"),
    ] = False,
    minutes: Annotated[
        float, typer.Option("--minutes", help="Budget of --search and of --curve")
    ] = 10.0,
    seed: Annotated[int, typer.Option("--seed", help="Of --search and of --curve")] = 0,
    no_train: Annotated[
        bool, typer.Option("--no-train", help="After --search, write chosen.cfg and stop")
    ] = False,
    code: CodeOption = None,
) -> None:
    """Train a student: the same as `spacy train CONFIG --output DIR`, with errors explained.

    If only decisions were added since the last student in the folder, it goes on from that one.
    """
    with friendly_errors():
        from ..distill.run import distill

        _check_options(search=search, curve=curve, no_train=no_train, minutes=minutes)
        import_code(code)
        if search or curve:
            _warn_of_trained(config)
        if curve:
            _curve(config, output, minutes=minutes, seed=seed, gpu=gpu)
            return
        if search:
            config = _search(config, output, minutes=minutes, seed=seed, gpu=gpu)
            if no_train:
                return
        best = distill(config, output, gpu=gpu, fresh=fresh, report=msg.info)
        msg.good(f"Student: {best}")


def _check_options(*, search: bool, curve: bool, no_train: bool, minutes: float) -> None:
    if search and curve:
        why = "one compares mixes, the other the number of decisions. Run one after the other"
        raise InputError(Errors.H345.format(options="--search and --curve", why=why))
    if no_train and not search:
        why = "only after a search there is something to leave out"
        raise InputError(Errors.H345.format(options="--no-train without --search", why=why))
    if not minutes > 0:
        raise InputError(Errors.H346.format(minutes=minutes))


def _search(config: Path, output: Path, *, minutes: float, seed: int, gpu: int) -> Path:
    from ..distill.search.run import CHOSEN, search
    from ..distill.search.table import search_table

    found = search(config, output, minutes=minutes, seed=seed, gpu=gpu, report=msg.text)
    _warn_of_budget(found)
    print(search_table(found))  # noqa: T201
    msg.good(f"Config: {output / CHOSEN}")
    return output / CHOSEN


def _curve(config: Path, output: Path, *, minutes: float, seed: int, gpu: int) -> None:
    from ..distill.search.curve import curve_table, learning_curve
    from ..scoring.curves import RECORD

    found = learning_curve(config, output, minutes=minutes, seed=seed, gpu=gpu, report=msg.text)
    _warn_of_budget(found)
    print(curve_table(found))  # noqa: T201
    msg.good(f"Curve: {output / RECORD}")


def _warn_of_budget(found: "SearchResult | Curve") -> None:
    if not found.whole:
        msg.warn(
            Warnings.W340.format(
                minutes=found.minutes,
                splits=found.splits,
                folds=found.folds,
                scored=found.scored,
                reviewed=found.reviewed,
            )
        )


def _warn_of_trained(config: Path) -> None:
    from ..distill.search.inputs import read_config, trained_inputs

    names = trained_inputs(read_config(config))
    if names:
        msg.warn(Warnings.W341.format(names=", ".join(f"'{name}'" for name in names)))
