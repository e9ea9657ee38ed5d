"""docs/howto_ollama.md: its config and commands, against the repository's own server."""

import json
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pages
import pytest

SERVER = pages.DOCS.parent / "benchmarks" / "llm_server.py"
OLLAMA = "http://127.0.0.1:11434/v1"


@contextmanager
def serving(*options):
    """A server; the page's config asks it. Yields its address."""
    command = [sys.executable, str(SERVER), "--latency", "0", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        address = f"http://127.0.0.1:{int(process.stdout.readline())}"
        config = Path("local.cfg")
        assert OLLAMA in config.read_text()
        config.write_text(config.read_text().replace(OLLAMA, f"{address}/v1"))
        yield address
    finally:
        process.kill()
        process.wait(60)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pages.write_files("ollama")


def test_every_command_of_the_page_in_its_order():
    check, count, some, whole = pages.commands("ollama")
    with serving() as address:
        assert "mood: the model answers (ok)" in pages.run_well(check)
        assert "qwen3:8b 3" in pages.run_well(count)
        assert "3 new texts, 3 annotated" in pages.run_well(some)
        assert "0 annotated" in pages.run_well(whole)
        stats = json.load(urllib.request.urlopen(f"{address}/stats", timeout=30))
    assert stats["requests"] == 4  # the check and three texts: nothing is asked twice
    assert stats["most_in_flight"] <= 4


def test_costs_nothing_and_says_so():
    with serving():
        said = pages.run_well("spacy hitl annotate local.cfg texts.jsonl --max-cost 1")
    assert "0.0000" in said and "no price" not in said


def test_check_says_what_is_wrong():
    (check, *_) = pages.commands("ollama")
    with serving("--drop-parameter", "response_format"):
        with pytest.warns(UserWarning, match=r"W101.*response_format"):
            result = pages.run(check)
        assert "malformed" in result.output
        config = Path("local.cfg")
        config.write_text(config.read_text().replace('name = "qwen3:8b"', 'name = "unknown"'))
        result = pages.run(check)
        assert result.exit_code == 1 and "H111" in result.output


def test_a_server_elsewhere_is_refused_by_local_only():
    config = Path("local.cfg")
    config.write_text(config.read_text().replace(OLLAMA, "https://ollama.example.org/v1"))
    result = pages.run("spacy hitl annotate local.cfg texts.jsonl")
    assert result.exit_code == 1 and "H121" in result.output
    assert not Path("datasets").exists()
