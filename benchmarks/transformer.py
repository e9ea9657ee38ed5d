"""What a student that listens to a pretrained transformer reaches, on a GPU or without one.

    python benchmarks/transformer.py --train A.jsonl --eval B.jsonl --transformer DIR
        [--texts C.jsonl] [--seeds 3] [--jobs 3] [--steps 4000] [--minutes M] [--gpu-id 0]
        [--default]

Labels are people's where there are some, else the model's; of A, texts that are nearly texts of B
are left out. A tenth of A, drawn by a digest, chooses the checkpoints; B is read once a student is
trained. Each seed is trained by `spacy train` from the config that the recipe `transformer` writes,
`--jobs` of them at once. With `--steps` below the recipe's own, the rate falls over so many steps.
`--default` trains spaCy's default student of named entities beside them, on the CPU. `--minutes`
stops what is not trained by then: its best checkpoint counts, with the step that was reached. F is
on B; its interval is a bootstrap over texts and seeds, paired in the difference. Speeds are words
per second of `nlp.pipe`, once nothing is trained any more: on the GPU, and on one core with one
thread over the first `--cpu-texts` texts. One JSON line for each student, one last.
"""

import argparse
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
import spacy
from bench_data import make_docs, read
from confection import Config
from soft import ents, write_data
from spacy.cli.init_config import init_config
from speed import counts, difference, f_of, predicted

from spacy_hitl.distill.recipes.plan import make_plan
from spacy_hitl.distill.recipes.training import training_config
from spacy_hitl.distill.recipes.transformer import MAX_STEPS
from spacy_hitl.io import folder_megabytes
from spacy_hitl.tasks.near_duplicates import NearDuplicates

STEP = re.compile(r"^ *(\d+) +(\d+) +[\d.]+ ", re.MULTILINE)  # of the table of spacy train


@dataclass
class Job:
    """One student to train: a transformer's, or spaCy's default one."""

    student: str
    seed: int
    config: Path
    gpu: int

    @property
    def output(self) -> Path:
        return self.config.with_suffix("")


def recipe_config(corpus: Path, args: argparse.Namespace) -> Config:
    """RETURNS (Config): What the recipe writes, for so many steps."""
    name = str(args.transformer.resolve())
    config = training_config(make_plan(corpus=corpus, student="transformer", transformer=name))
    if args.steps < MAX_STEPS:
        rate = config["training"]["optimizer"]["learn_rate"]
        rate["total_steps"] = config["training"]["max_steps"] = args.steps
        rate["warmup_steps"] = min(rate["warmup_steps"], args.steps // 4)
    if args.gpu_id < 0:
        config["system"]["gpu_allocator"] = None
    return config


def default_config(like: Config) -> Config:
    """RETURNS (Config): What `spacy init config -p ner` writes, on the same texts."""
    config = init_config(lang="en", pipeline=["ner"], optimize="efficiency", silent=True)
    config.update({name: like[name] for name in ("corpora", "paths")})
    return config


def make_jobs(folder: Path, args: argparse.Namespace) -> List[Job]:
    """Write the configs. RETURNS (List[Job]): What is trained, in this order."""
    config, jobs = recipe_config(folder / "corpus.jsonl", args), []
    for seed in range(args.seeds):
        for student in ("transformer", *(["default"] if args.default else [])):
            one = config if student == "transformer" else default_config(config)
            one["system"]["seed"] = seed
            path = folder / f"{student}-{seed}.cfg"
            one.to_disk(path)
            jobs.append(Job(student, seed, path, args.gpu_id if student == "transformer" else -1))
    return jobs


def train(job: Job, deadline: float) -> Dict[str, Any]:
    """Train by the command line until the deadline. RETURNS: Seconds, steps, whether stopped."""
    start = time.monotonic()
    command = [sys.executable, "-u", "-m", "spacy", "train", str(job.config)]
    command += ["--output", str(job.output), "--gpu-id", str(job.gpu)]
    log = job.config.with_suffix(".log")
    left = max(0.0, deadline - time.monotonic())
    code: Optional[int] = None
    with log.open("w") as out, contextlib.suppress(subprocess.TimeoutExpired):
        done = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, timeout=left)
        code = done.returncode
    text = log.read_text(errors="replace")
    if code or not (job.output / "model-best" / "meta.json").exists():
        raise RuntimeError(f"training ended with {code}: {text[-3000:]}")
    steps = [(int(epoch), int(step)) for epoch, step in STEP.findall(text)]
    return {
        "seconds": round(time.monotonic() - start, 1),
        "epoch": steps[-1][0] if steps else 0,
        "steps": steps[-1][1] if steps else 0,
        "stopped": code is None,
    }


def apply(model: Path, data: Path, gpu: int, limit: int = 0) -> Tuple[List[Any], float]:
    """Apply a student in a new process. RETURNS: Entities of each text, words per second."""
    command = [sys.executable, "-W", "ignore", __file__, "apply"]
    command += [str(model), str(data), str(gpu), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"applying {model.parent.name}: {done.stderr[-3000:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    return [[tuple(ent) for ent in some] for some in found["ents"]], found["words_per_s"]


def run_apply(model: str, data: str, gpu: str, limit: str) -> None:
    """Print what a student finds and its words per second after a warm-up."""
    if int(gpu) >= 0:
        spacy.require_gpu(int(gpu))
    else:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    nlp = spacy.load(model)
    texts = [row["text"] for row in read(Path(data))][: int(limit) or None]
    predicted(nlp, texts[:32])
    start = time.perf_counter()
    found = predicted(nlp, texts)
    took = time.perf_counter() - start
    words = sum(len(doc) for doc in nlp.tokenizer.pipe(texts))
    print(json.dumps({"ents": found, "words_per_s": round(words / took)}))


def measure(job: Job, trained: Dict[str, Any], args: argparse.Namespace) -> Dict[str, Any]:
    """Count hits on eval."""
    best = job.output / "model-best"
    gold = ents(make_docs(spacy.blank("en"), read(args.eval)))
    table = counts(gold, apply(best, args.eval, job.gpu)[0])
    scores = json.loads((best / "meta.json").read_text())["performance"]
    return {
        "student": job.student,
        "seed": job.seed,
        "f": round(float(f_of(table.sum(0))), 4),
        "dev_f": round(scores["ents_f"], 4),
        **trained,
        "mb": round(folder_megabytes(best), 1),
        "table": table,
    }


def speeds(job: Job, args: argparse.Namespace) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): Words per second of one student."""
    best, texts = job.output / "model-best", args.texts or args.eval
    found: Dict[str, Any] = {}
    for where, gpu, limit in (("gpu", args.gpu_id, 0), ("cpu", -1, args.cpu_texts)):
        if where == "gpu" and (gpu < 0 or job.student == "default"):
            continue
        try:
            found[f"{where}_words_per_s"] = apply(best, texts, gpu, limit)[1]
        except (OSError, RuntimeError, ValueError) as e:
            found[f"{where}_failed"] = str(e)
    return found


def run_all(jobs: List[Job], args: argparse.Namespace) -> List[Tuple[Job, Dict[str, Any]]]:
    """Train and measure; print each line as soon as it is there, also what failed."""
    deadline = time.monotonic() + args.minutes * 60
    found = []
    with ThreadPoolExecutor(args.jobs) as pool:
        waiting = {pool.submit(train, job, deadline): job for job in jobs}
        for done in as_completed(waiting):
            job = waiting[done]
            try:
                one = measure(job, done.result(), args)
                found.append((job, one))
                line = {key: value for key, value in one.items() if key != "table"}
            except Exception as e:  # what the other seeds give is wanted all the same
                line = {"failed": job.student, "seed": job.seed, "error": str(e)[-4000:]}
            print(json.dumps(line), flush=True)
    return sorted(found, key=lambda pair: (pair[0].student, pair[0].seed))


def summary(found: List[Tuple[Job, Dict[str, Any]]], args: argparse.Namespace) -> Dict[str, Any]:
    """The last line: mean F over seeds with intervals, times, sizes, speeds."""
    last: Dict[str, Any] = {}
    tables = {}
    for name in ("transformer", "default"):
        some = [(job, one) for job, one in found if job.student == name]
        if not some:
            continue
        tables[name] = np.array([one["table"] for _, one in some])
        last[name] = {
            # F of nothing found is 0: the difference is F itself.
            "f": np.round(difference(0 * tables[name], tables[name]), 4).tolist(),
            "seeds": [one["seed"] for _, one in some],
            "steps": [one["steps"] for _, one in some],
            "stopped": sum(one["stopped"] for _, one in some),
            "seconds": [one["seconds"] for _, one in some],
            "mb": max(one["mb"] for _, one in some),
            **speeds(some[0][0], args),
        }
    if len(tables) == 2:
        both = set(last["transformer"]["seeds"]) & set(last["default"]["seeds"])
        paired = {n: t[[s in both for s in last[n]["seeds"]]] for n, t in tables.items()}
        if both:
            delta = difference(paired["default"], paired["transformer"])
            last["f_delta"] = np.round(delta, 4).tolist()
    return last


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--eval", type=Path, required=True)
    parser.add_argument("--transformer", type=Path, required=True, help="folder of a BERT, RoBERTa")
    parser.add_argument("--texts", type=Path, help="for the speeds; eval if not given")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=3, help="trainings at once")
    parser.add_argument("--steps", type=int, default=MAX_STEPS)
    parser.add_argument("--minutes", type=float, default=600.0, help="for all trainings")
    parser.add_argument("--gpu-id", type=int, default=-1)
    parser.add_argument("--default", action="store_true", help="spaCy's default student too")
    parser.add_argument("--cpu-texts", type=int, default=100)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        evals = NearDuplicates(row["text"] for row in read(args.eval))
        rows = [row for row in read(args.train) if row["text"] not in evals]
        train_texts, dev_texts = write_data(Path(name), rows)
        found = run_all(make_jobs(Path(name), args), args)
        last = {"train": train_texts, "dev": dev_texts, "max_steps": args.steps}
        print(json.dumps({**last, **summary(found, args)}), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["apply"]:
        run_apply(*sys.argv[2:])
    else:
        main()
