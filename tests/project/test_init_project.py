"""`spacy hitl init NAME`: a folder that runs as it stands; all of it is there, or nothing."""

import os
import pty
import re
import shlex
import socket
import subprocess
import sys
from configparser import ConfigParser
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Dict, List

import pytest
import srsly
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.util import load_config, load_config_from_str
from typer.testing import CliRunner

import spacy_hitl
from spacy_hitl.annotate.run import annotate
from spacy_hitl.cli import _new_project, hitl_cli
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.exchange.run import import_file
from spacy_hitl.io import text_digest
from spacy_hitl.pipeline.loading import load_prompted, prompted_tasks
from spacy_hitl.project.example import example_records, example_tasks, example_texts
from spacy_hitl.project.files import CONFIG, project_files
from spacy_hitl.project.folder import write_folder
from spacy_hitl.project.plan import OLLAMA, NewProject, NewTask, define, make_server
from spacy_hitl.settings import Price, read_settings

PACKAGE = Path(spacy_hitl.__file__).parent
TEXTS = {record["id"]: record for record in example_records()}
FILES = {
    "README.md",
    "project.yml",
    "requirements.txt",
    ".gitignore",
    "assets/texts.jsonl",
    "assets/GUIDELINES.md",
    "assets/responses.jsonl",
    "configs/prototype.cfg",
    "configs/ner.cfg",
}
SERVER = ("--endpoint", "http://127.0.0.1:9/v1", "--model", "toy")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: object, **options: Any) -> Any:
    return CliRunner().invoke(hitl_cli, [*map(str, words)], **options)


def init(*words: object, **options: Any) -> Any:
    result = run("init", *words, **options)
    assert result.exit_code == 0, result.output
    return result


def refused(code: str, *words: object, parts: List[str], init_path: str = "demo") -> None:
    """The command ends with this error and leaves the folder as it was."""
    before = sorted(Path().rglob("*"))
    result = run("init", init_path, *words)
    shown = " ".join(result.output.split())
    assert result.exit_code == 1 and f"[{code}]" in shown, result.output
    for part in parts:
        assert part in shown
    assert sorted(Path().rglob("*")) == before


def files_in(folder: Path) -> "set[str]":
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def compact(name: str, kind: str, answers: Any, id_: str, *, exclusive: bool) -> Any:
    """What the import format has for an answer of the example."""
    if kind == "textcat":
        return answers[0] if exclusive else answers
    text = TEXTS[id_]["text"]
    return [[text.index(q), text.index(q) + len(q), label] for q, label in answers]


def decide(*tasks: Any, lanes: Any = ("train", "dev", "gold")) -> None:
    """Import the example's answers as decisions."""
    records = []
    for id_, record in TEXTS.items():
        if record["lane"] in lanes:
            values = {
                name: compact(name, kind, example_tasks()[kind].answers[id_], id_, exclusive=ex)
                for name, kind, ex in tasks
            }
            records.append({"id": id_, **values})
    srsly.write_jsonl("decisions.jsonl", records)
    import_file(Path(CONFIG), Path("decisions.jsonl"))


def commands_of(readme: Path) -> List[List[str]]:
    """The commands of spacy that a README names, in its order."""
    blocks = re.findall(r"^ *```bash\n(.*?)^ *```", readme.read_text(), re.DOTALL | re.MULTILINE)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    assert lines[0] == "pip install -r requirements.txt"
    return [shlex.split(line) for line in lines[1:]]


# It runs


def test_a_new_project_has_its_files_and_asks_no_network(monkeypatch: Any) -> None:
    def no_network(*args: object) -> None:
        raise AssertionError("a connection was asked for")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    result = init("demo")
    assert "cd demo" in result.output
    assert files_in(Path("demo")) == FILES
    assert [p.name for p in Path().iterdir()] == ["demo"]
    monkeypatch.chdir("demo")
    result = run("annotate", CONFIG, "assets/texts.jsonl")
    assert result.exit_code == 0, result.output
    with Dataset(Path("datasets/hitl.db")) as dataset:
        assert dataset.tally("texts", "lane") == {("train",): 5, ("dev",): 2, ("gold",): 3}
        assert dataset.tally("proposals", "status") == {("ok",): 10}


@pytest.mark.slow
def test_the_readme_is_what_runs(here: Path, monkeypatch: Any) -> None:
    """All its commands, in its order, for one task of every kind, up to a verdict that holds."""
    tasks = [("ner", "ner", False), ("spancat", "spancat", False), ("topic", "textcat", True)]
    kinds = [word for name, kind, _ in tasks for word in ("--task", kind, "--name", name)]
    init("my-demo", *kinds)
    monkeypatch.chdir("my-demo")
    seen = []
    for command in commands_of(Path("README.md")):
        assert command[:2] == ["spacy", "hitl"]
        word, *rest = command[2:]
        seen.append(word)
        if word == "distill" and "configs/ner.cfg" not in rest:
            shorten(rest[0], steps=20)  # one runs to its end
        if word == "review":  # what people would do there
            decide(*tasks)
            continue
        rest += ["--no-speed"] if word == "evaluate" else []
        result = run(word, *rest)
        assert result.exit_code == 0, (command, result.output)
        if word == "promote":
            shown = " ".join(result.output.split())
            assert shown.count("3 gold texts, at least 50 needed") == 3
            assert not Path("pipelines").exists()
    steps = "annotate, review, status, export, init, distill, evaluate, promote, apply"
    assert ", ".join(dict.fromkeys(seen)) == steps
    found = srsly.read_jsonl("found/part-00000.jsonl")
    assert {record["id"] for record in found} == set(TEXTS)


def test_the_readme_and_the_project_file_name_the_same_commands() -> None:
    init("demo", "--task", "textcat", "--task", "ner", "--multilabel")
    project = srsly.yaml_loads(Path("demo/project.yml").read_text())
    scripts = [line for command in project["commands"] for line in command["script"]]
    for name, value in project["vars"].items():
        scripts = [line.replace(f"${{vars.{name}}}", value) for line in scripts]
    listed = [line.removeprefix("python -m ") for line in scripts]
    # Of two tasks, each is trained and measured at once there.
    readme = [shlex.join(c) for c in commands_of(Path("demo/README.md")) if c[2] != "init"]
    assert sorted(listed) == sorted(readme)
    known = {command["name"] for command in project["commands"]}
    steps = [step for workflow in project["workflows"].values() for step in workflow]
    assert set(steps) == known and len(steps) == len(known)


def test_the_training_config_fits_whatever_was_decided(monkeypatch: Any) -> None:
    """All of lane train was decided, so that no proposal is left to warm up on; or nothing was."""
    init("demo", "--student", "small")
    monkeypatch.chdir("demo")
    shorten("configs/ner.cfg", steps=1)
    annotate(Path(CONFIG), Path("assets/texts.jsonl"))
    distill = ("distill", "configs/ner.cfg", "--output", "training/ner")
    decide(("ner", "ner", False), lanes=("dev", "gold"))
    assert run("export", CONFIG).exit_code == 0
    assert "no decision in lane 'train'" in " ".join(run(*distill).output.split())
    decide(("ner", "ner", False), lanes=("train",))
    assert run("export", CONFIG).exit_code == 0
    result = run(*distill)
    assert result.exit_code == 0, result.output


def shorten(path: str, *, steps: int) -> None:
    config = load_config(path)
    config["training"]["max_steps"] = steps
    config.to_disk(path)


@pytest.mark.parametrize("student", ["small", "ensemble"])
def test_the_recipe_is_kept(student: str) -> None:
    init("demo", "--student", student, "--lang", "de")
    again = next(c for c in commands_of(Path("demo/README.md")) if c[2] == "init")
    corpus = "init configs/ner.cfg --corpus corpus/ner.jsonl"
    assert shlex.join(again) == f"spacy hitl {corpus} --lang de --student {student} --force"
    first = Path("demo/configs/ner.cfg").read_text().splitlines()[0]
    assert first == f"# Student of the task 'ner': ner, recipe {student}."
    for name in ("ner", "prototype"):
        assert load_config(f"demo/configs/{name}.cfg")["nlp"]["lang"] == "de"


@pytest.mark.parametrize(
    "kind, exclusive",
    [("ner", False), ("spancat", False), ("textcat", True), ("textcat", False)],
)
def test_the_answers_say_what_the_example_says(
    kind: str, exclusive: bool, monkeypatch: Any
) -> None:
    flag = "--exclusive" if exclusive else "--multilabel"
    init("demo", "-t", kind, "-n", "it", *([flag] if kind == "textcat" else []))
    monkeypatch.chdir("demo")
    annotate(Path(CONFIG), Path("assets/texts.jsonl"))
    task = prompted_tasks(load_prompted(Path(CONFIG))[0])["it"].task
    used = set()
    with Dataset(Path("datasets/hitl.db")) as dataset:
        for id_, record in TEXTS.items():
            (proposal,) = dataset.proposals("it", text_digest(record["text"]))
            answer = example_tasks()[kind].answers[id_]
            assert proposal.status == ("ok" if answer else "empty") and not proposal.problems
            wanted = compact("it", kind, answer, id_, exclusive=exclusive)
            found: Any = task.write_compact(proposal.annotation)
            assert sorted(found) == sorted(wanted)
            used |= {a.label for a in (*proposal.annotation.spans, *proposal.annotation.cats)}
    assert used == set(task.labels)
    assert set(task.definitions) == used and task.guidelines()


def test_other_texts_and_labels_are_told_to_ask_a_model(monkeypatch: Any) -> None:
    """What a stranger does first: own texts in place of the example, the model as it is."""
    init("demo")
    monkeypatch.chdir("demo")
    srsly.write_jsonl("assets/texts.jsonl", [{"id": "mine", "text": "A hammer."}])
    shown = " ".join(run("annotate", CONFIG, "assets/texts.jsonl").output.split())
    assert "[H105]" in shown and "put a real model into" in shown
    Path(CONFIG).write_text(Path(CONFIG).read_text().replace('"PART", "BIKE"', '"BIKE"'))
    Path("assets/texts.jsonl").write_text(example_texts())
    assert run("annotate", CONFIG, "assets/texts.jsonl").exit_code == 0
    with Dataset(Path("datasets/hitl.db")) as dataset:
        (proposal,) = dataset.proposals("ner", text_digest(TEXTS["m10"]["text"]))
    assert [p.kind for p in proposal.problems] == ["unknown_label"] * 2
    assert [s.label for s in proposal.annotation.spans] == ["BIKE"]


def test_the_block_in_the_comment_is_a_model(monkeypatch: Any) -> None:
    """The comment says how to ask a real one: put this in place of the block."""
    init("demo")
    monkeypatch.chdir("demo")
    text = Path(CONFIG).read_text()
    block = "".join(f"{line[4:]}\n" for line in text.splitlines() if line.startswith("#   "))
    assert block.startswith("[model]\n")
    start, end = text.index("\n[model]\n") + 1, text.index("[nlp]")
    Path(CONFIG).write_text(f"{text[:start]}{block}\n{text[end:]}")
    (task,) = prompted_tasks(load_prompted(Path(CONFIG))[0]).values()
    assert task.source == "the-model"


# What was said


def test_own_labels_ask_a_server() -> None:
    words = ("--labels", "A, B", "--define", "A=the first", "--define", "B=worth  5 $")
    result = init("own", *words)
    config = load_config("own/configs/prototype.cfg")
    assert config["model"] == {
        "@llm_models": "spacy-hitl.OpenAI.v1",
        "name": "qwen3:8b",
        "base_url": OLLAMA,
        "api_key_env": "HITL_API_KEY",
        "concurrency": 4,
        "timeout": 300.0,
    }
    own = read_settings(config.interpolate(), path=Path("own/configs/prototype.cfg"))
    assert own.prices == {"qwen3:8b": Price(input=0.0, output=0.0)}
    assert config["hitl"]["privacy"] == {"local_only": True}
    assert "ollama pull qwen3:8b" in result.output
    task = config["components"]["ner"]["task"]
    assert task["labels"] == ["A", "B"]
    # A dollar sign would refer to another value: that one stands in the guidelines.
    assert task["label_definitions"] == {"A": "the first"}
    assert "- `B`: worth 5 $" in Path("own/assets/GUIDELINES.md").read_text()
    assert not Path("own/assets/responses.jsonl").exists()
    labels = load_config("own/configs/ner.cfg")["initialize"]["components"]["ner"]["labels"]
    assert labels["labels"] == ["A", "B"]


def test_options_belong_to_tasks_by_their_position() -> None:
    words = "-t textcat -t ner -t textcat -l A,B -l X -l C -n one -n two -n three --multilabel"
    init("demo", *words.split(), *SERVER, "--api-key-env", "TOY_KEY")
    nlp, _ = load_prompted(Path("demo/configs/prototype.cfg"))
    found = {n: (t.task.kind, t.task.labels) for n, t in prompted_tasks(nlp).items()}
    wanted = {"one": ("textcat", "AB"), "two": ("ner", "X"), "three": ("textcat", "C")}
    assert found == {n: (kind, tuple(labels)) for n, (kind, labels) in wanted.items()}
    config = load_config("demo/configs/prototype.cfg", interpolate=True)
    for name in wanted:
        assert config["components"][name]["model"]["api_key_env"] == "TOY_KEY"
        assert Path(f"demo/assets/GUIDELINES-{name}.md").is_file()
        assert Path(f"demo/configs/{name}.cfg").is_file()
    assert config["hitl"]["promote"]["floors"] == dict.fromkeys(wanted, 0.8)
    assert config["hitl"]["promote"]["min_gold"] == 50


def test_the_key_of_openai_is_for_openai_only() -> None:
    assert make_server("https://api.openai.com/v1", "m", None).key_variable == "OPENAI_API_KEY"
    for url in ("https://api.openai.com.example.org/v1", "http://127.0.0.1/v1", None):
        assert make_server(url, "m", None).key_variable == "HITL_API_KEY"


characters = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="$\0,"), max_size=9
)
label = st.one_of(
    characters,
    st.sampled_from(['"', "'", "%", "%(x)s", "{", "}", "{{ a }}", "a\nb", "[x]", "#", "=", ": a"]),
    st.sampled_from(["@x", "null", "1", "\\", "a=b", "\u2028", "`", "|", "{% x %}", "A B", "ä"]),
).filter(lambda x: bool(x.strip()))
labels = st.lists(label, min_size=1, max_size=4, unique=True)
meaning = st.one_of(characters, st.sampled_from(["5 $", "${a.b}", '"', "a: b # c", "{{ a }}"]))


@settings(max_examples=40)
@given(labels, st.lists(meaning, max_size=4), characters, st.sampled_from(["ner", "textcat"]))
def test_labels_come_back_as_they_are(
    found: List[str], meanings: List[str], model: str, kind: str
) -> None:
    said = [f"{n}={m}" for n, m in zip(found, meanings, strict=False) if m.split()]
    # "A=" may be a label too: then what follows is said of the longer one.
    tasks = define([NewTask("it", kind, tuple(found))], said if "=" not in "".join(found) else [])
    server = make_server(None, model if model.strip() and model.isprintable() else "m", None)
    files = project_files(NewProject("demo", tasks, "en", server), {"it": "stub"})
    config = load_config_from_str(files[CONFIG], interpolate=True)
    task = config["components"]["it"]["task"]
    assert task["labels"] == found
    assert config["model"]["name"] == server.model
    for name, meant in tasks[0].definitions.items():
        if name in task["label_definitions"]:
            assert task["label_definitions"][name] == meant
        else:
            assert f": {meant}\n" in files["assets/GUIDELINES.md"]
    assert set(task["label_definitions"]) <= set(tasks[0].definitions)
    assert srsly.yaml_loads(files["project.yml"])["title"] == "demo"
    for name, text in files.items():
        assert "{{ " not in text or name in (CONFIG, "README.md", "assets/GUIDELINES.md")


def test_a_label_from_hell_goes_the_whole_way(monkeypatch: Any) -> None:
    """Written by the command, loaded by spaCy, in both configs."""
    hell = ['%(a)s "{{ x }}"', "a\nb", "[x] = {y}", "#'ä|`"]
    init("demo", "-t", "textcat", "--multilabel", "-l", ",".join(hell), *SERVER)
    monkeypatch.chdir("demo")
    task = prompted_tasks(load_prompted(Path(CONFIG))[0])["textcat"].task
    assert list(task.labels) == hell
    config = load_config("configs/textcat.cfg", interpolate=True)
    assert config["initialize"]["components"]["textcat"]["labels"] == hell


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
    command = [sys.executable, "-m", "spacy", "hitl", "init", "demo"]
    with subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal) as process:
        os.close(terminal)
        shown = b""
        while b"Kind of task" not in shown:
            shown += os.read(control, 1000)
        os.write(control, b"textcat\n")
        while b"Name of the task" not in shown:
            shown += os.read(control, 1000)
        process.send_signal(2)
        assert process.wait(timeout=60) != 0
    os.close(control)
    assert list(here.iterdir()) == []


# Packed


def test_everything_is_package_data() -> None:
    setup = ConfigParser()
    setup.read(PACKAGE.parent / "setup.cfg")
    patterns = setup["options.package_data"]["spacy_hitl.project"].split(", ")
    files = {p for p in files_in(PACKAGE / "project") if "__pycache__" not in p}
    data = {path for path in files if not path.endswith(".py")}
    assert len(data) == 8
    assert {path for path in data if any(fnmatch(path, p) for p in patterns)} == data


def test_the_example_is_whole() -> None:
    assert len(TEXTS) == 10
    for task in example_tasks().values():
        assert set(task.answers) == set(TEXTS) and task.rules


@pytest.mark.parametrize("model", ["llama3.1", "gpt-4.1-mini", "qwen2.5:7b", "a.b/c d", "[x]", "é"])
def test_any_name_of_a_model_gives_a_config_that_works(model: str) -> None:
    """A key of a config is cut at its dots: prices are told in another form."""
    init("own", "--endpoint", OLLAMA, "--model", model)
    _, own = load_prompted(Path("own/configs/prototype.cfg"))
    assert own.prices == {model: Price(input=0.0, output=0.0)}
