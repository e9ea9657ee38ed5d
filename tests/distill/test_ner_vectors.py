"""Vectors from counts: words that are used alike have vectors that are alike."""

import random
from typing import Any, List

import numpy as np
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.training import Example

from spacy_hitl.distill.embeddings.count_vectors import count_vectors, make_count_vectors_callback

COLOURS, FOODS = ["red", "blue", "green"], ["bread", "soup", "rice"]


def make_lines(count: int = 400) -> List[List[str]]:
    chance = random.Random(0)
    pick = chance.choice
    colours = [["the", pick(COLOURS), "shirt", "fits", "me"] for _ in range(count)]
    return colours + [["we", "eat", pick(FOODS), "at", "noon"] for _ in range(count)]


def test_words_that_are_used_alike_are_near() -> None:
    words, table = count_vectors(make_lines(), width=8, least=3, most=100)
    vectors = {w: v / np.linalg.norm(v) for w, v in zip(words, table, strict=True)}
    for word in COLOURS + FOODS:
        ranked = sorted(vectors, key=lambda w, v=vectors[word]: -float(v @ vectors[w]))  # type: ignore[misc]
        assert set(ranked[:3]) == set(COLOURS if word in COLOURS else FOODS)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=8), max_size=12), st.integers(1, 4))
def test_any_texts_can_be_counted(lines: Any, least: int) -> None:
    words, table = count_vectors(lines, width=4, least=least, most=4)
    assert len(words) == len(table) <= 4
    assert np.isfinite(table).all()
    flat = [word for line in lines for word in line]
    assert all(flat.count(word) >= least for word in words)


def make_reader(lines: List[List[str]]) -> Any:
    return lambda nlp: [Example(d, d) for d in (nlp.make_doc(" ".join(line)) for line in lines)]


def test_the_vectors_are_saved_and_found_in_any_case(tmp_path: Any) -> None:
    nlp = spacy.blank("en")
    lines = make_lines()
    read = make_reader(lines[:400]), make_reader([[*line, "daily"] for line in lines[400:]])
    make_count_vectors_callback(*read, width=8, max_words=15)(nlp)
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    for word in ("red", "Red", "RED", "soup", "Soup"):
        assert loaded.vocab.has_vector(word)
        assert (loaded.vocab[word].vector == nlp.vocab[word.lower()].vector).all()
    assert not loaded.vocab.has_vector("Kadonux")
    assert nlp.vocab.vectors.shape == (15, 8)


def test_too_few_words_are_refused(fails: Any) -> None:
    with fails("H383", "2 words", "3 times", "width 8"):
        callback = make_count_vectors_callback(make_reader([["red", "blue"]] * 3), width=8)
        callback(spacy.blank("en"))
