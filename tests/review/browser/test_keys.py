"""Each key of the table, and when keys are not ours."""

import json
from pathlib import Path
from typing import Any, Callable

import pytest
from world import PLAIN, Text, decisions

TEXTS = [
    Text(f"The Nebula {n} from Orion.", spans={"product": [("Nebula", "PHONE")]}) for n in range(6)
]


@pytest.fixture
def ann(serve: Callable[..., Any], open_page: Callable[..., Any]) -> Any:
    """Six texts of one entity task."""
    return open_page(serve(TEXTS).links["ann"]).ready()


def chosen(ann: Any) -> str:
    """The selected words."""
    tokens = ann.page.locator("#text .tok.sel")
    return " ".join(tokens.evaluate_all("all => all.map(e => e.firstChild.data)"))


@pytest.mark.parametrize(
    "key, action", [("a", "accept"), ("Enter", "accept"), ("x", "reject"), ("Space", "skip")]
)
def test_finishing_keys(ann: Any, key: str, action: str) -> None:
    ann.press(key).state(answered=1, pending=0)
    assert [d["action"] for d in decisions()] == [action]


def test_a_key_that_is_held_down_finishes_one_text(ann: Any) -> None:
    for _ in range(5):
        ann.page.keyboard.down("a")  # without an up: the browser marks them as repeated
    ann.page.keyboard.up("a")
    ann.state(answered=1, pending=0)
    assert len(decisions()) == 1


def test_backspace_takes_the_answer_back(ann: Any) -> None:
    first = ann.digest
    ann.press("x").state(answered=1, pending=0)
    assert ann.digest != first
    ann.press("Backspace").state(pending=0, digest=first)
    ann.press("a").state(pending=0)
    assert [d["action"] for d in decisions()] == ["reject", "undo", "accept"]


def test_j_and_k_go_round(ann: Any) -> None:
    ann.select("Orion")
    ann.press("2", "j")
    ann.see(".sug.now", "Nebula")
    ann.press("k")
    ann.see(".sug.now", "Orion")
    ann.press("k")
    ann.see(".sug.now", "Nebula")


@pytest.mark.parametrize("key", ["d", "Delete"])
def test_deleting_is_seen_and_can_be_taken_back(ann: Any, key: str) -> None:
    ann.press("j", key)
    ann.see(".sug.off", "deleted")
    ann.gone("#text .lab")
    ann.press(key)
    ann.gone(".sug.off")
    ann.see("#text .lab", "PHONE")


@pytest.mark.parametrize("undo, redo", [("u", "Shift+Z"), ("Control+z", "Control+Shift+z")])
def test_undo_and_redo_inside_a_text(ann: Any, undo: str, redo: str) -> None:
    ann.press("j", "2", "Alt+ArrowRight")
    assert [s.split()[-1] for s in ann.suggestions()] == ["MAKER"]
    ann.press(undo, undo)
    assert ann.suggestions() == ["Nebula PHONE"]
    ann.press(redo)
    assert ann.suggestions() == ["Nebula MAKER"]
    ann.press(redo)
    assert ann.suggestions()[0].startswith("Nebula ") and ann.suggestions() != ["Nebula MAKER"]


def test_arrows_select_and_shift_extends(ann: Any) -> None:
    ann.press("ArrowRight")
    assert chosen(ann) == "Nebula"
    ann.press("Shift+ArrowRight", "Shift+ArrowRight")
    assert chosen(ann).split()[0] == "Nebula" and len(chosen(ann).split()) == 3
    ann.press("Shift+ArrowLeft", "Shift+ArrowLeft", "Shift+ArrowLeft")
    assert chosen(ann) == "The Nebula"
    ann.press("End")
    assert chosen(ann) == "."
    ann.press("Home")
    assert chosen(ann) == "The"
    ann.press("Escape")
    ann.gone("#text .tok.sel")


def test_up_and_down_go_by_lines(serve: Any, open_page: Any) -> None:
    text = Text("one two three four five six seven eight nine ten " * 12)
    ann = open_page(serve([text]).links["ann"]).ready()
    ann.press("ArrowRight", "ArrowDown")
    box = ann.page.locator("#text .tok.sel").bounding_box()
    first = ann.page.locator("#t1").bounding_box()
    assert box["y"] > first["y"] and abs(box["x"] - first["x"]) < 40
    ann.press("ArrowUp")
    assert ann.page.locator("#t1.sel").count() == 1
    ann.press("Shift+ArrowDown")
    assert ann.page.locator("#text .tok.sel").count() > 5


def test_alt_moves_boundaries(ann: Any) -> None:
    ann.press("j", "Alt+ArrowRight", "Alt+Shift+ArrowLeft")
    assert ann.suggestions()[0].startswith("The Nebula")
    ann.press("Alt+Shift+ArrowRight", "Alt+ArrowLeft", "Alt+ArrowLeft")
    assert ann.suggestions() == ["Nebula PHONE"]  # never empty


def test_flag_and_note(ann: Any) -> None:
    digest = ann.digest
    ann.press("n")
    ann.see("dialog textarea")
    ann.page.keyboard.type("ask a jk1")  # none of them is a shortcut here
    ann.press("Control+Enter")
    ann.see(".note", "ask a jk1")
    ann.press("f")
    ann.see(".tools [aria-pressed=true]", "flagged")
    ann.press("Space").state(answered=1, pending=0)
    stored = decisions()[-1]
    assert stored["action"] == "flag" and stored["note"] == "ask a jk1"
    ann.page.get_by_role("button", name="Put aside (1)").click()
    ann.see("dialog .answers", "The Nebula").first.locator("button").first.click()
    ann.state(digest=digest)
    ann.see(".note", "ask a jk1")


def test_labels_can_be_searched(ann: Any) -> None:
    ann.press("j", "/")
    ann.page.keyboard.type("mk")
    ann.see('.found [aria-selected="true"]', "MAKER")
    ann.press("Enter")
    assert ann.suggestions() == ["Nebula MAKER"]


@pytest.mark.parametrize("key", ["?", "h"])
def test_help(ann: Any, key: str) -> None:
    ann.press(key)
    ann.see("dialog", "accept what is shown")
    ann.press("a", "Escape")  # keys do nothing behind a dialog
    ann.gone("dialog")
    ann.state(answered=0)


def test_no_key_is_lost_after_a_dialog(ann: Any) -> None:
    """The browser says that a dialog is closed in a later task: the next keys don't wait for it."""
    for answered in (1, 2):
        ann.press("?", "Escape", "a").state(answered=answered, pending=0)
    ann.press("?", "Escape", "?", "Escape", "ArrowRight")
    assert chosen(ann) == "Nebula"
    assert ann.page.evaluate("document.activeElement.id") == "text"
    ann.press("?", "Escape", "?")
    ann.page.wait_for_timeout(100)
    ann.see("dialog[open]", "Keys")


def test_guidelines_and_evidence_are_one_key_away(ann: Any) -> None:
    ann.press("g")
    ann.see("aside", "Without articles, colours and storage sizes.")
    ann.press("g", "e")
    ann.see(".evidence pre")


def test_single_letters_can_be_turned_off(ann: Any) -> None:
    ann.press("?")
    ann.page.locator("dialog input[type=checkbox]").uncheck()
    ann.press("Escape", "a", "x", "1")
    ann.state(answered=0)
    ann.press("Alt+a").state(answered=1)
    ann.press("Enter").state(answered=2)
    ann.page.reload()
    ann.ready().press("a").state(answered=0)  # remembered


def test_keys_are_remapped(serve: Callable[..., Any], open_page: Callable[..., Any]) -> None:
    Path("keys.json").write_text(json.dumps({"accept": ["q"], "reject": ["a"], "label-2": ["m"]}))
    server = serve(TEXTS, settings={"keys": "keys.json"})
    ann = open_page(server.links["ann"]).ready()
    ann.see(".bottom .accept kbd", "q")
    ann.press("j", "m", "q").state(answered=1, pending=0)
    ann.press("a").state(answered=2, pending=0)
    stored = decisions()
    assert [d["action"] for d in stored] == ["accept", "reject"]
    assert stored[0]["annotation"]["spans"][0]["label"] == "MAKER"


def test_the_config_can_turn_single_letters_off(serve: Any, open_page: Any) -> None:
    server = serve(TEXTS, settings={"single_letter_keys": False})
    ann = open_page(server.links["ann"]).ready()
    ann.press("a", "x", "Space", "1").state(answered=0)
    ann.see(".bottom .accept kbd", "Alt+a")
    ann.press("Alt+x").state(answered=1, pending=0)
    assert decisions()[-1]["action"] == "reject"


def test_composing_keys_are_left_alone(ann: Any) -> None:
    ann.page.evaluate(
        """() => {
            for (const more of [{isComposing: true}, {keyCode: 229}]) {
                const init = {key: "a", bubbles: true, ...more};
                document.dispatchEvent(new KeyboardEvent("keydown", init));
            }
        }"""
    )
    ann.press("j")
    ann.see(".sug.now")
    ann.state(answered=0)


def test_other_layouts(ann: Any) -> None:
    """French digits need shift, Russian letters are none of ours: places count."""
    ann.press("j")
    ann.page.evaluate(
        """() => document.dispatchEvent(
            new KeyboardEvent("keydown", {key: "é", code: "Digit2", bubbles: true}))"""
    )
    assert ann.suggestions() == ["Nebula MAKER"]
    ann.page.evaluate(
        """() => document.dispatchEvent(
            new KeyboardEvent("keydown", {key: "ф", code: "KeyA", bubbles: true}))"""
    )
    ann.state(answered=1)


def test_buttons_do_what_keys_do(ann: Any) -> None:
    ann.page.get_by_role("button", name="Reject").click()
    ann.state(answered=1, pending=0)
    ann.press("Space").state(answered=2, pending=0)  # not the button again
    assert [d["action"] for d in decisions()] == ["reject", "skip"]
    ann.page.get_by_role("button", name="Accept").focus()
    ann.press("Space").state(answered=3, pending=0)  # a button reached by Tab is pressed
    assert decisions()[-1]["action"] == "accept"


def test_touch(serve: Any, open_page: Any) -> None:
    link = serve([PLAIN]).links["ann"]
    ann = open_page(link, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    ann.ready()
    tokens = ann.page.locator("#text .tok")
    tokens.nth(5).tap()
    tokens.nth(7).tap()
    assert chosen(ann) == "takes great photos"
    ann.page.locator(".label", has_text="MAKER").tap()
    assert "takes great photos MAKER" in ann.suggestions()
    width = ann.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    ann.page.get_by_role("button", name="Accept").tap()
    ann.state(answered=1, pending=0)
