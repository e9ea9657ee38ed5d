"""Change of plan: what old decisions still say, kind by kind, and that no change invents a look."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Set, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_hitl.dataset.changes import AGAIN, HOLDS, IN_PART, check_changes, since
from spacy_hitl.dataset.decisions import open_labels
from spacy_hitl.dataset.exchange import dump, load
from spacy_hitl.dataset.history import HistorySummary, TaskHistory, summarise
from spacy_hitl.dataset.reviews import add_preference, preferences
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.dataset.task_versions import (
    add_versions,
    decisions_by_text,
    read_histories,
    read_versions,
    remember,
)
from spacy_hitl.io import text_digest, write_jsonl
from spacy_hitl.records import (
    NIL,
    NOTHING,
    Annotation,
    CategoryAnnotation,
    Decision,
    Preference,
    RelationAnnotation,
    Row,
    SpanAnnotation,
    TaskChanges,
    TaskHeader,
    TaskVersion,
)
from spacy_hitl.settings import LaneSettings, Settings
from spacy_hitl.tasks.linking.task import make_linking_task
from spacy_hitl.tasks.ner.task import make_ner_task
from spacy_hitl.tasks.relations.task import make_relations_task
from spacy_hitl.tasks.textcat.task import make_textcat_task

NONE = TaskChanges()


def version(
    digest: str,
    labels: Sequence[str],
    changes: TaskChanges = NONE,
    *,
    kind: str = "ner",
    meaning: Optional[str] = None,
    **values: Any,
) -> TaskVersion:
    header = TaskHeader("t", kind, tuple(labels), digest, **values)
    return TaskVersion(header, meaning or digest, changes)


def history(now: TaskVersion, *then: TaskVersion) -> TaskHistory:
    return TaskHistory(now, {v.header.task_digest: v for v in then})


def spans(*labels: str) -> Annotation:
    """One span per label, side by side."""
    found = (SpanAnnotation(2 * i, 2 * i + 1, label) for i, label in enumerate(labels))
    return Annotation(spans=tuple(found))


def cats(*labels: str) -> Annotation:
    return Annotation(cats=tuple(CategoryAnnotation(label) for label in labels))


def links(*ids: str) -> Annotation:
    found = (SpanAnnotation(2 * i, 2 * i + 1, "M", kb_id=id_) for i, id_ in enumerate(ids))
    return Annotation(spans=tuple(found))


def decide(annotation: Optional[Annotation], digest: str = "old", **values: Any) -> Decision:
    action = values.pop("action", "accept")
    return Decision("text", "t", action, "ann", "person", digest, annotation, **values)


Case = Tuple[str, Sequence[str], Sequence[str], TaskChanges, Annotation, str, Any, Any]
CASES: List[Case] = [
    # what, labels then, labels now, changes, decided, state, what is left, labels looked at
    ("nothing", "AB", "AB", NONE, spans("A", "B"), HOLDS, spans("A", "B"), None),
    ("reordered", "AB", "BA", NONE, spans("A"), HOLDS, spans("A"), None),
    ("added", "A", "AB", NONE, spans("A"), IN_PART, spans("A"), ("A",)),
    ("added, none found", "A", "AB", NONE, NOTHING, IN_PART, NOTHING, ("A",)),
    ("removed", "AB", "A", NONE, spans("A", "B"), HOLDS, spans("A"), None),
    ("renamed", "A", "N", TaskChanges({"A": "N"}), spans("A"), HOLDS, spans("N"), None),
    ("renamed, not said", "AB", "NB", NONE, spans("B", "A"), IN_PART, spans("B"), ("B",)),
    ("all renamed, not said", "A", "N", NONE, spans("A"), AGAIN, None, None),
    (
        *("renamed twice", "A", "O", TaskChanges({"A": "N", "N": "O"})),
        *(spans("A"), HOLDS, spans("O"), None),
    ),
    (
        *("merged", "ABC", "NC", TaskChanges({"A": "N", "B": "N"})),
        *(spans("A", "B", "C"), HOLDS, spans("N", "N", "C"), None),
    ),
    (
        *("merged into one that stays", "AB", "A", TaskChanges({"B": "A"})),
        *(spans("A", "B"), HOLDS, spans("A", "A"), None),
    ),
    (
        # Nobody had looked for B, which is a part of N.
        *("merged, half of it is new", "AC", "NC", TaskChanges({"A": "N", "B": "N"})),
        *(
            spans("A", "C"),
            IN_PART,
            Annotation((SpanAnnotation(0, 1, "N"), SpanAnnotation(2, 3, "C"))),
            ("C",),
        ),
    ),
    (
        *("split, text has it", "AB", "XYB", TaskChanges(split={"A": ("X", "Y")})),
        *(spans("B", "A"), IN_PART, spans("B"), ("B",)),
    ),
    (
        *("split, text has it not", "AB", "XYB", TaskChanges(split={"A": ("X", "Y")})),
        *(spans("B"), HOLDS, spans("B"), None),
    ),
    (
        *("split, the name stays for a part", "AB", "AYB", TaskChanges(split={"A": ("A", "Y")})),
        *(spans("B", "A"), IN_PART, spans("B"), ("B",)),
    ),
    (
        *("meaning changed", "AB", "AB", TaskChanges(recheck=("A",))),
        *(spans("B", "A"), IN_PART, spans("B"), ("B",)),
    ),
    ("all meanings changed", "A", "A", TaskChanges(recheck=("A",)), spans("A"), AGAIN, None, None),
    (
        *("renamed, and its meaning changed", "AB", "NB", TaskChanges({"A": "N"}, recheck=("N",))),
        *(spans("B", "A"), IN_PART, spans("B"), ("B",)),
    ),
    (
        *("meaning changed, then renamed", "AB", "NB", TaskChanges({"A": "N"}, recheck=("A",))),
        *(spans("B", "A"), IN_PART, spans("B"), ("B",)),
    ),
    (
        *("a name used again for something else", "AB", "NAB", TaskChanges({"A": "N"})),
        *(spans("B", "A"), IN_PART, spans("B", "N"), ("N", "B")),
    ),
]


@pytest.mark.parametrize("kind", ["ner", "spancat"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_spans(case: Case, kind: str) -> None:
    _, then, now, changes, decided, state, left, labels = case
    tasks = history(version("new", now, changes, kind=kind), version("old", then, kind=kind))
    held = tasks.holds(decide(decided))
    assert held.state == state and held.older and not held.unknown
    if left is None:
        assert held.decision is None
        assert tasks.standing([decide(decided)]) is None
    else:
        assert held.decision is not None
        assert (held.decision.annotation, held.decision.labels) == (left, labels)
        assert (held.decision.task_digest, held.decision.annotator) == ("old", "ann")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_relations(case: Case) -> None:
    def related(annotation: Annotation) -> Annotation:
        found = (RelationAnnotation(s.start, s.end, 90, 91, s.label) for s in annotation.spans)
        return Annotation(relations=tuple(found))

    _, then, now, changes, decided, state, left, labels = case
    versions = (
        version("new", now, changes, kind="relations"),
        version("old", then, kind="relations"),
    )
    held = history(*versions).holds(decide(related(decided)))
    assert held.state == state
    if held.decision is not None:
        assert (held.decision.annotation, held.decision.labels) == (related(left), labels)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_categories_of_which_several_may_hold(case: Case) -> None:
    def labels_of(annotation: Annotation) -> Set[str]:
        return {s.label for s in annotation.spans}

    _, then, now, changes, decided, state, left, labels = case
    versions = version("new", now, changes, kind="textcat"), version("old", then, kind="textcat")
    held = history(*versions).holds(decide(cats(*sorted(labels_of(decided)))))
    assert held.state == state
    if held.decision is not None and held.decision.annotation is not None:
        found = [c.label for c in held.decision.annotation.cats]
        assert set(found) == labels_of(left) and len(found) == len(set(found))
        assert found == [label for label in now if label in found]
        assert held.decision.labels == labels


X_OUT_OF_A = TaskChanges(split={"A": ("A1", "A2")})


@pytest.mark.parametrize(
    "then, now, changes, chosen, state, left, to_look_at",
    [
        ("AB", "AB", NONE, "A", HOLDS, "A", ""),
        ("AB", "NB", TaskChanges({"A": "N"}), "A", HOLDS, "N", ""),
        ("ABC", "NC", TaskChanges({"A": "N", "B": "N"}), "B", HOLDS, "N", ""),
        # An added class: A may be C now. The old choice waits for a look at C.
        ("AB", "ABC", NONE, "A", IN_PART, "A", "C"),
        ("ABC", "AB", NONE, "A", HOLDS, "A", ""),
        ("ABC", "AB", NONE, "C", AGAIN, None, "AB"),
        ("AB", ("A1", "A2", "B"), X_OUT_OF_A, "B", HOLDS, "B", ""),
        ("AB", ("A1", "A2", "B"), X_OUT_OF_A, "A", IN_PART, "", ("A1", "A2")),
        ("AB", "AB", TaskChanges(recheck=("A",)), "A", IN_PART, "", "A"),
        ("AB", "AB", TaskChanges(recheck=("A",)), "B", IN_PART, "B", "A"),
    ],
)
def test_categories_of_which_one_holds(
    then: Sequence[str],
    now: Sequence[str],
    changes: TaskChanges,
    chosen: str,
    state: str,
    left: Optional[str],
    to_look_at: Sequence[str],
) -> None:
    values = {"kind": "textcat", "exclusive": True}
    tasks = history(version("new", now, changes, **values), version("old", then, **values))
    held = tasks.holds(decide(cats(chosen)))
    assert held.state == state
    if left is None:
        assert held.decision is None
    else:
        assert held.decision is not None and held.decision.annotation == cats(*left)
    found = tasks.standing([decide(cats(chosen))])
    assert open_labels(found, tasks.header) == set(to_look_at)


def test_a_look_at_the_added_class_settles_the_old_choice() -> None:
    values = {"kind": "textcat", "exclusive": True}
    tasks = history(version("new", "ABC", **values), version("old", "AB", **values))
    old = decide(cats("A"))
    no, yes = (decide(a, "new", labels=("C",)) for a in (NOTHING, cats("C")))
    kept, changed = tasks.standing([old, no]), tasks.standing([old, yes])
    assert kept is not None and kept.annotation == cats("A")
    assert changed is not None and changed.annotation == cats("C")


@pytest.mark.parametrize(
    "now, changes, decided, state, left, ranges",
    [
        (("K1", "K2", "K3"), NONE, links("K1", NIL), HOLDS, links("K1", NIL), None),
        (("K1",), NONE, links("K1", "K1"), HOLDS, links("K1", "K1"), None),
        (("K1",), NONE, links("K1", "K2", NIL), IN_PART, [("K1", 0), (NIL, 4)], ((0, 1), (4, 5))),
        (("K1",), NONE, links("K2"), AGAIN, None, None),
        (("K1",), TaskChanges({"K2": "K1"}), links("K2"), HOLDS, links("K1"), None),
        (("K1",), TaskChanges({"K2": NIL}), links("K2"), HOLDS, links(NIL), None),
        (
            ("K1", "K2"),
            TaskChanges(recheck=(NIL,)),
            links("K1", NIL),
            IN_PART,
            [("K1", 0)],
            ((0, 1),),
        ),
        (
            ("K1", "K2"),
            TaskChanges(recheck=("K2",)),
            links("K1", "K2"),
            IN_PART,
            [("K1", 0)],
            ((0, 1),),
        ),
        (("K1",), NONE, NOTHING, HOLDS, NOTHING, None),
    ],
)
def test_links(
    now: Sequence[str],
    changes: TaskChanges,
    decided: Annotation,
    state: str,
    left: Any,
    ranges: Any,
) -> None:
    tasks = history(
        version("new", now, changes, kind="linking"), version("old", ("K1", "K2"), kind="linking")
    )
    held = tasks.holds(decide(decided))
    assert held.state == state
    if isinstance(left, list):
        left = Annotation(spans=tuple(SpanAnnotation(i, i + 1, "M", kb_id=k) for k, i in left))
    if left is None:
        assert held.decision is None
    else:
        assert held.decision is not None
        assert (held.decision.annotation, held.decision.ranges) == (left, ranges)


def test_the_present_task_holds_as_it_is() -> None:
    tasks = history(version("new", "AB", TaskChanges(recheck=("A",))), version("old", "AB"))
    held = tasks.holds(decide(spans("A"), "new"))
    assert (held.state, held.older, held.unknown) == (HOLDS, False, False)
    assert held.decision == decide(spans("A"), "new")


def test_another_prompt_alone_changes_nothing() -> None:
    tasks = history(version("new", "AB", meaning="m"), version("old", "AB", meaning="m"))
    held = tasks.holds(decide(spans("A")))
    assert (held.state, held.older) == (HOLDS, False)
    told = history(version("new", "AB", meaning="m2"), version("old", "AB", meaning="m"))
    held = told.holds(decide(spans("A")))
    assert (held.state, held.older) == (HOLDS, True)


@pytest.mark.parametrize("action", ["reject", "flag", "skip"])
def test_what_is_no_annotation_stays(action: str) -> None:
    tasks = history(version("new", "N"), version("old", "A"))
    held = tasks.holds(decide(None, action=action))
    assert held.state == HOLDS and held.decision == decide(None, action=action)


@pytest.mark.parametrize(
    "then, now",
    [
        ({"kind": "ner"}, {"kind": "spancat"}),
        ({"kind": "textcat", "exclusive": True}, {"kind": "textcat"}),
        ({"kind": "textcat"}, {"kind": "textcat", "exclusive": True}),
    ],
)
def test_another_kind_of_question_is_asked_again(then: Any, now: Any) -> None:
    tasks = history(version("new", "A", **now), version("old", "A", **then))
    assert tasks.holds(decide(spans("A"))).state == AGAIN


def test_a_version_that_nobody_recorded() -> None:
    changes = TaskChanges({"A": "N"}, {"S": ("X", "Y")}, ("R",))
    tasks = history(version("new", ("N", "X", "Y", "R", "B"), changes))
    held = tasks.holds(decide(spans("A", "B")))
    assert held.unknown and held.older and held.state == IN_PART and held.decision is not None
    assert held.decision.annotation == spans("N", "B")
    assert held.decision.labels == ("N", "X", "Y", "B")
    split = tasks.holds(decide(spans("S", "B"))).decision
    assert split is not None and split.labels == ("N", "B")
    assert tasks.holds(decide(spans("B", "WHO KNOWS"))).state == AGAIN
    plain = history(version("new", "AB"))
    assert plain.holds(decide(spans("A"))).state == HOLDS


def test_changes_made_before_a_decision_are_not_made_again() -> None:
    first, second = TaskChanges(recheck=("A",)), TaskChanges(recheck=("A", "A"))
    tasks = history(version("new", "AB", second), version("old", "AB"), version("mid", "AB", first))
    assert tasks.holds(decide(spans("A"), "mid")).state == IN_PART
    tasks = history(version("new", "AB", first), version("old", "AB"), version("mid", "AB", first))
    assert tasks.holds(decide(spans("A"), "mid")).state == HOLDS
    assert tasks.holds(decide(spans("A"), "old")).state == IN_PART
    # B was merged into A before the version "mid": a decision of then looked for both.
    merged = TaskChanges({"B": "A"})
    tasks = history(version("new", "A", merged), version("old", "A"), version("mid", "A", merged))
    assert tasks.holds(decide(spans("A"), "mid")).state == HOLDS
    assert tasks.holds(decide(spans("A"), "old")).state == AGAIN
    # The name A was given to something else.
    reused = TaskChanges({"A": "N"})
    tasks = history(version("new", "AN", reused), version("old", "A"), version("mid", "AN", reused))
    kept = tasks.holds(decide(spans("A"), "mid")).decision
    assert kept is not None and kept.annotation == spans("A")
    kept = tasks.holds(decide(spans("A"), "old")).decision
    assert kept is not None and kept.annotation == spans("N")


def test_a_config_that_was_set_back_and_forth() -> None:
    """The version was recorded after the change was written down, and before it was made."""
    changes = TaskChanges({"A": "N"})
    tasks = history(version("new", "N", changes), version("old", "A", changes))
    held = tasks.holds(decide(spans("A")))
    assert held.state == HOLDS
    assert held.decision is not None and held.decision.annotation == spans("N")
    split = TaskChanges(split={"A": ("A", "Y")})
    tasks = history(version("new", "AY", split), version("old", "A", split))
    assert tasks.holds(decide(spans("A"))).state == AGAIN


def test_a_pass_over_one_label_keeps_being_one() -> None:
    changes = TaskChanges({"A": "N"})
    tasks = history(version("new", "NBC", changes), version("old", "AB"))
    held = tasks.holds(decide(spans("A"), labels=("A",)))
    assert held.state == HOLDS and held.decision is not None
    assert (held.decision.annotation, held.decision.labels) == (spans("N"), ("N",))
    assert tasks.holds(decide(NOTHING, labels=("GONE",))).state == AGAIN
    place = tasks.holds(decide(spans("A"), ranges=((0, 1),))).decision
    assert place is not None and (place.labels, place.ranges) == (("N", "B"), ((0, 1),))


def test_who_saw_a_proposal_has_seen_it_whatever_changed() -> None:
    tasks = history(version("new", "N"), version("old", "A"))
    seen = decide(spans("A"), saw_proposal="model")
    found = tasks.standing([seen, decide(spans("N"), "new")])
    assert found is not None and found.annotation == spans("N") and not found.blind


# Rules over any change

names = st.sampled_from("ABCDE")
label_sets = st.lists(names, min_size=1, max_size=5, unique=True)


@given(label_sets, label_sets, st.data())
def test_no_change_invents_a_look(then: List[str], now: List[str], data: Any) -> None:
    """Without renames: an old decision says about a label exactly what it said, or nothing."""
    recheck = data.draw(st.lists(st.sampled_from(now), unique=True))
    found = data.draw(st.lists(st.sampled_from(then), unique=True))
    changes = TaskChanges(recheck=tuple(recheck))
    for kind in ("spancat", "textcat"):
        tasks = history(version("new", now, changes, kind=kind), version("old", then, kind=kind))
        decided = spans(*found) if kind == "spancat" else cats(*found)
        held = tasks.holds(decide(decided))
        left = Annotation() if held.decision is None else held.decision.annotation or NOTHING
        says = {s.label for s in left.spans} | {c.label for c in left.cats}
        looked = set()
        if held.decision is not None:
            looked = set(now if held.decision.labels is None else held.decision.labels)
        assert looked == (set(then) & set(now)) - set(recheck)
        assert says == set(found) & looked


@given(label_sets, st.data())
def test_new_names_for_all_labels(labels: List[str], data: Any) -> None:
    """A rename one to one is the same decision in other words, through any number of versions."""
    found = data.draw(st.lists(st.sampled_from(labels), unique=True))
    steps: Dict[str, str] = {}
    for number in range(data.draw(st.integers(1, 3))):
        steps.update({f"{x}{'*' * number}": f"{x}{'*' * (number + 1)}" for x in labels})
    last = [x + "*" * (number + 1) for x in labels]
    tasks = history(version("new", last, TaskChanges(steps)), version("old", labels))
    held = tasks.holds(decide(spans(*found)))
    assert held.state == HOLDS and held.decision is not None
    assert held.decision.labels is None
    assert held.decision.annotation == spans(*(x + "*" * (number + 1) for x in found))


@given(st.dictionaries(names, names), st.dictionaries(names, names), st.lists(names))
def test_what_was_changed_since(before: Any, after: Any, recheck: List[str]) -> None:
    now = TaskChanges(after, recheck=tuple(recheck))
    gone = version("old", ("Z",), now)  # none of the old labels: all that it lists was made
    assert since(gone, now) == NONE
    assert since(None, now) == now
    later = since(replace(gone, changes=TaskChanges(before)), now)
    assert later.rename == {k: v for k, v in after.items() if before.get(k) != v}
    assert sorted(later.recheck) == sorted(recheck)


# Checks of the config


@pytest.mark.parametrize(
    "changes, code, part",
    [
        (TaskChanges({"A": "A"}), "H230", "'A'"),
        (TaskChanges({"OLD": "X", "X": "OLD"}), "H230", "'OLD'"),
        (TaskChanges({"OLD": "A"}, {"OLD": ("A", "B")}), "H231", "'OLD'"),
        (TaskChanges({"OLD": "TYPO"}), "H232", "'TYPO'"),
        (TaskChanges(split={"OLD": ("A", "TYPO")}), "H232", "'TYPO'"),
        (TaskChanges(recheck=("TYPO",)), "H232", "'TYPO'"),
    ],
)
def test_changes_that_lead_nowhere(changes: TaskChanges, code: str, part: str, fails: Any) -> None:
    now = version("new", "AB")
    with fails(code, part, "hitl.changes.t"):
        check_changes(changes, now.header, {})


def test_changes_may_name_what_was_a_label_once() -> None:
    now, then = version("new", "AB"), {"old": version("old", ("GONE",))}
    check_changes(TaskChanges({"OLD": "GONE"}, recheck=("GONE", NIL, "OLD")), now.header, then)


# The dataset


@pytest.fixture
def dataset(tmp_path: Path) -> Any:
    with Dataset(tmp_path / "hitl.db") as dataset:
        yield dataset


def test_versions_are_stored_once_and_the_newest_learns_its_changes(dataset: Any) -> None:
    first, second = version("1", "A"), version("2", "B", TaskChanges({"A": "B"}))
    add_versions(dataset, [first])
    add_versions(dataset, [second])
    assert read_versions(dataset, "t") == {"1": first, "2": second}
    more = replace(second, changes=TaskChanges({"A": "B"}, recheck=("B",)))
    add_versions(dataset, [more])
    add_versions(dataset, [replace(first, changes=more.changes)])  # set back for a trial
    assert list(read_versions(dataset, "t").items()) == [("1", first), ("2", more)]
    assert read_versions(dataset, "other") == {}


def test_versions_and_preferences_survive_export_and_import(dataset: Any, tmp_path: Path) -> None:
    dataset.add_rows([Row("r", "1", "a text", "train")], LaneSettings())
    digest = text_digest("a text")
    versions = [version("2", "A"), version("1", "B", TaskChanges({"A": "B"}, recheck=("B",)))]
    add_versions(dataset, versions)
    for uid in ("p2", "p1"):
        add_preference(dataset, Preference(digest, "t", "m:1", "m:2", "both", "ann", uid, 1.5))
    path = tmp_path / "all.jsonl"
    write_jsonl(path, dump(dataset))
    with Dataset(tmp_path / "other.db") as other:
        for _ in range(2):  # twice is once
            load(path, other, Settings())
        assert list(read_versions(other, "t").values()) == versions
        assert preferences(other) == preferences(dataset) != []
        assert list(dump(other)) == list(dump(dataset))


def test_a_preference_on_no_text_is_refused(dataset: Any, tmp_path: Path, fails: Any) -> None:
    path, record = tmp_path / "all.jsonl", Preference("?", "t", "1", "2", "both", "ann", "u")
    write_jsonl(path, [{"record": "preference", **record.to_dict()}])
    with fails("H059"):
        load(path, dataset, Settings())


def test_tasks_are_remembered(dataset: Any, tmp_path: Path) -> None:
    task = make_ner_task(labels=["A", "B"], label_definitions={"A": "a thing"})
    remember(dataset, {"t": task}, {})
    ((digest, stored),) = read_versions(dataset, "t").items()
    assert digest == task.digest() and stored.header == task.header("t")
    later = make_ner_task(labels=["A", "B"], label_definitions={"A": "another thing"})
    tasks = read_histories(dataset, {"t": later}, {}, path=tmp_path / "c.cfg")["t"]
    assert tasks.is_older(decide(spans("A"), digest))
    assert not tasks.is_older(decide(spans("A"), later.digest()))
    assert tasks.is_unknown(decide(spans("A"), "who knows"))


def test_changes_of_no_task_are_refused(dataset: Any, tmp_path: Path, fails: Any) -> None:
    tasks = {"t": make_ner_task(labels=["A"])}
    with fails("H233", "hitl.changes.typo", "c.cfg", "t"):
        read_histories(dataset, tasks, {"typo": NONE}, path=tmp_path / "c.cfg")


def test_the_meaning_is_what_people_are_told(tmp_path: Path) -> None:
    catalog = tmp_path / "catalog.jsonl"
    catalog.write_text('{"id": "K1", "name": "One"}\n')
    examples = tmp_path / "examples.jsonl"
    examples.write_text('{"text": "a b", "annotation": [[0, 1, "A"]]}\n')
    ner = make_ner_task(labels=["A", "B"], guidelines="g")
    for same in (
        make_ner_task(labels=["B", "A"], guidelines="g"),
        make_ner_task(labels=["A", "B"], guidelines="g", examples=examples),
    ):
        assert same.meaning() == ner.meaning() and same.digest() != ner.digest()
    told = [
        ner.meaning(),
        make_ner_task(labels=["A", "B"], guidelines="other").meaning(),
        make_ner_task(labels=["A"], guidelines="g").meaning(),
        make_ner_task(labels=["A", "B"], guidelines="g", label_definitions={"A": "x"}).meaning(),
        make_textcat_task(labels=["A", "B"], guidelines="g").meaning(),
        make_textcat_task(labels=["A", "B"], guidelines="g", exclusive_classes=True).meaning(),
        make_relations_task(labels=["A", "B"], guidelines="g").meaning(),
        make_relations_task(labels=["A"], guidelines="g", allowed={"A": [["P", "P"]]}).meaning(),
        make_linking_task(catalog).meaning(),
    ]
    catalog.write_text('{"id": "K1", "name": "Uno"}\n')
    told.append(make_linking_task(catalog).meaning())
    assert len(set(told)) == len(told)


def test_the_summary_counts_texts(dataset: Any) -> None:
    rows = [Row("r", str(i), f"text {i}", "train") for i in range(8)]
    dataset.add_rows(rows, LaneSettings())
    digests = [d for d, *_ in dataset.texts(lanes=("train",))]
    tasks = history(version("new", "AB"), version("old", "A"), version("words", "AB"))
    kinds = [
        [decide(spans("A"), "new")],
        [decide(spans("A"), "old")],  # B is to be looked at
        [decide(spans("A"), "old"), decide(NOTHING, "new", labels=("B",))],
        [decide(spans("Z"), "unknown")],  # again
        [decide(None, action="reject")],
        [decide(None, action="flag")],
        [decide(spans("A"), "words"), decide(None, action="skip")],
        [replace(decide(spans("A"), "nobody knows"), origin="import")],
    ]
    for digest, some in zip(digests, kinds, strict=True):
        dataset.add_decisions([replace(d, text_digest=digest) for d in some])
    found = summarise(tasks, decisions_by_text(dataset, "t"))
    assert found == HistorySummary(
        decided=4,
        by_person=3,
        in_part=1,
        again=1,
        rejected=1,
        put_aside=1,
        older=3,
        unknown=1,
        to_look_at=(("B", 1),),
    )
    assert len(found.remarks()) == 6
    assert HistorySummary(decided=3).remarks() == []
