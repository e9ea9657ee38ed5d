"""Where a form stands, what is known there, and what is decided about it. Pure."""

import unicodedata
from typing import Any, List, Optional, Sequence, Tuple

import pytest
import spacy
from hypothesis import assume, example, given
from hypothesis import strategies as st

from spacy_hitl.dataset.decisions import standing
from spacy_hitl.dataset.looks import as_partial, overlay
from spacy_hitl.dataset.spreading import needle_of
from spacy_hitl.records import Annotation, Decision, SpanAnnotation, TaskHeader
from spacy_hitl.review.spread.consistency import DecidedText, find_inconsistent
from spacy_hitl.review.spread.propagation import Known, decide, find_form, look_at, read_ids

NLP = spacy.blank("en")


def tokens(text: str) -> List[Tuple[int, int]]:
    return [(t.idx, t.idx + len(t)) for t in NLP.make_doc(text)]


def places(text: str, form: str, **values: Any) -> List[str]:
    return [text[s:e] for s, e in find_form(text, tokens(text), form, **values)]


# Finding


@pytest.mark.parametrize(
    "text, form, wanted",
    [
        ("the Pro and the Pro", "Pro", ["Pro", "Pro"]),
        ("Professional pro PRO", "Pro", []),
        ("Pro's and pro-Pro", "Pro", ["Pro", "Pro"]),
        ("Nebula  Pro, Nebula\nPro", "Nebula Pro", ["Nebula  Pro", "Nebula\nPro"]),
        ("Cafe\u0301 Caf\u00e9 Cafe", "Café", ["Cafe\u0301", "Café"]),
        ("a a a", "a a", ["a a"]),
        ("don't", "n't", ["n't"]),
        ("😀 Pro 👩‍🚒 Pro", "Pro", ["Pro", "Pro"]),
        ("Pro", "Pro Max", []),
        ("Pro", " ", []),
        ("", "Pro", []),
    ],
)
def test_forms_are_found_on_whole_tokens(text: str, form: str, wanted: List[str]) -> None:
    assert places(text, form) == wanted


def test_case_counts_unless_told_otherwise() -> None:
    text = "pro PRO Pro İx ΟΔΟΣ οδος"
    assert places(text, "pro") == ["pro"]
    assert places(text, "pro", ignore_case=True) == ["pro", "PRO", "Pro"]
    assert places(text, "οδος", ignore_case=True) == ["ΟΔΟΣ", "οδος"]


FORM = st.text(
    st.sampled_from("abkKsSiIpP1 é\u0301İſ\u212aÅ\u212bß星")
    | st.characters(categories=["L", "N", "M"]),
    min_size=1,
    max_size=6,
)
SHAPES = {
    "as it is": lambda s: s,
    "NFC": lambda s: unicodedata.normalize("NFC", s),
    "NFD": lambda s: unicodedata.normalize("NFD", s),
    "upper": str.upper,
    "upper, NFC": lambda s: unicodedata.normalize("NFC", s.upper()),
    "lower": str.lower,
}


@given(FORM, st.sampled_from(list(SHAPES)), st.booleans())
@example("\u212aa", "as it is", False)
@example("\u212aa", "as it is", True)
@example("İa", "as it is", True)
@example("i\u0307a", "upper, NFC", True)
def test_the_search_in_the_database_misses_nothing(form: str, shape: str, any_case: bool) -> None:
    """Whatever is found on the tokens holds the piece of text that the database looks for."""
    written = SHAPES[shape](form)
    found = find_form(written, [(0, len(written))], form, ignore_case=any_case)
    needle = needle_of(form, ignore_case=any_case)
    if found:
        assert (like(needle) in like(written)) if any_case else (needle in written)


def like(text: str) -> str:
    """As LIKE of SQLite compares: the case of ASCII letters only."""
    return "".join(c.lower() if c.isascii() else c for c in text)


@given(
    st.lists(st.sampled_from(["Pro", "Max", " ", "\n", "é", "x"]), max_size=12), st.integers(1, 3)
)
def test_places_are_tokens_in_order_and_apart(words: List[str], length: int) -> None:
    text = " ".join(words)
    form = " ".join(w for w in words[:length] if w.strip())
    ends = 0
    starts, stops = {s for s, _ in tokens(text)}, {e for _, e in tokens(text)}
    for start, end in find_form(text, tokens(text), form):
        assert start >= ends and start in starts and end in stops
        ends = end


# What is known there

TEXT = "The Nebula Pro and a Pro"
AT = {"Pro": (21, 24), "Nebula Pro": (4, 14), "first Pro": (11, 14)}


def span(name: str, label: str = "PHONE", **values: Any) -> SpanAnnotation:
    return SpanAnnotation(*AT[name], label, **values)


def known(*spans: SpanAnnotation, **values: Any) -> Known:
    return Known("d" * 64, TEXT, tokens(TEXT), Annotation(spans=spans), **values)


def test_what_stands_in_the_way_is_blocked_and_the_rest_is_not() -> None:
    first, second = look_at(known(span("Nebula Pro")), "Pro", "PHONE", kind="ner")
    assert first.blocked == "overlaps with 'Nebula Pro' (PHONE)"
    assert second.blocked is None
    assert (second.now, second.differs, second.decided) == (None, True, False)
    assert (second.before, second.match, second.after) == (TEXT[:21], "Pro", "")
    assert second.id == "d" * 64 + ":21:24"


def test_what_people_decided_is_told_apart() -> None:
    def decided(**values: Any) -> List[bool]:
        return [o.decided for o in look_at(known(**values), "Pro", "PHONE", kind="ner")]

    assert decided() == [False, False]
    assert decided(whole=True) == [True, True]
    assert decided(ranges=(AT["Pro"],)) == [False, True]
    assert decided(labels=("PHONE",)) == [True, True]
    assert decided(labels=("MAKER",)) == [False, False]


def test_links_are_asked_for_where_there_is_a_mention() -> None:
    found = look_at(known(span("Pro", kb_id="P1")), "Pro", "P2", kind="linking")
    assert [(o.start, o.now, o.differs) for o in found] == [(21, "P1", True)]


def test_several_labels_may_stand_at_a_place() -> None:
    both = known(span("Pro", "GOOD"), span("Pro", "BAD"))
    _, found = look_at(both, "Pro", "GOOD", kind="spancat")
    assert (found.now, found.differs) == ("GOOD", False)
    _, found = look_at(both, "Pro", "OTHER", kind="spancat")
    assert (found.now, found.differs) == ("GOOD, BAD", True)


# What is decided


def settle(
    one: Known, label: Optional[str], kind: str = "ner", only: Sequence[int] = (0, 1)
) -> Optional[Decision]:
    found = look_at(one, "Pro", label, kind=kind)
    chosen = [found[i] for i in only if i < len(found)]
    return decide(
        one,
        chosen,
        label,
        kind=kind,
        task="product",
        task_digest="t",
        annotator="ann",
        uid="u",
        mode="propagated",
        time=1.0,
    )


def after(one: Known, decision: Optional[Decision], kind: str = "ner") -> List[Tuple[int, str]]:
    """What holds in the text, once the decision is made."""
    assert decision is not None
    look = as_partial(decision)
    assert look is not None
    header = TaskHeader("product", kind, ("PHONE", "MAKER", "GOOD", "BAD"), "t")
    spans = overlay(one.annotation, look, header).spans
    return [(s.start, s.kb_id or s.label) for s in spans]


def test_only_the_chosen_places_change() -> None:
    one = known(span("Nebula Pro"))
    decision = settle(one, "MAKER")
    assert decision is not None
    assert decision.ranges == (AT["Pro"],)
    assert (decision.mode, decision.uid, decision.edits) == ("propagated", "u", 1)
    assert after(one, decision) == [(4, "PHONE"), (21, "MAKER")]


def test_no_label_takes_the_label_away_here_only() -> None:
    one = known(span("first Pro"), span("Pro"))
    assert after(one, settle(one, None, only=[1])) == [(11, "PHONE")]


def test_a_guess_of_the_model_becomes_decided_without_an_edit() -> None:
    one = known(span("Pro"), source="m")
    decision = settle(one, "PHONE", only=[1])
    assert decision is not None
    assert (decision.edits, decision.saw_proposal) == (0, "m")
    assert decision.annotation == Annotation(spans=(span("Pro"),))


@pytest.mark.parametrize(
    "one, label",
    [
        (known(span("first Pro"), span("Pro"), whole=True), "PHONE"),
        (known(whole=True), None),
        (known(closed="the text was rejected"), "PHONE"),
        (known(span("Nebula Pro"), SpanAnnotation(15, 24, "PHONE")), "PHONE"),
    ],
)
def test_where_nothing_is_left_to_decide_nothing_is_stored(one: Known, label: Any) -> None:
    assert settle(one, label) is None


def test_a_link_keeps_its_mention() -> None:
    one = known(span("Pro", kb_id="P1"))
    decision = settle(one, "P2", "linking")
    assert decision is not None
    assert decision.annotation == Annotation(spans=(span("Pro", kb_id="P2"),))
    assert after(one, decision, "linking") == [(21, "P2")]


def test_other_labels_of_the_same_place_stay() -> None:
    one = known(span("Pro", "GOOD"))
    assert after(one, settle(one, "BAD", "spancat", [1]), "spancat") == [(21, "BAD"), (21, "GOOD")]
    assert after(one, settle(one, None, "spancat", [1]), "spancat") == []


SPANS = st.lists(
    st.sampled_from(["Pro", "Nebula Pro", "first Pro"]), unique=True, max_size=2
).filter(lambda names: not {"Nebula Pro", "first Pro"} <= set(names))


@given(SPANS, st.sampled_from(["PHONE", "MAKER", None]), st.booleans())
def test_entities_never_overlap_afterwards(names: List[str], label: Any, whole: bool) -> None:
    one = known(*sorted(span(n) for n in names), whole=whole)
    decision = settle(one, label)
    assume(decision is not None)
    assert decision is not None
    decisions = [decision]
    if whole:
        decisions.insert(
            0, Decision("d", "product", "accept", "bo", "person", "t", one.annotation, uid="w")
        )
    header = TaskHeader("product", "ner", ("PHONE", "MAKER"), "t")
    found = standing(decisions, header)
    assert found is not None
    annotation = found.annotation if whole else found.partial and found.partial.annotation
    assert annotation
    for left, right in zip(annotation.spans, annotation.spans[1:], strict=False):
        assert left.end <= right.start


def test_ids_are_read_back_and_nonsense_is_refused() -> None:
    assert read_ids(["a:1:2", "a:3:4", "a:1:2", "b:1:2"]) == {"a": [(1, 2), (3, 4)], "b": [(1, 2)]}
    for bad in ("a:1", "a:x:2", "", "a:1:2:3", "a:1.5:2"):
        with pytest.raises(ValueError):
            read_ids([bad])


# What was treated differently


def decided(text: str, *names: Any, **values: Any) -> DecidedText:
    spans = []
    for name in names:
        words, label = name if isinstance(name, tuple) else (name, "PHONE")
        at = text.index(words)
        spans.append(SpanAnnotation(at, at + len(words), label))
    return DecidedText(text, text, Annotation(spans=tuple(spans)), **values)


def test_forms_with_several_treatments_are_found_worst_first() -> None:
    texts = [
        decided("one Pro", "Pro"),
        decided("two Pro", "Pro"),
        decided("three Pro"),
        decided("a Max", "Max"),
        decided("b Max", ("Max", "MAKER")),
        decided("c Max"),
        decided("d Air", "Air"),
        decided("e Nothing"),
    ]
    found = find_inconsistent(texts, links=False)
    assert [(t.form, dict(t.labels), t.texts) for t in found] == [
        ("Max", {"PHONE": 1, "MAKER": 1, "": 1}, 3),
        ("Pro", {"PHONE": 2, "": 1}, 3),
    ]
    assert [t.minority for t in found] == [2, 1]


def test_inside_a_longer_span_a_form_is_not_left_bare() -> None:
    texts = [decided("the Pro", "Pro"), decided("the Nebula Pro", "Nebula Pro")]
    assert find_inconsistent(texts, links=False) == []


def test_where_nobody_looked_nothing_was_left_bare() -> None:
    texts = [decided("the Pro", "Pro"), decided("a Pro", whole=False)]
    assert find_inconsistent(texts, links=False) == []
    texts.append(decided("one Pro", whole=False, ranges=((4, 7),)))
    (found,) = find_inconsistent(texts, links=False)
    assert dict(found.labels) == {"PHONE": 1, "": 1}


def test_links_differ_by_their_ids_and_a_bare_form_is_no_question() -> None:
    def linked(text: str, kb_id: Optional[str]) -> DecidedText:
        place = SpanAnnotation(0, 3, "PHONE", kb_id=kb_id)
        return DecidedText(text, text, Annotation(spans=(place,)))

    texts = [linked("Pro 1", "P1"), linked("Pro 2", "P2"), linked("Pro 3", "NIL"), decided("a Pro")]
    (found,) = find_inconsistent(texts, links=True)
    assert dict(found.labels) == {"P1": 1, "P2": 1, "NIL": 1}
