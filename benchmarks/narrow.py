"""What a small student reaches in a narrow domain, and where that ends.

    python benchmarks/narrow.py [--texts 1000] [--folds 3] [--other assets/posts.jsonl] [--empty 0]

Texts are trade headlines made by the grammar of narrow_texts.py: six labels in one desk's formats,
with invented names and numbers. There is no language model in it: the labels are the grammar's, as
if all proposals had been reviewed and no reviewer ever erred.

Templates are dealt into folds. For each fold a student learns from the templates of the others: its
config is what `spacy hitl init --corpus` writes (recipe `fast`, nothing tuned), trained by the
function behind `spacy hitl distill`. It is then measured on texts it has not seen:

seen             templates and names of training, put together anew
new_names        templates of training; ports, vessels and parties that share no part of their names
                 with those of training
new_commodities  the same, and commodities that training does not have
new_templates    templates of the fold that was left out, new names
lower            new_names in small letters
prose            the same facts in twelve sentences as a market report would have them, new names

The last line is JSON. `f`: micro F over exact offsets and labels, all folds together, with its 95%
interval; templates are the units (drawn anew with all their texts, or texts, whichever is wider).
`by_label`: F on new_templates. `found_per_1000_words`: entities found in the texts of `--other`,
which have none; with `--empty N` the student learns from N of them too, and is measured on the
others. `words_per_s`: per CPU second in `nlp.pipe` over the texts of new_names, one core,
one BLAS thread, with `accelerate` and without; `other_words_per_s` over those of `--other`; medians
over rounds and folds. `curve`: F on new_names and new_templates by the number of texts learned
from.
"""

import argparse
import contextlib
import hashlib
import io
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
import spacy
from bench_data import read
from narrow_texts import LABELS, NEW_COMMODITIES, PROSE, TEMPLATES, Grammar, Headline
from spacy.language import Language

from spacy_hitl.dataset.corpus import write_corpus
from spacy_hitl.distill.recipes.new_config import write_config
from spacy_hitl.distill.recipes.plan import make_plan
from spacy_hitl.distill.run import distill
from spacy_hitl.io import folder_megabytes
from spacy_hitl.records import Annotation, SpanAnnotation, TaskHeader, TaskRow
from spacy_hitl.scoring.intervals import as_array, interval
from spacy_hitl.tasks.reference import compare, get_annotation

HEADER = TaskHeader("heard", "ner", LABELS, "")
DEV_SHARE = 0.2
EVAL_TEXTS = 600  # per level and fold
ROUNDS = 3
DRAWS = 2000
Counts = Dict[str, List[Tuple[str, Any]]]  # per level: template, and counts by label


def annotation(headline: Headline) -> Annotation:
    """RETURNS (Annotation): What the grammar says."""
    return Annotation(spans=tuple(SpanAnnotation(s, e, label) for s, e, label in headline.ents))


def corpus(path: Path, headlines: Sequence[Headline]) -> None:
    """Write texts as `spacy hitl export` writes decided ones."""
    rows = []
    for number, headline in enumerate(headlines):
        digest = hashlib.sha256(headline.text.encode("utf8")).hexdigest()
        lane = "dev" if number % round(1 / DEV_SHARE) == 0 else "train"
        rows.append(TaskRow(headline.text, digest, lane, decision=annotation(headline)))
    write_corpus(path, HEADER, rows)


def make_student(folder: Path, headlines: Sequence[Headline]) -> Tuple[Path, float]:
    """RETURNS (Tuple[Path, float]): The trained student, and CPU seconds of its training."""
    folder.mkdir()
    corpus(folder / "heard.jsonl", headlines)
    plan = make_plan(corpus=folder / "heard.jsonl")
    config = write_config(plan, folder / "heard.cfg")
    start = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        path = distill(config, folder / "student", fresh=True)
    return path, time.process_time() - start


def deal(templates: Sequence[str], folds: int, fold: int) -> Tuple[List[str], List[str]]:
    """RETURNS (Tuple[List[str], List[str]]): Templates to learn from, and those of this fold. In
    turn, so that each fold has some of every kind of message.
    """
    parts: Tuple[List[str], List[str]] = ([], [])
    for number, template in enumerate(templates):
        parts[number % folds == fold].append(template)
    return parts


def levels(known: Sequence[str], new: Sequence[str], fold: int) -> Dict[str, List[Headline]]:
    """RETURNS (Dict[str, List[Headline]]): Texts to measure on."""
    seed = 1000 + fold
    found = {
        "seen": Grammar(0, seed=seed).headlines(known, EVAL_TEXTS),
        "new_names": Grammar(1, seed=seed).headlines(known, EVAL_TEXTS),
        "new_commodities": Grammar(1, seed=seed, commodities=NEW_COMMODITIES).headlines(
            known, EVAL_TEXTS
        ),
        "new_templates": Grammar(1, seed=seed + 100).headlines(new, EVAL_TEXTS),
        "prose": Grammar(1, seed=seed).headlines(PROSE, EVAL_TEXTS),
    }
    found["lower"] = [headline.lower() for headline in found["new_names"]]
    return found


def score(nlp: Language, headlines: Sequence[Headline]) -> List[Tuple[str, Any]]:
    """RETURNS (List[Tuple[str, Any]]): Of each text, its template and counts by label."""
    docs = nlp.pipe(headline.text for headline in headlines)
    return [
        (h.template, compare(annotation(h), get_annotation(doc, HEADER), HEADER))
        for h, doc in zip(headlines, docs, strict=True)
    ]


def figure(found: Sequence[Tuple[str, Any]], labels: Sequence[str] = LABELS) -> List[float]:
    """RETURNS (List[float]): F, and its 95% interval with templates as the units."""
    groups = sorted({template for template, _ in found})
    place = [groups.index(template) for template, _ in found]
    draws = np.random.default_rng(0).multinomial(
        len(groups), [1 / len(groups)] * len(groups), size=DRAWS
    )
    weights = draws[:, place].astype("float64")
    value = interval(as_array([counts for _, counts in found], labels), weights, average="micro")
    return [round(v, 4) for v in (value.value, value.low, value.high)]


def words_per_second(systems: Dict[str, Language], texts: Sequence[str]) -> Dict[str, List[float]]:
    """RETURNS (Dict[str, List[float]]): Of each system, by rounds; the systems in turn."""
    words = sum(len(doc) for doc in spacy.blank("en").pipe(texts))
    rates: Dict[str, List[float]] = {name: [] for name in systems}
    for lap in range(ROUNDS + 1):
        for name, nlp in systems.items():
            start = time.process_time()
            for _ in nlp.pipe(texts):
                pass
            if lap:  # the first one warms up
                rates[name].append(words / (time.process_time() - start))
    return rates


def load(path: Path) -> Dict[str, Language]:
    """RETURNS (Dict[str, Language]): The student as it is saved, and as spaCy alone runs it."""
    plain = {"nlp.after_pipeline_creation": None}
    return {"accelerated": spacy.load(path), "plain": spacy.load(path, config=plain)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=int, default=1000, help="to learn from, dev included")
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--curve", type=int, nargs="*", default=[100, 250, 500])
    parser.add_argument("--other", type=Path, default=Path("assets/posts.jsonl"))
    parser.add_argument("--empty", type=int, default=0, help="texts of --other to learn from")
    args = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    other = [row["text"] for row in read(args.other)]
    empty = [Headline(text, [], "other") for text in other[: args.empty]]
    other = other[args.empty :]
    other_words = sum(len(doc) for doc in spacy.blank("en").pipe(other))
    counts: Dict[str, List[Tuple[str, Any]]] = {}
    curve: Dict[int, Dict[str, List[Tuple[str, Any]]]] = {}
    rates: Dict[str, List[float]] = {}
    mb, took, false = [], [], []
    begin = time.process_time()
    with tempfile.TemporaryDirectory() as name:
        for fold in range(args.folds):
            known, new = deal(TEMPLATES, args.folds, fold)
            texts = Grammar(0, seed=fold).headlines(known, args.texts)
            path, spent = make_student(Path(name) / str(fold), [*texts, *empty])
            took.append(spent)
            mb.append(folder_megabytes(path))
            systems = load(path)
            student = systems["accelerated"]
            evals = levels(known, new, fold)
            learned = {headline.text for headline in texts}
            for level, headlines in evals.items():
                fresh = [headline for headline in headlines if headline.text not in learned]
                counts.setdefault(level, []).extend(score(student, fresh))
            false.append(sum(len(doc.ents) for doc in student.pipe(other)))
            own = words_per_second(systems, [h.text for h in evals["new_names"]] * 5)
            rest = words_per_second(systems, other)
            for system in systems:
                rates.setdefault(system, []).extend(own[system])
                rates.setdefault(f"other {system}", []).extend(rest[system])
            shown = {level: figure(found) for level, found in counts.items()}
            print(json.dumps({"fold": fold, "train_s": round(spent), "f": shown}), flush=True)
            for size in args.curve:
                path, _ = make_student(Path(name) / f"{fold}-{size}", [*texts[:size], *empty])
                nlp = spacy.load(path)
                for level in ("new_names", "new_templates"):
                    found = curve.setdefault(size, {}).setdefault(level, [])
                    found.extend(score(nlp, evals[level]))
    result = {
        "f": {level: figure(found) for level, found in counts.items()},
        "by_label": {label: figure(counts["new_templates"], [label]) for label in LABELS},
        "mb": round(max(mb), 2),
        "words_per_s": {n: round(statistics.median(rates[n])) for n in ("accelerated", "plain")},
        "other_words_per_s": {
            n: round(statistics.median(rates[f"other {n}"])) for n in ("accelerated", "plain")
        },
        "found_per_1000_words": round(1000 * statistics.mean(false) / other_words, 1),
        "curve": {
            size: {level: figure(found) for level, found in by_level.items()}
            for size, by_level in curve.items()
        },
        "texts": args.texts,
        "empty": args.empty,
        "folds": args.folds,
        "eval_texts": {level: len(found) for level, found in counts.items()},
        "train_s": round(statistics.median(took)),
        "cpu_s": round(time.process_time() - begin),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
