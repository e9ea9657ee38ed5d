"""Several students on one base, beside the same students with an encoder each.

    python benchmarks/base.py CORPUS.jsonl [CORPUS.jsonl ...] [--labelled DATA.jsonl] [--seeds 3]

Tasks are the corpora (written by `spacy hitl export`), and with --labelled one `ner` per label of
the data, and one classifier of whole texts: which labels occur. A fifth of each corpus' texts of
lane train, chosen by a digest, is held out: F is against what was decided or proposed there. No
gold is read. Three sides, each with the recipe `fast`, the same texts and the same number of
passes over them:

own     one encoder for each task
shared  one base, taught by all tasks at once, then frozen; a head for each task
added   one base, taught by the first half of the tasks; a head for each, the others came later

Each side is composed, saved, loaded and accelerated; words per CPU second over all held-out texts
in one process on one core, the sides in turn; ratios are medians over rounds and seeds. Intervals
of a difference are paired: a bootstrap over texts and seeds.
"""

import argparse
import hashlib
import json
import os
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
import spacy
from bench_data import Row, ents_of, read
from confection import Config
from spacy.language import Language
from spacy.training.initialize import init_nlp
from spacy.training.loop import train

from spacy_hitl import accelerate
from spacy_hitl.dataset.corpus import read_training_corpus, write_corpus
from spacy_hitl.distill.base.teach import factory_of
from spacy_hitl.distill.corpus.examples import select_annotation
from spacy_hitl.distill.recipes import base_config, student_config
from spacy_hitl.io import folder_megabytes
from spacy_hitl.pipeline.compose import compose
from spacy_hitl.records import (
    Annotation,
    CategoryAnnotation,
    SpanAnnotation,
    TaskHeader,
    TaskRow,
)
from spacy_hitl.tasks.reference import compare, get_annotation

HELD_OUT, FOR_CHOICE = 0.2, 0.1  # shares of the texts
ROUNDS = 3
SIDES = ("own", "shared", "added")


class Task:
    """One task: its corpus without the texts that were held out, and these."""

    def __init__(self, header: TaskHeader, rows: Sequence[TaskRow], folder: Path) -> None:
        self.header = header
        self.name = header.task
        self.path = folder / f"{self.name}.jsonl"
        self.held: List[Tuple[str, Annotation]] = []
        kept = []
        for row in rows:
            annotation = select_annotation(row, decisions=True, proposals=True, header=header)
            if annotation is None:
                continue
            share = int(row.text_digest[-8:], 16) / 16**8
            if row.lane == "train" and share < HELD_OUT:
                self.held.append((row.text, annotation))
                continue
            lane = "dev" if share < HELD_OUT + FOR_CHOICE else "train"
            kept.append(replace(row, lane=lane, decision=annotation, proposal=None))
        write_corpus(self.path, header, kept)
        self.texts = sum(row.lane == "train" for row in kept)

    def score(self, nlp: Language) -> np.ndarray:
        """RETURNS (ndarray): Shape (texts, 3): hits, errors, misses."""
        table = []
        docs = nlp.pipe([text for text, _ in self.held])
        for doc, (_, gold) in zip(docs, self.held, strict=True):
            found = get_annotation(doc, self.header)
            counts = list(compare(gold, found, self.header).values())
            table.append([sum(getattr(c, n) for c in counts) for n in ("tp", "fp", "fn")])
        return np.array(table, dtype="float64")


def split_labels(rows: Sequence[Row], folder: Path) -> List[Task]:
    """RETURNS (List[Task]): One per label, and which labels occur."""
    labels = sorted({label for row in rows for _, _, label in ents_of(row)})

    def row_of(text: str, annotation: Annotation) -> TaskRow:
        digest = hashlib.sha256(text.encode("utf8", "surrogatepass")).hexdigest()
        return TaskRow(text, digest, "train", decision=annotation)

    tasks = []
    for label in labels:
        header = TaskHeader(label.lower(), "ner", (label,), "")
        found = [
            row_of(
                row["text"],
                Annotation(
                    spans=tuple(SpanAnnotation(s, e, n) for s, e, n in ents_of(row) if n == label)
                ),
            )
            for row in rows
        ]
        tasks.append(Task(header, found, folder))
    header = TaskHeader("mentions", "textcat", tuple(labels), "")
    found = []
    for row in rows:
        present = sorted({label for _, _, label in ents_of(row)})
        found.append(
            row_of(row["text"], Annotation(cats=tuple(CategoryAnnotation(n) for n in present)))
        )
    return [*tasks, Task(header, found, folder)]


def sections(task: Task, seed: int, epochs: int) -> Dict[str, Any]:
    """Corpora and training, as a user would write them."""
    corpus = {"@readers": "spacy-hitl.TaskCorpus.v1", "path": str(task.path), "task": task.name}
    steps = -(-task.texts // 16) * epochs
    return {
        "corpora": {"train": {**corpus, "lane": "train"}, "dev": {**corpus, "lane": "dev"}},
        "training": {
            "seed": seed,
            "gpu_allocator": None,
            "dropout": 0.2,
            "max_steps": steps,
            "patience": 0,
            "eval_frequency": max(1, steps // 4),
            "optimizer": {
                "@optimizers": "Adam.v1",
                "learn_rate": {
                    "@schedules": "warmup_linear.v1",
                    "warmup_steps": 20,
                    "total_steps": steps + 20,
                    "initial_rate": 0.002,
                },
            },
            "batcher": {"@batchers": "spacy.batch_by_sequence.v1", "size": 16},
        },
    }


def run(config: Config, path: Path) -> float:
    """Train and save. RETURNS (float): CPU seconds."""
    start = time.process_time()
    path.mkdir(parents=True)
    nlp = init_nlp(config)
    with Path(os.devnull).open("w") as quiet:
        train(nlp, path, stdout=quiet)
    return time.process_time() - start


def train_base(tasks: Sequence[Task], path: Path, seed: int, epochs: int) -> float:
    """A base that is taught by some tasks at once."""
    config = base_config({task.name: task.path for task in tasks})
    config["initialize"]["after_init"].update({"seed": seed, "epochs": epochs})
    config = config.merge(sections(tasks[0], seed, 1))
    config["training"].update({"max_steps": 1, "eval_frequency": 1})
    return run(config, path)


def train_student(task: Task, path: Path, seed: int, epochs: int, base: str = "") -> float:
    """A student, on a base or with an encoder of its own."""
    header = task.header
    config = student_config(
        factory_of(header),
        task=task.name,
        spans_key=header.spans_key or "sc",
        base=base or None,
    )
    return run(Config(sections(task, seed, epochs)).merge(config), path)


def make_sides(tasks: Sequence[Task], folder: Path, seed: int, epochs: int) -> Dict[str, Any]:
    """Train and compose every side. RETURNS (Dict[str, Any]): CPU seconds of training by side."""
    taught = {"shared": tasks, "added": tasks[: len(tasks) // 2]}
    took = {}
    for side in SIDES:
        base, spent = "", 0.0
        if side in taught:
            spent = train_base(taught[side], folder / f"{side}/base", seed, epochs)
            base = str(folder / side / "base/model-last")
        parts = []
        for task in tasks:
            path = folder / side / task.name
            spent += train_student(task, path, seed, epochs, base)
            parts.append((task.name, spacy.load(path / "model-best")))
        compose(parts).to_disk(folder / side / "whole")
        took[side] = round(spent, 1)
    return took


def seconds(nlp: Language, texts: Sequence[str]) -> float:
    """RETURNS (float): Of CPU for one pass over all texts."""
    start = time.process_time()
    for _ in nlp.pipe(texts):
        pass
    return time.process_time() - start


def f_of(table: np.ndarray) -> np.ndarray:
    """RETURNS (ndarray): F over the last axis of summed counts."""
    tp, fp, fn = np.moveaxis(table, -1, 0)
    return 2 * tp / np.maximum(2 * tp + fp + fn, 1)


def difference(one: np.ndarray, other: np.ndarray, rounds: int = 2000) -> List[float]:
    """Mean difference of F over seeds and its interval: texts and seeds are drawn anew."""
    random = np.random.RandomState(0)
    seeds, texts = one.shape[:2]
    drawn = []
    for _ in range(rounds):
        s = random.randint(0, seeds, seeds)
        weights = np.bincount(random.randint(0, texts, texts), minlength=texts)
        a, b = (np.einsum("stc,t->sc", some[s], weights) for some in (one, other))
        drawn.append(float(np.mean(f_of(b) - f_of(a))))
    value = float(np.mean(f_of(other.sum(1)) - f_of(one.sum(1))))
    return [round(v, 4) for v in (value, *np.percentile(drawn, [2.5, 97.5]))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpora", type=Path, nargs="+")
    parser.add_argument("--labelled", type=Path)
    parser.add_argument("--rows", type=int, default=1200, help="texts per task")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=8)
    args = parser.parse_args()
    cores = os.sched_getaffinity(0)
    times: Dict[str, List[float]] = {f"{s}{a}": [] for s in SIDES for a in ("", " accelerated")}
    tables: Dict[str, Dict[str, List[np.ndarray]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tasks = []
        for path in args.corpora:
            header, rows = read_training_corpus(path, path.stem)
            tasks.append(Task(header, rows[: args.rows], folder))
        if args.labelled:
            tasks += split_labels(read(args.labelled)[: args.rows], folder)
        texts = sorted({text for task in tasks for text, _ in task.held})
        for seed in range(args.seeds):
            took = make_sides(tasks, folder / str(seed), seed, args.epochs)
            systems, mb = {}, {}
            for side in SIDES:
                path = folder / str(seed) / side / "whole"
                mb[side] = round(folder_megabytes(path), 2)
                systems[side] = spacy.load(path)
                systems[f"{side} accelerated"] = spacy.load(path)
                accelerate(systems[f"{side} accelerated"])
                for task in tasks:
                    found = tables.setdefault(task.name, {s: [] for s in SIDES})
                    found[side].append(task.score(systems[side]))
            words = sum(len(doc) for doc in systems["own"].tokenizer.pipe(texts))
            os.sched_setaffinity(0, {min(cores)})
            for nlp in systems.values():
                seconds(nlp, texts)  # warms up
            for _ in range(ROUNDS):
                for side, nlp in systems.items():
                    times[side].append(seconds(nlp, texts))
            os.sched_setaffinity(0, cores)
            rate = {side: round(words / min(t[-ROUNDS:])) for side, t in times.items()}
            f = {
                task: {s: round(float(f_of(t[s][-1].sum(0))), 3) for s in SIDES}
                for task, t in tables.items()
            }
            line = {"seed": seed, "mb": mb, "train_s": took, "words_per_s": rate, "f": f}
            print(json.dumps(line), flush=True)

    def ratio(slow: str, quick: str) -> List[float]:
        values = [a / b for a, b in zip(times[slow], times[quick], strict=True)]
        return [round(v, 2) for v in (statistics.median(values), min(values), max(values))]

    half = len(tasks) // 2
    result: Dict[str, Any] = {
        "tasks": len(tasks),
        "seeds": args.seeds,
        "texts": {task.name: task.texts for task in tasks},
        "held_out": {task.name: len(task.held) for task in tasks},
        "ratio": ratio("own", "shared"),
        "accelerated_ratio": ratio("own accelerated", "shared accelerated"),
        "words_per_s": {s: round(words / statistics.median(t)) for s, t in times.items()},
        "mb": mb,
        "train_s": took,
        "came_later": [task.name for task in tasks[half:]],
    }
    for side in ("shared", "added"):
        result[f"{side}_f_delta"] = {
            task: difference(np.array(t["own"]), np.array(t[side])) for task, t in tables.items()
        }
    result["f"] = {
        task: {s: round(float(np.mean(f_of(np.array(t[s]).sum(1)))), 4) for s in SIDES}
        for task, t in tables.items()
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
