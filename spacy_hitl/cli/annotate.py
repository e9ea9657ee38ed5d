"""`spacy hitl annotate`: an LLM proposes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional, Sequence

import typer
from wasabi import msg

from ..errors import Errors, InputError
from ..records import FAILED, USABLE
from . import hitl_cli
from ._util import CodeOption, ConfigArgument, friendly_errors, import_code

if TYPE_CHECKING:
    from ..annotate.run import AnnotateSummary
    from ..llm.budget import LedgerLine


@hitl_cli.command("annotate")
def annotate_cli(
    config: ConfigArgument,
    texts: Annotated[
        Optional[Path], typer.Argument(help="Texts to annotate: JSONL with id and text")
    ] = None,
    code: CodeOption = None,
    limit: Annotated[
        Optional[int], typer.Option("--limit", "-n", help="Stop after this many texts", min=0)
    ] = None,
    max_cost: Annotated[
        Optional[float],
        typer.Option("--max-cost", help="Stop before all stored answers cost more", min=0),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count prompts, tokens and money; ask nothing")
    ] = False,
    samples: Annotated[
        Optional[int],
        typer.Option("--samples", "-k", help="Ask every question this often, for votes", min=1),
    ] = None,
    reparse: Annotated[
        bool,
        typer.Option("--reparse", help="Ask nothing; understand stored answers with this config"),
    ] = False,
    variants: Annotated[
        bool, typer.Option("--variants", help="Also ask every variant in [hitl.variants]")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Ask every model one question, explain what is wrong")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar")] = False,
) -> None:
    """Store texts, ask the prompted components, store every answer and proposal.

    Can be stopped at any point and run again: it goes on where it stopped, and no stored answer
    is asked for twice.
    """
    with friendly_errors():
        from ..annotate.run import annotate
        from ..annotate.run import dry_run as count_costs
        from ..pipeline.loading import variants_of

        import_code(code)
        if check:
            _show_check(config)
            return
        if texts is None:
            raise InputError(Errors.H142)
        if dry_run:
            _show_ledger(count_costs(config, texts, limit=limit), title="would ask at most")
            return
        for path in [config, *(variants_of(config) if variants else ())]:
            if path != config:
                msg.divider(str(path))
            summary = annotate(
                path,
                texts,
                limit=limit,
                max_cost=max_cost,
                reparse=reparse,
                samples=samples,
                progress=not quiet,
            )
            _show_summary(summary)
            if summary.stopped:
                break


def _show_summary(summary: "AnnotateSummary") -> None:
    msg.good(f"{summary.new_texts} new texts, {summary.annotated} annotated")
    rows = [(task, status, n) for (task, status), n in sorted(summary.statuses.items())]
    if rows:
        msg.table(rows, header=("task", "status", "texts"), divider=True)
    if any(line.prompt_tokens for line in summary.ledger):
        _show_ledger(summary.ledger, title="stored answers")
    if summary.first_failure:
        msg.warn("Some texts failed and are marked; run again to retry. The first reason:")
        msg.text(summary.first_failure)
    if summary.stopped:
        msg.warn(summary.stopped)


def _show_ledger(lines: "Sequence[LedgerLine]", *, title: str) -> None:
    rows = [
        (
            line.model,
            f"{line.requests:,}",
            f"{line.prompt_tokens:,}",
            f"{line.completion_tokens:,}",
            "no price" if line.cost is None else f"{line.cost:,.4f}",
        )
        for line in lines
    ]
    header = ("model", title, "prompt tokens", "answer tokens", "cost")
    msg.table(rows, header=header, divider=True, aligns=("l", "r", "r", "r", "r"))


def _show_check(config: Path) -> None:
    from ..annotate.run import check_models

    found = check_models(config)
    for name, status, detail in found:
        if status in USABLE:
            msg.good(f"{name}: the model answers ({status})")
        else:
            msg.warn(f"{name}: {status}. {detail}")
    if any(status == FAILED for _, status, _ in found):
        raise typer.Exit(1)
