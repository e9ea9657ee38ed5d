"""Training never sees gold: over random datasets, and at every door by itself."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Optional, Set

import pytest
import spacy
import srsly
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.vocab import Vocab

from spacy_hitl.dataset.corpus import read_corpus, read_gold_corpus, write_corpus
from spacy_hitl.dataset.lanes import normalise
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.dataset.views import GoldSet, TrainingSet
from spacy_hitl.distill.callbacks import make_distill_callback, make_threshold_callback
from spacy_hitl.distill.corpus.reader import make_task_corpus
from spacy_hitl.distill.linking.knowledge_base import make_catalog_kb
from spacy_hitl.errors import InputError
from spacy_hitl.io import text_digest
from spacy_hitl.records import (
    ACTIONS,
    LANES,
    ORIGINS,
    STATUSES,
    Annotation,
    CategoryAnnotation,
    Decision,
    Look,
    PartialDecision,
    Proposal,
    Row,
    TaskHeader,
    TaskRow,
)
from spacy_hitl.settings import LaneSettings

NLP = spacy.blank("en")
KEY = ("model", 1, "digest")
MOOD = TaskHeader("mood", "textcat", ("YES", "NO"), "digest", exclusive=True)
YES, NO = (Annotation(cats=(CategoryAnnotation(label),)) for label in ("YES", "NO"))

# Few words and many ways to write them, so that near-duplicates are the rule.
bases = st.sampled_from(["great phone", "K9", "no", "\u00e9t\u00e9", "stra\u00dfe 1", "\U0001f600"])
ways = st.sampled_from(
    [str, str.upper, str.title, str.casefold, "{}!".format, " {}".format, "\uff01 {} ?".format]
)
texts = st.builds(lambda base, way: way(base), bases, ways)
annotations = st.sampled_from([YES, NO, Annotation()])
rows = st.tuples(texts, st.none() | st.sampled_from(LANES))


@st.composite
def proposals_for(draw: Any, digests: List[str]) -> Proposal:
    sources = st.sampled_from(["model", "other model"])
    return Proposal(
        *(draw(st.sampled_from(digests)), "mood", draw(sources), draw(st.sampled_from(STATUSES))),
        draw(st.sampled_from(["digest", "older"])),
        annotation=draw(annotations),
        sample=draw(st.integers(1, 2)),
    )


@st.composite
def decisions_for(draw: Any, digests: List[str]) -> Decision:
    action = draw(st.sampled_from(ACTIONS))
    return Decision(
        *(draw(st.sampled_from(digests)), "mood", action, draw(st.sampled_from("ab"))),
        draw(st.sampled_from(ORIGINS)),
        "digest",
        annotation=draw(annotations) if action == "accept" else draw(st.none() | annotations),
        saw_proposal=draw(st.sampled_from([None, "model"])),
        mode=draw(st.sampled_from([None, None, "propagated", "consistency", "bulk"])),
    )


def last_answer(history: List[Decision], lane: str) -> Optional[Decision]:
    """What counts, put another way than in the code."""
    answers = [d for d in history if d.action not in ("skip", "undo")]
    if lane == "gold":
        answers = [d for d in answers if d.mode not in ("propagated", "consistency", "bulk")]
    while len(answers) > 1 and answers[-1].mode == "bulk":
        answers.pop()
    return answers[-1] if answers else None


def fill(dataset: Dataset, found: List[Any], data: Any) -> None:
    shares = LaneSettings(gold=0.3, dev=0.3)
    lanes: Dict[str, Optional[str]] = {}
    for i, (text, lane) in enumerate(found):
        known = dataset.lane(text_digest(text))
        lanes[text] = lane if known is None else None  # a stored text can't be given a lane
        dataset.add_rows([Row("rows.jsonl", str(i), text, lanes[text])], shares)
    digests = [text_digest(text) for text, _ in found]
    # Most texts have a proposal of the right model; others are strewn in.
    statuses = data.draw(st.lists(st.none() | st.sampled_from(STATUSES), min_size=25, max_size=25))
    for digest, status in zip(digests, statuses, strict=False):
        if status is not None:
            cats = data.draw(annotations)
            right = Proposal(digest, "mood", "model", status, "digest", annotation=cats)
            dataset.add_proposals([right])
    dataset.add_proposals(data.draw(st.lists(proposals_for(digests), max_size=9)))
    dataset.add_decisions(data.draw(st.lists(decisions_for(digests), max_size=12)))


def cats_of(eg: Any) -> Set[str]:
    return {label for label, value in eg.reference.cats.items() if value}


def labels_of(annotation: Optional[Annotation]) -> Set[str]:
    return {c.label for c in annotation.cats} if annotation else set()


@settings(max_examples=100)
@given(st.lists(rows, min_size=4, max_size=25), st.data())
def test_training_never_sees_gold(found: List[Any], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, corpus = Path(folder) / "hitl.db", Path(folder) / "mood.jsonl"
        with Dataset(path) as dataset:
            fill(dataset, found, data)
            stored = {t: (lane, d) for d, t, _, lane in dataset.texts(lanes=LANES)}
            history = {d: dataset.decisions("mood", d) for _, d in stored.values()}
            proposed = {d: dataset.proposals("mood", d) for _, d in stored.values()}
        with TrainingSet(path) as training, GoldSet(path) as gold:
            write_corpus(corpus, MOOD, list(training.task_rows("mood", key=KEY)))
            gold_rows = list(gold.task_rows("mood"))
        exported = [row for _, row in read_corpus(corpus)[1]]
        silver = read_examples(corpus, decisions=False, proposals=True)
        reviewed = read_examples(corpus)

    answers = {d: last_answer(history[d], lane) for lane, d in stored.values()}
    last = {d: a if a and a.action == "accept" else None for d, a in answers.items()}
    refused = {d for d, a in answers.items() if a and a.action in ("reject", "flag")}
    gold_forms = {normalise(t) for t, (lane, _) in stored.items() if lane == "gold"}
    dev_forms = {normalise(t) for t, (lane, _) in stored.items() if lane == "dev"}
    assert not gold_forms & {normalise(row.text) for row in exported}
    assert not dev_forms & {normalise(row.text) for row in exported if row.lane == "train"}
    assert all(stored[row.text] == (row.lane, row.text_digest) for row in exported)

    # What is left out is left out for one of these reasons only.
    for text, (lane, digest) in stored.items():
        known = last[digest] or any(
            (p.source, p.sample, p.task_digest) == KEY for p in proposed[digest]
        )
        near = normalise(text) in gold_forms | (dev_forms if lane == "train" else set())
        assert (text in {row.text for row in exported}) == bool(
            known and not near and lane != "gold" and digest not in refused
        )

    # A rejected, skipped or flagged text has no decision, and gold is what was accepted.
    for row in exported:
        decision = last[row.text_digest]
        assert row.decision == (decision.annotation if decision else None)
        assert row.origin == (decision.origin if decision else None)
    decided = [t for t, (lane, d) in stored.items() if lane == "gold" and last[d]]
    assert sorted(row.text for row in gold_rows) == sorted(decided)
    assert all(row.proposal is None for row in gold_rows)

    # Silver: the right model's usable proposals on undecided texts. Reviewed: decided texts.
    wanted_silver, wanted_reviewed = {}, {}
    for row in exported:
        if row.lane == "train" and row.decision is not None:
            wanted_reviewed[row.text] = labels_of(row.decision)
        elif row.lane == "train" and row.proposal and row.proposal.status in ("ok", "empty"):
            wanted_silver[row.text] = labels_of(row.proposal.annotation)
    assert {eg.text: cats_of(eg) for eg in silver} == wanted_silver
    assert {eg.text: cats_of(eg) for eg in reviewed} == wanted_reviewed


def read_examples(corpus: Path, **values: Any) -> List[Any]:
    try:
        return list(make_task_corpus(corpus, "mood", **values)(NLP))
    except InputError as e:
        assert "[H300]" in str(e)
        return []


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "hitl.db"
    with Dataset(path) as dataset:
        found = [
            ("gold", "a phone"),
            ("dev", "b phone"),
            ("train", "c phone"),
            ("train", "A PHONE!"),
        ]
        dataset.add_rows([Row("r", t, t, lane) for lane, t in found], LaneSettings())
        for _, text in found:
            dataset.add_decisions([decide(text, "accept")])
    return path


def decide(text: str, action: str, **values: Any) -> Decision:
    annotation = YES if action == "accept" else None
    first = Decision(text_digest(text), "mood", action, "ann", "person", "d", annotation=annotation)
    return replace(first, **values)


@pytest.mark.parametrize("lanes", [("gold",), ("train", "gold"), ["dev", "gold", "train"]])
def test_training_set_refuses_gold(lanes: Any, path: Path, fails: Any) -> None:
    with TrainingSet(path) as training, fails("H056"):
        list(training.task_rows("mood", lanes=lanes))


def test_the_doors_show_their_lanes(path: Path) -> None:
    with TrainingSet(path) as training, GoldSet(path) as gold:
        assert {row.text for row in training.task_rows("mood")} == {"b phone", "c phone"}
        assert [row.text for row in training.task_rows("mood", lanes=("dev",))] == ["b phone"]
        assert [row.text for row in gold.task_rows("mood")] == ["a phone"]
        assert training.near_duplicates() == {"train": 1, "dev": 0}


@pytest.mark.parametrize("action", ["reject", "flag"])
def test_only_an_accepting_last_decision_counts(action: str, path: Path) -> None:
    with Dataset(path) as dataset:
        dataset.add_decisions([decide(t, action) for t in ("a phone", "c phone")])
    with TrainingSet(path) as training, GoldSet(path) as gold:
        assert [row.text for row in training.task_rows("mood")] == ["b phone"]
        assert list(gold.task_rows("mood")) == []
    with Dataset(path) as dataset:
        dataset.add_decisions([decide("c phone", "accept", annotation=NO)])
    with TrainingSet(path) as training:
        found = {row.text: row.decision for row in training.task_rows("mood")}
    assert found["c phone"] == NO


def test_a_skip_takes_nothing_back(path: Path) -> None:
    with Dataset(path) as dataset:
        dataset.add_decisions([decide(t, "skip") for t in ("a phone", "c phone")])
    with TrainingSet(path) as training, GoldSet(path) as gold:
        assert [row.text for row in training.task_rows("mood")] == ["b phone", "c phone"]
        assert [row.text for row in gold.task_rows("mood")] == ["a phone"]


def test_what_was_rejected_teaches_nothing_through_its_proposal(path: Path) -> None:
    with Dataset(path) as dataset:
        for text in ("b phone", "c phone"):
            digest = text_digest(text)
            dataset.add_proposals([Proposal(digest, "mood", "model", "ok", "digest", YES)])
        dataset.add_decisions([decide("c phone", "reject")])
    with TrainingSet(path) as training:
        assert [row.text for row in training.task_rows("mood", key=KEY)] == ["b phone"]


def test_what_was_accepted_in_bulk_says_so(path: Path) -> None:
    with Dataset(path) as dataset:
        dataset.add_rows([Row("r", "d", "d phone", "train")], LaneSettings())
        dataset.add_decisions([decide("d phone", "accept", mode="bulk", uid="u")])
    with TrainingSet(path) as training:
        assert {r.text: r.bulk for r in training.task_rows("mood", lanes=("train",))} == {
            "c phone": False,
            "d phone": True,
        }


@pytest.mark.parametrize("mode", ["propagated", "consistency", "bulk"])
def test_gold_is_decided_by_reading_it(mode: str, path: Path) -> None:
    with Dataset(path) as dataset:
        dataset.add_decisions([decide("a phone", "accept", annotation=NO, mode=mode, uid="u")])
    with GoldSet(path) as gold:
        assert [(row.decision, row.blind) for row in gold.task_rows("mood")] == [(YES, True)]


def test_a_partial_decision_is_no_decision(path: Path) -> None:
    look = replace(decide("d phone", "accept"), labels=("YES",))
    with Dataset(path) as dataset:
        dataset.add_rows([Row("r", "d", "d phone", "train")], LaneSettings())
        dataset.add_decisions([look])
    with TrainingSet(path) as training:
        (row,) = [row for row in training.task_rows("mood") if row.text == "d phone"]
    assert row.decision is None
    assert row.partial == PartialDecision(YES, (Look(("YES",)),))


def test_a_decision_on_a_seen_proposal_is_not_blind(path: Path) -> None:
    with Dataset(path) as dataset:
        dataset.add_decisions([decide("a phone", "accept", saw_proposal="model")])
    with GoldSet(path) as gold:
        assert [row.blind for row in gold.task_rows("mood")] == [False]


def test_views_change_nothing_and_make_nothing(tmp_path: Path, fails: Any) -> None:
    for view in (TrainingSet, GoldSet):
        with fails("H057", "no.db"), view(tmp_path / "no.db"):
            pass
    assert list(tmp_path.iterdir()) == []


def test_task_corpus_refuses_the_lane_gold(fails: Any) -> None:
    with fails("H056"):
        make_task_corpus(Path("any.jsonl"), "mood", lane="gold")
    with fails("H054", "'test'", "train, dev"):
        make_task_corpus(Path("any.jsonl"), "mood", lane="test")


LINK = TaskHeader("link", "linking", ("A",), "digest", catalog="catalog.jsonl")
READERS = {
    "TaskCorpus": lambda p, task: list(make_task_corpus(p, task)(spacy.blank("en"))),
    "distill": lambda p, task: make_distill_callback(p, task)(spacy.blank("en")),
    "threshold": lambda p, task: make_threshold_callback(p, task, component="sentencizer")(
        with_pipe(spacy.blank("en"), "sentencizer")
    ),
    "CatalogKB": lambda p, task: make_catalog_kb(p.with_name("catalog.jsonl"), p, task)(Vocab()),
}


def with_pipe(nlp: Any, name: str) -> Any:
    nlp.add_pipe(name)
    return nlp


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("lane_of_reader", ["train", "dev"])
def test_a_smuggled_gold_row_is_refused(
    reader: str, lane_of_reader: str, tmp_path: Path, fails: Any
) -> None:
    srsly.write_jsonl(tmp_path / "catalog.jsonl", [{"id": "A", "name": "a phone"}])
    corpus = tmp_path / "corpus.jsonl"
    header = LINK if reader == "CatalogKB" else MOOD
    good = TaskRow("b", text_digest("b"), lane_of_reader, decision=Annotation())
    write_corpus(corpus, header, [good])
    with corpus.open("a") as file_:
        gold = replace(good, text="a phone", lane="gold").to_dict()
        file_.write(srsly.json_dumps(gold) + "\n")
    with fails("H301", corpus, "corpus.jsonl:3"):
        READERS[reader](corpus, header.task)
    with fails("H302", corpus, f"'{header.task}'", "'another'"):
        READERS[reader](corpus, "another")


@pytest.mark.parametrize("lane", ["train", "dev"])
def test_gold_corpus_refuses_other_lanes(lane: str, tmp_path: Path, fails: Any) -> None:
    row = TaskRow("a", text_digest("a"), lane, decision=YES)
    write_corpus(tmp_path / "g.jsonl", MOOD, [row])
    with fails("H402", f"'{lane}'", "g.jsonl:2"):
        read_gold_corpus(tmp_path / "g.jsonl")
    write_corpus(tmp_path / "g.jsonl", MOOD, [])
    with fails("H400", "'mood'", "g.jsonl"):
        read_gold_corpus(tmp_path / "g.jsonl")


def test_broken_corpora_are_named(tmp_path: Path, fails: Any) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text("")
    with fails("H004", path, "empty"):
        read_corpus(path)
    path.write_text('{"text": "a"}\n')
    with fails("H004", "c.jsonl:1", "TaskHeader"):
        read_corpus(path)
    write_corpus(path, MOOD, [TaskRow("a", "d", "train")])
    path.write_text(path.read_text().replace('"train"', '"Gold"'))
    with fails("H004", "c.jsonl:2", "'lane'", "'Gold'"):
        read_corpus(path)
    with fails("H001", "no.jsonl", "export"):
        read_corpus(tmp_path / "no.jsonl")


def test_a_corpus_is_sorted_and_has_one_form(tmp_path: Path) -> None:
    some = [TaskRow(t, text_digest(t), "train", decision=YES) for t in "abcdef"]
    write_corpus(tmp_path / "1", MOOD, some)
    write_corpus(tmp_path / "2", MOOD, some[::-1])
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()
    header, rows = read_corpus(tmp_path / "1")
    assert header == MOOD and sorted(map(repr, some)) == sorted(repr(row) for _, row in rows)
