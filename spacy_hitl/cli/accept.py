"""`spacy hitl accept`: accept unseen what is almost certainly right."""

import getpass
from typing import TYPE_CHECKING, Annotated, Optional

import typer
from wasabi import msg

from . import hitl_cli
from ._util import CodeOption, ConfigArgument, friendly_errors, import_code

if TYPE_CHECKING:
    from ..review.bulk.accept import BulkAccept


@hitl_cli.command("accept")
def accept_cli(
    config: ConfigArgument,
    task: Annotated[Optional[str], typer.Option("--task", "-t", help="Name of the task")] = None,
    max_error: Annotated[
        float,
        typer.Option("--max-error", help="Largest share of annotations that may be wrong"),
    ] = 0.02,
    annotator: Annotated[
        Optional[str], typer.Option("--annotator", "-a", help="In whose name (yours)")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Store it; else it is only shown")
    ] = False,
    undo: Annotated[
        Optional[str], typer.Option("--undo", help="Take back the bulk accept with this uid")
    ] = None,
    code: CodeOption = None,
) -> None:
    """Accept in bulk the undecided train texts whose scores promise few enough errors.

    How few is measured on decided texts (never gold): at least 50, and more for a small
    --max-error. Nothing is stored without --yes, and --undo takes all of it back.
    """
    with friendly_errors():
        from ..errors import Errors, InputError
        from ..review.bulk.accept import accept_in_bulk, undo_bulk

        import_code(code)
        if undo is not None:
            msg.good(f"{undo_bulk(config, undo)} decisions taken back")
            return
        if task is None:
            raise InputError(Errors.H227)
        name = annotator or getpass.getuser()
        found = accept_in_bulk(config, task, max_error=max_error, annotator=name, store=yes)
        _show(found, max_error)


def _show(found: "BulkAccept", max_error: float) -> None:
    plan = found.plan
    if not plan.rows:
        if plan.measured < plan.needed:
            why = f"it takes {plan.needed} decided texts to show so small an error"
        elif plan.error.high > max_error:
            why = f"its upper bound must not be above {max_error:g}"
        else:
            why = f"but none of {plan.candidates} undecided texts scores {plan.threshold:.3f}"
        msg.warn(
            f"Nothing can be accepted. On the {plan.measured} surest decided texts the error is "
            f"{plan.error}; {why}"
        )
        return
    msg.info(
        f"{len(plan.rows)} of {plan.candidates} undecided texts score {plan.threshold:.3f} or more"
    )
    print(  # noqa: T201
        f"Error measured on {plan.measured} decided texts of such scores: {plan.error} (95%, as if "
        f"one more text were all wrong). {plan.exact} of them were right in all."
    )
    if plan.seen:
        msg.warn(
            f"{plan.seen} of these were decided with the proposal in sight: people tend to agree "
            "with what they see, so the error may be larger"
        )
    print("The least certain of them:")  # noqa: T201
    for text, what in found.examples():
        print(f"  {text[:90]}\n    {what}")  # noqa: T201
    if found.uid:
        msg.good(f"Accepted {len(plan.rows)} texts")
        print(f"To take them back: --undo {found.uid}")  # noqa: T201
    else:
        msg.text("Nothing was stored. Add --yes to accept them.")
