"""`spacy hitl apply`: a pipeline over everything."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer
from wasabi import msg

from . import hitl_cli
from ._util import CodeOption, friendly_errors

if TYPE_CHECKING:
    from ..apply.run import ApplySummary


@hitl_cli.command("apply")
def apply_cli(
    pipeline: Annotated[
        str, typer.Argument(help="Folder of a pipeline, or name of an installed one")
    ],
    texts: Annotated[
        str,
        typer.Argument(
            help="Texts: .jsonl, .csv, .tsv, .txt with one text per line, .parquet, .spacy; or the "
            "URL of a database, with --query"
        ),
    ],
    out: Annotated[
        str,
        typer.Argument(
            help="Folder for the results: NAME.jsonl for records, NAME.parquet for columns, "
            "NAME.spacy for DocBins; or a database: sqlite:///FILE, postgresql://USER@HOST/NAME"
        ),
    ],
    audit: Annotated[
        Optional[str],
        typer.Option("--audit", help="Draw this share of the texts for people to check: 0.5%"),
    ] = None,
    config: Annotated[
        Optional[Path],
        typer.Option("--config", help="Config of the project: its gold lane, its [hitl.business]"),
    ] = None,
    id_field: Annotated[
        Optional[str],
        typer.Option("--id-field", help='Field with the id; "" numbers the rows by line'),
    ] = None,
    text_field: Annotated[
        Optional[str], typer.Option("--text-field", help="Field with the text")
    ] = None,
    query: Annotated[
        Optional[str],
        typer.Option("--query", help="SELECT that gives the texts, if TEXTS is a database"),
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", help="Processes that work at the same time", min=1)
    ] = 1,
    engine: Annotated[
        str, typer.Option("--engine", help="Who starts the workers: local or ray")
    ] = "local",
    ray_address: Annotated[
        Optional[str],
        typer.Option("--ray-address", help="HOST:PORT of a Ray cluster, or auto; none starts one"),
    ] = None,
    batch_size: Annotated[
        Optional[int],
        typer.Option(
            "--batch-size", help="Texts per batch (default: the pipeline's own, at most 128)", min=1
        ),
    ] = None,
    sink: Annotated[
        Optional[str],
        typer.Option("--sink", help="Registered name of a form of your own, found with --code"),
    ] = None,
    shard_rows: Annotated[
        int, typer.Option("--shard-rows", help="Rows that are written as one", min=1)
    ] = 2000,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Remove what is in OUT and start anew")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 if a text has no result")
    ] = False,
    code: CodeOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar")] = False,
) -> None:
    """Run a pipeline over all texts of a file and write what it finds.

    Can be stopped at any point and run again: it goes on where it stopped. A text on which the
    pipeline fails is listed in errors.jsonl and takes no other with it.
    """
    with friendly_errors():
        from ..apply.audit import read_share
        from ..apply.engines import open_engine
        from ..apply.run import apply

        summary = apply(
            pipeline,
            texts,
            out,
            id_field=id_field,
            text_field=text_field,
            query=query,
            workers=workers,
            batch_size=batch_size,
            shard_rows=shard_rows,
            audit=None if audit is None else read_share(audit),
            config=config,
            code=code,
            overwrite=overwrite,
            progress=not quiet,
            engine=open_engine(engine, workers, address=ray_address),
            form=sink,
        )
        _show(summary)
        if summary.given_up or (strict and summary.failed):
            raise typer.Exit(1)


def _show(summary: "ApplySummary") -> None:
    done = summary.rows - summary.before
    rate = done / summary.seconds if summary.seconds > 0 else 0.0
    before = f", {summary.before:,} of them by an earlier run" if summary.before else ""
    tell = msg.warn if summary.rows and not summary.written else msg.good
    tell(
        f"{summary.written:,} of {summary.rows:,} texts in {summary.out}{before} "
        f"({summary.seconds:,.1f} s, {rate:,.0f} texts/s)"
    )
    if summary.failed:
        first = summary.failed[0]
        msg.warn(
            f"{len(summary.failed):,} texts have no result and are listed in "
            f"{summary.errors}. The first: {first.where}: {first.reason}"
        )
    if summary.given_up:
        msg.fail(
            f"{summary.given_up:,} texts were given up with their shards: {summary.reason}. "
            "Run again to try them again."
        )
    for name, drift in summary.drifts.items():
        print("\n".join(drift.lines(name)))  # noqa: T201
    if summary.audit is not None:
        a = summary.audit
        msg.info(
            f"Audit: {a.new:,} texts drawn into the gold lane, for people to decide on blind. Not "
            f"drawn again: {a.before:,}; left out because the dataset knows them: {a.known:,}, "
            f"because it can't hold them: {a.unusable:,}"
        )
