"""Bulk accept: measured on what was decided, bounded with care, stored and taken back as one."""

import random
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import live
import pytest
import srsly
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from spacy_hitl.cli import hitl_cli
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.io import text_digest
from spacy_hitl.pipeline.loading import load_prompted, prompted_tasks
from spacy_hitl.records import (
    Annotation,
    Decision,
    PartialDecision,
    Proposal,
    Row,
    SpanAnnotation,
    TaskRow,
)
from spacy_hitl.review.bulk.accept import accept_in_bulk, undo_bulk
from spacy_hitl.review.bulk.bulk import (
    Judged,
    Sampled,
    error_of,
    first_size,
    plan_bulk,
    steps,
    text_score,
)
from spacy_hitl.settings import LaneSettings

A, B = SpanAnnotation(0, 4, "A"), SpanAnnotation(5, 9, "A")


def scored(span: SpanAnnotation, score: Optional[float], source: str = "calibrated votes") -> Any:
    return replace(span, score=score, score_source=source)


def sampled(
    i: int,
    *given: SpanAnnotation,
    truth: Optional[Sequence[SpanAnnotation]] = None,
    status: str = "ok",
    samples: Sequence[Proposal] = (),
    **values: Any,
) -> Sampled:
    text = f"text {i} with words"
    digest = text_digest(text)
    annotation = Annotation(spans=given)
    shown = Proposal(digest, "product", "m", status if given else "empty", "t", annotation)
    decision = None if truth is None else Annotation(spans=tuple(truth))
    lane = values.pop("lane", "train")
    row = TaskRow(text, digest, lane, decision, proposal=shown, **values)
    return row, (shown, *samples)


def decided(n: int, *, wrong: int = 0, score: float = 0.99, start: int = 0) -> List[Sampled]:
    """Texts with one annotation each; the first ones are wrong."""
    span = scored(A, score)
    return [sampled(start + i, span, truth=[B] if i < wrong else [A]) for i in range(n)]


def undecided(n: int, *, score: float = 0.99, start: int = 10_000) -> List[Sampled]:
    return [sampled(start + i, scored(A, score)) for i in range(n)]


# The score of a text


def test_the_least_certain_annotation_counts() -> None:
    row, samples = sampled(1, scored(A, 0.9), scored(B, 0.4))
    assert text_score(row, samples) == 0.4


def test_what_other_answers_have_and_this_one_does_not_counts_too() -> None:
    other = Proposal("d", "product", "m", "ok", "t", Annotation(spans=(A, B)), sample=2)
    row, samples = sampled(1, scored(A, 0.9), samples=[other])
    assert text_score(row, samples) == 0.5
    refused = replace(other, status="refused")
    row, samples = sampled(1, scored(A, 0.9), samples=[refused])
    assert text_score(row, samples) == 0.9


@pytest.mark.parametrize(
    "one",
    [
        sampled(1, A),
        sampled(1, scored(A, 0.9, "votes")),
        sampled(1, scored(A, 0.9), status="unaligned"),
        sampled(1, scored(A, 0.9), status="malformed"),
        (TaskRow("x", "d", "train"), ()),
    ],
)
def test_what_is_not_calibrated_or_not_usable_has_no_score(one: Sampled) -> None:
    assert text_score(*one) is None


def test_an_answer_that_says_none_is_as_sure_as_the_others_agree() -> None:
    assert text_score(*sampled(1)) == 1.0
    other = Proposal("d", "product", "m", "ok", "t", Annotation(spans=(A,)), sample=2)
    assert text_score(*sampled(1, samples=[other])) == 0.5


# The error


def test_errors_are_counted_per_annotation() -> None:
    error = error_of([Judged(1, 1, 4), Judged(1, 0, 4)])
    assert error.value == 0.125
    assert error.low <= error.value <= error.high


def test_without_an_error_the_bound_is_about_four_in_all() -> None:
    """As by the exact binomial bound: 1 - 0.025 ** (1 / n), 3.7 / n for large n."""
    for n in (100, 200, 400):
        high = error_of([Judged(1, 0, 2)] * n).high
        assert 1 - 0.05 ** (1 / n) <= high <= 4.5 / n


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3)), min_size=1, max_size=60))
def test_the_interval_holds_the_value(pairs: Any) -> None:
    error = error_of([Judged(1.0, min(w, s), s) for w, s in pairs], rounds=200)
    assert 0 <= error.low <= error.value <= 1
    assert error.high <= 1


@given(st.lists(st.sampled_from([0.1, 0.5, 0.7, 0.9, 0.95]), max_size=300), st.floats(0.01, 0.5))
def test_steps_depend_on_scores_alone_and_never_part_equal_ones(
    scores: List[float], max_error: float
) -> None:
    scores.sort(reverse=True)
    sizes = steps(scores, max_error)
    assert sizes == sorted(set(sizes))
    for size in sizes:
        assert size >= first_size(max_error)
        assert size == len(scores) or scores[size] < scores[size - 1]


# The plan


def test_sure_texts_are_accepted_and_doubtful_ones_are_not() -> None:
    rows = [
        *decided(300),
        *decided(100, wrong=60, score=0.5, start=1000),
        *undecided(7),
        *undecided(5, score=0.5, start=20_000),
    ]
    plan = plan_bulk(rows, max_error=0.05, task="product")
    assert (len(plan.rows), plan.candidates, plan.threshold) == (7, 12, 0.99)
    assert (plan.measured, plan.exact, plan.seen) == (300, 300, 0)
    assert plan.error.value == 0.0
    assert 0.0 < plan.error.high <= 0.05


def test_the_first_step_that_fails_ends_it() -> None:
    """Taken together, many right texts further down would make up for the bad ones."""
    rows = [
        *decided(300),
        *decided(100, wrong=60, score=0.8, start=1000),
        *decided(3000, score=0.7, start=2000),
        *undecided(4),
        *undecided(9, score=0.7, start=20_000),
    ]
    plan = plan_bulk(rows, max_error=0.05, task="product")
    assert (len(plan.rows), plan.measured, plan.threshold) == (4, 300, 0.99)


def test_too_many_errors_among_the_surest_accept_nothing() -> None:
    plan = plan_bulk([*decided(300, wrong=30), *undecided(7)], max_error=0.05, task="product")
    assert plan.rows == ()
    assert plan.error.high > 0.05


def test_a_small_error_takes_many_decided_texts() -> None:
    rows = [*decided(150), *undecided(7)]
    assert plan_bulk(rows, max_error=0.05, task="product").rows
    plan = plan_bulk(rows, max_error=0.01, task="product")
    assert plan.rows == ()
    assert plan.measured < plan.needed == 400


def test_a_missed_annotation_is_an_error() -> None:
    rows = [sampled(i, scored(A, 0.99), truth=[A, B]) for i in range(300)]
    plan = plan_bulk([*rows, *undecided(3)], max_error=0.1, task="product")
    assert plan.rows == ()
    assert plan.error.value == 0.5


def test_only_undecided_train_texts_are_candidates() -> None:
    span = scored(A, 0.99)
    rows = [
        *decided(300),
        sampled(1001, span),
        sampled(1002, span, lane="dev"),
        sampled(1003, span, partial=PartialDecision()),
        sampled(1004, span, truth=[A], bulk=True),
        sampled(1005, span, status="unaligned"),
    ]
    plan = plan_bulk(rows, max_error=0.1, task="product")
    assert [row.text for _, row in plan.rows] == ["text 1001 with words"]
    assert plan.measured == 300  # what was accepted in bulk before is no evidence


def test_decisions_with_the_proposal_in_sight_are_counted() -> None:
    rows = [(replace(row, blind=i % 3 > 0), some) for i, (row, some) in enumerate(decided(300))]
    assert plan_bulk(rows, max_error=0.1, task="product").seen == 100


def test_too_few_decided_texts_are_refused(fails: Any) -> None:
    with fails("H224", "'product'", "49", "50"):
        plan_bulk([*decided(49), *undecided(9)], max_error=0.1, task="product")


def test_the_true_error_is_rarely_above_the_limit() -> None:
    """Right at the limit it matters: the annotations are wrong a bit more often than
    allowed, so that accepting them is a mistake. By construction it may happen in 2.5% of all
    trials; of 100, up to 7 are within chance (p < 0.005).
    """
    rng = random.Random(0)
    mistakes = 0
    for _ in range(100):
        wrong = sum(rng.random() < 0.06 for _ in range(200))
        rows = [*decided(200, wrong=wrong), *undecided(1)]
        mistakes += bool(plan_bulk(rows, max_error=0.05, task="product").rows)
    assert mistakes <= 7


# In a project

POSTS = [f"Nebula number {i} is good" for i in range(400)]
NEBULA = SpanAnnotation(0, 6, "PHONE")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """400 texts of three samples: two of three in one of ten texts, and these are wrong. The first
    250 are decided.
    """
    monkeypatch.chdir(tmp_path)
    live.write_project(train=0, gold=2, tasks=["product"])
    nlp, settings = load_prompted(live.CONFIG)
    source, _, digest = prompted_tasks(nlp)["product"].key
    rows = [Row("p", str(i), text, "train") for i, text in enumerate(POSTS)]
    proposals, decisions = [], []
    for i, text in enumerate(POSTS):
        doubtful = i % 10 == 0
        for sample in (1, 2, 3):
            spans = () if doubtful and sample == 3 else (NEBULA,)
            proposals.append(
                Proposal(
                    text_digest(text),
                    "product",
                    source,
                    "ok" if spans else "empty",
                    digest,
                    Annotation(spans=spans),
                    sample=sample,
                )
            )
        truth = () if doubtful else (NEBULA,)
        if i < 250:
            decisions.append(
                Decision(
                    text_digest(text),
                    "product",
                    "accept",
                    "ann",
                    "person",
                    digest,
                    Annotation(spans=truth),
                    uid=f"u{i}",
                )
            )
    with Dataset(settings.dataset) as dataset:
        dataset.add_rows(rows, LaneSettings())
        dataset.add_proposals(proposals)
        dataset.add_decisions(decisions)
    return settings.dataset


def stored(path: Path) -> List[Dict[str, Any]]:
    dataset = Dataset(path)
    dataset.db.open(readonly=True)
    try:
        rows = dataset.db.rows("SELECT record FROM decisions WHERE id > 250 ORDER BY id")
        return [srsly.json_loads(record) for (record,) in rows]
    finally:
        dataset.db.close()


def accept(**values: Any) -> Any:
    settings = {"max_error": 0.05, "annotator": "bo", "store": True, **values}
    return accept_in_bulk(live.CONFIG, "product", **settings)


def test_it_is_planned_first_and_stored_on_demand(project: Path) -> None:
    plan = accept(store=False)
    assert (len(plan.plan.rows), plan.plan.candidates, plan.uid) == (135, 150, "")
    assert plan.plan.threshold == 1.0
    assert stored(project) == []
    done = accept()
    rows = stored(project)
    assert len(rows) == 135
    for row in rows:
        assert (row["mode"], row["uid"], row["annotator"]) == ("bulk", done.uid, "bo")
        assert row["annotation"]["spans"] == [{"start": 0, "end": 6, "label": "PHONE"}]
        assert row["saw_proposal"]
    assert accept().plan.candidates == 15  # nothing is accepted twice
    assert len(stored(project)) == 135


def test_it_is_taken_back_as_one_and_only_once(project: Path, fails: Any) -> None:
    done = accept()
    assert undo_bulk(live.CONFIG, done.uid) == 135
    assert len(stored(project)) == 270
    with fails("H226", done.uid, "before"):
        undo_bulk(live.CONFIG, done.uid)
    assert len(accept(store=False).plan.rows) == 135


def test_what_people_decided_can_not_be_taken_back_like_that(project: Path, fails: Any) -> None:
    for uid, words in (("u1", "people decided"), ("nothing", "no answer")):
        with fails("H226", words):
            undo_bulk(live.CONFIG, uid)
    assert stored(project) == []


def test_what_people_decide_later_stands(project: Path) -> None:
    accept()
    with live.session() as session:
        digest = stored(project)[0]["text_digest"]
        before = session.texts.standing("product", digest)
        assert before is not None and before.bulk
        task_digest = session.plan["product"].digest
        own = Decision(
            digest, "product", "accept", "cy", "person", task_digest, Annotation(), uid="own"
        )
        session.store("cy", [own])
        after = session.texts.standing("product", digest)
    assert after is not None
    assert after.annotation == Annotation()


def test_one_answer_per_text_is_not_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    live.write_project(tasks=["product"])
    with fails("H225", "--samples 3"):
        accept()


@pytest.mark.parametrize("value", [0.0, 1.0, -0.1, float("nan")])
def test_the_limit_must_be_a_share(project: Path, value: float, fails: Any) -> None:
    with fails("H004", "--max-error"):
        accept(max_error=value)


def test_unknown_tasks_and_unusable_names_are_refused(project: Path, fails: Any) -> None:
    with fails("H130", "nothing"):
        accept_in_bulk(live.CONFIG, "nothing", max_error=0.1, annotator="bo", store=False)
    with fails("H202"):
        accept(annotator="import:x")


# On the command line


def run(*args: str) -> Any:
    return CliRunner().invoke(hitl_cli, ["accept", str(live.CONFIG), *args])


def test_the_command_shows_the_error_before_anything_is_stored(project: Path) -> None:
    shown = run("--task", "product", "--max-error", "0.05")
    assert shown.exit_code == 0, shown.output
    assert "135 of 150 undecided texts score 1.000 or more" in shown.output
    assert re.search(r"225 decided texts of such scores: 0\.000 \[0\.000, 0\.0\d\d\]", shown.output)
    assert "'Nebula' (PHONE) (1.000)" in shown.output
    assert "Nothing was stored" in shown.output
    assert stored(project) == []
    done = run("--task", "product", "--max-error", "0.05", "--yes", "--annotator", "bo")
    (uid,) = re.findall(r"--undo (\w+)", done.output)
    assert len(stored(project)) == 135
    back = run("--undo", uid)
    assert "135 decisions taken back" in back.output


def test_the_command_says_what_is_missing(project: Path) -> None:
    few = run("--task", "product", "--max-error", "0.001")
    assert few.exit_code == 0
    assert "it takes 4000 decided texts" in " ".join(few.output.split())
    none = run()
    assert none.exit_code == 1
    assert "[H227]" in none.output
