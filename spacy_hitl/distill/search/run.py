"""Compare mixes on the same splits until the budget ends; write the config of the chosen one."""

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence, Tuple

from confection import Config
from spacy.about import __version__ as spacy_version

from ...about import __version__
from ...errors import Errors, InputError
from ...io import write_bytes, write_json
from ...scoring.results import main_score
from .compare import Gain, Scored, compare, score_interval
from .inputs import Copies, Student, read_student
from .mixes import Mix, count_proposals, make_mixes
from .results import MixScore, SearchResult
from .splits import FOLDS, Split, make_splits, reviewed_rows
from .training import try_out

CHOSEN, RECORD = "chosen.cfg", "search.json"
MAX_PASSES = 5

Report = Callable[[str], None]


class Runner:
    """One mix while the search goes on."""

    def __init__(self, mix: Mix) -> None:
        self.mix = mix
        self.scored = Scored({})
        self.seconds: List[float] = []
        self.dropped: Optional[str] = None

    def run(self, student: Student, split: Split, copies: Copies, *, gpu: int) -> str:
        """Train on a split; a mix that can't be trained is dropped.

        student (Student): The user's config and corpus.
        split (Split): What is held out.
        copies (Copies): What may be read.
        gpu (int): GPU to use, -1 for the CPU.
        RETURNS (str): Name, score and seconds, in short.
        """
        config = copies.fill(self.mix.config)
        try:
            trial = try_out(config, student.header, split.held_out, seed=split.seed, gpu=gpu)
        except InputError as e:
            self.dropped = str(e)
            return f"{self.mix.name} failed"
        self.seconds.append(trial.seconds)
        found = {
            (split.number, row.text_digest): counts
            for row, counts in zip(split.held_out, trial.counts, strict=True)
        }
        self.scored = Scored({**self.scored.counts, **found})
        average = main_score(student.header)[1]
        value = score_interval(Scored(found), average=average).value
        return f"{self.mix.name} {value:.3f} ({trial.seconds:.0f} s)"


def search(
    config: Path,
    output: Path,
    *,
    minutes: float = 10.0,
    seed: int = 0,
    gpu: int = -1,
    folds: int = FOLDS,
    max_passes: int = MAX_PASSES,
    report: Report = lambda line: None,
) -> SearchResult:
    """Find the mix of decisions and proposals that teaches a student best.

    config (Path): The student's training config.
    output (Path): Folder for chosen.cfg and search.json.
    minutes (float): After these no further split is begun; one is always finished.
    seed (int): Of splits and trainings.
    gpu (int): GPU to use, -1 for the CPU.
    folds (int): Splits per pass.
    max_passes (int): How often the reviewed texts are dealt out at most.
    report (Report): Gets a line after each training.
    RETURNS (SearchResult): What was written to search.json.
    RAISES (InputError): If there is nothing to compare, or no mix can be trained.
    """
    start = time.monotonic()
    student = read_student(config)
    runners = [Runner(mix) for mix in make_mixes(student)]
    average = main_score(student.header)[1]
    done = 0
    for split in make_splits(student.rows, folds=folds, seed=seed):
        alive = [r for r in runners if r.dropped is None]
        over = is_over(time.monotonic() - start, done, minutes)
        if over or done == folds * max_passes or (done and len(alive) == 1):
            break
        with tempfile.TemporaryDirectory() as folder:
            copies = Copies(Path(folder), hidden=split.hidden)
            for r in alive:
                report(f"Split {split.number + 1}: {r.run(student, split, copies, gpu=gpu)}")
                if not done and r is alive[0]:
                    foresee(sum(r.seconds), len(alive), minutes, report)
        done += 1
        if all(r.dropped is not None for r in runners):
            detail = "\n".join(f"{r.mix.name}: {r.dropped}" for r in runners)
            raise InputError(Errors.H344.format(config=config, detail=detail))
        if done % folds == 0:
            drop_worse(runners, average=average)
    mixes, best, chosen, reason = judge(runners, average=average)
    units = {digest for r in runners for _, digest in r.scored.units}
    result = SearchResult(
        task=student.header.task,
        task_digest=student.header.task_digest,
        main=main_score(student.header)[0],
        config=str(config),
        chosen=chosen,
        best=best,
        reason=reason,
        reviewed=len(reviewed_rows(student.rows)),
        scored=len(units),
        proposals=count_proposals(student.rows),
        folds=folds,
        splits=done,
        seed=seed,
        minutes=minutes,
        seconds=round(time.monotonic() - start, 1),
        spacy=spacy_version,
        spacy_hitl=__version__,
        mixes=mixes,
    )
    (winner,) = (r.mix for r in runners if r.mix.name == chosen)
    write_bytes(output / CHOSEN, chosen_config(winner.config, result).encode("utf8"))
    write_json(output / RECORD, result.to_dict())
    return result


def foresee(seconds: float, trainings: int, minutes: float, report: Report) -> None:
    """Say after the first training of a split if the budget is too small for it.

    seconds (float): What it took.
    trainings (int): How many there are in a split.
    minutes (float): The budget.
    report (Report): Gets the line.
    """
    needed = seconds * trainings / 60
    if needed > minutes:
        report(
            f"A split will take about {needed:.1f} minutes, {minutes:g} were given. It is finished "
            "all the same; Ctrl+C stops, and then nothing is written. A smaller max_steps or "
            "patience makes trainings shorter."
        )


def is_over(seconds: float, done: int, minutes: float) -> bool:
    """RETURNS (bool): Whether another split as long as those before would go beyond the budget.

    The first one never does: without it there is nothing to show.
    """
    return done > 0 and seconds + seconds / done > minutes * 60


def drop_worse(runners: Sequence[Runner], *, average: str) -> None:
    """Try no further what is surely worse: its difference to the best lies below 0, all of it.

    runners (Sequence[Runner]): Changed in place: the reason is written down.
    average (str): "micro" or "macro".
    """
    alive = [r for r in runners if r.dropped is None]
    best = max(alive, key=lambda r: score_interval(r.scored, average=average).value)
    for r in alive:
        gain = None if r is best else compare(r.scored, best.scored, average=average)
        if gain is not None and gain.difference.high < 0:
            splits = len(r.seconds)
            r.dropped = f"worse than {best.mix.name} after {splits} splits: {gain.difference}"


def judge(runners: Sequence[Runner], *, average: str) -> Tuple[Tuple[MixScore, ...], str, str, str]:
    """Hold all mixes against the best.

    runners (Sequence[Runner]): The simplest mix first; at least one was not dropped.
    average (str): "micro" or "macro".
    RETURNS (Tuple[Tuple[MixScore, ...], str, str, str]): The figures; the name of the best; the
        name of the chosen; and why.
    """
    scores = {
        r.mix.name: score_interval(r.scored, average=average) for r in runners if r.scored.units
    }
    alive = [r for r in runners if r.dropped is None]
    # Of equal scores the simplest is the best.
    best = max(alive, key=lambda r: scores[r.mix.name].value)
    gains: Dict[str, Gain] = {
        r.mix.name: compare(r.scored, best.scored, average=average)
        for r in runners
        if r.scored.units and r is not best
    }
    found = []
    for r in runners:
        figures = MixScore(r.mix.name, r.mix.what, splits=len(r.seconds), dropped=r.dropped)
        if r.scored.units:
            s = scores[r.mix.name]
            seconds = round(sum(r.seconds) / len(r.seconds), 2)
            figures = replace(figures, score=s.value, low=s.low, high=s.high, seconds=seconds)
        if r.mix.name in gains:
            g = gains[r.mix.name]
            gain = (g.difference.value, g.difference.low, g.difference.high)
            figures = replace(figures, gain=gain, error=g.error, better=g.better)
        found.append(figures)
    chosen, reason = choose(found, best.mix.name)
    return tuple(found), best.mix.name, chosen, reason


def choose(mixes: Sequence[MixScore], best: str) -> Tuple[str, str]:
    """Choose the simplest mix that is within one standard error of the best.

    The rule of Breiman, Friedman, Olshen and Stone (Classification and Regression Trees, 1984,
    section 3.4.3), with the standard error of the paired difference.

    mixes (Sequence[MixScore]): The simplest first.
    best (str): Name of the best.
    RETURNS (Tuple[str, str]): Name of the chosen, and a sentence that says why.
    """
    for mix in mixes:
        if mix.name == best:
            return best, f"'{best}' scores best, and no simpler mix is within the noise."
        if mix.dropped is None and mix.gain is not None and mix.error is not None:
            behind = -mix.gain[0]
            if behind <= mix.error:
                return mix.name, (
                    f"'{best}' scores best, but '{mix.name}' needs less and is within the noise: "
                    f"{behind:.3f} behind, standard error {mix.error:.3f}."
                )
    raise ValueError(best)  # pragma: no cover


def chosen_config(config: Config, result: SearchResult) -> str:
    """RETURNS (str): The config file, with a header that says why it is what it is."""
    lines = [
        f"Made by 'spacy hitl distill {result.config} --search': the mix '{result.chosen}'.",
        result.reason,
        f"{result.main} on held-out reviewed texts, {result.splits} splits, seed {result.seed}:",
    ]
    for mix in result.mixes:
        if mix.score is not None:
            what = f"{mix.name} ({mix.what}): {mix.score:.3f} [{mix.low:.3f}, {mix.high:.3f}]"
            lines.append(f"  {what}")
    header = "".join(f"# {line}\n" for line in "\n".join(lines).splitlines())
    return f"{header}\n{config.to_str(interpolate=False)}\n"
