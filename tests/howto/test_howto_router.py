"""docs/howto_router.md: the router of the page orders a real queue, and says why."""

from pathlib import Path

import pages
import pytest
from confection import Config
from spacy.util import import_file

from spacy_hitl.annotate.run import annotate
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.review.session.opening import Wanted, open_session, read_project

LABELS = {"DESIGN_NEGATIVE", "DESIGN_POSITIVE"}


@pytest.fixture
def annotated(project):
    """A project whose config names the page's router, which is registered."""
    annotate(project.config, project.texts)
    pages.write_files("router")
    (block,) = [b for b in pages.blocks("router", "ini") if "hitl.review.router" in b]
    router = Config().from_str("[hitl]\n\n[hitl.review]\n\n" + block)["hitl"]["review"]["router"]
    project.edit({"hitl.review.router": router, "hitl.review.gold_share": 0.0})
    return project


def screens(project, count):
    found = read_project(project.config, Wanted(("ann",)))
    with Dataset(found.settings.dataset) as dataset:
        session = open_session(found, dataset)
        while session.sight.ranker.step():
            pass
        shown, _, _ = session.next("ann", count=count)
        said = {}
        for screen in shown:
            proposals = dataset.proposals("attributes", screen.turn.digest)
            said[screen.turn.digest] = {c.label for p in proposals for c in p.annotation.cats}
        return shown, said


def test_the_queue_brings_what_the_router_wants_and_says_why(annotated):
    import_file("routers", Path("routers.py"))
    shown, said = screens(annotated, 30)
    routed = [s for s in shown if s.turn.mode == "routed"]
    wanted = [len(said[s.turn.digest] & LABELS) for s in routed]
    assert wanted == sorted(wanted, reverse=True) and wanted[0] >= 1 > wanted[-1]
    for screen in routed:
        found = " and ".join(sorted(said[screen.turn.digest] & LABELS))
        assert screen.turn.why == (
            f"the model says {found}" if found else "none of the wanted labels"
        )


def test_without_code_the_command_says_what_to_do(annotated):
    (command,) = pages.commands("router")
    typo = {"@misc": "shop.Wnated.v1", "labels": ["X"]}
    annotated.edit({"hitl.review.router": typo})
    result = pages.run(f"{command} --no-browser --annotator ann")
    assert result.exit_code == 1
    assert "H220" in result.output and "--code" in result.output


def test_status_and_export_do_not_need_the_router(annotated):
    annotated.edit({"hitl.review.router": {"@misc": "shop.Nobody.v1", "labels": ["X"]}})
    assert "product" in pages.run_well(f"spacy hitl status {annotated.config}")
