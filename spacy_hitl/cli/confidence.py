"""`spacy hitl confidence`: do the scores tell right from wrong."""

from typing import Annotated

import typer
from wasabi import msg

from . import hitl_cli
from ._util import CodeOption, ConfigArgument, friendly_errors, import_code


@hitl_cli.command("confidence")
def confidence_cli(
    config: ConfigArgument,
    task: Annotated[str, typer.Option("--task", help="Name of the prompted component")],
    code: CodeOption = None,
) -> None:
    """Measure by the decisions on train and dev what the scores of a task's proposals are worth.

    Scores are vote shares over the samples that were annotated, and the probabilities of the
    labels where the model gave them. Gold texts are never used.
    """
    with friendly_errors():
        from ..exchange.confidence import confidence_report
        from ..scoring.judged import PROPOSED, measures_table, verdict

        import_code(code)
        report = confidence_report(config, task)
        voters = ", ".join(f"{n} with {k}" for k, n in report.voters.items())
        msg.info(f"{report.texts} decided texts; by answers that voted: {voters}")
        print(measures_table(report.groups))  # noqa: T201
        scores = ", ".join(f"{n} from {source}" for source, n in report.sources.items())
        print(f"Scores of what was proposed: {scores or 'none'}.")  # noqa: T201
        print(verdict(report.groups[PROPOSED]))  # noqa: T201
        if report.imported:
            msg.info(f"{report.imported} of the decisions were imported, not made by a person here")
        if report.seen:
            msg.warn(
                f"{report.seen} decisions were made with a proposal in sight: people tend to agree "
                "with what they see, so the scores may look better than they are"
            )
