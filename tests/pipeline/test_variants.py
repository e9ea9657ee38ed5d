"""Named variants of a config: prompts side by side over the same texts."""

from pathlib import Path

import pytest
import srsly
from spacy.util import load_config
from typer.testing import CliRunner

from spacy_hitl.annotate.run import annotate
from spacy_hitl.cli import hitl_cli
from spacy_hitl.dataset.corpus import read_corpus
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.evaluate.run import evaluate
from spacy_hitl.exchange.run import export_corpora, import_file
from spacy_hitl.pipeline.loading import (
    load_prompted,
    prompted_tasks,
    split_variant,
    variants_of,
    version_keys,
)

SHORT = Path("configs/prototype.cfg@short")


@pytest.fixture
def variants(project):
    config = load_config(project.config)
    config["hitl"]["variants"] = {
        "short": {"components.product.task.guidelines": "Names of phones only."},
        "broken": {"components.nobody.task.guidelines": "?"},
    }
    config.to_disk(project.config)
    return project


def test_a_variant_is_the_config_with_other_values(variants):
    base, _ = load_prompted(variants.config)
    short, settings = load_prompted(SHORT)
    assert "Names of phones only." in prompted_tasks(short)["product"].task.system_prompt()
    digests = [
        {n: t.task.digest() for n, t in prompted_tasks(nlp).items()} for nlp in (base, short)
    ]
    assert {name for name in digests[0] if digests[0][name] != digests[1][name]} == {"product"}
    assert settings.dataset == Path("datasets/hitl.db")
    assert variants_of(variants.config) == [SHORT, Path("configs/prototype.cfg@broken")]


def test_what_is_no_variant_says_so(variants, fails):
    with fails("H013", "'long'", "short, broken"):
        load_prompted(Path("configs/prototype.cfg@long"))
    with fails("H003", "nobody"):
        load_prompted(Path("configs/prototype.cfg@broken"))
    with fails("H001", "nothing.cfg"):
        load_prompted(Path("nothing.cfg@short"))


def test_a_file_with_an_at_sign_in_its_name_is_that_file(variants):
    odd = Path("configs/me@home.cfg")
    odd.write_bytes(variants.config.read_bytes())
    assert split_variant(odd) == (odd, None)
    assert split_variant(Path("configs/me@home.cfg@short")) == (odd, "short")
    assert load_prompted(Path("configs/me@home.cfg@short"))


def test_variants_are_annotated_and_compared_side_by_side(variants):
    config = load_config(variants.config)
    del config["hitl"]["variants"]["broken"]
    config.to_disk(variants.config)
    args = ["annotate", str(variants.config), str(variants.texts), "--variants", "--quiet"]
    done = CliRunner().invoke(hitl_cli, args)
    assert done.exit_code == 0, done.output
    assert str(SHORT) in done.output
    with Dataset(Path("datasets/hitl.db")) as dataset:
        digest = next(iter(dataset.texts(lanes=("train",))))[0]
        found = {task: len(dataset.proposals(task, digest)) for task in ("product", "relevant")}
    assert found == {"product": 2, "relevant": 1}
    assert annotate(SHORT, variants.texts).annotated == 0
    import_file(variants.config, variants.reference)
    export_corpora(variants.config)
    metrics = evaluate(
        [str(variants.config), str(SHORT)],
        gold=Path("corpus/gold/product.jsonl"),
        train=Path("corpus/product.jsonl"),
    )
    assert [s.role for s in metrics.systems] == ["baseline", "prompted", "prompted"]
    (pair,) = [c for c in metrics.comparisons if c.second == str(variants.config)]
    assert pair.first == str(SHORT)
    # The recording answers both prompts alike.
    assert (pair.value, pair.low, pair.high) == (0.0, 0.0, 0.0)


def test_versions_of_a_prompt_vote(variants):
    """A version that disagrees lowers the score of what the other one gave."""
    config = load_config(variants.config)
    lines = list(srsly.read_jsonl("assets/responses.jsonl"))
    for line in lines:
        if line["task"] == "product":
            line["response"] = '{"entities": []}'
    srsly.write_jsonl("assets/nothing.jsonl", lines)
    config["hitl"]["variants"] = {
        "short": {
            "components.product.task.guidelines": "Names of phones only.",
            "components.product.model.path": "assets/nothing.jsonl",
        },
        "others": {"components.product.task.labels": ["PRODUCT", "SHOP"]},
    }
    config.to_disk(variants.config)
    keys = version_keys(variants.config)
    assert [len(keys[name]) for name in ("product", "relevant")] == [2, 1]
    annotate(variants.config, variants.texts)
    export_corpora(variants.config)
    assert {s.score for s in exported_spans()} == {None}  # one answer agrees with itself
    annotate(SHORT, variants.texts)
    export_corpora(variants.config)
    assert {(s.score, s.score_source) for s in exported_spans()} == {(0.5, "votes")}


def exported_spans():
    _, rows = read_corpus(Path("corpus/product.jsonl"))
    return [s for _, row in rows for s in row.proposal.annotation.spans]
