"""README, docs and docstrings can't drift: their examples run, their links lead somewhere."""

import configparser
import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import srsly
import typer

import spacy_hitl
from spacy_hitl.cli import hitl_cli
from spacy_hitl.errors import Errors, Warnings
from spacy_hitl.errors.catalogue import codes

ROOT = Path(__file__).parent.parent
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS]
REFERENCE = ROOT / "docs" / "reference.md"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_examples_run(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    namespace = {}
    for block in BLOCK.findall(page.read_text()):
        if "# doctest: after make demo" not in block:
            exec(compile(block, str(page), "exec"), namespace)


def test_the_readme_has_an_example():
    assert BLOCK.search((ROOT / "README.md").read_text())


class Rendered(HTMLParser):
    """What a page links to, and what can be linked to in it, as MkDocs renders it."""

    def __init__(self, text):
        markdown = pytest.importorskip("markdown")
        super().__init__()
        self.ids, self.links = set(), []
        self.feed(markdown.markdown(text, extensions=["toc", "tables", "fenced_code"]))

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name == "id":
                self.ids.add(value)
            elif name in ("href", "src"):
                self.links.append(value)


@cache
def rendered(page):
    return Rendered(page.read_text())


def dead(page, link):
    """RETURNS (bool): Whether a link leads nowhere. Of other sites only the form is looked at."""
    if "://" in link:
        parts = urlsplit(link)
        return parts.scheme != "https" or "." not in parts.netloc or bool(re.search(r"\s", link))
    name, _, anchor = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    outside = page in DOCS and not target.is_relative_to(ROOT / "docs")  # the site lacks it
    if outside or not target.exists():
        return True
    return bool(anchor) and anchor not in rendered(target).ids


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page):
    assert not [link for link in rendered(page).links if dead(page, link)]


def test_the_link_check_can_fail(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# Some `words`: a.b\n\n## Some words\n\n## Some words\n")
    for link in ("page.md", "#some-words-ab", "page.md#some-words_1", "https://example.org/a"):
        assert not dead(page, link), link
    for link in ("gone.md", "#some", "page.md#some-words_2", "http://example.org", "https://x/y"):
        assert dead(page, link), link


def pages_in_nav(entries):
    for entry in entries:
        for value in entry.values():
            yield from [value] if isinstance(value, str) else pages_in_nav(value)


def test_every_page_is_in_the_nav_once():
    nav = sorted(pages_in_nav(srsly.read_yaml(ROOT / "mkdocs.yml")["nav"]))
    assert nav == sorted(str(page.relative_to(ROOT / "docs")) for page in DOCS)


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


def commands():
    return sorted(typer.main.get_command(hitl_cli).commands.items())


def section_of(heading):
    """RETURNS (str): A section of the reference, without its heading; empty if there is none."""
    parts = re.split(r"^#{2,3} (.*)$", REFERENCE.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True)).get(heading, "").strip()


def undocumented_options(command, section):
    for param in command.params:
        for option in param.opts if param.opts[0].startswith("-") else [param.name.upper()]:
            row = re.search(
                rf"^\| `(?:[^`|]*, )?{re.escape(option)}\b[^`|]*` \| (.*) \|$", section, re.M
            )
            if option != "--help" and not (row and row[1].strip()):
                yield option


def test_every_command_and_option_is_in_the_reference():
    for name, command in commands():
        section = section_of(f"spacy hitl {name}")
        assert section.split("\n| argument")[0].strip(), f"spacy hitl {name} is not explained"
        assert not list(undocumented_options(command, section)), f"spacy hitl {name}"


def test_every_command_is_explained_on_a_page():
    text = "".join(page.read_text() for page in DOCS if page != REFERENCE)
    assert not [name for name, _ in commands() if not re.search(rf"spacy hitl {name}\b", text)]


def test_every_entry_point_is_documented():
    """In the reference with its docstring, and on a page that says what it is for."""
    text = "".join(page.read_text() for page in DOCS if page != REFERENCE)
    config = configparser.ConfigParser()
    config.optionxform = str
    config.read(ROOT / "setup.cfg")
    groups = dict(config["options.entry_points"])
    del groups["spacy_cli"]  # the commands
    names = [
        line.partition("=")[0].strip() for v in groups.values() for line in v.split("\n") if line
    ]
    assert len(names) > 20
    for name in names:
        assert "\n\n" in section_of(name), f"{name} is not explained in the reference"
        pattern = rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)"
        assert re.search(pattern, text), f"no page of docs/ names {name}"


def test_every_error_code_is_documented():
    rows = re.findall(r"^\| (\w+) \| \S.* \|$", section_of("Errors and warnings"), re.M)
    assert not {*codes(Errors), *codes(Warnings)} - {*rows}


def test_every_option_of_a_command_in_the_docs_exists():
    """Commands shown in README, docs, Makefile and project.yml use options that there are."""
    shown = [*PAGES, ROOT / "project.yml"]
    for page in shown:
        for line in page.read_text().replace("\\\n", " ").splitlines():
            for command in re.findall(r"spacy hitl (\w+)([^`\"]*)", line):
                word, rest = command
                section = section_of(f"spacy hitl {word}")
                assert section, f"{page.name}: spacy hitl {word}"
                for option in re.findall(r"--[a-z-]+", rest):
                    assert option in section, f"{page.name}: spacy hitl {word} {option}"


def test_every_error_code_is_used():
    source = "".join(
        p.read_text() for p in (ROOT / "spacy_hitl").rglob("*.py") if p.parent.name != "errors"
    )
    used = set(re.findall(r"\b[HW]\d+\b", source))
    assert len(codes(Errors)) > 100
    never_raised = [c for both in (Errors, Warnings) for c in codes(both) if c not in used]
    assert not never_raised
