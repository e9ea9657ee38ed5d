"""The kinds of errors, on cases made by hand; their sums against hits and misses of `compare`."""

from collections import Counter
from typing import Any, List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_hitl.records import (
    NIL,
    Annotation,
    CategoryAnnotation,
    RelationAnnotation,
    SpanAnnotation,
    TaskHeader,
)
from spacy_hitl.scoring.error_types import (
    KINDS,
    AnnotationError,
    confusion,
    count_errors,
    find_errors,
)
from spacy_hitl.tasks.reference import compare

NER = TaskHeader("t", "ner", ("A", "B"), "d")
SPANCAT = TaskHeader("t", "spancat", ("A", "B"), "d")
LINKING = TaskHeader("t", "linking", ("X", "Y"), "d")
RELATIONS = TaskHeader("t", "relations", ("A", "B"), "d")
EXCLUSIVE = TaskHeader("t", "textcat", ("A", "B"), "d", exclusive=True)
SEVERAL = TaskHeader("t", "textcat", ("A", "B"), "d")


def spans(*places: Tuple[int, int, str]) -> Annotation:
    return Annotation(spans=tuple(SpanAnnotation(*place) for place in places))


def links(*places: Tuple[int, int, Any]) -> Annotation:
    return Annotation(spans=tuple(SpanAnnotation(s, e, "P", kb_id=i) for s, e, i in places))


def cats(*labels: str) -> Annotation:
    return Annotation(cats=tuple(CategoryAnnotation(label) for label in labels))


def relations(*ends: Tuple[int, int, int, int, str]) -> Annotation:
    return Annotation(relations=tuple(RelationAnnotation(*e) for e in ends))


def short(errors: Tuple[AnnotationError, ...]) -> List[Tuple[str, Any, Any]]:
    return [(e.kind, e.wanted_label, e.found_label) for e in errors]


@pytest.mark.parametrize(
    "header, wanted, found, errors",
    [
        (NER, spans((0, 5, "A")), spans((0, 5, "A")), []),
        (NER, spans((0, 5, "A")), spans(), [("missed", "A", None)]),
        (NER, spans(), spans((0, 5, "B")), [("spurious", None, "B")]),
        (NER, spans((0, 5, "A")), spans((0, 9, "A")), [("boundary", "A", "A")]),
        (NER, spans((0, 5, "A")), spans((0, 5, "B")), [("label", "A", "B")]),
        (NER, spans((0, 5, "A")), spans((4, 9, "B")), [("both", "A", "B")]),
        # Touching is not overlapping.
        (
            NER,
            spans((0, 5, "A")),
            spans((5, 9, "A")),
            [("missed", "A", None), ("spurious", None, "A")],
        ),
        # One wanted, cut in two: the longer piece is its pair, the other one is too much.
        (
            NER,
            spans((0, 9, "A")),
            spans((0, 3, "A"), (4, 9, "A")),
            [("spurious", None, "A"), ("boundary", "A", "A")],
        ),
        # Two wanted, found as one.
        (
            NER,
            spans((0, 3, "A"), (4, 9, "A")),
            spans((0, 9, "A")),
            [("missed", "A", None), ("boundary", "A", "A")],
        ),
        # What is right is no partner for an error.
        (
            SPANCAT,
            spans((0, 5, "A")),
            spans((0, 5, "A"), (0, 5, "B")),
            [("spurious", None, "B")],
        ),
        # The same place comes before the same label.
        (
            SPANCAT,
            spans((0, 5, "A")),
            spans((0, 4, "A"), (0, 5, "B")),
            [("spurious", None, "A"), ("label", "A", "B")],
        ),
        # The same label comes before a larger overlap.
        (
            SPANCAT,
            spans((0, 9, "A")),
            spans((0, 8, "B"), (0, 3, "A")),
            [("spurious", None, "B"), ("boundary", "A", "A")],
        ),
        (LINKING, links((0, 2, "X")), links((0, 2, "Y")), [("label", "X", "Y")]),
        (LINKING, links((0, 2, "X")), links((0, 3, "X")), [("boundary", "X", "X")]),
        (LINKING, links((0, 2, NIL)), links((0, 2, None)), []),
        (LINKING, links((0, 2, "X")), links((0, 2, None)), [("label", "X", NIL)]),
        (LINKING, links((0, 2, None)), links(), [("missed", NIL, None)]),
        (EXCLUSIVE, cats("A"), cats("B"), [("label", "A", "B")]),
        (EXCLUSIVE, cats("A"), cats(), [("missed", "A", None)]),
        (EXCLUSIVE, cats(), cats("B"), [("spurious", None, "B")]),
        (SEVERAL, cats("A"), cats("B"), [("missed", "A", None), ("spurious", None, "B")]),
        (RELATIONS, relations((0, 1, 5, 6, "A")), relations((0, 1, 5, 6, "B")), [("label", *"AB")]),
        # Nearly the same mentions are not the same; neither is the other direction.
        (
            RELATIONS,
            relations((0, 2, 5, 6, "A")),
            relations((0, 1, 5, 6, "A")),
            [("spurious", None, "A"), ("missed", "A", None)],
        ),
        (
            RELATIONS,
            relations((0, 1, 5, 6, "A")),
            relations((5, 6, 0, 1, "A")),
            [("missed", "A", None), ("spurious", None, "A")],
        ),
    ],
)
def test_kinds(header: TaskHeader, wanted: Annotation, found: Annotation, errors: Any) -> None:
    assert short(find_errors(header, wanted, found)) == errors


def test_an_error_knows_its_spans() -> None:
    (error,) = find_errors(NER, spans((0, 5, "A")), spans((0, 9, "A")))
    assert error.wanted_span == SpanAnnotation(0, 5, "A")
    assert error.found_span == SpanAnnotation(0, 9, "A")
    (error,) = find_errors(EXCLUSIVE, cats("A"), cats("B"))
    assert (error.wanted, error.found) == (CategoryAnnotation("A"), CategoryAnnotation("B"))
    assert error.wanted_span is None and error.found_span is None


def test_counts_and_confusion() -> None:
    pairs = [
        (spans((0, 5, "B")), spans((0, 5, "A"))),
        (spans((0, 5, "A"), (7, 9, "A")), spans((0, 5, "B"))),
        (spans((0, 5, "A")), spans((1, 5, "B"), (7, 8, "B"))),
        (spans((0, 5, "A")), spans((0, 5, "A"))),
    ]
    errors = [e for wanted, found in pairs for e in find_errors(NER, wanted, found)]
    assert [(c.kind, c.label, c.count) for c in count_errors(errors)] == [
        ("missed", "A", 1),
        ("spurious", "B", 1),
        ("label", "A", 1),
        ("label", "B", 1),
        ("both", "A", 1),
    ]
    assert [(c.wanted, c.found, c.count) for c in confusion(errors)] == [
        ("A", "B", 2),
        ("B", "A", 1),
    ]
    assert count_errors([]) == () and confusion([]) == ()


offsets = st.tuples(st.integers(0, 9), st.integers(1, 4)).map(lambda p: (p[0], p[0] + p[1]))
scores = st.sampled_from([None, 0.5])
label = st.sampled_from("AB")
span_lists = st.lists(
    st.builds(lambda p, lab, s: SpanAnnotation(*p, lab, score=s), offsets, label, scores),
    max_size=7,
)
link_lists = st.lists(
    st.builds(
        lambda p, i: SpanAnnotation(*p, "P", kb_id=i), offsets, st.sampled_from(["X", NIL, None])
    ),
    max_size=7,
)
cat_lists = st.lists(st.builds(CategoryAnnotation, label), max_size=3)
relation_lists = st.lists(
    st.builds(lambda h, t, lab: RelationAnnotation(*h, *t, lab), offsets, offsets, label),
    max_size=5,
)


def annotations(header: TaskHeader) -> Any:
    if header.kind == "textcat":
        return cat_lists.map(lambda found: Annotation(cats=tuple(found)))
    if header.kind == "relations":
        return relation_lists.map(lambda found: Annotation(relations=tuple(found)))
    lists = link_lists if header.kind == "linking" else span_lists
    return lists.map(lambda found: Annotation(spans=tuple(found)))


cases = st.sampled_from([NER, SPANCAT, LINKING, RELATIONS, EXCLUSIVE, SEVERAL]).flatmap(
    lambda header: st.tuples(st.just(header), annotations(header), annotations(header))
)


@given(cases)
def test_the_errors_are_the_false_negatives_and_the_false_positives(case: Any) -> None:
    header, wanted, found = case
    errors = find_errors(header, wanted, found)
    counts = compare(wanted, found, header)
    negatives = Counter(e.wanted_label for e in errors if e.wanted is not None)
    positives = Counter(e.found_label for e in errors if e.found is not None)
    assert negatives == +Counter({name: c.fn for name, c in counts.items()})
    assert positives == +Counter({name: c.fp for name, c in counts.items()})
    assert sum(c.count for c in count_errors(errors)) == len(errors)


@given(cases)
def test_every_kind_means_what_it_says(case: Any) -> None:
    for e in find_errors(*case):
        assert e.kind in KINDS
        assert (e.wanted is None) == (e.kind == "spurious")
        assert (e.found is None) == (e.kind == "missed")
        assert e.label == (e.wanted_label or e.found_label)
        one, other = e.wanted_span, e.found_span
        if e.kind in ("label", "both"):
            assert e.wanted_label != e.found_label
        if one is not None and other is not None:
            assert one.start < other.end and other.start < one.end
            assert ((one.start, one.end) == (other.start, other.end)) == (e.kind == "label")
        if e.kind == "boundary":
            assert e.wanted_label == e.found_label


@given(cases, st.randoms())
def test_the_order_of_annotations_does_not_matter(case: Any, random: Any) -> None:
    header, wanted, found = case

    def shuffled(one: Annotation) -> Annotation:
        parts = [list(p) for p in (one.spans, one.cats, one.relations)]
        for part in parts:
            random.shuffle(part)
        return Annotation(*map(tuple, parts))

    def plain(errors: Any) -> Any:
        return [(e.kind, e.wanted_span and e.wanted_span.start, e.found_label) for e in errors]

    again = find_errors(header, shuffled(wanted), shuffled(found))
    assert plain(again) == plain(find_errors(header, wanted, found))


@given(cases)
def test_a_text_without_errors_is_one_with_all_right(case: Any) -> None:
    header, wanted, _ = case
    assert find_errors(header, wanted, wanted) == ()
