"""Which texts are alike: the index finds what comparing all pairs would find."""

import math
from collections import Counter
from itertools import islice, permutations
from typing import Dict, List

import pytest
from hypothesis import given
from hypothesis import strategies as st
from task_util import WORDS, texts

from spacy_hitl.tasks.similarity import (
    TextIndex,
    normalise,
    similarity,
    split_words,
    word_weights,
)

some_texts = st.one_of(texts(), st.text(alphabet="ab! ", max_size=9), st.text(max_size=9))


@pytest.mark.parametrize(
    "text, words",
    [
        ("", []),
        (" \n", []),
        ("Great (K10), so-so!", ["great", "k10", "so-so"]),
        ("STRASSE straße", ["strasse", "strasse"]),
        ("ﬁne ①", ["fine", "1"]),
        ("e\u0301té", ["été", "été"][:1]),
        ("İstanbul'da שלום", ["i̇stanbul'da", "שלום"]),
        ("日本語 ok", ["日", "本", "語", "ok"]),
        ("สวัสดี", list("สวัสดี")),
        ("😀 ... !", ["😀", "...", "!"]),
        ("_x_", ["x"]),
    ],
)
def test_words(text: str, words: List[str]) -> None:
    assert split_words(text) == words


@given(some_texts)
def test_words_do_not_depend_on_case_or_the_signs_around_them(text: str) -> None:
    words = split_words(text)
    assert split_words(" ".join(words)) == words
    assert split_words(f"  {text}\n") == words


def test_a_hostile_text_takes_no_longer() -> None:
    """Quadratic time would not come to an end here."""
    assert split_words("a" + "!" * 200_000 + "b" + "!" * 200_000)[0][0] == "a"


def plain_ranking(pool: List[str], text: str) -> List[int]:
    """By comparing all pairs: the definition, step by step."""
    weights = word_weights(pool)
    holding = Counter(word for text in pool for word in set(split_words(text)))
    query: Dict[str, float] = {}
    for word in split_words(text):
        if word in holding:
            query[word] = query.get(word, 0) + math.log(1 + len(pool) / holding[word])
    norm = math.sqrt(sum(v * v for v in query.values())) or 1.0
    query = {word: value / norm for word, value in query.items()}
    others = [i for i, other in enumerate(pool) if normalise(other) != normalise(text)]
    return sorted(others, key=lambda i: (-round(similarity(query, weights[i]), 9), i))


@given(st.lists(some_texts, max_size=12), some_texts, st.integers(1, 5))
def test_the_index_finds_what_comparing_all_pairs_finds(
    pool: List[str], text: str, count: int
) -> None:
    assert TextIndex(pool).nearest(text, count) == plain_ranking(pool, text)[:count]


@given(st.lists(some_texts, min_size=1, max_size=12), st.data())
def test_a_text_never_finds_itself_or_its_like(pool: List[str], data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(pool))
    for way in (text, text.upper(), f" {text}!"):
        found = TextIndex(pool).nearest(way, len(pool))
        assert all(normalise(pool[i]) != normalise(way) for i in found)
        assert len(found) == sum(normalise(other) != normalise(way) for other in pool)


def test_rare_words_count_more_and_equals_keep_their_order() -> None:
    pool = ["the phone", "the K10", "nothing alike", "the end", "K10 the"]
    index = TextIndex(pool)
    assert index.nearest("the K10 died", 3) == [1, 4, 0]
    assert index.nearest("no word in it", 2) == [0, 1]
    assert index.nearest("The end!", 9) == [1, 4, 0, 2]


def test_the_order_of_words_makes_no_difference() -> None:
    """Sums of the same numbers in another order differ in the last digit."""
    letters = "abcdefghij"
    fillers = [" ".join(letters[i:]) for i in range(10) for _ in range(i)]
    orders = [" ".join(order) for order in islice(permutations(letters), 0, None, 9973)]
    index = TextIndex([*fillers, *orders])
    for text in ("b d f x", "g c e a x"):
        found = [i for i in index.nearest(text, 999) if i >= len(fillers)]
        assert found == sorted(found) and len(found) == len(orders)


def test_nothing_to_find() -> None:
    assert TextIndex([]).nearest("K10", 3) == []
    assert TextIndex(["K10"]).nearest("k10!", 3) == []


@given(st.lists(some_texts, max_size=8))
def test_weights_have_unit_length(pool: List[str]) -> None:
    for text, weights in zip(pool, word_weights(pool), strict=True):
        length = similarity(weights, weights)
        assert length == pytest.approx(1.0 if split_words(text) else 0.0)
        assert set(weights) == set(split_words(text))


def test_the_words_of_these_tests_differ() -> None:
    assert len({normalise(w) for w in WORDS}) > 15
