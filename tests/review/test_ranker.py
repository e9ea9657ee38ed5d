"""The routed and recall lines of a session are filled from the dataset, a little at a time."""

from pathlib import Path
from typing import Any, List, Sequence

import live
import pytest

from spacy_hitl.io import text_digest
from spacy_hitl.records import Annotation, Candidate, Decision, QueueText, Scored, SpanAnnotation
from spacy_hitl.review.queue.mix import QueueSettings
from spacy_hitl.review.queue.queue import Queue
from spacy_hitl.review.queue.ranker import Ranker
from spacy_hitl.review.session.session import Session

NEBULA = SpanAnnotation(4, 10, "PHONE")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> List[str]:
    monkeypatch.chdir(tmp_path)
    return live.write_project(train=30, gold=4, tasks=["product"])


def longest_first(candidates: Sequence[Candidate]) -> List[Scored]:
    return [Scored(c.digest, len(c.text), "it is long") for c in candidates]


def make_ranker(
    session: Session, router: Any = longest_first, **mix: Any
) -> "tuple[Queue, Ranker]":
    texts = [
        QueueText(digest, lane)
        for digest, lane in session.dataset.db.rows("SELECT digest, lane FROM texts")
    ]
    queue = Queue(texts, QueueSettings(annotators=("ann",), **mix))
    histories = session.texts.histories
    return queue, Ranker(session.dataset, queue, session.plan, histories, router=router)


def accept(session: Session, text: str, *spans: SpanAnnotation) -> None:
    plan = session.plan["product"]
    digest = text_digest(text)
    annotation = Annotation(spans=spans)
    decision = Decision(
        digest, "product", "accept", "bo", "person", plan.digest, annotation, uid=digest
    )
    session.store("bo", [decision])


def test_a_router_sees_proposals_and_texts_but_no_gold(project: List[str]) -> None:
    seen: List[Candidate] = []

    def watch(candidates: Sequence[Candidate]) -> List[Scored]:
        seen.extend(candidates)
        return longest_first(candidates)

    with live.session() as session:
        _, ranker = make_ranker(session, watch)
        while ranker.step(7):
            pass
    assert {c.text for c in seen} == set(project[:30])
    assert len(seen) == 30
    for candidate in seen:
        (proposal,) = candidate.samples["product"]
        assert proposal.annotation.spans[0] == NEBULA


def test_scored_texts_are_handed_out_in_their_order() -> None:
    with live.session() as session:
        queue, ranker = make_ranker(session, random_share=1e-6, gold_share=0.0)
        assert ranker.step(100)
        assert not ranker.step(100)
        turns = queue.next("ann", 20).turns
        lengths = [len(session.dataset.text(t.digest)) for t in turns]
    assert {t.mode for t in turns} == {"routed"}
    assert {t.why for t in turns} == {"it is long"}
    assert lengths == [len(live.text_of(10))] * 20


def test_a_router_that_fails_is_reported(fails: Any) -> None:
    with live.session() as session:
        _, ranker = make_ranker(session, lambda candidates: 1 / 0)
        with fails("H221", "ZeroDivisionError"):
            ranker.step()


def test_recall_learns_from_what_was_decided_before_and_since(project: List[str]) -> None:
    text, other = project[0], project[1]
    mix = {"random_share": 0.5, "recall_share": 0.5, "gold_share": 0.0}
    takes = text.index("takes")
    verb = SpanAnnotation(takes, takes + 5, "MAKER")
    with live.session() as session:
        accept(session, text, NEBULA, verb)
        queue, ranker = make_ranker(session, **mix)
        (found,) = ranker.missing("product", text_digest(other), [NEBULA])
        assert (other[found.start : found.end], found.label) == ("takes", "MAKER")
        while ranker.step(50):
            pass
        modes = {t.mode: t.why for t in queue.next("ann", 4).turns}
        assert modes["recall"] == "'takes' (MAKER) is labelled elsewhere but not here"
        great = other.index("great")
        ranker.learn(
            text_digest(other),
            {"product": Annotation(spans=(SpanAnnotation(great, great + 5, "PHONE"), verb))},
        )
        found = ranker.missing("product", text_digest(project[2]), [NEBULA])
        assert {project[2][s.start : s.end] for s in found} == {"takes", "great"}


def test_recall_neither_learns_from_gold_nor_looks_into_it(project: List[str], fails: Any) -> None:
    mix = {"recall_share": 0.5}
    gold, text = project[30], project[0]
    takes = SpanAnnotation(gold.index("takes"), gold.index("takes") + 5, "MAKER")
    with live.session() as session:
        accept(session, gold, takes)
        _, ranker = make_ranker(session, **mix)
        ranker.learn(text_digest(gold), {"product": Annotation(spans=(takes,))})
        assert ranker.missing("product", text_digest(text), [NEBULA]) == ()
        with fails("H056"):
            ranker.missing("product", text_digest(gold), [])


def test_without_a_recall_pass_nothing_is_offered(project: List[str]) -> None:
    with live.session() as session:
        accept(session, project[0], NEBULA)
        _, ranker = make_ranker(session)
        assert ranker.missing("product", text_digest(project[1]), []) == ()


def test_in_a_pass_over_one_label_the_others_are_not_looked_at(project: List[str]) -> None:
    seen: List[Candidate] = []

    def watch(candidates: Sequence[Candidate]) -> List[Scored]:
        seen.extend(candidates)
        return []

    takes = project[0].index("takes")
    verbs = [SpanAnnotation(takes, takes + 5, "MAKER"), SpanAnnotation(0, 3, "PHONE")]
    with live.session() as session:
        accept(session, project[0], *verbs)
        queue, ranker = make_ranker(session, watch, label="MAKER", recall_share=0.5, gold_share=0.0)
        while ranker.step():
            pass
        found = ranker.missing("product", text_digest(project[1]), [])
        assert {s.label for s in found} == {"MAKER"}
        whys = {t.why for t in queue.next("ann", 3).turns if "drawn" not in t.why}
    assert all("MAKER" in why and "PHONE" not in why for why in whys)
    assert {s.label for c in seen for p in c.samples["product"] for s in p.annotation.spans} == {
        "MAKER"
    }
