"""`spacy hitl init`: a config or a project to start from."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, List, Optional

import typer
from wasabi import msg

from . import hitl_cli
from ._ask_project import Wanted
from ._new_project import refuse_options, start_project
from ._util import friendly_errors

if TYPE_CHECKING:
    from ..distill.recipes.plan import Plan


@hitl_cli.command("init")
def init_cli(
    output: Annotated[
        Optional[Path],
        typer.Argument(
            help="Name of a new project folder; or training config to write (.cfg), - for stdout; "
            "configs/NAME.cfg if not given"
        ),
    ] = None,
    task: Annotated[
        Optional[List[str]],
        typer.Option(
            "--task",
            "-t",
            help="Kind of task (ner, spancat, textcat, linking, relations); the corpus says it "
            "too. Project: ner, spancat or textcat, several times for several tasks",
        ),
    ] = None,
    labels: Annotated[
        Optional[List[str]],
        typer.Option(
            "--labels",
            "-l",
            help="Labels, separated by commas; the corpus says them too. Project: those of the "
            "example if not given; once for each task",
        ),
    ] = None,
    student: Annotated[
        str,
        typer.Option("--student", "-s", help="Recipe: small, fast, ensemble (ner) or transformer"),
    ] = "fast",
    name: Annotated[
        Optional[List[str]],
        typer.Option(
            "--name",
            "-n",
            help="Name of task and component; the kind if not given. Project: once for each task",
        ),
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
    lang: Annotated[
        Optional[str], typer.Option("--lang", help="Code of the language; en if not given")
    ] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace the file")] = False,
    define: Annotated[
        Optional[List[str]],
        typer.Option(
            "--define",
            help='Project: what a label means, "LABEL=a sentence"; several times for several',
        ),
    ] = None,
    endpoint: Annotated[
        Optional[str],
        typer.Option(
            "--endpoint",
            help="Project: address of an OpenAI-compatible server, such as "
            "http://127.0.0.1:11434/v1",
        ),
    ] = None,
    model: Annotated[
        Optional[str],
        typer.Option("--model", help="Project: name of the model, as that server knows it"),
    ] = None,
    api_key_env: Annotated[
        Optional[str],
        typer.Option(
            "--api-key-env",
            help="Project: environment variable with the key of the server (never the key itself)",
        ),
    ] = None,
) -> None:
    """Make a new project folder, or write a filled, commented training config of a student.

    A project runs as it stands on ten example texts. In a terminal, what is not given is asked for.
    A training config is made from an exported corpus or options, and runs as it stands: spacy
    train, or spacy hitl distill, which explains errors.
    """
    with friendly_errors():
        if output is not None and str(output) != "-" and output.suffix != ".cfg":
            refuse_options(
                {
                    "--corpus": corpus,
                    "--catalog": catalog,
                    "--transformer": transformer,
                    "--base": base,
                    "--force": force or None,
                },
                wanted="a new project",
                other="a training config (a file that ends in .cfg)",
            )
            start_project(
                output,
                Wanted(
                    kinds=tuple(task or ()),
                    labels=tuple(labels or ()),
                    names=tuple(name or ()),
                    definitions=tuple(define or ()),
                    exclusive=exclusive,
                    student=student,
                    lang=lang,
                    endpoint=endpoint,
                    model=model,
                    api_key_env=api_key_env,
                ),
            )
            return
        refuse_options(
            {
                "--define": define,
                "--endpoint": endpoint,
                "--model": model,
                "--api-key-env": api_key_env,
                "--task, given twice,": task if task and len(task) > 1 else None,
                "--labels, given twice,": labels if labels and len(labels) > 1 else None,
                "--name, given twice,": name if name and len(name) > 1 else None,
            },
            wanted="a training config",
            other="a new project (give the NAME of a folder)",
        )
        _write_training_config(
            output,
            task=task[0] if task else None,
            labels=labels[0] if labels else None,
            student=student,
            name=name[0] if name else None,
            corpus=corpus,
            exclusive=exclusive,
            catalog=catalog,
            transformer=transformer,
            base=base,
            lang=lang or "en",
            force=force,
        )


def _write_training_config(
    output: Optional[Path],
    *,
    task: Optional[str],
    labels: Optional[str],
    student: str,
    name: Optional[str],
    corpus: Optional[Path],
    exclusive: Optional[bool],
    catalog: Optional[Path],
    transformer: Optional[str],
    base: Optional[str],
    lang: str,
    force: bool,
) -> None:
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
