"""The simulated reviewer of benchmarks/effort.py: its keys, counted by hand and at random."""

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

BENCHMARKS = Path(__file__).parent.parent.parent / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
from effort_page import Layout, Page  # noqa: E402
from effort_reviewer import Correction, gestures, review, suggestions, veto  # noqa: E402

WORDS = [
    "I",
    "wore",
    "my",
    "Nebula",
    "Pro",
    "jacket",
    "with",
    "the",
    "Kestrel",
    "boots",
    "all",
    "day",
    "long",
]


def layout(words=WORDS, *, line=80):
    return Layout([(word, True) for word in words], line=line)


def keys(shown, gold, *, extra=(), words=WORDS, line=80):
    items = suggestions(dict.fromkeys(shown), extra)
    return " ".join(review(layout(words, line=line), items, gold).keys)


def test_a_right_text_takes_one_key():
    assert keys([(3, 5), (8, 9)], [(3, 5), (8, 9)]) == "a"
    assert keys([], []) == "a"


def test_what_is_wrong_is_gone_to_and_deleted():
    assert keys([(8, 9)], []) == "j d a"
    assert keys([(3, 5), (8, 9)], [(3, 5)]) == "k d a"  # round the end


def test_after_a_deletion_the_next_suggestion_is_active():
    assert keys([(3, 5), (8, 9)], []) == "j d d a"


def test_least_certain_suggestions_come_first():
    items = suggestions({(3, 5): 0.9, (8, 9): 0.2})
    assert review(layout(), items, [(3, 5)]).keys == ("j", "d", "a")


def test_what_is_missing_is_selected_the_short_way():
    assert keys([], [(1, 2)]) == "ArrowRight 1 a"
    assert keys([], [(0, 1)]) == "ArrowLeft 1 a"
    assert keys([], [(12, 13)]) == "End 1 a"
    assert keys([], [(10, 12)]) == "End ArrowLeft Shift+ArrowLeft 1 a"


def test_lines_are_jumped_over():
    # I wore my | Nebula Pro | jacket | with the | Kestrel | boots all | day long
    assert keys([], [(5, 6)], line=10) == "ArrowDown ArrowDown 1 a"
    assert keys([], [(8, 9)], line=10) == "End ArrowUp ArrowUp 1 a"


def test_the_list_is_a_short_way_into_the_text():
    assert keys([(8, 9)], [(8, 9), (9, 10)]) == "j ArrowRight ArrowRight 1 a"


def test_a_nearly_right_span_is_moved_at_its_edge():
    assert keys([(3, 4)], [(3, 5)]) == "j Alt+ArrowRight a"
    assert keys([(2, 5)], [(3, 5)]) == "j Alt+Shift+ArrowRight a"


def test_a_label_over_a_wrong_span_replaces_it():
    assert keys([(0, 9)], [(0, 1)]) == "ArrowLeft 1 a"


def test_an_offered_span_is_taken_in_or_left():
    assert keys([], [(8, 9)], extra=[(3, 5), (8, 9)]) == "k + a"
    assert keys([], [], extra=[(3, 5)]) == "a"


def test_corrections_are_what_the_page_would_offer_elsewhere():
    found = review(layout(), suggestions(dict.fromkeys([(3, 4), (11, 12)])), [(3, 5), (8, 9)])
    assert found.corrections == (
        Correction((3, 5), True),
        Correction((8, 9), True),
        Correction((11, 12), False),
    )


@pytest.mark.parametrize(
    "right, keys",
    [
        ([True, True], "p Enter"),
        ([False, True], "p Space Enter"),
        ([True, False, True, True, False], "p j Space k k Space Enter"),
        ([False, False], "p Escape"),
    ],
)
def test_places_elsewhere_are_vetoed_one_by_one(right, keys):
    assert " ".join(veto(right)) == keys


def test_with_a_pointer_choosing_and_labelling_words_is_one_action():
    assert gestures(["j", "j", "d", "ArrowRight", "Shift+ArrowRight", "1", "a"]) == 5
    assert gestures(["j", "ArrowDown", "1", "j", "d", "a"]) == 4
    assert gestures(["j", "Alt+ArrowRight", "a"]) == 3


@pytest.mark.parametrize("key", ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"])
def test_the_cursor_never_leaves_the_text(key):
    page = Page(layout(line=12))
    page.press(*[key] * 20)
    assert 0 <= page.spot.cursor < len(WORDS)


def spans(size):
    """Places that do not overlap."""
    edges = st.lists(st.integers(0, size), unique=True, max_size=8).map(sorted)
    return edges.map(lambda e: list(zip(e[::2], e[1::2], strict=False)))


@given(
    words=st.lists(st.sampled_from(["a", "word", "longer-word", "\n\n", " "]), min_size=1),
    line=st.integers(8, 40),
    data=st.data(),
)
def test_every_text_ends_in_gold(words, line, data):
    tokens = layout(words, line=line)
    shown, gold = data.draw(spans(len(words))), data.draw(spans(len(words)))
    # White space alone can't be selected by keys, and no person would.
    gold = [(s, e) for s, e in gold if words[s].strip() or words[e - 1].strip()]
    found = review(tokens, suggestions(dict.fromkeys(shown)), gold)
    page = Page(tokens, list(suggestions(dict.fromkeys(shown))))
    page.press(*found.keys[:-1])
    assert page.places() == gold
    assert (found.keys == ("a",)) == (shown == gold)
    # Deleting and labelling anew, arrow by arrow, is never better.
    walk = sum(end + 1 for _, end in gold) + len(shown) * (len(shown) + 1)
    assert len(found.keys) <= 1 + walk + len(words)
