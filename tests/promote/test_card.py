"""The model card: what whoever gets a pipeline has to know, from lineage and figures alone."""

from dataclasses import replace
from typing import Any

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from spacy_hitl.promote.card import fill_meta, write_card
from spacy_hitl.promote.card_parts import safe
from spacy_hitl.records import (
    CorpusDigest,
    Learned,
    Lineage,
    PromptDigest,
    StudentLineage,
    TaskHeader,
)
from spacy_hitl.scoring.results import (
    ErrorCount,
    LabelScore,
    SliceScore,
    Speed,
    SystemScore,
    TaskMetrics,
)
from spacy_hitl.settings import PromoteSettings

LEARNED = Learned(
    "config",
    (
        CorpusDigest(
            *("corpus/mood.jsonl", "mood", "textcat", "t", "0123456789abcdef", 12),
            lanes=(("dev", 4), ("train", 8)),
            bulk=3,
            proposals=1234,
        ),
    ),
)
STUDENT = StudentLineage(
    *("textcat", "taskdigest", "studentdigest", {"mood_cats_micro_f": 0.8}, (0.7, 0.9), 100),
    prompt=PromptDigest("taskdigest", "gpt-9"),
    learned=LEARNED,
)
LINEAGE = Lineage(
    "moods",
    "0.1",
    (("spacy", "3.8"),),
    students={"mood": STUDENT},
    held={"anger": ("too | low",)},
)
SYSTEMS = (
    SystemScore("most frequent", "baseline", 0.2, 0.1, 0.3, 0.2, 0.2),
    SystemScore("a.cfg", "prompted", 0.9, 0.85, 0.95, 0.9, 0.9),
    SystemScore(
        *("training/mood/model-best", "student", 0.8, 0.7, 0.9, 0.8, 0.8),
        labels=(
            LabelScore("GOOD", 30, 2, 4, 0.94, 0.88, 0.91, f_bounds=(0.8, 0.97)),
            LabelScore("BAD", 3, 2, 4, 0.6, 0.4, 0.5),
        ),
        megabytes=2.25,
        slices=(SliceScore("length", "under 20 words", 50, 0.75, 0.6, 0.85),),
        speed=Speed(12345.6, p50_ms=1.25, p99_ms=4.5, peak_megabytes=310.4),
        errors=(ErrorCount("missed", "GOOD", 4), ErrorCount("spurious", "BAD", 9)),
    ),
)
METRICS = TaskMetrics(
    TaskHeader("mood", "textcat", ("GOOD", "BAD"), "taskdigest"),
    *("mood_cats_micro_f", 100, (("import", 40), ("person", 60)), False, SYSTEMS),
    notes=("Something to know.",),
)
MEANING = {"mood": {"GOOD": "content | <b>glad</b>"}}


def card(lineage: Lineage = LINEAGE, metrics: TaskMetrics = METRICS) -> str:
    return write_card(spacy.blank("en"), lineage, {"mood": metrics}, MEANING)


@pytest.mark.parametrize(
    "part",
    [
        "# moods",
        "text categories (mood)",
        "`gpt-9`",
        "nlp = spacy.load(",
        "doc.cats  # mood",
        "| `GOOD` | content \\| &lt;b>glad&lt;/b> |",
        "| `BAD` | not defined |",
        "| this pipeline | 0.800 | 0.700 to 0.900 | 12,346 | 2.2 |",
        "| baseline, most frequent | 0.200 |",
        "| the prompted original | 0.900 |",
        "100 gold texts, decided 40 from a file, 60 by people; not blind",
        "Its errors: 9 spurious, 4 missed.",
        "A single text takes 1.2 ms, one in a hundred 4.5. Memory: 310 MB at most.",
        "Something to know.",
        "| `GOOD` | 0.94 | 0.88 | 0.91 (0.80 to 0.97) | 34 |",
        "| length | under 20 words | 50 | 0.75 (0.60 to 0.85) |",
        "| mood | corpus/mood.jsonl | 0123456789ab | 12 (4 dev, 8 train) | 1,234 |",
        "| mood | gpt-9 | taskdigest |",
        "fewer than 30 examples in gold of BAD.",
        "3 decisions were accepted in bulk, unread",
        "anger is not in it: too \\| low.",
        "| License | not given |",
    ],
)
def test_it_says(part: str) -> None:
    assert part in card()


def test_what_is_missing_is_said_and_not_left_out() -> None:
    student = replace(STUDENT, learned=None, prompt=None)
    lineage = replace(LINEAGE, students={"mood": student}, prompted=("anger",))
    bare = replace(METRICS, systems=(replace(SYSTEMS[2], slices=(), labels=()),))
    found = card(lineage, bare)
    for part in ("not recorded", "not measured on parts", "anger: still asks a model"):
        assert part in found
    assert "anger is not in it" not in found


def test_a_catalog_is_counted_and_not_listed() -> None:
    header = TaskHeader("mood", "linking", ("A", "B"), "t", catalog="/home/ada/names.jsonl")
    found = card(metrics=replace(METRICS, header=header))
    assert "2 entries of the catalog `names.jsonl`" in found
    assert "/home/ada" not in found and "kb_id_" in found


def test_many_parts_are_cut_and_counted() -> None:
    parts = tuple(SliceScore("source", f"/home/ada/{i}.jsonl", 5, 0.5, 0.1, 0.9) for i in range(50))
    student = replace(SYSTEMS[2], slices=parts)
    found = card(metrics=replace(METRICS, systems=(student,)))
    assert "| source | 0.jsonl | 5 |" in found and "And 20 parts more" in found


def test_tables_are_tables() -> None:
    """Every line of a table has as many cells as its first."""
    width = 0
    for line in card().splitlines():
        if not line.startswith("|"):
            width = 0
            continue
        cells = line.replace("\\|", "").count("|")
        width = width or cells
        assert cells == width, line


@given(st.text())
def test_what_a_user_wrote_stays_text(text: str) -> None:
    found = safe(text)
    assert "\n" not in found and "<" not in found
    assert "|" not in found.replace("\\|", "")


def test_spacys_own_meta_is_filled() -> None:
    nlp: Any = spacy.blank("en")
    fill_meta(nlp, LINEAGE, {"mood": METRICS}, PromoteSettings(license="MIT", author="Ada"))
    assert nlp.meta["name"] == "moods"
    assert (nlp.meta["license"], nlp.meta["author"]) == ("MIT", "Ada")
    found = write_card(nlp, LINEAGE, {"mood": METRICS}, MEANING)
    assert "| License | MIT |" in found and "| Author | Ada |" in found
    assert "text categories (mood)" in nlp.meta["description"]
    assert nlp.meta["performance"] == {"mood_cats_micro_f": 0.8}
    assert nlp.meta["sources"] == [{"name": "12 decisions"}, {"name": "Answers of gpt-9"}]
