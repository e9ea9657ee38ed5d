"""Learning words from texts without labels: never gold, the same every time, and spaCy takes it."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
import spacy
from spacy.training.initialize import init_nlp
from spacy.training.pretrain import pretrain
from typer.testing import CliRunner

from spacy_hitl import _compat
from spacy_hitl.cli import hitl_cli
from spacy_hitl.distill.corpus.raw_texts import make_raw_texts, read_texts
from spacy_hitl.distill.embeddings.vectors import make_vectors
from spacy_hitl.distill.run import distill

WORDS = [
    "The Nebula broke today.",
    "My K9 did not break.",
    "The K10 broke, the Nebula did not.",
] * 9

needs_floret = pytest.mark.skipif(find_spec("floret") is None, reason="needs spacy-hitl[vectors]")


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf8")
    return path


@pytest.fixture
def texts(tmp_path):
    rows = [{"text": f"{text} {i}"} for i, text in enumerate(WORDS)]
    return write(tmp_path / "texts.jsonl", rows)


# What is read


def test_texts_come_once_and_gold_never(tmp_path):
    rows = [
        {"text": "one"},
        {"text": "secret", "lane": "gold"},
        {"text": "one", "lane": "train"},
        {"text": "two", "lane": "dev", "id": 7},
        {"text": " "},
    ]
    one = write(tmp_path / "one.jsonl", rows)
    two = write(tmp_path / "two.jsonl", [{"text": "three"}, {"text": "two"}])
    assert list(read_texts([one, two])) == ["one", "two", "three"]


def test_an_exported_corpus_is_read(exported):
    found = list(read_texts([Path("corpus/product.jsonl")]))
    lanes = {post["text"]: post.get("lane") for post in exported.posts}
    gold = {text for text, lane in lanes.items() if lane == "gold"}
    assert found and gold and not gold & set(found)
    assert list(read_texts([Path("corpus/product.jsonl"), exported.texts])) == found + [
        text for text in lanes if text not in found and text not in gold
    ]


def test_a_corpus_of_gold_is_refused(exported, fails):
    with fails("H301", "corpus/gold/product.jsonl"):
        list(read_texts([Path("corpus/gold/product.jsonl")]))


def test_what_has_no_text_is_refused(tmp_path, fails):
    with fails("H362", "empty.jsonl"):
        list(read_texts([write(tmp_path / "empty.jsonl", [])]))
    with fails("H362", "gold.jsonl"):
        list(read_texts([write(tmp_path / "gold.jsonl", [{"text": "x", "lane": "gold"}])]))
    with fails("H004", "bad.jsonl:2"):
        list(read_texts([write(tmp_path / "bad.jsonl", [{"text": "x"}, {"txt": "y"}])]))
    with fails("H001", "none.jsonl"):
        list(read_texts([tmp_path / "none.jsonl"]))


def test_the_reader_gives_examples_up_to_a_limit(texts):
    nlp = spacy.blank("en")
    assert [eg.x.text for eg in make_raw_texts([texts], limit=2)(nlp)] == [
        f"{WORDS[0]} 0",
        f"{WORDS[1]} 1",
    ]
    assert len(list(make_raw_texts([texts])(nlp))) == len(WORDS)


# floret


@needs_floret
def test_vectors_are_the_same_again_and_know_every_word(texts, tmp_path):
    made = make_vectors([texts], tmp_path / "one", width=8, rows=50, epochs=2)
    make_vectors([texts], tmp_path / "two", width=8, rows=50, epochs=2)
    one, two = (tmp_path / name / "vocab/vectors" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    nlp = spacy.load(tmp_path / "one")
    assert nlp.pipe_names == [] and nlp.vocab.vectors.shape == (50, 8)
    doc = nlp("Nebula nebula Nebulas xyzzy")
    assert all(token.vector.any() for token in doc)
    assert (doc[0].vector == doc[1].vector).all()  # looked up as it was learned
    assert (doc[0].vector == made.vocab["Nebula"].vector).all()


@needs_floret
def test_a_student_trains_with_them(exported, texts):
    make_vectors([texts], Path("vectors/own"), width=8, rows=50, epochs=1)
    config = spacy.util.load_config(Path(__file__).parents[2] / "configs/product.cfg")
    embed = config["components"]["product"]["model"]["tok2vec"]["embed"]
    embed["include_static_vectors"] = True
    config["initialize"]["vectors"] = "vectors/own"
    config["initialize"]["after_init"]["epochs"] = 1
    config["training"]["max_steps"] = 1
    config.to_disk("configs/product.cfg")
    nlp = spacy.load(distill(Path("configs/product.cfg"), Path("training/product")))
    assert nlp.vocab.vectors.shape == (50, 8)
    assert nlp("my Nebula").text == "my Nebula"


def test_without_floret_the_command_is_named(texts, tmp_path, monkeypatch, fails):
    monkeypatch.setattr(_compat, "find_spec", lambda name: None)
    with fails("H009", "floret", "vectors"):
        make_vectors([texts], tmp_path / "out")
    assert not (tmp_path / "out").exists()


@needs_floret
def test_too_few_words_are_no_vectors(tmp_path, fails):
    one = write(tmp_path / "one.jsonl", [{"text": "one two three"}])
    with fails("H363", "one.jsonl"):
        make_vectors([one], tmp_path / "out", width=8, rows=50)
    assert not (tmp_path / "out").exists()


@needs_floret
def test_the_command(texts, tmp_path):
    options = ["--output", str(tmp_path / "out"), "--width", "8", "--rows", "50", "--epochs", "1"]
    done = CliRunner().invoke(hitl_cli, ["vectors", str(texts), *options])
    assert done.exit_code == 0, done.output
    assert "50 rows" in done.output
    assert spacy.load(tmp_path / "out").vocab.vectors.shape == (50, 8)


# spacy pretrain


def test_spacy_pretrains_on_them_and_a_student_starts_there(exported, texts):
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": {"width": 8, "depth": 1, "embed_size": 50}})
    config = spacy.util.load_config(spacy.language.DEFAULT_CONFIG_PRETRAIN_PATH).merge(nlp.config)
    config["corpora"] = {
        "pretrain": {"@readers": "spacy-hitl.RawTexts.v1", "paths": [str(texts)]},
        **{
            lane: {"@readers": "spacy-hitl.TaskCorpus.v1", "lane": lane}
            for lane in ("train", "dev")
        },
    }
    for lane in ("train", "dev"):
        config["corpora"][lane].update({"path": "corpus/product.jsonl", "task": "product"})
    config["pretraining"].update({"max_epochs": 1})
    config["pretraining"]["objective"].update({"hidden_size": 8, "maxout_pieces": 2})
    Path("pretrained").mkdir()
    pretrain(config.interpolate(), Path("pretrained"))
    config["initialize"]["init_tok2vec"] = "pretrained/model-last.bin"
    started = init_nlp(config)
    assert started.get_pipe("tok2vec").model.to_bytes() != (
        init_nlp(config.merge({"initialize": {"init_tok2vec": None}}))
        .get_pipe("tok2vec")
        .model.to_bytes()
    )
    wanted = Path("pretrained/model-last.bin").read_bytes()
    assert started.get_pipe("tok2vec").model.to_bytes() == wanted
