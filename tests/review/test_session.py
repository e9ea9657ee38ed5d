"""What comes next, what is stored, what is taken back; without HTTP."""

import copy
import functools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List

import live
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_hitl.dataset.store import Dataset
from spacy_hitl.exchange.run import import_file
from spacy_hitl.io import text_digest
from spacy_hitl.pipeline.loading import load_prompted
from spacy_hitl.records import BULK, GOLD, QueueText
from spacy_hitl.review.queue.loading import load_queue_texts, read_text
from spacy_hitl.review.server.api import Api
from spacy_hitl.review.server.routes import READS, WRITES
from spacy_hitl.review.server.wire import render
from spacy_hitl.review.session.catalogs import Catalogs
from spacy_hitl.review.session.evidence import Evidence
from spacy_hitl.review.session.session import Session


def make_api(session: Session) -> Api:
    nlp, found = load_prompted(live.CONFIG)
    from spacy_hitl.pipeline.loading import prompted_tasks

    evidence = Evidence(nlp, prompted_tasks(nlp), found.responses, found.privacy)
    return Api(session, Catalogs(session.plan), evidence)


def shown(session: Session, annotator: str = "ann", count: int = 1, **more: Any) -> List[Any]:
    """The next screens as the page gets them."""
    screens, _, _ = session.next(annotator, count=count, **more)
    catalogs = Catalogs(session.plan)
    return [render(session, catalogs, screen) for screen in screens]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> List[str]:
    monkeypatch.chdir(tmp_path)
    return live.write_project()


# Answers


def test_one_answer_is_one_decision_per_task(project: List[str]) -> None:
    with live.session() as session:
        (screen,) = (s for s in shown(session, count=8) if s["digest"] == text_digest(project[0]))
        answer = live.answer_to(screen, note="ok", edits={"product": 2})
        session.answer("ann", answer)
    rows = live.stored()
    assert [r["task"] for r in rows] == list(live.TASKS)
    for row in rows:
        assert (row["uid"], row["annotator"], row["origin"]) == (answer["uid"], "ann", "person")
        assert row["saw_proposal"] == "replay:none.jsonl" and row["mode"] == screen["mode"]
        assert row["note"] == "ok" and row["seconds"] == 1.5
    by_task = {r["task"]: r["annotation"] for r in rows}
    assert by_task["product"]["spans"][0] == {"start": 4, "end": 10, "label": "PHONE"}
    assert by_task["link"]["spans"][1]["kb_id"] == "NIL"
    assert by_task["made"]["relations"][0]["label"] == "MADE_BY"
    assert by_task["parts"]["spans"][1]["start"] == 28
    assert by_task["topics"]["cats"] == [{"label": "CAMERA"}]
    assert rows[0]["edits"] == 2 and "edits" not in rows[1]


def test_the_same_answer_again_is_not_stored_again() -> None:
    with live.session() as session:
        one, two = shown(session, count=2)
        answer = live.answer_to(one)
        for _ in range(3):
            assert session.answer("ann", copy.deepcopy(answer)) == answer["uid"]
        for thief, digest in (("bo", one["digest"]), ("ann", two["digest"])):
            with pytest.raises(Exception, match=r"\[H205\].*uid"):
                session.answer(thief, {**answer, "digest": digest})
        assert session.progress("ann")["mine"] == 1
    assert len(live.stored()) == len(live.TASKS)


def change(answer: Dict[str, Any], path: str, value: Any) -> Dict[str, Any]:
    changed = copy.deepcopy(answer)
    *folders, last = path.split(".")
    place = changed
    for name in folders:
        place = place[name]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return changed


BAD = [
    ("uid", "", "uid"),
    ("uid", "x" * 65, "uid"),
    ("uid", 5, "uid"),
    ("digest", ..., "digest"),
    ("digest", "0" * 64, "no text"),
    ("digest", "'; DROP TABLE texts", "no text"),
    ("action", "delete", "accept, reject, skip"),
    ("note", "x" * 2001, "2,000"),
    ("note", "a\x00b", "stored"),
    ("note", "\ud800", "stored"),
    ("edits", {"product": -1}, "edits"),
    ("edits", {"product": True}, "edits"),
    ("seconds", "soon", "seconds"),
    ("tasks", {}, "says nothing about the task 'product'"),
    ("tasks", [], "tasks"),
    ("tasks.mood", ..., "'mood'"),
    ("tasks.other", {}, "no task 'other'"),
    ("tasks.product.spans", [[0, 99, "PHONE"]], "0 to 99"),
    ("tasks.product.spans", [[-1, 1, "PHONE"]], "-1 to 1"),
    ("tasks.product.spans", [[2, 2, "PHONE"]], "2 to 2"),
    ("tasks.product.spans", [[2, 1, "PHONE"]], "2 to 1"),
    ("tasks.product.spans", [[0.0, 1.0, "PHONE"]], "0.0 to 1.0"),
    ("tasks.product.spans", [[True, 2, "PHONE"]], "True to 2"),
    ("tasks.product.spans", [["1", 2, "PHONE"]], "'1' to 2"),
    ("tasks.product.spans", [[10**30, 10**31, "PHONE"]], "tokens"),
    ("tasks.product.spans", [[1, 2, "COLOUR"]], "'COLOUR' is no label"),
    ("tasks.product.spans", [[1, 2, ["PHONE"]]], "no label"),
    ("tasks.product.spans", [[1, 2]], "[start, end, label]"),
    ("tasks.product.spans", [[1, 3, "PHONE"], [2, 4, "MAKER"]], "overlap"),
    ("tasks.product.spans", "x", "not a list"),
    ("tasks.product.spans", [[1, 2, "PHONE"]] * 2001, "2,000 items"),
    ("tasks.product.spans", [[1, 2, "PHONE"]], "on no mention"),  # link and relation hang
    ("tasks.link.spans", [[1, 2, "P1"]], "no link"),
    ("tasks.link.spans", [[1, 2, "P9"], [3, 4, None]], "'P9' is in no entry"),
    ("tasks.link.spans", [[1, 2, 5], [3, 4, None]], "5 is in no entry"),
    ("tasks.link.spans", [[1, 2, ["P1"]], [3, 4, None]], "in no entry"),
    ("tasks.made.relations", [[[1, 2], [5, 6], "MADE_BY"]], "ends on no mention"),
    ("tasks.made.relations", [[[3, 4], [1, 2], "MADE_BY"]], "can't connect MAKER to PHONE"),
    ("tasks.made.relations", [[[1, 2], [1, 2], "MADE_BY"]], "to itself"),
    ("tasks.made.relations", [[[1, 2], [3, 4], "LIKES"]], "'LIKES' is no label"),
    ("tasks.made.relations", [[1, 2, "MADE_BY"]], "[head, tail, label]"),
    ("tasks.topics.cats", ["ZOOM"], "'ZOOM' is no label"),
    ("tasks.topics.cats", [{"label": "CAMERA"}], "no label"),
    ("tasks.mood.cats", [], "exactly one category, not 0"),
    ("tasks.mood.cats", ["HAPPY", "SAD"], "exactly one category, not 2"),
]


@pytest.mark.parametrize("path, value, message", BAD)
def test_what_can_not_be_stored_is_refused_whole(path: str, value: Any, message: str) -> None:
    with live.session() as session:
        screen = next(s for s in shown(session, count=8) if not s["blind"])
        with pytest.raises(Exception) as caught:
            session.answer("ann", change(live.answer_to(screen), path, value))
        assert str(caught.value).startswith(("[H205]", "[H206]")) and message in str(caught.value)
        assert session.progress("ann")["mine"] == 0
        session.answer("ann", live.answer_to(screen))  # what is right is stored after it
    assert len(live.stored()) == len(live.TASKS)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=9))
@settings(max_examples=60)
def test_nothing_that_is_sent_breaks_the_reader(value: Any) -> None:
    from spacy_hitl.errors import InputError
    from spacy_hitl.review.session.answers import read_answer

    for sent in (value, {"uid": value}, {"uid": "u", "digest": "d", "action": value}):
        with pytest.raises(InputError):
            read_answer(sent)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), 1e9, None])
def test_a_time_that_is_none_is_not_stored(seconds: Any) -> None:
    with live.session() as session:
        (screen,) = shown(session)
        session.answer("ann", live.answer_to(screen, seconds=seconds))
    assert all("seconds" not in row for row in live.stored())


def test_reject_skip_and_put_aside() -> None:
    with live.session() as session:
        one, two, three = shown(session, count=3)
        session.answer("ann", live.answer_to(one, action="reject", tasks={}))
        session.answer("ann", live.answer_to(two, action="skip", tasks={}))
        session.answer("ann", live.answer_to(three, action="skip", flagged=True, tasks={}))
        progress = session.progress("ann")
        assert (progress["done"], progress["skipped"], progress["flagged"]) == (1, 1, 1)
        left = [s["digest"] for s in shown(session, count=20)]
        assert two["digest"] == left[-1]  # comes back at the end
        assert one["digest"] not in left and three["digest"] not in left
    actions = [row["action"] for row in live.stored()][:: len(live.TASKS)]
    assert actions == ["reject", "skip", "flag"]


# Blind texts


def test_gold_is_blind_whatever_the_page_says() -> None:
    with live.session() as session:
        screen = next(s for s in shown(session, count=8) if s["blind"])
        assert screen["mode"] == "blind"
        for mode in ("routed", "bulk", "nonsense", None, "blind"):
            session.answer("ann", live.answer_to(screen, mode=mode))
    for row in live.stored():
        assert row["mode"] == "blind" and "saw_proposal" not in row


@pytest.mark.parametrize("mode", ["blind", "calibration", "bulk", "propagated", "nonsense", None])
def test_a_text_that_was_not_blind_is_not_stored_as_blind(mode: Any) -> None:
    with live.session() as session:
        screen = next(s for s in shown(session, count=8) if not s["blind"])
        session.answer("ann", live.answer_to(screen, mode=mode))
    assert {row["mode"] for row in live.stored()} <= {"routed", "random"}
    assert all(row["saw_proposal"] for row in live.stored())


def test_no_route_gives_away_what_was_proposed_for_gold(project: List[str]) -> None:
    """Every request, with every gold text, before and after it was answered, by two people."""
    gold = [text_digest(text) for text in project[-2:]]
    settings_ = load_prompted(live.CONFIG)[1]
    with Dataset(settings_.dataset) as dataset:  # no answer of a person could hold this
        for name in live.TASKS:
            for digest in gold:
                record = dataset.proposals(name, digest)[0].to_dict()
                text = json.dumps(record).replace("replay:none.jsonl", live.SECRET)
                dataset.db.run(
                    "UPDATE proposals SET record = ? WHERE task = ? AND digest = ?",
                    (text, name, digest),
                )
        assert any(live.SECRET in p.source for p in dataset.proposals("product", gold[0]))
    told: List[str] = []

    def ask_everything(api: Api, annotator: str) -> None:
        for digest in gold:
            for name, task in [(n, t) for n in (*READS, *WRITES) for t in live.TASKS]:
                query = {"digest": digest, "task": task, "q": "neb", "n": "20", "offset": "0"}
                body = {
                    **query,
                    "n": 20,
                    "have": [],
                    "uid": f"{name}{task}",
                    "start": 1,
                    "end": 2,
                    "label": "PHONE",
                    "form": "Nebula",
                    "ids": [f"{digest}:4:10"],
                    "answers": [],
                    "choice": "both",
                }
                try:
                    call: Any = READS.get(name) or WRITES[name]
                    told.append(json.dumps(call(api, annotator, query if name in READS else body)))
                except Exception as e:
                    assert str(e).startswith("[H"), (name, e)

    with live.session() as session:
        api = make_api(session)
        for annotator in ("ann", "bo"):
            ask_everything(api, annotator)
            for screen in [s for s in shown(session, annotator, count=20) if s["blind"]]:
                told.append(json.dumps(screen))
                answer = live.answer_to(screen)
                answer["tasks"] = {n: {**t, "spans": []} for n, t in answer["tasks"].items()}
                session.answer(annotator, answer)
            ask_everything(api, annotator)
    assert len(told) > 50 and any(gold[0] in t for t in told)
    assert not any(live.SECRET in t for t in told)
    for text in told:  # nor what it annotates
        if f'"digest": "{gold[0]}"' in text and '"tokens"' in text:
            screen = json.loads(text)
            for one in screen.get("screens", [screen.get("screen") or screen]):
                if one.get("digest") in gold and not one.get("answer"):
                    assert all(not t["annotation"]["spans"] for t in one["tasks"].values())


def test_links_alone_wait_for_the_mentions_of_gold(project: List[str]) -> None:
    with live.session(tasks=("link",)) as session:
        screens = shown(session, count=20)
        assert not any(s["blind"] for s in screens) and len(screens) == 6
        first = screens[0]["tasks"]["link"]
        assert [m["start"] for m in first["mentions"]] == [1, 3]
        assert [s["id"] for s in first["annotation"]["spans"]] == ["P1", "NIL"]
    with live.session(tasks=("product",)) as session:
        for screen in [s for s in shown(session, count=20) if s["blind"]]:
            tasks = {"product": {"spans": [[1, 2, "PHONE"]]}}
            session.answer("ann", live.answer_to(screen, tasks=tasks))
    with live.session(tasks=("link",)) as session:
        blind = [s for s in shown(session, count=20) if s["blind"]]
        assert len(blind) == 2
        (span,) = blind[0]["tasks"]["link"]["annotation"]["spans"]
        assert (span["start"], span["end"], span["id"]) == (1, 2, None)
        session.answer("ann", live.answer_to(blind[0], tasks={"link": {"spans": [[1, 2, "P2"]]}}))
    assert live.stored()[-1]["annotation"]["spans"][0]["kb_id"] == "P2"


# Undo


def test_undo_opens_the_text_again_and_survives_a_restart() -> None:
    with live.session() as session:
        one, two = shown(session, count=2)
        for screen in (one, two):
            session.answer("ann", live.answer_to(screen))
        assert session.undo("ann", "u1", None)[1] == [two["digest"]]
        assert session.undo("ann", "u1", None)[1] == [two["digest"]]  # the same undo again
        assert session.progress("ann")["mine"] == 1
    with live.session() as session:
        assert session.progress("ann")["mine"] == 1
        assert session.undo("ann", "u2", None)[1] == [one["digest"]]
        with pytest.raises(Exception, match="H211"):
            session.undo("ann", "u3", None)
        assert session.progress("ann")["mine"] == 0
        answer = live.answer_to(two)  # redo is answering again
        session.answer("ann", answer)
        assert session.progress("ann")["mine"] == 1


def test_only_own_answers_are_taken_back() -> None:
    with live.session() as session:
        (screen,) = shown(session)
        answer = live.answer_to(screen)
        session.answer("ann", answer)
        for undoes in (answer["uid"], None, "nothing"):
            with pytest.raises(Exception, match="H211"):
                session.undo("bo", "u1", undoes)
        assert session.progress("ann")["mine"] == 1


def test_counters_equal_a_recount() -> None:
    """After any mixture of answers, skips, flags and undos; also read the fast way."""

    @given(st.lists(st.sampled_from(["accept", "reject", "skip", "flag", "undo"]), max_size=12))
    @settings(max_examples=15)
    def run(steps: List[str]) -> None:
        with live.session() as session:
            for number, step in enumerate(steps):
                who = ("ann", "bo")[number % 2]
                if step == "undo":
                    if session.tally.last(who):
                        session.undo(who, live.uuid.uuid4().hex, None)
                    continue
                for screen in shown(session, who):
                    action = "skip" if step == "flag" else step
                    answer = live.answer_to(screen, action=action, flagged=step == "flag")
                    session.answer(who, answer)
            told = {a: session.progress(a) for a in ("ann", "bo")}
            clocks = {a: session.tally.clock.clock(a) for a in ("ann", "bo")}
            answers = session.tally.all_answers()
            flags = session.tally.flagged(99)
            known = session.sources
            for text in load_queue_texts(known).texts:
                assert text == read_text(known, QueueText(text.digest, text.lane))
        with live.session() as again:
            for annotator, progress in told.items():
                recount = again.progress(annotator)
                for name in ("done", "total", "gold_done", "gold_total", "mine", "left", "flagged"):
                    assert recount[name] == progress[name], name
                assert again.tally.clock.clock(annotator).decisions == clocks[annotator].decisions
            assert again.tally.all_answers() == answers
            assert again.tally.flagged(99) == flags

    run()


# Leases


def test_two_people_get_different_texts() -> None:
    with live.session() as session:
        one = {s["digest"] for s in shown(session, "ann", count=4)}
        other = {s["digest"] for s in shown(session, "bo", count=20)}
        assert len(one) == len(other) == 4 and not one & other
        screens, state, message = session.next("bo", count=3, have=sorted(other))
        assert (screens, state) == ([], "waiting") and message


def test_two_tabs_get_different_texts_and_a_reload_the_same() -> None:
    with live.session() as session:
        one = [s["digest"] for s in shown(session, count=3, tab="one")]
        two = [s["digest"] for s in shown(session, count=3, tab="two")]
        assert not set(one) & set(two)
        more = [s["digest"] for s in shown(session, count=1, tab="one", have=one)]
        assert not set(more) & {*one, *two}
        reloaded = [s["digest"] for s in shown(session, count=4, tab="one")]
        assert set(reloaded) == {*one, *more}


def test_the_texts_of_a_closed_or_silent_tab_come_last() -> None:
    with live.session() as session:
        clock = [session.now()]
        session.now = session.leases._now = lambda: clock[0]
        one = {s["digest"] for s in shown(session, count=6, tab="one")}
        two = {s["digest"] for s in shown(session, count=20, tab="two")}
        assert len(two) == 2 and not one & two
        assert session.next("ann", count=5, have=sorted(two), tab="two")[1] == "waiting"
        found = session.next("ann", count=9, have=sorted(two), tab="two", closed=["one"])[0]
        assert {s.turn.digest for s in found} == one
        assert session.next("ann", count=5, tab="three")[1] == "waiting"
        clock[0] += 3 * 60
        assert len(session.next("ann", count=20, tab="three")[0]) == 8
        assert session.next("bo", count=5)[1] == "waiting"


def test_a_restart_honours_leases() -> None:
    with live.session() as session:
        mine = {s["digest"] for s in shown(session, "ann", count=5, tab="one")}
    with live.session() as session:
        others = {s["digest"] for s in shown(session, "bo", count=20)}
        assert len(others) == 3 and not mine & others
        again = {s["digest"] for s in shown(session, "ann", count=20, tab="two")}
        assert again == mine  # nothing else is left


def test_leases_expire_are_renewed_and_given_back() -> None:
    with live.session(annotators=("ann", "bo")) as session:
        clock = [1_000_000.0]
        session.now = session.leases._now = lambda: clock[0]
        one = [s["digest"] for s in shown(session, "ann", count=4)]
        clock[0] += 29 * 60
        session.next("ann", count=0, have=one[:2])  # renews these
        clock[0] += 2 * 60
        others = {s["digest"] for s in shown(session, "bo", count=20)}
        assert others & {*one} == {*one[2:]}
        session.answer("ann", live.answer_to(shown_again(session, one[0])))
        assert one[0] not in session.leases.others("bo")


def shown_again(session: Session, digest: str) -> Any:
    return render(session, Catalogs(session.plan), session.reopen("ann", digest))


def test_a_clock_that_jumps_back_locks_nothing_for_long() -> None:
    with live.session() as session:
        clock = [2_000_000_000.0]
        session.now = session.leases._now = lambda: clock[0]
        shown(session, "ann", count=8)
        for screen in [shown_again(session, d) for d in list(session.leases._held)[:2]]:
            session.answer("ann", live.answer_to(screen))
        clock[0] -= 365 * 24 * 3600
        session.undo("ann", "u", None)
        assert session.progress("ann")["mine"] == 1
    with live.session() as session:  # the clock of this machine is years behind
        assert session.progress("ann")["mine"] == 1
        limit = session.now() + 30 * 60 + 1
        held = [lease for by in session.leases._held.values() for lease in by.values()]
        assert held and all(lease.expires <= limit for lease in held)


# Passes, imports, other texts


def test_one_label_at_a_time() -> None:
    with live.session(label="PHONE") as session:
        assert list(session.plan) == ["product"]
        screen = next(s for s in shown(session, count=8) if not s["blind"])
        spans = screen["tasks"]["product"]["annotation"]["spans"]
        assert [s["label"] for s in spans] == ["PHONE"]
        bad = live.answer_to(screen, tasks={"product": {"spans": [[3, 4, "MAKER"]]}})
        with pytest.raises(Exception, match="no label"):
            session.answer("ann", bad)
        session.answer("ann", live.answer_to(screen))
        assert session.progress("ann")["mine"] == 1
    (row,) = live.stored()
    assert row["labels"] == ["PHONE"] and row["mode"] == "one label"
    with live.session(label="MAKER") as session:
        assert session.progress("ann")["mine"] == 0  # not looked at yet
        assert screen["digest"] in [s["digest"] for s in shown(session, count=8)]
    with live.session(tasks=("product",)) as session:
        assert session.progress("ann")["mine"] == 0
    with pytest.raises(Exception, match=r"\[H203\].*PHONE"), live.session(label="COLOUR"):
        pass


def test_texts_come_again_for_what_changed_in_the_task() -> None:
    live.write_project(train=3, gold=1, tasks=("product",))
    with live.session() as session:
        for screen in shown(session, count=20):
            tasks = {"product": {"spans": [[1, 2, "PHONE"]]}}
            session.answer("ann", live.answer_to(screen, tasks=tasks))
        assert session.progress("ann")["done"] == 4
    config = live.CONFIG.read_text()

    def edit(before: str, after: str, more: str = "") -> None:
        assert before in config
        live.CONFIG.write_text(config.replace(before, after) + more)

    edit('"Be kind."', '"Be strict."')
    with live.session() as session:  # other guidelines alone change nothing
        assert session.progress("ann")["done"] == 4
    edit('["PHONE", "MAKER"]', '["PHONE", "MAKER", "SHOP"]')
    with live.session() as session:  # nobody looked for shops
        assert session.progress("ann")["done"] == 0
        for screen in shown(session, count=20):
            spans = screen["tasks"]["product"]["annotation"]["spans"]
            wanted = [] if screen["blind"] else [("PHONE", "decided")]
            assert [(s["label"], s["source"]) for s in spans] == wanted
    changes = "[hitl.changes]\n\n[hitl.changes.product]\n\n[hitl.changes.product.rename]"
    changes = f'\n{changes}\nMAKER = "SHOP"\n'
    edit('["PHONE", "MAKER"]', '["PHONE", "SHOP"]', changes)
    with live.session() as session:
        assert session.progress("ann")["done"] == 4


def test_imported_decisions_count_and_are_shown(project: List[str]) -> None:
    Path("done.jsonl").write_text(json.dumps({"text": project[0], "product": [[4, 10, "MAKER"]]}))
    import_file(live.CONFIG, Path("done.jsonl"))
    with live.session(tasks=("product",)) as session:
        assert session.progress("ann")["done"] == 1
        assert text_digest(project[0]) not in [s["digest"] for s in shown(session, count=20)]
    with live.session() as session:  # the other tasks are open: what is decided is shown
        digest = text_digest(project[0])
        (screen,) = [s for s in shown(session, count=20) if s["digest"] == digest]
        task = screen["tasks"]["product"]
        assert task["source"] == "import:done.jsonl"
        assert [s["label"] for s in task["annotation"]["spans"]] == ["MAKER"]


def test_texts_that_were_not_annotated_yet_wait() -> None:
    live.write_project(train=3, gold=1, texts=["Not asked about yet."])
    with live.session() as session:
        assert session.progress("ann")["total"] == 4
    live.write_project(train=0, gold=0, texts=["Nothing", "was asked."])
    with live.session() as session:
        assert session.progress("ann")["total"] == 2


def test_spans_that_stand_on_no_token_are_widened_and_said() -> None:
    from spacy_hitl.records import Annotation, SpanAnnotation
    from spacy_hitl.review.session.screens import Tokens, show

    nlp, _ = load_prompted(live.CONFIG)
    tokens = Tokens.of(nlp.make_doc("Unbelievable 💩 cafe\u0301s"))
    spans = (SpanAnnotation(2, 9, "A"), SpanAnnotation(10, 12, "B"))
    found = show(Annotation(spans=spans), tokens, kind="ner")
    assert [(s["start"], s["end"]) for s in found.value["spans"]] == [(0, 1)]
    assert len(found.snapped) == 2 and "can't be shown" in found.snapped[1]
    assert len(show(Annotation(spans=spans), tokens, kind="spancat").value["spans"]) == 2


@functools.cache
def tokenizer() -> Any:
    import spacy

    return spacy.blank("en").tokenizer


@given(st.text(alphabet="aé 💩\n\t.ʼ-م\u0301\u200d", min_size=1, max_size=30), st.data())
@settings(max_examples=60)
def test_token_indices_and_characters_agree(text: str, data: Any) -> None:
    from spacy_hitl.review.session.screens import Tokens

    tokens = Tokens.of(tokenizer()(text))
    shown_ = tokens.shown()
    assert "".join(t + " " * s for t, s in shown_) == text
    start = data.draw(st.integers(0, len(tokens) - 1))
    end = data.draw(st.integers(start + 1, len(tokens)))
    place = tokens.chars(start, end)
    assert tokens.cover(*place) == ((start, end), True)


def test_a_text_of_five_thousand_tokens() -> None:
    text = " ".join(f"word{i}" for i in range(5000))
    live.write_project(train=0, gold=0, texts=[text], tasks=("product", "mood"))
    with live.session() as session:
        (screen,) = [s for s in shown(session, count=20) if len(s["tokens"]) == 5000]
        tasks = {"product": {"spans": [[4990, 5000, "PHONE"]]}, "mood": {"cats": ["SAD"]}}
        session.answer("ann", live.answer_to(screen, tasks=tasks))
    span = live.stored()[0]["annotation"]["spans"][0]
    assert text[span["start"] : span["end"]].split()[0] == "word4990" and span["end"] == len(text)


def test_gold_is_a_lane_and_nothing_else(project: List[str]) -> None:
    with live.session() as session:
        for text in project:
            lane = session.texts.lane(text_digest(text))
            assert session.sight.is_blind("ann", text_digest(text)) is (lane == GOLD)


def test_backspace_never_takes_a_bulk_accept_back(project: List[str]) -> None:
    """Its own command does; a key that was pressed for one text must not undo hundreds."""
    with live.session() as session:
        one, two = shown(session, count=2)
        session.answer("ann", live.answer_to(one))
        stored = session.dataset.decisions("product", one["digest"])[0]
        bulk = replace(stored, text_digest=two["digest"], uid="bulk", mode=BULK)
        session.dataset.add_decisions([bulk])
    with live.session() as session:
        undone, digests = session.undo("ann", "undo-1", None)
        assert (undone, digests) == (stored.uid, [one["digest"]])
        with pytest.raises(Exception, match=r"\[H\d{3}\]"):
            session.undo("ann", "undo-2", None)
