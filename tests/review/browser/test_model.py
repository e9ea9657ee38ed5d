"""The pure modules of the page, in an engine that runs them: what holds after any edits."""

import itertools
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import spacy_hitl.review

STATIC = Path(spacy_hitl.review.__file__).parent / "static"
TASKS = [
    {"name": "ner", "kind": "ner", "labels": ["A", "B"], "exclusive": False},
    {"name": "spans", "kind": "spancat", "labels": ["A", "C"], "exclusive": False},
    {"name": "link", "kind": "linking", "labels": [], "mention_task": "ner"},
    {
        "name": "rel",
        "kind": "relations",
        "labels": ["R", "S"],
        "mention_task": "ner",
        "allowed": {"R": [["A", "B"]]},
    },
    {"name": "one", "kind": "textcat", "labels": ["X", "Y"], "exclusive": True},
    {"name": "many", "kind": "textcat", "labels": ["X", "Z"], "exclusive": False},
]
TOKENS = 8
RUN = """
async ([screen, tasks, steps]) => {
    const model = await import("/model.js");
    const rel = await import("/relating.js");
    const { draftOf, answerOf, editsOf } = await import("/screen.js");
    const visible = () => true;
    const apply = {
        select: (d, a, b) => model.select(d, a, b),
        step: (d, a) => model.step(d, a % 2 ? 1 : -1),
        label: (d, a, b) =>
            model.setLabel(d, a % 2 ? "ner" : "spans", b % 2 || a % 2 === 0 ? "A" : "B"),
        remove: (d) => model.remove(d),
        include: (d) => model.include(d),
        boundary: (d, a, b) => model.moveBoundary(d, a % 2 ? "start" : "end", b % 2 ? 1 : -1),
        link: (d, a) => model.setLink(d, "link", ["P1", "P2", "NIL"][a % 3]),
        relation: (d) => rel.startRelation(d),
        relate: (d, a) => {
            const head = d.head, tail = d.active;
            const task = d.tasks.find((t) => t.name === "rel");
            const labels = rel.allowedLabels(d, task, head ?? -1, tail ?? -1);
            return labels.length ? rel.setRelation(d, "rel", labels[a % labels.length]) : d;
        },
        reverse: (d) => rel.reverse(d),
        one: (d, a) => model.toggleCategory(d, "one", a % 2 ? "X" : "Y"),
        many: (d, a) => model.toggleCategory(d, "many", a % 2 ? "X" : "Z"),
        move: (d, a, b) => model.moveTo(d, a, b % 2 === 1, visible),
        undo: (d) => model.undo(d),
        redo: (d) => model.redo(d),
    };
    const start = draftOf(screen, tasks);
    const first = answerOf(start);
    let d = start;
    for (const [name, a, b] of steps) d = apply[name](d, a, b);
    const last = answerOf(d);
    const edits = editsOf(d);
    let back = d, n = 0;
    while (back.past.length) { back = model.undo(back); n++; }
    let again = back;
    while (n-- > 0) again = model.redo(again);
    return {
        first, last, edits, undone: answerOf(back), redone: answerOf(again),
        labels: Object.fromEntries(d.items.map((i) => [i.key, i.label])),
    };
}
"""


@pytest.fixture(scope="module")
def engine(chromium: Any) -> Iterator[Any]:
    """A page that serves nothing but the modules."""
    context = chromium.new_context()
    page = context.new_page()

    def serve(route: Any) -> None:
        name = route.request.url.rpartition("/")[2]
        if not name:
            route.fulfill(body="<!doctype html>", content_type="text/html")
        else:
            route.fulfill(body=(STATIC / name).read_text(), content_type="text/javascript")

    page.route("**/*", serve)
    page.goto("http://modules.invalid/")
    yield page
    context.close()


def screen(entities: Any = (), **tasks: Any) -> Dict[str, Any]:
    """A Screen of eight tokens."""
    shown = {t["name"]: {"annotation": {"spans": [], "cats": [], "relations": []}} for t in TASKS}
    shown["ner"]["annotation"]["spans"] = list(entities)
    for name, annotation in tasks.items():
        shown[name]["annotation"].update(annotation)
    return {
        "kind": "text", "digest": "d", "mode": "random", "why": "", "blind": False, "answer": None,
        "tokens": [[f"w{i}", 1] for i in range(TOKENS)], "tasks": shown,
    }  # fmt: skip


PREFILLED = screen(
    [
        {"start": 0, "end": 2, "label": "A", "score": 0.9, "source": "votes"},
        {"start": 4, "end": 5, "label": "B", "score": 0.3, "source": "votes"},
    ],
    link={
        "spans": [
            {"start": 0, "end": 2, "label": "A", "id": "P1"},
            {"start": 4, "end": 5, "label": "B", "id": "NIL"},
        ]
    },
    rel={"relations": [{"head": [0, 2], "tail": [4, 5], "label": "R"}]},
    spans={"spans": [{"start": 0, "end": 3, "label": "A"}, {"start": 2, "end": 6, "label": "C"}]},
    one={"cats": [{"label": "X"}]},
    many={"cats": [{"label": "Z", "score": 0.4}]},
)
NAMES = ["select", "step", "label", "remove", "include", "boundary", "link", "relation", "relate",
         "reverse", "one", "many", "move", "undo", "redo"]  # fmt: skip
STEPS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(0, TOKENS - 1), st.integers(0, TOKENS - 1)),
    max_size=30,
)


@given(steps=STEPS)
@settings(max_examples=80)
def test_every_sequence_of_edits_leaves_a_valid_answer(engine: Any, steps: Any) -> None:
    found = engine.evaluate(RUN, [PREFILLED, TASKS, steps])
    last = found["last"]
    mentions = [tuple(s[:2]) for s in last["ner"]["spans"]]
    assert mentions == sorted(set(mentions))
    assert all(0 <= s < e <= TOKENS for s, e in mentions)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(mentions))
    assert [tuple(s[:2]) for s in last["link"]["spans"]] == mentions
    spans = [tuple(s) for s in last["spans"]["spans"]]
    assert len(spans) == len(set(spans))
    labels = {tuple(s[:2]): s[2] for s in last["ner"]["spans"]}
    relations = [(tuple(h), tuple(t), label) for h, t, label in last["rel"]["relations"]]
    assert len(relations) == len(set(relations))
    for head, tail, label in relations:
        assert head in labels and tail in labels and head != tail
        assert label != "R" or (labels[head], labels[tail]) == ("A", "B")
    assert len(last["one"]["cats"]) <= 1  # none only after it was deleted: then it is asked for
    assert found["undone"] == found["first"]
    assert found["redone"] == last or any(s[0] in ("undo", "redo") for s in steps)
    if last == found["first"] and not any(s[0] == "link" for s in steps):
        assert sum(found["edits"].values()) == 0
    if last != found["first"]:
        assert sum(found["edits"].values()) > 0


def test_an_untouched_screen_is_answered_as_it_was_shown(engine: Any) -> None:
    found = engine.evaluate(RUN, [PREFILLED, TASKS, []])
    assert found["last"] == {
        "ner": {"spans": [[0, 2, "A"], [4, 5, "B"]]},
        "spans": {"spans": [[0, 3, "A"], [2, 6, "C"]]},
        "link": {"spans": [[0, 2, "P1"], [4, 5, "NIL"]]},
        "rel": {"relations": [[[0, 2], [4, 5], "R"]]},
        "one": {"cats": ["X"]},
        "many": {"cats": ["Z"]},
    }
    assert set(found["edits"].values()) == {0}


SPANS = st.lists(
    st.tuples(st.integers(0, 18), st.integers(1, 6), st.sampled_from(["A", "LONG_LABEL_NAME"])),
    max_size=12,
)


@given(spans=SPANS)
@settings(max_examples=50)
def test_spans_and_their_labels_never_meet_in_a_lane(engine: Any, spans: Any) -> None:
    given_ = [
        {"key": i, "start": s, "end": min(20, s + n), "text": t}
        for i, (s, n, t) in enumerate(spans)
    ]
    tokens = [["word", 1]] * 20
    call = "async ([s, t]) => (await import('/lanes.js')).layOut(s, t)"
    found = engine.evaluate(call, [given_, tokens])
    assert len(found["marks"]) == len(given_)
    for one in found["marks"]:
        assert 0 <= one["lane"] < found["lanes"]
        for other in found["marks"]:
            if one["key"] != other["key"] and one["lane"] == other["lane"]:
                assert one["end"] <= other["start"] or other["end"] <= one["start"]
                assert one["start"] != other["start"]


@pytest.mark.parametrize(
    "press, names",
    [
        ({"key": "a"}, ["a"]),
        ({"key": "A", "shiftKey": True}, ["Shift+a"]),
        ({"key": "A"}, ["a"]),  # caps lock
        ({"key": " "}, ["Space"]),
        ({"key": "z", "ctrlKey": True}, ["Ctrl+z"]),
        ({"key": "z", "metaKey": True}, ["Ctrl+z"]),
        ({"key": "!", "code": "Digit1", "shiftKey": True}, ["!", "Shift+1"]),
        ({"key": "&", "code": "Digit1"}, ["&", "1"]),
        ({"key": "?", "code": "Slash", "shiftKey": True}, ["?"]),
        ({"key": "ф", "code": "KeyA"}, ["ф", "a"]),
        ({"key": "ArrowRight", "altKey": True, "shiftKey": True}, ["Alt+Shift+ArrowRight"]),
        ({"key": "Shift", "shiftKey": True}, []),
        ({"key": "5", "code": "Numpad5"}, ["5", "5"]),
    ],
)
def test_names_of_keys(engine: Any, press: Dict[str, Any], names: List[str]) -> None:
    call = "async (p) => (await import('/keys.js')).namesOf(p)"
    plain = {"code": "", "shiftKey": False, "ctrlKey": False, "altKey": False, "metaKey": False}
    assert engine.evaluate(call, {**plain, **press}) == names


def test_every_default_key_does_one_thing(engine: Any) -> None:
    keys = engine.evaluate("async () => (await import('/keys.js')).DEFAULTS")
    used = [k for names in keys.values() for k in names]
    assert len(used) == len(set(used))


def test_a_key_of_the_config_is_taken_from_its_old_action(engine: Any) -> None:
    call = "async (c) => [...(await import('/keys.js')).bind(c, true).actions]"
    actions = dict(engine.evaluate(call, {"accept": ["x"], "nonsense": ["q"]}))
    assert actions["x"] == "accept" and "a" not in actions and "q" not in actions
    assert "reject" not in actions.values()


VERSIONS = """
async ([screen, tasks, picks]) => {
    const { choose } = await import("/versions.js");
    const { draftOf, answerOf, gap } = await import("/screen.js");
    let d = draftOf(screen, tasks);
    const groups = [...new Set(d.items.map((i) => i.group).filter((g) => g >= 0))];
    const open = gap(d) !== null;
    groups.forEach((g, i) => { d = choose(d, g, picks[i % picks.length]); });
    return { groups: groups.length, open, answer: answerOf(d), closed: gap(d) === null };
}
"""


@pytest.mark.parametrize(
    "picks, spans, cats",
    [
        (["A"], [[0, 2, "A"], [4, 5, "A"]], ["X"]),
        (["B"], [[0, 2, "A"], [3, 5, "B"], [6, 7, "B"]], ["X"]),
        ([""], [[0, 2, "A"]], []),
    ],
)
def test_two_versions_are_decided_difference_by_difference(
    engine: Any, picks: List[str], spans: Any, cats: Any
) -> None:
    tasks = [TASKS[0], TASKS[5]]

    def version(spans: Any, cats: Any) -> Dict[str, Any]:
        as_spans = [{"start": s, "end": e, "label": label} for s, e, label in spans]
        return {
            "tasks": {"ner": {"spans": as_spans}, "many": {"cats": [{"label": c} for c in cats]}}
        }

    shown = screen()
    shown["tasks"] = {name: shown["tasks"][name] for name in ("ner", "many")}
    shown.update(
        kind="adjudicate",
        versions=[
            version([[0, 2, "A"], [4, 5, "A"]], ["X"]),
            version([[0, 2, "A"], [3, 5, "B"], [6, 7, "B"]], ["X"] if picks[0] != "" else []),
        ],
    )
    found = engine.evaluate(VERSIONS, [shown, tasks, picks])
    assert found["groups"] == (3 if picks == [""] else 2)
    assert found["open"] and found["closed"]
    assert found["answer"] == {"ner": {"spans": spans}, "many": {"cats": cats}}


UNSAFE = ("innerHTML", "dangerouslySet", "eval(", "new Function", "document.write", "://")


def test_the_modules_are_small_and_safe() -> None:
    for path in STATIC.glob("*.js"):
        source = path.read_text()
        assert len(source.splitlines()) <= 300, path
        for word in UNSAFE:
            assert word not in source, f"{path}: {word}"


def test_the_bundle_is_the_recorded_one() -> None:
    import hashlib

    notes = (STATIC / "vendor" / "VENDOR.md").read_text()
    found = hashlib.sha256((STATIC / "vendor" / "preact.js").read_bytes()).hexdigest()
    assert found in notes
    axe = Path(__file__).parent / "vendor"
    assert (
        hashlib.sha256((axe / "axe.min.js").read_bytes()).hexdigest()
        in (axe / "VENDOR.md").read_text()
    )
