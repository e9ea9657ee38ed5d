"""Scores against decisions: which annotations were right, and what the scores are worth."""

from dataclasses import dataclass
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from wasabi.tables import table

from ..records import Annotation
from .calibration import (
    ROUNDS,
    Scored,
    auroc,
    calibrated_error,
    calibration_error,
    error_at,
)
from .confidence import Confidence
from .intervals import Interval
from .items import Item, items_of

PROPOSED, RELAXED = "proposed", "proposed, relaxed votes"
ANY_SAMPLE, LEFT_OUT = "any sample", "left out"
COVERAGES = (0.5, 0.8, 0.9)
FEW = 10  # below that many right or wrong ones, an interval promises more than it can hold

WEAK = 0.7  # an AUROC below that is called a little, by convention

Row = Tuple[float, bool, int]


@dataclass(frozen=True)
class JudgedText:
    """One text: what one answer gave, what all answers tell about it, what is right."""

    given: Annotation
    confidence: Confidence
    truth: Annotation


def judge(texts: Sequence[JudgedText], *, absent_labels: Sequence[str] = ()) -> Dict[str, Scored]:
    """Hold the scores of annotations against what is right, exactly (offsets and label or id).

    texts (Sequence[JudgedText]): The texts.
    absent_labels (Sequence[str]): Categories of which any number may hold: that one of them was
        left out is judged as well.
    RETURNS (Dict[str, Scored]): "proposed": what the one answer gave; "proposed, relaxed votes":
        the same spans, scored by relaxed votes; "any sample": what any voter gave; "left out":
        categories that the one answer did not give, scored by the share that did not either.
        Without those that have no score.
    """
    rows: Dict[str, List[Row]] = {PROPOSED: [], RELAXED: [], ANY_SAMPLE: [], LEFT_OUT: []}
    for number, text in enumerate(texts):
        given, truth = items_of(text.given), items_of(text.truth)
        spans = [item for item in given if item.end]
        votes, items = text.confidence.votes, text.confidence.votes.items
        rows[PROPOSED] += _score(sorted(given), text.confidence, truth, number)
        rows[RELAXED] += _score(sorted(spans), text.confidence, truth, number, relaxed=True)
        rows[ANY_SAMPLE] += _score(items, text.confidence, truth, number)
        for label in absent_labels:
            share = votes.absence(label)
            if share is not None and Item(label) not in given:
                rows[LEFT_OUT].append((share, Item(label) not in truth, number))
    return {name: Scored.of(found) for name, found in rows.items() if found or name == PROPOSED}


def _score(
    items: Iterable[Item],
    confidence: Confidence,
    truth: "frozenset[Item]",
    number: int,
    *,
    relaxed: bool = False,
) -> List[Row]:
    scores = [(item, confidence.score(item, relaxed=relaxed)[0]) for item in items]
    return [(score, item in truth, number) for item, score in scores if score is not None]


@dataclass(frozen=True)
class Measures:
    """What the scores of some annotations are worth.

    auroc: None if all are right or all are wrong. ece, ece_calibrated: before and after
    cross-fitted isotonic regression. errors: error rate at each coverage.
    """

    annotations: int
    wrong: int
    texts: int
    auroc: Optional[Interval] = None
    ece: Optional[Interval] = None
    ece_calibrated: Optional[Interval] = None
    errors: Tuple[Tuple[float, Optional[Interval]], ...] = ()


def measure(scored: Scored, *, rounds: int = ROUNDS) -> Measures:
    """Compute all figures.

    scored (Scored): Judged annotations; may be none.
    rounds (int): Bootstrap rounds.
    RETURNS (Measures): The figures, with None where one is not defined.
    """
    return Measures(
        annotations=len(scored),
        wrong=int((1 - scored.right).sum()),
        texts=len(set(scored.texts.tolist())),
        auroc=auroc(scored, rounds=rounds),
        ece=calibration_error(scored, rounds=rounds),
        ece_calibrated=calibrated_error(scored, rounds=rounds),
        errors=tuple((c, error_at(scored, c, rounds=rounds)) for c in COVERAGES),
    )


def measure_all(judged: Mapping[str, Scored], *, rounds: int = ROUNDS) -> Dict[str, Measures]:
    """RETURNS (Dict[str, Measures]): The figures of each group of `judge`."""
    return {name: measure(scored, rounds=rounds) for name, scored in judged.items()}


def measures_table(groups: Mapping[str, Measures]) -> str:
    """RETURNS (str): One column per group, one line per figure, each with its 95% interval."""
    rows = [
        ("annotations", *(f"{m.annotations:,}" for m in groups.values())),
        ("of these wrong", *(f"{m.wrong:,}" for m in groups.values())),
        ("AUROC", *(_figure(m.auroc) for m in groups.values())),
        ("ECE", *(_figure(m.ece) for m in groups.values())),
        ("ECE calibrated", *(_figure(m.ece_calibrated) for m in groups.values())),
    ]
    for i, coverage in enumerate(COVERAGES):
        errors = (_figure(m.errors[i][1]) for m in groups.values())
        rows.append((f"error at {coverage:.0%}", *errors))
    return str(table(rows, header=("", *groups), divider=True))


def _figure(value: Optional[Interval]) -> str:
    return "-" if value is None else str(value)


def verdict(m: Measures) -> str:
    """Say in a sentence what the scores of some annotations are worth.

    m (Measures): The figures.
    RETURNS (str): Plain words.

    >>> verdict(Measures(annotations=12, wrong=0, texts=9))
    'All 12 annotations are right: there is nothing to tell apart.'
    """
    right = m.annotations - m.wrong
    if not m.annotations:
        return "No annotation has a score: there is nothing to tell apart."
    if m.auroc is None:
        which = "right" if right else "wrong"
        return f"All {m.annotations} annotations are {which}: there is nothing to tell apart."
    few, which = min((m.wrong, "wrong"), (right, "right"))
    care = "" if few >= FEW else f" With only {few} {which} among them, take that with care."
    if m.auroc.low <= 0.5 <= m.auroc.high:
        return f"These scores tell nothing: the interval of the AUROC includes 0.5.{care}"
    if m.auroc.high < 0.5:
        return f"These scores are upside down: wrong annotations score above right ones.{care}"
    much = "a little about what is right" if m.auroc.value < WEAK else "right from wrong"
    return (
        f"These scores tell {much}: in {m.auroc.value:.0%} of all pairs the right annotation "
        f"scores above the wrong one (equal scores count half).{care}"
    )
