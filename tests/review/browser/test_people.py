"""Several people: adjudication, blind comparison of two prompts, the calibration round."""

from pathlib import Path
from typing import Any, Callable, Dict, List

import live
import pytest
from world import CONFIG, Text, decide, decisions, write_project

from spacy_hitl.dataset.store import Dataset
from spacy_hitl.pipeline.loading import load_prompted, prompted_tasks
from spacy_hitl.records import Preference

TEXT = Text(
    "The Nebula Pro from Orion beats the K10.",
    spans={"product": [("Nebula Pro", "PHONE"), ("Orion", "MAKER")]},
    cats={"topics": ["CAMERA"]},
)
OF_ANN = Text(TEXT.text, spans=TEXT.spans, cats=TEXT.cats)
OF_BO = Text(
    TEXT.text,
    spans={"product": [("Nebula", "PHONE"), ("Orion", "MAKER"), ("K10", "PHONE")]},
    cats={"topics": ["PRICE"]},
)


def spans(decision: Dict[str, Any]) -> List[str]:
    return [TEXT.text[s["start"] : s["end"]] for s in decision["annotation"].get("spans", ())]


def test_adjudication_takes_this_from_one_and_that_from_the_other(
    here: Path, open_page: Callable[..., Any]
) -> None:
    tasks = ["product", "topics"]
    write_project([TEXT], tasks=tasks)
    decide("ann", OF_ANN, tasks)
    decide("bo", OF_BO, tasks)
    with live.server(annotators=("cy",), adjudicate=True) as server:
        cy = open_page(server.links["cy"]).ready()
        cy.see(".panel h2", "Differences")
        cy.see(".difference.open")
        assert cy.page.locator(".difference").count() == 4
        assert cy.suggestions() == ["Orion MAKER"]  # both say so
        cy.press("a")
        cy.see(".toast.bad", "Choose A or B for this difference first")
        answers = {"Nebula Pro": "1", "K10": "2", "CAMERA": "0", "PRICE": "2"}
        for _ in range(4):
            words = cy.see(".difference.now").inner_text()
            cy.press(next(key for name, key in answers.items() if name in words))
        cy.gone(".difference.open")
        cy.press("a").state(pending=0, state="empty")
    product, topics = [d for d in decisions() if d["annotator"] == "cy"]
    assert spans(product) == ["Nebula Pro", "Orion", "K10"]
    assert [c["label"] for c in topics["annotation"]["cats"]] == ["PRICE"]
    assert product["mode"] == "adjudication"


@pytest.fixture
def compared(here: Path) -> Any:
    """One text for which two versions of a prompt propose different things."""
    write_project([TEXT])
    other = [Text(TEXT.text, spans={"product": [("K10", "PHONE")]})]
    write_project(other, path=Path("other.cfg"), changes={"product": {"label_definitions": {}}})
    return Path("other.cfg")


def preferred() -> List[Preference]:
    _, settings = load_prompted(CONFIG)
    dataset = Dataset(settings.dataset)
    dataset.db.open(readonly=True)
    try:
        rows = dataset.db.rows("SELECT record FROM preferences")
        import json

        return [Preference.from_dict(json.loads(r)) for (r,) in rows]
    finally:
        dataset.db.close()


@pytest.mark.parametrize(
    "key, choice", [("1", "left"), ("2", "right"), ("3", "both"), ("4", "neither")]
)
def test_two_prompts_are_compared_blind(
    compared: Path, open_page: Callable[..., Any], key: str, choice: str
) -> None:
    with live.server(against=compared) as server:
        ann = open_page(server.links["ann"]).ready()
        left = ann.see("#left").inner_text()
        assert ("K10" in left) == ("K10" in ann.see("#right").inner_text())  # the same text
        shown = [
            "K10" if "K10PHONE" in s.replace("\n", "") else "Pro"
            for s in (
                ann.page.locator("#left").inner_text(),
                ann.page.locator("#right").inner_text(),
            )
        ]
        assert sorted(shown) == ["K10", "Pro"]
        assert "other.cfg" not in ann.page.content()
        ann.press(key).state(pending=0, state="empty")
    (found,) = preferred()
    own = prompted_tasks(load_prompted(CONFIG)[0])["product"].key[2]
    assert own in found.first
    if choice in ("both", "neither"):
        assert found.choice == choice
    else:
        side = shown[0] if choice == "left" else shown[1]
        assert found.choice == ("first" if side == "Pro" else "second")


def test_the_calibration_round_comes_first(serve: Any, open_page: Any) -> None:
    texts = [
        Text(f"The Nebula {n} from Orion.", spans={"product": [("Nebula", "PHONE")]})
        for n in range(16)
    ]
    server = serve(texts, settings={"calibration_texts": 2, "calibration_floor": 0.9})
    ann = open_page(server.links["ann"]).ready()
    ann.see(".banner", "0 of 2 texts that everybody answers first")
    ann.see(".mode.blind", "calibration")
    for n in range(2):
        ann.ready().select("Nebula")
        ann.press("1", "a").state(answered=n + 1)
    ann.state(state="calibrating", pending=0)
    bo = open_page(server.links["bo"]).ready()
    for n in range(2):
        bo.ready().select("Nebula")
        bo.press("1", "a").state(answered=n + 1)
    ann.ready()
    bo.ready()
    ann.gone(".banner")
    first = [d["text_digest"] for d in decisions()]
    assert len(set(first)) == 2 and len(first) == 4
