"""What may be missing: found where it is, and never where it stands already."""

from typing import Any, List, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_hitl.records import Annotation, Candidate, Proposal, SpanAnnotation
from spacy_hitl.review.queue.recall import Recall, by_recall
from spacy_hitl.review.spread.forms import Forms, overlaps


def span(text: str, words: str, label: str = "PRODUCT", at: int = 0) -> SpanAnnotation:
    start = text.index(words, at)
    return SpanAnnotation(start, start + len(words), label)


def learned(*texts: Any) -> Recall:
    recall = Recall()
    for text, *words in texts:
        recall.learn(text, Annotation(spans=tuple(span(text, w) for w in words)))
    return recall


def quotes(recall: Recall, text: str, shown: Sequence[str] = (), others: Any = ()) -> List[str]:
    spans = [span(text, words) for words in shown]
    return [text[m.span.start : m.span.end] for m in recall.missing(text, spans, others)]


def other(*spans: SpanAnnotation, status: str = "ok") -> Proposal:
    return Proposal("d", "product", "student", status, "t", Annotation(spans=spans))


def test_a_form_labelled_elsewhere_is_missed_here() -> None:
    recall = learned(("I like the Pro", "Pro"))
    (found,) = recall.missing("the Pro is good", [])
    assert (found.span.label, found.span.score_source) == ("PRODUCT", "elsewhere")
    assert found.why == "'Pro' (PRODUCT) is labelled elsewhere but not here"


def test_what_is_labelled_is_not_missing_nor_is_what_overlaps_with_it() -> None:
    recall = learned(("I like the Pro", "Pro"))
    assert quotes(recall, "the Pro is good", ["Pro"]) == []
    assert quotes(recall, "the Pro is good", ["the Pro"]) == []


def test_whole_words_only_and_case_counts() -> None:
    recall = learned(("I like the Pro", "Pro"))
    assert quotes(recall, "Professional pro Prozac ProX") == []
    assert quotes(recall, "(Pro)") == ["Pro"]


def test_white_space_and_normal_form_may_differ() -> None:
    recall = learned(("the Café  Pro", "Café  Pro"))
    assert quotes(recall, "my Cafe\u0301\nPro") == ["Cafe\u0301\nPro"]


def test_forms_in_scripts_without_spaces() -> None:
    recall = learned(("我喜欢星云手机", "星云"))
    assert quotes(recall, "星云很好") == ["星云"]


def test_the_longest_form_counts() -> None:
    recall = learned(("the Nebula", "Nebula"), ("the Nebula Pro", "Nebula Pro"))
    assert quotes(recall, "a Nebula Pro and a Nebula") == ["Nebula Pro", "Nebula"]


def test_the_commonest_label_is_offered() -> None:
    recall = Recall()
    for label in ("A", "B", "B"):
        recall.learn("Pro", Annotation(spans=(SpanAnnotation(0, 3, label),)))
    assert recall.missing("Pro", [])[0].span.label == "B"


def test_a_form_that_is_mostly_left_bare_is_no_sign() -> None:
    recall = learned(("the Pro", "Pro"), ("a Pro",), ("one Pro or Pro",))
    assert quotes(recall, "the Pro is good") == []
    assert learned(("the Pro", "Pro"), ("a Pro",)).missing("Pro", [])[0].span.score == 0.5


def test_what_other_sources_see_is_offered_with_their_name() -> None:
    text = "a Nebula"
    found = Recall().missing(text, [], [other(span(text, "Nebula"))])
    assert [m.span.score_source for m in found] == ["student"]
    assert "another answer also has 'Nebula'" in found[0].why
    assert quotes(Recall(), text, [], [other(span(text, "Nebula"), status="malformed")]) == []


@pytest.mark.parametrize(
    "text, shown, wanted",
    [
        ("the K10, K11 and rest", ["K10"], ["K11"]),
        ("the K10/K11", ["K11"], ["K10"]),
        ("the K10, which is", ["K10"], []),
        ("nebula, kestrel", ["nebula"], []),
        ("K10. K11", ["K10"], []),
        ("K10", ["K10"], []),
    ],
)
def test_neighbours_that_look_alike(text: str, shown: List[str], wanted: List[str]) -> None:
    assert quotes(Recall(), text, shown) == wanted


def test_the_likeliest_comes_first_and_none_overlap() -> None:
    recall = learned(("the Pro", "Pro"))
    text = "K10, K11 and Pro Max and Pro"
    found = recall.missing(text, [span(text, "K10")], [other(span(text, "Pro Max"))])
    assert [text[m.span.start : m.span.end] for m in found] == ["Pro", "Pro", "K11"]


def test_texts_are_ranked_by_how_much_may_be_missing() -> None:
    recall = learned(("the Pro", "Pro"), ("the Max", "Max"))

    def candidate(name: str, text: str, *shown: str) -> Candidate:
        spans = tuple(span(text, w) for w in shown)
        mine = Proposal(name, "product", "m", "ok", "t", Annotation(spans=spans))
        return Candidate(name, text, {"product": (mine,)}, {})

    pool = [
        candidate("two", "Pro or Max"),
        candidate("one", "Pro or Max", "Max"),
        candidate("none", "Pro or Max", "Pro", "Max"),
    ]
    found = by_recall(pool, {"product": recall})
    assert [(s.digest, s.score) for s in found] == [("two", 2.0), ("one", 1.0)]
    assert "labelled elsewhere" in found[0].why
    assert by_recall(pool, {}) == []


WORDS = st.lists(st.sampled_from(["Pro", "Max", "the", "K10", ",", "Café", "  "]), max_size=12)


@given(st.lists(st.tuples(WORDS, st.integers(0, 9)), max_size=6), WORDS)
def test_what_is_missing_never_overlaps_with_what_is_there(seen: Any, words: List[str]) -> None:
    recall = Recall()
    for some, at in seen:
        text = " ".join(some)
        if some and some[at % len(some)].strip():
            start = len(" ".join(some[: at % len(some)])) + (at % len(some) > 0)
            place = SpanAnnotation(start, start + len(some[at % len(some)]), "A")
            recall.learn(text, Annotation(spans=(place,)))
    text = " ".join(words)
    shown = [span(text, words[0], "A")] if words and words[0].strip() else []
    taken = list(shown)
    for missing in recall.missing(text, shown):
        assert text[missing.span.start : missing.span.end].strip()
        assert not overlaps(missing.span.start, missing.span.end, taken)
        taken.append(missing.span)


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_can_be_searched(form: str, text: str) -> None:
    forms = Forms()
    forms.add(form, "A")
    for start, end, found in forms.find(text):
        assert 0 <= start < end <= len(text)
        assert found in forms.labels
