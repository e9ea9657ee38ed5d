"""`spacy hitl init`: the config it writes runs as it stands, and nothing is guessed wrongly."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Dict

import pytest
import spacy
import student_world as world
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.cli.train import train
from spacy.util import load_config, load_config_from_str
from typer.testing import CliRunner

from spacy_hitl.cli import hitl_cli
from spacy_hitl.dataset.corpus import write_corpus
from spacy_hitl.distill.recipes import KINDS, RECIPES
from spacy_hitl.distill.recipes.labels import make_entity_labels
from spacy_hitl.distill.recipes.new_config import config_text, write_config
from spacy_hitl.distill.recipes.plan import TASK_KINDS, Plan, make_plan
from spacy_hitl.distill.recipes.render import comments, render
from spacy_hitl.distill.recipes.tok2vec import Size, tok2vec
from spacy_hitl.distill.recipes.training import training_config, warms_up

TEXT = "Bob dropped and broke a Comet"
SHORT = {
    "training.max_steps": 24,
    "training.eval_frequency": 24,
    "training.optimizer.learn_rate": 0.005,
    "initialize.after_init.learn_rate": 0.003,
}

NO_WARM_UP = {name: value for name, value in SHORT.items() if name.startswith("training")}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: object) -> Any:
    return CliRunner().invoke(hitl_cli, ["init", *map(str, words)])


def written(**options: Any) -> Any:
    """The config of a plan, read back as spaCy would."""
    return load_config_from_str(config_text(make_plan(**options), path="x.cfg"))


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("kind", world.HEADERS)
def test_the_config_trains(kind: str, recipe: str, here: Path) -> None:
    plan = make_plan(corpus=world.write(Path(), kind), student=recipe)
    config = write_config(plan, Path("configs/student.cfg"))
    short = {} if kind == "linking" else SHORT
    train(config, here / "out", overrides=short)
    nlp = spacy.load(here / "out" / "model-best")
    assert nlp.pipe_names[-1] == world.HEADERS[kind].task
    assert world.predict(nlp, kind, TEXT) == world.expected(kind)
    if kind != "linking":
        assert world.predict(nlp, kind, TEXT.replace("dropped and broke", "loves and owns"))


def test_an_ensemble_trains(here: Path) -> None:
    plan = make_plan(corpus=world.write(Path(), "ner", wordy=True), student="ensemble")
    assert training_config(plan)["corpora"]["train"]["proposals"]
    train(write_config(plan, Path("x.cfg")), here / "out")
    nlp = spacy.load(here / "out" / "model-best")
    assert set(nlp.get_pipe("phones").labels) == {"PERSON", "PHONE"}
    assert world.predict(nlp, "ner", TEXT) == world.expected("ner")


def test_an_ensemble_is_made_for_as_many_texts_as_there_are() -> None:
    plan = make_plan(corpus=world.write(Path(), "ner"), student="ensemble")
    assert plan.labelled == (plan.decided or 0) + (plan.proposed or 0) + (plan.dev or 0) > 30
    many = replace(plan, proposed=5000)
    unknown = replace(plan, decided=None, proposed=None, dev=None)
    assert unknown.labelled is None
    found = {p.proposed: training_config(p)["nlp"]["pipeline"] for p in (plan, many, unknown)}
    listed = ["phones_seen", "phones"]
    assert found == {plan.proposed: listed, 5000: ["phones"], None: listed}
    assert training_config(many)["initialize"]["after_init"]["folds"] == 0


def weights(nlp: Any) -> Dict[str, bytes]:
    nodes = enumerate(nlp.get_pipe("tok2vec").model.walk())
    return {
        f"{i} {name}": node.get_param(name).tobytes()
        for i, node in nodes
        for name in node.param_names
    }


def test_a_student_on_a_base_leaves_it_alone(here: Path, fails: Any) -> None:
    base = spacy.blank("en")
    base.add_pipe("tok2vec", config={"model": tok2vec(Size(width=32, depth=1, hidden=16))})
    base.initialize()
    base.to_disk(here / "base")
    path = world.write(Path(), "ner")
    config = write_config(make_plan(corpus=path, base="base"), Path("x.cfg"))
    assert load_config(config)["components"]["tok2vec"] == {"source": "base"}
    train(config, here / "out", overrides={**SHORT, "training.max_steps": 48})
    nlp = spacy.load(here / "out" / "model-last")
    assert weights(nlp) == weights(base) != {}
    assert world.predict(nlp, "ner", TEXT)["Bob"] == "PERSON"
    with fails("H001", "no-base"):
        make_plan(corpus=path, base="no-base")
    with fails("H370", "--base"):
        make_plan(corpus=path, base="base", student="ensemble")


def test_every_kind_of_component_is_tried() -> None:
    headers = world.HEADERS.values()
    plans = [Plan("x", header.kind, header.labels, "x", header.exclusive) for header in headers]
    assert {plan.component for plan in plans} == set(KINDS)
    assert {header.kind for header in headers} == set(TASK_KINDS)


def test_the_command_and_distill_as_they_stand(here: Path) -> None:
    world.write(here, "textcat_multilabel")
    result = run("--corpus", "corpus/topics.jsonl")
    assert result.exit_code == 0, result.output
    # (i + j) % 3 == 0 holds for a third of the 30 texts of lane train.
    assert "10 decided and 20 proposed texts" in result.output
    assert "10 decided ones to measure on" in result.output
    done = CliRunner().invoke(
        hitl_cli, ["distill", "configs/topics.cfg", "--output", "training/topics"]
    )
    assert done.exit_code == 0, done.output
    nlp = spacy.load("training/topics/model-best")
    assert world.predict(nlp, "textcat_multilabel", TEXT) == {"BAD": True, "GOOD": False}
    assert nlp.get_pipe("topics").cfg["threshold"] != 0.5


def test_the_issue_s_own_words(here: Path) -> None:
    result = run("--task", "ner", "--labels", "PERSON, ORG", "--student", "fast")
    assert result.exit_code == 0, result.output
    assert "There is no corpus/ner.jsonl yet" in result.output
    config = load_config("configs/ner.cfg")
    assert config["initialize"]["components"]["ner"]["labels"]["labels"] == ["PERSON", "ORG"]
    assert config["components"]["ner"]["factory"] == "ner"
    assert config["nlp"]["after_pipeline_creation"]["@callbacks"] == "spacy-hitl.accelerate.v1"
    # Filled: nothing is left for spaCy to add.
    nlp = spacy.util.load_model_from_config(config)
    assert dict(nlp.config) == dict(config)


def test_stdout_writes_no_file(here: Path) -> None:
    result = run("-", "--task", "spancat", "--labels", "A", "--name", "parts")
    assert result.exit_code == 0
    assert load_config_from_str(result.output)["components"]["parts"]["factory"] == "spancat"
    assert list(here.iterdir()) == []


def test_a_file_that_is_there_stays(here: Path, fails: Any) -> None:
    plan = make_plan(kind="ner", labels=["A"])
    Path("x.cfg").write_text("mine")
    with fails("H372", "x.cfg", "--force"):
        write_config(plan, Path("x.cfg"))
    assert Path("x.cfg").read_text() == "mine"
    assert run("x.cfg", "--task", "ner", "--labels", "A").exit_code == 1
    assert run("x.cfg", "--task", "ner", "--labels", "A", "--force").exit_code == 0
    assert load_config("x.cfg")["nlp"]["pipeline"] == ["ner"]
    with fails("H375", "project"):
        write_config(plan, Path("project"))


@pytest.mark.parametrize(
    "options, parts",
    [
        ({}, ["--task is not given", "--corpus"]),
        ({"kind": "poems"}, ["'poems'", "ner, spancat, textcat, linking, relations"]),
        ({"kind": "ner", "student": "huge"}, ["'huge'", "small, fast, ensemble, transformer"]),
        ({"kind": "ner"}, ["--labels is not given"]),
        ({"kind": "ner", "labels": ["A", "A"]}, ["'A,A'", "once"]),
        ({"kind": "ner", "labels": ["A", ""]}, ["--labels", "not empty"]),
        ({"kind": "ner", "labels": ["${x.y}"]}, ["'${x.y}'"]),
        ({"kind": "ner", "labels": ["A"], "name": "a.b"}, ["--name", "'a.b'"]),
        ({"kind": "ner", "labels": ["A"], "name": "transformer"}, ["--name", "no other component"]),
        ({"kind": "textcat", "labels": ["A", "B"]}, ["--exclusive", "--multilabel"]),
        ({"kind": "linking", "name": "link"}, ["--catalog is not given"]),
        (
            {"kind": "ner", "labels": ["A"], "student": "transformer"},
            ["--transformer is not given"],
        ),
        ({"kind": "spancat", "labels": ["A"], "student": "ensemble"}, ["--student", "spancat"]),
        ({"kind": "ner", "labels": ["A"], "transformer": "x"}, ["--transformer is 'x'"]),
        (
            {
                "kind": "linking",
                "catalog": Path("x"),
                "student": "transformer",
                "transformer": "x",
            },
            ["--student", "no context"],
        ),
    ],
)
def test_what_is_missing_or_unknown_is_said(options: Any, parts: Any, fails: Any) -> None:
    with fails("H370", *parts):
        make_plan(**options)


@pytest.mark.parametrize(
    "options, parts",
    [
        ({"labels": ["PHONE"]}, ["--labels PHONE", "PERSON, PHONE"]),
        ({"labels": ["PHONE", "PLACE"]}, ["--labels PHONE, PLACE", "PERSON, PHONE"]),
        ({"kind": "spancat"}, ["--task spancat", "ner"]),
        ({"name": "other"}, ["--name other", "phones"]),
        ({"exclusive": True}, ["--exclusive True", "False"]),
    ],
)
def test_the_corpus_is_right(options: Any, parts: Any, fails: Any) -> None:
    path = world.write(Path(), "ner")
    with fails("H371", path, *parts):
        make_plan(corpus=path, **options)
    # The same labels in another order are the same labels; the corpus has the order.
    assert make_plan(corpus=path, labels=["PERSON", "PHONE"]).labels == ("PHONE", "PERSON")


def test_the_corpus_at_the_usual_place_is_read(fails: Any) -> None:
    world.write(Path(), "ner")
    assert make_plan(kind="ner", name="phones").decided == 10
    with fails("H371", "phones.jsonl", "--labels A"):
        make_plan(kind="ner", name="phones", labels=["A"])


def test_a_corpus_that_is_missing_or_holds_gold_is_refused(fails: Any) -> None:
    with fails("H001", "no.jsonl"):
        make_plan(corpus=Path("no.jsonl"))
    row = world.make_row("ner", TEXT, "gold", decided=True)
    write_corpus(Path("gold.jsonl"), world.HEADERS["ner"], [row])
    with fails("H301", "gold.jsonl:2"):
        make_plan(corpus=Path("gold.jsonl"))


def test_without_decisions_the_loop_learns_from_proposals(here: Path) -> None:
    plan = make_plan(corpus=world.write(Path(), "ner", decided=False))
    assert (plan.decided, plan.proposed, plan.dev) == (0, 30, 10)
    config = training_config(plan)
    assert config["initialize"]["after_init"] is None
    assert config["corpora"]["train"]["proposals"] and not config["corpora"]["train"]["decisions"]
    assert not config["corpora"]["dev"]["proposals"]
    assert config["training"]["optimizer"]["learn_rate"] == 0.001
    train(write_config(plan, Path("x.cfg")), here / "out", overrides=NO_WARM_UP)
    nlp = spacy.load(here / "out" / "model-best")
    assert world.predict(nlp, "ner", TEXT) == world.expected("ner")


def test_without_proposals_there_is_no_warm_up() -> None:
    plan = make_plan(corpus=world.write(Path(), "spancat", proposed=False))
    assert (plan.decided, plan.proposed) == (10, 0)
    assert training_config(plan)["initialize"]["after_init"] is None
    assert not warms_up(plan)


@pytest.mark.parametrize(
    "proposed, epochs", [(None, 6), (1, 30), (120, 30), (240, 16), (600, 7), (640, 6), (9000, 6)]
)
def test_few_proposals_are_passed_over_more_often(proposed: Any, epochs: int) -> None:
    plan = make_plan(corpus=world.write(Path(), "ner"))
    config = training_config(replace(plan, proposed=proposed))
    assert config["initialize"]["after_init"]["epochs"] == epochs


def test_what_is_missing_in_the_corpus_is_said() -> None:
    rows = [world.make_row("ner", TEXT, "train", decided=True)]
    write_corpus(Path("some.jsonl"), world.HEADERS["ner"], rows)
    result = run("some.cfg", "--corpus", "some.jsonl")
    assert result.exit_code == 0 and "decided texts in lane dev" in result.output
    write_corpus(Path("none.jsonl"), world.HEADERS["ner"], [])
    assert "nothing to learn from" in run("none.cfg", "--corpus", "none.jsonl").output


def test_a_label_that_is_only_proposed_is_learned(here: Path) -> None:
    """Decided texts know phones only; people are in proposals."""
    rows = []
    for row in world.make_rows("ner"):
        if row.decision is not None and row.lane == "train":
            continue
        rows.append(row)
    bare = world.TaskRow("a Comet and an Orbit", "d" * 64, "train", decision=world.Annotation())
    phones = (world.SpanAnnotation(2, 7, "PHONE"), world.SpanAnnotation(15, 20, "PHONE"))
    rows.append(world.TaskRow(**{**vars(bare), "decision": world.Annotation(spans=phones)}))
    write_corpus(Path("phones.jsonl"), world.HEADERS["ner"], rows)
    plan = make_plan(corpus=Path("phones.jsonl"))
    overrides = {"training.max_steps": 1, "initialize.after_init.epochs": 30}
    train(write_config(plan, Path("x.cfg")), here / "out", overrides=overrides)
    nlp = spacy.load(here / "out" / "model-last")
    assert nlp.get_pipe("phones").labels == ("PERSON", "PHONE")
    assert world.predict(nlp, "ner", TEXT)["Bob"] == "PERSON"


def test_entity_labels_are_what_spacy_would_count() -> None:
    nlp = spacy.blank("en")
    ner: Any = nlp.add_pipe("ner")
    doc = nlp.make_doc("Ann fell")
    doc.set_ents([spacy.tokens.Span(doc, 0, 1, "PERSON")])
    example = spacy.training.Example(nlp.make_doc("Ann fell"), doc)
    nlp.initialize(lambda: [example])
    counted = {action: dict(labels) for action, labels in ner.label_data.items() if labels}
    assert make_entity_labels(["PERSON"]) == counted
    other: Any = spacy.blank("en").add_pipe("ner")
    other.initialize(lambda: [example], labels=make_entity_labels(["PERSON"]))
    assert other.move_names == ner.move_names


names = st.from_regex(r"[A-Za-z_][\w-]{0,8}", fullmatch=True).filter(
    lambda n: n not in ("transformer", "sentencizer")
)
labels = st.lists(
    st.text(min_size=1, max_size=6).filter(lambda x: x.strip() and "$" not in x),
    min_size=1,
    max_size=3,
    unique=True,
)


@settings(max_examples=10)  # spaCy fills every one of them
@given(names, labels)
def test_what_is_written_is_what_is_read(name: str, found: Any) -> None:
    plan = make_plan(kind="textcat", exclusive=False, labels=found, name=name)
    config = training_config(plan)
    text = render(config, plan, path="configs/x.cfg")
    again = load_config_from_str(text)
    assert dict(again) == dict(config)
    assert again["initialize"]["components"][name]["labels"] == found
    for section, lines in comments(plan).items():
        if f"\n[{section}]" in text:
            assert "\n".join(f"# {line}" for line in lines) + f"\n[{section}]" in text


def test_linking_is_written_as_the_worked_example_is() -> None:
    config = written(kind="linking", name="link", catalog=Path("assets/catalog.jsonl"))
    root = Path(__file__).parent.parent.parent
    example = load_config(root / "configs" / "link.cfg")
    loader = "initialize", "components", "link", "kb_loader"
    for path in (("paths",), ("components", "link"), loader):
        mine, theirs = config, example
        for key in path:
            mine, theirs = mine[key], theirs[key]
        assert {key: mine[key] for key in theirs} == dict(theirs) or path == ("components", "link")
    assert config["components"]["link"]["model"]["tok2vec"] == dict(
        example["components"]["link"]["model"]["tok2vec"]
    )
