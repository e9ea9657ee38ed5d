"""`spacy hitl suspects`: annotations that are probably wrong (label errors)."""

from pathlib import Path
from typing import Annotated, Optional

import typer
from wasabi import msg

from . import hitl_cli
from ._util import CodeOption, friendly_errors, import_code


@hitl_cli.command("suspects")
def suspects_cli(
    config: Annotated[Path, typer.Argument(help="Training config of the student (.cfg)")],
    output: Annotated[
        Optional[Path],
        typer.Option("--output", "-o", help="File; label_errors/TASK.jsonl beside the corpus"),
    ] = None,
    folds: Annotated[
        int, typer.Option("--folds", help="Students of a round; each text is judged by one of them")
    ] = 5,
    rounds: Annotated[
        Optional[int], typer.Option("--rounds", help="Rounds at most, with other folds and seeds")
    ] = None,
    minutes: Annotated[
        Optional[float], typer.Option("--minutes", help="Begin no round that would take longer")
    ] = None,
    gpu: Annotated[int, typer.Option("--gpu-id", "-g", help="GPU to use, -1 for the CPU")] = -1,
    code: CodeOption = None,
) -> None:
    """Find label errors: annotations that students which did not see the text disagree with.

    Reads lanes train and dev of the corpus that the config names, never gold. Without --rounds and
    --minutes, one round is made; with --minutes alone, as many as there is time for.
    """
    with friendly_errors():
        from ..distill.label_errors.run import Effort, find_label_errors

        import_code(code)
        effort = Effort(folds=folds, rounds=rounds, minutes=minutes)
        path, header, suspects = find_label_errors(config, output=output, effort=effort, gpu=gpu)
        kinds = {s.problem: 0 for s in suspects}
        for s in suspects:
            kinds[s.problem] += 1
        counts = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
        decided = sum(s.decided for s in suspects)
        msg.info(
            f"{header.annotations} annotations in {header.texts} texts, judged by {header.rounds} "
            f"held-out student{'s' if header.rounds > 1 else ''} each"
        )
        found = f"{len(suspects)} suspects ({counts or 'none'})"
        msg.good(f"{found}, {decided} of them decided: {path}")
