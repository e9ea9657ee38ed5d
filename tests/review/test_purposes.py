"""Several people, two versions, one form everywhere: through the session and over HTTP."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List

import live
import pytest

from spacy_hitl.dataset.reviews import preferences
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.io import text_digest
from spacy_hitl.pipeline.loading import load_prompted, prompted_tasks
from spacy_hitl.records import Annotation, Preference
from spacy_hitl.review.session.compare import (
    CHOICES,
    ComparedTask,
    count,
    shown_order,
    unshuffle,
)
from spacy_hitl.scoring.intervals import wilson


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def answers_of(client: live.Client, spans: List[Any], count: int = 20) -> Dict[str, Dict[str, Any]]:
    """Answer all that comes: product as given, mood HAPPY. RETURNS: The screens by digest."""
    screens = client.next(count)["screens"]
    for screen in screens:
        tasks = {"product": {"spans": spans}, "mood": {"cats": ["HAPPY"]}}
        client.answer(live.answer_to(screen, tasks=tasks))
    return {s["digest"]: s for s in screens}


# Several people


def test_each_text_by_two_people_then_settled_by_a_third() -> None:
    names = ("ann", "bo", "cy")
    live.write_project(train=3, gold=1, tasks=("product", "mood"), review={"overlap": 2})
    with live.server(annotators=names) as running:
        ann, bo, cy = (running.client(name) for name in names)
        one = answers_of(ann, [[1, 2, "PHONE"]])
        other = answers_of(bo, [[1, 2, "PHONE"], [3, 4, "MAKER"]])
        assert len(one) == len(other) == 4
        assert cy.next(5)["state"] == "empty"  # two are enough
        told = bo.get("/api/session").json["progress"]
        assert (told["done"], told["total"], told["mine"]) == (4, 4, 4)
    with live.server(annotators=names, adjudicate=True) as running:
        cy = running.client("cy")
        screens = cy.next(10)["screens"]
        assert len(screens) == 4 and {s["mode"] for s in screens} == {"adjudication"}
        for screen in screens:
            first, second = screen["versions"]
            assert screen["kind"] == "adjudicate"
            assert (first["who"], first["annotator"], second["annotator"]) == ("A", "ann", "bo")
            assert len(first["tasks"]["product"]["spans"]) == 1
            assert len(second["tasks"]["product"]["spans"]) == 2
            agreed = screen["tasks"]["product"]
            assert [s["start"] for s in agreed["annotation"]["spans"]] == [1]
            assert agreed["source"] is None and agreed["status"] is None
        settled = live.answer_to(screens[0])
        assert cy.answer(settled)["progress"]["done"] == 1
        assert len(cy.next(10)["screens"]) == 3
        again = cy.get(f"/api/screen?digest={screens[0]['digest']}").json
        assert len(again["versions"]) == 2 and again["answer"]["action"] == "accept"
        assert cy.post("/api/undo", {"uid": "u", "undoes": None}).json["progress"]["done"] == 0
        cy.answer({**settled, "uid": "again"})
    last = [row for row in live.stored() if row["uid"] == "again"]
    assert {row["mode"] for row in last} == {"adjudication"}
    assert not any("saw_proposal" in row for row in last)
    with live.session(annotators=("cy",), adjudicate=True) as session:
        assert session.progress("cy")["done"] == 1 and session.progress("cy")["left"] == 3


def test_everybody_does_the_same_texts_first() -> None:
    review = {"calibration_texts": 2, "calibration_floor": 0.9}
    live.write_project(train=6, gold=1, tasks=("product", "mood"), review=review)
    with live.server() as running:
        ann, bo = running.client("ann"), running.client("bo")
        one = answers_of(ann, [[1, 2, "PHONE"]])
        assert len(one) == 2 and {s["mode"] for s in one.values()} == {"calibration"}
        assert all(s["blind"] and not s["tasks"]["product"]["source"] for s in one.values())
        waiting = ann.next(5)
        assert (waiting["screens"], waiting["state"]) == ([], "calibrating")
        told = waiting["calibration"]
        assert (told["texts"], told["done"], told["open"]) == (2, 2, False)
        assert told["waiting_for"] == ["bo"]
        digest = next(iter(one))
        for number, spans in enumerate(([[3, 4, "MAKER"]], [[1, 2, "PHONE"]])):
            found = bo.next(5)["screens"] if number == 0 else one.values()
            for screen in found:
                tasks = {"product": {"spans": spans}, "mood": {"cats": ["HAPPY"]}}
                bo.answer(live.answer_to(screen, tasks=tasks))
            batch = bo.next(5)
            told = batch["calibration"]
            if number == 0:  # they differ
                assert batch["state"] == "calibrating" and told["agreement"] < 0.9
                assert not told["open"] and told["waiting_for"] == []
            else:  # they talked it over
                assert batch["state"] == "ok" and told["agreement"] == 1.0 and told["open"]
        assert bo.get(f"/api/evidence?digest={digest}&task=product").status == 200
    for row in live.stored():
        assert row["mode"] == "calibration" and "saw_proposal" not in row


# Two versions


def write_versions() -> Path:
    """A second config that asks `product` with guidelines, and its proposals, which differ."""
    live.write_project(train=4, gold=2, tasks=("product", "mood"))
    other = Path("other.cfg")
    other.write_text(live.CONFIG.read_text().replace('"Be kind."', '"No makers."'))
    nlp, found = load_prompted(other)
    key = prompted_tasks(nlp)["product"].key
    with Dataset(found.dataset) as dataset:
        for number in range(6):
            proposal = live.proposal_of(live.text_of(number), "product", key)
            if number != 1:  # on this one both say the same
                fewer = Annotation(spans=proposal.annotation.spans[:1])
                proposal = replace(proposal, annotation=fewer)
            dataset.add_proposals([proposal])
    return other


def test_two_versions_are_compared_blind() -> None:
    other = write_versions()
    with live.server(against=other) as running:
        ann = running.client()
        assert [t["name"] for t in ann.get("/api/session").json["tasks"]] == ["product"]
        batch = ann.next(10)
        screens = batch["screens"]
        assert len(screens) == 3  # neither gold, nor where both say the same
        assert text_digest(live.text_of(1)) not in {s["digest"] for s in screens}
        for screen in screens:
            assert screen["kind"] == "compare" and screen["blind"]
            assert [v["who"] for v in screen["versions"]] == ["A", "B"]
            assert "replay" not in json.dumps(screen) and "No makers" not in json.dumps(screen)
            spans = [len(v["tasks"]["product"]["spans"]) for v in screen["versions"]]
            assert spans == ([2, 1] if screen["shown"] == "ab" else [1, 2])
            reply = ann.get(f"/api/evidence?digest={screen['digest']}&task=product")
            assert reply.status == 403
        first = screens[0]
        for uid in ("u1", "u1"):  # sent twice, stored once
            body = {"uid": uid, "digest": first["digest"], "task": "product", "choice": "first"}
            reply = ann.post("/api/preference", {**body, "shown": first["shown"]}).json
            assert reply["progress"]["done"] == 1
        counted = ann.get("/api/compare").json
        assert counted["wins"] + counted["losses"] == 1 and len(counted["interval"]) == 2
        for change, status in (
            ({"choice": "third"}, 422),
            ({"digest": "x"}, 404),
            ({"task": "mood"}, 422),
            ({"uid": ""}, 422),
        ):
            bad = {"uid": "u2", "digest": first["digest"], "task": "product", "choice": "both"}
            assert ann.post("/api/preference", {**bad, **change}).status == status
        refused = ann.answer(live.answer_to(screens[1], tasks={"product": {"spans": []}}))
        assert refused["refused"][0]["error"].startswith("[H217]")
        assert len(ann.next(10)["screens"]) == 2
    with Dataset(load_prompted(live.CONFIG)[1].dataset) as dataset:
        (stored,) = preferences(dataset)
    longer = "first" if first["shown"] == "ab" else "second"
    assert stored.choice == longer and stored.first != stored.second
    assert live.stored() == []
    with live.session(against=other) as session:
        assert session.progress("ann")["done"] == 1


def test_preferences_are_refused_elsewhere() -> None:
    live.write_project()
    with live.server() as running:
        ann = running.client()
        body = {"uid": "u", "digest": "d", "task": "product", "choice": "both"}
        assert ann.post("/api/preference", body).json["error"].startswith("[H218]")
        assert ann.get("/api/compare").status == 422


def test_sides_are_shuffled_and_unshuffled() -> None:
    orders = [shown_order(f"text{i}", "ann") for i in range(200)]
    assert 60 < orders.count("ab") < 140
    for choice in CHOICES:
        assert unshuffle(unshuffle(choice, "ba"), "ba") == choice == unshuffle(choice, "ab")
    assert unshuffle("first", "ba") == "second"


def test_preferences_are_counted() -> None:
    task = ComparedTask("t", ("m", 1, "a"), ("m", 1, "b"))

    def said(text: str, choice: str, *, first: str = "a", second: str = "b") -> Preference:
        names = (f"m #1 {first}", f"m #1 {second}")
        return Preference(text, "t", *names, choice, "ann", uid=f"{text}{choice}{first}")

    stored = [
        said("1", "second"),
        said("1", "first"),  # changed their mind
        said("2", "second", first="b", second="a"),  # the other way round
        said("3", "second"),
        said("4", "both"),
        said("5", "neither"),
        said("6", "first", first="z"),  # of another comparison
    ]
    found = count(stored, [task])
    assert (found.wins, found.losses, found.ties) == (2, 1, 2)
    assert found.share == pytest.approx(2 / 3) and found.interval == wilson(2 / 3, 3)
    assert count([], [task]).share is None


# One form everywhere


def test_a_correction_is_offered_elsewhere_and_taken_back_as_one() -> None:
    texts = live.write_project(train=4, gold=2, tasks=("product", "mood"))
    gold = {text_digest(text) for text in texts[-2:]}
    with live.server() as running:
        ann = running.client()
        screens = {s["digest"]: s for s in ann.next(10)["screens"]}
        here, decided, *_ = [d for d in screens if d not in gold]
        ann.answer(live.answer_to(screens[decided]))
        ask = {"digest": here, "task": "product", "start": 1, "end": 2, "label": "MAKER"}
        found = ann.post("/api/occurrences", ask).json
        assert (found["form"], found["label"], found["more"]) == ("Nebula", "MAKER", 0)
        places = {o["digest"]: o for o in found["occurrences"]}
        assert len(places) == 3 and not gold & set(places) and here not in places
        assert places[decided]["decided"] and places[decided]["now"] == "PHONE"
        assert all(o["match"] == "Nebula" and o["differs"] for o in places.values())
        ids = [o["id"] for o in places.values()]
        wanted = {"uid": "p1", "task": "product", "form": "Nebula", "label": "MAKER", "ids": ids}
        for _ in range(2):  # sent twice, stored once
            assert ann.post("/api/propagate", wanted).json["saved"] == 3
        (row, _) = ann.get("/api/history?n=5").json["answers"]
        assert (row["mode"], row["texts"]) == ("propagated", 3)
        undecided = next(d for d in places if d != decided)
        spans = ann.get(f"/api/screen?digest={undecided}").json["tasks"]["product"]["annotation"]
        assert [(s["label"], s["source"]) for s in spans["spans"]] == [
            ("MAKER", "propagated"),
            ("MAKER", None),
        ]
        again = ann.get(f"/api/screen?digest={decided}").json["answer"]["tasks"]["product"]
        assert [s["label"] for s in again["spans"]] == ["MAKER", "MAKER"]
        assert ann.get("/api/session").json["progress"]["done"] == 1
        undone = ann.post("/api/undo", {"uid": "u1", "undoes": "p1"}).json
        assert len(undone["digests"]) == 3 and undone["screen"] is None
        again = ann.get(f"/api/screen?digest={decided}").json["answer"]["tasks"]["product"]
        assert [s["label"] for s in again["spans"]] == ["PHONE", "MAKER"]
    modes = [row.get("mode") for row in live.stored() if row["uid"] == "p1"]
    assert modes == ["propagated"] * 3


def test_gold_is_neither_asked_nor_decided_elsewhere() -> None:
    texts = live.write_project(train=2, gold=2, tasks=("product",))
    gold = text_digest(texts[-1])
    with live.server() as running:
        ann = running.client()
        ask = {"digest": gold, "task": "product", "start": 1, "end": 2, "label": "PHONE"}
        assert ann.post("/api/occurrences", ask).status == 422
        wanted = {"uid": "p", "task": "product", "form": "Nebula", "label": "PHONE"}
        assert ann.post("/api/propagate", {**wanted, "ids": [f"{gold}:4:10"]}).status == 422
        bad = [[f"{gold}"], ["x:y:z"], ["a:1:2:3"], [5], "x", None, [f"{gold}:{'9' * 30}:1"]]
        for ids in bad:
            assert ann.post("/api/propagate", {**wanted, "ids": ids}).status == 422
        for change in ({"start": 5, "end": 2}, {"start": "1"}, {"task": "x"}, {"label": "X"}):
            ask = {"digest": text_digest(texts[0]), "task": "product", "start": 1, "end": 2}
            assert ann.post("/api/occurrences", {**ask, **change}).status == 422
        assert ann.get("/api/consistency?task=x").status == 422
    assert live.stored() == []


def test_forms_that_were_treated_differently() -> None:
    live.write_project(train=4, gold=0, tasks=("product",))
    with live.server() as running:
        ann = running.client()
        for number, screen in enumerate(ann.next(10)["screens"]):
            spans = [[1, 2, "PHONE"], [3, 4, "MAKER" if number else "PHONE"]]
            tasks = {"product": {"spans": spans[:1] if number == 3 else spans}}
            ann.answer(live.answer_to(screen, tasks=tasks))
        found = ann.get("/api/consistency?task=product").json
        assert found["total"] == 1
        (form,) = found["forms"]
        assert form["form"] == "Orion" and form["labels"] == {"MAKER": 2, "PHONE": 1, "": 1}
        ask = {"task": "product", "form": "Orion", "label": "MAKER", "mode": "consistency"}
        places = ann.post("/api/occurrences", ask).json["occurrences"]
        assert [o["differs"] for o in places] == [True, True, False, False]
        ids = [o["id"] for o in places if o["differs"]]
        assert ann.post("/api/propagate", {**ask, "uid": "c", "ids": ids}).json["saved"] == 2
        assert ann.get("/api/consistency?task=product").json["total"] == 0
        ann.post("/api/undo", {"uid": "u", "undoes": "c"})
        assert ann.get("/api/consistency?task=product").json["total"] == 1
    assert {r["mode"] for r in live.stored() if r["uid"] == "c"} == {"consistency"}


def test_what_is_learned_is_offered_where_it_is_missing() -> None:
    review = {"recall_share": 0.5}
    live.write_project(train=5, gold=0, tasks=("product",), review=review)
    with live.server() as running:
        ann = running.client()
        screens = ann.next(5)["screens"]
        tokens = [t for t, _ in screens[0]["tokens"]]
        place = tokens.index("photos")
        for screen in screens[:2]:
            tasks = {"product": {"spans": [[1, 2, "PHONE"], [place, place + 1, "MAKER"]]}}
            ann.answer(live.answer_to(screen, tasks=tasks))
        later = ann.next(5)["screens"]
        extra = [e for s in later for e in s["tasks"]["product"]["extra"]]
        assert extra and {(e["start"], e["label"]) for e in extra} == {(place, "MAKER")}
