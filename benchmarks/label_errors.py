"""Do held-out students find label errors? Against random order and against the least confident.

    python benchmarks/label_errors.py DATA.jsonl [--shares 0.05 0.1] [--steps 300] [--rounds 1]

DATA has people's `gold` entities and a model's `llm` ones (../shared/bench/fashion/train.jsonl).
Two ways to make wrong labels: `planted`, a share of people's entities is deleted, moved by a token
at one end, or put on a token drawn at random beside the right one (a third each, by a seed);
`model`, the language model's entities are the given ones and people's the truth. A suspect is a hit
if what it doubts is really wrong: the given entity is not among the true ones, or a true one stands
where it says that one is missing. Recall is over all such errors. For comparison: all places (each
given entity, and each that a student proposes) at random (the expected share), and by least
self-confidence alone, without alternatives and thresholds; and `students_alone`, the suspects as
they would be without what the other texts say of a form.

The last line is JSON.
"""

import argparse
import json
import os
import random
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, List, Sequence, Set, Tuple

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import spacy
from bench_data import read

from spacy_hitl.dataset.corpus import write_corpus
from spacy_hitl.distill.label_errors import run
from spacy_hitl.distill.label_errors.run import Effort, find_label_errors
from spacy_hitl.distill.recipes import student_config
from spacy_hitl.io import text_digest
from spacy_hitl.records import Annotation, SpanAnnotation, TaskHeader, TaskRow
from spacy_hitl.scoring.form_evidence import with_forms
from spacy_hitl.scoring.items import Item
from spacy_hitl.scoring.label_errors import JudgedText, Place, find_doubts, places_of

Ents = List[Tuple[int, int, str]]
DEPTHS = (50, 100, 200)
TASK = "task"


def plant(texts: Sequence[str], truth: Sequence[Ents], share: float, seed: int) -> List[Ents]:
    """RETURNS (List[Ents]): The entities with errors in them; none overlap."""
    nlp, rng, found = spacy.blank("en"), random.Random(seed), []
    for text, ents in zip(texts, truth, strict=True):
        doc, given = nlp.make_doc(text), []
        words = [t for t in doc if not t.is_space and not t.is_punct] or list(doc)
        for start, end, label in ents:
            kind = rng.choice(("delete", "move", "add")) if rng.random() < share else "keep"
            if kind == "move":
                span = doc.char_span(start, end, alignment_mode="expand")
                ways = [(-1, 0), (0, 1), (1, 0), (0, -1)]
                places = [(span.start + a, span.end + b) for a, b in ways]
                some = [doc[a:b] for a, b in places if 0 <= a < b <= len(doc)]
                moved = rng.choice(some or [span])
                given.append((moved.start_char, moved.end_char, label))
            elif kind != "delete":
                given.append((start, end, label))
            if kind == "add":
                word = rng.choice(words)
                given.append((word.idx, word.idx + len(word), label))
        kept: Ents = []
        for one in sorted(set(given)):
            if not kept or kept[-1][1] <= one[0]:
                kept.append(one)
        found.append(kept)
    return found


def write_project(folder: Path, texts: Sequence[str], given: Sequence[Ents], steps: int) -> Path:
    """Write a corpus and the config of a `fast` student. RETURNS (Path): The config."""
    labels = sorted({label for ents in given for _, _, label in ents})
    rows = [
        TaskRow(
            text=text,
            text_digest=text_digest(text),
            lane="dev" if int(text_digest(text)[:4], 16) % 7 == 0 else "train",
            decision=Annotation(spans=tuple(SpanAnnotation(*ent) for ent in ents)),
        )
        for text, ents in zip(texts, given, strict=True)
    ]
    corpus = folder / "corpus.jsonl"
    write_corpus(corpus, TaskHeader(TASK, "ner", tuple(labels), "none"), rows)
    config = student_config("ner", task=TASK)
    reader = {"@readers": "spacy-hitl.TaskCorpus.v1", "path": str(corpus), "task": TASK}
    config["corpora"] = {lane: {**reader, "lane": lane} for lane in ("train", "dev")}
    config["training"] = {
        "seed": 0,
        "gpu_allocator": None,
        "train_corpus": "corpora.train",
        "dev_corpus": "corpora.dev",
        "dropout": 0.2,
        "patience": 0,
        "max_steps": steps,
        "eval_frequency": max(1, steps // 3),
        "optimizer": {"@optimizers": "Adam.v1", "learn_rate": 0.001},
        "batcher": {"@batchers": "spacy.batch_by_sequence.v1", "size": 32},
        "score_weights": {"ents_f": 1.0},
    }
    config.to_disk(folder / "student.cfg")
    return folder / "student.cfg"


def is_hit(place: Place, truth: Set[Item]) -> bool:
    """RETURNS (bool): Whether what a place doubts is wrong."""
    if place.given is not None:
        return place.given not in truth
    new = place.suggested
    return new is not None and any(t.start < new.end and new.start < t.end for t in truth)


def count_errors(given: Set[Item], truth: Set[Item]) -> int:
    """RETURNS (int): Wrong entities, and true ones where nothing is given."""
    bare = (t for t in truth if not any(g.start < t.end and t.start < g.end for g in given))
    return len(given - truth) + sum(1 for _ in bare)


def measure(
    texts: Sequence[str], truth: Sequence[Ents], given: Sequence[Ents], steps: int, rounds: int
) -> Dict[str, Any]:
    """Look for the errors once."""
    judged: List[JudgedText] = []
    alone: List[JudgedText] = []  # as students judge, before the other texts are asked

    def keep(some: Any, header: Any) -> Any:
        judged.extend(some)
        return find_doubts(some, header)

    def ask_others(words: Any, items: Any, chances: Any) -> Any:
        alone.extend(JudgedText(frozenset(i), c) for i, c in zip(items, chances, strict=True))
        return with_forms(words, items, chances)

    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        config = write_project(Path(name), texts, given, steps)
        run.find_doubts, run.with_forms = keep, ask_others
        try:
            _, header, suspects = find_label_errors(config, effort=Effort(rounds=rounds))
        finally:
            run.find_doubts, run.with_forms = find_doubts, with_forms
    minutes = (time.perf_counter() - started) / 60
    by_digest = {
        text_digest(text): {Item(label, s, e) for s, e, label in ents}
        for text, ents in zip(texts, truth, strict=True)
    }
    right = [by_digest[digest] for digest in sorted(by_digest)]  # the order of the judged texts
    task = TaskHeader(TASK, "ner", (), "none")
    places = [
        (p, is_hit(p, r)) for j, r in zip(judged, right, strict=True) for p in places_of(j, task)
    ]
    errors = sum(count_errors(set(j.given), r) for j, r in zip(judged, right, strict=True))
    doubts, _ = find_doubts(judged, task)
    hits = [is_hit(d.place, right[d.text]) for d in doubts]
    bare = [is_hit(d.place, right[d.text]) for d in find_doubts(alone, task)[0]]
    unsure = [hit for p, hit in sorted(places, key=lambda one: one[0].confidence)]
    kinds: Dict[str, List[int]] = {}
    for doubt, hit in zip(doubts, hits, strict=True):
        counts = kinds.setdefault(doubt.place.problem, [0, 0])
        counts[0] += hit
        counts[1] += 1
    assert len(suspects) == len(hits)
    return {
        "texts": header.texts,
        "annotations": header.annotations,
        "errors": errors,
        "suspects": len(hits),
        "precision": {k: round(sum(hits[:k]) / k, 3) for k in DEPTHS if k <= len(hits)},
        "recall": {k: round(sum(hits[:k]) / errors, 3) for k in (*DEPTHS, len(hits))},
        "least_confident": {k: round(sum(unsure[:k]) / k, 3) for k in DEPTHS},
        "students_alone": {k: round(sum(bare[:k]) / k, 3) for k in DEPTHS},
        "random": round(sum(hit for _, hit in places) / len(places), 3),
        "by_problem": {name: f"{n} of {of}" for name, (n, of) in sorted(kinds.items())},
        "minutes": round(minutes, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--shares", type=float, nargs="*", default=[0.05, 0.1])
    parser.add_argument("--no-model", action="store_true", help="leave the model's labels out")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rows = list({row["text"]: row for row in read(args.data)}.values())
    texts = [row["text"] for row in rows]
    truth: List[Ents] = [[tuple(e) for e in row["gold"]["ents"]] for row in rows]
    figures: Dict[str, Any] = {"seed": args.seed, "steps": args.steps, "rounds": args.rounds}
    for share in args.shares:
        given = plant(texts, truth, share, args.seed)
        figures[f"planted {share:g}"] = measure(texts, truth, given, args.steps, args.rounds)
        print(json.dumps({f"planted {share:g}": figures[f"planted {share:g}"]}), flush=True)
    if not args.no_model:
        given = [[tuple(e) for e in row["llm"]["ents"]] for row in rows]
        figures["model"] = measure(texts, truth, given, args.steps, args.rounds)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
