"""The score of each annotation in a proposal, calibrated as soon as enough was decided.

Stored proposals are never edited: scores are computed when a proposal is read. `rate` lets the
samples vote; a `Scorer`, fitted once on the decided texts of train and dev, turns such a score into
the share of right ones among annotations that scored alike (isotonic regression, see
`calibration`). A decided text is never calibrated by its own decision, nor by that of a
near-duplicate: its curve was fitted on the other folds.
"""

from collections import Counter
from dataclasses import dataclass, replace
from typing import (
    Callable,
    Dict,
    FrozenSet,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
)

import numpy as np

from ..errors import Errors, InputError
from ..io import text_digest
from ..records import GOLD, Proposal, TaskRow
from ..tasks.similarity import normalise
from .calibration import FOLDS, Isotonic, fit_isotonic
from .confidence import Responses, scored_annotation, weigh
from .intervals import Floats
from .items import AnyAnnotation, Item, each, item_of, items_of, with_scores

MIN_DECIDED = 50  # texts; a curve through fewer follows chance
CALIBRATED = "calibrated"
DIGITS = 6  # so that equal scores are equal whatever the order of the additions was

Sampled = Tuple[TaskRow, Sequence[Proposal]]
Answers = Callable[[str], Responses]  # the stored answers about a text
_Judged = Tuple[float, bool, int]  # score, whether it is right, fold of its text


def rate(
    proposal: Proposal,
    samples: Sequence[Proposal],
    *,
    text: str,
    responses: Optional[Responses] = None,
) -> Proposal:
    """Score a proposal's annotations by what all samples say.

    proposal (Proposal): The proposal that is shown, exported or learned from.
    samples (Sequence[Proposal]): All of the same text, source and task digest, with this one.
    text (str): The text.
    responses (Optional[Responses]): The stored answers about it by key, for log-probabilities.
    RETURNS (Proposal): A copy; each annotation has `score` and `score_source` ("votes", "logprobs"
        or "votes+logprobs"). One of which nothing is known (one answer, no log-probabilities) is
        as it was.
    """
    scored = scored_annotation(proposal, weigh(samples, text=text, responses=responses))

    def rounded(one: AnyAnnotation) -> Tuple[Optional[float], Optional[str]]:
        return (None if one.score is None else round(one.score, DIGITS)), one.score_source

    return replace(proposal, annotation=with_scores(scored, rounded))


def rate_rows(
    sampled: Iterable[Sampled], *, answers: Optional[Answers] = None
) -> Iterator[TaskRow]:
    """Score the proposals of many texts.

    sampled (Iterable[Sampled]): As `dataset.views.TrainingSet.sample_rows` gives them.
    answers (Optional[Answers]): Finds the stored answers about a text.
    YIELDS (TaskRow): The same texts; their proposals are scored, not calibrated.
    """
    for row, samples in sampled:
        if row.proposal is not None:
            responses = None if answers is None else answers(row.text)
            found = rate(row.proposal, samples, text=row.text, responses=responses)
            row = replace(row, proposal=found)
        yield row


@dataclass(frozen=True)
class _Curves:
    """What the scores of one source mean.

    every: fitted on all decided texts. without: by fold, fitted on the texts of the other folds.
    """

    every: Isotonic
    without: Tuple[Isotonic, ...]


class Scorer:
    """Scores one text at a time, after it was fitted on the decided ones. Make it with `fit`.

    curves (Mapping[str, _Curves]): By score source; a source without one is not calibrated.
    folds (Mapping[str, int]): The fold of each text that was fitted on, by text digest.
    """

    def __init__(self, curves: Mapping[str, _Curves], folds: Mapping[str, int]) -> None:
        self._curves = curves
        self._folds = folds

    @classmethod
    def fit(
        cls, rows: Iterable[TaskRow], *, min_decided: int = MIN_DECIDED, folds: int = FOLDS
    ) -> "Scorer":
        """Learn from decisions what scores mean. An annotation is right if the decision has it too.

        rows (Iterable[TaskRow]): Texts of one task as `rate_rows` gives them; those without a
            proposal, or without a decision for which somebody looked, are passed over. May be a
            stream.
        min_decided (int): A source of scores is calibrated if this many decided texts have such a
            score, and some of the annotations were right and some wrong.
        folds (int): Into how many parts the texts are dealt out, at least 2. Near-duplicates share
            one, and a text stays in its fold whatever else is decided.
        RETURNS (Scorer): Ready for any text, decided or not.
        RAISES (InputError): If a row is of lane gold.
        """
        judged: Dict[str, List[_Judged]] = {}
        texts: Counter[str] = Counter()
        fold_of: Dict[str, int] = {}
        for row in rows:
            if row.lane == GOLD:
                raise InputError(Errors.H056)
            if row.decision is None or row.proposal is None or row.bulk:
                continue
            fold = fold_of[row.text_digest] = _draw_fold(row.text, folds)
            found = _judge(row.proposal, items_of(row.decision), fold)
            for source, some in found.items():
                judged.setdefault(source, []).extend(some)
            texts.update(found.keys())
        fitted = {s: _fit(judged[s], folds) for s, n in texts.items() if n >= min_decided}
        return cls({s: curves for s, curves in fitted.items() if curves is not None}, fold_of)

    @property
    def calibrated(self) -> Tuple[str, ...]:
        """The sources whose scores are calibrated."""
        return tuple(sorted(self._curves))

    def score(
        self,
        proposal: Proposal,
        samples: Sequence[Proposal],
        *,
        text: str,
        responses: Optional[Responses] = None,
    ) -> Proposal:
        """RETURNS (Proposal): What `rate` gives, calibrated where that is possible."""
        return self.calibrate(rate(proposal, samples, text=text, responses=responses))

    def calibrate(self, rated: Proposal) -> Proposal:
        """Turn scores into probabilities.

        rated (Proposal): As `rate` gives it.
        RETURNS (Proposal): A copy. A calibrated score has the source "calibrated votes" and so on;
            one that can't be calibrated is as it was.
        """
        fold = self._folds.get(rated.text_digest)

        def probability(one: AnyAnnotation) -> Tuple[Optional[float], Optional[str]]:
            curves = self._curves.get(one.score_source or "")
            if curves is None or one.score is None:
                return one.score, one.score_source
            curve = curves.every if fold is None else curves.without[fold]
            value = float(curve(np.array([one.score]))[0])
            return round(value, DIGITS), f"{CALIBRATED} {one.score_source}"

        return replace(rated, annotation=with_scores(rated.annotation, probability))


def score_rows(
    sampled: Iterable[Sampled],
    *,
    answers: Optional[Answers] = None,
    min_decided: int = MIN_DECIDED,
) -> List[TaskRow]:
    """Score the proposals of all texts of a task, calibrated by the decided ones among them.

    sampled (Iterable[Sampled]): As `dataset.views.TrainingSet.sample_rows` gives them.
    answers (Optional[Answers]): Finds the stored answers about a text.
    min_decided (int): As in `Scorer.fit`.
    RETURNS (List[TaskRow]): The same texts in the same order, with scores in their proposals.
    """
    rows = list(rate_rows(sampled, answers=answers))
    scorer = Scorer.fit(rows, min_decided=min_decided)
    return [
        row if row.proposal is None else replace(row, proposal=scorer.calibrate(row.proposal))
        for row in rows
    ]


def _draw_fold(text: str, folds: int) -> int:
    return int(text_digest(normalise(text))[:8], 16) % folds


def _judge(proposal: Proposal, truth: FrozenSet[Item], fold: int) -> Dict[str, List[_Judged]]:
    judged: Dict[str, List[_Judged]] = {}
    for one in each(proposal.annotation):
        if one.score is not None and one.score_source is not None:
            row = (one.score, item_of(one) in truth, fold)
            judged.setdefault(one.score_source, []).append(row)
    return judged


def _fit(judged: Sequence[_Judged], folds: int) -> Optional[_Curves]:
    """RETURNS (Optional[_Curves]): None if all are right or all wrong, or all in one fold."""
    scores: Floats = np.array([score for score, _, _ in judged], dtype=np.float64)
    right: Floats = np.array([right for _, right, _ in judged], dtype=np.float64)
    fold = np.array([fold for _, _, fold in judged])
    if right.min() == right.max() or fold.min() == fold.max():
        return None
    every = fit_isotonic(scores, right)
    without = (
        fit_isotonic(scores[fold != f], right[fold != f]) if f in fold else every
        for f in range(folds)
    )
    return _Curves(every, tuple(without))
