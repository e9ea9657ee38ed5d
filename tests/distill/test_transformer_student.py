"""The recipe `transformer`, on a tiny model that the test makes: no download.

Needs the extra `transformer-students`; docs/students.md says how it is run.
"""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Tuple

import numpy as np
import pytest
import spacy
import student_world as world
from spacy.cli.train import train

from spacy_hitl.distill.recipes import pieces
from spacy_hitl.distill.recipes import transformer as recipe
from spacy_hitl.distill.recipes.new_config import write_config
from spacy_hitl.distill.recipes.pieces import make_byte_pieces
from spacy_hitl.distill.recipes.plan import make_plan
from spacy_hitl.distill.recipes.training import training_config
from spacy_hitl.pipeline.compose import compose

NEEDED = ("spacy_curated_transformers", "transformers", "torch")
MISSING = [package for package in NEEDED if find_spec(package) is None]
NUMPY = tuple(int(part) for part in np.__version__.split(".")[:2])
needs_packages = pytest.mark.skipif(
    bool(MISSING) or NUMPY >= (2, 4),
    reason=f"needs the extra transformer-students: missing {MISSING}, numpy {np.__version__}",
)
TEXT = "Bob dropped and broke a Comet"
TINY = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
}
# A tiny model without pretraining learns at another pace than a big one with it.
SHORT = {
    "training.max_steps": 80,
    "training.eval_frequency": 40,
    "training.accumulate_gradient": 1,
    "training.optimizer.learn_rate.initial_rate": 0.005,
    "training.optimizer.learn_rate.warmup_steps": 10,
    "initialize.after_init.learn_rate": 0.003,
    "initialize.after_init.epochs": 6,
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path


def make_bert(folder: Path, *, lowercase: bool) -> Path:
    import tokenizers
    import transformers

    folder.mkdir()
    texts = [row.text for row in world.make_rows("ner")]
    trained = tokenizers.BertWordPieceTokenizer(lowercase=lowercase)
    trained.train_from_iterator(texts, vocab_size=200, min_frequency=1)
    trained.save_model(str(folder))
    tokenizer = transformers.BertTokenizerFast.from_pretrained(folder, do_lower_case=lowercase)
    tokenizer.save_pretrained(folder)
    config = transformers.BertConfig(vocab_size=len(tokenizer), max_position_embeddings=64, **TINY)
    transformers.BertModel(config).save_pretrained(folder)
    return folder


def make_roberta(folder: Path) -> Path:
    import tokenizers
    import transformers

    folder.mkdir()
    texts = [row.text for row in world.make_rows("ner")]
    trained = tokenizers.ByteLevelBPETokenizer()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trained.train_from_iterator(texts, vocab_size=400, min_frequency=1, special_tokens=special)
    trained.save_model(str(folder))
    tokenizer = transformers.RobertaTokenizerFast.from_pretrained(folder)
    tokenizer.save_pretrained(folder)
    config = transformers.RobertaConfig(
        vocab_size=len(tokenizer), max_position_embeddings=66, type_vocab_size=1, **TINY
    )
    transformers.RobertaModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=["bert", "uncased", "roberta"])
def pretrained(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("pretrained") / request.param
    if request.param == "roberta":
        return make_roberta(folder)
    return make_bert(folder, lowercase=request.param == "uncased")


def student(folder: Path, *, kind: str = "ner", pretrained: Path, gpu: int = -1) -> Path:
    plan = make_plan(
        corpus=world.write(folder, kind), student="transformer", transformer=str(pretrained)
    )
    config = write_config(plan, folder / "student.cfg")
    train(config, folder / "out", overrides=SHORT, use_gpu=gpu)
    return folder / "out" / "model-best"


@needs_packages
def test_it_learns_saves_and_loads(pretrained: Path, here: Path) -> None:
    nlp = spacy.load(student(here, pretrained=pretrained))
    assert nlp.pipe_names == ["transformer", "phones"]
    assert world.predict(nlp, "ner", TEXT) == world.expected("ner")
    nlp.to_disk(here / "again")
    again = spacy.load(here / "again")
    texts = [row.text for row in world.make_rows("ner")]
    for one, other in zip(nlp.pipe(texts), again.pipe(texts), strict=True):
        assert [(e.start, e.end, e.label) for e in one.ents] == [
            (e.start, e.end, e.label) for e in other.ents
        ]


@needs_packages
def test_the_weights_are_the_pretrained_ones(pretrained: Path) -> None:
    """Before training, the student's transformer says what the pretrained one says."""
    import torch
    import transformers
    from spacy.training.initialize import init_nlp

    plan = make_plan(
        corpus=world.write(Path(), "ner"), student="transformer", transformer=str(pretrained)
    )
    config = training_config(plan)
    config["initialize"]["after_init"] = None
    nlp: Any = init_nlp(config)
    doc = nlp(TEXT)
    tokenizer = transformers.AutoTokenizer.from_pretrained(pretrained)
    model = transformers.AutoModel.from_pretrained(pretrained).eval()
    with torch.no_grad():
        wanted = model(**tokenizer(TEXT, return_tensors="pt")).last_hidden_state[0, 1:-1]
    found = doc._.trf_data.last_hidden_layer_state
    assert found.dataXd.shape == tuple(wanted.shape)
    np.testing.assert_allclose(found.dataXd, wanted.numpy(), atol=1e-5)


@needs_packages
@pytest.mark.parametrize("kind", ["spancat", "textcat", "textcat_multilabel", "relations"])
def test_other_kinds_learn_too(kind: str, here: Path, tmp_path_factory: Any) -> None:
    folder = make_bert(tmp_path_factory.mktemp("bert") / "bert", lowercase=False)
    nlp = spacy.load(student(here, kind=kind, pretrained=folder))
    assert world.predict(nlp, kind, TEXT) == world.expected(kind)


@needs_packages
def test_a_long_text_is_read_in_windows(here: Path) -> None:
    folder = make_bert(here / "bert", lowercase=False)
    nlp = spacy.load(student(here, pretrained=folder))
    doc = nlp(" ".join(["as she said near my town"] * 40))
    assert len(doc._.trf_data.last_hidden_layer_state.lengths) == len(doc) > 64


@needs_packages
def test_it_is_promoted_as_one_component(here: Path) -> None:
    """The listener gets the transformer into itself: nothing else has to stand in the pipeline."""
    folder = make_bert(here / "bert", lowercase=False)
    nlp = compose([("phones", spacy.load(student(here, pretrained=folder)))])
    nlp.to_disk(here / "promoted")
    assert world.predict(spacy.load(here / "promoted"), "ner", TEXT) == world.expected("ner")
    # Where it runs, the package that read the pretrained weights is not needed.
    code = (
        "import sys; sys.modules['transformers'] = None\n"
        f"import spacy; doc = spacy.load('promoted')({TEXT!r})\n"
        "print({e.text: e.label_ for e in doc.ents})"
    )
    command = [sys.executable, "-W", "ignore", "-c", code]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert out.strip() == str(world.expected("ner"))


@needs_packages
def test_it_learns_on_a_gpu(here: Path) -> None:
    from thinc.util import has_cupy_gpu

    if not has_cupy_gpu:
        pytest.skip("no GPU that cupy can use")
    folder = make_bert(here / "bert", lowercase=False)
    nlp = spacy.load(student(here, pretrained=folder, gpu=0))
    assert world.predict(nlp, "ner", TEXT) == world.expected("ner")


@needs_packages
def test_a_model_that_cannot_be_used_is_said(here: Path, fails: Any) -> None:
    import transformers

    with fails("H373", "no-such-folder"):
        recipe.read_pretrained("./no-such-folder")
    transformers.GPT2Config(n_layer=1).save_pretrained(here / "gpt")
    with fails("H374", "'gpt2'", "bert, roberta"):
        recipe.read_pretrained(str(here / "gpt"))


def test_packages_that_are_missing_are_named(fails: Any, monkeypatch: Any) -> None:
    def missing(package: str) -> None:
        return None

    monkeypatch.setattr("spacy_hitl._compat.find_spec", missing)
    with fails("H009", "spacy-hitl[transformer-students]"):
        recipe.read_pretrained("x")
    with fails("H009", "spacy-hitl[transformer-students]"):
        make_byte_pieces("x")
    assert recipe.EXTRA == pieces.EXTRA


def settings(kind: str) -> Tuple[Any, Any]:
    found = {
        "model_type": kind,
        "vocab_size": 100,
        "hidden_act": "gelu",
        "attention_probs_dropout_prob": 0.1,
        "hidden_dropout_prob": 0.1,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": 514,
        "pad_token_id": 1,
        "type_vocab_size": 1,
        **TINY,
    }
    return found, recipe.model_settings(found)


def test_positions_that_are_left_for_pieces() -> None:
    """RoBERTa's first position is the one after the padding's."""
    assert settings("bert")[1]["model_max_length"] == 514
    assert settings("roberta")[1]["model_max_length"] == 512


def test_what_cannot_be_read_without_packages(fails: Any) -> None:
    """Where nothing of the extra is installed, these two codes are raised all the same."""
    found, _ = settings("gpt2")
    with fails("H374", "'gpt2'", "bert, roberta"):
        recipe.check_type("x", found)
    with fails("H373", "'x'", "broken"):
        recipe.refuse("x", OSError("broken\nand more"))
