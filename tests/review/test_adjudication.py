"""Two versions side by side, kind by kind; and which texts wait for a third person."""

from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, Optional

import live
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_hitl.dataset.history import TaskHistory
from spacy_hitl.dataset.views import TrainingSet
from spacy_hitl.records import (
    NIL,
    Annotation,
    CategoryAnnotation,
    Decision,
    RelationAnnotation,
    SpanAnnotation,
    TaskHeader,
    TaskVersion,
)
from spacy_hitl.review.people.adjudication import (
    WAYS,
    Aligned,
    align,
    differ,
    disputed,
    own_versions,
)
from spacy_hitl.scoring.items import each, items_of

KINDS = ("ner", "spancat", "textcat", "linking", "relations")
HEADERS = {kind: TaskHeader(kind, kind, ("A", "B"), "d") for kind in KINDS}
NER, SPANCAT, TEXTCAT = HEADERS["ner"], HEADERS["spancat"], HEADERS["textcat"]
EXCLUSIVE = TaskHeader("mood", "textcat", ("A", "B"), "d", exclusive=True)


def spans(*found: Any) -> Annotation:
    return Annotation(spans=tuple(SpanAnnotation(*f) for f in found))


def links(*found: Any) -> Annotation:
    return Annotation(spans=tuple(SpanAnnotation(s, e, "M", kb_id=k) for s, e, k in found))


def cats(*labels: str) -> Annotation:
    return Annotation(cats=tuple(CategoryAnnotation(label) for label in labels))


def relations(*found: Any) -> Annotation:
    return Annotation(relations=tuple(RelationAnnotation(*f) for f in found))


def ways(first: Annotation, second: Annotation, header: TaskHeader) -> List[str]:
    return [a.way for a in align(first, second, header)]


@pytest.mark.parametrize("header", [NER, SPANCAT])
@pytest.mark.parametrize(
    "first, second, wanted",
    [
        ((0, 3, "A"), (0, 3, "A"), ["same"]),
        ((0, 3, "A"), (0, 3, "B"), ["label"]),
        ((0, 3, "A"), (0, 5, "A"), ["boundary"]),
        ((0, 3, "A"), (2, 5, "B"), ["label and boundary"]),
        ((0, 3, "A"), (3, 5, "A"), ["only first", "only second"]),
    ],
)
def test_spans(header: TaskHeader, first: Any, second: Any, wanted: List[str]) -> None:
    assert ways(spans(first), spans(second), header) == wanted
    assert ways(spans(first), spans(), header) == ["only first"]
    assert ways(spans(), spans(second), header) == ["only second"]


def test_items_are_paired_by_what_they_share_most() -> None:
    first = spans((0, 9, "A"), (10, 12, "B"))
    second = spans((0, 2, "A"), (3, 9, "A"), (10, 12, "B"))
    found = align(first, second, SPANCAT)
    assert found == (
        Aligned("only second", None, second.spans[0]),
        Aligned("boundary", first.spans[0], second.spans[1]),
        Aligned("same", first.spans[1], second.spans[2]),
    )


def test_several_labels_on_one_place() -> None:
    first, second = spans((0, 3, "A"), (0, 3, "B")), spans((0, 3, "B"), (0, 3, "C"))
    assert sorted(ways(first, second, SPANCAT)) == ["label", "same"]


def test_links_differ_by_their_ids() -> None:
    header = HEADERS["linking"]
    assert ways(links((0, 3, "K1")), links((0, 3, "K2")), header) == ["label"]
    assert ways(links((0, 3, NIL)), links((0, 3, None)), header) == ["same"]
    named = Annotation(spans=(SpanAnnotation(0, 3, "PHONE", kb_id="K1"),))
    assert ways(links((0, 3, "K1")), named, header) == ["same"]


def test_categories() -> None:
    assert ways(cats("A"), cats("B"), EXCLUSIVE) == ["label"]
    assert ways(cats("A"), cats("A"), EXCLUSIVE) == ["same"]
    assert ways(cats("A"), cats(), EXCLUSIVE) == ["only first"]
    assert ways(cats("A", "B"), cats("B", "C"), TEXTCAT) == ["same", "only first", "only second"]


@pytest.mark.parametrize(
    "second, wanted",
    [
        ((0, 3, 5, 7, "A"), ["same"]),
        ((0, 3, 5, 7, "B"), ["label"]),
        ((0, 3, 5, 9, "A"), ["boundary"]),
        ((0, 4, 5, 9, "B"), ["label and boundary"]),
        ((5, 7, 0, 3, "A"), ["direction"]),
        ((5, 7, 0, 3, "B"), ["only first", "only second"]),
        ((0, 3, 8, 9, "A"), ["only first", "only second"]),
    ],
)
def test_relations(second: Any, wanted: List[str]) -> None:
    found = ways(relations((0, 3, 5, 7, "A")), relations(second), HEADERS["relations"])
    assert sorted(found) == wanted


def test_scores_are_no_difference() -> None:
    scored = Annotation(spans=(SpanAnnotation(0, 3, "A", score=0.5, score_source="votes"),))
    assert not differ(scored, spans((0, 3, "A")), NER)


places = st.tuples(st.integers(0, 6), st.integers(1, 4), st.sampled_from("AB")).map(
    lambda p: (p[0], p[0] + p[1], p[2])
)
versions = st.lists(places, max_size=5, unique=True).map(lambda found: spans(*sorted(found)))
related = st.lists(
    st.tuples(*[st.integers(0, 3)] * 2, st.sampled_from("AB")).map(
        lambda p: (p[0], p[0] + 1, p[1], p[1] + 2, p[2])
    ),
    max_size=4,
    unique=True,
).map(lambda found: relations(*sorted(found)))
labels = st.sets(st.sampled_from("AB")).map(lambda found: cats(*sorted(found)))
pairs = st.one_of(
    st.tuples(st.just(SPANCAT), versions, versions),
    st.tuples(st.just(HEADERS["relations"]), related, related),
    st.tuples(st.just(TEXTCAT), labels, labels),
    st.tuples(st.just(EXCLUSIVE), labels, labels),
)


@given(pairs)
def test_every_item_is_there_once_and_the_versions_may_be_swapped(pair: Any) -> None:
    header, first, second = pair
    found = align(first, second, header)
    for side, version in (("first", first), ("second", second)):
        there = [getattr(a, side) for a in found if getattr(a, side) is not None]
        assert Counter(there) == Counter(each(version))
    assert all(a.way in (*WAYS, "same") for a in found)
    assert differ(first, second, header) == (items_of(first) != items_of(second))
    swap = {"only first": "only second", "only second": "only first"}
    turned = align(second, first, header)
    assert Counter(a.way for a in turned) == Counter(swap.get(a.way, a.way) for a in found)
    assert sum(a.way == "same" for a in found) == len(items_of(first) & items_of(second))


# Which texts wait for a third person

HISTORIES = {kind: TaskHistory(TaskVersion(header, "m"), {}) for kind, header in HEADERS.items()}
ONE, OTHER = spans((0, 3, "A")), spans((0, 3, "B"))


def decide(who: str, annotation: Optional[Annotation] = None, **values: Any) -> Decision:
    settings: Dict[str, Any] = {"task": "ner", "action": "accept", "origin": "person", **values}
    return Decision("text", annotator=who, task_digest="d", annotation=annotation, **settings)


def pair_of(*history: Decision) -> Any:
    made = {kind: [d for d in history if d.task == kind] for kind in ("ner", "textcat")}
    return disputed(made, HISTORIES)


def test_two_people_who_differ() -> None:
    history = [decide("bo", ONE), decide("ann", OTHER)]
    assert pair_of(*history) == ("ann", "bo")
    assert pair_of(decide("bo", ONE), decide("ann", ONE)) is None
    assert pair_of(decide("bo", ONE)) is None
    assert pair_of() is None


@pytest.mark.parametrize(
    "second",
    [
        decide("bo", OTHER, origin="import"),
        decide("bo", OTHER, labels=("B",)),
        decide("bo", OTHER, mode="adjudication"),
        decide("bo", action="reject"),
        decide("bo", action="skip"),
        decide("bo", action="flag"),
    ],
)
def test_what_is_no_version_of_a_person(second: Decision) -> None:
    assert pair_of(decide("ann", ONE), second) is None


def test_an_adjudication_settles_it_until_somebody_opens_it_again() -> None:
    history = [decide("ann", ONE), decide("bo", OTHER)]
    judged = decide("cy", spans((1, 3, "A")), mode="adjudication", uid="j")
    assert pair_of(*history, judged) is None
    # Somebody who answers later, not knowing of it, does not open it again.
    assert pair_of(*history, judged, decide("di", spans(), mode="routed")) is None
    taken_back = decide("cy", action="undo", uid="k", undoes="j")
    assert pair_of(*history, judged, taken_back) == ("ann", "bo")
    opened = decide("bo", spans((2, 3, "A")), mode="reopened")
    assert pair_of(*history, judged, opened) == ("ann", "bo")
    assert pair_of(*history, judged, decide("bo", ONE, mode="reopened")) is None


def test_one_of_several_tasks_is_enough_and_each_is_settled_by_itself() -> None:
    entities = [decide("ann", ONE), decide("bo", ONE)]
    topics = [decide("ann", cats("A"), task="textcat"), decide("bo", cats(), task="textcat")]
    assert pair_of(*entities, *topics) == ("ann", "bo")
    judged = decide("cy", cats("A"), task="textcat", mode="adjudication")
    assert pair_of(*entities, *topics, judged) is None
    # What only one of them decided is no dispute.
    assert pair_of(*entities, topics[0]) is None


def test_of_many_versions_the_two_that_most_people_share() -> None:
    rare, common = spans((5, 6, "A")), ONE
    history = [decide("ann", rare), decide("bo", common), decide("cy", OTHER)]
    history += [decide("di", common), decide("ed", OTHER)]
    assert pair_of(*history) == ("bo", "cy")


def test_the_versions_of_a_screen() -> None:
    history = [
        decide("ann", ONE),
        decide("bo", OTHER),
        decide("ann", OTHER, mode="adjudication"),
        decide("file", ONE, origin="import"),
    ]
    assert own_versions(history, HISTORIES["ner"]) == {"ann": ONE, "bo": OTHER}


# On the page

SAYS = {"ann": [[1, 2, "PHONE"]], "bo": [[1, 2, "MAKER"]]}


@pytest.mark.parametrize(
    "settled",
    [[[1, 2, "PHONE"]], [[1, 2, "MAKER"]], [[0, 2, "PHONE"], [3, 4, "MAKER"]], []],
    ids=["the first", "the second", "neither", "nothing"],
)
def test_what_is_settled_may_be_anything_valid(
    settled: List[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    live.write_project(train=1, gold=0, tasks=("product",), review={"overlap": 2})
    with live.server(annotators=tuple(SAYS)) as running:
        for name, spans in SAYS.items():
            client = running.client(name)
            (screen,) = client.next(1)["screens"]
            client.answer(live.answer_to(screen, tasks={"product": {"spans": spans}}))
    with live.server(annotators=("cy",), adjudicate=True) as running:
        client = running.client("cy")
        (screen,) = client.next(1)["screens"]
        shown = [v["tasks"]["product"]["spans"] for v in screen["versions"]]
        assert [[[s["start"], s["end"], s["label"]] for s in one] for one in shown] == [
            SAYS["ann"],
            SAYS["bo"],
        ]
        bad = live.answer_to(screen, tasks={"product": {"spans": [[0, 99, "PHONE"]]}})
        (refused,) = client.answer(bad)["refused"]
        assert "H205" in refused["error"]
        client.answer(live.answer_to(screen, tasks={"product": {"spans": settled}}))
        assert client.next(1)["screens"] == []
    with TrainingSet(Path("datasets/hitl.db")) as training:
        (row,) = list(training.task_rows("product"))
    assert row.decision is not None
    assert [s.label for s in row.decision.spans] == [label for _, _, label in settled]
