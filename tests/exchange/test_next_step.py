"""What comes next, as a table: facts on the left, the command and its reason on the right."""

from dataclasses import replace
from typing import Any, Dict, List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_hitl.dataset.history import HistorySummary
from spacy_hitl.dataset.tally import LaneTally
from spacy_hitl.exchange.status.next_step import Place, next_steps
from spacy_hitl.exchange.status.standing import (
    STATES,
    Figures,
    Gate,
    InProduction,
    Proposals,
    Step,
    Student,
    TaskStatus,
)

C = "configs/p.cfg"
PLACE = Place(C, texts="assets/texts.jsonl", link="pipelines/x", floors=("a",))
LANES = {"gold": LaneTally(60, 50), "dev": LaneTally(9, 9), "train": LaneTally(100, 20)}
NEW = TaskStatus("a", "ner", Proposals("m"))
TEXTS = {name: LaneTally(lane.texts) for name, lane in LANES.items()}
ASKED = replace(NEW, lanes=TEXTS, proposals=Proposals("m", 100))
DECIDED = replace(ASKED, lanes=LANES, decisions=HistorySummary(79, 79))
EXPORTED = replace(
    DECIDED, corpus=Step("corpus/a.jsonl", "current"), student=Student(config="a.cfg")
)
TRAINED = replace(EXPORTED, student=Student("training/a/model-best", "current", config="a.cfg"))
MEASURED = replace(TRAINED, figures=Figures("metrics/a.json", "current", "", "a_ents_f", 0.9))
PASSES = replace(MEASURED, gate=Gate(True, floor=0.8))
PROMOTED = replace(PASSES, production=InProduction("this student"))
SUSPECTED = replace(MEASURED, student=replace(MEASURED.student, suspects=True))
DISTILL = "distill a.cfg --output training/a"
EVALUATE = (
    f"evaluate {C} training/a/model-best --gold corpus/gold/a.jsonl --train corpus/a.jsonl "
    "--output metrics/a.json"
)
MORE = f"annotate {C} MORE.jsonl"
ALL_GOLD = {**LANES, "gold": LaneTally(60, 60)}


def held(task: TaskStatus, *rules: str, **more: Any) -> TaskStatus:
    return replace(task, gate=Gate(False, ("so it is",), rules, more.pop("floor", 0.8), **more))


def lanes(task: TaskStatus, **others: LaneTally) -> TaskStatus:
    return replace(task, lanes={**task.lanes, **others})


CASES: List[Tuple[TaskStatus, str, str]] = [
    # Annotate
    (NEW, f"annotate {C} assets/texts.jsonl", "there is no text yet"),
    (replace(ASKED, proposals=Proposals("m")), f"annotate {C} assets/texts.jsonl", "nothing was"),
    (
        replace(ASKED, proposals=Proposals("m", 0, {"refused": 7})),
        f"annotate {C} --check",
        "7 refused",
    ),
    (
        replace(DECIDED, proposals=Proposals("m", 9, missing=1)),
        f"annotate {C} assets/texts.jsonl",
        "1 text without a proposal",
    ),
    # Decided elsewhere, and nobody ever asked a model: nothing is missing.
    (replace(DECIDED, proposals=Proposals("m", missing=5)), f"export {C}", "nothing was exported"),
    # Review
    (ASKED, f"review {C} --task a", "50 more gold (0 of at least 50), 1 more dev (0 of at least 1"),
    (lanes(DECIDED, gold=LaneTally(60, 8)), f"review {C} --task a", "42 more gold (8 of at least"),
    (lanes(DECIDED, gold=LaneTally(9, 8)), f"review {C} --task a", "1 more gold (8 of"),
    (lanes(DECIDED, dev=LaneTally(9, 0)), f"review {C} --task a", "1 more dev"),
    (lanes(DECIDED, train=LaneTally(9, 0)), f"review {C} --task a", "1 more train"),
    # No more gold texts than these: go on, the figures are worth something.
    (lanes(DECIDED, gold=LaneTally(8, 8)), f"export {C}", "nothing was exported"),
    (lanes(DECIDED, gold=LaneTally(0, 0)), MORE, "lane gold"),
    (lanes(DECIDED, dev=LaneTally(5, 0, 0, 5)), MORE, "lane dev"),
    (lanes(DECIDED, train=LaneTally(5, 0, 5)), f"export {C}", "nothing was exported"),
    # Export
    (replace(DECIDED, corpus=Step("c", "stale", "it is old")), f"export {C}", "it is old"),
    (replace(DECIDED, corpus=Step("c", "broken", "half")), f"export {C}", "half"),
    # Distill
    (EXPORTED, DISTILL, "there is no student yet"),
    (
        replace(EXPORTED, student=Student()),
        "init configs/a.cfg --name a --corpus corpus/a.jsonl",
        "no training config",
    ),
    (replace(TRAINED, student=replace(TRAINED.student, state="stale", why="old")), DISTILL, "old"),
    (
        replace(TRAINED, student=replace(TRAINED.student, state="broken", why="half")),
        DISTILL,
        "half",
    ),
    (replace(TRAINED, student=replace(TRAINED.student, state="unknown")), EVALUATE, "measured"),
    # Evaluate
    (TRAINED, EVALUATE, "the student was not measured yet"),
    (
        replace(MEASURED, figures=replace(MEASURED.figures, state="stale", why="older student")),
        EVALUATE,
        "older student",
    ),
    (replace(MEASURED, figures=Figures("m", "broken", "no JSON")), EVALUATE, "no JSON"),
    (replace(PASSES, figures=replace(PASSES.figures, lacks="no speed")), EVALUATE, "no speed"),
    # Promote
    (PASSES, f"promote {C}", "it passes: a_ents_f 0.900"),
    (replace(PASSES, production=InProduction("older student")), f"promote {C}", "it passes"),
    # Held
    (held(MEASURED, "above_floors"), "suspects a.cfg", "held: so it is"),
    (held(SUSPECTED, "above_floors"), f"review {C} --task a", "More decisions may help"),
    (held(SUSPECTED, "above_floors", floor=None), f"promote {C}", "set a floor"),
    (held(MEASURED, "enough_gold", "above_floors"), f"review {C} --task a", "held: so it is"),
    (held(replace(MEASURED, lanes=ALL_GOLD), "enough_gold"), MORE, "All texts are decided"),
    (held(MEASURED, "within_limits"), f"{DISTILL} --fresh", "Make it smaller in a.cfg"),
    (
        held(replace(SUSPECTED, lanes={n: LaneTally(60, 60) for n in LANES}), "beats_baseline"),
        MORE,
        "All texts are decided",
    ),
    # In production
    (PROMOTED, "apply pipelines/x assets/texts.jsonl found.jsonl", "it is promoted"),
    (
        replace(PROMOTED, production=InProduction("this student", waiting=3)),
        f"review {C} --task a",
        "3 texts of the audit",
    ),
    (
        replace(PROMOTED, production=InProduction("this student", fell=True)),
        f"review {C} --task a",
        "quality fell",
    ),
]


@pytest.mark.parametrize(("task", "command", "why"), CASES)
def test_the_next_step(task: TaskStatus, command: str, why: str) -> None:
    (found,) = next_steps(PLACE, [task])
    assert found.next.line == f"spacy hitl {command}"
    assert why in found.next.why
    assert replace(found, next=task.next) == task


def line(place: Place, tasks: List[TaskStatus], name: str) -> Tuple[str, str]:
    (found,) = [t.next for t in next_steps(place, tasks) if t.task == name]
    return found.line.removeprefix("spacy hitl "), found.why


def test_commands_carry_what_is_particular_to_a_project() -> None:
    place = replace(
        PLACE, config="my configs/p.cfg", code="own.py", version="0123456789abcdef", lang="de"
    )
    assert line(place, [EXPORTED], "a")[0] == f"{DISTILL} --code own.py"
    assert line(place, [DECIDED], "a")[0] == "export 'my configs/p.cfg' --code own.py"
    linking = replace(EXPORTED, student=Student(), catalog="assets/c.jsonl")
    assert line(place, [linking], "a")[0].endswith("--catalog assets/c.jsonl --lang de")
    assert "--production pipelines/x --code own.py" in line(place, [TRAINED], "a")[0]
    assert "found-01234567.jsonl" in line(place, [PROMOTED], "a")[0]
    assert line(replace(PLACE, texts=None), [NEW], "a")[0] == MORE


def test_a_task_that_works_on_another_ones_mentions_waits_for_its_student() -> None:
    link = replace(TRAINED, task="b", kind="linking", needs=("a",))
    command, why = line(PLACE, [EXPORTED, link], "b")
    assert (command, why) == (
        DISTILL,
        "it is measured with the student of 'a': there is no student yet",
    )
    command, _ = line(PLACE, [TRAINED, link], "b")
    assert command.startswith(f"evaluate {C} training/a/model-best+training/b/model-best --gold")


def test_promotion_waits_for_what_it_would_fail_on() -> None:
    place = replace(PLACE, floors=("a", "b"))
    other = replace(TRAINED, task="b", student=replace(TRAINED.student, config="b.cfg"))
    command, why = line(place, [PASSES, other], "a")
    assert "metrics/b.json" in command
    assert why == "it passes; promotion waits for 'b': the student was not measured yet"
    assert line(PLACE, [PASSES, other], "a")[0] == f"promote {C}"  # without a floor, nobody waits
    older = replace(PASSES, task="b", figures=replace(PASSES.figures, state="stale", why="older"))
    assert "metrics/b.json" in line(PLACE, [PASSES, older], "a")[0]
    # What is held has figures: nothing to wait for.
    assert line(place, [PASSES, held(replace(MEASURED, task="b"), "x")], "a")[0] == f"promote {C}"


def test_production_loses_no_task_by_what_is_printed() -> None:
    place = replace(PLACE, live=("a", "b"), version="0123")
    tasks = [PASSES, held(replace(MEASURED, task="b"), "above_floors")]
    command, why = line(place, tasks, "a")
    assert command == f"promote {C} --with-prompted"
    assert "b, which production has, is held" in why


def test_what_is_held_with_another_task_has_its_command() -> None:
    link = held(replace(MEASURED, task="b", kind="linking", needs=("a",)), held_by="a")
    command, why = line(PLACE, [held(SUSPECTED, "above_floors"), link], "b")
    assert command == f"review {C} --task a"
    assert why.startswith("it is held with 'a': held: so it is")


NUMBERS = st.integers(0, 60)
TALLIES: Dict[str, Any] = {
    lane: st.builds(lambda d, p, o, x: LaneTally(d + p + o + x, d, p, o), *[NUMBERS] * 4)
    for lane in ("gold", "dev", "train")
}
WORDS = st.sampled_from(["", "so it is"])
STATE = st.sampled_from(STATES)
TASKS = st.builds(
    TaskStatus,
    task=st.sampled_from("abc"),
    kind=st.sampled_from(["ner", "linking"]),
    proposals=st.builds(
        Proposals,
        usable=NUMBERS,
        missing=NUMBERS,
        unusable=st.dictionaries(st.sampled_from(["failed", "refused"]), NUMBERS),
    ),
    decisions=st.just(HistorySummary()),
    lanes=st.fixed_dictionaries(TALLIES),
    corpus=st.builds(Step, state=STATE, why=WORDS),
    student=st.builds(
        Student, state=STATE, config=st.sampled_from([None, "x.cfg"]), suspects=st.booleans()
    ),
    figures=st.builds(
        Figures, state=STATE, score=st.sampled_from([None, 0.5]), lacks=WORDS, why=WORDS
    ),
    gate=st.builds(
        Gate,
        passed=st.sampled_from([None, True, False]),
        reasons=st.sampled_from([(), ("so it is",)]),
        rules=st.sampled_from([(), ("above_floors",), ("enough_gold",), ("within_limits",)]),
        floor=st.sampled_from([None, 0.5]),
        held_by=st.sampled_from([None, *"abc"]),
    ),
    production=st.builds(
        InProduction,
        runs=st.sampled_from(["no", "prompted", "older student", "this student"]),
        waiting=NUMBERS,
        fell=st.booleans(),
    ),
    needs=st.lists(st.sampled_from("abc"), max_size=2, unique=True).map(tuple),
    catalog=st.none(),
    problems=st.just(()),
)
PLACES = st.builds(
    Place,
    config=st.just(C),
    texts=st.sampled_from([None, "t.jsonl"]),
    version=st.sampled_from([None, "0123"]),
    live=st.sampled_from([(), ("a",), ("b", "c")]),
    floors=st.sampled_from([(), ("a", "b")]),
)


@given(PLACES, st.lists(TASKS, min_size=1, max_size=3, unique_by=lambda t: t.task))
def test_every_task_has_exactly_one_command_whatever_is_known(
    place: Place, tasks: List[TaskStatus]
) -> None:
    for t in next_steps(place, tasks):
        assert t.next.command[:2] == ("spacy", "hitl")
        assert t.next.step and t.next.why
