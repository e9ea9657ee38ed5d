"""Do the vote shares of the phone posts' recorded answers tell right from wrong annotations?

Three recorded samples (one as it is, one hasty, one as a small model would read) vote, on the posts
of the lanes dev and train that have a reference. Posts of the lane gold are skipped before anything
of them is looked at. The samples are parsed by the package's own tasks; `link` is parsed on the
mentions of the same sample, end to end.

usage: python benchmarks/confidence.py [ASSETS] [--config configs/prototype.cfg]
The last line is JSON.
"""

import argparse
import json
from collections import Counter, defaultdict
from pathlib import Path

from spacy_hitl.io import read_jsonl, text_digest
from spacy_hitl.pipeline.loading import load_prompted, prompted_components
from spacy_hitl.records import GOLD, Response
from spacy_hitl.scoring.confidence import weigh
from spacy_hitl.scoring.judged import JudgedText, judge, measure_all, measures_table, verdict
from spacy_hitl.tasks.base import apply_response

TASKS = ("product", "link", "attributes", "relevant")
SAMPLES = (1, 2, 3)


def read_reference(assets):
    """The reference of every post that is not gold, by id."""
    path = assets / "reference.jsonl"
    records = (record for _, record in read_jsonl(path, what="reference"))
    return {r["id"]: r for r in records if r["lane"] != GOLD}


def read_answers(assets, ids):
    """The raw answers by (id, task, sample)."""
    records = (r for _, r in read_jsonl(assets / "responses.jsonl", what="recorded answers"))
    return {(r["id"], r["task"], r["sample"]): r["response"] for r in records if r["id"] in ids}


def proposals_of(nlp, tasks, text, answers):
    """One text's proposals by task; within a sample the tasks run in order on one doc."""
    proposals = defaultdict(list)
    for sample in SAMPLES:
        doc = nlp.make_doc(text)
        for name in TASKS:
            if (name, sample) in answers:
                response = Response(model="recorded", text=answers[name, sample])
                found = apply_response(tasks[name], doc, response, name=name, sample=sample)
                proposals[name].append(found)
    return proposals


def judged_texts(assets, config):
    """Per task: judged texts, and proposals by sample and status."""
    nlp, _ = load_prompted(config)
    tasks = {name: c.task for name, c in prompted_components(nlp).items()}
    reference = read_reference(assets)
    answers = defaultdict(dict)
    for (id_, task, sample), raw in read_answers(assets, set(reference)).items():
        answers[id_][task, sample] = raw
    texts, statuses = defaultdict(list), defaultdict(Counter)
    # In the order of the dataset, so that `spacy hitl confidence` draws the same folds.
    posts = read_jsonl(assets / "posts.jsonl", what="posts")
    for where, post in sorted(posts, key=lambda p: text_digest(p[1]["text"])):
        truth = reference.get(post["id"])
        if truth is None:
            continue
        found = proposals_of(nlp, tasks, post["text"], answers[post["id"]])
        for name, proposals in found.items():
            right = tasks[name].read_compact(truth[name], where=where, text=post["text"])
            confidence = weigh(proposals, text=post["text"])
            texts[name].append(JudgedText(proposals[0].annotation, confidence, right))
            statuses[name].update((p.sample, p.status) for p in proposals)
    several = {
        n: t.labels if t.kind == "textcat" and not t.exclusive else () for n, t in tasks.items()
    }
    return texts, statuses, several


def plain(interval):
    return None if interval is None else [interval.value, interval.low, interval.high]


def as_json(m):
    return {
        "n": m.annotations,
        "wrong": m.wrong,
        "texts": m.texts,
        "auroc": plain(m.auroc),
        "ece": plain(m.ece),
        "ece_calibrated": plain(m.ece_calibrated),
        "error_at": {f"{c:.0%}": plain(e) for c, e in m.errors},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("assets", nargs="?", type=Path, default=Path("assets"))
    parser.add_argument("--config", type=Path, default=Path("configs/prototype.cfg"))
    options = parser.parse_args()
    texts, statuses, several = judged_texts(options.assets, options.config)
    figures = {}
    for name in TASKS:
        groups = measure_all(judge(texts[name], absent_labels=several[name]))
        told = ", ".join(f"sample {s} {st} {n}" for (s, st), n in sorted(statuses[name].items()))
        print(f"\n{name}: {len(texts[name])} texts ({told})")
        print(measures_table(groups))
        for group, m in groups.items():
            print(f"{group}: {verdict(m)}")
        figures[name] = {group: as_json(m) for group, m in groups.items()}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
