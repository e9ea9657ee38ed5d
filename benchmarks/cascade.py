"""How good student and LLM are together, by the share of texts that the LLM is asked about.

    python benchmarks/cascade.py --train A.jsonl --eval B.jsonl [--held 0.3] [--seeds 3]
        [--student recipe] [--steps 1500]

Rows have a `text`, people's entities in `gold.ents` and a model's in `llm.ents`, with the raw
answer in `llm.raw`. A student (spaCy's default, some hundred steps; or with `--student recipe` the
one of `spacy_hitl.distill.recipes.ner_training`, which takes minutes) learns from the model's
labels of one part of A; on the held-out part of A, with people's labels, the cascade is calibrated.
Then `hitl_cascade` runs over B with the recorded answers as its LLM: once with nobody asked, once
with all, and once with the threshold of a budget of 10%. Texts of A that are nearly texts of B are
left out. All runs on one core. `cascade_figure.py` draws the curve.

The last line is JSON: `shares` of texts asked, `f` where the least sure texts are asked and
`f_random` where any are (each a mean over seeds, with the 95% interval of a bootstrap over texts
and seeds), `student_f`, `llm_f`; `budget`: what became of 10% on B; `auroc`: how often the
confidence of a text that is all right is above that of one that is not; `wps`: words per second
without and with the cascade (nobody asked).
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, List, Sequence

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
import spacy
from bench_data import fixed_split, read, write_docs
from distill import DEV_SHARE, counts, f_of, llm_of, people_of, train, write_configs

from spacy_hitl.io import text_digest
from spacy_hitl.pipeline.cascade import LLM, get_answers
from spacy_hitl.scoring.calibration import Scored, auroc, calibration_error
from spacy_hitl.scoring.cascade import calibrated, fit_points, threshold_for
from spacy_hitl.tasks.near_duplicates import NearDuplicates

Row = Dict[str, Any]
SHARES = [0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
BUDGET = 0.1
ROUNDS = 2000
CASCADE = "ner_cascade"


def add_cascade(nlp: Any, recording: Path, labels: Sequence[str], **settings: Any) -> Any:
    """RETURNS (Any): The pipeline with a cascade behind its `ner`, in the place of any other."""
    if CASCADE in nlp.pipe_names:
        nlp.remove_pipe(CASCADE)
    config = {
        "student": "ner",
        "task": {"@llm_tasks": "spacy-hitl.NER.v1", "labels": list(labels)},
        "model": {"@llm_models": "spacy-hitl.Replay.v1", "path": str(recording)},
        **settings,
    }
    nlp.add_pipe("hitl_cascade", name=CASCADE, after="ner", config=config)
    return nlp


def annotate(nlp: Any, rows: Sequence[Row]) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): Entities, confidence and who answered, of each text."""
    docs = list(nlp.pipe([row["text"] for row in rows], batch_size=128))
    answers = [get_answers(doc)[CASCADE] for doc in docs]
    return {
        "ents": [[(e.start_char, e.end_char, e.label_) for e in doc.ents] for doc in docs],
        "sure": np.array([a.confidence for a in answers]),
        "asked": np.array([a.answered == LLM for a in answers]),
    }


def write_recording(path: Path, rows: Sequence[Row]) -> None:
    """Write the model's answers as a recording."""
    lines = (
        {"text_digest": text_digest(r["text"]), "task": "ner", "response": r["llm"]["raw"]}
        for r in rows
    )
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf8")


def words_per_s(nlp: Any, rows: Sequence[Row]) -> List[int]:
    """RETURNS (List[int]): Without and with the cascade, by turns; medians of five."""
    texts = [row["text"] for row in rows]
    words = sum(len(nlp.make_doc(text)) for text in texts)
    runs: List[List[float]] = [[], []]
    for _ in range(6):
        for on, seconds in enumerate(runs):
            with nlp.select_pipes(disable=[] if on else [CASCADE]):
                start = time.process_time()
                for _doc in nlp.pipe(texts):
                    pass
                seconds.append(time.process_time() - start)
    return [round(words / float(np.median(seconds[1:]))) for seconds in runs]


def run_seed(
    folder: Path, held: List[Row], evals: List[Row], labels: Sequence[str], args: Any, seed: int
) -> Any:
    """Train, calibrate and run. RETURNS (Any): Counts and confidences on the texts of eval."""
    path = train(folder, args.student, folder / "data", seed, args.steps)
    recording = folder / "recording.jsonl"
    write_recording(recording, [*held, *evals])
    nlp = add_cascade(spacy.load(path), recording, labels, threshold=0.0)
    here = annotate(nlp, held)
    wanted = [people_of(row) or [] for row in held]
    table = counts(wanted, here["ents"])
    right = ((table[:, 0] == table[:, 1]) & (table[:, 0] == table[:, 2])).astype("float64")
    points = fit_points(here["sure"], right)
    threshold = threshold_for(calibrated(here["sure"], points), BUDGET)
    gold = [people_of(row) or [] for row in evals]
    settings = {"calibration": [list(p) for p in points]}
    alone = annotate(add_cascade(nlp, recording, labels, threshold=0.0, **settings), evals)
    every = annotate(add_cascade(nlp, recording, labels, threshold=1.01, **settings), evals)
    some = annotate(add_cascade(nlp, recording, labels, threshold=threshold, **settings), evals)
    disagreement = nlp.get_pipe(CASCADE).drift.asked
    nlp = add_cascade(nlp, recording, labels, threshold=0.0, **settings)
    student = counts(gold, alone["ents"])
    right = ((student[:, 0] == student[:, 1]) & (student[:, 0] == student[:, 2])).astype("float64")
    judged = Scored(alone["sure"], right, np.arange(len(right)))
    area, error = auroc(judged), calibration_error(judged)
    return {
        "student": student,
        "llm": counts(gold, every["ents"]),
        "mixed": counts(gold, some["ents"]),
        "sure": alone["sure"],
        "asked": float(some["asked"].mean()),
        "disagreed": disagreement.share,
        "auroc": None if area is None else area.value,
        "ece": None if error is None else error.value,
        "wps": words_per_s(nlp, evals),
    }


def mix(found: Any, share: float, *, random: bool) -> np.ndarray:
    """RETURNS (ndarray): Shape (texts, 3): counts with a share of the texts asked about: of the
    least sure ones, or what is to be expected of any.
    """
    student, llm = found["student"], found["llm"]
    if random:
        return (1 - share) * student + share * llm
    asked = np.argsort(found["sure"], kind="stable")[: round(share * len(student))]
    mixed = student.copy()
    mixed[asked] = llm[asked]
    return mixed


def figure(tables: Sequence[np.ndarray]) -> List[float]:
    """RETURNS (List[float]): Mean F over seeds, low, high: resampled texts and seeds."""
    array, random = np.array(tables), np.random.default_rng(0)
    seeds, texts = array.shape[:2]
    rounds = []
    for _ in range(ROUNDS):
        weights = random.multinomial(texts, [1 / texts] * texts)
        drawn = array[random.integers(0, seeds, seeds)]
        rounds.append(float(np.mean(f_of(np.einsum("stc,t->sc", drawn, weights)))))
    low, high = np.percentile(rounds, [2.5, 97.5])
    return [round(float(v), 4) for v in (np.mean(f_of(array.sum(axis=1))), low, high)]


def gain(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> List[float]:
    """RETURNS (List[float]): Mean F of one minus the other, low, high: paired."""
    one, other, random = np.array(first), np.array(second), np.random.default_rng(0)
    seeds, texts = one.shape[:2]

    def value(weights: np.ndarray, drawn: np.ndarray) -> float:
        sums = (np.einsum("stc,t->sc", some[drawn], weights) for some in (one, other))
        a, b = (float(np.mean(f_of(s))) for s in sums)
        return a - b

    rounds = [
        value(random.multinomial(texts, [1 / texts] * texts), random.integers(0, seeds, seeds))
        for _ in range(ROUNDS)
    ]
    low, high = np.percentile(rounds, [2.5, 97.5])
    return [round(v, 4) for v in (value(np.ones(texts), np.arange(seeds)), float(low), float(high))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--eval", type=Path, required=True)
    parser.add_argument("--held", type=float, default=0.3)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--student", choices=("default", "recipe"), default="default")
    parser.add_argument("--steps", type=int, default=1500, help="of the default student")
    args = parser.parse_args()
    evals = read(args.eval)
    near = NearDuplicates(row["text"] for row in evals)
    rows = [row for row in read(args.train) if row["text"] not in near]
    fit, held = fixed_split(rows, share=args.held, salt="cascade")
    found = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_configs(folder, None)
        (folder / "data").mkdir()
        labelled = [{"text": row["text"], "ents": llm_of(row)} for row in fit]
        train_rows, dev_rows = fixed_split(labelled, share=DEV_SHARE, salt="dev")
        write_docs(folder / "data" / "train.spacy", train_rows)
        write_docs(folder / "data" / "dev.spacy", dev_rows)
        print(json.dumps({"fit": len(fit), "held": len(held), "eval": len(evals)}), flush=True)
        labels = sorted({e[2] for row in labelled for e in row["ents"] or []})
        for seed in range(args.seeds):
            found.append(run_seed(folder, held, evals, labels, args, seed))
            print(json.dumps({"seed": seed, "auroc": found[-1]["auroc"]}), flush=True)
    shares = {s: [mix(one, s, random=False) for one in found] for s in SHARES}
    random = {s: [mix(one, s, random=True) for one in found] for s in SHARES}
    result = {
        "shares": SHARES,
        "f": [figure(shares[s]) for s in SHARES],
        "f_random": [figure(random[s]) for s in SHARES],
        "gain": [gain(shares[s], random[s]) for s in SHARES],
        "student_f": figure([one["student"] for one in found]),
        "llm_f": figure([one["llm"] for one in found]),
        "budget": {
            "asked": [round(one["asked"], 4) for one in found],
            "f": figure([one["mixed"] for one in found]),
            "disagreed": [round(one["disagreed"], 4) for one in found],
        },
        "auroc": [round(one["auroc"], 4) for one in found],
        "ece": [round(one["ece"], 4) for one in found],
        "wps": [one["wps"] for one in found],
        "student": args.student,
        "texts": len(evals),
        "seeds": args.seeds,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
