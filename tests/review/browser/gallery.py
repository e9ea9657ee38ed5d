"""Every screen of the page, brought about by a person's keys on a realistic project."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Callable, Dict, Sequence, Tuple

from world import Text, decide, write_project

from spacy_hitl.records import NIL

KINDS = ("product", "link", "made", "opinions", "topics", "mood")
SHOWN = Text(
    "Switched from the K10 to a Nebula Pro last week. Orion really nailed the camera: night shots "
    "are stunning, but the battery is dead by four and the price is a joke.",
    spans={
        "product": [
            ("K10", "PHONE", 0.98),
            ("Nebula Pro", "PHONE", 0.61),
            ("Orion", "MAKER", 0.93),
        ],
        "opinions": [
            ("night shots are stunning", "PRAISE", 0.91),
            ("stunning, but the battery", "PRAISE", 0.35),
            ("the battery is dead by four", "COMPLAINT", 0.96),
        ],
    },
    links={"K10": "P3", "Nebula Pro": "P2", "Orion": NIL},
    relations=[("Nebula Pro", "Orion", "MADE_BY"), ("Nebula Pro", "K10", "BETTER_THAN")],
    cats={"topics": ["CAMERA", "BATTERY"], "mood": ["SAD"]},
)
CALM = {"topics": [], "mood": ["HAPPY"]}
NEXT = (
    Text(
        "The nebula is gorgeous tonight, and my L5 can't even focus on it.",
        spans={"product": [("nebula", "PHONE", 0.41), ("L5", "PHONE", 0.99)]},
        links={"nebula": "P1", "L5": "P4"},
        cats=CALM,
    ),
    Text(
        "Two weeks with the Nebula: fast, light, and it survived my kids.",
        spans={"product": [("Nebula", "PHONE", 0.88)]},
        links={"Nebula": "P1"},
        cats=CALM,
    ),
    Text(
        "Is the Nebula Pro worth 300 more than the plain Nebula?",
        spans={"product": [("Nebula Pro", "PHONE", 0.9)]},
        links={"Nebula Pro": "P2"},
        cats=CALM,
        other=[("plain Nebula", "PHONE", 0.55)],
    ),
    Text(
        "מישהו ניסה את ה Nebula Pro? הסוללה שלי מתה אחרי ארבע שעות",
        spans={"product": [("Nebula Pro", "PHONE", 0.77)]},
        links={"Nebula Pro": "P2"},
        cats=CALM,
    ),
    Text(
        "I can't help with that.\n\nBut K10 owners will know what I mean 👩\u200d🚒",
        spans={"product": [("K10", "PHONE")]},
        links={"K10": "P3"},
        cats=CALM,
        status="unaligned",
        problems=[("not_found", "Kestrel K10 Ultra")],
    ),
)


@dataclass(frozen=True)
class Screen:
    """One screen.

    texts, tasks: of the project; prepare: adds to it. act: what the person does.
    """

    name: str
    act: Callable[[Any], None]
    texts: Sequence[Text] = (SHOWN,)
    tasks: Tuple[str, ...] = KINDS
    options: Tuple[Tuple[str, Any], ...] = ()
    size: Tuple[int, int] = (1280, 800)
    prepare: Callable[[], None] = lambda: None

    @property
    def serve_options(self) -> Dict[str, Any]:
        """Of the server."""
        return dict(self.options)


def nothing(ann: Any) -> None:
    """Only look."""


def keys(*names: str) -> Callable[[Any], None]:
    """Press keys."""
    return lambda ann: ann.press(*names)


def at_work(ann: Any) -> None:
    """In the middle of the work, at a text with everything on it."""
    for _ in NEXT:
        if "Switched from" not in ann.ready().page.locator("#text").inner_text():
            ann.press("a")
    ann.see("#text", "Switched from")
    ann.press("j", "j").state(pending=0)


def searching(ann: Any) -> None:
    """Search the catalog."""
    ann.press("j", "/")
    ann.see("dialog input")
    ann.page.keyboard.type("kes")
    ann.see('.found [aria-selected="true"]', "Kestrel K10")


def relating(ann: Any) -> None:
    """Half of a relation."""
    ann.page.locator(".sug .row", has_text="K10").first.click()
    ann.press("r")
    ann.page.locator(".sug .row", has_text="Nebula Pro").first.click()
    ann.see(".making")


def answered(ann: Any) -> None:
    """A few answers behind us."""
    for key in ("a", "x", "Space", "a"):
        ann.press(key)
    ann.state(pending=0)


def put_aside(ann: Any) -> None:
    """The list of what was put aside."""
    ann.press("n")
    ann.page.keyboard.type("Is a moon shot a camera praise?")
    ann.press("Control+Enter", "f", "Space").state(answered=1, pending=0)
    ann.page.locator("nav button", has_text="Put aside").click()
    ann.see("dialog .answers .row")


def typed_note(ann: Any) -> None:
    """A note."""
    ann.press("n")
    ann.page.keyboard.type("Is a moon shot a camera praise?")


def elsewhere(ann: Any) -> None:
    """The same words in other texts, after a correction."""
    ann.page.locator("#text .tok", has_text="Nebula").first.dblclick(position={"x": 4, "y": 8})
    ann.press("1", "a").state(answered=1, pending=0)
    ann.see(".toast.offer")
    ann.press("p")
    ann.see("dialog .places")


def forms(ann: Any) -> None:
    """Every text decided, not all alike."""
    for n in range(len(FORMS)):
        ann.ready().press("a").state(answered=n + 1)
    ann.state(pending=0)
    ann.press("c")
    ann.see(".formlist li")


def offline(ann: Any) -> None:
    """The server can't be reached."""
    ann.page.route("**/api/**", lambda route: route.abort())
    ann.press("a", "a")
    ann.see("#saved.bad", "2 unsaved")


FORMS = tuple(
    Text(text, spans={"product": [(words, label)] if label else []})
    for text, words, label in (
        ("Anyone else's Nebula this slow?", "Nebula", "PHONE"),
        ("Nebula or the K10, honestly?", "Nebula", "PHONE"),
        ("Shot the Horsehead Nebula with my old camera.", "Nebula", ""),
        ("Kestrel told me to wait for the next update.", "Kestrel", "MAKER"),
        ("My Kestrel is on its second battery.", "Kestrel", "PHONE"),
        ("Nebula support never called back.", "Nebula", "MAKER"),
    )
)
PLACES = tuple(Text(t.text, spans={"product": []}) for t in FORMS)
OTHER = replace(
    SHOWN,
    spans={
        **SHOWN.spans,
        "product": [("K10", "PHONE"), ("Nebula", "PHONE"), ("Orion", "MAKER")],
        "opinions": [("night shots are stunning", "PRAISE"), ("the price is a joke", "COMPLAINT")],
    },
    links={"K10": "P3", "Nebula": "P1", "Orion": NIL},
    cats={"topics": ["CAMERA", "BATTERY", "PRICE"], "mood": ["SAD"]},
)
TWO = ("product", "opinions", "topics")


def two_people() -> None:
    """Two people who differ."""
    decide("ann", SHOWN, TWO)
    decide("bo", OTHER, TWO)


def two_prompts() -> None:
    """A second version of the prompts, and what came of it."""
    changes = {name: {"label_definitions": {}} for name in TWO if name != "opinions"}
    write_project([OTHER], tasks=TWO, path=Path("other.cfg"), changes=changes)


SCREENS = (
    Screen("text", keys("j")),
    Screen("kinds", at_work, (SHOWN, *NEXT)),
    Screen("blind", nothing, (Text(SHOWN.text, lane="gold"),)),
    Screen("link", searching, tasks=("product", "link")),
    Screen("relation", relating, tasks=("product", "made")),
    Screen("missing", keys("j"), (NEXT[2],), ("product", "link")),
    Screen("unusable", nothing, (NEXT[4],), ("product", "link")),
    Screen("right-to-left", keys("j"), (NEXT[3],), ("product", "link")),
    Screen("answers", answered, (SHOWN, *NEXT), ("product", "link")),
    Screen("help", keys("?")),
    Screen("note", typed_note),
    Screen("put-aside", put_aside, (SHOWN, *NEXT[:2]), ("product",)),
    Screen("evidence", keys("e", "g"), tasks=("product",)),
    Screen("one-label", keys("j"), options=(("label", "PHONE"),)),
    Screen("finish", lambda ann: ann.page.get_by_role("button", name="Finish").click()),
    Screen("empty", lambda ann: ann.press("a").state(state="empty", pending=0)),
    Screen("offline", offline, (SHOWN, *NEXT), ("product", "link")),
    Screen("elsewhere", elsewhere, PLACES, ("product",)),
    Screen("forms", forms, FORMS, ("product",)),
    Screen(
        "adjudicate",
        keys("j", "1"),
        tasks=TWO,
        prepare=two_people,
        options=(("adjudicate", True), ("annotators", ("cy",))),
    ),
    Screen(
        "compare",
        nothing,
        tasks=TWO,
        prepare=two_prompts,
        options=(("against", Path("other.cfg")),),
    ),
    Screen("phone", keys("j"), size=(390, 844)),
    Screen("phone-list", lambda ann: ann.page.mouse.wheel(0, 700), size=(390, 844)),
)
