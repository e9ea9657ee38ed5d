"""A student that got worse on one label is held, that label is named, production stays."""

from collections import Counter
from pathlib import Path
from typing import Any, List

import pytest
import spacy
from promote_world import CONFIG, LINK, left_over, load, save, teach, untouched
from spacy.language import Language
from typer.testing import CliRunner

from spacy_hitl.cli import hitl_cli
from spacy_hitl.dataset.corpus import read_gold_corpus
from spacy_hitl.evaluate.run import evaluate
from spacy_hitl.io import write_json
from spacy_hitl.promote.run import promote
from spacy_hitl.scoring.results import PRODUCTION, TaskMetrics

GOLD, TRAIN = Path("corpus/gold/attributes.jsonl"), Path("corpus/attributes.jsonl")
STUDENT = Path("training/attributes/model-best")


def make_student(labels: List[str]) -> Language:
    """Knows the gold texts by heart, so that every figure is high."""
    nlp = spacy.blank("en")
    model = {
        "@architectures": "spacy.TextCatReduce.v1",
        "exclusive_classes": False,
        "use_reduce_mean": True,
        "use_reduce_first": False,
        "use_reduce_last": False,
        "use_reduce_max": True,
        "tok2vec": {
            "@architectures": "spacy.HashEmbedCNN.v2",
            "pretrained_vectors": None,
            "width": 32,
            "depth": 1,
            "embed_size": 500,
            "window_size": 1,
            "maxout_pieces": 2,
            "subword_features": True,
        },
    }
    nlp.add_pipe("textcat_multilabel", name="attributes", config={"model": model})
    examples = []
    for row in read_gold_corpus(GOLD)[1]:
        held = {c.label for c in row.decision.cats} if row.decision else set()
        examples.append((row.text, {"cats": {name: float(name in held) for name in labels}}))
    return teach(nlp, examples * 4, seed=3)


def damage(label: str) -> None:
    """The student never finds this label any more; all others as before."""
    nlp = spacy.load(STUDENT)
    pipe: Any = nlp.get_pipe("attributes")
    output = pipe.model.get_ref("output_layer")
    bias = output.get_param("b").copy()
    bias[pipe.labels.index(label)] = -1000
    output.set_param("b", bias)
    nlp.to_disk(STUDENT)


def measure() -> TaskMetrics:
    metrics = evaluate([str(STUDENT)], gold=GOLD, train=TRAIN, production=LINK, speed=False)
    write_json(Path("metrics/attributes.json"), metrics.to_dict())
    return metrics


@pytest.fixture
def in_production(exported: Any) -> str:
    """A student in production that finds every label. RETURNS: The label most often in gold."""
    header, rows = read_gold_corpus(GOLD)
    found = Counter(c.label for row in rows if row.decision for c in row.decision.cats)
    save(make_student(list(header.labels)), STUDENT)
    exported.edit(
        {
            "hitl.promote.min_gold": 8,
            "hitl.promote.floors": {"attributes": 0.3},
            "hitl.promote.label_floors": {"attributes": dict.fromkeys(found, 0.5)},
        }
    )
    assert min(label.f for label in measure().systems[1].labels) == 1
    assert promote(CONFIG).held == ()
    return found.most_common(1)[0][0]


def test_held_with_the_label_named(in_production: str) -> None:
    label = in_production
    before, cats = untouched(), load(LINK)("The battery is great.").cats
    damage(label)
    metrics = measure()
    assert metrics.by_role(PRODUCTION) is not None
    result = promote(CONFIG)
    (verdict,) = result.verdicts
    (reason,) = [r for r in verdict.reasons if "floor" in r]
    assert verdict.notes == ()  # production was measured, and it is the one that runs
    assert not verdict.passed and reason == f"label '{label}': F 0.000 is below its floor 0.50"
    assert (result.link, result.version) == (None, None)
    assert untouched() == before and left_over() == []
    assert load(LINK)("The battery is great.").cats == cats
    done = CliRunner().invoke(hitl_cli, ["promote", str(CONFIG), "--strict"])
    assert done.exit_code == 3 and label in done.output.replace("\n", "")
    assert untouched() == before


def test_a_student_that_was_not_measured_against_production(in_production: str) -> None:
    nlp = spacy.load(STUDENT)
    nlp.meta["description"] = "another"
    nlp.to_disk(STUDENT)
    metrics = evaluate([str(STUDENT)], gold=GOLD, train=TRAIN, speed=False)
    write_json(Path("metrics/attributes.json"), metrics.to_dict())
    (verdict,) = promote(CONFIG).verdicts
    assert verdict.passed and "--production" in verdict.notes[0]


def test_of_two_students_the_one_in_the_folder_is_judged(
    in_production: str, exported: Any, fails: Any
) -> None:
    """Another one that was measured beside it does not help it, and does not harm it."""
    good = Path("training/attributes/good")
    spacy.load(STUDENT).to_disk(good)
    names = [str(good), str(STUDENT)]
    damage(in_production)
    metrics = evaluate(names, gold=GOLD, train=TRAIN, speed=False)
    write_json(Path("metrics/attributes.json"), metrics.to_dict())
    (verdict,) = promote(CONFIG).verdicts
    assert f"label '{in_production}'" in verdict.reasons[0]
    damaged = Path("training/attributes/damaged")
    STUDENT.rename(damaged)
    good.rename(STUDENT)
    assert promote(CONFIG).verdicts[0].passed
    STUDENT.rename(good)
    spacy.load(good).to_disk(STUDENT)
    (STUDENT / "new").write_text("neither of them")
    with fails("H505", STUDENT):
        promote(CONFIG)


@pytest.mark.parametrize("section", ["floors", "label_floors", "margins"])
def test_a_rule_for_no_task_is_told(section: str, exported: Any, fails: Any) -> None:
    value = {"A": 0.5} if section == "label_floors" else 0.5
    exported.edit({f"hitl.promote.{section}": {"atributes": value}})
    with fails("H513", section, "'atributes'", CONFIG, "product, link, attributes, relevant"):
        promote(CONFIG)
