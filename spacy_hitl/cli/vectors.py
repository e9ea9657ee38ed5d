"""`spacy hitl vectors`: word vectors from the project's own texts."""

from pathlib import Path
from typing import Annotated, List

import typer
from wasabi import msg

from . import hitl_cli
from ._util import friendly_errors


@hitl_cli.command("vectors")
def vectors_cli(
    texts: Annotated[
        List[Path], typer.Argument(help="Exported corpora, and other JSONL files with 'text'")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write")],
    lang: Annotated[str, typer.Option("--lang", "-l", help="Code of the language")] = "en",
    width: Annotated[int, typer.Option("--width", help="Of the vectors", min=1)] = 64,
    rows: Annotated[int, typer.Option("--rows", help="Of the table", min=1)] = 5000,
    epochs: Annotated[int, typer.Option("--epochs", help="Passes over the texts", min=1)] = 10,
    min_count: Annotated[
        int, typer.Option("--min-count", help="Rarer words are not learned from", min=1)
    ] = 2,
) -> None:
    """Learn word vectors from texts without labels, never from gold; nothing is downloaded.

    In a training config: [initialize] vectors = "DIR", and include_static_vectors = true in the
    [...tok2vec.embed] of the model. Needs spacy-hitl[vectors].
    """
    with friendly_errors():
        from ..distill.embeddings.vectors import make_vectors

        made = make_vectors(
            texts,
            output,
            lang=lang,
            width=width,
            rows=rows,
            epochs=epochs,
            min_count=min_count,
        )
        table = made.vocab.vectors
        msg.good(f"Vectors: {table.shape[0]} rows of {table.shape[1]}: {output}")
