"""annotate can be killed at any point: nothing is lost, nothing stored is asked for again."""

import contextlib
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import forked
import pytest

from spacy_hitl.dataset.exchange import dump as dump_records
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.llm.store import ResponseStore

CODE = Path(__file__).parent / "counting_model.py"
WORDS = ("annotate", "prototype.cfg", "texts.jsonl", "--code", str(CODE), "-q")
TEXTS = 240
CONFIG = """
[nlp]
lang = "en"
pipeline = ["product","relevant"]

[components]

[components.product]
factory = "hitl_llm"

[components.product.task]
@llm_tasks = "spacy-hitl.NER.v1"
labels = ["PRODUCT"]

[components.product.model]
@llm_models = "test.Counting.v1"
log = "asked.jsonl"
seconds = {seconds}

[components.relevant]
factory = "hitl_llm"

[components.relevant.task]
@llm_tasks = "spacy-hitl.TextCat.v1"
labels = ["RELEVANT","NOT_RELEVANT"]
exclusive_classes = true

[components.relevant.model]
@llm_models = "test.Counting.v1"
log = "asked.jsonl"
seconds = {seconds}

[hitl]
dataset = "hitl.db"
responses = "responses.db"
"""


def make_project(folder, *, seconds):
    folder.mkdir()
    (folder / "prototype.cfg").write_text(CONFIG.format(seconds=seconds))
    words = ["Nebula", "Orbit", "K10", "rain", "tea"]
    with (folder / "texts.jsonl").open("w") as file_:
        for i in range(TEXTS):
            text = f"Post {i} about {words[i % 5]} and {words[(i * 3 + 1) % 5]} 🙂"
            file_.write(json.dumps({"id": str(i), "text": text}) + "\n")
    return folder


def annotate(folder):
    """In an interpreter of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "spacy", "hitl", *WORDS],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def asked(folder):
    log = folder / "asked.jsonl"
    lines = log.read_text().splitlines() if log.exists() else []
    return [tuple(json.loads(line)) for line in lines]


def stored(folder):
    if not (folder / "responses.db").exists():
        return set()
    store = ResponseStore(folder / "responses.db")
    store.db.open(readonly=True)
    rows = set(store.db.rows("SELECT task, text_digest FROM responses"))
    store.db.close()
    return rows


def dump(folder):
    with Dataset(folder / "hitl.db") as dataset:
        return list(dump_records(dataset))


@pytest.mark.slow
def test_ten_kills_change_nothing_and_ask_nothing_twice(tmp_path):
    quiet = make_project(tmp_path / "quiet", seconds=0.0)
    assert annotate(quiet).wait(timeout=120) == 0
    killed = make_project(tmp_path / "killed", seconds=0.004)
    dice = random.Random(2026)
    for _ in range(10):
        before, known = asked(killed), stored(killed)
        with contextlib.chdir(killed):
            process = forked.start(*WORDS, log=tmp_path / "log")
        more = dice.randint(1, 14)
        while process.is_alive() and len(asked(killed)) < len(before) + more:
            time.sleep(0.001)
        process.kill()
        process.join(60)
        assert process.exitcode == -signal.SIGKILL, "it ended before it was killed"
        again = set(asked(killed)[len(before) :]) & known
        assert not again, "asked for although stored"
    before, known = asked(killed), stored(killed)
    assert annotate(killed).wait(timeout=120) == 0
    assert not set(asked(killed)[len(before) :]) & known
    assert dump(killed) == dump(quiet)
    # One answer may be in flight at each kill, no more.
    assert len(asked(killed)) <= 2 * TEXTS + 10


def test_a_second_run_asks_nothing(tmp_path):
    project = make_project(tmp_path / "project", seconds=0.0)
    assert annotate(project).wait(timeout=120) == 0
    first, content = asked(project), dump(project)
    assert len(first) == 2 * TEXTS
    assert annotate(project).wait(timeout=120) == 0
    assert asked(project) == first
    assert dump(project) == content


def test_answers_outlive_the_dataset(tmp_path):
    """The response store alone is enough to make the dataset again, for free."""
    project = make_project(tmp_path / "project", seconds=0.0)
    assert annotate(project).wait(timeout=120) == 0
    first, content = asked(project), dump(project)
    for file_ in project.glob("hitl.db*"):
        file_.unlink()
    assert annotate(project).wait(timeout=120) == 0
    assert asked(project) == first
    assert dump(project) == content
