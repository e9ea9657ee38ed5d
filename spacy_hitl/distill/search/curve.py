"""How good a student is with a part of the decisions: do more of them pay?"""

import math
import random
import tempfile
import time
from pathlib import Path
from typing import Dict, FrozenSet, List, Literal, Sequence, Tuple

from spacy.about import __version__ as spacy_version
from wasabi.tables import table

from ...about import __version__
from ...io import write_json
from ...records import LANES, Counts
from ...scoring.curves import RECORD, Curve, CurvePoint, slope_sentence
from ...scoring.results import main_score
from .compare import Scored, Unit, compare, score_interval
from .inputs import Copies, Student, read_student
from .run import MAX_PASSES, Report, foresee, is_over
from .splits import FOLDS, Split, make_splits, reviewed_rows
from .training import try_out

SHARES = (0.25, 0.5, 0.75, 1.0)


def learning_curve(
    config: Path,
    output: Path,
    *,
    minutes: float = 10.0,
    seed: int = 0,
    gpu: int = -1,
    folds: int = FOLDS,
    max_passes: int = MAX_PASSES,
    shares: Sequence[float] = SHARES,
    report: Report = lambda line: None,
) -> Curve:
    """Train a student on growing shares of the decisions.

    config (Path): The student's training config.
    output (Path): Folder for curve.json.
    minutes (float): After these no further split is begun; one is always finished.
    seed (int): Of splits, shares and trainings.
    gpu (int): GPU to use, -1 for the CPU.
    folds (int): Splits per pass.
    max_passes (int): How often the reviewed texts are dealt out at most.
    shares (Sequence[float]): Shares of the decisions, growing.
    report (Report): Gets a line after each training.
    RETURNS (Curve): What was written to curve.json.
    RAISES (InputError): If there are too few reviewed texts, or a training fails.
    """
    start = time.monotonic()
    student = read_student(config)
    found: List[Dict[Unit, Dict[str, Counts]]] = [{} for _ in shares]
    learned: List[List[int]] = [[] for _ in shares]
    done = 0
    for split in make_splits(student.rows, folds=folds, seed=seed):
        if done == folds * max_passes or is_over(time.monotonic() - start, done, minutes):
            break
        for i, share in enumerate(shares):
            undecided, left = forget(student, split, share=share, seed=seed)
            with tempfile.TemporaryDirectory() as folder:
                copies = Copies(Path(folder), hidden=split.hidden, undecided=undecided)
                filled = copies.fill(student.config)
                trial = try_out(filled, student.header, split.held_out, seed=split.seed, gpu=gpu)
            learned[i].append(left)
            for row, counts in zip(split.held_out, trial.counts, strict=True):
                found[i][split.number, row.text_digest] = counts
            report(f"Split {split.number + 1}: {left} reviewed texts ({trial.seconds:.0f} s)")
            if not done and not i:
                foresee(trial.seconds, len(shares), minutes, report)
        done += 1
    header = student.header
    curve = Curve(
        task=header.task,
        task_digest=header.task_digest,
        main=main_score(header)[0],
        config=str(config),
        reviewed=len(reviewed_rows(student.rows)),
        scored=len({digest for _, digest in found[0]}),
        folds=folds,
        splits=done,
        seed=seed,
        minutes=minutes,
        seconds=round(time.monotonic() - start, 1),
        spacy=spacy_version,
        spacy_hitl=__version__,
        points=make_points(
            shares,
            [sum(n) / len(n) for n in learned],
            [Scored(counts) for counts in found],
            average=main_score(header)[1],
        ),
    )
    write_json(output / RECORD, curve.to_dict())
    return curve


def forget(
    student: Student, split: Split, *, share: float, seed: int = 0
) -> Tuple[FrozenSet[str], int]:
    """Choose the decisions that a point does without. A larger share keeps all of a smaller one.

    student (Student): The config and its corpus.
    split (Split): What is held out anyway.
    share (float): Of the other reviewed texts, in each lane by itself; at least one text is kept.
    seed (int): Of the order.
    RETURNS (Tuple[FrozenSet[str], int]): Digests of the texts whose decisions are taken away (what
        the model proposed for them stays), and how many reviewed texts are left.
    """
    held_out = {row.text_digest for row in split.held_out}
    rest = [row for row in reviewed_rows(student.rows) if row.text_digest not in held_out]
    forgotten: List[str] = []
    for lane in LANES:
        digests = sorted(row.text_digest for row in rest if row.lane == lane)
        random.Random(f"{seed} {split.number} {lane}").shuffle(digests)  # noqa: S311
        forgotten += digests[max(1, math.ceil(share * len(digests))) :]
    return frozenset(forgotten), len(rest) - len(forgotten)


def make_points(
    shares: Sequence[float], texts: Sequence[float], scored: Sequence[Scored], *, average: str
) -> Tuple[CurvePoint, ...]:
    """RETURNS (Tuple[CurvePoint, ...]): The points, each against the one before."""
    points = []
    for i, (share, count, one) in enumerate(zip(shares, texts, scored, strict=True)):
        s = score_interval(one, average=average)
        gain, better = None, None
        if i:
            found = compare(one, scored[i - 1], average=average)
            gain = (found.difference.value, found.difference.low, found.difference.high)
            better = found.better
        points.append(CurvePoint(share, round(count, 1), s.value, s.low, s.high, gain, better))
    return tuple(points)


def curve_table(curve: Curve) -> str:
    """RETURNS (str): One line per point, what the figures rest on, and whether decisions pay."""
    header = ("decisions", "texts", "score", "95% interval", "to the line above", "better")
    aligns: Tuple[Literal["l", "r", "c"], ...] = ("r", "r", "r", "l", "l", "r")
    rows = [
        (
            f"{p.share:.0%}",
            f"{p.texts:.0f}",
            f"{p.score:.3f}",
            f"{p.low:.3f} to {p.high:.3f}",
            "-" if p.gain is None else "{:+.3f} [{:+.3f}, {:+.3f}]".format(*p.gain),
            "-" if p.better is None else f"{p.better:.0%}",
        )
        for p in curve.points
    ]
    lines = [
        str(table(rows, header=header, divider=True, aligns=aligns)),
        f"{curve.main} on {curve.scored} of {curve.reviewed} reviewed texts, each held out from "
        f"the training; {curve.splits} splits, {curve.folds} of which hold out all of them once.",
        slope_sentence(curve),
    ]
    return "\n".join(lines)
