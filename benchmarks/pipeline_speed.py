"""How fast a whole pipeline is, with and without `accelerate`, on one core.

    make demo && python benchmarks/pipeline_speed.py pipelines/phones assets/posts.jsonl

Both are measured in turn in one process with one BLAS thread, as words per CPU second of `nlp.pipe`
over all texts. Texts on which the two say something else (entities, links, the category that wins,
span groups) are counted. Scores may differ in the sixth digit.
"""

import argparse
import json
import os
import statistics
import time
from pathlib import Path
from typing import Any, Dict, List, Sequence

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import spacy
from bench_data import read
from spacy.language import Language
from spacy.tokens import Doc

from spacy_hitl import accelerate
from spacy_hitl.io import folder_megabytes


def said(doc: Doc, thresholds: Sequence[float]) -> Any:
    """RETURNS (Any): What a pipeline says about a text, without scores."""
    ents = [(e.start, e.end, e.label_, e.kb_id_) for e in doc.ents]
    cats = [[k for k, v in doc.cats.items() if v >= t] for t in thresholds]
    groups = {k: sorted((s.start, s.end, s.label_) for s in g) for k, g in doc.spans.items()}
    return ents, cats, groups


def thresholds_of(nlp: Language) -> List[float]:
    """RETURNS (List[float]): 0.5, and the thresholds that components bring."""
    cfgs = [getattr(pipe, "cfg", None) or {} for _, pipe in nlp.pipeline]
    return sorted({0.5, *(float(c["threshold"]) for c in cfgs if c.get("threshold"))})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pipeline", type=Path)
    parser.add_argument("texts", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    texts = [row["text"] for row in read(args.texts)]
    systems = {name: spacy.load(args.pipeline) for name in ("plain", "accelerated")}
    accelerate(systems["accelerated"])
    points = thresholds_of(systems["plain"])
    outputs = {n: [said(d, points) for d in nlp.pipe(texts)] for n, nlp in systems.items()}
    words = sum(len(doc) for doc in systems["plain"].tokenizer.pipe(texts))
    times: Dict[str, List[float]] = {name: [] for name in systems}
    for _ in range(args.rounds):
        for name, nlp in systems.items():
            start = time.process_time()
            for _doc in nlp.pipe(texts):
                pass
            times[name].append(time.process_time() - start)
    ratios = [a / b for a, b in zip(times["plain"], times["accelerated"], strict=True)]
    alike = zip(outputs["plain"], outputs["accelerated"], strict=True)
    found = {
        "pipeline": list(systems["plain"].pipe_names),
        "mb": round(folder_megabytes(args.pipeline), 2),
        "words": words,
        "plain_words_per_s": round(words / statistics.median(times["plain"])),
        "words_per_s": round(words / statistics.median(times["accelerated"])),
        "ratio": round(statistics.median(ratios), 2),
        "ratio_range": [round(min(ratios), 2), round(max(ratios), 2)],
        "texts": len(texts),
        "texts_differing": sum(a != b for a, b in alike),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
