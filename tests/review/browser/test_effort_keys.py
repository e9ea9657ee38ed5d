"""The keys that the simulated reviewer of benchmarks/effort.py counts, pressed on the real page."""

import random
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import pytest
import spacy
from world import Text, decisions

from spacy_hitl.io import text_digest
from spacy_hitl.review.session.screens import Tokens

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
from effort_page import Layout
from effort_reviewer import review, suggestions, veto

Place = Tuple[int, int]
LINES = """all => {
  const tops = all.map((e) => Math.round(e.getBoundingClientRect().top));
  const boxes = all.map((e) => e.getBoundingClientRect());
  return [tops, boxes.map((b) => b.left + b.width / 2)];
}"""


def draw_places(random_: random.Random, size: int, count: int) -> List[Place]:
    """Places that do not overlap."""
    edges = sorted(random_.sample(range(size + 1), 2 * count))
    return [
        (start, min(end, start + 3)) for start, end in zip(edges[::2], edges[1::2], strict=True)
    ]


def draw_case(seed: int) -> Tuple[Text, List[Place]]:
    """A text of different words, what is shown of it, and what is right."""
    random_ = random.Random(seed)
    words = [f"{random_.choice('kmnrt') * random_.randint(1, 9)}{i}" for i in range(60)]
    shown, gold = draw_places(random_, 60, 4), draw_places(random_, 60, 4)
    gold += [p for p in shown[:2] if not any(p[0] < e and s < p[1] for s, e in gold)]
    free = [p for p in gold if not any(p[0] < e and s < p[1] for s, e in shown)]

    def named(place: Place) -> str:
        return " ".join(words[slice(*place)])

    scored = [(named(p), "PHONE", random_.choice([0.3, 0.6, 0.9])) for p in shown]
    other = [(named(p), "PHONE") for p in free[:1]]
    return Text(" ".join(words), spans={"product": scored}, other=other), sorted(gold)


def layout_of(ann: Any, text: str) -> Layout:
    """The text as it stands on the page: which token is on which line, and where."""
    tokens = Tokens.of(spacy.blank("en").make_doc(text))
    layout = Layout([(t, bool(space)) for t, space in tokens.shown()])
    tops, middles = ann.page.locator("#text .tok").evaluate_all(LINES)
    layout.middle = middles
    order = sorted(set(tops))
    layout.line_of = [order.index(top) for top in tops]
    layout.lines = [
        [i for i, at in enumerate(layout.line_of) if at == n] for n in range(len(order))
    ]
    return layout


@pytest.mark.parametrize("seed", [1, 2])
def test_the_counted_keys_make_gold_of_what_is_shown(
    seed: int, serve: Callable[..., Any], open_page: Callable[..., Any]
) -> None:
    cases = [draw_case(100 * seed + i) for i in range(6)]
    by_digest = {text_digest(text.text): (text, gold) for text, gold in cases}
    ann = open_page(serve([t for t, _ in cases], settings={"gold_share": 0.0}).links["ann"])
    wanted: Dict[str, List[Place]] = {}
    for answered in range(len(cases)):
        ann.ready()
        text, gold = by_digest[ann.digest]
        layout = layout_of(ann, text.text)
        assert len(layout.lines) > 2, "the text must fill several lines"
        tokens = Tokens.of(spacy.blank("en").make_doc(text.text))
        shown = {
            tokens.cover(*text.place(words))[0]: score for words, _, score in text.spans["product"]
        }
        extra = [tokens.cover(*text.place(words))[0] for words, _ in text.other]
        found = review(layout, suggestions(shown, extra), gold)
        wanted[ann.digest] = [tokens.chars(*place) for place in gold]
        ann.press(*found.keys).state(answered=answered + 1, pending=0)
    stored = {
        d["text_digest"]: [(s["start"], s["end"]) for s in d["annotation"]["spans"]]
        for d in decisions()
    }
    assert stored == wanted


@pytest.mark.parametrize("right", [[True, False, True, True], [False, True, True, False]])
def test_the_counted_keys_veto_single_places(
    right: List[bool], serve: Callable[..., Any], open_page: Callable[..., Any]
) -> None:
    texts = [Text(f"Post {i}: nebula.", spans={"product": [("nebula", "PHONE")]}) for i in range(5)]
    ann = open_page(serve(texts, settings={"gold_share": 0.0}).links["ann"]).ready()
    ann.press("j", "d", "a").state(answered=1, pending=0)
    ann.see(".toast.offer")
    first, *rest = veto(right)
    ann.press(first)
    ann.see("dialog input:focus")
    listed = ann.page.locator("dialog .context").all_inner_texts()
    ann.press(*rest)
    ann.gone("dialog")
    ann.see(".toast", f"Decided in {sum(right)} texts")
    changed = {d["text_digest"] for d in decisions() if d["mode"] == "propagated"}
    assert changed == {text_digest(t) for t, agrees in zip(listed, right, strict=True) if agrees}
