"""The gate: every reason by itself, and what hangs together is held together."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import pytest
from confection import Config
from hypothesis import given
from hypothesis import strategies as st

from spacy_hitl.records import TaskHeader
from spacy_hitl.scoring.gate import Verdict, hold_dependents, judge
from spacy_hitl.scoring.results import Comparison, LabelScore, Speed, SystemScore, TaskMetrics
from spacy_hitl.settings import PromoteSettings, read_settings

NAN = float("nan")
ALL = PromoteSettings(
    floors={"mood": 0.7},
    label_floors={"mood": {"A": 0.6, "B": 0.5}},
    min_gold=50,
    beats_baseline="interval",
    margin=0.1,
    production_margin=0.05,
    min_words_per_s=1000,
    max_megabytes=5,
)
FEW = PromoteSettings(floors={"mood": 0.7}, min_gold=50)
RIVAL = "digest of production"

Bounds = Tuple[float, float]


def system(role: str, score: float, labels: Dict[str, Any], **values: Any) -> SystemScore:
    scores = tuple(
        LabelScore(label, 1, 1, 1, f, f, f, f_bounds=bounds)
        for label, (f, bounds) in labels.items()
    )
    return SystemScore(f"a {role}", role, *(score,) * 5, labels=scores, **values)


def make_metrics(
    *,
    student: Optional[float] = 0.8,
    baseline: Optional[float] = 0.5,
    prompted: Optional[float] = 0.85,
    production: Optional[float] = 0.79,
    gold: int = 100,
    blind: bool = True,
    labels: Optional[Dict[str, float]] = None,
    bounds: Bounds = (0.7, 0.9),
    live: Optional[Dict[str, Tuple[float, Bounds]]] = None,
    over_baseline: Optional[Bounds] = (0.2, 0.4),
    over_prompted: Optional[Bounds] = (-0.09, 0.0),
    over_production: Optional[Bounds] = (-0.02, 0.04),
    speed: Optional[float] = 2000.0,
    megabytes: Optional[float] = 4.0,
) -> TaskMetrics:
    """A student that meets every rule of ALL; what is given makes it better or worse."""
    own = {
        name: (f, bounds)
        for name, f in ({"A": 0.8, "B": 0.8} if labels is None else labels).items()
    }
    systems = [
        system(
            "student",
            NAN if student is None else student,
            own,
            megabytes=megabytes,
            words_per_s=speed,
        ),
        system("baseline", NAN if baseline is None else baseline, {}),
        system("prompted", NAN if prompted is None else prompted, {}),
        system(
            "production",
            NAN if production is None else production,
            live or {"A": (0.85, (0.8, 0.9))},
            digest=RIVAL,
        ),
    ]
    given_ = {
        "student": student,
        "baseline": baseline,
        "prompted": prompted,
        "production": production,
    }
    pairs = {"baseline": over_baseline, "prompted": over_prompted, "production": over_production}
    return TaskMetrics(
        TaskHeader("mood", "ner", ("A", "B"), "digest"),
        *("mood_ents_f", gold, (("person", gold),), blind),
        tuple(s for s in systems if given_[s.role] is not None),
        tuple(
            # Some the other way round, as they may be in the file.
            Comparison("a student", f"a {role}", (low + high) / 2, low, high, 0.5)
            if role == "prompted"
            else Comparison(f"a {role}", "a student", -(low + high) / 2, -high, -low, 0.5)
            for role, (low, high) in ((r, p) for r, p in pairs.items() if p is not None)
        ),
    )


def test_a_good_student_passes() -> None:
    assert judge(make_metrics(), ALL) == Verdict("mood", True)
    assert judge(make_metrics(), ALL, rival=RIVAL) == Verdict("mood", True)
    assert judge(make_metrics(production=None), ALL) == Verdict("mood", True)  # the first one
    # Just enough of everything.
    edge = make_metrics(student=0.7, gold=50, labels={"A": 0.6, "B": 0.5}, speed=1000, megabytes=5)
    assert judge(edge, ALL) == Verdict("mood", True)
    # Nothing else is asked of it if nothing else is set.
    bare = make_metrics(prompted=None, production=None, labels={}, speed=None, megabytes=None)
    assert judge(bare, FEW) == Verdict("mood", True)


def test_the_student_in_production_does_not_lose_against_itself() -> None:
    same = make_metrics(over_production=(0.0, 0.0), production=0.8)
    strict = replace(ALL, production_margin=0.0)
    assert judge(same, strict).passed and judge(same, ALL).passed


@pytest.mark.parametrize(
    "metrics, settings, parts",
    [
        ({"student": None}, FEW, ["no student"]),
        ({"student": 0.699}, FEW, ["mood_ents_f", "0.699", "floor 0.70"]),
        ({"student": NAN, "baseline": NAN}, FEW, ["nan", "floor"]),
        ({}, PromoteSettings(floors={"other": 0.1}), ["no floor", "'mood'"]),
        ({"gold": 49}, ALL, ["49 gold texts", "50"]),
        ({"blind": False}, ALL, ["not blind", "require_blind"]),
        ({"labels": {"A": 0.599, "B": 0.9}}, ALL, ["label 'A'", "0.599", "0.60"]),
        ({"labels": {"A": NAN, "B": 0.9}}, ALL, ["label 'A'", "nan"]),
        ({"labels": {"A": 0.9}}, ALL, ["label 'B'", "no figure", "0.50"]),
        ({"baseline": None}, FEW, ["no baseline"]),
        ({"baseline": 0.9}, FEW, ["mood_ents_f", "0.800", "'a baseline'", "0.900"]),
        ({"baseline": 0.8}, FEW, ["does not beat"]),
        ({"over_baseline": (0.0, 0.4)}, ALL, ["surely", "'a baseline'", "+0.000 to +0.400"]),
        ({"over_baseline": None}, ALL, ["'a baseline'", "not compared"]),
        ({"over_prompted": (-0.1, 0.2)}, ALL, ["'a prompted'", "-0.100 to +0.200", "above -0.1"]),
        ({"over_prompted": None}, ALL, ["'a prompted'", "not compared"]),
        ({"prompted": None}, ALL, ["margin", "0.1", "no prompted"]),
        ({"over_production": (-0.2, -0.01)}, FEW, ["worse than production", "-0.010", "below 0"]),
        ({"over_production": None}, FEW, ["'a production'", "not compared"]),
        ({"over_production": (-0.06, 0.1)}, ALL, ["'a production'", "-0.060", "below -0.05"]),
        ({"bounds": (0.7, 0.79)}, FEW, ["label 'A'", "0.700 to 0.790", "0.800 to 0.900"]),
        ({"speed": 999.0}, ALL, ["999 words/s", "at least 1,000"]),
        ({"speed": None}, ALL, ["speed was not measured", "1,000"]),
        ({"megabytes": 5.1}, ALL, ["5.1 MB", "at most 5.0 MB"]),
        ({"megabytes": None}, ALL, ["size was not measured"]),
    ],
)
def test_each_reason_holds(metrics: Any, settings: PromoteSettings, parts: Any) -> None:
    verdict = judge(make_metrics(**metrics), settings)
    reasons = [r for r in verdict.reasons if all(part in r for part in parts)]
    assert (verdict.task, verdict.passed, len(reasons)) == ("mood", False, 1), verdict
    if NAN not in metrics.values():
        assert len(verdict.reasons) == 1, verdict


def test_all_reasons_are_told() -> None:
    verdict = judge(make_metrics(student=0.1, gold=3, blind=False, megabytes=9, speed=1), ALL)
    assert len(verdict.reasons) == 6


def test_what_is_not_set_is_not_asked() -> None:
    poor = make_metrics(
        blind=False,
        over_prompted=(-0.9, -0.8),
        over_production=(-0.5, 0.0),
        over_baseline=(-0.1, 0.7),
        labels={"B": 0.1},
        speed=1,
        megabytes=999,
    )
    assert judge(poor, replace(FEW, require_blind=False)) == Verdict("mood", True)


def test_a_task_may_have_its_own_margin() -> None:
    far = make_metrics(over_prompted=(-0.3, -0.2))
    assert not judge(far, ALL).passed
    assert judge(far, replace(ALL, margins={"mood": 0.31})).passed
    assert not judge(make_metrics(), replace(ALL, margins={"mood": 0.01})).passed
    assert judge(make_metrics(), replace(ALL, margins={"other": 0.01})).passed


def test_the_speed_of_a_long_measurement_counts() -> None:
    metrics = make_metrics(speed=1.0)
    systems = tuple(replace(s, speed=Speed(2000.0)) for s in metrics.systems)
    assert judge(replace(metrics, systems=systems), ALL).passed


@pytest.mark.parametrize("measured", [None, 0.79])
def test_production_that_was_not_measured(measured: Optional[float]) -> None:
    """None at all, or another version than the one that runs: said, and held if it was asked."""
    metrics = make_metrics(production=measured, over_production=(-0.5, -0.4))
    verdict = judge(metrics, FEW, rival="another digest")
    assert verdict.passed and "--production" in verdict.notes[0]
    verdict = judge(metrics, replace(FEW, production_margin=0.5), rival="another digest")
    assert not verdict.passed and "--production" in verdict.reasons[0]
    assert verdict.notes == ()


def test_the_rules_shown_in_the_docs_are_rules() -> None:
    page = Path(__file__).parent.parent.parent / "docs" / "promote.md"
    (block,) = re.findall(r"```ini\n(.*?)```", page.read_text(), re.DOTALL)
    config = Config().from_str(f"[hitl]\n\n{block}")
    shown = read_settings(config, path=page).promote
    assert shown.label_floors == {"product": {"PRODUCT": 0.85}}
    assert shown.margins == {"product": 0.08, "link": 0.10}


# What passes meets every condition, and nothing passes by being worse

shares = st.integers(0, 20).map(lambda n: n / 20)
gains = st.tuples(st.integers(-10, 10), st.integers(0, 10)).map(
    lambda pair: (pair[0] / 20, (pair[0] + pair[1]) / 20)
)
ordered = st.tuples(shares, shares).map(lambda pair: (min(pair), max(pair)))
figures = st.fixed_dictionaries(
    {
        **dict.fromkeys(("student", "baseline"), shares),
        "gold": st.integers(48, 52),
        "blind": st.booleans(),
        "labels": st.dictionaries(st.sampled_from("AB"), shares),
        "bounds": ordered,
        "live": st.fixed_dictionaries({"A": st.tuples(shares, ordered)}),
        **{f"over_{name}": gains for name in ("baseline", "prompted", "production")},
        "speed": st.none() | st.sampled_from([999.0, 1000.0]),
        "megabytes": st.none() | st.sampled_from([5.0, 5.1]),
    }
)
limits = st.none() | shares
rules = st.builds(
    PromoteSettings,
    floors=st.fixed_dictionaries({"mood": shares}),
    label_floors=st.fixed_dictionaries({"mood": st.dictionaries(st.sampled_from("AB"), shares)}),
    min_gold=st.integers(48, 52),
    require_blind=st.booleans(),
    beats_baseline=st.sampled_from(["point", "interval"]),
    margin=limits,
    production_margin=limits,
    min_words_per_s=st.none() | st.just(1000.0),
    max_megabytes=st.none() | st.just(5.0),
)


def meets(f: Dict[str, Any], r: PromoteSettings) -> List[bool]:
    """Every condition, said once more."""
    floors = r.label_floors["mood"]
    gain = {name: f[f"over_{name}"] for name in ("baseline", "prompted", "production")}
    return [
        f["gold"] >= r.min_gold,
        f["blind"] or not r.require_blind,
        f["student"] >= r.floors["mood"],
        all(label in f["labels"] and f["labels"][label] >= floors[label] for label in floors),
        f["student"] > f["baseline"],
        r.beats_baseline == "point" or gain["baseline"][0] > 0,
        r.margin is None or gain["prompted"][0] > -r.margin,
        gain["production"][1] >= 0,
        r.production_margin is None or gain["production"][0] >= -r.production_margin,
        "A" not in f["labels"] or f["bounds"][1] >= f["live"]["A"][1][0],
        r.min_words_per_s is None or (f["speed"] or 0) >= 1000,
        r.max_megabytes is None or (f["megabytes"] or 9) <= 5,
    ]


@given(figures, rules)
def test_what_passes_meets_every_condition(f: Dict[str, Any], settings: PromoteSettings) -> None:
    verdict = judge(make_metrics(**f), settings)
    assert verdict.passed == all(meets(f, settings))
    assert verdict.passed == (not verdict.reasons)


def down(bounds: Bounds, step: float) -> Bounds:
    return (bounds[0] - step, bounds[1] - step)


WORSE = {
    "student": lambda f, x: f["student"] - x,
    "gold": lambda f, x: f["gold"] - round(x * 20),
    "blind": lambda f, x: False,
    "labels": lambda f, x: {label: score - x for label, score in f["labels"].items()},
    "bounds": lambda f, x: down(f["bounds"], x),
    "over_baseline": lambda f, x: down(f["over_baseline"], x),
    "over_prompted": lambda f, x: down(f["over_prompted"], x),
    "over_production": lambda f, x: down(f["over_production"], x),
    "speed": lambda f, x: None if f["speed"] is None else f["speed"] - 10 * x,
    "megabytes": lambda f, x: None if f["megabytes"] is None else f["megabytes"] + x,
}


@given(figures, rules, st.lists(st.sampled_from(sorted(WORSE)), min_size=1), shares)
def test_nothing_passes_by_being_worse(
    f: Dict[str, Any], settings: PromoteSettings, names: List[str], step: float
) -> None:
    worse = {**f, **{name: WORSE[name](f, step) for name in names}}
    before = judge(make_metrics(**f), settings)
    after = judge(make_metrics(**worse), settings)
    assert before.passed or not after.passed


# What hangs together


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
