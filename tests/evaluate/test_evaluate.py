"""Evaluation on a small project: a recorded prompted pipeline, trained ones, and their table."""

import json
from functools import partial
from pathlib import Path
from typing import Any, Dict, Set, Tuple

import pytest
import spacy
import srsly
from spacy.util import load_config

from spacy_hitl.evaluate import run
from spacy_hitl.evaluate.table import comparison_lines, label_table, overview
from spacy_hitl.io import folder_digest, read_jsonl, write_json, write_jsonl
from spacy_hitl.scoring.results import TaskMetrics

CONFIG = "configs/prototype.cfg"
RULES = "training/product/model-best"
evaluate = partial(run.evaluate, speed=False)
Mentions = Set[Tuple[str, int, int]]


def files(task: str) -> Dict[str, Path]:
    return {"gold": Path(f"corpus/gold/{task}.jsonl"), "train": Path(f"corpus/{task}.jsonl")}


def save_rules(path: str, forms: Any, **values: Any) -> None:
    nlp = spacy.blank("en")
    ruler: Any = nlp.add_pipe("entity_ruler", name="product", config=values)
    ruler.add_patterns([{"label": "PRODUCT", "pattern": form} for form in forms])
    save(nlp, path)


def save(nlp: Any, path: str) -> None:
    Path(path).mkdir(parents=True, exist_ok=True)
    nlp.to_disk(path)


@pytest.fixture(autouse=True)
def rules(exported: Any) -> None:
    """Rules in the place of a student of 'product'."""
    save_rules(RULES, ["K10", "K9", "my"])


def gold_mentions(project: Any) -> Mentions:
    return {
        (line["id"], start, end)
        for line in srsly.read_jsonl(project.reference)
        if line["lane"] == "gold"
        for start, end, _ in line["product"]
    }


def rule_mentions(project: Any) -> Mentions:
    nlp = spacy.load(RULES)
    return {
        (post["id"], ent.start_char, ent.end_char)
        for post in project.posts
        if post.get("lane") == "gold"
        for ent in nlp(post["text"]).ents
    }


def test_evaluate_product(exported: Any) -> None:
    metrics = evaluate([CONFIG, RULES], **files("product"))
    assert (metrics.main, metrics.gold_texts) == ("product_ents_f", 8)
    assert (metrics.origins, metrics.blind) == ((("import", 8),), True)
    baseline, prompted, student = metrics.systems
    assert [s.role for s in metrics.systems] == ["baseline", "prompted", "student"]
    assert (baseline.name, prompted.name, student.name) == ("lookup", CONFIG, RULES)

    wanted, found = gold_mentions(exported), rule_mentions(exported)
    hits = len(wanted & found)
    assert 0 < hits < len(wanted) and hits < len(found)
    (label,) = student.labels
    assert (label.label, label.tp, label.fp, label.fn) == (
        "PRODUCT",
        hits,
        len(found) - hits,
        len(wanted) - hits,
    )
    assert student.score == label.f == pytest.approx(2 * hits / (len(found) + len(wanted)))
    assert (student.p, student.r) == pytest.approx((hits / len(found), hits / len(wanted)))
    for s in metrics.systems:
        assert 0 <= s.low <= s.score <= s.high <= 1

    assert student.digest == folder_digest(Path(RULES))
    assert student.megabytes and student.megabytes < 5
    assert (prompted.digest, prompted.words_per_s, prompted.megabytes) == (None, None, None)
    assert student.gain is not None and prompted.gain is not None and baseline.gain is None
    assert student.gain[0] == pytest.approx(student.score - baseline.score)


def test_metrics_survive_their_file(exported: Any) -> None:
    metrics = evaluate([RULES], **files("product"))
    write_json(Path("m.json"), metrics.to_dict())
    assert TaskMetrics.from_dict(json.loads(Path("m.json").read_text())) == metrics


def test_the_same_pipeline_gives_the_same_scores(exported: Any) -> None:
    """Two systems under one config: they share one store of answers."""
    Path("configs/copy.cfg").write_text(Path(CONFIG).read_text())
    metrics = evaluate([CONFIG, "configs/copy.cfg"], **files("relevant"))
    _, one, other = metrics.systems
    assert (one.name, other.name) == (CONFIG, "configs/copy.cfg")
    assert one.to_dict() == {**other.to_dict(), "name": CONFIG}
    assert one.accuracy is not None and 0 <= one.accuracy <= 1
    assert metrics.main == "relevant_cats_macro_f"


def test_texts_on_which_the_model_failed_are_counted(exported: Any) -> None:
    gold = [p["id"] for p in exported.posts if p.get("lane") == "gold"]
    kept = [v for _, v in read_jsonl(Path("assets/responses.jsonl"), what="") if v["id"] != gold[0]]
    write_jsonl(Path("assets/responses.jsonl"), kept)
    Path("datasets/responses.db").unlink()
    metrics = evaluate([CONFIG], **files("product"))
    assert [s.failed for s in metrics.systems] == [0, 1]


def test_links_are_measured_on_the_mentions_of_the_part_before(exported: Any) -> None:
    linker = spacy.blank("en")
    ruler: Any = linker.add_pipe("entity_ruler", name="link", config={"overwrite_ents": True})
    k10 = {"label": "PRODUCT", "pattern": "K10", "id": "K1000-T0466"}
    ruler.add_patterns([k10])
    save(linker, "training/link/model-best")
    names = f"{RULES}+training/link/model-best"
    baseline, student = evaluate([names], **files("link")).systems
    assert baseline.name == "lookup on the same mentions"
    assert student.digest == folder_digest(Path("training/link/model-best"))
    found = sum(label.tp + label.fp for label in student.labels)
    also = sum(label.tp + label.fp for label in baseline.labels)
    assert found == also == len(rule_mentions(exported))


def test_a_threshold_is_part_of_the_student(exported: Any) -> None:
    nlp = spacy.blank("en")
    pipe: Any = nlp.add_pipe("textcat_multilabel", name="attributes")
    header = next(read_jsonl(Path("corpus/attributes.jsonl"), what=""))[1]
    for label in header["labels"]:
        pipe.add_label(label)
    nlp.initialize()
    found = []
    for threshold in (0.0, 1.0):
        pipe.cfg["threshold"] = threshold
        save(nlp, "training/attributes/model-best")
        student = evaluate(["training/attributes/model-best"], **files("attributes")).systems[1]
        assert student.threshold == threshold
        found.append(sum(label.tp + label.fp for label in student.labels))
    assert found == [8 * len(header["labels"]), 0]


@pytest.mark.parametrize(
    "name, code, part",
    [
        ("no.cfg", "H001", "no.cfg"),
        ("training/nobody", "H001", "training/nobody"),
        (f"{RULES}+training/nobody", "H001", "training/nobody"),
        ("corpus", "H501", "'corpus'"),
        ("assets/GUIDELINES.md", "H003", "GUIDELINES.md"),
    ],
)
def test_what_cannot_be_measured(
    name: str, code: str, part: str, exported: Any, fails: Any
) -> None:
    with fails(code, part):
        evaluate([name], **files("product"))


def test_errors_of_the_corpora(exported: Any, fails: Any) -> None:
    with fails("H401", RULES, "'relevant'", "product"):
        evaluate([RULES], **files("relevant"))
    exported.edit({"nlp.pipeline": ["product"], "components": product_only()})
    with fails("H401", CONFIG, "'relevant'", "product"):
        evaluate([CONFIG], **files("relevant"))
    gold, train = files("product").values()
    with fails("H402", "corpus/product.jsonl", "'train'"):
        evaluate([RULES], gold=train, train=train)
    with fails("H301", "corpus/gold/product.jsonl"):
        evaluate([RULES], gold=gold, train=gold)
    with fails("H302", "'relevant'"):
        evaluate([RULES], gold=gold, train=files("relevant")["train"])
    train.write_text(train.read_text().replace('"labels": ["PRODUCT"]', '"labels": ["PHONE"]'))
    with fails("H302", "other labels"):
        evaluate([RULES], gold=gold, train=train)
    gold.write_text(gold.read_text().splitlines()[0] + "\n")
    with fails("H400", "'product'"):
        evaluate([RULES], gold=gold, train=train)


def product_only() -> Any:
    return {"product": load_config(CONFIG)["components"]["product"]}


def test_the_table_holds_every_row_and_says_what_it_rests_on(exported: Any) -> None:
    metrics = evaluate([CONFIG, RULES], **files("product"))
    other = evaluate([CONFIG], **files("relevant"))
    text = overview([metrics, other])
    for m in (metrics, other):
        assert f"{m.header.task}: 8 gold texts (8 imported), blind." in text
        for s in m.systems:
            (line,) = [x for x in text.splitlines() if m.main in x and f" {s.role}" in x]
            assert f" {s.score:.3f} " in line and f"{s.low:.3f} to {s.high:.3f}" in line
    assert "NOTE: imported gold decisions were not made by a person" in text
    student = metrics.systems[2]
    gain = student.gain
    assert gain is not None
    prompted, of_student, between = comparison_lines(metrics)
    assert f"{gain[0]:+.3f} [{gain[1]:+.3f}, {gain[2]:+.3f}] against lookup" in of_student
    assert "against lookup" in prompted and CONFIG in between
    assert all(0 <= c.better <= 1 for c in metrics.comparisons)


def test_a_system_is_as_good_as_itself(exported: Any) -> None:
    metrics = evaluate([CONFIG, CONFIG], **files("product"))
    same = metrics.comparisons[-1]
    assert (same.value, same.low, same.high, same.better) == (0, 0, 0, 0.5)


def test_the_rest_of_the_table(exported: Any) -> None:
    other = evaluate([CONFIG], **files("relevant"))
    labels = label_table(other).splitlines()
    roles = [line.split()[0] for line in labels if " RELEVANT " in line]
    assert roles == ["baseline", "prompted"]


def test_decisions_of_people_need_no_note(exported: Any) -> None:
    path = Path("corpus/gold/product.jsonl")
    path.write_text(path.read_text().replace('"import"', '"person"'))
    text = overview([evaluate([RULES], **files("product"))])
    assert "8 gold texts (8 by a person), blind." in text
    assert "NOTE" not in text


def test_a_seen_proposal_is_told(exported: Any) -> None:
    path = Path("corpus/gold/product.jsonl")
    lines = [v for _, v in read_jsonl(path, what="")]
    lines[3]["blind"] = False
    write_jsonl(path, lines)
    metrics = evaluate([RULES], **files("product"))
    assert not metrics.blind and "NOT blind" in overview([metrics])
