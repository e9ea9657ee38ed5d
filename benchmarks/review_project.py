"""A made-up project to review, and a review server on it in a process of its own."""

import os
import random
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from spacy_hitl.dataset.store import Dataset
from spacy_hitl.io import text_digest
from spacy_hitl.pipeline.loading import load_prompted, prompted_tasks
from spacy_hitl.records import Annotation, CategoryAnnotation, Proposal, Row, SpanAnnotation
from spacy_hitl.settings import LaneSettings

TOKENS, SPANS = 60, 5
SYLLABLES = ["ka", "lo", "mi", "ne", "pu", "ra", "se", "ti", "vo", "zu", "be", "dor"]
CONFIG = """
[nlp]
lang = "en"
pipeline = ["thing","topic"]

[components]

[components.thing]
factory = "hitl_llm"

[components.thing.task]
@llm_tasks = "spacy-hitl.NER.v1"
labels = ["TOOL","PLACE","PERSON"]

[components.thing.model]
@llm_models = "spacy-hitl.Replay.v1"
path = "none.jsonl"
texts = "none.jsonl"

[components.topic]
factory = "hitl_llm"

[components.topic.task]
@llm_tasks = "spacy-hitl.TextCat.v1"
labels = ["PRAISE","BLAME","QUESTION"]

[components.topic.model]
@llm_models = "spacy-hitl.Replay.v1"
path = "none.jsonl"
texts = "none.jsonl"

[hitl]
dataset = "datasets/hitl.db"
"""


def make_text(dice):
    """RETURNS: A text of 60 tokens, and where its five spans are, in characters."""
    words = ["".join(dice.choices(SYLLABLES, k=dice.randint(1, 4))) for _ in range(TOKENS)]
    starts, place = [], 0
    for word in words:
        starts.append(place)
        place += len(word) + 1
    spans = []
    for first in sorted(dice.sample(range(0, TOKENS - 2, 3), SPANS)):
        last = first + dice.randint(0, 1)
        label = dice.choice(["TOOL", "PLACE", "PERSON"])
        spans.append(SpanAnnotation(starts[first], starts[last] + len(words[last]), label))
    return " ".join(words), tuple(spans)


def make_project(folder, count, *, seed=0):
    """Make a project with so many texts, a tenth of them gold, all annotated for two tasks."""
    dice = random.Random(seed)
    folder.mkdir(parents=True)
    (folder / "review.cfg").write_text(CONFIG)
    before = Path.cwd()
    os.chdir(folder)
    try:
        nlp, settings = load_prompted(Path("review.cfg"))
        keys = {name: task.key for name, task in prompted_tasks(nlp).items()}
        texts = dict(make_text(dice) for _ in range(count))
        rows = [
            Row("made", str(i), text, lane="gold" if i % 10 == 0 else "train")
            for i, text in enumerate(texts)
        ]
        with Dataset(settings.dataset) as dataset:
            dataset.add_rows(rows, LaneSettings())
            dataset.add_proposals(proposals(texts, keys, dice))
    finally:
        os.chdir(before)


def proposals(texts, keys, dice):
    """YIELDS: One proposal per text and task."""
    for text, spans in texts.items():
        annotations = {
            "thing": Annotation(spans=spans),
            "topic": Annotation(cats=(CategoryAnnotation(dice.choice(["PRAISE", "BLAME"])),)),
        }
        for name, (source, sample, digest) in keys.items():
            yield Proposal(
                text_digest=text_digest(text),
                task=name,
                source=source,
                status="ok",
                task_digest=digest,
                annotation=annotations[name],
                sample=sample,
            )


@contextmanager
def server(folder, names):
    """YIELDS: The process, the links by name, and the seconds from its start to its first link."""
    command = [sys.executable, "-m", "spacy", "hitl", "review", "review.cfg", "--no-browser"]
    for name in names:
        command += ["--annotator", name]
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    links, took = {}, None
    try:
        while len(links) < len(names):
            line = process.stdout.readline()
            if not line:
                raise SystemExit("the review server did not start")
            found = re.match(r"(\S+) +(http\S+)", line)
            if found:
                took = took or time.perf_counter() - began
                links[found[1]] = found[2]
        yield process, links, took
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def stored_answers(folder):
    """RETURNS: Every stored answer (uid, text, annotator, size), and SQLite's view of the file."""
    dataset = Dataset(folder / "datasets" / "hitl.db")
    dataset.db.open(readonly=True)
    try:
        rows = dataset.db.rows(
            "SELECT uid, digest, annotator, count(*) FROM decisions GROUP BY uid"
        )
        return list(rows), dataset.db.one("PRAGMA integrity_check")[0]
    finally:
        dataset.db.close()


def percentile(values, share):
    """RETURNS: The value below which a share of all lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
