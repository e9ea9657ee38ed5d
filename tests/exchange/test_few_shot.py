"""Few-shot examples come from decided training texts, and the prompt shows them."""

import json
from pathlib import Path
from typing import Any, List

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from spacy_hitl.annotate.run import annotate
from spacy_hitl.cli import hitl_cli
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.exchange.examples import choose_examples
from spacy_hitl.llm.store import ResponseStore
from spacy_hitl.pipeline.loading import load_prompted, prompted_components, prompted_tasks
from spacy_hitl.records import Request
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


def test_a_pool_is_all_decided_train_texts(exported: Any) -> None:
    count = choose_examples(exported.config, "product", OUT, strategy="pool")
    pool = [json.loads(line) for line in OUT.read_text().splitlines()]
    with Dataset(Path("datasets/hitl.db")) as dataset:
        decided = {
            text
            for digest, text, _, _ in dataset.texts(lanes=["train"])
            if dataset.decisions("product", digest)
        }
    assert {e["text"] for e in pool} == decided and len(pool) == count == len(decided) == 8
    whole = OUT.read_bytes()
    choose_examples(exported.config, "product", OUT, strategy="pool")
    assert OUT.read_bytes() == whole
    assert choose_examples(exported.config, "product", OUT, strategy="pool", count=3) == 3
    assert whole.startswith(OUT.read_bytes())
    assert choose_examples(exported.config, "product", OUT, strategy="pool", max_chars=1000) >= 8


@pytest.mark.parametrize("task", ["product", "link", "attributes", "relevant"])
def test_each_text_is_shown_its_nearest_and_never_itself(exported: Any, task: str) -> None:
    plain = prompted_tasks(load_prompted(exported.config)[0])[task].task
    choose_examples(exported.config, task, OUT, strategy="pool")
    block = f"components.{task}.task"
    exported.edit({f"{block}.examples": str(OUT), f"{block}.examples_nearest": 3})
    nlp, _ = load_prompted(exported.config)
    chosen = prompted_tasks(nlp)[task].task
    assert chosen.digest() != plain.digest()
    pool = [json.loads(line)["text"] for line in OUT.read_text().splitlines()]
    shown = {}
    for text in [post["text"] for post in exported.posts]:
        doc = nlp.make_doc(text)
        before = plain.build_request(doc, name=task, sample=1).messages
        after = chosen.build_request(doc, name=task, sample=1).messages
        assert after[0] == before[0]
        assert after[1].content.endswith("\n\n" + before[1].content)
        shown[text] = [x for x in pool if json.dumps(x, ensure_ascii=False) in after[1].content]
        assert len(shown[text]) == 3 and text not in shown[text]
    assert len(set(map(tuple, shown.values()))) > 5, "not the same ones for all"


def test_a_pool_that_grows_asks_again_only_where_the_nearest_are_others(exported: Any) -> None:
    choose_examples(exported.config, "product", OUT, strategy="pool")
    values = {"examples": str(OUT), "examples_nearest": 2}
    exported.edit({f"components.product.task.{k}": v for k, v in values.items()})

    def requests() -> List[Request]:
        nlp, _ = load_prompted(exported.config)
        task = prompted_tasks(nlp)["product"].task
        docs = map(nlp.make_doc, [post["text"] for post in exported.posts])
        return [task.build_request(doc, name="product", sample=1) for doc in docs]

    def stored() -> int:
        with ResponseStore(Path("datasets/responses.db")) as store:
            return len(store)

    assert annotate(exported.config, exported.texts).annotated == 30
    assert annotate(exported.config, exported.texts).annotated == 0
    before, asked = requests(), stored()
    with OUT.open("a") as file_:
        file_.write(json.dumps({"text": "zzz", "annotation": []}) + "\n")
    assert annotate(exported.config, exported.texts).annotated == 30, "it is another task"
    others = sum(x != y for x, y in zip(before, requests(), strict=True))
    assert stored() - asked == others < 10


def test_the_command(exported: Any) -> None:
    def run(*options: str) -> Any:
        command = ["examples", str(exported.config), "--task", "product", "--output", str(OUT)]
        return CliRunner().invoke(hitl_cli, [*command, *options])

    done = run("--strategy", "pool")
    assert done.exit_code == 0 and "8 examples" in done.output
    assert run("--count", "2").exit_code == 0
    assert len(OUT.read_text().splitlines()) == 2
    assert run("--strategy", "best").exit_code != 0


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
