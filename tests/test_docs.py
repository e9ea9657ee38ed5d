"""README, docs and docstrings can't drift: their examples run, their links lead somewhere."""

import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import spacy_hitl

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)#]+)[^)]*\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_examples_run(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    namespace = {}
    for block in BLOCK.findall(page.read_text()):
        if "# doctest: after make demo" not in block:
            exec(compile(block, str(page), "exec"), namespace)


def test_the_readme_has_an_example():
    assert BLOCK.search((ROOT / "README.md").read_text())


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page):
    for target in LINK.findall(page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def modules():
    found = pkgutil.walk_packages(spacy_hitl.__path__, "spacy_hitl.")
    return [m.name for m in found if not m.name.endswith("__main__")]


def test_docstring_examples_run():
    tried = 0
    for name in modules():
        result = doctest.testmod(importlib.import_module(name))
        assert result.failed == 0, name
        tried += result.attempted
    assert tried >= 10


def test_public_functions_and_classes_have_docstrings():
    bare = []
    for name in modules():
        module = importlib.import_module(name)
        for attribute, value in vars(module).items():
            own = getattr(value, "__module__", None) == name
            if own and callable(value) and not attribute.startswith("_") and not value.__doc__:
                bare.append(f"{name}.{attribute}")
    assert not bare


def test_the_reference_is_up_to_date():
    done = subprocess.run([sys.executable, "scripts/reference.py", "--check"], cwd=ROOT)
    assert done.returncode == 0, "run: python scripts/reference.py"


def test_every_option_of_a_command_in_the_docs_exists():
    """Commands shown in README, docs, Makefile and project.yml use options that there are."""
    reference = (ROOT / "docs" / "reference.md").read_text()
    shown = [*PAGES, ROOT / "project.yml"]
    for page in shown:
        for line in page.read_text().replace("\\\n", " ").splitlines():
            for command in re.findall(r"spacy hitl (\w+)([^`\"]*)", line):
                word, rest = command
                assert f"### spacy hitl {word}" in reference, f"{page.name}: spacy hitl {word}"
                section = reference.split(f"### spacy hitl {word}")[1].split("\n### ")[0]
                for option in re.findall(r"--[a-z-]+", rest):
                    assert option in section, f"{page.name}: spacy hitl {word} {option}"


def test_every_error_code_is_used():
    source = "".join(
        p.read_text() for p in (ROOT / "spacy_hitl").rglob("*.py") if p.parent.name != "errors"
    )
    from spacy_hitl.errors import Errors, Warnings
    from spacy_hitl.errors.catalogue import codes

    assert len(codes(Errors)) > 100
    for catalogue in (Errors, Warnings):
        for code in codes(catalogue):
            assert re.search(rf"\b{code}\b", source), f"{code} is in the catalogue and never raised"
