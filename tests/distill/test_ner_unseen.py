"""Made-up words: the annotation stays, frequent words stay, a new word looks like the old one."""

import random
from typing import Any

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_hitl.distill.ner.unseen import UnseenWords

NLP = spacy.blank("en")
words = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=9)


def make_doc(tokens: Any) -> Doc:
    return Doc(NLP.vocab, words=list(tokens), spaces=[i % 3 > 0 for i in range(len(tokens))])


def maker(docs: Any, *, rate: float, names: float = 0.0, seed: int = 0) -> UnseenWords:
    return UnseenWords(
        docs, names=names, rate=rate, case=0.0, random=random.Random(seed), vocab=NLP.vocab
    )


@given(st.lists(words, min_size=3, max_size=12), st.integers(0, 99))
def test_only_words_change(tokens: Any, seed: int) -> None:
    doc = make_doc(tokens)
    doc.set_ents([Span(doc, 0, 2, label="X")], missing=[doc[2:3]], default="outside")
    doc.spans["wrong"] = [Span(doc, 1, 3, label="Y")]
    make_up = UnseenWords(
        [doc], names=0.5, rate=5.0, case=0.5, random=random.Random(seed), vocab=NLP.vocab
    )
    made = make_up(Example(make_doc(tokens), doc))
    for new in (made.reference, made.predicted):
        assert [bool(t.whitespace_) for t in new] == [bool(t.whitespace_) for t in doc]
    assert [t.text for t in made.predicted] == [t.text for t in made.reference]
    new = made.reference
    assert [(t.ent_iob, t.ent_type_) for t in new] == [(t.ent_iob, t.ent_type_) for t in doc]
    assert [(s.start, s.end, s.label_) for s in new.spans["wrong"]] == [(1, 3, "Y")]
    for old, token in zip(doc, new, strict=True):
        assert token.text == old.text or old.ent_type or old.is_alpha


@given(words.filter(str.isalpha), st.integers(0, 99))
def test_a_made_up_word_has_the_case_of_the_old(word: str, seed: int) -> None:
    docs = [make_doc(["several", "ordinary", "words"])]
    made = maker(docs, rate=1.0, seed=seed).make_up(word)
    if word.isascii():
        assert made[0].isupper() == word[0].isupper()
        assert made.isupper() == (word.isupper() and len(word) > 1)


def test_rare_words_go_first() -> None:
    docs = [make_doc(["often"] * 99 + ["once"])]
    make_up = maker(docs, rate=0.5)
    drawn = [make_up.replace(["often", "once", "never", "7", "!"]) for _ in range(2000)]
    share = [sum(new[i] != old for new in drawn) / 2000 for i, old in enumerate(["often", "once"])]
    assert share[0] == pytest.approx(0.5 / 99.5, abs=0.01)
    assert share[1] == pytest.approx(0.5 / 1.5, abs=0.05)
    assert all(new[2] != "never" for new in drawn)  # a word nobody has seen is one already
    assert all(new[3:] == ["7", "!"] for new in drawn)


def test_an_example_with_other_tokens_is_left_alone() -> None:
    doc = make_doc(["New", "York"])
    eg = Example(make_doc(["NewYork"]), doc)
    assert maker([doc], rate=100.0)(eg) is eg


def test_names_are_replaced_whole() -> None:
    doc = make_doc(["Kadonux", "7", "fell"])
    doc.ents = [Span(doc, 0, 2, label="PHONE")]
    make_up = maker([doc], rate=0.0, names=1.0)
    made = [make_up(Example(make_doc(["Kadonux", "7", "fell"]), doc)) for _ in range(50)]
    names = {eg.reference[0].text for eg in made}
    assert len(names) > 5 and all(name[0].isupper() for name in names)
    assert {eg.reference[1:].text for eg in made} == {doc[1:].text}
    assert {eg.reference.ents[0].label_ for eg in made} == {"PHONE"}
