"""A search as a table one can read in a terminal."""

from typing import List, Literal, Optional, Tuple

from wasabi.tables import table

from .results import MixScore, SearchResult

Align = Literal["l", "r", "c"]
HEADER = ("mix", "score", "95% interval", "to the best", "better", "splits", "seconds")
ALIGNS: Tuple[Align, ...] = ("l", "r", "l", "l", "r", "r", "r")


def search_table(result: SearchResult) -> str:
    """RETURNS (str): One line per mix, and below what the figures rest on and what was chosen."""
    rows = [_row(mix, result) for mix in result.mixes]
    lines = [
        str(table(rows, header=HEADER, divider=True, aligns=ALIGNS, max_col=60)),
        f"{result.main} on {result.scored} of {result.reviewed} reviewed texts, each held out from "
        f"the training; {result.splits} splits, {result.folds} of which hold out all of them once. "
        f"{result.proposals} undecided texts have proposals.",
        "'to the best': paired difference on the same splits; 'better': probability to beat the "
        "best. Texts and splits are resampled, 1,000 rounds.",
    ]
    lines += [f"{mix.name} was dropped: {mix.dropped}" for mix in result.mixes if mix.dropped]
    lines.append(f"Chosen: {result.chosen}. {result.reason}")
    return "\n".join(lines)


def _row(mix: MixScore, result: SearchResult) -> List[str]:
    name = f"{mix.name} *" if mix.name == result.chosen else mix.name
    gain = "the best" if mix.name == result.best else "-"
    if mix.gain is not None:
        gain = "{:+.3f} [{:+.3f}, {:+.3f}]".format(*mix.gain)
    return [
        name,
        _number(mix.score, "{:.3f}"),
        "-" if mix.score is None else f"{mix.low:.3f} to {mix.high:.3f}",
        gain,
        _number(mix.better, "{:.0%}"),
        str(mix.splits),
        f"{mix.seconds:.1f}" if mix.splits else "-",
    ]


def _number(value: Optional[float], form: str) -> str:
    return "-" if value is None else form.format(value)
