"""What is probably wrong comes first, and what was decided comes again, once."""

from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import live
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.util import registry

from spacy_hitl.dataset.label_errors import write_suspects
from spacy_hitl.io import text_digest
from spacy_hitl.records import (
    Annotation,
    Candidate,
    CategoryAnnotation,
    Proposal,
    QueueText,
    Scored,
    SpanAnnotation,
    Suspect,
    SuspectsHeader,
)
from spacy_hitl.review.queue.board import Board
from spacy_hitl.review.queue.doubts import make_label_errors, say
from spacy_hitl.review.queue.mix import QueueSettings
from spacy_hitl.review.queue.queue import Queue

FILE = Path("suspects.jsonl")
HEADER = SuspectsHeader("product", "ner", "d", folds=5, rounds=1, texts=6, annotations=12)
NEBULA, ORION = SpanAnnotation(4, 10, "PHONE"), SpanAnnotation(16, 21, "MAKER")
PHOTOS = SpanAnnotation(34, 40, "PHONE", None, 0.9, "held-out students")
ROUTER = {"@misc": "spacy-hitl.LabelErrors.v1", "paths": str(FILE)}
REVIEW = {"gold_share": 0.0, "random_share": 0.01, "router": ROUTER}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def spans(*some: SpanAnnotation) -> Annotation:
    return Annotation(spans=some)


def suspect(text: str, problem: str = "spurious", score: float = 0.9, **values: Any) -> Suspect:
    given = values.pop("given", spans(NEBULA))
    return Suspect(text_digest(text), "product", problem, score, given, **values)


def write(*suspects: Suspect) -> None:
    write_suspects(FILE, HEADER, suspects)


def candidate(text: str, *some: SpanAnnotation) -> Candidate:
    proposal = Proposal("d", "product", "m", "ok", "t", spans(*some))
    return Candidate(text_digest(text), text, {"product": (proposal,)}, {"product": ()})


# The router


def test_the_most_suspicious_text_comes_first_with_the_reason() -> None:
    one, two, calm = (live.text_of(i) for i in range(3))
    write(
        suspect(one, score=0.9),
        suspect(two, score=0.8),
        suspect(two, "missing", 0.7, given=Annotation(), suggested=spans(PHOTOS)),
    )
    router = registry.resolve({"router": ROUTER})["router"]
    found = router([candidate(t, NEBULA, ORION) for t in (calm, one, two)])
    assert {s.digest for s in found} == {text_digest(one), text_digest(two)}
    first, second = sorted(found, key=lambda s: -s.score)
    assert first.why == "'Nebula' (PHONE) may be nothing of the kind; 1 more doubt"
    assert second.why == "'Nebula' (PHONE) may be nothing of the kind"


def test_a_doubt_is_over_once_the_proposal_is_another() -> None:
    text = live.text_of(0)
    write(suspect(text, "label", suggested=spans(SpanAnnotation(4, 10, "MAKER"))))
    router = make_label_errors(FILE)
    assert not router([candidate(text, ORION)])
    assert not router([candidate(text, SpanAnnotation(4, 10, "MAKER"))])
    assert router([candidate(text, NEBULA)])


def test_what_is_not_in_doubt_is_left_to_another_router() -> None:
    doubtful, calm = live.text_of(0), live.text_of(1)
    write(suspect(doubtful))

    def by_length(candidates: Sequence[Candidate]) -> List[Scored]:
        return [Scored(c.digest, len(c.text), "long") for c in candidates]

    found = make_label_errors([FILE], then=by_length)(
        [candidate(t, NEBULA) for t in (calm, doubtful)]
    )
    assert [s.digest for s in sorted(found, key=lambda s: -s.score)] == [
        text_digest(doubtful),
        text_digest(calm),
    ]
    assert found[-1].why == "long"


@pytest.mark.parametrize(
    "problem, given, suggested, words",
    [
        ("missing", (), (PHOTOS,), "'photos' (PHONE) may be missing"),
        ("spurious", (NEBULA,), (), "'Nebula' (PHONE) may be nothing of the kind"),
        (
            "boundary",
            (NEBULA,),
            (SpanAnnotation(0, 10, "PHONE"),),
            "'Nebula' (PHONE) may begin or end elsewhere: 'The Nebula' (PHONE)",
        ),
        (
            "label",
            (NEBULA,),
            (SpanAnnotation(4, 10, "MAKER"),),
            "'Nebula' (PHONE) may be 'Nebula' (MAKER)",
        ),
    ],
)
def test_the_doubt_is_said(problem: str, given: Any, suggested: Any, words: str) -> None:
    one = suspect(
        live.text_of(0), problem, given=spans(*given), suggested=spans(*suggested), decided=True
    )
    assert say([one], live.text_of(0)) == words


def test_categories_are_said_too() -> None:
    cats = Annotation(cats=(CategoryAnnotation("HAPPY", 0.9),))
    assert say([suspect("x", "missing", given=Annotation(), suggested=cats)], "x") == (
        "HAPPY may be missing"
    )


def test_files_that_do_not_fit_are_explained(fails: Any) -> None:
    with fails("H001", "none.jsonl", "suspects"):
        make_label_errors(Path("none.jsonl"))
    FILE.write_text("")
    with fails("H004", FILE, "empty"):
        make_label_errors(FILE)
    FILE.write_text('{"v": 1, "task": "product"}\n')
    with fails("H004", f"{FILE}:1", "SuspectsHeader"):
        make_label_errors(FILE)
    write(suspect("x"))
    FILE.write_text(FILE.read_text().replace("spurious", "curious"))
    with fails("H004", f"{FILE}:2", "'curious'"):
        make_label_errors(FILE)


# The session


def test_decided_texts_in_doubt_come_again_with_the_decision_in_sight() -> None:
    texts = live.write_project(train=4, gold=1, tasks=("product",), review=REVIEW)
    write(suspect(texts[0], decided=True))
    only_nebula = {"product": {"spans": [[1, 2, "PHONE"]]}}
    with live.server(annotators=("ann",)) as running:
        ann = running.client("ann")
        for _ in range(2):
            for screen in ann.next(10)["screens"]:
                ann.answer(live.answer_to(screen, tasks=only_nebula))
        assert ann.next(10)["state"] == "empty"
    rows = [r for r in live.stored() if r["text_digest"] == text_digest(texts[0])]
    # The doubt was there before anything was decided, so it is asked for once more at the end.
    assert [r["mode"] for r in rows] == ["routed", "recheck"]
    assert rows[1]["saw_proposal"] == "ann"


def test_a_second_look_settles_it_whatever_it_says() -> None:
    texts = live.write_project(train=3, gold=1, tasks=("product",), review=REVIEW)
    digest = text_digest(texts[0])
    write(suspect("some other text", decided=True))
    with live.server(annotators=("ann", "bo")) as running:
        ann = running.client("ann")
        for screen in ann.next(10)["screens"]:
            ann.answer(live.answer_to(screen, tasks={"product": {"spans": [[1, 2, "PHONE"]]}}))
        assert ann.next(10)["state"] == "empty"
    missing = spans(PHOTOS)
    write(
        suspect(texts[0], decided=True),
        suspect(texts[0], "missing", 0.7, given=Annotation(), suggested=missing, decided=True),
        suspect(texts[1], given=spans(ORION), decided=True),  # not there: was corrected
        suspect(texts[2]),  # of a proposal, and people decided since
    )
    with live.server(annotators=("ann", "bo")) as running:
        ann, bo = running.client("ann"), running.client("bo")
        told = ann.get("/api/session").json["progress"]
        assert (told["done"], told["total"], told["left"]) == (2, 3, 1)
        (screen,) = bo.next(10)["screens"]
        assert (screen["digest"], screen["mode"]) == (digest, "recheck")
        assert screen["why"] == "'Nebula' (PHONE) may be nothing of the kind; 1 more doubt"
        shown = screen["tasks"]["product"]
        assert [s["start"] for s in shown["annotation"]["spans"]] == [1]  # the decision
        assert shown["source"] == "ann" and [s["label"] for s in shown["extra"]] == ["PHONE"]
        assert ann.next(10)["screens"] == []  # bo has it before them
        answer = live.answer_to(screen, tasks={"product": {"spans": [[1, 2, "PHONE"]]}})
        told = bo.answer(answer)["progress"]
        assert (told["done"], told["left"]) == (3, 0)
        assert ann.next(10)["state"] == bo.next(10)["state"] == "empty"
        bo.post("/api/undo", {"uid": "u", "undoes": None})
        assert bo.get("/api/session").json["progress"]["left"] == 1
        bo.answer({**answer, "uid": "again", "mode": "reopened"})
        assert bo.get("/api/session").json["progress"]["left"] == 0
    with live.session(annotators=("ann", "bo")) as session:
        assert session.progress("ann")["left"] == 0
    last = [r for r in live.stored() if r["uid"] == "again"]
    assert [(r["mode"], r["annotator"]) for r in last] == [("recheck", "bo")]


def test_gold_is_never_in_doubt(fails: Any) -> None:
    texts = live.write_project(train=2, gold=1, tasks=("product",), review=REVIEW)
    write(suspect(texts[2], decided=True))
    with fails("H235", text_digest(texts[2])[:16]), live.session():
        pass


def test_doubts_about_other_tasks_of_the_project_are_left_alone() -> None:
    texts = live.write_project(train=2, gold=0, tasks=("product", "mood"), review=REVIEW)
    write(suspect(texts[0], decided=True))
    with live.session(annotators=("ann",), tasks=("mood",)) as session:
        assert session.queue.text(text_digest(texts[0])) == QueueText(
            text_digest(texts[0]), "train"
        )


# The board


people = st.frozensets(st.sampled_from(["ann", "bo", "cy"]))


@given(people, st.booleans(), st.none() | st.just("why"), st.integers(1, 3))
def test_only_decided_texts_in_doubt_are_open_again(
    decided: Any, flagged: bool, doubt: Optional[str], overlap: int
) -> None:
    text = QueueText("d", "train", decided_by=decided, flagged=flagged, doubt=doubt)
    made: Dict[str, Any] = {"seed": "0", "overlap_share": 1.0, "with_gold": True}
    board = Board([text], overlap=overlap, **made)
    done = len(decided) >= overlap
    assert board.is_recheck(0) == (done and doubt is not None)
    assert board.is_open(0) == (not flagged and (not done or doubt is not None))
    for name in ("ann", "bo", "cy"):
        assert board.is_open_for(0, name) == board.was_open_for(text, name)
        if done:
            assert board.is_open_for(0, name) == board.is_open(0)
            assert board.progress(name, skipped=0).left == board.is_open(0)
    before = board.progress("ann", skipped=0)
    board.update(text._replace(doubt=None))
    board.update(text)
    assert board.progress("ann", skipped=0) == before


def test_texts_in_doubt_are_scored_before_all_others() -> None:
    texts = [QueueText(f"{i:064x}", "train") for i in range(50)]
    texts[33] = texts[33]._replace(doubt="why", decided_by=frozenset({"ann"}))
    queue = Queue(texts, QueueSettings(pool=1))
    assert queue.unscored() == (texts[33].digest,)
    assert queue.turn("bo", texts[33].digest)[1:] == ("recheck", "why")
    queue.answered(texts[33].digest, "bo", "accept")
    assert not queue.is_recheck(texts[33].digest)
