"""`spacy hitl init NAME`: a folder that runs as it stands, with what was said in it."""

import shlex
import socket
from configparser import ConfigParser
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, List

import pytest
import srsly
from hypothesis import given, settings
from hypothesis import strategies as st
from new_projects import (
    FILES,
    PACKAGE,
    SERVER,
    TEXTS,
    commands_of,
    compact,
    decide,
    files_in,
    init,
    run,
)
from spacy.util import load_config, load_config_from_str

from spacy_hitl.annotate.run import annotate
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.io import text_digest
from spacy_hitl.pipeline.loading import load_prompted, prompted_tasks
from spacy_hitl.project.example import example_tasks, example_texts
from spacy_hitl.project.files import CONFIG, project_files
from spacy_hitl.project.plan import OLLAMA, NewProject, NewTask, define, make_server
from spacy_hitl.settings import Price, read_settings

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
