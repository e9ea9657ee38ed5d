"""What promote makes loads and runs where only spaCy is installed."""

import json
import shutil
import subprocess
import sys
import venv
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
FIXTURE = Path(__file__).parent / "four_kinds"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def only_spacy(tmp_path_factory):
    """A real virtual environment with spaCy and nothing of ours."""
    folder = tmp_path_factory.mktemp("only_spacy")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*pip, f"spacy=={version('spacy')}"], check=True)
    for package in ("spacy_hitl", "spacy_llm"):
        found = subprocess.run([str(python), "-I", "-c", f"import {package}"], capture_output=True)
        assert found.returncode != 0
    return python


def copy_project(source, target, *names):
    target.mkdir()
    for name in names:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name)
        else:
            shutil.copy(source / name, target / name)
    return target


def run(folder, *words, python=sys.executable, expect=0):
    done = subprocess.run(
        [str(python), *words], cwd=folder, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout


def read_records(text):
    """The JSON objects that records.py prints, and the lines after them."""
    decoder, records, rest = json.JSONDecoder(), [], text.strip()
    while rest.startswith("{"):
        value, end = decoder.raw_decode(rest)
        records.append(value)
        rest = rest[end:].strip()
    return records, rest.splitlines()


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """The worked example, run as `make demo` runs it."""
    target = tmp_path_factory.mktemp("example") / "project"
    copy_project(ROOT, target, "project.yml", "configs", "assets", "scripts")
    output = run(target, "-m", "spacy", "project", "run", "demo", ".")
    return target, output


def test_the_example_shows_baseline_prompted_and_student_of_four_tasks(example):
    folder, output = example
    for task in ("product", "link", "relevant", "attributes"):
        metrics = json.loads((folder / "metrics" / f"{task}.json").read_text())
        roles = [s["role"] for s in metrics["systems"]]
        assert roles == ["baseline", "prompted", "student"]
        assert metrics["gold_texts"] == 200
        for system in metrics["systems"]:
            assert 0 <= system["low"] <= system["score"] <= system["high"] <= 1
    assert "were not made by a person" in " ".join(output.split())


def test_the_example_holds_what_misses_its_floor_and_promotes_the_rest(example):
    folder, _ = example
    meta = json.loads((folder / "pipelines" / "phones" / "meta.json").read_text())["hitl"]
    floors = {"product": 0.88, "link": 0.85, "relevant": 0.70, "attributes": 0.55}
    assert {*meta["students"], *meta["held"]} == set(floors)
    for task, entry in meta["students"].items():
        (score,) = entry["score"].values()
        assert score >= floors[task]
    assert {"product", "link"} <= set(meta["students"])


def test_no_gold_text_is_in_what_the_example_trained_on(example):
    folder, _ = example
    for path in (folder / "corpus").glob("*.jsonl"):
        gold = (folder / "corpus" / "gold" / path.name).read_text().splitlines()[1:]
        seen = {json.loads(line)["text"] for line in path.read_text().splitlines()[1:]}
        assert not seen & {json.loads(line)["text"] for line in gold}


def test_the_example_runs_where_only_spacy_is(example, only_spacy):
    folder, _ = example
    output = run(folder, "scripts/records.py", "pipelines/phones", python=only_spacy)
    records, _ = read_records(output)
    assert len(records) == 3
    found = {m["text"]: m["id"] for m in records[0]["mentions"]}
    assert found == {"K10": "K1000-T0466", "Nebula Pro": "P3208-W2131"}
    assert records[0] == read_records(run(folder, "scripts/records.py", "pipelines/phones"))[0][0]


@pytest.fixture(scope="module")
def four_kinds(tmp_path_factory):
    """A small project, easy enough that the students of all four kinds pass."""
    target = tmp_path_factory.mktemp("four") / "project"
    shutil.copytree(FIXTURE, target)
    run(target, "make_data.py")
    hitl = ("-m", "spacy", "hitl")
    run(target, *hitl, "annotate", "prototype.cfg", "texts.jsonl", "-q")
    run(target, *hitl, "import", "prototype.cfg", "decisions.jsonl")
    run(target, *hitl, "export", "prototype.cfg")
    for task in ("thing", "meaning", "topics", "mood"):
        run(target, *hitl, "distill", f"{task}.cfg", "--output", f"training/{task}")
        parts = [f"training/{task}/model-best"]
        if task == "meaning":
            parts.insert(0, "training/thing/model-best")
        corpora = ("--gold", f"corpus/gold/{task}.jsonl", "--train", f"corpus/{task}.jsonl")
        systems = ("prototype.cfg", "+".join(parts))
        run(target, *hitl, "evaluate", *systems, *corpora, "--output", f"metrics/{task}.json")
    run(target, *hitl, "promote", "prototype.cfg", "--strict")
    return target


def test_all_four_kinds_pass_and_run_where_only_spacy_is(four_kinds, only_spacy):
    code = (
        "import json, spacy\n"
        "nlp = spacy.load('pipelines/four')\n"
        "doc = nlp('Great news, the Kite and the Lamp are both cheap and loud today.')\n"
        "print(json.dumps([nlp.pipe_names, [[e.text, e.kb_id_] for e in doc.ents], doc.cats,\n"
        "    nlp.get_pipe('topics').cfg['threshold'], nlp.meta['hitl']['held']]))"
    )
    names, mentions, cats, threshold, held = json.loads(
        run(four_kinds, "-c", code, python=only_spacy)
    )
    assert names == ["thing", "sentencizer", "meaning", "topics", "mood"]
    assert mentions == [["Kite", "Q1"], ["Lamp", "Q2"]]
    assert {label for label in ("PRICE", "SOUND") if cats[label] >= threshold} == {"PRICE", "SOUND"}
    assert cats["GOOD"] > cats["BAD"]
    assert held == {}
