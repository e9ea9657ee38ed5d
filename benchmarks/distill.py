"""What a student of named entities learns from little data, beside spaCy's default student.

    python benchmarks/distill.py --train A.jsonl --eval B.jsonl [--reviewed 300]
        [--unlabelled C.jsonl] [--seeds 3] [--settings llm reviewed gold]

Rows have a `text`, people's entities in `gold.ents` (or `ents`) and a model's in `llm.ents`.
Settings, as far as the labels of A allow: `llm` learns from the model's labels alone; `reviewed`
from people's labels of `--reviewed` texts and the model's of the rest; `gold` from people's labels
alone. In each, the recipe of `spacy_hitl.distill.recipes.ner_training` and what `spacy init config
-p ner` writes are trained on the same rows by `spacy train`. A fixed share of them is dev: it stops
the default's training, and the recipe, which does not need one, learns from it. Texts of A that are
nearly texts of B are left out; else B is read once everything is trained. Both train on the
products of `accelerate`, on one core. C holds more texts, without labels, that words are learned
from.

The last line is JSON. `f` holds, per setting, the recipe's mean F over seeds and its 95% interval,
`default_f` the default's, `f_delta` the recipe's minus the default's; intervals are of a bootstrap
over texts and seeds, paired in differences. `llm_f` is the model's own F on B.
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
import spacy
from bench_data import fixed_split, read, write_docs
from confection import Config
from spacy.cli.init_config import init_config
from spacy.tokens import Doc
from spacy.util import filter_spans

from spacy_hitl.distill.recipes.ner_training import ner_training
from spacy_hitl.io import folder_megabytes
from spacy_hitl.tasks.near_duplicates import NearDuplicates

Row = Dict[str, Any]
Ents = List[Tuple[int, int, str]]
Figure = List[float]
DEV_SHARE = 0.15
ROUNDS = 2000
TRAIN_ONLY_ACCELERATED = {"@callbacks": "spacy-hitl.accelerate.v1"}


def people_of(row: Row) -> Optional[Ents]:
    """RETURNS (Optional[Ents]): People's entities, None where nobody looked."""
    found = row["gold"]["ents"] if "gold" in row else row.get("ents")
    return None if found is None else [(s, e, label) for s, e, label in found]


def llm_of(row: Row) -> Optional[Ents]:
    """RETURNS (Optional[Ents]): The model's entities, None where it was not asked."""
    found = row.get("llm", {}).get("ents")
    return None if found is None else [(s, e, label) for s, e, label in found]


def labelled(rows: Sequence[Row], setting: str, reviewed: int) -> List[Row]:
    """Choose the labels to learn from.

    rows (Sequence[Row]): All rows to train on.
    setting (str): llm, reviewed or gold.
    reviewed (int): Number of texts with people's labels in the setting `reviewed`.
    RETURNS (List[Row]): Rows of `text`, `ents` and `person`; rows without such labels are left out.
    """
    by_people = {"llm": 0, "reviewed": reviewed, "gold": len(rows)}[setting]
    # The order of digests is a fixed one that has nothing to do with the texts.
    ranked = sorted(rows, key=lambda row: _digest(row["text"]))
    chosen = {id(row) for row in ranked[:by_people]}
    found = []
    for row in rows:
        ents = people_of(row) if id(row) in chosen else None
        person = ents is not None
        if ents is None and setting != "gold":
            ents = llm_of(row)
        if ents is not None:
            found.append({"text": row["text"], "ents": ents, "person": person})
    return found


def _digest(text: str) -> str:
    return hashlib.sha256(("reviewed" + text).encode("utf8", "surrogatepass")).hexdigest()


def possible_settings(rows: Sequence[Row], reviewed: int) -> List[str]:
    """RETURNS (List[str]): The settings that the labels allow."""
    people = sum(people_of(row) is not None for row in rows)
    llm = sum(llm_of(row) is not None for row in rows)
    allowed = {"llm": llm > 0, "reviewed": llm > 0 and people > reviewed > 0, "gold": people > 0}
    return [setting for setting, ok in allowed.items() if ok]


def write_configs(folder: Path, unlabelled: Optional[Path], count: Optional[int] = None) -> None:
    """What spaCy writes, and the recipe for so many labelled texts."""
    default = init_config(lang="en", pipeline=["ner"], optimize="efficiency", silent=True)
    default["initialize"]["before_init"] = dict(TRAIN_ONLY_ACCELERATED)
    default.to_disk(folder / "default.cfg")
    base = default.copy()
    del base["components"], base["initialize"]["before_init"]
    texts = None if unlabelled is None else str(unlabelled.resolve())
    recipe = ner_training("ner", labelled=count, texts=texts)
    Config(base).merge(recipe).to_disk(folder / "recipe.cfg")


def train(folder: Path, name: str, data: Path, seed: int, steps: Optional[int]) -> Path:
    """Train by the command line, on one core. RETURNS (Path): The model."""
    core = min(os.sched_getaffinity(0))
    output = folder / f"{name}-{data.name}-{seed}"
    command = [sys.executable, "-m", "spacy", "train", str(folder / f"{name}.cfg")]
    command += ["--output", str(output), "--system.seed", str(seed)]
    command += ["--paths.train", str(data / "train.spacy"), "--paths.dev", str(data / "dev.spacy")]
    if name == "recipe":
        command += ["--initialize.after_init.seed", str(100 * seed)]
    elif steps is not None:
        command += ["--training.max_steps", str(steps)]
    done = subprocess.run(
        ["taskset", "-c", str(core), *command], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stdout[-3000:] + done.stderr[-3000:])
    return output / "model-best"


def predict(path: Path, texts: Sequence[str]) -> List[Ents]:
    """RETURNS (List[Ents]): The entities of each text, found by plain spaCy."""
    nlp = spacy.load(path)
    return [[(e.start_char, e.end_char, e.label_) for e in doc.ents] for doc in nlp.pipe(texts)]


def counts(gold: Sequence[Ents], found: Sequence[Ents]) -> np.ndarray:
    """RETURNS (ndarray): Shape (texts, 3): true positives, predicted and wanted."""
    rows = [
        (len(set(g) & set(f)), len(set(f)), len(set(g))) for g, f in zip(gold, found, strict=True)
    ]
    return np.array(rows, dtype="float64")


def f_of(table: np.ndarray) -> np.ndarray:
    """RETURNS (ndarray): F over the last axis of summed counts."""
    hits, found, wanted = np.moveaxis(table, -1, 0)
    return 2 * hits / np.maximum(found + wanted, 1)


def with_interval(table: np.ndarray, other: Optional[np.ndarray] = None) -> Figure:
    """Mean F over seeds and its 95% interval; resamples texts and seeds together.

    table (ndarray): Shape (seeds, texts, 3).
    other (Optional[ndarray]): What to subtract, seed by seed and text by text.
    RETURNS (Figure): Value, low, high.
    """
    random = np.random.default_rng(0)
    seeds, texts = table.shape[:2]

    def mean_f(some: np.ndarray, weights: np.ndarray, drawn: np.ndarray) -> float:
        return float(np.mean(f_of(np.einsum("stc,t->sc", some[drawn], weights))))

    def value(weights: np.ndarray, drawn: np.ndarray) -> float:
        found = mean_f(table, weights, drawn)
        return found if other is None else found - mean_f(other, weights, drawn)

    rounds = []
    for _ in range(ROUNDS):
        weights = random.multinomial(texts, [1 / texts] * texts)
        rounds.append(value(weights, random.integers(0, seeds, seeds)))
    low, high = np.percentile(rounds, [2.5, 97.5])
    mid = value(np.ones(texts), np.arange(seeds))
    return [round(float(v), 4) for v in (mid, low, high)]


def on_tokens(rows: Sequence[Row], ents: Sequence[Optional[Ents]]) -> List[Ents]:
    """RETURNS (List[Ents]): Entities as spaCy can find them: on tokens, not nested."""
    nlp = spacy.blank("en")
    found = []
    for row, some in zip(rows, ents, strict=True):
        doc: Doc = nlp.make_doc(row["text"])
        # People's entities that no token ends at stay as they are: nothing can find them.
        spans = [doc.char_span(s, e, label=label) for s, e, label in some or []]
        kept = filter_spans([span for span in spans if span is not None])
        lost = [e for e, span in zip(some or [], spans, strict=True) if span is None]
        found.append([(s.start_char, s.end_char, s.label_) for s in kept] + lost)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--eval", type=Path, required=True)
    parser.add_argument("--reviewed", type=int, default=300)
    parser.add_argument("--unlabelled", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--default-steps", type=int, help="spaCy's own patience if not given")
    parser.add_argument("--settings", nargs="+", choices=("llm", "reviewed", "gold"))
    args = parser.parse_args()
    evals = NearDuplicates(row["text"] for row in read(args.eval))
    everything = read(args.train)
    rows = [row for row in everything if row["text"] not in evals]
    print(json.dumps({"near_duplicates_of_eval_left_out": len(everything) - len(rows)}))
    settings = args.settings or possible_settings(rows, args.reviewed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models = train_all(folder, rows, settings, args)
        eval_rows = read(args.eval)
        report(eval_rows, settings, models, args.seeds)


Models = Dict[Tuple[str, str], List[Path]]


def train_all(
    folder: Path, rows: List[Row], settings: Sequence[str], args: argparse.Namespace
) -> Models:
    """RETURNS (Models): Per setting and system, the model of each seed."""
    models: Models = {}
    for setting in settings:
        chosen = labelled(rows, setting, args.reviewed)
        train_rows, dev_rows = fixed_split(chosen, share=DEV_SHARE, salt="dev")
        data = folder / setting
        data.mkdir()
        write_configs(data, args.unlabelled, len(chosen))
        write_docs(data / "train.spacy", train_rows)
        write_docs(data / "dev.spacy", dev_rows)
        for seed in range(args.seeds):
            for system in ("default", "recipe"):
                path = train(data, system, data, seed, args.default_steps)
                models.setdefault((setting, system), []).append(path)
                mb = round(folder_megabytes(path), 2)
                print(json.dumps({"setting": setting, "system": system, "seed": seed, "mb": mb}))
                sys.stdout.flush()
    return models


def report(rows: List[Row], settings: Sequence[str], models: Models, seeds: int) -> None:
    """Score everything on the rows of eval, and print the last line."""
    people = [people_of(row) for row in rows]
    # An empty list of people's is an answer: there is nothing.
    wanted = [llm_of(r) if p is None else p for r, p in zip(rows, people, strict=True)]
    gold = on_tokens(rows, wanted)
    texts = [row["text"] for row in rows]
    tables = {
        key: np.array([counts(gold, predict(path, texts)) for path in paths])
        for key, paths in models.items()
    }
    summary: Dict[str, Any] = {"f": {}, "default_f": {}, "f_delta": {}}
    for setting in settings:
        ours, default = (tables[setting, system] for system in ("recipe", "default"))
        summary["f"][setting] = with_interval(ours)
        summary["default_f"][setting] = with_interval(default)
        summary["f_delta"][setting] = with_interval(ours, default)
    llm = [llm_of(row) for row in rows]
    if all(ents is not None for ents in llm):
        summary["llm_f"] = with_interval(counts(gold, on_tokens(rows, llm))[None])
    for system, key in (("recipe", "mb"), ("default", "default_mb")):
        sizes = [
            folder_megabytes(p) for (_, s), paths in models.items() if s == system for p in paths
        ]
        summary[key] = round(statistics.median(sizes), 2)
    summary.update({"texts": len(rows), "entities": sum(map(len, gold)), "seeds": seeds})
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
