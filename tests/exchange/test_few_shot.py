"""Few-shot examples come from decided training texts, and the prompt shows them."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_hitl.dataset.store import Dataset
from spacy_hitl.exchange.examples import choose_examples
from spacy_hitl.pipeline.loading import load_prompted, prompted_components
from spacy_hitl.scoring.selection import farthest_first, spread_over_labels

OUT = Path("examples.jsonl")


@pytest.mark.parametrize("strategy", ["labels", "diverse"])
@pytest.mark.parametrize("task", ["product", "link", "attributes", "relevant"])
def test_examples_are_decided_train_texts(exported: Any, task: str, strategy: str) -> None:
    count = choose_examples(exported.config, task, OUT, count=4, strategy=strategy)
    examples = [json.loads(line) for line in OUT.read_text().splitlines()]
    assert len(examples) == count == 4
    with Dataset(Path("datasets/hitl.db")) as dataset:
        lanes = {text: lane for _, text, _, lane in dataset.texts(lanes=["gold", "dev", "train"])}
    assert {lanes[e["text"]] for e in examples} == {"train"}


def test_the_prompt_shows_them_and_the_task_is_another(exported: Any) -> None:
    before = prompted_components(load_prompted(exported.config)[0])["product"].task
    choose_examples(exported.config, "product", OUT, count=3)
    exported.edit({"components.product.task.examples": str(OUT)})
    after = prompted_components(load_prompted(exported.config)[0])["product"].task
    first = json.loads(OUT.read_text().splitlines()[0])["text"]
    assert json.dumps(first, ensure_ascii=False) in after.system_prompt()
    assert after.digest() != before.digest()


def test_mistakes_are_explained(exported: Any, fails: Any) -> None:
    with fails("H401", "nothing"):
        choose_examples(exported.config, "nothing", OUT)
    with fails("H004", "nearest"):
        choose_examples(exported.config, "product", OUT, strategy="nearest")
    with fails("H300", "opinions"):
        choose_examples(exported.config, "opinions", OUT)
    assert not OUT.exists()


LABELS = st.lists(st.sets(st.sampled_from("ABCD")), max_size=12)


@given(LABELS, st.integers(0, 15))
def test_every_label_is_shown_before_one_is_repeated(labels: Any, count: int) -> None:
    chosen = spread_over_labels(labels, count)
    assert len(set(chosen)) == len(chosen) == min(count, len(labels))
    everything = {x for found in labels for x in (found or {""})}
    if count >= len(everything):
        assert {x for i in chosen for x in (labels[i] or {""})} == everything


@given(st.lists(st.text(alphabet="ab c", max_size=8), max_size=10), st.integers(1, 12))
def test_diverse_texts_are_different_ones(texts: Any, count: int) -> None:
    chosen = farthest_first(texts, count)
    assert len(set(chosen)) == len(chosen) == min(count, len(texts))
