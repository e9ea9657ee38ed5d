"""`spacy hitl init NAME`: what can't be is said, half a folder is none, the rest is asked for."""

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from select import select
from typing import Any, Dict, List

import pytest
from new_projects import (
    FILES,
    SERVER,
    files_in,
    init,
    refused,
    run,
)
from spacy.util import load_config

from spacy_hitl.cli import _new_project
from spacy_hitl.project.folder import write_folder
from spacy_hitl.project.plan import OLLAMA

# What can't be


@pytest.mark.parametrize("name", [".", "..", "a b", "x.cgf", "ü", "-x", "a/..", "x" * 101])
def test_names_that_are_none(name: str) -> None:
    refused("H080", init_path="./" + name if name == "-x" else name, parts=["ends in .cfg"])


@pytest.mark.parametrize("how", ["folder", "file", "link", "dangling"])
def test_what_is_there_stays(how: str) -> None:
    Path("empty").mkdir()
    if how == "folder":
        Path("demo").mkdir()
        Path("demo/mine").write_text("mine")
    elif how == "file":
        Path("demo").write_text("mine")
    else:
        Path("demo").symlink_to("empty" if how == "link" else "nothing")
    refused("H081", parts=["'demo'"])
    assert not any(Path("empty").iterdir())


def test_an_empty_folder_and_new_parents_are_fine() -> None:
    Path("demo").mkdir()
    init("demo")
    assert files_in(Path("demo")) == FILES
    init("deep/er/demo")
    assert files_in(Path("deep/er/demo")) == FILES


@pytest.mark.parametrize(
    "words, option",
    [
        (["--corpus", "x.jsonl"], "--corpus"),
        (["--catalog", "x.jsonl"], "--catalog"),
        (["--transformer", "x"], "--transformer"),
        (["--base", "x"], "--base"),
        (["--force"], "--force"),
    ],
)
def test_options_of_a_training_config_are_refused(words: List[str], option: str) -> None:
    refused("H082", *words, parts=[option, "a training config"])


@pytest.mark.parametrize("path", ["x.cfg", "-", None])
@pytest.mark.parametrize(
    "words",
    [
        ["--define", "A=x"],
        ["--endpoint", OLLAMA],
        ["--model", "m"],
        ["--api-key-env", "X"],
        ["--labels", "B"],
        ["--name", "b"],
        ["--task", "ner"],
    ],
)
def test_options_of_a_project_are_refused(words: List[str], path: Any) -> None:
    first = ["--task", "ner", "--labels", "A", "--name", "a"]
    result = run("init", *([path] if path else []), *first, *words)
    shown = " ".join(result.output.split())
    assert result.exit_code == 1 and "[H082]" in shown and words[0] in shown
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    "words, parts",
    [
        (["-t", "linking"], ["--task is 'linking'", "ner, spancat, textcat"]),
        (["-t", "ner", "-t", "ner"], ["--name is 'ner'", "of its own"]),
        (["-t", "ner", "-t", "textcat", "-n", "A", "-n", "a"], ["--name is 'a'"]),
        (["-n", "prototype"], ["--name is 'prototype'"]),
        (["-n", "a b"], ["--name is 'a b'", "letters, digits"]),
        (["-n", "a", "-n", "b"], ["--name is 'b'", "there is 1"]),
        (["-l", "A", "-l", "B"], ["--labels is 'B'"]),
        (["-l", "A,,B"], ["--labels is ''", "not empty"]),
        (["-l", "A,A"], ["--labels is 'A,A'", "once"]),
        (["-l", "US$"], ["--labels is 'US$'", "without '$'"]),
        (["-l", "A\0"], ["--labels and --define", "no NUL"]),
        (["-l", "A\ud800"], ["--labels and --define", "Unicode"]),
        (["-t", "textcat", "-l", "A,B"], ["--exclusive", "--multilabel"]),
        (["-t", "ner", "-t", "ner", "-n", "a", "-n", "b"], ["'PART'", "no other ner task"]),
        (["--define", "TOOL=a hammer"], ["--define is 'TOOL=a hammer'", "BIKE, PART"]),
        (["--define", "PART="], ["--define is 'PART='"]),
        (["--lang", "zz"], ["--lang is 'zz'"]),
        (["--student", "transformer"], ["--student is 'transformer'", "comes later"]),
        (["--student", "huge"], ["--student is 'huge'"]),
        (["--endpoint", OLLAMA], ["--model is not given"]),
        (["--model", "a$b"], ["--model is 'a$b'"]),
        (["--model", " "], ["--model is ' '"]),
        (["--endpoint", "127.0.0.1:1/v1", "--model", "m"], ["--endpoint", OLLAMA]),
        (
            ["--endpoint", "http://x:99999/v1", "--model", "m"],
            ["--endpoint is 'http://x:99999/v1'"],
        ),
        (["--endpoint", "http://[x/v1", "--model", "m"], ["--endpoint"]),
        (["--endpoint", "http://${x}/v1", "--model", "m"], ["--endpoint"]),
    ],
)
def test_what_can_not_be_is_said(words: List[str], parts: List[str]) -> None:
    refused("H370", *words, parts=parts)


def test_keys_are_not_shown_again() -> None:
    for url in ("http://me:hunter2@x/v1", "http://x/v1?key=hunter2"):
        result = run("init", "demo", "--endpoint", url, "--model", "m")
        assert "[H370]" in result.output and "hunter2" not in result.output
    result = run("init", "demo", "--model", "m", "--api-key-env", "sk-hunter2")
    assert "[H124]" in result.output and "hunter2" not in result.output
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("failing", [1, 3, 6])
def test_half_a_folder_is_none(failing: int, monkeypatch: Any, fails: Any) -> None:
    count = 0

    def write(path: Path, content: bytes) -> None:
        nonlocal count
        count += 1
        if count == failing:
            raise OSError(28, "No space left on device")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    monkeypatch.setattr("spacy_hitl.project.folder.write_bytes", write)
    with fails("H007", "demo", "No space left"):
        write_folder(Path("demo"), {f"a/{i}": "x" for i in range(6)})
    assert count == failing and list(Path().iterdir()) == []


def test_a_disk_that_is_full(small_disk: Any, fails: Any) -> None:
    small_disk.fill()
    with fails("H007"):
        write_folder(small_disk.folder / "demo", {"a": "x" * 5000, "b": "x" * 5000})
    assert {p.name for p in small_disk.folder.iterdir()} <= {"ballast"}
    small_disk.free()
    write_folder(small_disk.folder / "demo", {"a": "x" * 5000})
    assert (small_disk.folder / "demo/a").stat().st_size == 5000


def test_where_nothing_can_be_made(fails: Any) -> None:
    Path("file").write_text("mine")
    with fails("H007"):
        write_folder(Path("file/demo"), {"a": "x"})
    assert files_in(Path()) == {"file"}


def test_somebody_else_was_faster(monkeypatch: Any, fails: Any) -> None:
    """Between the check and the last step a folder with files got the name."""
    from spacy_hitl.io import write_bytes

    def write(path: Path, content: bytes) -> None:
        write_bytes(path, content)
        Path("demo").mkdir(exist_ok=True)
        Path("demo/theirs").write_text("theirs")

    monkeypatch.setattr("spacy_hitl.project.folder.write_bytes", write)
    with fails("H081", "demo"):
        write_folder(Path("demo"), {"mine": "mine"})
    assert files_in(Path()) == {"demo/theirs"}


# Asking


def asked(monkeypatch: Any, words: List[str], answers: List[str]) -> str:
    monkeypatch.setattr(_new_project, "in_terminal", lambda: True)
    result = init("demo", *words, input="".join(f"{answer}\n" for answer in answers))
    return str(result.output)


def test_enter_takes_the_example(monkeypatch: Any) -> None:
    init("plain")
    asked(monkeypatch, [], [""] * 6)
    for path in sorted(files_in(Path("plain"))):
        other = Path("plain", path).read_text().replace("plain", "demo")
        assert Path("demo", path).read_text() == other


def test_what_is_open_is_asked_for(monkeypatch: Any) -> None:
    answers = ["poems", "textcat", "mood", "GOOD, BAD", "he is content", "", "n", "y"]
    answers += ["spancat", "", "", "n", "zz", "de", "nowhere", OLLAMA, "big"]
    output = asked(monkeypatch, [], answers)
    assert output.count("[H370]") == 3  # kind, language, address: asked again
    config = load_config("demo/configs/prototype.cfg")
    mood = config["components"]["mood"]["task"]
    assert mood["labels"] == ["GOOD", "BAD"] and not mood["exclusive_classes"]
    assert mood["label_definitions"] == {"GOOD": "he is content"}
    assert config["components"]["spancat"]["task"]["labels"] == ["SYMPTOM", "WISH"]
    assert config["nlp"]["lang"] == "de" and config["nlp"]["pipeline"] == ["mood", "spancat"]
    assert config["model"]["name"] == "big" and config["model"]["base_url"] == OLLAMA


def test_what_was_said_is_not_asked_for(monkeypatch: Any) -> None:
    words = ["-t", "textcat", "-l", "A,B", "--exclusive", "--lang", "en", *SERVER]
    assert "]:" not in asked(monkeypatch, words, [])
    config: Dict[str, Any] = load_config("demo/configs/prototype.cfg")
    assert config["components"]["textcat"]["task"]["exclusive_classes"]


def test_a_real_terminal(here: Path) -> None:
    """Ctrl+C in the middle leaves nothing; without a terminal nothing is asked."""
    control, terminal = pty.openpty()

    def sit_down() -> None:
        os.login_tty(terminal)
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # who runs in the background ignores it

    def wait_for(question: bytes) -> None:
        shown = b""
        while question not in shown:
            assert select([control], [], [], 60)[0], shown
            shown += os.read(control, 1000)

    command = [sys.executable, "-m", "spacy", "hitl", "init", "demo"]
    process = subprocess.Popen(command, preexec_fn=sit_down)
    try:
        os.close(terminal)
        wait_for(b"Kind of task")
        os.write(control, b"textcat\n")
        wait_for(b"Name of the task")
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            os.write(control, b"\x03")  # again: one that comes before Python listens is lost
            time.sleep(0.2)
        assert process.returncode not in (0, None)
    finally:
        process.kill()
        process.wait(60)
        os.close(control)
    assert list(here.iterdir()) == []
