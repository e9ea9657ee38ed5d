"""The gate: every reason by itself, and what hangs together is held together."""

from typing import Any, Dict, Optional, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_hitl.promote.gate import Verdict, hold_dependents, judge
from spacy_hitl.records import TaskHeader
from spacy_hitl.scoring.results import SystemScore, TaskMetrics
from spacy_hitl.settings import PromoteSettings

RULES = PromoteSettings(floors={"mood": 0.7}, min_gold=50)


def make_metrics(
    *, student: Optional[float] = 0.8, baseline: Optional[float] = 0.5, gold: int = 100
) -> TaskMetrics:
    scores = [("student", student), ("baseline", baseline), ("prompted", 0.99)]
    return TaskMetrics(
        TaskHeader("mood", "ner", ("A",), "digest"),
        *("mood_ents_f", gold, (("person", gold),), True),
        tuple(SystemScore(f"a {r}", r, s, s, s, s, s) for r, s in scores if s is not None),
    )


def test_a_good_student_passes() -> None:
    assert judge(make_metrics(), RULES) == Verdict("mood", True)
    assert judge(make_metrics(student=0.7, gold=50), RULES).passed  # at the floor, just enough
    assert judge(make_metrics(baseline=None), RULES).passed


@pytest.mark.parametrize(
    "metrics, settings, parts",
    [
        ({"student": None}, RULES, ["no student"]),
        ({"student": 0.699}, RULES, ["mood_ents_f", "0.699", "floor 0.70"]),
        ({"baseline": 0.9}, RULES, ["mood_ents_f", "0.800", "'a baseline'", "0.900"]),
        ({"baseline": 0.8}, RULES, ["does not beat"]),
        ({"gold": 49}, RULES, ["49 gold texts", "50"]),
        ({}, PromoteSettings(floors={"other": 0.1}), ["no floor", "'mood'"]),
    ],
)
def test_each_reason_holds(metrics: Any, settings: PromoteSettings, parts: Any) -> None:
    verdict = judge(make_metrics(**metrics), settings)
    assert (verdict.task, verdict.passed, len(verdict.reasons)) == ("mood", False, 1)
    assert all(part in verdict.reasons[0] for part in parts)


def test_all_reasons_are_told() -> None:
    verdict = judge(make_metrics(student=0.1, gold=3), RULES)
    assert len(verdict.reasons) == 3


@given(*[st.floats(0, 1)] * 3, st.integers(0, 99))
def test_what_passes_meets_every_condition(
    student: float, baseline: float, floor: float, gold: int
) -> None:
    settings = PromoteSettings(floors={"mood": floor}, min_gold=50)
    verdict = judge(make_metrics(student=student, baseline=baseline, gold=gold), settings)
    assert verdict.passed == (student >= floor and student > baseline and gold >= 50)
    assert verdict.passed == (not verdict.reasons)


def verdicts(**passed: bool) -> Dict[str, Verdict]:
    return {t: Verdict(t, ok, () if ok else ("a floor",)) for t, ok in passed.items()}


def passing(found: Dict[str, Verdict]) -> Tuple[str, ...]:
    return tuple(t for t, v in found.items() if v.passed)


def test_dependents_of_a_held_task_are_held() -> None:
    found = hold_dependents(
        verdicts(a=False, b=True, c=True, d=True), {"c": ("b",), "b": ("a",), "d": ()}
    )
    assert passing(found) == ("d",)
    assert found["a"].reasons == ("a floor",)
    assert "'a'" in found["b"].reasons[0] and "held" in found["b"].reasons[0]
    assert "'b'" in found["c"].reasons[0]


def test_nothing_is_held_for_a_passing_task() -> None:
    found = verdicts(a=True, b=True)
    assert hold_dependents(found, {"b": ("a",)}) == found


def test_a_component_that_was_not_measured_will_be_missing() -> None:
    """The student was measured with it, but the promoted pipeline would not hold it."""
    found = hold_dependents(verdicts(link=True), {"link": ("product",)})
    assert not found["link"].passed
    assert "'product'" in found["link"].reasons[0] and "not measured" in found["link"].reasons[0]


def test_circles_end() -> None:
    assert passing(hold_dependents(verdicts(a=True, b=True), {"a": ("b",), "b": ("a",)})) == (
        "a",
        "b",
    )
    held = hold_dependents(verdicts(a=True, b=True, c=False), {"a": ("b",), "b": ("a", "c")})
    assert passing(held) == ()
