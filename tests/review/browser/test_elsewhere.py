"""One decision, everywhere: seen before it is applied, vetoed one by one, taken back as one."""

from typing import Any, Callable, List

import pytest
from world import Text, decisions

TEXTS = [
    Text("The nebula is a phone.", spans={"product": []}),
    Text("My nebula died.", spans={"product": []}),
    Text("A nebula in the night sky.", spans={"product": []}),
    Text("Sold the nebula again.", spans={"product": [("nebula", "MAKER")]}),
    Text("The nebula of gold.", lane="gold", spans={"product": []}),
]


@pytest.fixture
def ann(serve: Callable[..., Any], open_page: Callable[..., Any]) -> Any:
    """Five texts that hold a form, one of them gold."""
    return open_page(serve(TEXTS, settings={"gold_share": 0.0}).links["ann"]).ready()


def propagated() -> List[Any]:
    return [d for d in decisions() if d.get("mode") == "propagated"]


def correct_one(ann: Any) -> None:
    """Label the form in the text in front, and accept."""
    ann.page.locator("#text .tok", has_text="nebula").first.dblclick(position={"x": 4, "y": 8})
    ann.press("1", "a").state(answered=1, pending=0)


def test_a_correction_is_offered_for_the_other_places(ann: Any) -> None:
    correct_one(ann)
    ann.see(".toast.offer", "nebula")
    ann.press("p")
    ann.see("dialog h2", "“nebula” → PHONE")
    assert ann.page.locator(".places li").count() == 3  # never the gold one
    ann.page.locator(".places label", has_text="night sky").locator("input").uncheck()
    ann.see("dialog button.accept", "Change 2 places")
    ann.press("Enter")
    ann.gone("dialog")
    ann.see(".toast", "Decided in 2 texts")
    stored = propagated()
    assert len(stored) == 2 and len({d["uid"] for d in stored}) == 1
    assert all("night sky" not in str(d) and d["ranges"] for d in stored)


def test_it_is_taken_back_as_one(ann: Any) -> None:
    correct_one(ann)
    ann.see(".toast.offer")
    ann.press("p")
    ann.see("dialog .places")
    ann.press("Enter")
    ann.gone("dialog")
    ann.press("Backspace")
    ann.see(".toast", "Taken back on 3 texts")
    own, *rest = decisions()
    undone = [d["undoes"] for d in rest if d["action"] == "undo"]
    assert len(undone) == 3 and own["uid"] not in undone


def test_what_was_propagated_is_shown_as_such(ann: Any) -> None:
    correct_one(ann)
    ann.see(".toast.offer")
    ann.press("p")
    ann.see("dialog .places")
    ann.press("Enter")
    ann.gone("dialog")
    ann.page.reload()  # what was loaded ahead is older than the decision
    ann.ready()
    ann.see(".sug", "nebula")
    ann.see(".sug .source", "from another text")


def test_an_active_span_can_be_carried_over_before_it_is_accepted(ann: Any) -> None:
    ann.page.locator("#text .tok", has_text="nebula").first.dblclick(position={"x": 4, "y": 8})
    ann.press("1", "p")
    ann.see("dialog h2", "“nebula” → PHONE")
    ann.press("Escape")
    ann.gone("dialog")
    assert decisions() == []


def test_forms_that_are_not_decided_alike(serve: Any, open_page: Any) -> None:
    texts = [
        Text(f"The nebula, time {n}.", spans={"product": [("nebula", "PHONE")] if n % 2 else []})
        for n in range(6)
    ]
    ann = open_page(serve(texts).links["ann"]).ready()
    for n in range(6):
        ann.ready().press("a").state(answered=n + 1)
    ann.state(pending=0, state="empty")
    ann.press("c")
    ann.see(".formlist li", "nebula")
    ann.page.locator(".uses button", has_text="PHONE").click()
    ann.see("dialog h2", "“nebula” → PHONE")
    assert ann.page.locator(".places li").count() == 3
    ann.press("Enter")
    ann.gone("dialog")
    ann.see(".forms .empty", "Every form is decided alike.")
    stored = [d for d in decisions() if d.get("mode") == "consistency"]
    assert len(stored) == 3
    ann.press("c").state(state="empty")
