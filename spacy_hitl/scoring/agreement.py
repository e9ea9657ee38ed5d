"""How well annotators agree: Cohen's kappa, Krippendorff's alpha, F of one against the other.

Kappa (Cohen, A coefficient of agreement for nominal scales, 1960) and alpha for nominal data
(Krippendorff, Computing Krippendorff's alpha-reliability, 2011) correct what is seen for what
chance would give. Of spans, most of a text is nothing: there, F of one annotator against the other
is the figure to look at (Hripcsak and Rothschild, Agreement, the F-measure, and reliability in
information retrieval, 2005). Every figure is a function of sums over texts, so that texts are what
the bootstrap draws.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import Callable, List, Optional, Sequence, Tuple

import numpy as np

from ..records import TaskHeader
from .coding import MISSING, CodedText, Codes, encode, items_for
from .intervals import Floats, Interval, bootstrap_weights

FEW = 10  # texts; from fewer no figure is made
ROUNDS = 2000

# Per text, a row of numbers; a figure is computed from their sum over texts.
Figure = Callable[[Floats], Floats]  # (..., numbers) to (...), NaN where not defined


@dataclass(frozen=True)
class PairAgreement:
    """Two annotators on the texts that both decided.

    kappa: None for links without a common mention and where it is not defined. f: exact; relaxed:
    the same label or id on overlapping places, None for categories. Each is None if there are too
    few texts.
    """

    first: str
    second: str
    texts: int
    kappa: Optional[Interval] = None
    f: Optional[Interval] = None
    relaxed: Optional[Interval] = None


@dataclass(frozen=True)
class Agreement:
    """All annotators, on one label or (None) on all together.

    texts: decided by at least two. alpha: of all annotators; f, relaxed: of all pairs, summed.
    pairs: each pair by itself.
    """

    label: Optional[str]
    texts: int
    alpha: Optional[Interval] = None
    f: Optional[Interval] = None
    relaxed: Optional[Interval] = None
    pairs: Tuple[PairAgreement, ...] = ()


def measure_agreement(
    texts: Sequence[CodedText],
    annotators: Sequence[str],
    header: TaskHeader,
    label: Optional[str] = None,
    *,
    few: int = FEW,
    rounds: int = ROUNDS,
) -> Agreement:
    """Compute all figures.

    texts (Sequence[CodedText]): The texts; those that fewer than two of the annotators decided are
        passed over.
    annotators (Sequence[str]): Whose agreement is wanted.
    header (TaskHeader): The task.
    label (Optional[str]): Look at this label only.
    few (int): From fewer texts no figure is made.
    rounds (int): Bootstrap rounds.
    RETURNS (Agreement): The figures.
    """
    shared = _shared(texts, annotators, label)
    pairs = []
    for one, other in combinations(annotators, 2):
        both = _shared(shared, (one, other), label)
        codes, count = encode(both, (one, other), header, label)
        figures = _f_figures(both, (one, other), header, label, few, rounds)
        kappa = _interval(_kappa_sums(codes, count), _kappa, few, rounds)
        pairs.append(PairAgreement(one, other, len(both), kappa, *figures))
    codes, count = encode(shared, annotators, header, label)
    return Agreement(
        label,
        len(shared),
        _interval(_alpha_sums(codes, count), _alpha, few, rounds),
        *_f_figures(shared, annotators, header, label, few, rounds),
        tuple(pairs),
    )


def one_number(
    texts: Sequence[CodedText], annotators: Sequence[str], header: TaskHeader
) -> Optional[float]:
    """Say in one number how well annotators agree: what a calibration round is held against.

    texts (Sequence[CodedText]): The texts, few or many.
    annotators (Sequence[str]): The people.
    header (TaskHeader): The task.
    RETURNS (Optional[float]): Alpha for categories, F of all pairs for all else; 1 where these are
        not defined because everybody always said one and the same. None if no text was decided by
        two of them.
    """
    shared = _shared(texts, annotators, None)
    if not shared:
        return None
    if header.kind == "textcat":
        codes, count = encode(shared, annotators, header)
        value = float(_alpha(_alpha_sums(codes, count).sum(axis=0)))
    else:
        value = float(_ratio(_f_sums(shared, annotators, header, None)[0].sum(axis=0)))
    return 1.0 if np.isnan(value) else value


def kappa(codes: Sequence[Codes], count: int) -> Optional[float]:
    """RETURNS (Optional[float]): Cohen's kappa of two annotators, on units that both coded; None if
    there is none, or both used one and the same code only.
    """
    return _number(_kappa(_kappa_sums(codes, count).sum(axis=0)))


def alpha(codes: Sequence[Codes], count: int) -> Optional[float]:
    """RETURNS (Optional[float]): Krippendorff's alpha for nominal data, of any number of annotators
    and with missing codes; None if there is nothing to compare, or only one code was used.
    """
    return _number(_alpha(_alpha_sums(codes, count).sum(axis=0)))


# Sums over texts, and what is made of them


def _kappa_sums(codes: Sequence[Codes], count: int) -> Floats:
    """RETURNS (Floats): Per text: units, agreements, uses of each code by the first, the second."""
    sums = np.zeros((len(codes), 2 + 2 * count))
    for row, found in zip(sums, codes, strict=True):
        one, other = found[(found != MISSING).all(axis=1)].T
        row[:2] = len(one), (one == other).sum()
        row[2:] = (*np.bincount(one, minlength=count), *np.bincount(other, minlength=count))
    return sums


def _kappa(sums: Floats) -> Floats:
    units, seen = sums[..., 0], sums[..., 1]
    one, other = np.split(sums[..., 2:], 2, axis=-1)
    by_chance = (one * other).sum(axis=-1)
    return _divide(seen * units - by_chance, units * units - by_chance)


def _alpha_sums(codes: Sequence[Codes], count: int) -> Floats:
    """RETURNS (Floats): Per text: agreeing pairs, each by 1 / (codes of its unit - 1); uses of each
    code. Units with one code don't count.
    """
    sums = np.zeros((len(codes), 1 + count))
    for row, found in zip(sums, codes, strict=True):
        uses = (found[:, :, None] == np.arange(count)).sum(axis=1)
        uses = uses[uses.sum(axis=1) > 1]
        row[0] = ((uses * (uses - 1)).sum(axis=1) / (uses.sum(axis=1) - 1)).sum()
        row[1:] = uses.sum(axis=0)
    return sums


def _alpha(sums: Floats) -> Floats:
    seen, uses = sums[..., 0], sums[..., 1:]
    every = uses.sum(axis=-1)
    by_chance = (uses * (uses - 1)).sum(axis=-1)
    return _divide((every - 1) * seen - by_chance, every * (every - 1) - by_chance)


def _f_sums(
    texts: Sequence[CodedText],
    annotators: Sequence[str],
    header: TaskHeader,
    label: Optional[str],
) -> Tuple[Floats, Floats]:
    """RETURNS (Tuple[Floats, Floats]): Per text, over all pairs: items of both that the other has,
    items of both. Exact, and with overlapping places.
    """
    exact, relaxed = np.zeros((len(texts), 2)), np.zeros((len(texts), 2))
    for row, text in enumerate(texts):
        found = [
            items_for(text.by[name], header, label)
            for name in annotators
            if name in text.by and text.by[name].looked_for(label)
        ]
        for one, other in combinations(found, 2):
            size = len(one) + len(other)
            near = sum(any(i.agrees(j) for j in other) for i in one)
            near += sum(any(i.agrees(j) for j in one) for i in other)
            exact[row] += 2 * len(one & other), size
            relaxed[row] += near, size
    return exact, relaxed


def _ratio(sums: Floats) -> Floats:
    return _divide(sums[..., 0], sums[..., 1])


def _f_figures(
    texts: Sequence[CodedText],
    annotators: Sequence[str],
    header: TaskHeader,
    label: Optional[str],
    few: int,
    rounds: int,
) -> Tuple[Optional[Interval], Optional[Interval]]:
    exact, relaxed = _f_sums(texts, annotators, header, label)
    near = None if header.kind == "textcat" else _interval(relaxed, _ratio, few, rounds)
    return _interval(exact, _ratio, few, rounds), near


def _interval(sums: Floats, figure: Figure, few: int, rounds: int) -> Optional[Interval]:
    """RETURNS (Optional[Interval]): The figure with its 95% interval, bootstrapped over texts."""
    value = figure(sums.sum(axis=0))
    if len(sums) < few or np.isnan(value):
        return None
    drawn = figure(bootstrap_weights(len(sums), rounds=rounds) @ sums)
    low, high = np.percentile(drawn[~np.isnan(drawn)], [2.5, 97.5])
    return Interval(float(value), float(low), float(high))


def _shared(
    texts: Sequence[CodedText], annotators: Sequence[str], label: Optional[str]
) -> List[CodedText]:
    """RETURNS (List[CodedText]): The texts of which at least two say something."""

    def says(text: CodedText, name: str) -> bool:
        return name in text.by and text.by[name].looked_for(label)

    return [t for t in texts if sum(says(t, name) for name in annotators) > 1]


def _divide(above: Floats, below: Floats) -> Floats:
    nothing = np.full(np.shape(above), np.nan)
    shares: Floats = np.divide(above, below, out=nothing, where=np.asarray(below) > 0)
    return shares


def _number(value: Floats) -> Optional[float]:
    return None if np.isnan(value) else float(value)
