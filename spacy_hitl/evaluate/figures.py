"""All figures of some systems on the same gold texts. Pure: needs no model and no file."""

from dataclasses import dataclass, replace
from typing import Dict, List, Optional, Sequence, Tuple

from ..records import Annotation, Counts, TaskHeader, TaskRow
from ..scoring import intervals
from ..scoring.error_types import confusion, count_errors, find_errors
from ..scoring.results import (
    Bounds,
    Comparison,
    GoldOutput,
    LabelScore,
    SliceScore,
    SystemScore,
    main_score,
)
from ..scoring.slices import find_slices
from ..scoring.utility import running_cost, utility, values_of, worth
from ..settings import UtilitySettings
from ..tasks.reference import compare

PerText = List[Dict[str, Counts]]


@dataclass(frozen=True)
class Found:
    """What one system found: one annotation per gold text; of some, every category's score."""

    name: str
    role: str
    annotations: Sequence[Annotation]
    cat_scores: Sequence[Tuple[Tuple[str, float], ...]] = ()


class Figures:
    """Compares systems on the same gold texts and labels.

    header (TaskHeader): What the task is.
    rows (Sequence[TaskRow]): The gold texts.
    found (Sequence[Found]): The systems; the first one is the baseline.
    """

    def __init__(self, header: TaskHeader, rows: Sequence[TaskRow], found: Sequence[Found]) -> None:
        self.header = header
        self.rows = rows
        self.found = found
        self.average = main_score(header)[1]
        self.wanted = [row.decision or Annotation() for row in rows]
        self.per_text: List[PerText] = [
            [compare(w, a, header) for w, a in zip(self.wanted, f.annotations, strict=True)]
            for f in found
        ]
        self.labels = intervals.all_labels(self.per_text)
        self.arrays = [intervals.as_array(counts, self.labels) for counts in self.per_text]
        self.weights = intervals.bootstrap_weights(len(rows))
        self.slices, self.notes = find_slices(header, rows)
        self._slice_weights = {
            size: intervals.bootstrap_weights(size) for size in {len(s.texts) for s in self.slices}
        }

    def scores(self) -> List[SystemScore]:
        """RETURNS (List[SystemScore]): All that can be said of each system from its annotations."""
        return [self._score(i) for i in range(len(self.found))]

    def comparisons(self) -> List[Comparison]:
        """RETURNS (List[Comparison]): Every later system against every earlier one, paired."""
        found = []
        for j in range(len(self.found)):
            for i in range(j):
                one, other = self.arrays[j], self.arrays[i]
                d = intervals.difference(one, other, self.weights, average=self.average)
                better = intervals.probability_better(
                    one, other, self.weights, average=self.average
                )
                names = self.found[j].name, self.found[i].name
                found.append(Comparison(*names, d.value, d.low, d.high, better))
        return found

    def outputs(self) -> List[GoldOutput]:
        """RETURNS (List[GoldOutput]): Each gold text with what was wanted and found."""
        return [
            GoldOutput(
                text=row.text,
                text_digest=row.text_digest,
                wanted=wanted,
                found=tuple((f.name, f.annotations[i]) for f in self.found),
                cat_scores=tuple((f.name, f.cat_scores[i]) for f in self.found if f.cat_scores),
            )
            for i, (row, wanted) in enumerate(zip(self.rows, self.wanted, strict=True))
        ]

    def with_utility(
        self,
        scores: Sequence[SystemScore],
        comparisons: Sequence[Comparison],
        settings: UtilitySettings,
    ) -> Tuple[List[SystemScore], List[Comparison], List[str]]:
        """Say what systems are worth, after their running costs are known.

        scores (Sequence[SystemScore]): As `scores` gives them.
        comparisons (Sequence[Comparison]): As `comparisons` gives them.
        settings (UtilitySettings): What annotations are worth.
        RETURNS (Tuple[List[SystemScore], List[Comparison], List[str]]): The same with utilities,
            and sentences about costs that are not known.
        """
        values = values_of(settings, self.labels)
        costs = [running_cost(score, settings) for score in scores]
        money = [
            worth(array, values) - cost / 1000
            for array, (cost, _) in zip(self.arrays, costs, strict=True)
        ]
        valued = [
            replace(score, utility=utility(m)) for score, m in zip(scores, money, strict=True)
        ]
        pairs = [(j, i) for j in range(len(money)) for i in range(j)]
        compared = [
            replace(c, utility=utility(money[j] - money[i]))
            for c, (j, i) in zip(comparisons, pairs, strict=True)
        ]
        return valued, compared, [note for _, note in costs if note]

    def _score(self, i: int) -> SystemScore:
        counts, per_text, found = self.arrays[i], self.per_text[i], self.found[i]
        figure = intervals.interval(counts, self.weights, average=self.average)
        sums = intervals.total(per_text)
        micro = sum(sums.values(), Counts())
        p, r, _ = intervals.prf(micro)
        gain: Optional[Tuple[float, float, float]] = None
        if i > 0:
            d = intervals.difference(counts, self.arrays[0], self.weights, average=self.average)
            gain = (d.value, d.low, d.high)
        right = sum(all(c.fp == c.fn == 0 for c in one.values()) for one in per_text)
        errors = [
            e
            for w, a in zip(self.wanted, found.annotations, strict=True)
            for e in find_errors(self.header, w, a)
        ]
        return SystemScore(
            name=found.name,
            role=found.role,
            score=figure.value,
            low=figure.low,
            high=figure.high,
            p=p,
            r=r,
            labels=tuple(self._label(i, label, c) for label, c in sums.items()),
            accuracy=right / len(per_text) if self.header.exclusive else None,
            gain=gain,
            errors=count_errors(errors),
            confusion=confusion(errors),
            slices=self._slices(i),
        )

    def _label(self, i: int, label: str, sums: Counts) -> LabelScore:
        at = self.labels.index(label)
        counts = self.arrays[i][:, [at]]
        tp, fp, fn = counts[:, 0].T
        p = _bounds(intervals.ratio_interval(tp, tp + fp)) if sums.tp + sums.fp else None
        r = _bounds(intervals.ratio_interval(tp, tp + fn)) if sums.tp + sums.fn else None
        f = _bounds(intervals.interval(counts, self.weights, average="micro"))
        return LabelScore(label, sums.tp, sums.fp, sums.fn, *intervals.prf(sums), p, r, f)

    def _slices(self, i: int) -> Tuple[SliceScore, ...]:
        found = []
        for s in self.slices:
            f = intervals.interval(
                self.arrays[i][list(s.texts)],
                self._slice_weights[len(s.texts)],
                average=self.average,
            )
            found.append(SliceScore(s.by, s.value, len(s.texts), f.value, f.low, f.high))
        return tuple(found)


def _bounds(figure: intervals.Interval) -> Bounds:
    return figure.low, figure.high
