"""What annotations are worth, against sums made by hand; the better system for the business."""

from dataclasses import replace
from pathlib import Path
from typing import Any, List, Optional, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_hitl.evaluate.figures import Figures, Found
from spacy_hitl.evaluate.table import business_line, overview
from spacy_hitl.records import Annotation, CategoryAnnotation, TaskHeader, TaskRow
from spacy_hitl.scoring.results import LlmUse, SystemScore, TaskMetrics, Utility
from spacy_hitl.scoring.utility import (
    best_for_business,
    most_accurate,
    running_cost,
    utility,
    values_of,
    worth,
)
from spacy_hitl.settings import LabelUtility, UtilitySettings, read_settings

SETTINGS = UtilitySettings(right=1.0, missed=2.0, spurious=0.5)


def test_values_of_labels() -> None:
    settings = replace(SETTINGS, labels={"B": LabelUtility(right=5.0, missed=0.0)})
    assert values_of(settings, ["A", "B"]).tolist() == [[1.0, -0.5, -2.0], [5.0, -0.5, 0.0]]


def test_what_texts_are_worth() -> None:
    # tp, fp, fn of A and B in two texts.
    counts = np.array([[[2, 1, 0], [0, 0, 0]], [[0, 0, 1], [1, 0, 0]]], dtype=float)
    assert worth(counts, values_of(SETTINGS, ["A", "B"])).tolist() == [1.5, -1.0]


def test_utility_is_the_mean_of_a_thousand() -> None:
    found = utility(np.array([1.0, 2.0, 3.0, 2.0]))
    assert found is not None and found.value == pytest.approx(2000)
    # t with 3 degrees of freedom is 3.18; the standard error 0.408.
    assert (found.low, found.high) == pytest.approx((2000 - 1299, 2000 + 1299), abs=25)
    assert utility(np.array([1.0])) is None


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=20))
def test_a_difference_turns_around(money: List[float]) -> None:
    there, back = utility(np.array(money)), utility(-np.array(money))
    assert there is not None and back is not None
    assert there.low <= there.value <= there.high
    assert (there.value, there.low) == pytest.approx((-back.value, -back.high))


@pytest.mark.parametrize(
    "role, llm, cost, note",
    [
        ("baseline", None, 0.0, ""),
        ("student", None, 3.0, ""),
        ("production", None, 3.0, ""),
        ("prompted", LlmUse(1, 1000.0, cost=7.0), 7.0, ""),
        ("prompted", LlmUse(1, 1000.0), 0.0, "no price is known"),
        ("prompted", None, 0.0, "no price is known"),
    ],
)
def test_running_costs(role: str, llm: Optional[LlmUse], cost: float, note: str) -> None:
    system = SystemScore("s", role, *(0.5,) * 5, llm=llm)
    found, said = running_cost(system, replace(SETTINGS, student_cost_per_1000=3.0))
    assert found == cost and note in said


HEADER = TaskHeader("urgent", "textcat", ("URGENT",), "d")
YES, NO = Annotation(cats=(CategoryAnnotation("URGENT"),)), Annotation()


def figures(wanted: Sequence[Annotation], *found: Sequence[Annotation]) -> Figures:
    rows = [TaskRow(f"{i}", f"{i}", "gold", decision=w) for i, w in enumerate(wanted)]
    names = ("baseline", "prompted", "student")
    systems = [Found(name, name, some) for name, some in zip(names, found, strict=True)]
    return Figures(HEADER, rows, systems)


def metrics_of(made: Figures, settings: UtilitySettings, cost: Optional[float]) -> TaskMetrics:
    scores = made.scores()
    scores[1] = replace(scores[1], llm=LlmUse(100, 1000.0, cost=cost))
    valued, compared, notes = made.with_utility(scores, made.comparisons(), settings)
    return TaskMetrics(
        *(HEADER, "urgent_cats_micro_f", 100, (("person", 100),), True),
        systems=tuple(valued),
        comparisons=tuple(compared),
        notes=tuple(notes),
    )


WANTED = [YES] * 20 + [NO] * 80
NOBODY = [NO] * 100
CAREFUL = [YES] * 14 + [NO] * 86  # misses 6, F 0.82
EAGER = [YES] * 36 + [NO] * 64  # misses none, 16 too many: F 0.71


def test_the_better_system_for_the_business_is_not_the_more_accurate_one() -> None:
    """A missed urgent message costs 50 times as much as one read in vain."""
    made = figures(WANTED, NOBODY, CAREFUL, EAGER)
    m = metrics_of(made, UtilitySettings(missed=50.0, spurious=1.0), 8.0)
    _, careful, eager = m.systems
    assert careful.score > eager.score
    assert most_accurate(m.systems) == careful and best_for_business(m.systems) == eager
    assert careful.utility is not None and eager.utility is not None
    assert careful.utility.value == pytest.approx(-6 * 50 * 10 - 8.0)
    assert eager.utility.value == pytest.approx(-16 * 1 * 10)
    between = m.compared("student", "prompted")
    assert between is not None and between.utility is not None
    assert between.utility.value == pytest.approx(3008 - 160)
    assert 0 < between.utility.low < between.utility.value < between.utility.high
    line = business_line(m)
    assert line.startswith("urgent: better for the business is student: 1,000 texts are worth -160")
    assert "The most accurate one is prompted; the difference is +2,848 [" in line
    assert "chance" not in line and "-3,008 [" in overview([m])
    back = m.compared("prompted", "student")
    assert back is not None and back.utility == Utility(
        -between.utility.value, -between.utility.high, -between.utility.low
    )


def test_money_for_the_model_may_decide() -> None:
    made = figures(WANTED, NOBODY, WANTED, CAREFUL)
    settings = UtilitySettings(right=1.0, student_cost_per_1000=1.0)
    assert best_for_business(metrics_of(made, settings, 50.0).systems).name == "prompted"  # type: ignore[union-attr]
    dear = metrics_of(made, settings, 70.0)
    assert best_for_business(dear.systems).name == "student"  # type: ignore[union-attr]
    assert "+9.00 [" in business_line(dear) and "which may be chance" in business_line(dear)
    unknown = metrics_of(made, settings, None)
    assert "It is the most accurate one, too." in business_line(unknown)
    assert "no price is known" in unknown.notes[0] and unknown.notes[0] in overview([unknown])


def test_without_values_nothing_is_said() -> None:
    made = figures(WANTED, NOBODY, CAREFUL, EAGER)
    m = TaskMetrics(HEADER, "x", 100, (), True, tuple(made.scores()), tuple(made.comparisons()))
    assert business_line(m) == "" and "worth" not in overview([m])


@pytest.mark.parametrize(
    "values, name",
    [
        ({"missed": -1.0}, "utility.t.missed"),
        ({"right": "much"}, "utility.t.right"),
        ({"wrong": 1.0}, "utility.t"),
        ({"labels": {"A": {"price": 1.0}}}, "utility.t.labels.A"),
        ({"right": float("inf")}, "utility.t.right"),
    ],
)
def test_unusable_values(values: Any, name: str, fails: Any) -> None:
    with fails("H012", name):
        read_settings({"hitl": {"utility": {"t": values}}}, path=Path("a.cfg"))
