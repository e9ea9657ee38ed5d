"""Answers on their way: a dead server, a closed tab, a full disk. None is lost or doubled."""

from typing import Any, Callable, List

import pytest
from world import Text, decisions

TEXTS = [
    Text(f"The Nebula {n} from Orion.", spans={"product": [("Nebula", "PHONE")]}) for n in range(4)
]


@pytest.fixture
def running(program: Callable[..., Any]) -> Any:
    """The command, on four texts."""
    return program(TEXTS)


def accepted() -> List[str]:
    """Digests of the accepted texts, in the order they were stored."""
    return [d["text_digest"] for d in decisions() if d["action"] == "accept"]


def test_a_killed_server_loses_nothing(running: Any, open_page: Any) -> None:
    ann = open_page(running.links["ann"]).ready()
    ann.press("a").state(answered=1, pending=0)
    running.kill()
    digests = accepted()
    for n in range(3):
        digests.append(ann.digest)
        ann.press("a").state(answered=2 + n, pending=1 + n)
    ann.see("#saved", "offline – 3 unsaved")
    ann.state(state="offline")
    ann.see(".place", "The server can’t be reached")
    ann.see(".place", "3 answers are not saved yet")
    running.start()
    ann.state(pending=0, state="empty")
    ann.see(".place", "Nothing is left for you")
    assert accepted() == digests and len(set(digests)) == 4


def test_a_closed_tab_loses_nothing(running: Any, open_page: Any) -> None:
    ann = open_page(running.links["ann"]).ready()
    running.kill()
    ann.press("a", "a").state(pending=2)
    ann.see("#saved", "offline")
    asked = []
    ann.page.on("dialog", lambda d: (asked.append(d.type), d.accept()))
    context = ann.page.context
    ann.page.close(run_before_unload=True)
    running.start()
    later = open_page(running.links["ann"].partition("?")[0], context=context).ready()
    later.state(pending=0)
    assert asked == ["beforeunload"]
    assert len(set(accepted())) == 2
    assert later.digest not in accepted()


def test_going_back_while_the_server_is_away(running: Any, open_page: Any) -> None:
    ann = open_page(running.links["ann"]).ready()
    running.kill()
    digest = ann.digest
    ann.press("x").state(pending=1)
    ann.press("Backspace").state(pending=2, digest=digest)
    ann.press("j", "2", "a").state(pending=3)
    running.start()
    ann.state(pending=0)
    assert [d["action"] for d in decisions()] == ["reject", "undo", "accept"]
    assert decisions()[-1]["annotation"]["spans"][0]["label"] == "MAKER"


def test_the_order_is_kept_when_the_clock_is_set_back(running: Any, open_page: Any) -> None:
    ann = open_page(running.links["ann"]).ready()
    running.kill()
    digests = []
    for now in (2_000_000_000_000, 1_000_000_000_000, 1_500_000_000_000):
        ann.page.evaluate("now => { Date.now = () => now; }", now)
        digests.append(ann.digest)
        ann.press("a").state(pending=len(digests))
    running.start()
    ann.state(pending=0)
    assert accepted() == digests


def test_what_is_refused_is_shown_once_and_never_sent_again(running: Any, open_page: Any) -> None:
    ann = open_page(running.links["ann"]).ready()
    running.kill()
    bad, good = ann.digest, None
    ann.press("a").state(pending=1)
    good = ann.digest
    ann.press("a").state(pending=2)
    ann.page.evaluate(
        """() => {
            const key = Object.keys(localStorage).filter(k => k.startsWith("hitl-out:")).sort()[0];
            const entry = JSON.parse(localStorage[key]);
            entry.body.tasks.product.spans = [[0, 99, "PHONE"]];
            localStorage[key] = JSON.stringify(entry);
        }"""
    )
    running.start()
    ann.state(pending=0)
    assert accepted() == [good]
    ann.see(".banner.bad", "1 answer was refused")
    ann.page.reload()
    ann.ready().see(".banner.bad", "1 answer was refused").first.locator("button").click()
    ann.see("dialog .refusals", "99")
    ann.page.get_by_role("button", name="Open the text").click()
    ann.state(digest=bad).gone(".banner.bad")
    ann.press("a").state(pending=0)
    assert accepted() == [good, bad]


def test_a_full_disk(running: Any, open_page: Any) -> None:
    ann = open_page(running.links["ann"]).ready()
    body = '{"error": "[H212] No space is left on the disk."}'

    def no_space(route: Any) -> None:
        route.fulfill(status=507, content_type="application/json", body=body)

    ann.page.route("**/api/answers", no_space)
    ann.press("a").state(pending=1)
    ann.see(".banner.bad", "No space is left")
    ann.see("#saved", "not saved – 1 waiting")
    ann.page.unroute("**/api/answers")
    ann.page.locator("#saved button").click()
    ann.state(pending=0).gone(".banner.bad")
    assert len(accepted()) == 1
    ann.errors = [e for e in ann.errors if "507" not in e]


def test_signed_out_and_in_again(running: Any, open_page: Any) -> None:
    ann = open_page(running.links["ann"]).ready()
    ann.page.context.clear_cookies()
    ann.press("a").state(pending=1)
    ann.see(".banner.bad", "You are signed out")
    running.kill()
    running.start()
    # Not ready(): the first page asks as soon as it may, and then has all texts that are left.
    open_page(running.links["ann"], context=ann.page.context)
    ann.state(pending=0)
    assert len(accepted()) == 1
    ann.errors = [e for e in ann.errors if "401" not in e]


def test_a_browser_that_keeps_nothing(running: Any, open_page: Any) -> None:
    ann = open_page("about:blank")
    ann.page.add_init_script(
        "Storage.prototype.setItem = () => { throw new DOMException('', 'QuotaExceededError'); }"
    )
    ann.page.goto(running.links["ann"])
    ann.ready()
    running.kill()
    ann.press("a").state(pending=1)
    ann.see(".toast.bad", "leave the page open until everything is saved")
    running.start()
    ann.state(pending=0)
    assert len(accepted()) == 1


def test_the_finish_button_ends_the_command_well(running: Any, open_page: Any) -> None:
    ann = open_page(running.links["ann"]).ready()
    ann.press("a").state(pending=0)
    ann.page.get_by_role("button", name="Finish").click()
    ann.see("dialog", "3 of 4 texts are left")
    ann.page.locator("dialog").get_by_role("button", name="Finish").click()
    ann.state(state="finished")
    assert running.wait() == 0
    assert len(accepted()) == 1
