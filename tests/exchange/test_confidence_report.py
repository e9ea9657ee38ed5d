"""The report on a task's scores: from train and dev, never gold; the same as counting by hand."""

import json
from pathlib import Path
from typing import Any, List

import pytest
import srsly
from more_samples import DB, add_samples, nothing, same
from typer.testing import CliRunner

from spacy_hitl.dataset.store import Dataset
from spacy_hitl.dataset.views import TrainingSet
from spacy_hitl.errors import InputError
from spacy_hitl.exchange.confidence import confidence_report
from spacy_hitl.io import text_digest
from spacy_hitl.llm.store import ResponseStore
from spacy_hitl.records import (
    LANES,
    Annotation,
    CategoryAnnotation,
    Decision,
    Proposal,
    Request,
    Response,
)
from spacy_hitl.scoring.confidence import items_of


def test_counts_are_those_of_train_and_dev(exported: Any) -> None:
    add_samples("product", same, sample=2)
    report = confidence_report(exported.config, "product")
    posts = {p["id"]: p for p in exported.posts}
    truth = {r["id"]: r for r in srsly.read_jsonl(exported.reference) if r["lane"] != "gold"}
    assert report.texts == report.imported == len(truth) == 14
    assert (report.seen, report.voters) == (0, {2: 14})
    given = right = 0
    with Dataset(DB) as dataset:
        for id_, record in truth.items():
            (found, _) = dataset.proposals("product", text_digest(posts[id_]["text"]))
            items = {(i.start, i.end, i.name) for i in items_of(found.annotation)}
            given += len(items)
            right += len(items & {tuple(x) for x in record["product"]})
    proposed = report.groups["proposed"]
    assert (proposed.annotations, proposed.wrong) == (given, given - right)
    assert report.sources == {"votes": given}


def test_gold_is_refused(exported: Any) -> None:
    add_samples("relevant", same, sample=2)
    with pytest.raises(InputError, match="H056"):
        confidence_report(exported.config, "relevant", lanes=("gold",))
    with pytest.raises(InputError, match="H056"):
        confidence_report(exported.config, "relevant", lanes=("train", "gold"))
    dev = confidence_report(exported.config, "relevant", lanes=("dev",))
    assert dev.texts == 6


def test_gold_decisions_change_nothing(exported: Any) -> None:
    """Whatever is decided on or proposed for gold texts, the report stays the same."""
    add_samples("relevant", same, sample=2)
    before = confidence_report(exported.config, "relevant")
    wrong = Annotation(cats=(CategoryAnnotation("NOT_RELEVANT"),))
    with Dataset(DB) as dataset:
        gold = [digest for digest, *_ in dataset.texts(lanes=("gold",))]
        dataset.add_decisions(
            [Decision(d, "relevant", "accept", "a", "person", "d", annotation=wrong) for d in gold]
        )
        some = [p for d in gold for p in dataset.proposals("relevant", d)]
        dataset.add_proposals([Proposal.from_dict({**p.to_dict(), "sample": 3}) for p in some])
    assert confidence_report(exported.config, "relevant") == before


def test_sample_rows_hold_one_models_samples_only(exported: Any) -> None:
    add_samples("relevant", nothing, sample=2)
    add_samples("relevant", lambda p: {"source": "other"}, sample=3)
    add_samples("relevant", lambda p: {"task_digest": "older"}, sample=4)
    with Dataset(DB) as dataset:
        (digest, *_), *_ = dataset.texts(lanes=("train",))
        first = dataset.proposals("relevant", digest)[1]
    key = (first.source, 1, first.task_digest)
    with TrainingSet(DB) as training:
        rows = list(training.sample_rows("relevant", key=key))
        plain = list(training.task_rows("relevant", key=key))
    assert [row for row, _ in rows] == plain
    assert {row.lane for row, _ in rows} == {"train", "dev"}
    for row, samples in rows:
        assert [(p.sample, p.source) for p in samples] == [(1, key[0]), (2, key[0])]
        assert row.proposal == samples[0]


def test_voters_that_say_nothing_lower_the_score(exported: Any) -> None:
    add_samples("attributes", nothing, sample=2)
    add_samples("attributes", lambda p: {"status": "failed"}, sample=3)
    report = confidence_report(exported.config, "attributes")
    assert report.voters == {2: 14}
    assert report.groups["proposed"].annotations == sum(report.sources.values())
    assert set(report.groups) == {"proposed", "any sample", "left out"}
    # The second sample left everything out: what was given has half of the votes, all of it.
    area = report.groups["proposed"].auroc
    assert area is None or (area.value, area.low, area.high) == (0.5, 0.5, 0.5)


def test_log_probabilities_come_from_the_response_store(exported: Any) -> None:
    text = '{"label": "RELEVANT"}'
    with Dataset(DB) as dataset:
        digests = [digest for digest, *_ in dataset.texts(lanes=LANES)]
        keys: List[Any] = [
            p.response_key for d in digests for p in dataset.proposals("relevant", d)
        ]
    assert all(keys)
    Path("datasets/responses.db").unlink()
    with ResponseStore(Path("datasets/responses.db")) as store:
        for key in keys:
            request = Request("t", "relevant", 1, (), {})
            store.put(key, request, Response("m", text=text, logprobs=((text, -0.1),), key=key))
    report = confidence_report(exported.config, "relevant")  # one sample is enough
    assert report.sources["logprobs"] > 0
    assert report.voters == {1: 14}


def test_without_scores(exported: Any, fails: Any) -> None:
    with fails("H132", "'attributes'", "logprobs"):
        confidence_report(exported.config, "attributes")
    with fails("H130", "'nothing'", "product"):
        confidence_report(exported.config, "nothing")


def test_without_decisions(project: Any, fails: Any) -> None:
    from spacy_hitl.annotate.run import annotate

    with fails("H057"):
        confidence_report(project.config, "product")
    annotate(project.config, project.texts)
    with fails("H131", "train and dev"):
        confidence_report(project.config, "product")


def test_the_command(exported: Any) -> None:
    from spacy_hitl.cli import hitl_cli

    add_samples("product", same, sample=2)
    done = CliRunner().invoke(hitl_cli, ["confidence", str(exported.config), "--task", "product"])
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    for words in ("14 decided texts", "14 with 2", "AUROC", "imported", "from votes."):
        assert words in said
    assert "nothing" in said  # equal samples can't tell anything apart
    assert json.dumps("gold") not in said


def test_decisions_with_a_proposal_in_sight_are_told(exported: Any) -> None:
    from spacy_hitl.cli import hitl_cli

    add_samples("relevant", same, sample=2)
    with Dataset(DB) as dataset:
        digest, *_ = next(dataset.texts(lanes=("train",)))
        (proposal, _) = dataset.proposals("relevant", digest)
        dataset.add_decisions(
            [
                Decision(
                    *(digest, "relevant", "accept", "ann", "person", proposal.task_digest),
                    annotation=proposal.annotation,
                    saw_proposal=proposal.source,
                )
            ]
        )
    assert confidence_report(exported.config, "relevant").seen == 1
    done = CliRunner().invoke(hitl_cli, ["confidence", str(exported.config), "--task", "relevant"])
    assert "1 decisions were made with a proposal in sight" in " ".join(done.output.split())
