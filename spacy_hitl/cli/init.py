"""`spacy hitl init`: a config to start from."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer
from wasabi import msg

from . import hitl_cli
from ._util import friendly_errors

if TYPE_CHECKING:
    from ..distill.recipes.plan import Plan


@hitl_cli.command("init")
def init_cli(
    output: Annotated[
        Optional[Path],
        typer.Argument(help="Config to write (.cfg), - for stdout; configs/NAME.cfg if not given"),
    ] = None,
    task: Annotated[
        Optional[str],
        typer.Option(
            "--task",
            "-t",
            help="Kind of task (ner, spancat, textcat, linking, relations); the corpus says it too",
        ),
    ] = None,
    labels: Annotated[
        Optional[str],
        typer.Option(
            "--labels", "-l", help="Labels, separated by commas; the corpus says them too"
        ),
    ] = None,
    student: Annotated[
        str,
        typer.Option("--student", "-s", help="Recipe: small, fast, ensemble (ner) or transformer"),
    ] = "fast",
    name: Annotated[
        Optional[str],
        typer.Option("--name", "-n", help="Name of task and component; the kind if not given"),
    ] = None,
    corpus: Annotated[
        Optional[Path],
        typer.Option(
            "--corpus",
            "-d",
            help="Corpus of the task, written by export; corpus/NAME.jsonl if not given",
        ),
    ] = None,
    exclusive: Annotated[
        Optional[bool],
        typer.Option(
            "--exclusive/--multilabel", help="textcat: exactly one label holds, or any number"
        ),
    ] = None,
    catalog: Annotated[
        Optional[Path], typer.Option("--catalog", help="linking: JSONL with the entries")
    ] = None,
    transformer: Annotated[
        Optional[str],
        typer.Option(
            "--transformer", help="With --student transformer: its folder, or name on the hub"
        ),
    ] = None,
    base: Annotated[
        Optional[str],
        typer.Option("--base", help="Trained pipeline whose tok2vec the student listens to"),
    ] = None,
    lang: Annotated[str, typer.Option("--lang", help="Code of the language")] = "en",
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace the file")] = False,
) -> None:
    """Write a filled, commented training config of a student, from an exported corpus or options.

    It runs as it stands: spacy train, or spacy hitl distill, which explains errors.
    """
    with friendly_errors():
        from ..distill.recipes.new_config import config_text, write_config
        from ..distill.recipes.plan import make_plan

        plan = make_plan(
            kind=task,
            labels=[label.strip() for label in labels.split(",")] if labels else [],
            name=name,
            corpus=corpus,
            exclusive=exclusive,
            catalog=catalog,
            student=student,
            transformer=transformer,
            base=base,
            lang=lang,
        )
        if str(output) == "-":
            typer.echo(config_text(plan, path=f"configs/{plan.task}.cfg"), nl=False)
            return
        path = write_config(plan, output or Path("configs") / f"{plan.task}.cfg", force=force)
        msg.good(f"Student of '{plan.task}' ({plan.component}, {plan.student}): {path}")
        _show_corpus(plan)
        msg.text(f"Next: spacy hitl distill {path} --output training/{plan.task}")


def _show_corpus(plan: "Plan") -> None:
    """What there is to learn from, and what is missing."""
    if plan.dev is None:
        msg.warn(f"There is no {plan.corpus} yet: 'spacy hitl export' writes it.")
        return
    msg.info(
        f"{plan.corpus}: {plan.decided} decided and {plan.proposed} proposed texts to learn from, "
        f"{plan.dev} decided ones to measure on."
    )
    if not plan.decided and not plan.proposed:
        msg.warn("There is nothing to learn from in lane train: annotate or review, export again.")
    if not plan.dev:
        msg.warn("Training stops without decided texts in lane dev: review some, export again.")
