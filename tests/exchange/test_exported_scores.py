"""Scores in exported corpora: written where there are any, the same every time, in nobody's way."""

import json
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
import spacy
from more_samples import DB, add_samples, nothing, same

from spacy_hitl.dataset.corpus import read_corpus, write_corpus
from spacy_hitl.dataset.exchange import dump
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.distill.corpus.reader import make_task_corpus
from spacy_hitl.distill.linking.knowledge_base import collect_links
from spacy_hitl.exchange.run import export_all, export_corpora, import_file
from spacy_hitl.io import text_digest
from spacy_hitl.llm.store import ResponseStore
from spacy_hitl.pipeline.loading import load_prompted, prompted_tasks
from spacy_hitl.records import (
    LANES,
    Annotation,
    CategoryAnnotation,
    Decision,
    Proposal,
    Request,
    Response,
    Row,
    TaskRow,
)
from spacy_hitl.scoring.items import each
from spacy_hitl.settings import LaneSettings

TASKS = ("product", "link", "attributes", "relevant", "opinions")


def corpora() -> Dict[str, bytes]:
    return {str(p): p.read_bytes() for p in sorted(Path("corpus").rglob("*")) if p.is_file()}


def exported_rows(task: str) -> List[TaskRow]:
    return [row for _, row in read_corpus(Path(f"corpus/{task}.jsonl"))[1]]


def scores(task: str) -> List[Tuple[Any, Any]]:
    """Score and source of everything that was proposed."""
    rows = [row.proposal.annotation for row in exported_rows(task) if row.proposal is not None]
    return [(one.score, one.score_source) for annotation in rows for one in each(annotation)]


def test_one_answer_has_no_score_and_the_bytes_of_before(exported: Any) -> None:
    before = corpora()
    assert all(set(scores(task)) == {(None, None)} for task in TASKS)
    assert not any(b"score" in content for content in before.values())
    export_corpora(exported.config)
    assert corpora() == before


def test_the_votes_of_all_samples_are_written(exported: Any) -> None:
    before = corpora()
    add_samples("product", same, sample=2)
    add_samples("attributes", nothing, sample=2)
    with Dataset(DB) as dataset:
        stored = list(dump(dataset))
    export_corpora(exported.config)
    assert set(scores("product")) == {(1.0, "votes")}
    assert set(scores("attributes")) == {(0.5, "votes")}
    after = corpora()
    changed = {path for path in before if after[path] != before[path]}
    assert changed == {"corpus/product.jsonl", "corpus/attributes.jsonl", "corpus/exported.json"}
    with Dataset(DB) as dataset:
        assert list(dump(dataset)) == stored, "stored proposals are never edited"
    export_corpora(exported.config)
    assert corpora() == after
    export_all(exported.config, Path("all.jsonl"))
    DB.unlink()
    import_file(exported.config, Path("all.jsonl"))
    export_corpora(exported.config)
    assert corpora() == after, "the same dataset gives the same bytes"


def test_log_probabilities_are_written_too(exported: Any) -> None:
    with Dataset(DB) as dataset:
        found = [
            p for d, *_ in dataset.texts(lanes=LANES) for p in dataset.proposals("relevant", d)
        ]
    Path("datasets/responses.db").unlink()
    with ResponseStore(Path("datasets/responses.db")) as store:
        for p in found:
            (cat,) = p.annotation.cats
            text = json.dumps({"label": cat.label})
            answer = Response("m", text=text, logprobs=((text, -0.1),), key=p.response_key)
            store.put(p.response_key or "", Request("t", "relevant", 1, (), {}), answer)
    export_corpora(exported.config)
    assert set(scores("relevant")) == {(0.904837, "logprobs")}
    Path("datasets/responses.db").unlink()
    export_corpora(exported.config)
    assert set(scores("relevant")) == {(None, None)}, "an export does without the store"


YES, NO = (Annotation(cats=(CategoryAnnotation(x),)) for x in ("RELEVANT", "NOT_RELEVANT"))


def fill(config: Path, texts: int, *, lane: str = "train", name: str = "text") -> None:
    """Texts with three samples: two say YES. Of these every other one is right."""
    prompted = prompted_tasks(load_prompted(config)[0])["relevant"]
    source, _, task_digest = prompted.key
    words = [f"{name} number {i}" for i in range(texts)]
    with Dataset(DB) as dataset:
        dataset.add_rows([Row(name, w, w, lane) for w in words], LaneSettings())
        for i, text in enumerate(words):
            common = (text_digest(text), "relevant", source, "ok", task_digest)
            given = enumerate([YES, NO, YES], start=1)
            dataset.add_proposals(
                Proposal(*common, annotation=a, sample=sample) for sample, a in given
            )
            right = YES if i % 2 else NO
            decision = Decision(common[0], "relevant", "accept", "a", "person", "d", right)
            if i % 10:
                dataset.add_decisions([decision])


@pytest.mark.parametrize(
    "texts, source, undecided",
    [
        (55, "votes", 2 / 3),  # 49 of them decided
        (70, "calibrated votes", 35 / 63),
    ],
)
def test_with_enough_decisions_they_are_calibrated(
    project: Any, texts: int, source: str, undecided: float
) -> None:
    fill(project.config, texts)
    export_corpora(project.config)
    rows = exported_rows("relevant")
    assert len(rows) == texts
    assert {s for _, s in scores("relevant")} == {source}
    found = [row.proposal.annotation for row in rows if row.decision is None and row.proposal]
    assert len(found) == texts // 10 + (texts % 10 > 0)
    assert {one.score for annotation in found for one in each(annotation)} == {round(undecided, 6)}
    first = corpora()
    export_corpora(project.config)
    assert corpora() == first


def test_gold_decisions_change_no_score(project: Any) -> None:
    fill(project.config, 70)
    export_corpora(project.config)
    before = corpora()["corpus/relevant.jsonl"]
    fill(project.config, 200, lane="gold", name="gold")
    export_corpora(project.config)
    assert corpora()["corpus/relevant.jsonl"] == before
    assert b"score" not in corpora()["corpus/gold/relevant.jsonl"]


def test_who_learns_learns_the_same(exported: Any) -> None:
    """The readers of the training side take no notice of scores."""
    for task in TASKS:
        add_samples(task, nothing, sample=2)
    export_corpora(exported.config)
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")

    def learned() -> List[Any]:
        found: List[Any] = []
        for task in TASKS:
            reader = make_task_corpus(Path(f"corpus/{task}.jsonl"), task, proposals=True)
            found += [eg.to_dict() for eg in reader(nlp)]
        found += collect_links(exported_rows("link"), reviewed_weight=3)
        return found

    with_scores = learned()
    assert len(with_scores) > len(TASKS) * 8
    for task in TASKS:
        path = Path(f"corpus/{task}.jsonl")
        assert b'"score"' in path.read_bytes()
        header, _ = read_corpus(path)
        write_corpus(path, header, [without_scores(row) for row in exported_rows(task)])
        assert b'"score"' not in path.read_bytes()
    assert learned() == with_scores


def without_scores(row: TaskRow) -> TaskRow:
    def bare(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: bare(v) for k, v in value.items() if not k.startswith("score")}
        return [bare(v) for v in value] if isinstance(value, list) else value

    return TaskRow.from_dict(bare(row.to_dict()))
