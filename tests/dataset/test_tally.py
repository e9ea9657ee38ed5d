"""Counting decisions without reading them gives what reading all of them gives."""

from pathlib import Path
from typing import Any, Dict, List

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_hitl.dataset.decisions import allowed_on_gold
from spacy_hitl.dataset.history import HistorySummary, TaskHistory, summarise
from spacy_hitl.dataset.reviews import decision_heads
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.dataset.tally import (
    LaneTally,
    ProposalKey,
    count_unproposed,
    tally_decisions,
    tally_proposals,
)
from spacy_hitl.io import text_digest
from spacy_hitl.records import (
    STATUSES,
    Annotation,
    CategoryAnnotation,
    Decision,
    Proposal,
    Row,
    TaskChanges,
    TaskHeader,
    TaskVersion,
)
from spacy_hitl.settings import LaneSettings

LANES = ("gold", "dev", "train")
TEXTS = {text_digest(f"text {n}"): LANES[n % 3] for n in range(9)}
NOW = TaskVersion(TaskHeader("t", "textcat", ("A", "B"), "now"), "m2", TaskChanges(recheck=("B",)))
THEN = TaskVersion(TaskHeader("t", "textcat", ("A", "B"), "then"), "m1")
HISTORY = TaskHistory(NOW, {"then": THEN})
DECISIONS = st.builds(
    Decision,
    text_digest=st.sampled_from(sorted(TEXTS)),
    task=st.just("t"),
    action=st.sampled_from(["accept", "reject", "skip", "flag", "undo"]),
    annotator=st.sampled_from(["ann", "bob"]),
    origin=st.sampled_from(["person", "import"]),
    task_digest=st.sampled_from(["now", "now", "now", "then", "never"]),
    annotation=st.sampled_from([Annotation(), Annotation(cats=(CategoryAnnotation("A"),))]),
    uid=st.sampled_from([None, "u1", "u2", "u3"]),
    undoes=st.sampled_from([None, "u1", "u2", "u3"]),
    mode=st.sampled_from([None, "blind", "random", "bulk", "propagated", "adjudication"]),
    labels=st.sampled_from([None, None, None, ("A",), ("B",)]),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tally")


class Fresh:
    """A dataset with nine texts and nothing else; a new one for every example."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "hitl.db"
        self.path.unlink(missing_ok=True)
        self.dataset = Dataset(self.path)

    def __enter__(self) -> Dataset:
        self.dataset.db.open()
        rows = [
            Row("f", str(n), f"text {n}", TEXTS[text_digest(f"text {n}")])  # type: ignore[arg-type]
            for n in range(9)
        ]
        self.dataset.add_rows(rows, LaneSettings())
        return self.dataset

    def __exit__(self, *args: object) -> None:
        self.dataset.db.close()


def expected(decisions: Dict[str, List[Decision]], lane: str) -> LaneTally:
    texts = [d for digest, d in decisions.items() if TEXTS[digest] == lane]
    found = summarise(HISTORY, map(allowed_on_gold, texts) if lane == "gold" else texts)
    put_off = found.rejected + found.put_aside
    return LaneTally(3, found.decided, found.in_part, put_off)


@settings(max_examples=40)
@given(st.lists(DECISIONS, max_size=25))
def test_it_gives_what_reading_every_decision_gives(folder: Path, made: List[Decision]) -> None:
    with Fresh(folder) as dataset:
        dataset.add_decisions(made)
        stored = {digest: dataset.decisions("t", digest) for digest in TEXTS}
        decided = {digest: ds for digest, ds in stored.items() if ds}
        heads = decision_heads(dataset, ["t"])
        found = tally_decisions(dataset, {"t": HISTORY}, heads)["t"]
    assert found.summary == summarise(HISTORY, decided.values())
    assert found.lanes == {lane: expected(decided, lane) for lane in LANES}


def test_an_open_text_is_one_on_which_nothing_was_decided(folder: Path) -> None:
    assert LaneTally(10, 4, 3, 2).open == 1
    with Fresh(folder) as dataset:
        found = tally_decisions(dataset, {"t": HISTORY}, [])["t"]
    assert found.summary == HistorySummary()
    assert {lane: one.open for lane, one in found.lanes.items()} == dict.fromkeys(LANES, 3)


PROPOSALS = st.builds(
    Proposal,
    text_digest=st.sampled_from(sorted(TEXTS)),
    task=st.sampled_from(["t", "s"]),
    source=st.sampled_from(["m", "production:1"]),
    sample=st.sampled_from([1, 2]),
    task_digest=st.sampled_from(["now", "then"]),
    status=st.sampled_from(STATUSES),
)


@settings(max_examples=20)
@given(st.lists(PROPOSALS, max_size=20), st.lists(DECISIONS, max_size=3))
def test_proposals_by_what_they_are_of(
    folder: Path, made: List[Proposal], decided: List[Decision]
) -> None:
    with Fresh(folder) as dataset:
        dataset.add_proposals(made)
        dataset.add_decisions(decided)
        found = tally_proposals(dataset)
        wanted: Dict[ProposalKey, Dict[str, Any]] = {}
        for task in ("t", "s"):
            for digest in TEXTS:
                for p in dataset.proposals(task, digest):
                    key = ProposalKey(p.task, p.source, p.sample, p.task_digest)
                    counts = wanted.setdefault(key, {"ok": 0})
                    status = "ok" if p.usable else p.status
                    counts[status] = counts.get(status, 0) + 1
        own = ProposalKey("t", "m", 1, "now")
        asked = {
            p.text_digest
            for digest in TEXTS
            for p in dataset.proposals("t", digest)
            if (p.source, p.sample, p.task_digest) == own[1:]
        }
        known = asked | {d.text_digest for d in decided}
        missing = count_unproposed(dataset, own)
    assert found == wanted
    assert missing == sum(lane != "gold" and d not in known for d, lane in TEXTS.items())
