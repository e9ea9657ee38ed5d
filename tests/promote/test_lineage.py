"""Lineage: from a pipeline to what it was made from, and whether that is still so."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, List, Set

import pytest
import spacy
import srsly
from hypothesis import given
from hypothesis import strategies as st
from lineage_world import TASKS, decide, make_promoted, measure
from promote_world import CONFIG, LINK, load, version_names
from spacy.cli.package import package
from spacy.util import load_config
from typer.testing import CliRunner

from spacy_hitl.cli import hitl_cli
from spacy_hitl.io import file_digest, folder_digest
from spacy_hitl.promote import verify as verify_module
from spacy_hitl.promote.lineage import read_lineage
from spacy_hitl.promote.run import promote
from spacy_hitl.promote.tree import Branch, draw, tree_of
from spacy_hitl.promote.verify import CHANGED, GONE, OK, verify
from spacy_hitl.records import Lineage


@pytest.fixture(scope="session")
def promoted_project(exported_project: Path, tmp_path_factory: Any) -> Path:
    root: Path = tmp_path_factory.mktemp("promoted") / "project"
    shutil.copytree(exported_project, root)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        make_promoted()
    return root


@pytest.fixture
def promoted(promoted_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a promoted pipeline: the current folder."""
    root = shutil.copytree(promoted_project, tmp_path / "project", symlinks=True)
    monkeypatch.chdir(root)
    return root


def found(state: str, **options: Any) -> Set[str]:
    links = verify(LINK, config=CONFIG, **options)
    return {f"{link.task}: {link.what}".removeprefix(": ") for link in links if link.state == state}


def test_it_leads_from_the_pipeline_to_everything(promoted: Path) -> None:
    meta = load(LINK).meta["hitl"]
    lineage = read_lineage(LINK)
    assert lineage == Lineage.from_dict(meta) and lineage.to_dict() == meta
    assert list(lineage.students) == list(TASKS)  # in the order of the pipeline
    product, attributes = (lineage.students[task] for task in TASKS)
    assert product.learned is not None and attributes.learned is not None
    assert [c.name for c in product.learned.corpora] == ["corpus/product.jsonl"]
    names = [c.name for c in attributes.learned.corpora]
    assert names == ["corpus/attributes.jsonl", "corpus/opinions.jsonl"]
    (corpus,) = product.learned.corpora
    rows = list(srsly.read_jsonl("corpus/product.jsonl"))[1:]
    assert corpus.digest == file_digest(Path("corpus/product.jsonl"))
    assert corpus.decisions == sum("decision" in row for row in rows) > 0
    keys = {row["proposal"]["response_key"] for row in rows if "proposal" in row}
    assert corpus.answers == len(keys) > 0
    assert product.student_digest == folder_digest(Path("training/product/model-best"))
    assert product.metrics_digest == file_digest(Path("metrics/product.json"))
    assert product.gold_digest == file_digest(Path("corpus/gold/product.jsonl"))
    assert product.prompt is not None and product.prompt.task_digest == product.task_digest
    assert product.prompt.model == "replay:responses.jsonl" and product.prompt.template
    assert dict(lineage.versions)["spacy"] == spacy.about.__version__
    assert {"config.cfg", "product", "vocab"} <= set(dict(lineage.parts))


def test_it_holds_no_text_and_no_path_of_the_machine(promoted: Path) -> None:
    posts = list(srsly.read_jsonl("assets/posts.jsonl"))
    assert len(posts) > 20
    for name in ("meta.json", "README.md"):
        written = (LINK / name).read_text()
        assert str(promoted) not in written and str(Path.home()) + "/" not in written
        assert not [post["text"] for post in posts if post["text"][:25] in written]


@pytest.mark.parametrize("name", ["configs/prototype.cfg", "absolute"])
def test_the_same_inputs_give_the_same_version(promoted: Path, name: str) -> None:
    """In another process, which puts sets in another order, and under another path."""
    (before,) = version_names()
    for folder in ("pipelines", "versions"):
        shutil.rmtree(folder)
    config = str(CONFIG.resolve()) if name == "absolute" else name
    command = [sys.executable, "-m", "spacy", "hitl", "promote", config]
    env = {**os.environ, "PYTHONHASHSEED": "77"}
    subprocess.run(command, check=True, env=env, capture_output=True)
    assert version_names() == [before]


def test_everything_is_still_there(promoted: Path) -> None:
    links = verify(LINK, config=CONFIG)
    assert {link.state for link in links} == {OK}
    assert len(links) > 20
    student = verify(Path("training/product/model-best"), config=CONFIG)
    assert {link.state for link in student} == {OK} and len(student) > 5


def append(path: str) -> Callable[[], None]:
    def change() -> None:
        with Path(path).open("ab") as file_:
            file_.write(b" ")

    return change


def set_value(*names: str, value: Any) -> Callable[[], None]:
    def change() -> None:
        config = load_config(CONFIG)
        block = config
        for name in names[:-1]:
            block = block.setdefault(name, {})
        block[names[-1]] = value
        config.to_disk(CONFIG)

    return change


def remove(*paths: str) -> Callable[[], None]:
    def change() -> None:
        for path in map(Path, paths):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return change


def forget_answers() -> None:
    with sqlite3.connect("datasets/responses.db") as db:
        db.execute("DELETE FROM asked WHERE task = 'product'")
        db.execute("DELETE FROM responses WHERE task = 'product'")


DEFINITIONS = ("components", "product", "task", "label_definitions", "PRODUCT")
CORPUS = "product: corpus/product.jsonl"
DECISIONS = "product: decisions in corpus/product.jsonl"
ANSWERS = "product: answers in corpus/product.jsonl"
MORE_DECISIONS, MORE_ANSWERS = (
    {f"attributes: {what} in corpus/{task}.jsonl" for task in ("attributes", "opinions")}
    for what in ("decisions", "answers")
)


@pytest.mark.parametrize(
    "change, wanted",
    [
        (lambda: decide("product", known=True), {DECISIONS}),
        (set_value(*DEFINITIONS, value="any thing"), {"config", "product: prompt"}),
        (set_value("hitl", "promote", "min_gold", value=7), {"config"}),
        (append("corpus/product.jsonl"), {CORPUS}),
        (append("corpus/opinions.jsonl"), {"attributes: corpus/opinions.jsonl"}),
        (append("corpus/gold/product.jsonl"), {"product: gold"}),
        (append("metrics/product.json"), {"product: figures"}),
        (append("training/product/model-best/product/model"), {"product: student"}),
    ],
)
def test_every_kind_of_change_is_found(
    change: Callable[[], None], wanted: Set[str], promoted: Path
) -> None:
    change()
    assert found(CHANGED) == wanted
    assert found(GONE) == set()


@pytest.mark.parametrize("part", ["product/model", "vocab/strings.json", "config.cfg", "more"])
def test_a_changed_pipeline_is_found(part: str, promoted: Path) -> None:
    append(f"{LINK}/{part}")()
    (version,) = version_names()
    assert found(CHANGED) == {"files", f"version {version}"}
    files = next(link for link in verify(LINK) if link.what == "files")
    assert files.detail == part.split("/")[0]


def test_a_changed_card_or_meta_is_found(promoted: Path) -> None:
    append(f"{LINK}/README.md")()
    (version,) = version_names()
    assert found(CHANGED) == {f"version {version}"}


def test_another_version_of_the_package_is_found(
    promoted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify_module, "__version__", "99")
    assert found(CHANGED) == {"spacy_hitl"}


@pytest.mark.parametrize(
    "change, gone, changed",
    [
        (remove("datasets/responses.db"), {ANSWERS, *MORE_ANSWERS}, set()),
        (forget_answers, {ANSWERS}, set()),
        (remove("corpus/product.jsonl"), {CORPUS}, set()),
        (remove("corpus/gold"), {"product: gold", "attributes: gold"}, set()),
        (remove("metrics/product.json"), {"product: figures"}, set()),
        (remove("training/product"), {"product: student"}, set()),
        (remove("datasets/hitl.db"), {DECISIONS, *MORE_DECISIONS}, set()),
        (
            set_value("nlp", "pipeline", value=["attributes", "opinions"]),
            {"product: prompt", DECISIONS},
            {"config"},
        ),
    ],
)
def test_what_is_gone_is_no_change(
    change: Callable[[], None], gone: Set[str], changed: Set[str], promoted: Path
) -> None:
    change()
    assert found(GONE) == gone
    assert found(CHANGED) == changed


def test_decisions_may_be_added(promoted: Path) -> None:
    decide("product", known=False)
    assert found(CHANGED) == set()
    (link,) = [
        li for li in verify(LINK, config=CONFIG) if li.what.startswith("decisions in corpus/p")
    ]
    assert link.detail == "1 were added since"
    # Without the corpus as it was, it can't be told what came when.
    append("corpus/product.jsonl")()
    assert DECISIONS in found(CHANGED)


def test_code_is_compared(promoted: Path) -> None:
    Path("code.py").write_text("X = 1\n")
    promote(CONFIG, code=Path("code.py"))
    assert found(GONE) == {"code"}  # nobody said where it is
    assert found(OK, code=Path("code.py")) >= {"code"}
    Path("code.py").write_text("X = 2\n")
    assert found(CHANGED, code=Path("code.py")) == {"code"}


def test_a_pipeline_can_be_checked_anywhere(promoted: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(LINK, tmp_path / "elsewhere")
    links = verify(folder)
    assert {link.state for link in links} == {OK}
    assert {link.what for link in links} == {"files", "spacy_hitl", "spacy", "thinc", "numpy"}
    append(f"{folder}/product/model")()
    assert [link.what for link in verify(folder) if link.state == CHANGED] == ["files"]


def test_a_package_keeps_lineage_and_card(promoted: Path, tmp_path: Path) -> None:
    Path("packages").mkdir()
    package(LINK.resolve(), Path("packages"), create_sdist=False, create_wheel=False, silent=True)
    (meta,) = Path("packages").glob("*/*/*/meta.json")
    assert read_lineage(meta.parent) == read_lineage(LINK)
    assert {link.state for link in verify(meta.parent)} == {OK}
    card = (LINK / "README.md").read_text()
    (readme,) = Path("packages").glob("*/README.md")
    assert readme.read_text() == (meta.parent / "README.md").read_text() == card


def test_what_has_no_lineage_is_told(promoted: Path, fails: Any) -> None:
    spacy.blank("en").to_disk("plain")
    with fails("H520", "'plain'", "promote"):
        read_lineage(Path("plain"))
    with fails("H521", "'corpus'", "meta.json"):
        read_lineage(Path("corpus"))
    with fails("H521", "'nowhere'"):
        read_lineage(Path("nowhere"))
    Path("plain/meta.json").write_text("{")
    with fails("H004", "plain/meta.json", "not JSON"):
        read_lineage(Path("plain"))
    Path("plain/meta.json").write_text(json.dumps({"hitl": {"students": {"a": {}}}}))
    with fails("H004", "plain/meta.json", "students.a"):
        read_lineage(Path("plain"))


def run(*words: str) -> Any:
    return CliRunner().invoke(hitl_cli, ["lineage", *words])


def test_the_command_draws_the_tree_from_meta_alone(promoted: Path) -> None:
    for folder in ("corpus", "datasets", "training", "metrics"):
        shutil.rmtree(folder)
    done = run(str(LINK))
    assert done.exit_code == 0
    digest = read_lineage(LINK).students["product"].student_digest[:12]
    for part in ("├─ product", f"student {digest}", "corpus corpus/product.jsonl", "gold "):
        assert part in done.output
    assert run("corpus").exit_code == 1


@pytest.mark.parametrize(
    "change, options, code, says",
    [
        (lambda: None, [], 0, "product: student: ok"),
        (lambda: None, ["--strict"], 0, "product: student: ok"),
        (remove("training/product"), [], 0, "product: student: gone"),
        (remove("training/product"), ["--strict"], 1, "product: student: gone"),
        (append("metrics/product.json"), [], 1, "product: figures: changed"),
    ],
)
def test_exit_codes(
    change: Callable[[], None], options: List[str], code: int, says: str, promoted: Path
) -> None:
    change()
    done = run(str(LINK), str(CONFIG), "--verify", *options)
    assert (done.exit_code, says in done.output) == (code, True), done.output


def test_without_a_config_only_the_pipeline_is_checked(promoted: Path) -> None:
    done = run(str(LINK), "--verify")
    assert done.exit_code == 0 and "Only the pipeline itself was checked" in done.output
    assert "product" not in done.output


def test_what_was_not_recorded_is_said(promoted: Path) -> None:
    """A student from before, or trained without our reader."""
    path = Path("training/product/model-best/meta.json")
    meta = json.loads(path.read_text())
    del meta["hitl"]
    path.write_text(json.dumps(meta))
    measure("product", 0.9)
    promote(CONFIG)
    assert read_lineage(LINK).students["product"].learned is None
    assert "was not recorded" in run(str(LINK)).output
    assert found(GONE) == {"product: corpus"}


branches = st.recursive(
    st.builds(Branch, st.text("abc ", min_size=1)),
    lambda inner: st.builds(
        Branch, st.text("abc ", min_size=1), st.lists(inner, max_size=3).map(tuple)
    ),
    max_leaves=8,
)


@given(branches)
def test_every_branch_is_one_line_at_its_depth(branch: Branch) -> None:
    def flat(one: Branch, depth: int) -> List[Any]:
        return [(depth, one.text), *(b for below in one.below for b in flat(below, depth + 1))]

    lines = list(draw(branch))
    assert [(3 * depth, text) for depth, text in flat(branch, 0)] == [
        (len(line) - len(text), text)
        for line, (_, text) in zip(lines, flat(branch, 0), strict=True)
    ]


def test_a_student_has_a_tree_too(promoted: Path) -> None:
    path = Path("training/attributes/model-best")
    lines = list(draw(tree_of(read_lineage(path), name=path.name)))
    assert lines[0] == "model-best"
    assert sum("corpus corpus/" in line for line in lines) == 2
