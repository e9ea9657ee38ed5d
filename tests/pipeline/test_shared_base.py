"""Compose: what several parts listen to stands in the pipeline once, and nothing else changes."""

import shutil

import numpy as np
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.training import Example
from spacy.vectors import Vectors

from spacy_hitl import accelerate
from spacy_hitl.evaluate.systems import System
from spacy_hitl.pipeline.compose import compose
from spacy_hitl.pipeline.sharing import Base, find_bases, free_name, share, shared_digest

TEXTS = ["The Nebula broke. My K9 did not.", "nothing here", "", "👩‍🚀 K10", "so what", "a b c d"]
WIDTH = 16
# Heads by the base they are put on: three on one, two on another of the same shape.
POOL = {"a1": "A", "a2": "A", "a3": "A", "b1": "B", "b2": "B"}


def encoder(*, vectors=False):
    return {
        "@architectures": "spacy.HashEmbedCNN.v2",
        "width": WIDTH,
        "depth": 1,
        "embed_size": 100,
        "window_size": 1,
        "maxout_pieces": 2,
        "subword_features": True,
        "pretrained_vectors": vectors or None,
    }


def start(seed):
    """A pipeline with an encoder, initialised at random."""
    spacy.util.fix_random_seed(seed)
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": encoder()})
    nlp.initialize()
    return nlp


def on_base(folder, head, *, name="tok2vec", upstream=None, chained=False):
    """Put a head on a base: both keep their weights through the test."""
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", name=name, source=spacy.load(folder))
    heard = {
        "@architectures": "spacy.Tok2VecListener.v1",
        "width": WIDTH,
        "upstream": upstream or name,
    }
    more = {
        "@architectures": "spacy.MaxoutWindowEncoder.v2",
        "width": WIDTH,
        "window_size": 1,
        "maxout_pieces": 2,
        "depth": 1,
    }
    chain = {"@layers": "chain.v1", "*": {"heard": heard, "more": more}}
    add_head(nlp, head, chain if chained else heard)
    return nlp


def add_head(nlp, head, tok2vec):
    model = {
        "@architectures": "spacy.TextCatReduce.v1",
        "exclusive_classes": False,
        "use_reduce_first": False,
        "use_reduce_last": False,
        "use_reduce_max": False,
        "use_reduce_mean": True,
        "nO": None,
        "tok2vec": tok2vec,
    }
    pipe = nlp.add_pipe("textcat_multilabel", name=head, config={"model": model})
    seed = sum(map(ord, head))
    spacy.util.fix_random_seed(seed)
    doc = nlp.make_doc("x y")
    doc.cats = {f"{head} yes": 1.0, f"{head} no": 0.0}
    pipe.initialize(lambda: [Example(nlp.make_doc("x y"), doc)], nlp=nlp)
    output = pipe.model.get_ref("output_layer")  # starts at zero: all scores would be 0.5
    shape = output.get_param("W").shape
    output.set_param("W", np.random.default_rng(seed).normal(size=shape).astype("f"))
    return pipe


def cats(nlp):
    """Scores, not rounded."""
    return [doc.cats for doc in nlp.pipe(TEXTS)]


def merged(*parts):
    """What the parts say alone, in one."""
    return [{k: v for doc in docs for k, v in doc.items()} for docs in zip(*parts, strict=True)]


def save(nlp, path):
    nlp.to_disk(path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Bases A and B, and all heads of the pool, each with its base as `spacy train` leaves it."""
    root = tmp_path_factory.mktemp("parts")
    for seed, base in enumerate("AB"):
        save(start(seed), root / base)
    for head, base in POOL.items():
        save(on_base(root / base, head), root / head)
    return root


@pytest.fixture(scope="module")
def alone(folder):
    return {head: cats(spacy.load(folder / head)) for head in POOL}


def compose_folders(folder, heads, path):
    nlp = compose([(head, spacy.load(folder / head)) for head in heads])
    return spacy.load(save(nlp, path))


def encoders(nlp):
    return [n for n in nlp.pipe_names if nlp.get_pipe_meta(n).factory == "tok2vec"]


def test_the_heads_differ(alone):
    for text, docs in zip(TEXTS, merged(*alone.values()), strict=True):
        assert len(set(docs.values())) == (2 * len(POOL) if text else 1)


def test_one_base_for_all(folder, alone, tmp_path):
    nlp = compose_folders(folder, ["a1", "a2", "a3"], tmp_path / "whole")
    assert nlp.pipe_names == ["tok2vec", "a1", "a2", "a3"]
    assert nlp.get_pipe("tok2vec").listening_components == ["a1", "a2", "a3"]
    assert cats(nlp) == merged(*(alone[head] for head in ("a1", "a2", "a3")))
    base = (folder / "A/tok2vec/model").read_bytes()
    assert (tmp_path / "whole/tok2vec/model").read_bytes() == base
    # A head alone is small: its encoder is not in it.
    assert (tmp_path / "whole/a2/model").stat().st_size < len(base) / 4


@settings(max_examples=5)
@given(heads=st.lists(st.sampled_from(sorted(POOL)), min_size=1, unique=True))
def test_any_parts_in_any_order(heads, folder, alone, tmp_path_factory):
    """Those on the base that most listen to share it; all others read the text themselves."""
    nlp = compose_folders(folder, heads, tmp_path_factory.mktemp("any") / "whole")
    assert cats(nlp) == merged(*(alone[head] for head in heads))
    on = [POOL[head] for head in heads]
    most = max(on.count("A"), on.count("B"))
    assert encoders(nlp) == (["tok2vec"] if most > 1 else [])
    assert [n for n in nlp.pipe_names if n != "tok2vec"] == heads
    if most > 1:
        shared = max("AB", key=lambda base: (on.count(base), -on.index(base) if base in on else 0))
        first = next(head for head in heads if POOL[head] == shared)
        assert nlp.pipe_names.index("tok2vec") == nlp.pipe_names.index(first) - 1


def test_adding_a_task_changes_no_other(folder, tmp_path):
    before = compose_folders(folder, ["a1", "b1", "a2"], tmp_path / "before")
    after = compose_folders(folder, ["a1", "b1", "a2", "a3", "b2"], tmp_path / "after")
    for old, new in zip(cats(before), cats(after), strict=True):
        assert old == {label: new[label] for label in old}


def test_it_may_be_called_something_else_in_each_part(folder, alone, tmp_path):
    parts = [
        ("one", on_base(folder / "A", "a1", name="encoder")),
        ("two", on_base(folder / "A", "a2")),
        ("three", on_base(folder / "A", "a3", upstream="*")),
    ]
    nlp = spacy.load(save(compose(parts), tmp_path))
    assert nlp.pipe_names == ["encoder", "a1", "a2", "a3"]
    assert cats(nlp) == merged(*(alone[head] for head in ("a1", "a2", "a3")))
    for head in ("a1", "a2", "a3"):
        assert nlp.config["components"][head]["model"]["tok2vec"]["upstream"] == "encoder"


def test_a_student_may_be_called_as_the_base_is(folder, tmp_path):
    parts = [
        ("one", on_base(folder / "A", "a1")),
        ("two", on_base(folder / "A", "tok2vec", name="encoder")),
    ]
    expected = merged(*(cats(part) for _, part in parts))
    nlp = spacy.load(save(compose(parts), tmp_path))
    assert nlp.pipe_names == ["tok2vec_base", "a1", "tok2vec"]
    assert cats(nlp) == expected


def test_two_students_of_one_part(folder, alone, tmp_path):
    part = on_base(folder / "A", "a1")
    add_head(part, "a2", {"@architectures": "spacy.Tok2VecListener.v1", "width": WIDTH})
    nlp = spacy.load(save(compose([("both", part)]), tmp_path))
    assert nlp.pipe_names == ["tok2vec", "a1", "a2"]
    assert cats(nlp) == merged(alone["a1"], alone["a2"])


@pytest.mark.parametrize("heads", [("a1", "b1"), ("a1", "a2")])
def test_a_listener_inside_other_layers(heads, folder, tmp_path):
    parts = [(head, on_base(folder / POOL[head], head, chained=True)) for head in heads]
    expected = merged(*(cats(part) for _, part in parts))
    nlp = spacy.load(save(compose(parts), tmp_path))
    assert encoders(nlp) == (["tok2vec"] if heads == ("a1", "a2") else [])
    assert cats(nlp) == expected


def test_rules_keep_their_place(folder, tmp_path):
    part = on_base(folder / "A", "a1")
    part.add_pipe("sentencizer", first=True)
    nlp = compose([("one", part), ("two", spacy.load(folder / "a2"))])
    assert nlp.pipe_names == ["sentencizer", "tok2vec", "a1", "a2"]


def test_students_of_one_name_are_still_refused(folder, fails):
    with fails("H504", "'first'", "'second'", "'a1'"):
        compose([(path, spacy.load(folder / "a1")) for path in ("first", "second")])


def test_it_loads_where_only_spacy_is(folder, tmp_path):
    """Nothing of this package is named; tests/production runs such pipelines without it."""
    compose_folders(folder, ["a1", "a2"], tmp_path / "whole")
    assert "spacy-hitl" not in (tmp_path / "whole/config.cfg").read_text()


def test_accelerated_the_base_reads_each_text_once(folder, alone, tmp_path):
    nlp = compose_folders(folder, ["a1", "a2", "a3"], tmp_path / "whole")
    accelerate(nlp)
    model, seen = nlp.get_pipe("tok2vec").model, []
    forward = model._func

    def counting(model, docs, is_train):
        seen.extend(doc.text for doc in docs)
        return forward(model, docs, is_train)

    model._func = counting
    found = cats(nlp)
    assert sorted(seen) == sorted(TEXTS)
    for docs, expected in zip(found, merged(*alone.values()), strict=True):
        for label, score in docs.items():
            assert score == pytest.approx(expected[label], abs=1e-5)


def test_evaluate_measures_what_will_be_promoted(folder, alone):
    with System(f"{folder / 'a1'}+{folder / 'a2'}", "a2") as system:
        assert system.nlp.pipe_names == ["tok2vec", "a1", "a2"]
        assert [doc.cats for doc in system.run(TEXTS)[0]] == merged(alone["a1"], alone["a2"])


# Word vectors


def with_vectors(head, seed):
    nlp = spacy.blank("en")
    table = np.random.default_rng(seed).normal(size=(3, 8)).astype("f")
    nlp.vocab.vectors = Vectors(
        strings=nlp.vocab.strings, data=table, keys=["Nebula", "K9", "what"], name="own"
    )
    spacy.util.fix_random_seed(7)
    add_head(nlp, head, encoder(vectors=True))
    return nlp


def test_vectors_that_are_looked_up_come_along(folder, tmp_path):
    one, two, plain = with_vectors("v1", 1), with_vectors("v2", 1), spacy.load(folder / "a1")
    expected = merged(cats(plain), cats(one), cats(two))
    nlp = spacy.load(save(compose([("p", plain), ("one", one), ("two", two)]), tmp_path))
    assert cats(nlp) == expected
    assert nlp.vocab.vectors.shape == (3, 8)


def test_there_is_one_table_of_vectors(fails):
    with fails("H506", "'one'", "'two'"):
        compose([("one", with_vectors("v1", 1)), ("two", with_vectors("v2", 2))])


# The parts of it


def test_what_is_shared_is_chosen_by_its_listeners():
    a, b = Base("tok2vec", "a", ("x",)), Base("tok2vec", "b", ("y", "z"))
    assert shared_digest([]) is None and shared_digest([[a]]) is None
    assert shared_digest([[a], [b], [a]]) == "a"
    assert shared_digest([[a], [b]]) == "b"
    assert free_name("tok2vec", ()) == "tok2vec"


def test_a_digest_sees_weights_and_architecture(folder):
    digests = {}
    for name in POOL:
        (base,) = find_bases(spacy.load(folder / name))
        digests.setdefault(POOL[name], set()).add(base.digest)
    assert {len(found) for found in digests.values()} == {1}
    assert digests["A"] != digests["B"]


def test_an_encoder_nothing_listens_to_is_left_out(folder):
    assert share([spacy.load(folder / "A")]) == [{"tok2vec": None}]


def test_the_parts_on_disk_stay_as_they_were(folder, tmp_path):
    copy = shutil.copytree(folder / "a1", tmp_path / "a1")
    compose([("a1", spacy.load(copy)), ("a2", spacy.load(folder / "a2"))])
    for path in copy.rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (folder / "a1" / path.relative_to(copy)).read_bytes()
