"""docs/howto_task.md: the task of the page, as a known kind and as a kind of its own."""

import re
import subprocess
import sys
from pathlib import Path

import pages
import pytest
import spacy
import srsly
from spacy.util import import_file

from spacy_hitl.dataset.store import Dataset
from spacy_hitl.distill.corpus.reader import make_task_corpus
from spacy_hitl.distill.recipes.plan import make_plan
from spacy_hitl.distill.recipes.training import training_config
from spacy_hitl.evaluate.run import evaluate
from spacy_hitl.exchange.run import export_corpora
from spacy_hitl.io import text_digest
from spacy_hitl.pipeline.loading import load_prompted, prompted_tasks
from spacy_hitl.records import Response
from spacy_hitl.review.server.wire import describe_session, render
from spacy_hitl.review.session.catalogs import Catalogs
from spacy_hitl.review.session.opening import Wanted, open_session, read_project
from spacy_hitl.ty import Task

KNOWN = 'kind = "textcat"'
CONFIG = Path("shop.cfg")
GOLD, TRAIN = Path("corpus/gold/stars.jsonl"), Path("corpus/stars.jsonl")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = pages.write_files("task")
    assert KNOWN in files["stars.py"]


def own_kind():
    code = Path("stars.py")
    code.write_text(code.read_text().replace(KNOWN, 'kind = "stars"'))


def typed(word):
    (command,) = [c for c in pages.commands("task") if c.split()[2] == word]
    return command


def up_to_the_export():
    return [pages.run_well(typed(word)) for word in ("annotate", "import", "status", "export")]


def test_the_class_of_the_page_is_a_task():
    made = import_file("stars", Path("stars.py")).make_stars()
    assert isinstance(made, Task)
    assert made.parse(None, Response("m", text='{"stars": 4}')).status == "ok"
    for text, status in (("I'm sorry, no.", "refused"), ('{"stars": ', "truncated"),
                         ('{"stars": [1]}', "malformed"), ("[]", "malformed")):  # fmt: skip
        assert made.parse(None, Response("m", text=text)).status == status


def test_a_file_can_register_tasks_before_anything_else_is_loaded():
    """spacy-llm's registries are there in every command, not only in those that load a config."""
    imports = "from spacy_hitl.cli._util import import_code; import_code(Path('stars.py'))"
    check = "import spacy; assert spacy.registry.llm_tasks.get('shop.Stars.v1')().labels"
    code = f"from pathlib import Path; {imports}; {check}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_command_of_the_page_but_the_server():
    annotated, imported, status, _ = up_to_the_export()
    assert "stars malformed 1" in annotated and "stars ok 3" in annotated
    assert "of these new: 2" in imported and "1 malformed" in status
    assert "stars_cats_macro_f prompted" in pages.run_well(f"{typed('evaluate')} --no-speed")


def test_the_review_page_shows_five_labels_of_which_one_holds():
    pages.run_well(typed("annotate"))
    import_file("stars", Path("stars.py"))
    project = read_project(CONFIG, Wanted(("ann",)))
    with Dataset(project.settings.dataset) as dataset:
        session = open_session(project, dataset)
        (task,) = describe_session(session, "ann")["tasks"]
        assert (task["kind"], task["labels"], task["exclusive"]) == ("textcat", list("12345"), True)
        screens, _, _ = session.next("ann", count=4)
        shown = [render(session, Catalogs(session.plan), screen) for screen in screens]
        held = {s["digest"]: s["tasks"]["stars"]["annotation"]["cats"] for s in shown}
    assert [c["label"] for c in held[text_digest("Broke in a week.")]] == ["1"]
    assert held[text_digest("It is all right.")] == []  # gold: blind


def test_its_corpus_trains_a_textcat_without_the_code():
    up_to_the_export()
    (example,) = make_task_corpus(TRAIN, task="stars")(spacy.blank("en"))
    assert example.reference.cats == {"1": 1.0, "2": 0.0, "3": 0.0, "4": 0.0, "5": 0.0}
    config = training_config(make_plan(corpus=TRAIN))
    assert config["components"]["stars"]["factory"] == "textcat"


def test_a_kind_of_its_own(fails):
    own_kind()
    annotated, imported, status, exported = up_to_the_export()
    assert "stars malformed 1" in annotated and "of these new: 2" in imported
    assert "1 malformed" in status and "1 texts: corpus/gold/stars.jsonl" in exported
    import_file("stars", Path("stars.py"))
    (task,) = prompted_tasks(load_prompted(CONFIG)[0]).values()
    assert task.task.kind == "stars"
    with Dataset(Path("datasets/hitl.db")) as dataset:
        (proposal,) = dataset.proposals("stars", text_digest("A joy to use, every day."))
        assert [c.label for c in proposal.annotation.cats] == ["5"]
    for words in (
        "agreement shop.cfg --imported",
        "annotate shop.cfg reviews.jsonl --dry-run",
        "annotate shop.cfg reviews.jsonl --reparse",
        "examples shop.cfg --task stars --output examples.jsonl",
        "export shop.cfg --all all.jsonl",
    ):
        pages.run_well(f"spacy hitl {words} --code stars.py")
    scores = pages.run("spacy hitl confidence shop.cfg --task stars --code stars.py")
    assert "H132" in scores.output  # the task was understood: one answer has no score
    assert any(line.get("record") == "decision" for line in srsly.read_jsonl("all.jsonl"))

    # What it does not get is said.
    result = pages.run(f"{typed('review')} --no-browser --annotator ann")
    assert result.exit_code == 1 and "H201" in result.output
    with fails("H406", "'stars'", "textcat"):
        evaluate([str(CONFIG)], gold=GOLD, train=TRAIN, speed=False)
    with fails("H406", "'stars'"):
        list(make_task_corpus(TRAIN, task="stars")(spacy.blank("en")))
    with fails("H004", "'stars'"):
        training_config(make_plan(corpus=TRAIN))
    with fails("H406", "'stars'"):
        export_corpora(CONFIG, docbin=True)
    command = "spacy hitl export shop.cfg --format prodigy --output out --code stars.py"
    assert "tasks of a kind that no tool knows" in pages.run_well(command)


def test_the_codes_and_the_places_that_the_page_names_are_there():
    page = pages.read_page("task")
    assert set(re.findall(r"\bH\d{3}\b", page)) == {"H201", "H406", "H004"}
    package = pages.DOCS.parent / "spacy_hitl"
    table = page.split("| what | where |")[1]
    names = re.findall(r"`([\w/.]+)`", table.split("\n\n")[0])
    for name in names:
        near = package / "review" / "session" / name  # the row of the page names three in a folder
        assert (package / name).exists() or near.exists(), name
