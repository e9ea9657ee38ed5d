"""What is nearly a gold text is not exported for training."""

from pathlib import Path
from typing import Any, Dict, List

import pytest
from typer.testing import CliRunner

from spacy_hitl.annotate.run import annotate
from spacy_hitl.cli import hitl_cli
from spacy_hitl.dataset.corpus import read_corpus
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.exchange.run import export_corpora
from spacy_hitl.io import text_digest
from spacy_hitl.records import Annotation, CategoryAnnotation, Decision, Row
from spacy_hitl.settings import LaneSettings

DB = Path("datasets/hitl.db")
CORPUS = Path("corpus/relevant.jsonl")
GOLD = " ".join(f"w{i}" for i in range(30))
NEARLY = GOLD.replace("w15", "x")  # 0.81 of its runs of three words
LESS = NEARLY.replace("w5", "y")  # 0.65
YES = Annotation(cats=(CategoryAnnotation("RELEVANT"),))


def add(texts: Dict[str, str], *, decided: bool = True) -> None:
    """Texts with their lanes."""
    with Dataset(DB) as dataset:
        rows = [Row("more", text, text, lane) for text, lane in texts.items()]
        dataset.add_rows(rows, LaneSettings())
        if decided:
            dataset.add_decisions(
                Decision(text_digest(x), "relevant", "accept", "a", "person", "d", YES)
                for x in texts
            )


def exported_texts() -> List[str]:
    return [row.text for _, row in read_corpus(CORPUS)[1]]


@pytest.fixture
def filled(project: Any) -> Any:
    annotate(project.config, project.texts)
    add({GOLD: "gold"}, decided=False)  # nobody decided on it yet; it may become a measure
    add({NEARLY: "train", GOLD + " and": "dev", LESS: "train"})
    return project


def test_train_and_dev_without_gold(filled: Any) -> None:
    result = export_corpora(filled.config)
    assert {NEARLY, GOLD + " and", LESS} & set(exported_texts()) == {LESS}
    assert result.near_gold[CORPUS] == 2
    assert result.counts[CORPUS] == len(exported_texts())
    assert set(result.near_gold.values()) == {0, 2}, "of other tasks nothing was decided"
    before = CORPUS.read_bytes()
    export_corpora(filled.config)
    assert CORPUS.read_bytes() == before


def test_the_similarity_can_be_chosen(filled: Any, fails: Any) -> None:
    result = export_corpora(filled.config, near_duplicates=0.6)
    assert not {NEARLY, GOLD + " and", LESS} & set(exported_texts())
    assert result.near_gold[CORPUS] == 3
    result = export_corpora(filled.config, near_duplicates=None)
    assert {NEARLY, GOLD + " and", LESS} <= set(exported_texts())
    assert result.near_gold[CORPUS] == 0
    with fails("H323", 1.2):
        export_corpora(filled.config, near_duplicates=1.2)


def test_gold_itself_is_never_left_out(filled: Any) -> None:
    add({GOLD + " or": "gold"})
    export_corpora(filled.config)
    gold = [row.text for _, row in read_corpus(Path("corpus/gold/relevant.jsonl"))[1]]
    assert gold == [GOLD + " or"]


@pytest.mark.parametrize(
    "options, line", [([], "2 more were left out: nearly a gold text"), (["0"], None)]
)
def test_the_command_counts_them(filled: Any, options: List[str], line: Any) -> None:
    more = [f"--near-duplicates={value}" for value in options]
    done = CliRunner().invoke(hitl_cli, ["export", str(filled.config), *more])
    assert done.exit_code == 0, done.output
    assert ("left out" in done.output) == (line is not None)
    assert line is None or line in done.output
    assert "w1 w2" not in done.output, "a gold text is shown to nobody"
