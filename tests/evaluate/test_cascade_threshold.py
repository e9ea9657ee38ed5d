"""The threshold of a cascade: calibrated on decided texts, within its budget, never on gold."""

import json
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.training import Example
from spacy.util import load_config, load_model_from_config
from typer.testing import CliRunner

from spacy_hitl.cli import hitl_cli
from spacy_hitl.dataset.corpus import read_corpus, write_corpus
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.evaluate.cascade import plan_cascade
from spacy_hitl.evaluate.cascade_table import plan_notes, plan_table
from spacy_hitl.evaluate.run import evaluate
from spacy_hitl.io import text_digest
from spacy_hitl.pipeline.cascade import LLM, STUDENT, get_answers
from spacy_hitl.records import DEV, GOLD, OK, TRAIN, Annotation, Proposal, SpanAnnotation, TaskRow
from spacy_hitl.scoring.cascade import (
    CascadePlan,
    CascadePoint,
    Judged,
    calibrated,
    curve,
    fit_points,
    share_bounds,
    threshold_for,
    threshold_of_error,
)

CONFIG = Path("configs/prototype.cfg")
STUDENT_PATH = Path("training/product/model-best")
TOK2VEC = {
    "@architectures": "spacy.HashEmbedCNN.v2",
    "width": 16,
    "depth": 1,
    "embed_size": 200,
    "window_size": 1,
    "maxout_pieces": 2,
    "pretrained_vectors": None,
    "subword_features": True,
}
judged_texts = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=60)


def arrays(rows: List[Tuple[float, bool]]) -> Tuple[Any, Any]:
    return np.array([r for r, _ in rows]), np.array([float(ok) for _, ok in rows])


@given(judged_texts)
def test_the_curve_rises_and_never_claims_to_be_certain(rows: List[Tuple[float, bool]]) -> None:
    raw, right = arrays(rows)
    points = fit_points(raw, right)
    xs, ys = zip(*points, strict=True)
    assert points[0] == (0.0, 0.0)
    assert all(a < b for a, b in pairwise(xs))
    assert all(a <= b for a, b in pairwise(ys))
    assert max(ys) < 1
    order = np.argsort(raw, kind="stable")
    assert (np.diff(calibrated(raw, points)[order]) >= 0).all()


def test_the_curve_is_right_on_average() -> None:
    random = np.random.default_rng(1)
    raw = random.random(3000) ** 0.1  # most are quite sure
    right = (random.random(3000) < raw**3).astype(float)
    found = calibrated(raw, fit_points(raw, right))
    assert found.mean() == pytest.approx(right.mean(), abs=0.01)
    assert np.abs(found - raw**3).mean() < 0.04
    assert len(set(found.tolist())) > 2500  # the order of the texts is kept


@given(judged_texts, st.floats(0, 1))
def test_a_budget_is_kept(rows: List[Tuple[float, bool]], share: float) -> None:
    raw, right = arrays(rows)
    sure = calibrated(raw, fit_points(raw, right))
    asked = (sure < threshold_for(sure, share)).mean()
    assert asked <= share + 1e-9


def test_a_budget_is_used_up() -> None:
    sure = np.linspace(0.2, 0.9, 200)
    for share in (0.0, 0.05, 0.5, 1.0):
        assert (sure < threshold_for(sure, share)).mean() == pytest.approx(share)


@given(judged_texts, st.floats(0, 1))
def test_what_the_student_keeps_is_expected_to_be_good_enough(
    rows: List[Tuple[float, bool]], error: float
) -> None:
    raw, right = arrays(rows)
    sure = calibrated(raw, fit_points(raw, right))
    threshold = threshold_of_error(sure, right, error)
    if threshold is None:
        assert len(sure) < 10 or error < 1
        return
    kept = sure >= threshold
    assert kept.sum() >= 10
    assert 1 - sure[kept].mean() <= error + 1e-9
    assert 1 - right[kept].mean() <= error + 1e-9


def judged(texts: int = 100, *, answered: bool = True) -> Judged:
    """Texts of which the student's are the righter the surer it is; the LLM's are all right."""
    sure = np.linspace(0, 1, texts)
    right = np.random.default_rng(0).random(texts) < sure
    student = np.zeros((texts, 1, 3))
    student[right, 0, 0] = 1
    student[~right, 0, 1:] = 1
    llm = np.zeros((texts, 1, 3))
    llm[:, 0, 0] = 1
    flags = np.full(texts, float(answered))
    return Judged(sure, student, llm if answered else student, flags)


def test_the_curve_goes_from_the_student_alone_to_the_llm_alone() -> None:
    texts = judged()
    found = curve(texts, fit_points(texts.raw, texts.right), shares=(0.0, 0.2, 0.5, 1.0))
    assert [p.asked for p in found] == pytest.approx([0, 0.2, 0.5, 1.0])
    assert found[0].error == pytest.approx(1 - texts.right.mean())
    assert found[0].score == pytest.approx(texts.right.mean())
    assert found[-1].score == 1.0
    scores = [p.score or 0.0 for p in found]
    assert scores == sorted(scores)
    assert found[2].error < found[0].error
    for p in found:
        assert p.low <= p.error <= p.high
        assert (p.score_low or 0) <= (p.score or 0) <= (p.score_high or 0)


def test_without_answers_of_the_llm_nothing_is_said_of_it() -> None:
    texts = judged(answered=False)
    found = curve(texts, ())
    assert {p.score for p in found} == {None}
    assert CascadePoint.from_dict(found[0].to_dict()) == found[0]


def test_a_share_of_nothing_can_be_anything() -> None:
    assert share_bounds(0, 0) == (0.0, 1.0)
    low, high = share_bounds(0, 50)
    assert low == 0
    assert 0.05 < high < 0.1


# A project: the student knows two names, people decided that one of them is none


def words(i: int) -> str:
    return f"Post {i} : the {'Zed' if i % 4 == 0 else 'K10'} is here ."


def row(i: int, lane: str) -> TaskRow:
    text = words(i)
    name = "Zed" if "Zed" in text else "K10"
    span = SpanAnnotation(text.index(name), text.index(name) + 3, "PRODUCT")
    truth = Annotation() if i % 8 == 0 else Annotation(spans=(span,))
    proposal = Proposal(text_digest(text), "product", "replay", OK, "x", truth)
    return TaskRow(text, text_digest(text), lane, truth, "person", True, proposal)


def save_student() -> None:
    """It is sure of K10, and finds Zed as well, but not as surely."""
    nlp = spacy.blank("en")
    spacy.util.fix_random_seed(0)
    nlp.add_pipe("ner", name="product", config={"model": {"tok2vec": TOK2VEC}})
    lessons = []
    for i in range(1, 17):
        text, name = words(i), "Zed" if i % 4 == 0 else "K10"
        ents = [] if i == 8 else [(text.index(name), text.index(name) + 3, "PRODUCT")]
        lessons.append(Example.from_dict(nlp.make_doc(text), {"entities": ents}))
    optimizer = nlp.initialize(lambda: lessons)
    optimizer.learn_rate = 0.005
    for _ in range(25):
        nlp.update(lessons, sgd=optimizer)
    STUDENT_PATH.mkdir(parents=True)
    nlp.to_disk(STUDENT_PATH)


@pytest.fixture(scope="module")
def made(exported_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with a student, and 64 decided texts in dev."""
    root = shutil.copytree(exported_project, tmp_path_factory.mktemp("cascade") / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        header, _ = read_corpus(Path("corpus/product.jsonl"))
        rows = [row(i, DEV) for i in range(64)]
        write_corpus(Path("corpus/product.jsonl"), header, rows)
        save_student()
    return root


@pytest.fixture
def ready(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = shutil.copytree(made, tmp_path / "ready")
    monkeypatch.chdir(root)
    return Path(root)


def rewrite(lane: str, count: int) -> None:
    path = Path("corpus/product.jsonl")
    header, _ = read_corpus(path)
    write_corpus(path, header, [row(i, lane) for i in range(count)])


def test_a_budget_asks_about_the_doubtful_texts(ready: Path) -> None:
    plan, config = plan_cascade(CONFIG, "product", budget=0.25, audit_share=0.02)
    assert (plan.lane, plan.texts, plan.learned) == (DEV, 64, False)
    assert 0 < plan.chosen.asked <= 0.25
    first, last = plan.curve[0], plan.curve[-1]
    assert plan.chosen.error < first.error
    assert plan.llm_right is not None
    assert plan.llm_right[0] == 1.0
    assert (first.score or 0) < (plan.chosen.score or 0) <= (last.score or 0) == 1.0
    assert CascadePlan.from_dict(plan.to_dict()) == plan
    block = config["components"]["product_cascade"]
    assert block["threshold"] == plan.chosen.threshold
    assert (block["queue"], block["audit_share"]) == ("datasets/hitl.db", 0.02)


def test_an_error_that_is_allowed_is_met_with_few_questions(ready: Path) -> None:
    strict, _ = plan_cascade(CONFIG, "product", max_error=0.05)
    loose, _ = plan_cascade(CONFIG, "product", max_error=0.5)
    assert loose.chosen.asked == 0
    assert strict.chosen.asked > 0
    assert strict.chosen.error <= 0.05


def test_the_config_is_a_pipeline_that_asks(ready: Path) -> None:
    """As `spacy assemble` reads it, and as `spacy hitl evaluate` measures it."""
    answers = [
        {"text_digest": text_digest(words(i)), "task": "product", "response": '{"entities": []}'}
        for i in range(64)
    ]
    Path("assets/responses.jsonl").write_text("\n".join(map(json.dumps, answers)))
    arguments = ["cascade", str(CONFIG), "product", "--budget", "0.25", "--audit-share", "0"]
    done = CliRunner().invoke(hitl_cli, [*arguments, "--output", "cascade.cfg"])
    assert done.exit_code == 0, done.output
    assert "64 decided texts of lane dev" in " ".join(done.output.split())
    nlp = load_model_from_config(load_config("cascade.cfg"), auto_fill=True)
    assert nlp.pipe_names == ["product", "product_cascade"]
    docs = list(nlp.pipe(words(i) for i in range(64)))
    said: Dict[str, int] = {}
    for doc in docs:
        answer = get_answers(doc)["product_cascade"]
        said[answer.answered] = said.get(answer.answered, 0) + 1
        assert len(doc.ents) == 0 or answer.answered == STUDENT
    assert 0 < said[LLM] <= 16
    shown = CliRunner().invoke(hitl_cli, [*arguments])
    assert "[components.product_cascade]" in shown.output


def test_a_cascade_is_measured_like_any_student(ready: Path) -> None:
    _, gold = read_corpus(Path("corpus/gold/product.jsonl"))
    answers = [
        {"text_digest": r.text_digest, "task": "product", "response": answer(r)} for _, r in gold
    ]
    Path("assets/responses.jsonl").write_text("\n".join(map(json.dumps, answers)))
    _, config = plan_cascade(CONFIG, "product", budget=0.25)
    config["components"]["product_cascade"]["threshold"] = 1.01
    load_model_from_config(config, auto_fill=True).to_disk("cascade")
    files = {"gold": Path("corpus/gold/product.jsonl"), "train": Path("corpus/product.jsonl")}
    metrics = evaluate([str(STUDENT_PATH), "cascade"], speed=False, **files)
    _, alone, cascade = metrics.systems
    assert (alone.role, cascade.role) == (STUDENT, STUDENT)
    assert (cascade.score, cascade.failed) == (1.0, 0)
    assert alone.score < 1.0
    with Dataset(Path("datasets/hitl.db")) as dataset:  # gold stays blind
        sources = {p.source for _, r in gold for p in dataset.proposals("product", r.text_digest)}
    assert "student:product" not in sources


def answer(found: TaskRow) -> str:
    spans = found.decision.spans if found.decision else ()
    quotes = [{"text": found.text[s.start : s.end], "label": s.label} for s in spans]
    return json.dumps({"entities": quotes})


def test_lane_train_will_do_but_is_called_too_good(ready: Path) -> None:
    rewrite(TRAIN, 64)
    plan, _ = plan_cascade(CONFIG, "product", budget=0.1)
    assert (plan.lane, plan.learned) == (TRAIN, True)
    assert "looks better" in " ".join(plan_notes(plan))


def test_a_student_that_learned_from_dev_is_called_too_good(ready: Path) -> None:
    path = STUDENT_PATH / "config.cfg"
    config = load_config(path)
    config["initialize"]["after_init"] = {"@callbacks": "x", "more": "${corpora.dev}"}
    config.to_disk(path)
    plan, _ = plan_cascade(CONFIG, "product", budget=0.1)
    assert plan.learned
    assert "learned from lane dev" in " ".join(plan_notes(plan))


def test_the_table_shows_every_point(ready: Path) -> None:
    plan, _ = plan_cascade(CONFIG, "product", budget=0.25)
    table = plan_table(plan)
    assert "product_ents_f" in table
    assert "chosen" in table
    assert len(table.strip().splitlines()) == len(plan.curve) + 3


def test_too_few_decided_texts_are_refused(ready: Path, fails: Any) -> None:
    rewrite(DEV, 49)
    with fails("H560", 49, 50, "product"):
        plan_cascade(CONFIG, "product", budget=0.1)


def test_gold_is_never_read(ready: Path, fails: Any) -> None:
    rewrite(GOLD, 64)
    with fails("H301"):
        plan_cascade(CONFIG, "product", budget=0.1)


@pytest.mark.parametrize(
    "value", [{}, {"budget": 0.1, "max_error": 0.1}, {"budget": 1.5}, {"max_error": -0.1}], ids=str
)
def test_one_way_to_choose_is_given(fails: Any, value: Any) -> None:
    with fails("H564", "--budget"):
        plan_cascade(CONFIG, "product", **value)


def test_where_all_is_right_there_is_nothing_to_choose(ready: Path, fails: Any) -> None:
    path = Path("corpus/product.jsonl")
    header, _ = read_corpus(path)
    plain = (f"Text {i} : nothing ." for i in range(60))
    rows = [TaskRow(t, text_digest(t), DEV, Annotation(), "person") for t in plain]
    write_corpus(path, header, rows)
    with fails("H565", 60):
        plan_cascade(CONFIG, "product", budget=0.1)


def test_an_error_that_no_threshold_reaches(ready: Path, fails: Any) -> None:
    with fails("H566", "0.1%", "--max-error"):
        plan_cascade(CONFIG, "product", max_error=0.001)


def test_a_task_that_there_is_not(ready: Path, fails: Any) -> None:
    with fails("H130", "products"):
        plan_cascade(CONFIG, "products", budget=0.1)
    spacy.blank("en").to_disk("empty")
    with fails("H401", "empty", "product"):
        plan_cascade(CONFIG, "product", budget=0.1, student=Path("empty"))
