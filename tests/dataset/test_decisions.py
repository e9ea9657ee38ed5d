"""What stands, of all that was decided on a text: worked examples, and rules over any history."""

from dataclasses import replace
from itertools import combinations, permutations
from typing import Any, Dict, List, Optional, Sequence, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_hitl.dataset.decisions import (
    Standing,
    allowed_on_gold,
    live_decisions,
    open_labels,
    standing,
    standing_of,
)
from spacy_hitl.dataset.looks import overlay
from spacy_hitl.records import (
    MODES,
    NOTHING,
    Annotation,
    CategoryAnnotation,
    Decision,
    Look,
    PartialDecision,
    RelationAnnotation,
    SpanAnnotation,
    TaskHeader,
)

LABELS = ("A", "B", "C")
HEADERS = {
    kind: TaskHeader("t", kind, LABELS, "d") for kind in ("ner", "spancat", "textcat", "relations")
}
NER, SPANCAT, TEXTCAT = HEADERS["ner"], HEADERS["spancat"], HEADERS["textcat"]
EXCLUSIVE = replace(TEXTCAT, exclusive=True)
Range = Tuple[int, int]


def spans(*found: Tuple[int, int, str]) -> Annotation:
    return Annotation(spans=tuple(SpanAnnotation(*f) for f in found))


def cats(labels: Sequence[str]) -> Annotation:
    return Annotation(cats=tuple(CategoryAnnotation(label) for label in labels))


def make(
    action: str = "accept", annotation: Optional[Annotation] = None, **values: Any
) -> Decision:
    who = values.pop("who", "ann")
    values.setdefault("annotation", annotation)
    return Decision("text", "t", action, who, "person", "d", **values)


def core(found: Optional[Standing]) -> Any:
    """What stands, without whether somebody saw a proposal."""
    return None if found is None else (found.parts, found.annotation, found.partial)


# Worked examples


ONE, OTHER = spans((0, 3, "A")), spans((4, 7, "B"))


def test_nobody_answered() -> None:
    assert standing([]) is None
    assert standing([make("skip")]) is None
    assert standing_of([make("skip")]) == {}


def test_the_last_answer_counts_whoever_gave_it() -> None:
    found = standing([make(annotation=ONE), make(annotation=OTHER, who="bo")])
    assert found is not None and found.annotation == OTHER and found.last.annotator == "bo"
    each = standing_of([make(annotation=ONE), make(annotation=OTHER, who="bo"), make("skip")])
    assert {name: s.annotation for name, s in each.items()} == {"ann": ONE, "bo": OTHER}


def test_nothing_accepted_is_an_answer_too() -> None:
    found = standing([make(annotation=None)])
    assert found is not None and found.annotation == NOTHING


@pytest.mark.parametrize("action", ["reject", "flag"])
def test_refused_texts_have_no_annotation(action: str) -> None:
    found = standing([make(annotation=ONE), make(action, who="bo")])
    assert found is not None and (found.annotation, found.partial) == (None, None)
    assert (found.rejected, found.put_aside) == (action == "reject", action == "flag")
    assert open_labels(found, NER) == frozenset()


def test_a_mark_on_an_accepted_text_does_not_put_it_aside() -> None:
    found = standing([make(annotation=ONE, flagged=True, note="sure?")])
    assert found is not None and found.annotation == ONE and not found.put_aside


def test_an_undo_without_an_aim_takes_nothing_back() -> None:
    """Imported decisions have no uid; an undo that names none must not reach them."""
    history = [make(annotation=ONE), make("undo", uid="u")]
    assert live_decisions(history) == history[:1]


def test_an_undo_is_not_taken_back() -> None:
    first = make(annotation=ONE, uid="u1")
    history = [first, make("undo", uid="u2", undoes="u1"), make("undo", uid="u3", undoes="u2")]
    assert standing(history) is None
    again = replace(first, uid="u4")
    found = standing([*history, again])
    assert found is not None and found.parts == (again,)


def test_nobody_takes_back_what_others_decided() -> None:
    history = [make(annotation=ONE, uid="u1"), make("undo", uid="u2", undoes="u1", who="bo")]
    assert core(standing(history)) == core(standing(history[:1]))


def test_passes_over_single_labels_are_whole_when_all_were_looked_at() -> None:
    passes = [
        make(annotation=spans((0, 3, "A")), labels=("A",)),
        make(annotation=NOTHING, labels=("B",)),
        make(annotation=spans((8, 9, "C")), labels=("C",), who="bo"),
    ]
    for some in (passes[:1], passes[:2]):
        found = standing(some, NER)
        assert found is not None and found.annotation is None and found.partial is not None
        assert open_labels(found, NER) == {"A", "B", "C"} - {d.labels[0] for d in some if d.labels}
    whole = standing(passes, NER)
    assert whole is not None and whole.annotation == spans((0, 3, "A"), (8, 9, "C"))
    # Who does not know the labels of the task can't say that it is whole.
    unsure = standing(passes)
    assert unsure is not None and unsure.annotation is None and unsure.partial is not None
    assert unsure.partial.labels == LABELS


def test_a_propagated_place_on_a_whole_decision() -> None:
    whole = make(annotation=spans((0, 3, "A"), (4, 7, "B")))
    place = make(annotation=spans((4, 7, "C")), ranges=((4, 7),), mode="propagated", uid="p")
    found = standing([whole, place], NER)
    assert found is not None and found.annotation == spans((0, 3, "A"), (4, 7, "C"))
    assert found.parts == (whole, place) and not found.blind
    none_here = replace(place, annotation=NOTHING)
    assert core(standing([whole, none_here], NER))[1] == spans((0, 3, "A"))
    undone = [whole, place, make("undo", uid="q", undoes="p")]
    assert core(standing(undone, NER)) == core(standing([whole], NER))


def test_a_propagated_place_on_an_undecided_text() -> None:
    place = make(annotation=spans((4, 7, "C")), ranges=((4, 7),), mode="propagated", uid="p")
    found = standing([place], NER)
    partial = PartialDecision(spans((4, 7, "C")), (Look(None, ((4, 7),)),))
    assert found is not None and (found.annotation, found.partial) == (None, partial)
    assert open_labels(found, NER) == set(LABELS)
    proposal = spans((0, 3, "A"), (4, 7, "B"), (6, 9, "A"))
    assert overlay(proposal, partial, NER) == spans((0, 3, "A"), (4, 7, "C"))


def test_labels_and_stretches_stay_apart() -> None:
    """A pass over A, and a place: B was looked for at the place only, A everywhere."""
    history = [
        make(annotation=spans((0, 3, "A")), labels=("A",)),
        make(annotation=spans((4, 7, "B")), ranges=((4, 7),)),
    ]
    found = standing(history, SPANCAT)
    assert found is not None and found.partial is not None
    assert (found.partial.labels, found.partial.ranges) == (("A",), ((4, 7),))
    assert found.partial.annotation == spans((0, 3, "A"), (4, 7, "B"))
    base = spans((0, 3, "B"), (4, 7, "C"), (8, 9, "A"))
    assert overlay(base, found.partial, SPANCAT) == spans((0, 3, "A"), (0, 3, "B"), (4, 7, "B"))


def test_what_a_decision_holds_outside_of_its_look_is_not_decided() -> None:
    found = standing([make(annotation=spans((0, 3, "A"), (4, 7, "B")), labels=("A",))], NER)
    assert found is not None and found.partial is not None
    assert found.partial.annotation == spans((0, 3, "A"))


@pytest.mark.parametrize("action", ["reject", "flag"])
@pytest.mark.parametrize("values", [{"labels": ("A",)}, {"ranges": ((0, 3),)}])
def test_a_partial_look_does_not_bring_back_a_refused_text(action: str, values: Any) -> None:
    refused = make(action, uid="r")
    look = make(annotation=ONE, **values)
    assert core(standing([refused, look], NER)) == core(standing([refused], NER))
    undone = [refused, look, make("undo", uid="u", undoes="r")]
    assert core(standing(undone, NER)) == core(standing([look], NER))


def test_an_adjudication_gives_way_to_those_who_know_it_only() -> None:
    history = [make(annotation=ONE), make(annotation=OTHER, who="bo")]
    judged = make(annotation=ONE, who="cy", mode="adjudication")
    for mode in MODES:
        late = make(annotation=NOTHING, who="di", mode=mode)
        found = standing([*history, judged, late], NER)
        assert found is not None
        stays = mode in ("blind", "calibration", "routed", "random", "bulk")
        assert found.annotation == (ONE if stays else NOTHING), mode


def test_bulk_never_replaces_anything() -> None:
    bulk = make(annotation=OTHER, mode="bulk", uid="b", who="ann")
    for before in (make(annotation=ONE), make("reject"), make(annotation=ONE, labels=("A",))):
        assert core(standing([before, bulk], NER)) == core(standing([before], NER))
    alone = standing([make("skip"), bulk], NER)
    assert alone is not None and alone.annotation == OTHER and alone.bulk and not alone.blind
    looked_at = standing([bulk, make(annotation=ONE)], NER)
    assert looked_at is not None and looked_at.annotation == ONE and not looked_at.bulk


def test_only_one_category_of_an_exclusive_task_holds() -> None:
    yes = {label: make(annotation=cats(label), labels=(label,)) for label in LABELS}
    no = {label: make(annotation=NOTHING, labels=(label,)) for label in LABELS}
    whole = make(annotation=cats("A"))
    found = standing([whole, yes["B"]], EXCLUSIVE)
    assert found is not None and found.annotation == cats("B")
    assert core(standing([whole, no["B"]], EXCLUSIVE))[1] == cats("A")
    # Which one holds instead of the only one was not said.
    open_again = standing([whole, no["A"]], EXCLUSIVE)
    assert open_again is not None and open_again.annotation is None
    assert open_labels(open_again, EXCLUSIVE) == {"B", "C"}
    decided = standing([no["A"], yes["B"], no["C"]], EXCLUSIVE)
    assert decided is not None and decided.annotation == cats("B")
    none = standing(list(no.values()), EXCLUSIVE)
    assert none is not None and none.annotation is None
    assert open_labels(none, EXCLUSIVE) == set(LABELS)
    # With several categories each stands for itself.
    both = standing([whole, yes["B"]], TEXTCAT)
    assert both is not None and both.annotation == cats("AB")


def test_a_stretch_decides_on_no_category() -> None:
    place = make(annotation=cats("B"), ranges=((0, 3),))
    assert core(standing([make(annotation=cats("A")), place], TEXTCAT))[1] == cats("A")


def test_relations_are_looked_at_with_their_mentions() -> None:
    near, far = RelationAnnotation(0, 3, 4, 7, "A"), RelationAnnotation(8, 9, 10, 11, "A")
    whole = make(annotation=Annotation(relations=(near, far)))
    other = replace(near, label="B")
    place = make(annotation=Annotation(relations=(other,)), ranges=((4, 7),))
    found = standing([whole, place], HEADERS["relations"])
    assert found is not None and found.annotation == Annotation(relations=(other, far))


def test_links_are_told_apart_by_their_ids() -> None:
    header = TaskHeader("t", "linking", ("K1", "K2"), "d")
    link = SpanAnnotation(0, 3, "MENTION", kb_id="K1")
    place = make(annotation=Annotation(spans=(replace(link, kb_id="K2"),)), ranges=((0, 3),))
    found = standing([make(annotation=Annotation(spans=(link,))), place], header)
    assert found is not None and found.annotation == place.annotation


@pytest.mark.parametrize(
    "history, blind",
    [
        ([make(annotation=ONE)], True),
        ([make(annotation=ONE, saw_proposal="model")], False),
        ([make(annotation=ONE, saw_proposal="model"), make(annotation=ONE)], False),
        ([make("skip", saw_proposal="model"), make(annotation=ONE)], False),
        ([make(annotation=ONE, saw_proposal="model", who="bo"), make(annotation=ONE)], True),
        ([make(annotation=ONE), make(annotation=ONE, saw_proposal="model", who="bo")], False),
        (
            [
                make(annotation=ONE, saw_proposal="model", uid="u"),
                make("undo", uid="v", undoes="u"),
                make(annotation=ONE),
            ],
            False,
        ),
    ],
)
def test_who_has_seen_a_proposal_is_not_blind_any_more(
    history: List[Decision], blind: bool
) -> None:
    found = standing(history)
    assert found is not None and found.blind == blind


def test_a_file_in_any_part_makes_it_a_files() -> None:
    whole = replace(make(annotation=ONE), origin="import")
    place = make(annotation=NOTHING, ranges=((0, 3),))
    assert [s.origin for s in (standing([whole]), standing([whole, place])) if s] == ["import"] * 2
    mine = standing([whole, make(annotation=ONE)])
    assert mine is not None and mine.origin == "person"


# Rules over any history

texts = st.integers(0, 5)  # a text of six characters, each of which may be a span
cells = st.tuples(texts, st.sampled_from(LABELS))
unit_spans = st.sets(cells, max_size=6).map(
    lambda found: spans(*((i, i + 1, label) for i, label in sorted(found)))
)
label_sets = st.sets(st.sampled_from(LABELS), min_size=1).map(lambda s: tuple(sorted(s)))
ranges = st.lists(
    st.tuples(texts, texts).map(lambda r: (min(r), max(r) + 1)), min_size=1, max_size=2
).map(tuple)
uids = st.sampled_from([None, "u1", "u2", "u3", "u4"])
accepts = st.builds(
    make,
    annotation=unit_spans,
    labels=st.none() | label_sets,
    ranges=st.none() | ranges,
    who=st.sampled_from(["ann", "bo"]),
    uid=uids,
    saw_proposal=st.sampled_from([None, "model"]),
)
answers = st.one_of(
    accepts,
    accepts,
    st.builds(
        make,
        st.sampled_from(["reject", "flag", "skip"]),
        who=st.sampled_from(["ann", "bo"]),
        uid=uids,
    ),
)
histories = st.lists(answers, max_size=8)
Cells = Dict[Tuple[int, str], bool]


def known_cells(history: List[Decision]) -> Tuple[Cells, bool]:
    """What is known of each (character, label), and whether the text was refused: the oracle."""
    known: Cells = {}
    refused = False
    for d in history:
        if d.action in ("reject", "flag"):
            known, refused = {}, True
        if d.action != "accept":
            continue
        whole = d.labels is None and d.ranges is None
        if refused and not whole:
            continue
        refused = False
        found = {(s.start, s.label) for s in (d.annotation or NOTHING).spans}
        for i in range(6):
            for label in LABELS:
                here = d.ranges is None or any(s <= i < e for s, e in d.ranges)
                if here and (d.labels is None or label in d.labels):
                    known[i, label] = (i, label) in found
    return known, refused


def looked_at(looks: Sequence[Look]) -> "set[Tuple[int, str]]":
    return {
        (i, label)
        for look in looks
        for i in range(6)
        for label in LABELS
        if (look.labels is None or label in look.labels)
        and (look.ranges is None or any(s <= i < e for s, e in look.ranges))
    }


@given(histories)
def test_every_place_and_label_is_as_it_was_last_looked_at(history: List[Decision]) -> None:
    found = standing(history, SPANCAT)
    known, refused = known_cells(history)
    if found is None:
        assert not known and not refused
        return
    assert refused == (found.rejected or found.put_aside)
    holds = {cell for cell, value in known.items() if value}
    if found.annotation is not None:
        assert len(known) == 6 * len(LABELS)
        assert {(s.start, s.label) for s in found.annotation.spans} == holds
    elif found.partial is not None:
        assert looked_at(found.partial.looks) == set(known)
        assert {(s.start, s.label) for s in found.partial.annotation.spans} == holds
        assert open_labels(found, SPANCAT) >= {label for i, label in all_cells() - set(known)}
    else:
        assert refused


def all_cells() -> "set[Tuple[int, str]]":
    return {(i, label) for i in range(6) for label in LABELS}


@given(histories, unit_spans)
def test_where_nobody_looked_the_base_stays(history: List[Decision], base: Annotation) -> None:
    found = standing(history, SPANCAT)
    if found is None or found.partial is None:
        return
    known, _ = known_cells(history)
    result = {(s.start, s.label) for s in overlay(base, found.partial, SPANCAT).spans}
    before = {(s.start, s.label) for s in base.spans}
    for cell in all_cells():
        assert (cell in result) == known.get(cell, cell in before)
    again = overlay(overlay(base, found.partial, SPANCAT), found.partial, SPANCAT)
    assert again == overlay(base, found.partial, SPANCAT)


@given(st.permutations(LABELS), st.lists(unit_spans, min_size=3, max_size=3), st.integers(1, 3))
def test_passes_over_labels_come_in_any_order(
    order: List[str], found: List[Annotation], size: int
) -> None:
    passes = [
        make(annotation=annotation, labels=(label,))
        for label, annotation in list(zip(order, found, strict=True))[:size]
    ]
    results = [standing(list(some), SPANCAT) for some in permutations(passes)]
    assert len({repr((s.annotation, s.partial)) for s in results if s is not None}) == 1
    first = results[0]
    assert first is not None and (first.annotation is not None) == (size == len(LABELS))


@given(histories, st.data())
def test_skips_change_nothing_wherever_they_are(history: List[Decision], data: Any) -> None:
    place = data.draw(st.integers(0, len(history)))
    skip = make("skip", who=data.draw(st.sampled_from(["ann", "bo", "cy"])))
    with_skip = [*history[:place], skip, *history[place:]]
    assert core(standing(with_skip, SPANCAT)) == core(standing(history, SPANCAT))


@given(histories, st.sampled_from(["u1", "u2", "u3"]), st.sampled_from(["ann", "bo"]), st.data())
def test_taking_back_is_as_if_it_had_never_been(
    history: List[Decision], uid: str, who: str, data: Any
) -> None:
    """A group (several decisions of one uid) goes as one, wherever the undo stands."""
    undo = make("undo", who=who, uid="z", undoes=uid)
    place = data.draw(st.integers(0, len(history)))
    with_undo = [*history[:place], undo, *history[place:]]
    without = [d for d in history if (d.annotator, d.uid) != (who, uid)]
    assert core(standing(with_undo, SPANCAT)) == core(standing(without, SPANCAT))


@given(histories)
def test_each_annotator_alone(history: List[Decision]) -> None:
    found = standing_of(history, SPANCAT)
    for name in ("ann", "bo"):
        alone = standing([d for d in history if d.annotator == name], SPANCAT)
        assert found.get(name) == alone
    assert set(found) <= {"ann", "bo"}


long_spans = st.lists(
    st.tuples(texts, texts, st.sampled_from(LABELS)).map(
        lambda s: (min(s[:2]), max(s[:2]) + 1, s[2])
    ),
    max_size=4,
)


def disjoint(found: List[Tuple[int, int, str]]) -> Annotation:
    kept: List[Tuple[int, int, str]] = []
    for s in found:
        if all(s[1] <= o[0] or o[1] <= s[0] for o in kept):
            kept.append(s)
    return spans(*sorted(kept))


@st.composite
def entity_answers(draw: Any) -> Decision:
    """The whole text, a pass over one label, or a place with what is there."""
    found = draw(long_spans.map(disjoint)).spans
    kind = draw(st.sampled_from(["whole", "label", "place"]))
    if kind == "whole" or not found:
        return make(annotation=Annotation(spans=found))
    if kind == "label":
        label = found[0].label
        kept = tuple(s for s in found if s.label == label)
        return make(annotation=Annotation(spans=kept), labels=(label,))
    return make(annotation=Annotation(spans=found[:1]), ranges=((found[0].start, found[0].end),))


@given(st.lists(entity_answers(), min_size=1, max_size=6), long_spans.map(disjoint))
def test_entities_never_overlap(history: List[Decision], proposal: Annotation) -> None:
    found = standing(history, NER)
    assert found is not None
    shown = [found.annotation or NOTHING]
    if found.partial is not None:
        shown = [found.partial.annotation, overlay(proposal, found.partial, NER)]
    for annotation in shown:
        for one, other in combinations(annotation.spans, 2):
            assert one.end <= other.start or other.end <= one.start
        assert list(annotation.spans) == sorted(annotation.spans)


def test_a_later_entity_pushes_away_what_it_overlaps_with() -> None:
    first = make(annotation=spans((0, 3, "A"), (5, 6, "A")), labels=("A",))
    second = make(annotation=spans((2, 4, "B")), labels=("B",))
    for header, wanted in ((NER, [(2, 4), (5, 6)]), (SPANCAT, [(0, 3), (2, 4), (5, 6)])):
        found = standing([first, second], header)
        assert found is not None and found.partial is not None
        assert [(s.start, s.end) for s in found.partial.annotation.spans] == wanted


looks = st.tuples(st.none() | label_sets, st.none() | ranges).filter(any)


@given(st.lists(looks, min_size=1, max_size=4), st.randoms())
def test_what_was_looked_at_has_one_form_whatever_the_order(found: List[Any], random: Any) -> None:
    history = [make(annotation=NOTHING, labels=labels, ranges=rs) for labels, rs in found]
    one, other = (
        standing(some, SPANCAT) for some in (history, random.sample(history, len(history)))
    )
    assert one is not None and other is not None
    assert (one.annotation, one.partial) == (other.annotation, other.partial)
    again = standing([*history, *history], SPANCAT)
    assert again is not None and again.partial == one.partial


def test_a_stretch_says_nothing_new_about_a_label_that_was_looked_for_everywhere() -> None:
    history = [
        make(annotation=NOTHING, labels=("A", "B"), ranges=((0, 3),)),
        make(annotation=NOTHING, labels=("A",)),
    ]
    found = standing(history, SPANCAT)
    assert found is not None and found.partial is not None
    assert found.partial.looks == (Look(("A",)), Look(("B",), ((0, 3),)))


@given(histories)
def test_what_stands_is_made_of_its_parts(history: List[Decision]) -> None:
    found = standing(history, SPANCAT)
    if found is None:
        return
    places = [next(i for i, d in enumerate(history) if d is part) for part in found.parts]
    assert places == sorted(places)
    again = standing(found.parts, SPANCAT)
    assert core(again) == core(found)


@given(st.lists(st.sampled_from(MODES)))
def test_on_gold_only_what_was_read_counts(modes: List[str]) -> None:
    history = [make(annotation=ONE, mode=mode) for mode in modes]
    kept = [d.mode for d in allowed_on_gold(history)]
    assert kept == [m for m in modes if m not in ("propagated", "consistency", "bulk")]
