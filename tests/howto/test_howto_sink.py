"""docs/howto_sink.md: the sink of the page, and what happens when one goes wrong."""

import csv
from pathlib import Path

import pages
import pytest
import spacy
import srsly

from spacy_hitl.apply.run import apply

NAME, CODE = "shop.Csv.v1", Path("sinks.py")
TEXTS = ["The K10, again", 'a "K10" and a K10', "none", "bad K10", "one K10"]
# What a text asks for by its first word; kept in the environment, as a maker has no arguments.
FAULTY = """
import os
import spacy

@spacy.registry.misc("shop.Faulty.v1")
def make_faulty():
    def lines(doc, row):
        if doc[0].text == "bad" and os.environ["FAULT"] == "value":
            raise ValueError("no such phone")
        if doc[0].text == "bad" and os.environ["FAULT"] == "connection":
            raise ConnectionRefusedError("nobody listens")
        return {"not": "lines"} if os.environ["FAULT"] == "type" else doc.text + "\\n"
    return lines

@spacy.registry.misc("shop.NoFunction.v1")
def make_no_function():
    return 7
"""


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pages.write_files("sink")
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "PHONE", "pattern": "K10"}])
    Path("pipelines").mkdir()
    nlp.to_disk("pipelines/phones")
    rows = [{"id": f"t{i}", "text": text} for i, text in enumerate(TEXTS, start=1)]
    srsly.write_jsonl("texts.jsonl", rows)
    Path("faulty.py").write_text(FAULTY)


def written(folder: str = "found.csv"):
    parts = sorted(Path(folder).glob("part-*.csv"))
    return [row for part in parts for row in csv.reader(part.open(newline="", encoding="utf8"))]


def test_the_command_of_the_page_writes_lines_of_its_own():
    (command,) = pages.commands("sink")
    assert "5 of 5 texts in found.csv" in pages.run_well(command)
    assert written()[:3] == [
        ["t1", "4", "7", "PHONE", "K10"],
        ["t2", "3", "6", "PHONE", "K10"],
        ["t2", "14", "17", "PHONE", "K10"],
    ]
    assert [row[0] for row in written()] == ["t1", "t2", "t2", "t4", "t5"]


@pytest.mark.slow
def test_workers_write_the_same_parts():
    for out, workers in (("one.csv", 1), ("two.csv", 2)):
        apply("pipelines/phones", "texts.jsonl", out, form=NAME, code=CODE, shard_rows=2,
              workers=workers)  # fmt: skip
    one, two = ({p.name: p.read_bytes() for p in Path(o).glob("part-*")} for o in
                ("one.csv", "two.csv"))  # fmt: skip
    assert one == two and len(one) == 3


def test_a_row_that_the_function_refuses_fails_alone(monkeypatch):
    monkeypatch.setenv("FAULT", "value")
    found = faulty("out.txt")
    assert [(f.id, f.reason) for f in found.failed] == [
        ("t4", "its document can't be stored: ValueError: no such phone")
    ]
    assert Path("out.txt/part-00000.txt").read_text().splitlines() == [*TEXTS[:3], TEXTS[4]]


def test_a_sink_that_gives_no_lines_is_told_for_every_row(monkeypatch):
    monkeypatch.setenv("FAULT", "type")
    found = faulty("out.txt")
    assert len(found.failed) == 5 and "gave dict, expected str or bytes" in found.failed[0].reason


def test_a_lost_connection_stops_the_run_and_the_next_one_goes_on(monkeypatch, fails):
    monkeypatch.setenv("FAULT", "connection")
    with fails("H007", "nobody listens"):
        faulty("out.txt", shard_rows=2)
    assert [p.name for p in Path("out.txt").glob("part-*")] == ["part-00000.txt"]
    monkeypatch.setenv("FAULT", "none")
    found = faulty("out.txt", shard_rows=2)
    assert (found.before, found.written) == (2, 5)


def test_another_sink_does_not_write_into_the_same_folder(fails, monkeypatch):
    apply("pipelines/phones", "texts.jsonl", "found.csv", form=NAME, code=CODE)
    monkeypatch.setenv("FAULT", "none")
    with fails("H603", "another form", "shop.Faulty.v1"):
        faulty("found.csv")


@pytest.mark.parametrize("form, code, out, part", [
    ("shop.Nobody.v1", "sinks.py", "out", "shop.Nobody.v1"),
    ("shop.NoFunction.v1", "faulty.py", "out", "its maker gave int"),
    (NAME, "sinks.py", "sqlite:///found.db", "is no folder"),
])  # fmt: skip
def test_a_sink_that_cant_be_made_stops_before_anything_is_written(form, code, out, part, fails):
    before = set(Path().iterdir())
    with fails("H618", form, part):
        apply("pipelines/phones", "texts.jsonl", out, form=form, code=Path(code))
    # Python keeps the bytecode of what `--code` names there.
    assert set(Path().iterdir()) - {Path("__pycache__")} == before


def faulty(out: str, **more):
    return apply("pipelines/phones", "texts.jsonl", out, form="shop.Faulty.v1",
                 code=Path("faulty.py"), **more)  # fmt: skip
