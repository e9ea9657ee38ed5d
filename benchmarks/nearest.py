"""How long does it take to choose each text's nearest examples from a pool?

The pool is the first posts of the folder; the texts are its other posts and mixtures of them, word
by word, so that no two are the same.

usage: python benchmarks/nearest.py [ASSETS] [--pool 2000] [--texts 100000] [--nearest 4]
The last line is JSON.
"""

import argparse
import json
import random
import resource
import time
from pathlib import Path

from spacy_hitl.io import read_jsonl
from spacy_hitl.tasks.similarity import TextIndex


def mixtures(posts, count):
    """YIELDS: Texts as long as a post, each of the words of two posts."""
    rng = random.Random(0)
    for number in range(count):
        one, other = (rng.choice(posts).split() for _ in range(2))
        yield " ".join((*one[: len(one) // 2], *other[len(other) // 2 :], str(number)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("assets", nargs="?", type=Path, default=Path("assets"))
    parser.add_argument("--pool", type=int, default=2000)
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--nearest", type=int, default=4)
    options = parser.parse_args()
    posts = [r["text"] for _, r in read_jsonl(options.assets / "posts.jsonl", what="posts")]
    begin = time.perf_counter()
    index = TextIndex(posts[: options.pool])
    built = time.perf_counter() - begin
    texts = list(mixtures(posts, options.texts))
    begin = time.perf_counter()
    found = sum(len(index.nearest(text, options.nearest)) for text in texts)
    spent = time.perf_counter() - begin
    figures = {
        "pool": min(options.pool, len(posts)),
        "texts": len(texts),
        "characters_per_text": round(sum(map(len, texts)) / len(texts)),
        "examples": found,
        "build_seconds": round(built, 2),
        "seconds": round(spent, 1),
        "milliseconds_per_text": round(1000 * spent / len(texts), 3),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
