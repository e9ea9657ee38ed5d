"""How long `spacy hitl status` takes over many decided texts.

Makes a dataset of its own, with made-up texts: one task, a proposal and a decision for each text,
two people. Prints seconds of the whole command in a process of its own, and last one JSON line.
Where other programs are running, `cpu_s` says more than `wall_s`.

    python benchmarks/status.py --texts 100000
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

from spacy_hitl.dataset.store import Dataset
from spacy_hitl.dataset.task_versions import remember
from spacy_hitl.io import batched, text_digest
from spacy_hitl.pipeline.loading import load_prompted, prompted_tasks
from spacy_hitl.records import Annotation, Decision, Proposal, Row, SpanAnnotation

CONFIG = """
[nlp]
lang = "en"
pipeline = ["product"]
[components]
[components.product]
factory = "hitl_llm"
[components.product.task]
@llm_tasks = "spacy-hitl.NER.v1"
labels = ["PRODUCT"]
[components.product.model]
@llm_models = "spacy-hitl.Replay.v1"
path = "responses.jsonl"
texts = "texts.jsonl"
[hitl]
"""


def made_up(count: int, source: str, digest: str) -> Iterator[Tuple[Row, Proposal, Decision]]:
    """YIELDS (Tuple[Row, Proposal, Decision]): A text, what was proposed and what was decided."""
    rng = random.Random(0)
    for i in range(count):
        text = f"Post {i}: my phone K{i % 97} has a fine battery and a poor camera, {rng.random()}"
        lane = {0: "gold", 1: "dev"}.get(i % 50, "train")
        start = text.index("K")
        found = Annotation(spans=(SpanAnnotation(start, start + 2, "PRODUCT"),))
        key = (text_digest(text), "product")
        yield (
            Row("texts.jsonl", str(i), text, lane),
            Proposal(*key, source, "ok", digest, found),
            Decision(
                *key,
                "accept",
                ("ann", "bob")[i % 2],
                "person",
                digest,
                annotation=found,
                saw_proposal=None if lane == "gold" else source,
                seconds=3 + 5 * rng.random(),
                time=1.7e9 + 7 * i,
                uid=f"u{i}",
                mode="blind" if lane == "gold" else "random",
                edits=0,
            ),
        )


def make_project(count: int) -> None:
    """Write config and dataset into the current folder."""
    Path("prompted.cfg").write_text(CONFIG)
    Path("responses.jsonl").write_text("")
    Path("texts.jsonl").write_text("")
    nlp, settings = load_prompted(Path("prompted.cfg"))
    tasks = {name: prompted.task for name, prompted in prompted_tasks(nlp).items()}
    source, _, digest = prompted_tasks(nlp)["product"].key
    with Dataset(settings.dataset) as dataset:
        remember(dataset, tasks, {})
        for batch in batched(made_up(count, source, digest), 5000):
            rows, proposals, decisions = (list(part) for part in zip(*batch, strict=True))
            dataset.add_rows(rows, settings.lanes)
            dataset.add_proposals(proposals)
            dataset.add_decisions(decisions)


def measure(runs: int) -> List[Dict[str, float]]:
    """RETURNS (List[Dict[str, float]]): Seconds of each run of the whole command."""
    command = [sys.executable, "-m", "spacy", "hitl", "status", "prompted.cfg", "--json"]
    found = []
    for _ in range(runs):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(command, capture_output=True, check=True)
        wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        facts: Any = json.loads(done.stdout)
        decided = facts["tasks"][0]["decisions"]["decided"]
        found.append({"wall_s": round(wall, 2), "cpu_s": round(cpu, 2), "decided": decided})
        print(found[-1])
    return found


def main() -> None:
    """Make the project, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        make_project(args.texts)
        runs = measure(args.runs)
        os.chdir("/")
    best = min(runs, key=lambda run: run["cpu_s"])
    load = round(os.getloadavg()[0], 1)
    print(json.dumps({"texts": args.texts, **best, "runs": args.runs, "load": load}))


if __name__ == "__main__":
    main()
