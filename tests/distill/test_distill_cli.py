"""`spacy hitl distill`, as it is typed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from search_world import CONFIG, CORPUS, KINDS, WARM_UP, make_row, write_world
from spacy.util import load_config
from typer.testing import CliRunner

from spacy_hitl.cli import hitl_cli
from spacy_hitl.dataset.corpus import write_corpus
from spacy_hitl.records import Annotation, CategoryAnnotation


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*args: str) -> Any:
    # Wide enough that no line is broken.
    return CliRunner().invoke(hitl_cli, ["distill", str(CONFIG), "-o", "out", *args])


def words(text: str) -> str:
    return " ".join(text.split())


def test_search_then_train() -> None:
    """Proposals that are all wrong: the search finds out, and the student learns from people."""
    rows = write_world("textcat", warm_up=True, train=24, dev=8, undecided=24)
    wrong = Annotation(cats=(CategoryAnnotation("BAD"), CategoryAnnotation("GOOD")))
    for i, row in enumerate(rows):
        assert row.proposal is not None
        said = wrong.cats[0] if "great" in row.text else wrong.cats[1]
        proposal = replace(row.proposal, annotation=Annotation(cats=(said,)))
        rows[i] = replace(row, proposal=proposal)
    write_corpus(CORPUS, KINDS["textcat"], rows)
    done = run("--search", "--minutes", "0.001", "--seed", "1")
    assert done.exit_code == 0, done.output
    text = words(done.output)
    assert "Split 1: human" in text and "mix score 95% interval" in text and "llm" in text
    assert "[W340]" in text and "1 of the 4 splits" in text
    assert "Chosen: human." in text and "Student: out/model-best" in text
    assert load_config("out/chosen.cfg")["initialize"]["after_init"] is None
    assert Path("out/search.json").exists() and Path("out/distilled.json").exists()


def test_search_without_training() -> None:
    write_world("textcat")
    done = run("--search", "--no-train", "--minutes", "0.001")
    assert done.exit_code == 0 and "Config: out/chosen.cfg" in words(done.output)
    assert not Path("out/model-best").exists()


def test_curve() -> None:
    write_world("textcat")
    done = run("--curve", "--minutes", "0.001")
    text = words(done.output)
    assert done.exit_code == 0 and "decisions texts score" in text
    assert "100%" in text and "From" in text and "reviewed texts the score changes by" in text
    assert "[W340]" in text and "Curve: out/curve.json" in text
    assert not Path("out/model-best").exists()


def test_it_goes_on_and_says_so() -> None:
    rows = write_world("textcat")
    assert "from scratch: no student with a record" in words(run().output)
    new = make_row("a new K9 is great", "train", decided=True, header=KINDS["textcat"])
    write_corpus(CORPUS, KINDS["textcat"], [*rows, new])
    assert "Going on from the student of 22 decisions: 1 were added" in words(run().output)
    assert "from scratch: --fresh was given" in words(run("--fresh").output)


def test_a_trained_pipeline_in_the_config_is_warned_of(monkeypatch: Any) -> None:
    write_world("textcat")
    Path("teacher").mkdir()
    Path("teacher/meta.json").write_text("{}")
    config = load_config(CONFIG, interpolate=False)
    config["initialize"]["after_init"] = {**WARM_UP, "teacher": "./teacher"}
    CONFIG.write_text(config.to_str(interpolate=False))
    done = run("--search", "--no-train", "--minutes", "0.001")
    text = words(done.output)
    assert "[W341]" in text and "'./teacher'" in text
    # It can't be loaded: that mix is dropped, and says why.
    assert "warm-up was dropped" in text and done.exit_code == 0


@pytest.mark.parametrize(
    "args, code",
    [
        (["--search", "--curve"], "H345"),
        (["--no-train"], "H345"),
        (["--curve", "--no-train"], "H345"),
        (["--search", "--minutes", "0"], "H346"),
        (["--curve", "--minutes", "nan"], "H346"),
    ],
)
def test_options_that_make_no_sense(args: Any, code: str) -> None:
    write_world("textcat")
    done = run(*args)
    assert done.exit_code == 1 and f"[{code}]" in done.output
    assert not Path("out").exists()


def test_code_of_the_user() -> None:
    write_world("textcat")
    Path("mine.py").write_text("raise KeyError('imported')")
    assert "imported" in str(run("--code", "mine.py").exception)
    assert "[H001]" in run("--code", "none.py").output
