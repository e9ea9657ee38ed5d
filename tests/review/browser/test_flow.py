"""From text to text: reloads, tabs, several people, answers that are opened again."""

from typing import Any, Callable, List, Set

import live
import pytest
from world import Text, decisions, write_project

TEXTS = [
    Text(f"The Nebula {n} from Orion.", spans={"product": [("Nebula", "PHONE")]}) for n in range(12)
]


@pytest.fixture
def server(serve: Callable[..., Any]) -> Any:
    """Twelve texts of one entity task."""
    return serve(TEXTS)


def test_a_reload_keeps_the_text_and_what_was_done_to_it(server: Any, open_page: Any) -> None:
    ann = open_page(server.links["ann"]).ready()
    digest = ann.digest
    ann.press("j", "2", "f")
    ann.page.reload()
    ann.ready().state(digest=digest)
    assert ann.suggestions() == ["Nebula MAKER"]
    ann.see(".tools [aria-pressed=true]", "flagged")
    ann.press("a").state(pending=0)
    stored = decisions()[-1]
    assert (stored["edits"], stored["flagged"]) == (1, True)


def test_a_text_that_was_opened_again_survives_a_reload(server: Any, open_page: Any) -> None:
    ann = open_page(server.links["ann"]).ready()
    digest = ann.digest
    ann.press("a").state(pending=0)
    ann.page.locator(".answers button").first.click()
    ann.state(digest=digest)
    ann.press("j", "2")
    ann.page.reload()
    ann.ready().state(digest=digest)
    assert ann.suggestions() == ["Nebula MAKER"]


def test_no_text_is_handed_out_twice(server: Any, open_page: Any) -> None:
    ann = open_page(server.links["ann"]).ready()
    seen: List[str] = []
    for n in range(12):
        seen.append(ann.ready().digest)
        ann.press("a").state(answered=n + 1)
    ann.state(state="empty", pending=0)
    assert len(set(seen)) == 12
    assert len({d["text_digest"] for d in decisions()}) == 12


def test_texts_are_asked_for_one_request_at_a_time(server: Any, open_page: Any) -> None:
    ann = open_page(server.links["ann"]).ready()
    under_way: Set[Any] = set()
    most: List[int] = []

    def begin(request: Any) -> None:
        if request.url.endswith("/api/next"):
            under_way.add(request)
            most.append(len(under_way))

    ann.page.on("request", begin)
    ann.page.on("requestfinished", lambda request: under_way.discard(request))
    ann.page.on("requestfailed", lambda request: under_way.discard(request))
    for n in range(8):
        ann.ready().press("a").state(answered=n + 1)
    ann.state(pending=0)
    assert most and max(most) == 1


def test_two_people_get_different_texts(server: Any, open_page: Any) -> None:
    ann = open_page(server.links["ann"]).ready()
    bo = open_page(server.links["bo"]).ready()
    bo.see(".who", "bo")
    for n in range(4):
        ann.ready().press("a").state(answered=n + 1)
        bo.ready().press("a").state(answered=n + 1)
    ann.state(pending=0)
    bo.state(pending=0)
    stored = decisions()
    assert len({d["text_digest"] for d in stored}) == len(stored) == 8
    assert {d["annotator"] for d in stored} == {"ann", "bo"}


def test_two_tabs_of_one_person_share_the_work(server: Any, open_page: Any) -> None:
    one = open_page(server.links["ann"]).ready()
    url = server.links["ann"].partition("?")[0]
    other = open_page(url, context=one.page.context).ready()
    assert one.digest != other.digest
    for n in range(3):
        one.ready().press("a").state(answered=n + 1)
        other.ready().press("a").state(answered=n + 1)
    one.state(pending=0)
    other.state(pending=0)
    stored = [d["text_digest"] for d in decisions()]
    assert len(stored) == len(set(stored)) == 6


def test_a_duplicated_tab_becomes_one_of_its_own(server: Any, open_page: Any) -> None:
    one = open_page(server.links["ann"]).ready()
    name = one.page.evaluate("sessionStorage['hitl-tab']")
    context = one.page.context
    context.add_init_script(f"sessionStorage['hitl-tab'] ??= {name!r}")  # as browsers copy it
    other = open_page(server.links["ann"].partition("?")[0], context=context).ready()
    assert other.page.evaluate("sessionStorage['hitl-tab']") != name
    assert other.digest != one.digest


def test_waiting_is_told_from_nothing_left(serve: Any, open_page: Any) -> None:
    server = serve(TEXTS[:2])
    ann = open_page(server.links["ann"]).ready()
    bo = open_page(server.links["bo"]).state(state="waiting")
    bo.see(".place", "Waiting for the others")
    ann.press("a", "a").state(state="empty", pending=0)
    bo.state(state="empty")
    bo.see(".place", "Nothing is left for you")


def test_the_last_answers_open_again(server: Any, open_page: Any) -> None:
    ann = open_page(server.links["ann"]).ready()
    digest = ann.digest
    ann.press("x", "a").state(answered=2, pending=0)
    assert [r.inner_text().split("\n")[-1] for r in ann.page.locator(".answers .row").all()] == [
        "PHONE",
        "rejected",
    ]
    before = ann.digest
    ann.page.locator(".answers button").last.click()
    ann.state(digest=digest)
    ann.see(".mode", "opened again")
    ann.press("a").state(pending=0, digest=before)
    stored = [d for d in decisions() if d["text_digest"] == digest]
    assert [d["action"] for d in stored] == ["reject", "accept"]
    assert stored[-1]["mode"] == "reopened"


def test_going_back_after_a_reload(server: Any, open_page: Any) -> None:
    ann = open_page(server.links["ann"]).ready()
    digest = ann.digest
    ann.press("j", "2", "a").state(answered=1, pending=0)
    ann.page.reload()
    ann.ready().press("Backspace").state(digest=digest, pending=0)
    assert ann.suggestions() == ["Nebula MAKER"]
    ann.press("Backspace")
    ann.see(".toast.bad", "no answer")
    ann.errors = [e for e in ann.errors if "422" not in e]


def test_skipped_texts_come_back_at_the_end(serve: Any, open_page: Any) -> None:
    ann = open_page(serve(TEXTS[:2]).links["ann"]).ready()
    digest = ann.digest
    ann.press("Space", "a").state(answered=2, pending=0, digest=digest)
    ann.press("a").state(state="empty", pending=0)


def test_progress_and_pace_are_shown(server: Any, open_page: Any) -> None:
    ann = open_page(server.links["ann"]).ready()
    for n in range(6):
        ann.ready().press("a").state(answered=n + 1)
    ann.state(pending=0)
    ann.see(".progress", "6 of 12")
    ann.see(".pace", "/h")


def test_a_server_with_other_tasks_is_noticed(here: Any, open_page: Any) -> None:
    texts = [Text(f"The Nebula {n}.", cats={"topics": ["CAMERA"]}) for n in range(8)]
    write_project(texts, tasks=("product", "topics"))
    with live.server(tasks=("product",)) as server:
        link = server.links["ann"]
        ann = open_page(link).ready()
        assert ann.page.locator(".cats").count() == 0
    ann.press("a", "a", "a").state(answered=3)
    with live.server() as server:
        assert server.links["ann"].partition("?")[0] == link.partition("?")[0]
        ann.page.locator("#saved button").click()
        ann.state(pending=0)
        for n in range(3, 8):
            ann.ready()
            if ann.page.locator(".cats").count():
                break
            ann.press("a").state(answered=n + 1)
        ann.see(".cats", "CAMERA")


def test_answers_that_change_nothing_are_noted_gently(server: Any, open_page: Any) -> None:
    def waved_through(route: Any) -> None:
        reply = route.fetch()
        clock = {"decisions": 60, "seconds_median": 1.5, "per_hour": 900.0, "untouched_share": 0.98}
        route.fulfill(response=reply, json={**reply.json(), "clock": clock})

    ann = open_page("about:blank")
    ann.page.route("**/api/session", waved_through)
    ann.page.goto(server.links["ann"])
    ann.ready().see(".banner", "98% of your answers leave everything as it was shown")
    ann.see(".pace", "900/h · 1.5 s")
