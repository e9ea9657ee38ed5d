"""The learning curve: which decisions each point does without, and what the figures say."""

import json
from pathlib import Path
from typing import Any, List, Set

import pytest
from hypothesis import given
from hypothesis import strategies as st
from search_world import CONFIG, CORPUS, KINDS, make_rows, write_world
from spacy.util import load_config

from spacy_hitl.dataset import corpus as corpora
from spacy_hitl.dataset.corpus import read_training_corpus
from spacy_hitl.distill.search import curve as curves
from spacy_hitl.distill.search.compare import Scored
from spacy_hitl.distill.search.curve import (
    SHARES,
    curve_table,
    forget,
    learning_curve,
    make_points,
)
from spacy_hitl.distill.search.inputs import Student
from spacy_hitl.distill.search.splits import FOLDS, make_splits
from spacy_hitl.distill.search.training import Trial
from spacy_hitl.records import Counts, TaskRow
from spacy_hitl.scoring.curves import Curve, slope_sentence

NER = KINDS["ner"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def student_of(rows: List[TaskRow]) -> Student:
    from confection import Config

    return Student(CONFIG, Config(), ("corpora", "train"), NER, tuple(rows))


@given(st.integers(8, 40), st.integers(2, 12), st.integers(0, 9))
def test_a_larger_share_keeps_all_of_a_smaller_one(train: int, dev: int, seed: int) -> None:
    rows = make_rows(NER, train=train, dev=dev)
    student, split = student_of(rows), next(make_splits(rows, seed=seed))
    held_out = {row.text_digest for row in split.held_out}
    rest = [row for row in rows if row.decision is not None and row.text_digest not in held_out]
    before: Set[str] = {row.text_digest for row in rest}
    for share in SHARES:
        forgotten, left = forget(student, split, share=share, seed=seed)
        assert forgotten <= before and left == len(rest) - len(forgotten)
        kept = [row for row in rest if row.text_digest not in forgotten]
        for lane in ("train", "dev"):
            whole = sum(row.lane == lane for row in rest)
            part = sum(row.lane == lane for row in kept)
            assert part >= 1 and whole * share <= part < whole * share + 1
        before = set(forgotten)
    assert not before  # the last point has all


def points_of(*right: Any, texts: int = 200) -> Any:
    """One point per function that says whether a text is right."""
    scored = [
        Scored({(i % 4, f"t{i}"): {"A": Counts(tp=1) if f(i) else Counts(fn=1)} for i in range(n)})
        for f, n in ((f, texts) for f in right)
    ]
    shares = [(i + 1) / len(right) for i in range(len(right))]
    return make_points(shares, [100 * s for s in shares], scored, average="micro")


def curve_of(points: Any) -> Curve:
    return Curve("t", "d", "t_ents_f", "c", 40, 40, 4, 4, 0, 1, 1, "3", "0", points)


def test_more_decisions_pay() -> None:
    points = points_of(lambda i: i // 4 % 2, lambda i: i // 4 % 10)
    assert points[0].gain is None and points[1].gain[1] > 0
    assert points[1].better == pytest.approx(1)
    text = slope_sentence(curve_of(points))
    assert "From 50 to 100 reviewed texts" in text and "seem to pay" in text
    # F goes from 2 * .5 / 1.5 to 2 * .9 / 1.9 for 50 more texts
    assert "+0.281" in text and "about +0.561 per 100 texts" in text


def test_more_decisions_do_harm() -> None:
    points = points_of(lambda i: i // 4 % 10, lambda i: i // 4 % 2)
    assert "it fell" in slope_sentence(curve_of(points))


def test_it_can_not_be_told() -> None:
    points = points_of(lambda i: i // 4 % 10, lambda i: (i // 4 + 1) % 10)
    text = slope_sentence(curve_of(points))
    assert "the interval includes 0" in text and "for the next 50" in text


def test_forgotten_decisions_become_proposals(monkeypatch: Any) -> None:
    rows = write_world()
    seen: List[Any] = []

    def trying(config: Any, header: Any, held_out: Any, *, seed: int, gpu: int) -> Trial:
        path = Path(config["corpora"]["train"]["path"])
        found = read_training_corpus(path, "thing")[1]
        assert config["corpora"]["dev"]["path"] == str(path) != str(CORPUS)
        assert {r.text for r in found}.isdisjoint(r.text for r in held_out)
        assert all(row.proposal is not None for row in found)
        seen.append((seed, sum(row.decision is not None for row in found), len(found)))
        return Trial(tuple({"A": Counts(tp=1)} for _ in held_out), 0.1)

    monkeypatch.setattr(curves, "try_out", trying)
    lines: List[str] = []
    found = learning_curve(CONFIG, Path("out"), minutes=60, max_passes=2, report=lines.append)
    assert found.splits == 2 * FOLDS and found.scored == found.reviewed == 22
    assert len(seen) == len(lines) == 4 * found.splits
    for i in range(0, len(seen), 4):
        seeds, decided, texts = zip(*seen[i : i + 4], strict=True)
        assert len(set(seeds)) == len(set(texts)) == 1
        said = [line.split(":")[1].split()[0] for line in lines[i : i + 4]]
        assert [str(n) for n in decided] == said and len(set(decided)) == 4
        assert decided[3] + (len(rows) - texts[3]) == 22
    assert [p.share for p in found.points] == list(SHARES)
    assert found.points[3].texts == 16.5
    assert Curve.from_dict(json.loads(Path("out/curve.json").read_text())) == found
    table = curve_table(found)
    assert "100%" in table and "22 of 22 reviewed texts" in table


def test_the_budget_ends_the_curve(monkeypatch: Any) -> None:
    write_world()
    clock = [0.0]

    def trying(config: Any, header: Any, held_out: Any, **values: Any) -> Trial:
        clock[0] += 15
        return Trial(tuple({"A": Counts(tp=1)} for _ in held_out), 15)

    monkeypatch.setattr(curves, "try_out", trying)
    monkeypatch.setattr(curves.time, "monotonic", lambda: clock[0])
    lines: List[str] = []
    assert learning_curve(CONFIG, Path("out"), minutes=0.5, report=lines.append).splits == 1
    assert "about 1.0 minutes, 0.5 were given" in lines[1] and len(lines) == 5
    found = learning_curve(CONFIG, Path("out"), minutes=3)
    assert found.splits == 3 and not found.whole
    assert learning_curve(CONFIG, Path("out"), minutes=4).whole


def test_a_real_curve_never_reads_what_it_scores_on(monkeypatch: Any) -> None:
    rows = write_world("textcat", warm_up=True)
    config = load_config(CONFIG, interpolate=False)
    config["training"]["max_steps"] = 2
    CONFIG.write_text(config.to_str(interpolate=False))
    read, trial = corpora.read_corpus, curves.try_out
    seen: List[str] = []

    def reading(path: Path) -> Any:
        header, found = read(path)
        seen.extend(row.text for _, row in found)
        return header, found

    def trying(config: Any, header: Any, held_out: Any, **values: Any) -> Trial:
        seen.clear()
        done = trial(config, header, held_out, **values)
        assert seen and set(seen).isdisjoint(row.text for row in held_out)
        return done

    monkeypatch.setattr(corpora, "read_corpus", reading)
    monkeypatch.setattr(curves, "try_out", trying)
    found = learning_curve(CONFIG, Path("out"), minutes=0.001, shares=(0.5, 1.0))
    assert found.splits == 1 and len(found.points) == 2
    assert found.scored == len(next(make_splits(rows)).held_out)


def test_a_training_that_fails_ends_it(fails: Any) -> None:
    write_world()
    config = load_config(CONFIG, interpolate=False)
    config["components"]["thing"]["factory"] = "nothing"
    CONFIG.write_text(config.to_str(interpolate=False))
    with fails("H343", "nothing"):
        learning_curve(CONFIG, Path("out"))
    assert not Path("out").exists()
