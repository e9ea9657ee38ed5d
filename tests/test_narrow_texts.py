"""The invented headlines of benchmarks/narrow.py are what its page says they are."""

import sys
from pathlib import Path

import pytest
import spacy

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from narrow_texts import (
    COMMODITIES,
    FIRST,
    LABELS,
    NEW_COMMODITIES,
    PROSE,
    SECOND,
    TEMPLATES,
    Grammar,
)


@pytest.mark.parametrize("templates", [TEMPLATES, PROSE], ids=["headlines", "prose"])
def test_entities_stand_on_tokens_and_are_what_was_filled_in(templates):
    nlp = spacy.blank("en")
    grammar = Grammar(1, seed=7)
    stems = set(grammar.stems)
    for headline in grammar.headlines(templates, 4 * len(templates)):
        doc = nlp.make_doc(headline.text)
        assert headline.ents and "{" not in headline.text
        for start, end, label in headline.ents:
            span = doc.char_span(start, end, label=label)
            assert span is not None and label in LABELS
            if label == "COMMODITY":
                assert span.text in COMMODITIES
            assert (label in ("COUNTERPARTY", "PORT", "VESSEL")) == bool(
                stems & {*span.text.split()}
            )


def test_new_names_share_no_part_with_those_of_training():
    for one, other in (FIRST, SECOND, (COMMODITIES, NEW_COMMODITIES)):
        assert not {*one} & {*other}


def test_a_seed_gives_the_same_texts_and_no_text_twice():
    one, again = (Grammar(0, seed=3).headlines(TEMPLATES, 200) for _ in range(2))
    assert one == again and len({headline.text for headline in one}) == 200
    assert one != Grammar(0, seed=4).headlines(TEMPLATES, 200)
