"""Every name in setup.cfg resolves, in a fresh process, to the function beside it."""

import configparser
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def entry_points():
    config = configparser.ConfigParser()
    config.optionxform = str
    config.read(ROOT / "setup.cfg")
    for group, lines in config["options.entry_points"].items():
        for line in lines.strip().splitlines():
            name, _, target = line.partition("=")
            yield group, name.strip(), target.strip()


NAMES = list(entry_points())
REGISTRIES = {
    "spacy_factories": "factories",
    "spacy_architectures": "architectures",
    "spacy_readers": "readers",
    "spacy_callbacks": "callbacks",
    "spacy_misc": "misc",
    "thinc_llm_tasks": "llm_tasks",
    "thinc_llm_models": "llm_models",
}


def in_fresh_process(code, *args):
    command = [sys.executable, "-W", "error::UserWarning:spacy_hitl", "-c", code, *args]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_there_are_names():
    assert len(NAMES) > 10
    assert {group for group, _, _ in NAMES} - {"spacy_cli"} == set(REGISTRIES)


@pytest.mark.parametrize(
    "import_first", ["spacy", pytest.param("spacy_llm", marks=pytest.mark.needs("llm"))]
)
def test_names_resolve_to_their_functions(import_first):
    code = (
        "import importlib, json, sys\n"
        f"import {import_first}, spacy\n"
        "spacy.blank('en')\n"
        "for registry, name, target in json.loads(sys.argv[1]):\n"
        "    module, _, attribute = target.partition(':')\n"
        "    wanted = getattr(importlib.import_module(module), attribute)\n"
        "    found = getattr(spacy.registry, registry).get(name)\n"
        "    same = found is wanted or registry == 'factories'\n"
        "    print(name, same)\n"
    )
    rows = [(REGISTRIES[g], n, t) for g, n, t in NAMES if g in REGISTRIES]
    out = in_fresh_process(code, json.dumps(rows)).splitlines()
    assert out == [f"{name} True" for _, name, _ in rows]


def test_names_follow_the_convention():
    for group, name, _ in NAMES:
        if group == "spacy_factories":
            assert name.startswith("hitl_")
        elif group != "spacy_cli":
            assert name.startswith("spacy-hitl.") and name[-3:] == ".v1"


def test_the_factory_builds_without_spacy_llm():
    """The maker and the registries need nothing of spacy-llm."""
    code = (
        "import sys\n"
        "sys.modules['spacy_llm'] = None\n"
        "import spacy\n"
        "from spacy_hitl.pipeline import hitl_llm\n"
        "from spacy_hitl.tasks.ner.task import make_ner_task\n"
        "from spacy_hitl.llm.replay import make_replay_model\n"
        "task, model = make_ner_task(['A']), make_replay_model('p')\n"
        "made = hitl_llm.make_hitl_llm(None, 'x', task, model, 1)\n"
        "print(made.name, 'llm_tasks' in spacy.registry.get_registry_names())"
    )
    assert in_fresh_process(code).strip() == "x True"


def test_the_commands_are_there():
    out = subprocess.run(
        [sys.executable, "-m", "spacy", "hitl", "--help"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for word in ("annotate", "import", "export", "distill", "evaluate", "promote", "status"):
        assert f"  {word}" in out
