"""What soft labels of a bigger trained pipeline are worth to a `fast` student.

    python benchmarks/soft.py TEXTS.jsonl --train DATA.jsonl --eval DATA.jsonl [--seeds 3]

Where train and eval are one file, it is split once and for all. A tenth of train chooses the
checkpoints of all sides. For each seed one or more bigger students are trained (`--teachers`,
`--width`, `--depth`), then the recipe `fast` twice by `spacy train` from one config: alone, and
with the warm-up on soft labels over TEXTS in `[initialize.after_init]`; what follows is the same. F
is on eval, of several teachers that of their averaged distributions; intervals of the differences
are a paired bootstrap over texts and seeds. With `--longer N` a third student is trained alone for
N steps, to see what more updates do. `--kept DIR` keeps what was trained and goes on there.
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
from bench_data import Row, ents_of, fixed_split, make_docs, read
from confection import Config
from spacy.cli.init_config import init_config
from spacy.tokens import Doc
from speed import Ents, counts, difference, f_of

from spacy_hitl.dataset.corpus import write_corpus
from spacy_hitl.distill.recipes import student_config
from spacy_hitl.distill.recipes.ner import component
from spacy_hitl.distill.recipes.tok2vec import Size, tok2vec
from spacy_hitl.distill.soft.ner import predict_together
from spacy_hitl.distill.soft.teacher import load_teacher
from spacy_hitl.io import folder_megabytes, text_digest
from spacy_hitl.records import Annotation, SpanAnnotation, TaskHeader, TaskRow

TASK = "ner"
DEV_SHARE = 0.1


def write_data(folder: Path, rows: Sequence[Row]) -> Tuple[int, int]:
    """Write an exported corpus: lane dev by a digest. RETURNS (Tuple[int, int]): Texts per lane."""
    labels = sorted({label for row in rows for _, _, label in ents_of(row)})
    header = TaskHeader(TASK, "ner", tuple(labels), "benchmark")
    blank = spacy.blank("en")
    found = {}
    for row, doc in zip(rows, make_docs(blank, rows), strict=True):
        spans = [SpanAnnotation(e.start_char, e.end_char, e.label_) for e in doc.ents]
        digest = text_digest(row["text"])
        lane = "dev" if int(digest[8:16], 16) / 16**8 < DEV_SHARE else "train"
        annotation = Annotation(spans=tuple(spans))
        found[digest] = TaskRow(row["text"], digest, lane, annotation, "import")
    write_corpus(folder / "corpus.jsonl", header, list(found.values()))
    lanes = [row.lane for row in found.values()]
    return lanes.count("train"), lanes.count("dev")


def config_of(folder: Path, pipeline: Config, args: argparse.Namespace) -> Config:
    """RETURNS (Config): spaCy's own training of a pipeline on the corpus."""
    config = init_config(lang="en", pipeline=["ner"], optimize="efficiency", silent=True)
    config["nlp"].update(pipeline["nlp"])
    config["components"] = pipeline["components"]
    config["training"]["max_steps"] = args.steps
    config["training"]["patience"] = 0
    config["training"]["eval_frequency"] = max(1, args.steps // 8)
    for lane in ("train", "dev"):
        config["corpora"][lane] = {
            "@readers": "spacy-hitl.TaskCorpus.v1",
            "path": str(folder / "corpus.jsonl"),
            "task": TASK,
            "lane": lane,
        }
    return config


def soften(config: Config, teachers: Sequence[Path], args: argparse.Namespace, seed: int) -> None:
    """Put the warm-up into a config."""
    config["initialize"]["after_init"] = {
        "@callbacks": "spacy-hitl.distill.v1",
        "path": config["corpora"]["train"]["path"],
        "task": TASK,
        "proposals": False,
        "teacher": [str(path) for path in teachers],
        "texts": str(args.texts.resolve()),
        "seed": seed,
        **json.loads(args.warm_up),
    }


def train(config: Config, output: Path, seed: int) -> Tuple[Path, float]:
    """Train by the command line unless that was done. RETURNS: The best model, and the seconds."""
    took = output / "seconds.json"
    if not took.exists():
        output.parent.mkdir(parents=True, exist_ok=True)
        path = output.with_suffix(".cfg")
        config["system"]["seed"] = seed
        config.to_disk(path)
        start = time.perf_counter()
        command = [sys.executable, "-m", "spacy", "train", str(path), "--output", str(output)]
        done = subprocess.run(command, capture_output=True, text=True)
        output.with_suffix(".log").write_text(done.stdout + done.stderr)
        if done.returncode:
            raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])
        took.write_text(json.dumps(time.perf_counter() - start))
    return output / "model-best", json.loads(took.read_text())


def ents(docs: Sequence[Doc]) -> List[Ents]:
    """RETURNS (List[Ents]): The entities of each text."""
    return [[(e.start_char, e.end_char, e.label_) for e in doc.ents] for doc in docs]


def sides(args: argparse.Namespace) -> List[str]:
    """RETURNS (List[str]): The students that are compared."""
    return ["student", *(["longer"] if args.longer else []), "taught"]


def measure_seed(folder: Path, seed: int, args: argparse.Namespace, dev: List[Doc]) -> Any:
    """Train teachers and both students; count hits on eval."""
    size = Size(args.width, args.depth, hidden=64)
    wide = student_config("ner", task=TASK, recipe="fast")  # trains accelerated; same predictions
    wide["components"] = {TASK: component(tok2vec(size), size)}
    seconds: Dict[str, float] = {}
    paths: Dict[str, List[Path]] = {"teacher": []}
    for i in range(args.teachers):
        number = seed * args.teachers + i
        name = f"teacher-{args.width}-{args.depth}-{number}"
        best, took = train(config_of(folder, wide, args), folder / name, number)
        paths["teacher"].append(best)
        seconds["teacher"] = seconds.get("teacher", 0) + took
    fast = student_config("ner", task=TASK, recipe="fast")
    for name in sides(args):
        config = config_of(folder, fast, args)
        output = f"{name}-{seed}"
        if name == "taught":
            soften(config, paths["teacher"], args, seed)
            output = f"{name}{args.tag}-{seed}"
        elif name == "longer":
            config["training"]["max_steps"] = args.longer
            output = f"{name}-{args.longer}-{seed}"
        best, seconds[name] = train(config, folder / output, seed)
        paths[name] = [best]
    gold = ents(dev)
    tables = {}
    for name, some in paths.items():
        loaded = [load_teacher(p, factory="ner", name=TASK, component=None) for p in some]
        docs = [loaded[0].nlp.make_doc(doc.text) for doc in dev]
        predict_together(loaded, docs)
        tables[name] = counts(gold, ents(docs))
    return {
        "seed": seed,
        "f": {name: round(float(f_of(t.sum(0))), 4) for name, t in tables.items()},
        "seconds": {name: round(s) for name, s in seconds.items()},
        "mb": {name: round(folder_megabytes(p[0]), 2) for name, p in paths.items()},
        "tables": tables,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("texts", type=Path)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--eval", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--teachers", type=int, default=3)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--depth", type=int, default=4)
    parser.add_argument("--longer", type=int, default=0, help="steps of a third student")
    parser.add_argument("--warm-up", default="{}", help="options of the warm-up, as JSON")
    parser.add_argument("--kept", type=Path, help="folder for what was trained")
    parser.add_argument("--tag", default="", help="name of these warm-up options in that folder")
    args = parser.parse_args()
    rows, dev_rows = read(args.train), read(args.eval)
    if args.train == args.eval:
        rows, dev_rows = fixed_split(rows)
    dev = make_docs(spacy.blank("en"), dev_rows)
    found = []
    with tempfile.TemporaryDirectory() as name:
        folder = args.kept or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        lanes = write_data(folder, rows)
        for seed in range(args.seeds):
            one = measure_seed(folder, seed, args, dev)
            found.append(one)
            shown = {key: one[key] for key in ("seed", "f", "seconds", "mb")}
            print(json.dumps(shown), flush=True)
    print(json.dumps(summary(found, ["teacher", *sides(args)], lanes, len(dev))))


def summary(
    found: List[Dict[str, Any]], names: List[str], lanes: Tuple[int, int], texts: int
) -> Dict[str, Any]:
    """The last line: mean F over seeds, differences with their paired intervals."""
    tables = {n: np.array([one["tables"][n] for one in found]) for n in names}
    gain = [round(v, 4) for v in difference(tables["student"], tables["taught"])]
    others = {
        f"over_{n}": [round(v, 4) for v in difference(tables[n], tables["taught"])]
        for n in names
        if n in ("teacher", "longer")
    }
    means = {n: round(statistics.mean(one["f"][n] for one in found), 4) for n in names}
    return {
        **{f"{n}_f": f for n, f in means.items()},
        "gain": gain[0],
        "gain_low": gain[1],
        "gain_high": gain[2],
        **others,
        "mb": max(one["mb"]["taught"] for one in found),
        "teacher_mb": max(one["mb"]["teacher"] for one in found),
        "seconds": {n: statistics.median(one["seconds"][n] for one in found) for n in names},
        "train": lanes[0],
        "dev": lanes[1],
        "eval": texts,
        "seeds": len(found),
    }


if __name__ == "__main__":
    main()
