"""The clock: answers, hours of work and untouched proposals, also on days when clocks jump."""

import statistics
from typing import Any, List, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_hitl.records import Decision
from spacy_hitl.scoring.clock import FEW, PAUSE, Clock, ClockTally, clock_table


def answer(
    uid: Optional[str], time: Optional[float] = None, seconds: Optional[float] = None, **values: Any
) -> Decision:
    settings = {"task": "t", "action": "accept", "annotator": "ann", "origin": "person", **values}
    return Decision("text", task_digest="d", uid=uid, time=time, seconds=seconds, **settings)


def test_one_answer_on_several_tasks_counts_once() -> None:
    tally = ClockTally.of(answer("u", 0, 4.0, task=task) for task in ("a", "b", "c"))
    assert tally.clock() == Clock(1, 4.0, None, None)


def test_several_tasks_take_no_more_time_than_one() -> None:
    def rate(*tasks: str) -> Optional[float]:
        made = [answer(f"u{i}", 10.0 * i, 10.0, task=task) for i in range(9) for task in tasks]
        return ClockTally.of(made).clock().per_hour

    assert rate("a") == rate("a", "b", "c") == pytest.approx(360)


def test_a_text_left_open_over_night_is_no_work() -> None:
    made = [answer(f"u{i}", 10.0 * i, 10.0) for i in range(4)]
    tally = ClockTally.of([*made, answer("late", 40_000.0, 39_000.0)])
    assert tally.clock().per_hour == pytest.approx(3600 * 5 / (40 + PAUSE))


def test_a_propagated_answer_counts_once_and_bulk_and_files_never() -> None:
    group = [answer("u", 0, mode="propagated") for _ in range(50)]
    bulk = [answer("b", 0, mode="bulk") for _ in range(50)]
    file_ = [answer(None, 0, origin="import") for _ in range(50)]
    tally = ClockTally.of([*group, *bulk, *file_])
    assert tally.clock().decisions == 1
    assert list(tally.people()) == ["ann"]


def test_hours_without_breaks() -> None:
    """Six answers every ten seconds, an hour of lunch, six more: two minutes of work."""
    times = [10.0 * i for i in range(6)] + [3600 + 10.0 * i for i in range(6)]
    tally = ClockTally.of(answer(f"u{i}", t, 10.0) for i, t in enumerate(times))
    clock = tally.clock()
    assert clock.decisions == 12 and clock.seconds_median == 10
    assert clock.per_hour == pytest.approx(360)


def test_a_gap_just_below_a_break_is_work() -> None:
    def rate(gap: float) -> Optional[float]:
        return ClockTally.of(answer(f"u{i}", gap * i, 1.0) for i in range(FEW)).clock().per_hour

    assert rate(PAUSE) == pytest.approx(3600 * FEW / (PAUSE * (FEW - 1) + 1))
    assert rate(PAUSE + 1) == pytest.approx(3600 * FEW / FEW)


def test_answers_that_waited_offline_took_their_own_time() -> None:
    tally = ClockTally.of(answer(f"u{i}", 1000.0, 20.0) for i in range(10))
    assert tally.clock().per_hour == pytest.approx(180)


def test_a_clock_that_jumps_back() -> None:
    times = [1000.0, 1010.0, 500.0, 510.0, 520.0]
    tally = ClockTally.of(answer(f"u{i}", t, 10.0) for i, t in enumerate(times))
    assert tally.clock().per_hour == pytest.approx(360)


def test_answers_of_which_no_time_is_known_make_no_rate() -> None:
    tally = ClockTally.of(answer(f"a{i}", 10.0 * i, 10.0) for i in range(6))
    for i in range(6):
        tally.add(answer(f"b{i}", annotator="bo"))
    assert (tally.clock("bo").decisions, tally.clock("bo").per_hour) == (6, None)
    assert tally.clock().per_hour == tally.clock("ann").per_hour == pytest.approx(360)


def test_few_answers_make_no_rate() -> None:
    tally = ClockTally()
    assert tally.clock() == tally.clock("nobody") == Clock()
    for i in range(FEW - 1):
        tally.add(answer(f"u{i}", 10.0 * i, 10.0))
    assert tally.clock().per_hour is None
    tally.add(answer("last", 10.0 * FEW, 10.0))
    assert tally.clock().per_hour is not None


def test_untouched_proposals() -> None:
    seen = {"saw_proposal": "model"}
    tally = ClockTally.of(
        [
            answer("1", edits=0, **seen),
            answer("2", edits=0, task="a", **seen),
            answer("2", edits=1, task="b", **seen),  # one task of the answer was changed
            answer("3", edits=0, **seen),
            answer("4", edits=0),  # blind: nothing to be waved through
            answer("5", **seen),  # not known
            answer("6", edits=0, action="reject", **seen),
        ]
    )
    assert tally.clock().untouched_share == pytest.approx(2 / 3)
    assert tally.clock().decisions == 6


@pytest.mark.parametrize(
    "action, counted", [("accept", 1), ("reject", 1), ("skip", 0), ("flag", 0)]
)
def test_what_is_an_answer(action: str, counted: int) -> None:
    tally = ClockTally.of([answer("u", 0.0, 3.0, action=action)])
    assert tally.clock().decisions == counted


def test_what_was_taken_back_does_not_count_but_its_time_does() -> None:
    made = [answer(f"u{i}", 10.0 * i, 10.0, edits=0, saw_proposal="model") for i in range(6)]
    undo = [answer("v", 60.0, action="undo", undoes="u5", task=task) for task in ("a", "b")]
    tally = ClockTally.of([*made, *undo])
    clock = tally.clock()
    assert (clock.decisions, clock.seconds_median, clock.untouched_share) == (5, 10.0, 1.0)
    assert clock.per_hour == pytest.approx(3600 * 5 / 70)
    # Others' answers are not theirs to take back, and what is not there changes nothing.
    tally.add(answer("w", 70.0, action="undo", undoes="u1", annotator="bo"))
    tally.add(answer("x", 70.0, action="undo", undoes="never"))
    tally.add(answer("y", 70.0, action="undo"))
    assert tally.clock().decisions == 5


def test_people_and_all_together() -> None:
    made = [answer(f"a{i}", 10.0 * i, 10.0) for i in range(6)]
    made += [answer(f"b{i}", 20.0 * i, 20.0, annotator="bo") for i in range(6)]
    tally = ClockTally.of(made)
    ann, bo = tally.people().values()
    assert (ann.seconds_median, bo.seconds_median, tally.clock().seconds_median) == (10, 20, 15)
    assert (ann.per_hour, bo.per_hour) == (pytest.approx(360), pytest.approx(180))
    assert tally.clock().per_hour == pytest.approx(3600 * 12 / 180)  # per person
    table = clock_table(tally.people(), tally.clock())
    assert [line.split()[0] for line in table.splitlines() if line][-3:] == ["ann", "bo", "all"]
    assert "all" not in clock_table({"ann": ann}, ann)


seconds = st.none() | st.floats(0, 1000)
answers = st.builds(
    answer,
    st.sampled_from(["1", "2", "3", "4", "5"]),
    st.floats(0, 10_000),
    seconds,
    action=st.sampled_from(["accept", "reject", "skip", "flag"]),
    annotator=st.sampled_from(["ann", "bo"]),
    edits=st.none() | st.integers(0, 2),
    saw_proposal=st.sampled_from([None, "model"]),
)
undos = st.builds(
    answer,
    st.sampled_from(["v1", "v2", "v3"]),
    st.floats(0, 10_000),
    action=st.just("undo"),
    annotator=st.sampled_from(["ann", "bo"]),
    undoes=st.sampled_from(["1", "2", "3", "4", "5"]),
)


def by_definition(history: List[Decision]) -> Any:
    """Answers that stand, put another way: the first record of an answer says what it was."""
    groups: Any = {}
    undone = set()
    for d in history:
        if d.action == "undo":
            if (d.annotator, d.undoes) in groups:
                undone.add((d.annotator, d.undoes))
        else:
            groups.setdefault((d.annotator, d.uid), []).append(d)
    standing = [g for key, g in groups.items() if key not in undone]
    done = [g for g in standing if g[0].action in ("accept", "reject")]
    times = [g[0].seconds for g in done if g[0].seconds is not None]
    waved = []
    for g in done:
        shown = [d for d in g if d.saw_proposal]
        if g[0].action == "accept" and shown and all(d.edits is not None for d in shown):
            waved.append(sum(d.edits or 0 for d in shown) == 0)
    return (
        len(done),
        statistics.median(times) if times else None,
        sum(waved) / len(waved) if waved else None,
    )


@given(st.lists(answers, max_size=10), st.lists(undos, max_size=3))
def test_the_tally_is_a_recount(made: List[Decision], taken_back: List[Decision]) -> None:
    history = [*made, *taken_back]
    tally = ClockTally.of(history)
    for name in (None, "ann", "bo"):
        clock = tally.clock(name)
        mine = [d for d in history if name in (None, d.annotator)]
        found = clock.decisions, clock.seconds_median, clock.untouched_share
        assert found == pytest.approx(by_definition(mine))
        assert clock.per_hour is None or clock.per_hour > 0
