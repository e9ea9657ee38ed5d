"""Agreement of a project's people and models: who counts, on which texts, and what is said."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, List, Optional, Sequence

import pytest
from typer.testing import CliRunner

from spacy_hitl.cli import hitl_cli
from spacy_hitl.dataset.history import TaskHistory
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.pipeline.loading import load_prompted, prompted_tasks
from spacy_hitl.records import (
    LANES,
    Annotation,
    CategoryAnnotation,
    Decision,
    SpanAnnotation,
    TaskHeader,
    TaskVersion,
)
from spacy_hitl.review.people.agreement import agreement_report, calibration_agreement
from spacy_hitl.review.people.agreement_table import label_table, pair_table, remarks

DB = Path("datasets/hitl.db")
Change = Callable[[Annotation], Annotation]


def same(annotation: Annotation) -> Annotation:
    return annotation


def nothing(annotation: Annotation) -> Annotation:
    return Annotation()


def wider(annotation: Annotation) -> Annotation:
    """Every span starts a token earlier, where there is one."""
    return replace(
        annotation,
        spans=tuple(replace(s, start=max(0, s.start - 2)) for s in annotation.spans),
    )


def say(
    who: str,
    task: str,
    change: Change = same,
    *,
    lanes: Sequence[str] = ("train", "dev"),
    count: Optional[int] = None,
    **values: Any,
) -> List[str]:
    """Decide on texts: what the reference says, changed. RETURNS: Their digests."""
    with Dataset(DB) as dataset:
        texts = [digest for digest, *_ in dataset.texts(lanes=lanes)]
        known = {}
        for digest in texts:
            made = [d for d in dataset.decisions(task, digest) if d.origin == "import"]
            known.update({digest: made[-1]} if made else {})
        chosen = list(known)[:count]
        settings = {"annotator": who, "origin": "person", "time": None, **values}
        dataset.add_decisions(
            [
                replace(
                    known[d], annotation=change(known[d].annotation or Annotation()), **settings
                )
                for d in chosen
            ]
        )
    return chosen


def report(exported: Any, task: str = "product", **values: Any) -> Any:
    (found,) = agreement_report(exported.config, task=task, **values)
    return found


def test_people_who_agree(exported: Any) -> None:
    texts = say("ann", "product")
    assert say("bo", "product") == texts and len(texts) == 14
    found = report(exported)
    assert found.people == ("ann", "bo")
    assert found.together.texts == 14
    assert (found.together.alpha.value, found.together.f.value) == (1.0, 1.0)
    assert [a.label for a in found.labels] == ["PRODUCT"]
    assert (found.ways, found.refused, found.seen) == ({}, 0, 0)


def test_the_models_count_as_annotators(exported: Any) -> None:
    say("ann", "product")
    found = report(exported)
    assert len(found.models) == 1 and found.models[0].endswith("(model)")
    (pair,) = found.all.pairs
    assert {pair.first, pair.second} == {"ann", found.models[0]}
    assert pair.texts == found.compared == 14 and pair.kappa is not None
    # Alone, nobody agrees with anybody.
    assert (found.together.texts, found.labels) == (0, ())
    with_two = say("bo", "product", nothing)
    found = report(exported)
    assert len(found.all.pairs) == 3 and len(found.together.pairs) == 1
    assert found.together.f.value == 0 and found.together.texts == len(with_two)
    assert found.ways == {"only first": sum(_spans_per_text("ann"))}


def _spans_per_text(who: str) -> List[int]:
    with Dataset(DB) as dataset:
        texts = [digest for digest, *_ in dataset.texts(lanes=LANES)]
        made = [d for t in texts for d in dataset.decisions("product", t) if d.annotator == who]
    return [len((d.annotation or Annotation()).spans) for d in made]


def test_gold_counts_between_people_only(exported: Any) -> None:
    for who in ("ann", "bo"):
        say(who, "product", lanes=("gold",))
    found = report(exported)
    assert found.together.texts == 8 and found.models == ()
    assert found.all.texts == found.compared == 0
    say("ann", "product")
    found = report(exported)
    assert (found.together.texts, found.all.texts) == (8, 14)
    assert report(exported, lanes=("gold",)).together.texts == 8
    assert report(exported, lanes=("train",)).together.texts == 0


@pytest.mark.parametrize(
    "values",
    [
        {"origin": "import"},
        {"mode": "propagated", "uid": "p"},
        {"mode": "consistency", "uid": "p"},
        {"mode": "bulk", "uid": "p"},
        {"mode": "adjudication"},
        {"action": "flag"},
        {"action": "skip"},
    ],
)
def test_what_nobody_decided_alone_does_not_count(values: Any, exported: Any) -> None:
    say("ann", "product")
    say("bo", "product", **values)
    assert report(exported).people == ("ann",)


def test_decisions_of_files_count_when_wanted(exported: Any) -> None:
    say("ann", "product")
    found = report(exported, imported=True)
    assert found.people == ("ann", "import:reference.jsonl")
    assert found.together.f.value == 1.0
    assert found.together.texts == 14


def test_nothing_to_compare(exported: Any, fails: Any) -> None:
    with fails("H234", "any task", "train, dev"):
        agreement_report(exported.config, lanes=("train", "dev"))
    say("ann", "product", lanes=("gold",))
    with fails("H234", "'product'"):
        agreement_report(exported.config, task="product")
    with fails("H130", "'typo'", "product"):
        agreement_report(exported.config, task="typo")
    with fails("H054", "'test'", "gold"):
        agreement_report(exported.config, lanes=("test",))


def test_an_undecided_rest_and_a_rejected_text(exported: Any) -> None:
    say("ann", "product")
    say("bo", "product", count=12)
    say("bo", "product", count=1, action="reject")
    found = report(exported)
    assert (found.together.texts, found.refused) == (11, 1)
    assert "1 text somebody rejected and somebody accepted." in remarks(found)


def test_how_people_differ_and_what_they_saw(exported: Any) -> None:
    say("ann", "product", saw_proposal="model")
    say("bo", "product", wider)
    found = report(exported)
    assert set(found.ways) == {"boundary"}
    assert found.together.f.value < found.together.relaxed.value == 1.0
    assert (found.compared, found.seen) == (28, 14)
    said = " ".join(remarks(found))
    assert f"{found.ways['boundary']} boundary" in said
    assert "14 of 28 answers" in said and "in sight" in said


def test_passes_over_single_labels_count_for_those(exported: Any) -> None:
    say("ann", "attributes")
    labels = ("CAMERA_POSITIVE", "CAMERA_NEGATIVE")

    def only(annotation: Annotation) -> Annotation:
        return Annotation(cats=tuple(c for c in annotation.cats if c.label in labels))

    say("bo", "attributes", only, labels=labels)
    found = report(exported, "attributes")
    assert found.together.texts == 0
    assert {a.label: a.texts for a in found.labels if a.texts} == dict.fromkeys(labels, 14)


def test_changes_of_labels_are_followed(exported: Any) -> None:
    say("ann", "product")
    exported.edit(
        {
            "components.product.task.labels": ["PHONE"],
            "hitl.changes.product.rename": {"PRODUCT": "PHONE"},
        }
    )
    nlp, _ = load_prompted(exported.config)
    digest = prompted_tasks(nlp)["product"].task.digest()

    def renamed(annotation: Annotation) -> Annotation:
        spans = (replace(s, label="PHONE") for s in annotation.spans)
        return replace(annotation, spans=tuple(spans))

    say("bo", "product", renamed, task_digest=digest)
    found = report(exported)
    assert found.models == ()  # no proposal for the task as it is now
    assert (found.together.texts, found.together.f.value) == (14, 1.0)
    assert [a.label for a in found.labels] == ["PHONE"]


@pytest.mark.parametrize("task", ["link", "relevant", "opinions"])
def test_other_kinds(task: str, exported: Any) -> None:
    with Dataset(DB) as dataset:
        texts = [digest for digest, *_ in dataset.texts(lanes=("train", "dev"))]
        first = [dataset.proposals(task, d)[0] for d in texts]
        for who in ("ann", "bo"):
            dataset.add_decisions(
                [
                    Decision(
                        p.text_digest, task, "accept", who, "person", p.task_digest, p.annotation
                    )
                    for p in first
                ]
            )
    found = report(exported, task)
    assert (found.together.texts, found.together.f.value) == (22, 1.0)
    assert bool(found.labels) == (task != "link")
    assert (found.together.relaxed is None) == (task == "relevant")


def test_the_command(exported: Any, tmp_path: Path) -> None:
    say("ann", "product")
    say("bo", "product", wider, count=9)
    output = tmp_path / "agreement.json"
    words = ["agreement", str(exported.config), "--task", "product", "--output", str(output)]
    result = CliRunner().invoke(hitl_cli, words)
    assert result.exit_code == 0, result.output
    assert "product" in result.output and "PRODUCT" in result.output
    assert "ann and bo" in result.output and "(model)" in result.output
    assert "No figure is made from fewer than 10 texts." in " ".join(result.output.split())
    written = json.loads(output.read_text())
    assert written["v"] == 1
    (task,) = written["tasks"]
    assert task["people"] == ["ann", "bo"] and task["together"]["texts"] == 9
    assert task["together"]["alpha"] is None
    assert [a["label"] for a in task["labels"]] == ["PRODUCT"]
    some = CliRunner().invoke(hitl_cli, [*words, "--lanes", "dev, train"])
    assert some.exit_code == 0, some.output
    for lanes, code in (("train,no", "H054"), ("gold", "H234")):
        refused = CliRunner().invoke(hitl_cli, [*words, "--lanes", lanes])
        assert refused.exit_code == 1 and code in refused.output


def test_the_tables_show_what_is_known_only(exported: Any) -> None:
    say("ann", "product")
    say("bo", "product", count=9)
    found = report(exported)
    lines = label_table(found).splitlines()
    assert [line.split()[:3] for line in lines if line.startswith(("all", "PRODUCT"))] == [
        ["all", "9", "-"],
        ["PRODUCT", "9", "-"],
    ]
    pairs = pair_table(found)
    assert pairs.index("ann and bo") < pairs.index("(model)")


# The calibration round

NER = TaskHeader("ner", "ner", ("A",), "d")
MOOD = TaskHeader("mood", "textcat", ("YES", "NO"), "d", exclusive=True)
TASKS = {h.task: TaskHistory(TaskVersion(h, "m"), {}) for h in (NER, MOOD)}
TOKENS = ((0, 1), (2, 3), (4, 5))


def decide(who: str, header: TaskHeader, annotation: Annotation, **values: Any) -> Decision:
    return replace(
        Decision("text", header.task, "accept", who, "person", "d", annotation), **values
    )


def test_the_lowest_task_counts() -> None:
    span = Annotation(spans=(SpanAnnotation(0, 1, "A"),))
    yes, no = (Annotation(cats=(CategoryAnnotation(c),)) for c in ("YES", "NO"))

    def text(*moods: Annotation, **values: Any) -> Any:
        people = list(zip(("ann", "bo"), moods, strict=True))
        return TOKENS, {
            "ner": [decide(who, NER, span, **values) for who, _ in people],
            "mood": [decide(who, MOOD, mood, **values) for who, mood in people],
        }

    people = ("ann", "bo")
    assert calibration_agreement([], people, TASKS) is None
    assert calibration_agreement([text(yes, yes), text(no, no)], people, TASKS) == 1.0
    found = calibration_agreement([text(yes, yes), text(no, no), text(yes, no)], people, TASKS)
    assert found is not None and found < 1
    only = {"ner": TASKS["ner"]}
    assert calibration_agreement([text(yes, no)], people, only) == 1.0
    assert calibration_agreement([text(yes, yes)], ("ann", "cy"), TASKS) is None
    # What they talked over and answered again counts; an adjudication does not.
    tokens, made = text(yes, no)
    again = decide("bo", MOOD, yes, mode="reopened")
    judged = decide("bo", MOOD, yes, mode="adjudication")
    texts = [text(no, no), (tokens, {**made, "mood": [*made["mood"], again]})]
    assert calibration_agreement(texts, people, TASKS) == 1.0
    texts = [text(no, no), (tokens, {**made, "mood": [*made["mood"], judged]})]
    found = calibration_agreement(texts, people, TASKS)
    assert found is not None and found < 1
