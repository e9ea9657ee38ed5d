"""How fast students are, beside spaCy's own default student of the same data.

    python benchmarks/speed.py TEXTS.jsonl --train DATA.jsonl --eval DATA.jsonl [--seeds 5]

Where train and eval are one file, it is split once and for all. A tenth of the texts to train on
picks the checkpoints: nobody sees eval before the end. For each seed both students are trained by
`spacy train`, on one core with one BLAS thread: the default is what `spacy init config -p ner`
writes, the other is the recipe `fast`. Speeds are measured in turn in one process, as words
per CPU second of `nlp.pipe` over all texts; ratios are medians over seeds and rounds. F is on eval;
the interval of its difference is a paired bootstrap over texts and seeds. `accelerate` is measured
on the unchanged default student; texts on which it predicts something else are counted, and the
numbers of the first twenty printed.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
import spacy
from bench_data import ents_of, fixed_split, make_docs, read, write_docs
from spacy.cli.init_config import init_config
from spacy.language import Language

from spacy_hitl import accelerate
from spacy_hitl.distill.recipes import student_config
from spacy_hitl.io import folder_megabytes

ROUNDS = 3
Ents = List[Tuple[int, int, str]]


def write_configs(folder: Path) -> None:
    """The default as spaCy writes it, and the same with the pipeline of the recipe."""
    default = init_config(lang="en", pipeline=["ner"], optimize="efficiency", silent=True)
    default.to_disk(folder / "default.cfg")
    fast = default.copy()
    recipe = student_config("ner", task="ner", recipe="fast")
    fast["components"] = recipe["components"]
    fast["nlp"].update(recipe["nlp"])
    fast.to_disk(folder / "fast.cfg")


def train(folder: Path, name: str, seed: int, steps: int) -> float:
    """Train by the command line on one core. RETURNS (float): Seconds of wall clock."""
    core = min(os.sched_getaffinity(0))
    command = [sys.executable, "-m", "spacy", "train", str(folder / f"{name}.cfg")]
    command += ["--output", str(folder / f"{name}-{seed}")]
    command += ["--paths.train", str(folder / "train.spacy")]
    command += ["--paths.dev", str(folder / "dev.spacy")]
    command += ["--system.seed", str(seed), "--training.max_steps", str(steps)]
    command += ["--training.patience", "0", "--training.eval_frequency", str(max(1, steps // 4))]
    start = time.perf_counter()
    subprocess.run(["taskset", "-c", str(core), *command], check=True, capture_output=True)
    return time.perf_counter() - start


def seconds(nlp: Language, texts: Sequence[str]) -> float:
    """RETURNS (float): Of CPU for one pass over all texts."""
    start = time.process_time()
    for _ in nlp.pipe(texts):
        pass
    return time.process_time() - start


def predicted(nlp: Language, texts: Sequence[str]) -> List[Ents]:
    """RETURNS (List[Ents]): The entities of each text."""
    return [[(e.start_char, e.end_char, e.label_) for e in doc.ents] for doc in nlp.pipe(texts)]


def counts(gold: Sequence[Ents], found: Sequence[Ents]) -> np.ndarray:
    """RETURNS (ndarray): Shape (texts, 3): true positives, predicted and wanted."""
    rows = [(len(set(g) & set(f)), len(f), len(g)) for g, f in zip(gold, found, strict=True)]
    return np.array(rows, dtype="float64")


def f_of(table: np.ndarray) -> np.ndarray:
    """RETURNS (ndarray): F over the last axis of summed counts."""
    hits, found, wanted = np.moveaxis(table, -1, 0)
    return 2 * hits / np.maximum(found + wanted, 1)


def difference(default: np.ndarray, fast: np.ndarray, rounds: int = 2000) -> List[float]:
    """Mean difference of F over seeds, and its interval; resamples texts and seeds together."""
    random = np.random.RandomState(0)
    seeds, texts = default.shape[:2]
    drawn = []
    for _ in range(rounds):
        s = random.randint(0, seeds, seeds)
        weights = np.bincount(random.randint(0, texts, texts), minlength=texts)
        one, other = (np.einsum("stc,t->sc", some[s], weights) for some in (default, fast))
        drawn.append(float(np.mean(f_of(other) - f_of(one))))
    value = float(np.mean(f_of(fast.sum(1)) - f_of(default.sum(1))))
    return [value, *np.percentile(drawn, [2.5, 97.5]).tolist()]


def measure_seed(
    folder: Path, seed: int, steps: int, texts: List[str], evals: List[Any]
) -> Dict[str, Any]:
    """Train both, measure both, and the default with `accelerate`."""
    took = {name: train(folder, name, seed, steps) for name in ("default", "fast")}
    paths = {name: folder / f"{name}-{seed}" / "model-best" for name in took}
    systems = {name: spacy.load(path) for name, path in paths.items()}
    systems["accelerated"] = spacy.load(paths["default"])
    accelerate(systems["accelerated"])
    outputs = {name: predicted(nlp, texts) for name, nlp in systems.items()}  # warms up
    words = sum(len(doc) for doc in systems["default"].tokenizer.pipe(texts))
    times: Dict[str, List[float]] = {name: [] for name in systems}
    for _ in range(ROUNDS):
        for name, nlp in systems.items():
            times[name].append(seconds(nlp, texts))
    eval_texts = [d.text for d in evals]
    gold = [[(e.start_char, e.end_char, e.label_) for e in d.ents] for d in evals]
    tables = {n: counts(gold, predicted(systems[n], eval_texts)) for n in ("default", "fast")}
    differing = [
        i
        for i, (a, b) in enumerate(zip(outputs["default"], outputs["accelerated"], strict=True))
        if a != b
    ]
    return {
        "seed": seed,
        "times": times,
        "words": words,
        "took": took,
        "mb": {name: folder_megabytes(path) for name, path in paths.items()},
        "tables": tables,
        "f": {name: float(f_of(table.sum(0))) for name, table in tables.items()},
        "differing": differing,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("texts", type=Path)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--eval", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=2000)
    args = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    texts = [row["text"] for row in read(args.texts)]
    rows, eval_rows = read(args.train), read(args.eval)
    if args.train == args.eval:
        rows, eval_rows = fixed_split(rows)
    rows, dev_rows = fixed_split(rows, share=0.1, salt="dev")
    evals = make_docs(spacy.blank("en"), eval_rows)
    assert any(ents_of(row) for row in rows)
    found = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_docs(folder / "train.spacy", rows)
        write_docs(folder / "dev.spacy", dev_rows)
        write_configs(folder)
        for seed in range(args.seeds):
            one = measure_seed(folder, seed, args.steps, texts, evals)
            found.append(one)
            shown = {k: one[k] for k in ("seed", "words", "took", "mb", "f")}
            rate = {n: round(one["words"] / min(t)) for n, t in one["times"].items()}
            print(
                json.dumps({**shown, "words_per_s": rate, "differing": one["differing"][:20]}),
                flush=True,
            )
    print(json.dumps(summary(found, len(texts))))


def summary(found: List[Dict[str, Any]], texts: int) -> Dict[str, Any]:
    """The last line: medians over seeds and rounds, F with its paired interval."""

    def ratio(slow: str, quick: str) -> List[float]:
        pairs = [(one["times"][slow], one["times"][quick]) for one in found]
        values = [a / b for s, q in pairs for a, b in zip(s, q, strict=True)]
        return [statistics.median(values), min(values), max(values)]

    def rate(name: str) -> float:
        return statistics.median(one["words"] / t for one in found for t in one["times"][name])

    tables = {n: np.array([one["tables"][n] for one in found]) for n in ("default", "fast")}
    delta, low, high = difference(tables["default"], tables["fast"])
    trained = [one["took"]["default"] / one["took"]["fast"] for one in found]
    return {
        "ratio": round(ratio("default", "fast")[0], 2),
        "ratio_range": [round(v, 2) for v in ratio("default", "fast")[1:]],
        "words_per_s": round(rate("fast")),
        "default_words_per_s": round(rate("default")),
        "mb": round(max(one["mb"]["fast"] for one in found), 2),
        "default_mb": round(max(one["mb"]["default"] for one in found), 2),
        "f": round(statistics.mean(one["f"]["fast"] for one in found), 4),
        "default_f": round(statistics.mean(one["f"]["default"] for one in found), 4),
        "f_delta": round(delta, 4),
        "f_delta_low": round(low, 4),
        "f_delta_high": round(high, 4),
        "accelerate_ratio": round(ratio("default", "accelerated")[0], 2),
        "accelerate_range": [round(v, 2) for v in ratio("default", "accelerated")[1:]],
        "texts_differing": max(len(one["differing"]) for one in found),
        "texts": texts,
        "train_ratio": round(statistics.median(trained), 2),
        "train_range": [round(min(trained), 2), round(max(trained), 2)],
        "seeds": len(found),
    }


if __name__ == "__main__":
    main()
