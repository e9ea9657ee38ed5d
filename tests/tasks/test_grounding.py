import random
import unicodedata
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from task_util import NLP, WORDS, same_letters, texts

from spacy_hitl.tasks.grounding import Quote, ground
from spacy_hitl.tasks.spans import token_offsets


def tokens_of(text):
    return token_offsets(NLP.make_doc(text))


def ground_in(text, *found, overlapping=False):
    """Ground and check what always holds: every quote ends as a place or as a problem.

    found (str or Tuple[str, str]): Quotes, with a value if two of them differ in it.
    RETURNS: Places as (start, letters), problems as (kind, quote).
    """
    asked = [Quote(q, "X") if isinstance(q, str) else Quote(*q) for q in found]
    tokens = tokens_of(text)
    places, problems = ground(text, tokens, asked, overlapping=overlapping)
    assert places == sorted(places)
    placed = [p.quote for p in places]
    assert len(placed) == len(set(placed)), "one quote has two places"
    unplaced = [q.text for i, q in enumerate(asked) if i not in placed]
    assert Counter(p.detail for p in problems) == Counter(unplaced)
    assert {p.kind for p in problems} <= {"not_found", "not_on_tokens", "overlap", "repeated"}
    starts, ends = {s for s, _ in tokens}, {e for _, e in tokens}
    for start, end, quote in places:
        assert start in starts
        assert end in ends
        assert text[start:end] == text[start:end].strip() != ""
        assert same_letters(text[start:end]) == same_letters(asked[quote].text)
    if overlapping:
        labelled = [(p.start, p.end, asked[p.quote].value) for p in places]
        assert len(labelled) == len(set(labelled))
    else:
        assert all(one.end <= other.start for one, other in pairwise(places))
    return [(p.start, text[p.start : p.end]) for p in places], [
        (p.kind, p.detail) for p in problems
    ]


def nfd(text):
    return unicodedata.normalize("NFD", text)


def nfc(text):
    return unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    "text,quote,start",
    [
        ("I like Apple", "Apple", 7),
        ("Applesauce or Apple", "Apple", 14),
        ("K10U and K10", "K10", 9),
        ("İstanbul'da bánh mì", "İstanbul'da", 0),
        ("İstanbul'da bánh mì", "bánh mì", 12),
        ("İstanbul'da bánh mì yedim", "mì", 17),
        ("😀👩\u200d👩\u200d👧 Apple", "Apple", 7),
        ("😀 Apple", "😀", 0),
        ("𝔘nicode K10", "K10", 8),
        ("שלום Nebula مرحبا", "Nebula", 5),
        ("שלום Nebula مرحبا", "مرحبا", 12),
        ("Apple", " Apple\n", 0),
        ("(K10), yes", "K10", 1),
        ("日本語", "日本語", 0),
    ],
)
def test_found_at_its_offset(text, quote, start):
    assert ground_in(text, quote) == ([(start, quote.strip())], [])


@pytest.mark.parametrize(
    "text,quote,kind",
    [
        ("I like Apple", "apple", "not_found"),
        ("I like apple", "Apple", "not_found"),
        ("Istanbul", "İstanbul", "not_found"),
        ("the K10", "the K 10", "not_found"),
        ("Nebula-Pro", "Nebula Pro", "not_found"),
        ("Nebula Pro", "NebulaPro", "not_found"),
        ("Straße", "Strasse", "not_found"),
        ("ﬁne", "fine", "not_found"),
        ("ﬁne words", "fine words", "not_found"),
        ("Nebula² Pro", "Nebula2  Pro", "not_found"),
        ("K10", "", "not_found"),
        ("K10", " \n", "not_found"),
        ("Applesauce", "Apple", "not_on_tokens"),
        ("K10U", "K10", "not_on_tokens"),
        ("İstanbul'da", "İstanbul", "not_on_tokens"),
        ("Pineapple apples", "apple", "not_on_tokens"),
        ("Applesauce Nebula", "sauce Nebula", "not_on_tokens"),
    ],
)
def test_nothing_invented(text, quote, kind):
    assert ground_in(text, quote) == ([], [(kind, quote)])


@pytest.mark.parametrize(
    "text,quote",
    [
        ("a bánh mì b", nfd("bánh mì")),
        (nfd("a bánh mì b"), "bánh mì"),
        (nfd("Ångström"), "Ångström"),
        ("a Nebula\nPro b", "Nebula Pro"),
        ("a Nebula  Pro b", "Nebula Pro"),
        ("a Nebula Pro b", "Nebula\t Pro"),
        ("a Nebula\u00a0Pro b", "Nebula Pro"),
        ("  Nebula \n\n Pro\n", "Nebula Pro"),
    ],
)
def test_normal_form_and_white_space_may_differ(text, quote):
    places, problems = ground_in(text, quote)
    assert not problems
    assert len(places) == 1


def test_repeated_mention_takes_the_first_places():
    text = "K10 or K10 or K10U or K10"
    assert ground_in(text, "K10") == ([(0, "K10")], [])
    assert ground_in(text, "K10", "K10") == ([(0, "K10"), (7, "K10")], [])
    assert ground_in(text, *["K10"] * 3) == ([(0, "K10"), (7, "K10"), (22, "K10")], [])
    assert ground_in(text, *["K10"] * 4)[1] == [("repeated", "K10")]


@pytest.mark.parametrize(
    "text",
    ["Café, Cafe\u0301, Café", "Cafe\u0301, Café, Cafe\u0301"],
)
@pytest.mark.parametrize("form", [nfc, nfd])
def test_repeated_mention_in_mixed_normal_forms(text, form):
    places, problems = ground_in(text, *[form("Café")] * 3)
    assert [start for start, _ in places] == [text.index("C"), text.index("C", 1), text.rindex("C")]
    assert not problems


def test_repeated_mention_across_a_line_break():
    text = "Nebula\nPro or Nebula Pro"
    assert ground_in(text, "Nebula Pro", "Nebula Pro") == (
        [(0, "Nebula\nPro"), (14, "Nebula Pro")],
        [],
    )


@pytest.mark.parametrize("overlapping", [False, True])
def test_white_space_tokens_are_no_second_place(overlapping):
    """spaCy makes tokens of white space; a mention next to one stands there only once."""
    text = "a  Nebula\nPro\n\n b"
    places, problems = ground_in(text, "Nebula Pro", "Nebula Pro", overlapping=overlapping)
    assert places == [(3, "Nebula\nPro")]
    assert problems == [("repeated", "Nebula Pro")]


@pytest.mark.parametrize("asked", [("Nebula", "Nebula Pro"), ("Nebula Pro", "Nebula")])
def test_longer_quote_first(asked):
    places = [(0, "Nebula Pro"), (11, "Nebula")]
    assert ground_in("Nebula Pro Nebula", *asked) == (places, [])


def test_inner_quote_without_a_place_of_its_own_overlaps():
    places, problems = ground_in("the Nebula Pro", "Nebula", "Nebula Pro")
    assert places == [(4, "Nebula Pro")]
    assert problems == [("overlap", "Nebula")]


def test_overlapping_places_where_the_task_allows_it():
    places, problems = ground_in("Nebula Pro", "Nebula", "Nebula Pro", "Pro", overlapping=True)
    assert places == [(0, "Nebula"), (0, "Nebula Pro"), (7, "Pro")]
    assert not problems


def test_one_place_many_labels_only_where_overlap_is_allowed():
    asked = ("K10", "GOOD"), ("K10", "BAD")
    assert ground_in("K10", *asked, overlapping=True) == ([(0, "K10"), (0, "K10")], [])
    assert ground_in("K10", *asked) == ([(0, "K10")], [("repeated", "K10")])
    assert ground_in("K10", asked[0], asked[0], overlapping=True)[1] == [("repeated", "K10")]


def test_order_of_quotes_does_not_matter():
    text, asked = "Apple Nebula Pro 😀 K10 Apple", ["K10", "Apple", "Nebula Pro", "😀", "Apple"]
    places, problems = ground_in(text, *asked)
    assert not problems
    for _ in range(20):
        random.Random(0).shuffle(asked)
        assert ground_in(text, *asked) == (places, [])


QUOTES = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(["Nebula Pro", "bánh mì", "pple", "", " ", "Apple Apple", "mì\nNebula"]),
    st.text(max_size=5),
)


@given(
    text=texts(),
    asked=st.lists(st.tuples(QUOTES, st.sampled_from("XY")), max_size=8),
    overlapping=st.booleans(),
)
def test_every_quote_ends_as_a_place_or_a_problem(text, asked, overlapping):
    ground_in(text, *asked, overlapping=overlapping)


@given(text=texts(), data=st.data())
def test_what_is_quoted_from_the_text_is_found(text, data):
    """Any run of whole tokens, however its white space and its accents were retyped."""
    tokens = [t for t in tokens_of(text) if text[slice(*t)].strip()]
    first = data.draw(st.integers(0, len(tokens) - 1))
    last = data.draw(st.integers(first, len(tokens) - 1))
    run = text[tokens[first][0] : tokens[last][1]]
    retype = data.draw(st.sampled_from([str, nfc, nfd, same_letters, lambda t: f"\n{t}  "]))
    places, problems = ground_in(text, retype(run))
    assert not problems
    assert same_letters(places[0][1]) == same_letters(run)


@given(text=texts(), form=st.sampled_from([str, nfc, nfd]), data=st.data())
def test_listing_every_word_finds_every_word(text, form, data):
    """The same places whatever the order of the answer; no place twice, none left out."""
    tokens = [t for t in tokens_of(text) if text[slice(*t)].strip()]
    asked = data.draw(st.permutations([form(text[slice(*t)]) for t in tokens]))
    places, problems = ground_in(text, *asked)
    assert not problems
    assert [start for start, _ in places] == [start for start, _ in tokens]


@given(text=texts(), word=st.sampled_from(WORDS), more=st.integers(0, 2))
def test_a_word_takes_as_many_places_as_it_has(text, word, more):
    tokens = tokens_of(text)
    runs = [text[a:d] for i, (a, _) in enumerate(tokens) for _, d in tokens[i : i + 6]]
    stands = sum(run == run.strip() and same_letters(run) == same_letters(word) for run in runs)
    places, problems = ground_in(text, *[word] * (stands + more))
    assert len(places) == stands
    assert len(problems) == more
