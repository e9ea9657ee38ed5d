"""What word vectors cost in speed, with and without `accelerate`, on one core.

    python benchmarks/embedding_speed.py TEXTS.jsonl [--texts 2500] [--rounds 3]

Students of the size of the recipe `fast`, untrained, with one BLAS thread: without vectors, with a
table of words (up to 5,000 words of the texts, 40 wide) and with floret vectors (5,000 rows, 40
wide). Vectors are drawn at random: speed does not depend on what they say. Words per CPU second of
`nlp.pipe`, the median of the rounds, both sides in turn in one process.
"""

import argparse
import json
import os
import statistics
import time
from pathlib import Path
from typing import Dict, List, Optional, Sequence

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
from bench_data import read
from spacy.language import Language
from spacy.util import load_model_from_config
from spacy.vectors import Vectors

from spacy_hitl import accelerate
from spacy_hitl.distill.recipes import student_config

ROWS, WIDTH = 5000, 40


def make_student(vectors: Optional[str], texts: Sequence[str]) -> Language:
    """RETURNS (Language): An untrained recognizer; `vectors` is None, "words" or "floret"."""
    config = student_config("ner", task="ner", recipe="fast")
    del config["nlp"]["after_pipeline_creation"]
    embed = config["components"]["ner"]["model"]["tok2vec"]["embed"]
    embed["include_static_vectors"] = vectors is not None
    nlp = load_model_from_config(config, auto_fill=True)
    drawn = np.random.RandomState(0).rand(ROWS, WIDTH).astype("f")
    if vectors == "floret":
        size = {"minn": 3, "maxn": 5, "hash_count": 2, "bow": "<", "eow": ">"}
        nlp.vocab.vectors = Vectors(data=drawn, mode="floret", strings=nlp.vocab.strings, **size)
    elif vectors == "words":
        words = dict.fromkeys(token.text for doc in nlp.tokenizer.pipe(texts) for token in doc)
        for word, row in zip(words, drawn, strict=False):
            nlp.vocab.set_vector(word, row)
    nlp.get_pipe("ner").add_label("A")
    nlp.initialize()
    return nlp


def measure(vectors: Optional[str], texts: Sequence[str], rounds: int) -> Dict[str, float]:
    """RETURNS (Dict[str, float]): Words per second, plain and accelerated, and their ratio."""
    systems = {name: make_student(vectors, texts) for name in ("plain", "accelerated")}
    accelerate(systems["accelerated"])
    words = sum(len(doc) for doc in systems["plain"].tokenizer.pipe(texts))
    times: Dict[str, List[float]] = {name: [] for name in systems}
    for round_ in range(rounds + 1):  # the first one warms up
        for name, nlp in systems.items():
            start = time.process_time()
            for _doc in nlp.pipe(texts):
                pass
            if round_:
                times[name].append(time.process_time() - start)
    found = {name: round(words / statistics.median(t)) for name, t in times.items()}
    return {**found, "ratio": round(found["accelerated"] / found["plain"], 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--texts", type=int, default=2500)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    texts = [row["text"] for row in read(args.file)][: args.texts]
    kinds = {"none": None, "words": "words", "floret": "floret"}
    print(json.dumps({name: measure(v, texts, args.rounds) for name, v in kinds.items()}))


if __name__ == "__main__":
    main()
