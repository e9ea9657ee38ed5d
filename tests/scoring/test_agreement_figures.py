"""Agreement against worked examples of the literature and against its definitions, written out."""

from dataclasses import replace
from itertools import combinations, permutations
from typing import Any, Dict, List, Optional, Sequence

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from spacy_hitl.records import (
    NIL,
    Annotation,
    CategoryAnnotation,
    RelationAnnotation,
    SpanAnnotation,
    TaskHeader,
)
from spacy_hitl.scoring.agreement import (
    FEW,
    alpha,
    kappa,
    measure_agreement,
    one_number,
)
from spacy_hitl.scoring.coding import MISSING, CodedText, Coding, encode
from spacy_hitl.scoring.intervals import prf
from spacy_hitl.tasks.reference import compare

NER = TaskHeader("t", "ner", ("A", "B"), "d")
SPANCAT = TaskHeader("t", "spancat", ("A", "B"), "d")
TEXTCAT = TaskHeader("t", "textcat", ("A", "B"), "d")
EXCLUSIVE = TaskHeader("t", "textcat", ("A", "B"), "d", exclusive=True)
LINKING = TaskHeader("t", "linking", ("K1", "K2"), "d")
RELATIONS = TaskHeader("t", "relations", ("A", "B"), "d")
TOKENS = tuple((i, i + 1) for i in range(0, 12, 2))  # six tokens of one character


def coded(*annotators: str) -> Any:
    """One row of codes per annotator, "." where nothing was coded; one unit per text."""
    names = sorted(set("".join(annotators)) - {"."})
    units = zip(*annotators, strict=True)
    return [
        np.array([[MISSING if c == "." else names.index(c) for c in unit]]) for unit in units
    ], len(names)


# Worked examples


@pytest.mark.parametrize(
    "annotators, wanted",
    [
        # Krippendorff, Computing Krippendorff's alpha-reliability (2011): two observers and two
        # values; two observers and many values; four observers and missing data.
        (["0100000010", "1110010000"], 0.095),
        (["aabbdcccedda", "babbbcccedd" + "d"], 0.692),
        (["123321412...", "123322412" + "5.3", ".33323422" + "51.", "123324412" + "51."], 0.743),
    ],
)
def test_alpha_of_the_literature(annotators: List[str], wanted: float) -> None:
    found = alpha(*coded(*annotators))
    assert found == pytest.approx(wanted, abs=0.0005)


def from_table(table: Sequence[Sequence[int]]) -> List[str]:
    """Codes of two annotators, from how often each pair of codes was seen."""
    letters = "abcdef"
    cells = [(r, c) for r, row in enumerate(table) for c, n in enumerate(row) for _ in range(n)]
    return ["".join(letters[cell[i]] for cell in cells) for i in (0, 1)]


@pytest.mark.parametrize(
    "table, wanted",
    [
        # Seen 0.7, by chance 0.5.
        ([[20, 5], [10, 15]], 0.4),
        # Fleiss, Levin and Paik, Statistical methods for rates and proportions (2003), ch. 18:
        # seen 0.89, by chance 0.8 * 0.8 + 0.1 * 0.05 + 0.1 * 0.15 = 0.66.
        ([[75, 1, 4], [5, 4, 1], [0, 0, 10]], 0.23 / 0.34),
        ([[5, 0], [0, 5]], 1.0),
        ([[0, 5], [5, 0]], -1.0),
    ],
)
def test_kappa_of_the_literature(table: Any, wanted: float) -> None:
    assert kappa(*coded(*from_table(table))) == pytest.approx(wanted)


@pytest.mark.parametrize("annotators", [["aaa", "aaa"], ["...", "aaa"], ["a..", ".a."], ["", ""]])
def test_no_number_comes_out_of_nothing(annotators: List[str]) -> None:
    assert kappa(*coded(*annotators)) is None
    assert alpha(*coded(*annotators)) is None


# Definitions, written out

codes = st.lists(st.lists(st.sampled_from("abc."), min_size=2, max_size=4), min_size=1, max_size=8)


def alpha_by_definition(units: List[List[str]]) -> Optional[float]:
    """1 - seen / expected disagreement, over all ordered pairs of codes."""
    pairable = [[c for c in unit if c != "."] for unit in units]
    pairable = [unit for unit in pairable if len(unit) > 1]
    every = [c for unit in pairable for c in unit]
    seen = sum(sum(a != b for a, b in permutations(unit, 2)) / (len(unit) - 1) for unit in pairable)
    expected = sum(a != b for a, b in permutations(every, 2))
    if not expected:
        return None
    return 1 - (seen / len(every)) / (expected / (len(every) * (len(every) - 1)))


@given(codes)
def test_alpha_is_what_it_is_defined_as(units: List[List[str]]) -> None:
    size = min(map(len, units))
    units = [unit[:size] for unit in units]
    annotators = ["".join(unit[i] for unit in units) for i in range(size)]
    wanted = alpha_by_definition(units)
    found = alpha(*coded(*annotators))
    assert found == (None if wanted is None else pytest.approx(wanted))
    assert alpha(*coded(*annotators[::-1])) == (None if found is None else pytest.approx(found))


@given(st.lists(st.tuples(st.sampled_from("abc."), st.sampled_from("abc.")), min_size=1))
def test_kappa_is_what_it_is_defined_as(pairs: Any) -> None:
    both = [p for p in pairs if "." not in p]
    one, other = ("".join(p[i] for p in pairs) for i in (0, 1))
    found = kappa(*coded(one, other))
    seen = sum(a == b for a, b in both) / max(1, len(both))
    chance = sum(
        sum(a == c for a, _ in both) * sum(b == c for _, b in both) / max(1, len(both)) ** 2
        for c in "abc"
    )
    if not both or chance == 1:
        assert found is None
    else:
        assert found == pytest.approx((seen - chance) / (1 - chance))


# From annotations to codes


def spans(*found: Any) -> Annotation:
    return Annotation(spans=tuple(SpanAnnotation(*f) for f in found))


def cats(*labels: str) -> Annotation:
    return Annotation(cats=tuple(CategoryAnnotation(label) for label in labels))


def text(**by: Any) -> CodedText:
    codings = {n: a if isinstance(a, Coding) else Coding(a) for n, a in by.items()}
    return CodedText(TOKENS, codings)


def rows_of(found: CodedText, header: TaskHeader, label: Optional[str] = None) -> List[List[int]]:
    """Whether the codes of two annotators are the same, unit by unit; MISSING where one lacks."""
    (matrix,), _ = encode([found], ("ann", "bo"), header, label)
    return [[MISSING] if MISSING in row else [int(row[0] == row[1])] for row in matrix.tolist()]


def test_tokens_are_the_units_of_entities() -> None:
    found = text(ann=spans((0, 3, "A"), (8, 9, "B")), bo=spans((0, 1, "A"), (8, 9, "A")))
    # The second token is A or nothing, the fifth B or A; on the others they agree.
    assert rows_of(found, NER) == [[1], [0], [1], [1], [0], [1]]
    assert rows_of(found, NER, "B") == [[1], [1], [1], [1], [0], [1]]


def test_labels_on_tokens_are_the_units_of_overlapping_spans() -> None:
    found = text(ann=spans((0, 3, "A"), (0, 1, "B")), bo=spans((0, 3, "A")))
    same = rows_of(found, SPANCAT)
    assert len(same) == 12 and same.count([0]) == 1
    assert rows_of(found, SPANCAT, "A") == [[1]] * 6


def test_units_of_categories() -> None:
    found = text(ann=cats("A"), bo=cats("B"))
    assert rows_of(found, EXCLUSIVE) == [[0]]
    assert rows_of(found, TEXTCAT) == [[0], [0]]
    assert rows_of(text(ann=cats("A"), bo=cats("A")), TEXTCAT) == [[1], [1]]
    assert rows_of(found, TEXTCAT, "A") == [[0]]


def test_common_mentions_are_the_units_of_links() -> None:
    def links(*found: Any) -> Annotation:
        return Annotation(spans=tuple(SpanAnnotation(s, s + 1, "M", kb_id=k) for s, k in found))

    found = text(ann=links((0, "K1"), (2, NIL), (4, "K1")), bo=links((0, "K2"), (2, None)))
    assert sorted(rows_of(found, LINKING)) == [[MISSING], [0], [1]]


def test_pairs_of_mentions_are_the_units_of_relations() -> None:
    one = RelationAnnotation(0, 1, 2, 3, "A")
    back = RelationAnnotation(2, 3, 0, 1, "A")
    found = text(ann=Annotation(relations=(one,)), bo=Annotation(relations=(back,)))
    assert rows_of(found, RELATIONS) == [[0], [0]]
    both = text(ann=Annotation(relations=(one,)), bo=Annotation(relations=(one,)))
    assert rows_of(both, RELATIONS) == [[1], [1]]
    assert rows_of(both, RELATIONS, "B") == [[1], [1]]


def test_who_did_not_look_for_a_label_says_nothing_about_it() -> None:
    looked = Coding(cats(), frozenset("A"))
    texts = [text(ann=cats("A"), bo=looked)] * FEW
    assert measure_agreement(texts, ("ann", "bo"), TEXTCAT, "A").texts == FEW
    for label in (None, "B"):
        found = measure_agreement(texts, ("ann", "bo"), TEXTCAT, label)
        assert (found.texts, found.alpha, found.f) == (0, None, None)


def test_a_third_who_looked_for_one_label_only_changes_no_figure_of_all() -> None:
    two = [text(ann=cats("A"), bo=cats("B")), text(ann=cats("A"), bo=cats("A"))] * FEW
    three = [replace(t, by={**t.by, "cy": Coding(cats("B"), frozenset("B"))}) for t in two]
    for label in (None, "A"):
        found = measure_agreement(three, ("ann", "bo", "cy"), TEXTCAT, label)
        wanted = measure_agreement(two, ("ann", "bo"), TEXTCAT, label)
        assert (found.alpha, found.f, found.texts) == (wanted.alpha, wanted.f, wanted.texts)
    with_third = measure_agreement(three, ("ann", "bo", "cy"), TEXTCAT, "B")
    assert with_third.alpha != measure_agreement(two, ("ann", "bo"), TEXTCAT, "B").alpha


# Figures of annotators


def test_figures_of_three_annotators() -> None:
    a, b, none = cats("A"), cats("B"), cats()
    texts = [text(ann=a, bo=a, cy=b)] * 6 + [text(ann=b, bo=b)] * 6 + [text(ann=none)]
    found = measure_agreement(texts, ("ann", "bo", "cy"), EXCLUSIVE)
    assert found.texts == 12
    by_pair = {(p.first, p.second): p for p in found.pairs}
    together = by_pair["ann", "bo"]
    assert together.texts == 12 and together.kappa is not None and together.f is not None
    assert (together.kappa.value, together.f.value) == (1.0, 1.0)
    assert together.relaxed is None  # of categories
    few = by_pair["ann", "cy"]
    assert (few.texts, few.kappa, few.f) == (6, None, None)
    # Units of three: a a b, of which 1 of 3 pairs agrees; of two: both b.
    assert found.alpha is not None
    units = [["a", "a", "b"]] * 6 + [["b", "b", "."]] * 6
    assert found.alpha.value == pytest.approx(alpha_by_definition(units))
    assert found.f is not None and found.f.value == pytest.approx(12 / 24)


def test_relaxed_agreement_of_spans() -> None:
    texts = [text(ann=spans((0, 3, "A")), bo=spans((0, 1, "A")))] * FEW
    texts += [text(ann=spans((0, 3, "A")), bo=spans((0, 3, "B")))] * FEW
    found = measure_agreement(texts, ("ann", "bo"), NER)
    assert found.f is not None and found.f.value == 0
    assert found.relaxed is not None and found.relaxed.value == 0.5
    only = measure_agreement(texts, ("ann", "bo"), NER, "A")
    assert only.relaxed is not None and only.relaxed.value == pytest.approx(2 / 3)


def test_too_few_texts_make_no_figure() -> None:
    texts = [text(ann=cats("A"), bo=cats("A"))] * 5 + [text(ann=cats("B"), bo=cats("A"))] * 5
    full = measure_agreement(texts, ("ann", "bo"), EXCLUSIVE)
    assert full.alpha is not None and full.f is not None
    found = measure_agreement(texts[:-1], ("ann", "bo"), EXCLUSIVE)
    assert found.texts == 9
    assert (found.alpha, found.f, found.pairs[0].kappa) == (None, None, None)
    nothing = measure_agreement([], ("ann", "bo"), EXCLUSIVE)
    assert (nothing.texts, nothing.alpha) == (0, None)


token_spans = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from("AB")), max_size=3, unique_by=lambda s: s[0]
).map(lambda found: spans(*((2 * i, 2 * i + 1, label) for i, label in sorted(found))))
tables = st.lists(st.tuples(token_spans, token_spans), min_size=FEW, max_size=14)


@given(tables)
def test_f_is_that_of_one_against_the_other(pairs: Any) -> None:
    texts = [text(ann=one, bo=other) for one, other in pairs]
    for label in (None, "A"):
        found = measure_agreement(texts, ("ann", "bo"), NER, label, rounds=50)
        counts = [compare(one, other, NER) for one, other in pairs]
        used = [c for per in counts for name, c in per.items() if label in (None, name)]
        if not used:
            assert found.f is None
            continue
        assert found.f is not None
        assert found.f.value == pytest.approx(prf(sum(used[1:], used[0]))[2])
        # Spans of one token overlap only if they are the same.
        assert found.relaxed == found.f


@given(tables, st.randoms())
def test_neither_the_order_of_texts_nor_of_people_counts(pairs: Any, random: Any) -> None:
    texts = [text(ann=one, bo=other) for one, other in pairs]
    shuffled = random.sample(texts, len(texts))
    found = measure_agreement(texts, ("ann", "bo"), NER, rounds=20)
    turned = measure_agreement(shuffled, ("bo", "ann"), NER, rounds=20)
    for one, other in zip(values(found), values(turned), strict=True):
        assert one == (None if other is None else pytest.approx(other))


def values(found: Any) -> List[Optional[float]]:
    figures = (found.alpha, found.f, found.relaxed, found.pairs[0].kappa)
    return [None if figure is None else figure.value for figure in figures]


@given(tables)
def test_an_interval_holds_its_value_and_is_reproducible(pairs: Any) -> None:
    texts = [text(ann=one, bo=other) for one, other in pairs]
    found = measure_agreement(texts, ("ann", "bo"), NER, rounds=300)
    assert found == measure_agreement(texts, ("ann", "bo"), NER, rounds=300)
    for figure in (found.f, found.relaxed):
        if figure is not None:
            assert 0 <= figure.low <= figure.high <= 1
    if found.alpha is not None:
        assert found.alpha.low <= found.alpha.high <= 1


def test_an_interval_gets_narrower_with_more_texts() -> None:
    some = [text(ann=cats("A"), bo=cats("A"))] * 7 + [text(ann=cats("B"), bo=cats("A"))] * 3
    some += [text(ann=cats("B"), bo=cats("B"))] * 5
    widths = []
    for times in (1, 10):
        found = measure_agreement(some * times, ("ann", "bo"), EXCLUSIVE).alpha
        assert found is not None and found.low < found.value < found.high
        widths.append(found.high - found.low)
    assert widths[1] < widths[0] / 2


# One number


def test_the_number_of_a_calibration_round() -> None:
    same, other = text(ann=cats("A"), bo=cats("A")), text(ann=cats("B"), bo=cats("A"))
    people = ("ann", "bo")
    assert one_number([], people, EXCLUSIVE) is None
    assert one_number([text(ann=cats("A"))], people, EXCLUSIVE) is None
    assert one_number([same], people, EXCLUSIVE) == 1.0  # nobody said anything else
    found = one_number([same, same, other], people, EXCLUSIVE)
    assert found == pytest.approx(alpha_by_definition([["a", "a"], ["a", "a"], ["b", "a"]]))
    nothing = text(ann=spans(), bo=spans())
    assert one_number([nothing] * 3, people, NER) == 1.0
    half = text(ann=spans((0, 1, "A"), (2, 3, "A")), bo=spans((0, 1, "A")))
    assert one_number([nothing, half], people, NER) == pytest.approx(2 / 3)


@given(st.lists(st.dictionaries(st.sampled_from("xyz"), token_spans), max_size=6))
def test_the_number_is_from_0_to_1_for_spans_and_1_if_all_agree(
    found: List[Dict[str, Any]],
) -> None:
    texts = [text(**by) for by in found]
    number = one_number(texts, ("x", "y", "z"), NER)
    shared = [by for by in found if len(by) > 1]
    assert (number is None) == (not shared)
    assume(number is not None)
    assert number is not None and 0 <= number <= 1
    differ = any(a != b for by in shared for a, b in combinations(by.values(), 2))
    assert (number == 1) == (not differ)
