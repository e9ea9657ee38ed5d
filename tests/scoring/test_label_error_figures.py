"""Confident learning over what held-out students say: places, thresholds, doubts."""

from typing import Any, Dict, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_hitl.records import BOUNDARY, MISSING, SPURIOUS, WRONG_LABEL, TaskHeader
from spacy_hitl.scoring.form_evidence import combine, with_forms
from spacy_hitl.scoring.items import Item
from spacy_hitl.scoring.label_errors import (
    NO_LABEL,
    JudgedText,
    Place,
    average,
    find_doubts,
    is_doubtful,
    places_of,
    thresholds,
)

NER = TaskHeader("t", "ner", ("A", "B"), "d")
SPANCAT = TaskHeader("t", "spancat", ("A", "B"), "d")
LINKING = TaskHeader("t", "linking", (), "d")
MANY = TaskHeader("t", "textcat", ("A", "B"), "d")
ONE = TaskHeader("t", "textcat", ("A", "B", "C"), "d", exclusive=True)
K9, K9_PRO, AS_B = Item("A", 3, 5), Item("A", 3, 9), Item("B", 3, 5)


def text(*items: Item, **chances: Any) -> JudgedText:
    return JudgedText(frozenset(items), chances["says"])


def the_place(judged: JudgedText, header: TaskHeader) -> Place:
    (place,) = places_of(judged, header)
    return place


@pytest.mark.parametrize(
    "judged, problem, confidence, other",
    [
        (text(K9, says={}), SPURIOUS, 0.0, 1.0),
        (text(K9, says={K9: 0.3, K9_PRO: 0.2}), SPURIOUS, 0.3, 0.5),
        (text(K9, says={K9: 0.1, K9_PRO: 0.8}), BOUNDARY, 0.1, 0.8),
        (text(K9, says={K9: 0.1, AS_B: 0.8}), WRONG_LABEL, 0.1, 0.8),
        (text(says={K9: 0.7}), MISSING, 0.3, 0.7),
        (text(says={K9: 0.3, K9_PRO: 0.6}), MISSING, 0.1, 0.6),
    ],
)
def test_what_else_could_stand_there(
    judged: JudgedText, problem: str, confidence: float, other: float
) -> None:
    place = the_place(judged, NER)
    assert place.problem == problem
    assert place.confidence == pytest.approx(confidence)
    assert place.other == pytest.approx(other)
    assert place.score == pytest.approx((1 + other - confidence) / 2)


def test_spans_that_may_overlap_do_not_compete_with_other_labels() -> None:
    inner = Item("B", 4, 6)
    judged = text(K9, says={K9: 0.9, inner: 0.8})
    assert {p.problem for p in places_of(judged, NER)} == {WRONG_LABEL}
    kept, missing = places_of(judged, SPANCAT)
    assert (kept.given, kept.problem, kept.other) == (K9, SPURIOUS, pytest.approx(0.1))
    assert (missing.suggested, missing.problem) == (inner, MISSING)


def test_unlikely_spans_are_no_places() -> None:
    assert not list(places_of(text(says={K9: 0.04}), NER))


def test_a_mention_is_always_linked_to_something() -> None:
    first, second = Item("P1", 0, 2), Item("P2", 0, 2)
    place = the_place(text(first, says={second: 1.0}), LINKING)
    assert (place.given, place.suggested, place.problem) == (first, second, WRONG_LABEL)
    assert not list(places_of(text(says={second: 1.0}), LINKING))


def test_each_category_is_judged_by_itself() -> None:
    a, b = Item("A"), Item("B")
    there, absent = places_of(text(a, says={a: 0.2, b: 0.7}), MANY)
    assert (there.label, there.other_label, there.other) == ("A", "not A", pytest.approx(0.8))
    assert (absent.label, absent.other_label, absent.other) == ("not B", "B", 0.7)
    assert (there.problem, absent.problem) == (SPURIOUS, MISSING)


def test_of_exclusive_categories_the_best_other_counts() -> None:
    says = {Item("A"): 0.1, Item("B"): 0.3, Item("C"): 0.6}
    place = the_place(text(Item("A"), says=says), ONE)
    assert (place.suggested, place.problem, place.other) == (Item("C"), WRONG_LABEL, 0.6)
    assert not list(places_of(text(says=says), ONE))


def test_the_threshold_is_that_of_the_suggested_label() -> None:
    sure, unsure = Place("A", 0.9, "B", 0.1), Place("B", 0.4, "A", 0.6)
    limits = thresholds([sure, unsure])
    assert limits == {"A": 0.9, "B": 0.4}
    assert not is_doubtful(unsure, limits)  # 0.6 is little for an A
    assert is_doubtful(Place("A", 0.3, "B", 0.45), limits)  # 0.45 is much for a B
    assert not is_doubtful(Place("A", 0.5, "B", 0.45), limits)  # but not more than what is given
    assert not is_doubtful(Place("A", 0.1, "C", 0.9), limits)  # nobody ever said C


def test_the_planted_error_comes_first() -> None:
    fine = [text(K9, says={K9: 0.9}) for _ in range(8)]
    wrong = text(K9, says={AS_B: 0.95})
    other = [text(AS_B, says={AS_B: 0.9}) for _ in range(4)]
    doubts, limits = find_doubts([*fine, wrong, *other], NER)
    assert [(d.text, d.place.problem) for d in doubts] == [(8, WRONG_LABEL)]
    assert limits["B"] == pytest.approx(0.9) and limits["A"] == pytest.approx(0.8)


def test_rounds_are_averaged_and_silence_counts_as_none() -> None:
    assert average([{K9: 0.8}, {AS_B: 0.4}]) == {K9: 0.4, AS_B: 0.2}


spans = st.builds(
    lambda name, start, size: Item(name, start, start + size),
    st.sampled_from("AB"),
    st.integers(0, 8),
    st.integers(1, 3),
)
judgements: st.SearchStrategy[List[JudgedText]] = st.lists(
    st.builds(JudgedText, st.frozensets(spans, max_size=3), st.dictionaries(spans, st.floats(0, 1)))
)


@given(judgements, st.sampled_from([NER, SPANCAT, LINKING]))
def test_every_given_span_is_one_place_and_doubts_are_sound(
    texts: List[JudgedText], header: TaskHeader
) -> None:
    for one in texts:
        places = list(places_of(one, header))
        assert sorted(p.given for p in places if p.given is not None) == sorted(one.given)
        assert all(p.given is not None or p.label == NO_LABEL for p in places)
        suggested = [p.suggested for p in places if p.given is None]
        assert len(set(suggested)) == len(suggested) and not set(suggested) & one.given
    doubts, limits = find_doubts(texts, header)
    scores = [d.place.score for d in doubts]
    assert scores == sorted(scores, reverse=True) and all(0.5 < s <= 1 for s in scores)
    counted: Dict[str, float] = {p.label: 0 for one in texts for p in places_of(one, header)}
    assert counted.keys() == limits.keys()
    for d in doubts:
        assert d.place.suggested not in texts[d.text].given
        assert d.place.other >= limits[d.place.other_label]


# What the other texts say of a form


def test_a_form_that_stands_bare_elsewhere_is_less_likely_and_one_labelled_there_more() -> None:
    texts = ["My K9 broke", "the k9 is fine", "a K10", "Cool!", "so cool", "cool, cool"]
    places = [[Item("A", 3, 5)], [], [Item("A", 2, 5)], [Item("A", 0, 4)], [], []]
    says = [{Item("A", 3, 5): 0.5}, {Item("A", 4, 6): 0.5}, {}, {Item("A", 0, 4): 0.5}, {}, {}]
    found = with_forms(texts, places, says)
    assert found[0] == {Item("A", 3, 5): pytest.approx(1 / 3)}  # bare in the second text
    assert found[1] == {Item("A", 4, 6): pytest.approx(2 / 3)}  # labelled in the first
    assert found[2] == {Item("A", 2, 5): pytest.approx(0.01)}  # nowhere else: the student's word
    assert found[3] == {Item("A", 0, 4): pytest.approx(0.2)}  # three times bare
    assert found[4] == found[5] == {}


def test_a_form_under_another_label_is_not_that_label() -> None:
    texts = ["K9 one", "K9 two"]
    found = with_forms(texts, [[Item("A", 0, 2)], [Item("B", 0, 2)]], [{}, {Item("B", 0, 2): 0.5}])
    assert found[1][Item("B", 0, 2)] == pytest.approx(1 / 3)


@given(st.floats(0, 1), st.integers(0, 50), st.integers(0, 50))
def test_more_witnesses_move_it_further(chance: float, labelled: int, bare: int) -> None:
    one = combine(chance, labelled, bare)
    assert 0 < one < 1
    assert combine(chance, labelled + 1, bare) > one > combine(chance, labelled, bare + 1)
    assert combine(min(1.0, chance + 0.1), labelled, bare) >= one


texts_of_words = st.lists(st.lists(st.sampled_from(["K9", "cool", ","]), max_size=5).map(" ".join))


@given(texts_of_words)
def test_a_text_is_no_witness_in_its_own_case(texts: List[str]) -> None:
    """With one text alone nothing changes, whatever it repeats."""
    for one in texts:
        item = Item("A", 0, 2)
        (found,) = with_forms([one], [[item]], [{item: 0.5}])
        assert found[item] == pytest.approx(0.5)
