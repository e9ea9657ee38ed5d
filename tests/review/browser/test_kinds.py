"""Every kind of task: what is pre-filled, what a correction costs, and what is stored."""

from typing import Any, Callable, Dict

import pytest
from world import PLAIN, Text, decisions


def last(task: str) -> Dict[str, Any]:
    return [d for d in decisions() if d["task"] == task][-1]


def words(text: Text, task: str) -> Any:
    """What was accepted: words with labels, ids or both ends."""
    found = last(task).get("annotation", {})
    spans = [
        (text.text[s["start"] : s["end"]], s.get("kb_id", s.get("label")))
        for s in found.get("spans", ())
    ]
    cats = [c["label"] for c in found.get("cats", ())]
    relations = [
        (
            text.text[r["head_start"] : r["head_end"]],
            text.text[r["tail_start"] : r["tail_end"]],
            r["label"],
        )
        for r in found.get("relations", ())
    ]
    return spans or cats or relations


@pytest.fixture
def at_work(serve: Callable[..., Any], open_page: Callable[..., Any]) -> Callable[..., Any]:
    """A server on texts, and a person who looks at the first one."""

    def start(*tasks: str, text: Text = PLAIN, **options: Any) -> Any:
        server = serve([text], tasks=tasks, **options)
        return open_page(server.links["ann"]).ready()

    return start


def test_one_key_accepts_what_is_right(at_work: Any) -> None:
    ann = at_work("product")
    assert ann.suggestions() == ["Nebula Pro PHONE", "Orion MAKER"]
    ann.press("a").state(pending=0, state="empty")
    assert words(PLAIN, "product") == [("Nebula Pro", "PHONE"), ("Orion", "MAKER")]
    stored = last("product")
    assert stored["edits"] == 0 and stored["action"] == "accept"
    assert 0 < stored["seconds"] < 60


def test_entities(at_work: Any) -> None:
    ann = at_work("product")
    ann.press("j", "2")  # least certain first: Nebula Pro, relabelled
    ann.press("j", "d")  # Orion, deleted
    ann.see(".sug.off", "Orion")
    ann.select("battery")
    ann.press("1", "Alt+ArrowRight", "a").state(pending=0)
    assert words(PLAIN, "product") == [("Nebula Pro", "MAKER"), ("battery is", "PHONE")]
    assert last("product")["edits"] == 3


def test_an_entity_makes_room_for_a_better_one(at_work: Any) -> None:
    ann = at_work("product")
    ann.select("Pro from Orion")
    ann.press("2", "a").state(pending=0)
    assert words(PLAIN, "product") == [("Pro from Orion", "MAKER")]


def test_overlapping_spans(at_work: Any) -> None:
    ann = at_work("opinions")
    ann.select("photos")
    ann.press("2", "a").state(pending=0)
    assert words(PLAIN, "opinions") == [
        ("takes great photos", "PRAISE"),
        ("great photos, but the battery", "PRAISE"),
        ("photos", "COMPLAINT"),
        ("the battery is dead by four", "COMPLAINT"),
    ]


def test_spans_that_overlap_stand_in_lanes(at_work: Any) -> None:
    ann = at_work("opinions")
    tops = {label.inner_text(): round(label.bounding_box()["y"]) for label in ann.see(".lab").all()}
    boxes = [label.bounding_box() for label in ann.page.locator(".lab").all()]
    assert len(boxes) == 3 and len(tops) == 2
    for one in boxes:
        for other in boxes:
            apart = (
                one["x"] + one["width"] <= other["x"]
                or other["x"] + other["width"] <= one["x"]
                or abs(one["y"] - other["y"]) >= 12
            )
            assert one == other or apart


def test_several_categories(at_work: Any) -> None:
    ann = at_work("topics")
    ann.press("1", "2", "3", "3", "a").state(pending=0)
    assert words(PLAIN, "topics") == ["BATTERY"]


def test_one_category(at_work: Any) -> None:
    ann = at_work("mood")
    assert ann.see('[role="radio"][aria-checked="true"]', "SAD").count() == 1
    ann.press("1")
    assert ann.see('[role="radio"][aria-checked="true"]', "HAPPY").count() == 1
    ann.press("a").state(pending=0)
    assert words(PLAIN, "mood") == ["HAPPY"]
    assert last("mood")["edits"] == 2


def test_one_category_must_be_there(at_work: Any) -> None:
    blank = Text("Nothing to say.", status="refused")
    ann = at_work("mood", text=blank)
    ann.see(".problems", "the model refused to answer")
    ann.press("a")
    ann.see(".toast.bad", "Choose one category for mood")
    ann.press("2", "a").state(pending=0, state="empty")
    assert words(blank, "mood") == ["SAD"]


def test_links_are_chosen_by_digits(at_work: Any) -> None:
    ann = at_work("product", "link")
    ann.press("j")
    ann.see(".candidates", "SpacePhone Nebula Pro")
    ann.press("0", "j")
    ann.see(".sug.now", "Orion")
    ann.press("a").state(pending=0)
    assert words(PLAIN, "link") == [("Nebula Pro", "NIL"), ("Orion", "NIL")]
    assert words(PLAIN, "product") == [("Nebula Pro", "PHONE"), ("Orion", "MAKER")]


def test_a_link_is_searched_in_the_catalog(at_work: Any) -> None:
    ann = at_work("product", "link")
    ann.press("j", "/")
    ann.see("dialog input")
    ann.page.keyboard.type("k10")
    ann.see('.found [aria-selected="true"]', "Kestrel K10")
    ann.press("Enter")
    ann.gone("dialog")
    ann.see(".sug.now", "Kestrel K10")
    ann.press("a").state(pending=0)
    assert words(PLAIN, "link")[0] == ("Nebula Pro", "P3")


def test_a_new_mention_is_asked_for_its_entry(at_work: Any) -> None:
    text = Text("I sold my K10 for another K10.", spans={"product": []})
    ann = at_work("product", "link", text=text)
    ann.select("K10")
    ann.press("1")
    ann.see(".missing", "which entry?")
    ann.see(".candidates", "Kestrel K10")
    ann.press("a")
    ann.see(".toast.bad", "Which entry is “K10”?")
    ann.press("1", "End", "ArrowLeft", "Shift+1")
    ann.gone(".missing")  # the same words have the same entry
    ann.press("a").state(pending=0, state="empty")
    assert words(text, "link") == [("K10", "P3"), ("K10", "P3")]


def test_links_alone_have_fixed_mentions(at_work: Any) -> None:
    ann = at_work("product", "link", shown=("link",))
    assert ann.suggestions() == ["Nebula Pro", "Orion"]
    ann.press("j", "d", "Alt+ArrowRight", "2")  # neither deleted nor moved
    ann.see(".sug.now", "SpacePhone Nebula")
    ann.press("a").state(pending=0)
    assert words(PLAIN, "link") == [("Nebula Pro", "P1"), ("Orion", "NIL")]
    assert [d["task"] for d in decisions()] == ["link"]


def test_relations_alone_have_fixed_mentions(at_work: Any) -> None:
    text = Text(
        "The Nebula beats the K10.",
        spans={"product": [("Nebula", "PHONE"), ("K10", "PHONE")]},
    )
    ann = at_work("product", "made", text=text, shown=("made",))
    ann.press("j", "r", "j", "1", "a").state(pending=0)
    assert words(text, "made") == [("Nebula", "K10", "BETTER_THAN")]


def test_relations(at_work: Any) -> None:
    text = Text(
        "The Nebula beats the K10 of Kestrel.",
        spans={"product": [("Nebula", "PHONE"), ("K10", "PHONE"), ("Kestrel", "MAKER")]},
        relations=[("Nebula", "Kestrel", "MADE_BY")],
    )
    ann = at_work("product", "made", text=text)
    ann.see(".sug", "Nebula")
    ann.press("k", "d")  # the relation is the last in the list
    ann.press("j", "r", "j", "1")  # Nebula, relation, K10: two phones have one label only
    ann.see(".sug.now", "Nebula → K10")
    ann.press("v")
    ann.see(".sug.now", "K10 → Nebula")
    ann.press("u", "a").state(pending=0)
    assert words(text, "made") == [("Nebula", "K10", "BETTER_THAN")]


def test_a_relation_goes_with_its_mention(at_work: Any) -> None:
    ann = at_work("product", "made")
    ann.press("j", "d", "a").state(pending=0)
    assert words(PLAIN, "product") == [("Orion", "MAKER")]
    assert words(PLAIN, "made") == []


def test_several_tasks_are_one_screen_and_one_answer(at_work: Any) -> None:
    ann = at_work("product", "link", "made", "opinions", "topics", "mood")
    ann.press("a").state(pending=0, state="empty")
    stored = decisions()
    assert [d["task"] for d in stored] == ["product", "link", "made", "opinions", "topics", "mood"]
    assert len({d["uid"] for d in stored}) == 1


def test_white_space_and_other_scripts(at_work: Any) -> None:
    text = Text(
        "שלום Nebula עולם\n\n\tcafe\u0301 👩\u200d🚒 <script>alert(1)</script>",
        spans={"product": [("Nebula", "PHONE")]},
    )
    ann = at_work("product", text=text)
    assert ann.page.locator("#text script").count() == 0
    ann.see("#text .glyph", "↵")
    direction = ann.page.locator("#text").evaluate("e => getComputedStyle(e).direction")
    assert direction == "rtl"
    ann.select("cafe\u0301")
    ann.press("2", "a").state(pending=0)
    assert words(text, "product") == [("Nebula", "PHONE"), ("cafe\u0301", "MAKER")]


def test_a_text_of_5000_tokens(at_work: Any) -> None:
    text = Text("Nebula " + "word " * 4998 + "Orion", spans={"product": [("Nebula", "PHONE")]})
    ann = at_work("product", text=text)
    ann.press("End", "2")
    ann.see(".sug.now", "Orion")
    ann.press("Home", "ArrowRight", "Shift+ArrowRight", "1", "a").state(pending=0)
    assert words(text, "product") == [
        ("Nebula", "PHONE"),
        ("word word", "PHONE"),
        ("Orion", "MAKER"),
    ]


def test_what_could_not_be_used_is_shown(at_work: Any) -> None:
    text = Text(
        "The Nebula is out.",
        spans={"product": [("Nebula", "PHONE")]},
        status="unaligned",
        problems=[("not_found", "Galaxy")],
    )
    ann = at_work("product", text=text)
    ann.see(".problems", "a part of the model’s answer is not in the text")
    ann.see(".problems", "not found: Galaxy")


def test_what_is_perhaps_missing_is_one_key_away(at_work: Any) -> None:
    text = Text(
        "The Nebula beats the K10.",
        spans={"product": [("Nebula", "PHONE")]},
        other=[("K10", "PHONE", 0.5)],
    )
    ann = at_work("product", text=text)
    ann.see(".sug.extra", "K10")
    ann.press("j", "+", "a").state(pending=0)
    assert words(text, "product") == [("Nebula", "PHONE"), ("K10", "PHONE")]


def test_what_is_perhaps_missing_is_not_part_of_an_untouched_answer(at_work: Any) -> None:
    text = Text("The Nebula beats the K10.", other=[("K10", "PHONE")])
    ann = at_work("product", text=text)
    ann.see(".sug.extra", "K10")
    ann.press("a").state(pending=0)
    assert words(text, "product") == [] and last("product")["edits"] == 0


def test_a_blind_text_shows_nothing(at_work: Any) -> None:
    text = Text(PLAIN.text, lane="gold", spans=PLAIN.spans)
    ann = at_work("product", text=text)
    ann.see(".mode.blind", "blind")
    assert ann.suggestions() == []
    ann.see("aside .empty", "Blind")
    ann.select("Orion")
    ann.press("2", "a").state(pending=0)
    stored = last("product")
    assert words(text, "product") == [("Orion", "MAKER")]
    assert "saw_proposal" not in stored and stored["mode"] == "blind"


def test_one_label_at_a_time(at_work: Any) -> None:
    ann = at_work("product", "topics", label="MAKER")
    ann.see(".mode", "only MAKER")
    assert ann.suggestions() == ["Orion MAKER"]
    assert ann.page.locator(".label").count() == 1
    ann.press("a").state(pending=0)
    assert last("product")["labels"] == ["MAKER"]
    assert words(PLAIN, "product") == [("Orion", "MAKER")]
