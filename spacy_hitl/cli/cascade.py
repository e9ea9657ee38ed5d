"""`spacy hitl cascade`: when to ask the LLM instead of the student."""

from pathlib import Path
from typing import Annotated, Optional

import typer
from wasabi import msg

from . import hitl_cli
from ._util import CodeOption, ConfigArgument, friendly_errors, import_code


@hitl_cli.command("cascade")
def cascade_cli(
    config: ConfigArgument,
    task: Annotated[str, typer.Argument(help="Name of the task")],
    budget: Annotated[
        Optional[float], typer.Option("--budget", help="Share of the texts to ask about, 0 to 1")
    ] = None,
    max_error: Annotated[
        Optional[float],
        typer.Option(
            "--max-error", help="Share of wrong ones among the texts left to the student, 0 to 1"
        ),
    ] = None,
    student: Annotated[
        Optional[Path],
        typer.Option("--student", help="Trained pipeline; training/TASK/model-best if not given"),
    ] = None,
    audit_share: Annotated[
        float,
        typer.Option("--audit-share", help="Share of all texts to ask about anyway, for drift"),
    ] = 0.01,
    output: Annotated[
        Optional[Path],
        typer.Option("--output", "-o", help="Write student and cascade to this config (.cfg)"),
    ] = None,
    code: CodeOption = None,
) -> None:
    """Choose the confidence below which a cascade asks the LLM, on decided texts of lane dev.

    Prints what each share of questions brings, and the block of the component. Gold texts are
    never read.
    """
    with friendly_errors():
        from ..evaluate.cascade import plan_cascade
        from ..evaluate.cascade_table import plan_notes, plan_table
        from ..io import write_bytes

        import_code(code)
        plan, found = plan_cascade(
            config,
            task,
            budget=budget,
            max_error=max_error,
            student=student,
            audit_share=audit_share,
        )
        print(plan_table(plan))  # noqa: T201
        for note in plan_notes(plan):
            msg.info(note)
        if output is None:
            block = {"components": {f"{task}_cascade": found["components"][f"{task}_cascade"]}}
            print(type(found)(block).to_str())  # noqa: T201
            return
        write_bytes(output, found.to_str().encode("utf8"))
        msg.good(f"Config: {output}")
        print(f"spacy assemble {output} OUTPUT")  # noqa: T201
