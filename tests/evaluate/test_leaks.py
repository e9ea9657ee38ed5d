"""Gold texts, or nearly the same ones, where a system could have learned from them."""

from ast import literal_eval
from pathlib import Path
from typing import Any, List, Optional

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from spacy_hitl.evaluate.leaks import (
    LENGTH,
    GoldTexts,
    Leak,
    check_leaks,
    find_leaks,
    named_corpora,
)
from spacy_hitl.io import text_digest, write_jsonl
from spacy_hitl.pipeline.loading import load_prompted
from spacy_hitl.records import TaskHeader, TaskRow
from spacy_hitl.tasks.near_duplicates import jaccard, shingles
from spacy_hitl.tasks.similarity import normalise

GOLD = [
    "My Nebula K10 died after two days, and nobody at the shop could tell me why it did.",
    "The camera of this one is good in the dark, which I did not expect from a cheap phone.",
    "k10!",
]
NEAR = GOLD[0].replace("My", "Our")
OTHER = "Bought a case for it, and it fits well enough that I stopped looking for another."
HEADER = TaskHeader("product", "ner", ("PRODUCT",), "digest")


def corpus(path: str, *texts: str) -> Path:
    """An exported corpus with these texts."""
    rows = [TaskRow(text, text_digest(text), "train") for text in texts]
    write_jsonl(Path(path), (record.to_dict() for record in (HEADER, *rows)))
    return Path(path)


def student(folder: str, **blocks: str) -> Path:
    """A trained pipeline whose config names files."""
    nlp = spacy.blank("en")
    for name, path in blocks.items():
        nlp.config["corpora"][name] = {
            "@readers": "spacy-hitl.TaskCorpus.v1",
            "path": path,
            "task": "product",
        }
    Path(folder).parent.mkdir(parents=True, exist_ok=True)
    nlp.to_disk(folder)
    return Path(folder)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def check(*, folders: Any = (), threshold: Optional[float] = 0.8, **corpora: List[str]) -> None:
    pipelines = [([folder], spacy.blank("en")) for folder in folders]
    check_leaks(GOLD, corpora=corpora, pipelines=pipelines, threshold=threshold)


def test_clean_texts_pass() -> None:
    check(train=[OTHER, "", "k10 pro"])
    check(train=[])


@pytest.mark.parametrize("text", [GOLD[1], GOLD[1].upper(), GOLD[1].replace(" ", "  "), "K-10"])
def test_the_same_letters_are_the_same_text(text: str, fails: Any) -> None:
    for threshold in (None, 0.8, 1.0):
        with fails("H422", "(1)", text_digest(text)[:8], "in train", "spacy hitl export"):
            check(train=[OTHER, text], threshold=threshold)


def test_a_near_duplicate_is_named_with_its_gold_text(fails: Any) -> None:
    with fails("H422", f"gold {text_digest(GOLD[0])[:8]} is like {text_digest(NEAR)[:8]} in train"):
        check(train=[OTHER, NEAR])
    check(train=[OTHER, NEAR], threshold=None)
    check(train=[OTHER, NEAR], threshold=1.0)
    with fails("H323", "1.5"):
        check(train=[], threshold=1.5)


def test_an_error_names_the_first_few_and_never_a_whole_text(fails: Any) -> None:
    copies = [f"{GOLD[1]} {i}" for i in range(10)]
    with pytest.raises(Exception, match=r"\(10\).*; and 7 more") as caught:
        check(train=[*copies, *copies])
    assert str(caught.value).count("is like") == 3
    assert GOLD[1] not in str(caught.value)


@given(st.text())
def test_what_is_shown_of_a_text_is_short_and_one_line(text: str) -> None:
    line = str(Leak("a" * 64, "b" * 64, "x:1", text))
    shown = literal_eval(line.partition("(")[2][:-1])
    assert "\n" not in line and len(shown) <= LENGTH
    plain = " ".join(text.split())
    assert shown == plain or (len(plain) > LENGTH and plain.startswith(shown[:-3]))


words = st.lists(st.sampled_from(["a", "b", "c", "K10", "no"]), max_size=8).map(" ".join)


@given(st.lists(words), st.lists(words), st.sampled_from([None, 0.5, 0.8, 1.0]))
def test_finds_what_comparing_all_pairs_finds(
    gold: List[str], others: List[str], threshold: Optional[float]
) -> None:
    def alike(one: str, other: str) -> bool:
        near = threshold is not None and jaccard(shingles(one), shingles(other)) >= threshold
        return near or normalise(one) == normalise(other)

    known = GoldTexts(gold, threshold=threshold)
    count, leaks = find_leaks(known, [("x", text) for text in others])
    wanted = [text for text in dict.fromkeys(others) if any(alike(g, text) for g in gold)]
    assert count == len(wanted)
    assert [leak.text for leak in leaks] == wanted[:3]
    for leak in leaks:
        assert alike(known.match(leak.text), leak.text)


def test_corpora_that_a_config_names_are_read(fails: Any) -> None:
    clean, leaky = corpus("corpus/clean.jsonl", OTHER), corpus("corpus/old.jsonl", OTHER, NEAR)
    check(folders=[student("training/one", train=str(clean))], train=[OTHER])
    folder = student("training/two", train=str(clean), dev=str(leaky), more="corpus/gone.jsonl")
    assert named_corpora(folder) == [clean, leaky]
    with fails("H422", "corpus/old.jsonl:3", text_digest(NEAR)[:8]):
        check(folders=[student("training/one", train=str(clean)), folder], train=[OTHER])
    # Read already: what was read counts.
    check_leaks(
        GOLD,
        corpora={"./corpus/old.jsonl": [OTHER]},
        pipelines=[([student("training/three", train=str(leaky))], spacy.blank("en"))],
    )


def test_other_files_and_broken_configs_are_passed_over() -> None:
    write_jsonl(Path("posts.jsonl"), [{"id": "1", "text": GOLD[0]}])
    Path("empty.jsonl").write_text("")
    folder = student("training/one", train="posts.jsonl", dev="empty.jsonl")
    assert named_corpora(folder) == []
    (folder / "config.cfg").write_text("[paths]\nx = ${no.such}\n")
    assert named_corpora(folder) == []
    assert named_corpora(Path("nowhere")) == []


CONFIG = """
[nlp]
lang = "en"
pipeline = ["product"]

[components]

[components.product]
factory = "hitl_llm"

[components.product.task]
%s

[components.product.model]
@llm_models = "spacy-hitl.Replay.v1"
path = "responses.jsonl"
"""
NER = '@llm_tasks = "spacy-hitl.NER.v1"\nlabels = ["PRODUCT"]\nexamples = "examples.jsonl"'
POOL = f"{NER}\nexamples_nearest = 2"
PARTS = "\n[components.product.task.parts]\n\n[components.product.task.parts.product]\n"
JOINT = f'@llm_tasks = "spacy-hitl.Joint.v1"\n{PARTS}{NER}'


@pytest.mark.parametrize("task", [NER, POOL, JOINT], ids=["ner", "pool", "joint"])
def test_examples_in_prompts_are_read(task: str, fails: Any) -> None:
    Path("one.cfg").write_text(CONFIG % task)
    nlp, _ = load_prompted(Path("one.cfg"))
    example = {"text": OTHER, "annotation": []}
    write_jsonl(Path("examples.jsonl"), [example])
    check_leaks(GOLD, corpora={}, pipelines=[([], nlp)])
    write_jsonl(Path("examples.jsonl"), [example, {**example, "text": NEAR}])
    with fails("H423", "(1)", "examples.jsonl:2", text_digest(NEAR)[:8], "spacy hitl examples"):
        check_leaks(GOLD, corpora={}, pipelines=[([], nlp)])
