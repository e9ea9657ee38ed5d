"""docs/howto_reviewers.md: two people and a third one, with the page's config and commands."""

import sys
from pathlib import Path

import pages
import pytest
import srsly

from spacy_hitl.dataset.store import Dataset
from spacy_hitl.pipeline.loading import load_prompted, prompted_tasks
from spacy_hitl.review.server.api import Api
from spacy_hitl.review.server.routes import WRITES
from spacy_hitl.review.server.wire import render
from spacy_hitl.review.session.catalogs import Catalogs
from spacy_hitl.review.session.evidence import Evidence
from spacy_hitl.review.session.opening import Wanted, open_session, read_project

sys.path.insert(0, str(Path(__file__).parent.parent / "review"))
from live import answer_to

CONFIG = Path("team.cfg")
TEXTS = 24


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pages.write_files("reviewers")
    Path("GUIDELINES.md").write_text("Irony counts as what is meant.")
    ids = [f"t{i}" for i in range(TEXTS)]
    srsly.write_jsonl("texts.jsonl", [{"id": i, "text": f"Text {i}", "lane": "train"} for i in ids])
    answer = '{"label": "PRAISE"}'
    srsly.write_jsonl("answers.jsonl", [{"id": i, "task": "mood", "response": answer} for i in ids])
    pages.run_well(pages.commands("reviewers")[0])


def decide(who, label_of, *, wanted=None, count=TEXTS):
    """Answer the next texts as the page does. RETURNS: their digests, modes and answers."""
    project = read_project(CONFIG, wanted or Wanted(("ann", "bo")))
    done = []
    with Dataset(project.settings.dataset) as dataset:
        session = open_session(project, dataset)
        nlp, settings = load_prompted(CONFIG)
        evidence = Evidence(nlp, prompted_tasks(nlp), settings.responses, settings.privacy)
        api = Api(session, Catalogs(session.plan), evidence)
        screens, _, _ = session.next(who, count=count)
        for screen in screens:
            shown = render(session, Catalogs(session.plan), screen)
            label = label_of(shown["digest"])
            tasks = {"mood": {"spans": [], "cats": [label], "relations": []}}
            shown["tasks"] = {
                "mood": {"annotation": {"spans": [], "cats": [], "relations": []}}
            }  # fmt: skip
            sent = answer_to(shown, tasks=tasks)
            said = WRITES["answers"](api, who, {"answers": [sent]})
            assert not said["refused"], said
            done.append((shown["digest"], screen.turn.mode, label))
    return done


def praise(digest):
    return "PRAISE"


def now_and_then(digest):
    return "COMPLAINT" if int(digest[:4], 16) % 4 == 0 else "PRAISE"


def holds():
    """The label that the export has, by the digest of the text."""
    pages.run_well("spacy hitl export team.cfg")
    _, *rows = srsly.read_jsonl("corpus/mood.jsonl")
    decided = [row for row in rows if row.get("decision")]
    return {row["text_digest"]: row["decision"]["cats"][0]["label"] for row in decided}


def test_the_calibration_round_measuring_and_settling():
    anns, bos = decide("ann", praise, count=20), decide("bo", now_and_then, count=20)
    assert {mode for _, mode, _ in anns} == {"calibration"} and len(anns) == 20
    assert {d for d, *_ in anns} == {d for d, *_ in bos}
    disputed = {digest for digest, _, label in bos if label == "COMPLAINT"}
    assert 0 < len(disputed) < 20
    measured = next(c for c in pages.commands("reviewers") if "agreement" in c)
    said = pages.run_well(measured)
    assert "ann and bo 20" in said
    assert decide("ann", praise) == []  # they differ too much: nobody gets further

    adjudicating = Wanted(("cy",), adjudicate=True)
    settled = decide("cy", lambda digest: "OTHER", wanted=adjudicating)
    assert {digest for digest, *_ in settled} == disputed
    found = holds()
    assert {found[digest] for digest in disputed} == {"OTHER"}
    assert {found[digest] for digest, *_ in anns if digest not in disputed} == {"PRAISE"}


def test_who_agrees_gets_further_and_no_text_twice():
    decide("ann", praise, count=20)
    decide("bo", praise, count=20)
    rest = decide("ann", praise, count=4), decide("bo", praise, count=4)
    modes = [mode for some in rest for _, mode, _ in some]
    assert modes and "calibration" not in modes
    assert {d for d, *_ in rest[0]}.isdisjoint(d for d, *_ in rest[1])


def test_all_commands_of_the_page_exist_with_their_options():
    for command in pages.commands("reviewers"):
        word = command.split()[2]
        help_ = pages.run_well(f"spacy hitl {word} --help")
        for option in (part for part in command.split() if part.startswith("--")):
            assert option in help_, command
