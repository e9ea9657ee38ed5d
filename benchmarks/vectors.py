"""Does it help a student to read the project's unlabelled texts first?

    python benchmarks/vectors.py --train A.jsonl --eval B.jsonl --unlabelled C.jsonl
        [--sizes 200,600] [--seeds 3]

Where train and eval are one file, it is split once and for all. Students are an `ner` with the
encoder of the recipe `fast`, trained on the first N texts:

plain        nothing read
floret       word vectors learned by floret from the unlabelled texts and the N texts, as a feature;
             the tables of the other features are smaller, so that all have the same size
characters   the encoder first learned by `spacy pretrain`, to guess the letters of words
vectors      the same, to guess the floret vectors of words, which are then thrown away

Words of eval texts are never read. F is on eval; a difference to `plain` has a paired interval: a
bootstrap over texts and seeds. Speeds are words per CPU second, accelerated, in one process.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, List, Sequence

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
import spacy
from base import difference, f_of, seconds
from bench_data import fixed_split, make_docs, read, write_docs
from confection import Config
from spacy.language import DEFAULT_CONFIG_PRETRAIN_PATH, Language
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.training.pretrain import pretrain
from spacy.util import load_config

from spacy_hitl import accelerate
from spacy_hitl.distill.embeddings.vectors import make_vectors
from spacy_hitl.distill.recipes import COMPONENTS, SIZES
from spacy_hitl.distill.recipes.base import listener
from spacy_hitl.distill.recipes.tok2vec import tok2vec
from spacy_hitl.io import folder_megabytes

VARIANTS = ("plain", "floret", "characters", "vectors")
SIZE = SIZES["fast"]
TABLE = 5000  # rows of the table of vectors
ROUNDS = 3


def pipeline(variant: str) -> Config:
    """An encoder and an `ner` that listens to it."""
    encoder = tok2vec(SIZE)
    if variant == "floret":
        encoder["embed"]["include_static_vectors"] = True
        encoder["embed"]["rows"] = [1500, 500, 1500, 1500]
    ner = COMPONENTS["ner"](listener(SIZE.width), SIZE)
    return Config(
        {
            "nlp": {"lang": "en", "pipeline": ["tok2vec", "ner"], "batch_size": 256},
            "components": {"tok2vec": {"factory": "tok2vec", "model": encoder}, "ner": ner},
        }
    )


def read_first(folder: Path, files: List[Path], epochs: int) -> Dict[str, float]:
    """Learn vectors and two encoders. RETURNS (Dict[str, float]): CPU seconds of each."""
    took = {}
    start = time.process_time()
    make_vectors(files, folder / "floret", width=SIZE.width, rows=TABLE)
    took["floret"] = time.process_time() - start
    objectives: Dict[str, Dict[str, Any]] = {
        "characters": {
            "@architectures": "spacy.PretrainCharacters.v1",
            "maxout_pieces": 3,
            "hidden_size": 128,
            "n_characters": 4,
        },
        "vectors": {
            "@architectures": "spacy.PretrainVectors.v1",
            "maxout_pieces": 3,
            "hidden_size": 128,
            "loss": "cosine",
        },
    }
    for variant, objective in objectives.items():
        config = pipeline(variant)
        config["nlp"]["pipeline"] = ["tok2vec"]
        config["nlp"]["after_pipeline_creation"] = {"@callbacks": "spacy-hitl.accelerate.v1"}
        del config["components"]["ner"]
        config = load_config(DEFAULT_CONFIG_PRETRAIN_PATH).merge(config)
        config["pretraining"]["objective"] = objective
        config["pretraining"]["max_epochs"] = epochs
        config["corpora"] = {
            "pretrain": {"@readers": "spacy-hitl.RawTexts.v1", "paths": [str(p) for p in files]}
        }
        if variant == "vectors":
            config["initialize"] = {"vectors": str(folder / "floret")}
        start = time.process_time()
        (folder / variant).mkdir()
        filled = spacy.blank("en").config.merge(config)
        pretrain(filled.interpolate(), folder / variant, silent=True)
        took[variant] = time.process_time() - start
    return {variant: round(value, 1) for variant, value in took.items()}


def train_student(variant: str, folder: Path, seed: int, steps: int) -> Language:
    """RETURNS (Language): As its best checkpoint on dev is."""
    config = pipeline(variant)
    initialize: Dict[str, Any] = {}
    if variant == "floret":
        initialize["vectors"] = str(folder / "floret")
    if variant in ("characters", "vectors"):
        initialize["init_tok2vec"] = str(folder / variant / "model-last.bin")
        config = load_config(DEFAULT_CONFIG_PRETRAIN_PATH).merge(config)
        config["corpora"] = {}
    corpora = {
        part: {"@readers": "spacy.Corpus.v1", "path": str(folder / f"{part}.spacy")}
        for part in ("train", "dev")
    }
    config = config.merge(
        {
            "initialize": initialize,
            "corpora": corpora,
            "training": {
                "seed": seed,
                "gpu_allocator": None,
                "dropout": 0.2,
                "max_steps": steps,
                "patience": 0,
                "eval_frequency": max(1, steps // 5),
                "optimizer": {"@optimizers": "Adam.v1", "learn_rate": 0.001},
                "batcher": {"@batchers": "spacy.batch_by_sequence.v1", "size": 16},
            },
        }
    )
    config["nlp"]["after_pipeline_creation"] = {"@callbacks": "spacy-hitl.accelerate.v1"}
    nlp = init_nlp(config)
    path = folder / f"{variant}-{seed}"
    path.mkdir(exist_ok=True)
    with Path(os.devnull).open("w") as quiet:
        train(nlp, path, stdout=quiet)
    return spacy.load(path / "model-best")


def counts(nlp: Language, dev: Sequence[Any]) -> np.ndarray:
    """RETURNS (ndarray): Shape (texts, 3): hits, errors, misses."""
    table = []
    for doc, gold in zip(nlp.pipe([d.text for d in dev]), dev, strict=True):
        found, wanted = (
            {(e.start_char, e.end_char, e.label_) for e in d.ents} for d in (doc, gold)
        )
        table.append([len(found & wanted), len(found - wanted), len(wanted - found)])
    return np.array(table, dtype="float64")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--eval", type=Path, required=True)
    parser.add_argument("--unlabelled", type=Path, required=True)
    parser.add_argument("--sizes", default="200,600")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--epochs", type=int, default=5, help="of spacy pretrain")
    args = parser.parse_args()
    rows, eval_rows = read(args.train), read(args.eval)
    if args.train == args.eval:
        rows, eval_rows = fixed_split(rows)
    held = {row["text"] for row in eval_rows}
    dev = make_docs(spacy.blank("en"), eval_rows)
    results = []
    with tempfile.TemporaryDirectory() as name:
        for size in map(int, args.sizes.split(",")):
            folder = Path(name) / str(size)
            folder.mkdir()
            labelled = rows[:size]
            write_docs(folder / "train.spacy", labelled[: -size // 5])
            write_docs(folder / "dev.spacy", labelled[-size // 5 :])
            texts = [r["text"] for r in (*labelled, *read(args.unlabelled))]
            lines = (json.dumps({"text": t}) for t in texts if t not in held)
            (folder / "texts.jsonl").write_text("\n".join(lines))
            took = read_first(folder, [folder / "texts.jsonl"], args.epochs)
            tables: Dict[str, List[np.ndarray]] = {v: [] for v in VARIANTS}
            speed, mb = {}, {}
            for seed in range(args.seeds):
                for variant in VARIANTS:
                    nlp = train_student(variant, folder, seed, args.steps)
                    tables[variant].append(counts(nlp, dev))
                    mb[variant] = round(
                        folder_megabytes(folder / f"{variant}-{seed}/model-best"), 2
                    )
                    accelerate(nlp)
                    found = [seconds(nlp, texts[:1000]) for _ in range(ROUNDS + 1)][1:]
                    words = sum(len(d) for d in nlp.tokenizer.pipe(texts[:1000]))
                    speed[variant] = round(words / statistics.median(found))
            f = {v: round(float(np.mean(f_of(np.array(t).sum(1)))), 4) for v, t in tables.items()}
            delta = {
                v: difference(np.array(tables["plain"]), np.array(tables[v])) for v in VARIANTS[1:]
            }
            one = {"size": size, "f": f, "f_delta": delta, "mb": mb, "words_per_s": speed}
            results.append({**one, "reading_s": took})
            print(json.dumps(results[-1]), flush=True)
    print(json.dumps({"eval": len(dev), "seeds": args.seeds, "results": results}))


if __name__ == "__main__":
    main()
