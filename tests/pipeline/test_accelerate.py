"""Faster pipelines predict what they predicted before, train, save and load as before."""

import shutil
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.pipeline import EntityRecognizer
from spacy.tokens import DocBin
from spacy.training import Example
from spacy.vectors import Vectors

import spacy_hitl
from spacy_hitl.pipeline.accelerate import Accelerated, accelerate
from spacy_hitl.pipeline.acceleration.embedding import CachedEmbedding
from spacy_hitl.pipeline.acceleration.encoding import FusedEncoder
from spacy_hitl.pipeline.acceleration.products import Watch
from spacy_hitl.pipeline.acceleration.rows import RowTable

WORDS = ["the", "Nebula", "K10", "fell", "and", "broke", "its", "screen", "in", "Berlin", ","]
WORDS += ["but", "I", "like", "😀", "it", "so", "much", "!", ".", "don't", "can't"]
TEXTS = [" ".join(np.random.RandomState(i).choice(WORDS, i % 23)) for i in range(60)]
TEXTS += ["", "  ", "x " * 1500, "K10"]


def examples(nlp, texts=TEXTS[:60]):
    found = []
    for text in texts:
        doc = nlp.make_doc(text)
        ents = [(t.i, t.i + 1, "PHONE") for t in doc if t.text in ("Nebula", "K10")]
        spans = [spacy.tokens.Span(doc, s, e, label=label) for s, e, label in ents]
        reference = nlp.make_doc(text)
        reference.set_ents([spacy.tokens.Span(reference, s, e, label=x) for s, e, x in ents])
        reference.spans["sc"] = [
            spacy.tokens.Span(reference, s.start, s.end, label="PHONE") for s in spans
        ]
        reference.cats = {"YES": float(bool(ents)), "NO": float(not ents)}
        for token in reference:
            token.tag_ = "W" if token.is_alpha else "P"
            token.head = reference[max(0, token.i - 1)]
            token.dep_ = "ROOT" if token.i == 0 else "dep"
        found.append(Example(doc, reference))
    return found


TEXTCAT = {
    "@architectures": "spacy.TextCatReduce.v1",
    "exclusive_classes": True,
    "use_reduce_first": False,
    "use_reduce_last": False,
    "use_reduce_max": False,
    "use_reduce_mean": True,
}
FACTORIES = {
    "ner": {},
    "parser": {"min_action_freq": 1},
    "tagger": {},
    "spancat": {},
    "textcat": {},
}


def tok2vec(width=32, depth=2, pieces=3):
    return {
        "@architectures": "spacy.HashEmbedCNN.v2",
        "pretrained_vectors": None,
        "width": width,
        "depth": depth,
        "embed_size": 200,
        "window_size": 1,
        "maxout_pieces": pieces,
        "subword_features": True,
    }


def make(*factories, seed=1, rounds=30):
    """A small pipeline that has learnt something, with one shared tok2vec."""
    spacy.util.fix_random_seed(seed)
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": tok2vec()})
    for factory in factories:
        nlp.add_pipe(factory, config=FACTORIES[factory])
    config = nlp.config.copy()
    for factory in factories:
        model = config["components"][factory]["model"]
        if factory == "textcat":
            model = config["components"][factory]["model"] = dict(TEXTCAT)
        model["tok2vec"] = {
            "@architectures": "spacy.Tok2VecListener.v1",
            "width": 32,
            "upstream": "tok2vec",
        }
    nlp = spacy.util.load_model_from_config(config, auto_fill=True)
    found = [eg for eg in examples(nlp) if len(eg.x)]
    optimizer = nlp.initialize(lambda: found)
    optimizer.learn_rate = 0.01
    for _ in range(rounds):
        nlp.update(found, sgd=optimizer)
    return nlp


def outcome(docs):
    return [
        (
            [(e.start, e.end, e.label_) for e in doc.ents],
            [(t.tag_, t.head.i, t.dep_) for t in doc],
            {k: [(s.start, s.end, s.label_) for s in group] for k, group in doc.spans.items()},
            {k: Near(v) for k, v in doc.cats.items()},
        )
        for doc in docs
    ]


class Near(float):
    """A score: equal to one that differs in the fifth digit, however they round."""

    def __eq__(self, other):
        return abs(self - other) < 1e-4

    __hash__ = None


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    path = tmp_path_factory.mktemp("acc") / "model"
    make(*FACTORIES).to_disk(path)
    return path


@pytest.mark.parametrize("batch_size", [1, 3, 7, 256])
def test_the_predictions_are_the_same(everything, batch_size):
    plain, fast = spacy.load(everything), spacy.load(everything)
    made = spacy_hitl.accelerate(fast)
    assert made.layers > 20
    assert (made.embeddings, made.encoders, made.decoders) == (1, 1, ("ner", "parser"))
    expected = outcome(plain.pipe(TEXTS, batch_size=batch_size))
    assert outcome(fast.pipe(TEXTS, batch_size=batch_size)) == expected
    assert outcome(fast.pipe(TEXTS, batch_size=batch_size)) == expected  # from the cache
    assert any(ents for ents, *_ in expected)
    assert outcome(map(fast, TEXTS)) == outcome(map(plain, TEXTS))


def test_vectors_are_the_same_but_for_the_order_of_additions(everything):
    plain, fast = spacy.load(everything), spacy.load(everything)
    accelerate(fast)
    docs = [plain.make_doc(text) for text in TEXTS]
    one = plain.get_pipe("tok2vec").predict(docs)
    other = fast.get_pipe("tok2vec").predict(docs)
    assert [a.shape for a in one] == [a.shape for a in other]
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)


def test_twice_is_once_and_what_is_saved_is_what_was(everything, tmp_path):
    nlp = spacy.load(everything)
    accelerate(nlp)
    assert accelerate(nlp) == Accelerated()
    nlp.to_disk(tmp_path / "saved")
    files = sorted(p.relative_to(everything) for p in everything.rglob("*") if p.is_file())
    saved = tmp_path / "saved"
    assert files == sorted(p.relative_to(saved) for p in saved.rglob("*") if p.is_file())
    assert {p for p in files if (everything / p).read_bytes() != (saved / p).read_bytes()} == set()


def test_it_still_trains_and_sees_what_it_learnt(everything):
    plain, fast = spacy.load(everything), spacy.load(everything)
    accelerate(fast)
    for nlp in (plain, fast):
        list(nlp.pipe(TEXTS))  # the cache is full of what will be wrong
        spacy.util.fix_random_seed(3)
        optimizer = nlp.resume_training()
        optimizer.learn_rate = 0.01
        for _ in range(3):
            nlp.update([eg for eg in examples(nlp) if len(eg.x)], sgd=optimizer, drop=0.0)
    docs = [plain.make_doc(text) for text in TEXTS[:40]]
    before = spacy.load(everything).get_pipe("tok2vec").predict(docs)
    one, other = (nlp.get_pipe("tok2vec").predict(docs) for nlp in (plain, fast))
    moved = max(float(abs(a - b).max()) for a, b in zip(one, before, strict=True) if a.size)
    apart = max(float(abs(a - b).max()) for a, b in zip(one, other, strict=True) if a.size)
    assert moved > 0.1 > apart


def test_parameters_that_change_are_noticed(everything):
    nlp = spacy.load(everything)
    accelerate(nlp)
    model = nlp.get_pipe("tok2vec").model
    docs = [nlp.make_doc(text) for text in TEXTS[:9]]
    first = np.vstack(model.predict(docs))
    averages = {
        (node.id, name): node.get_param(name) * 0.5
        for node in model.walk()
        for name in node.param_names
    }
    with model.use_params(averages):
        assert abs(np.vstack(model.predict(docs)) - first).max() > 0.01
    np.testing.assert_array_equal(np.vstack(model.predict(docs)), first)
    for node in model.walk():  # somebody writes into the arrays themselves
        for name in node.param_names:
            node.get_param(name)[...] *= 0.5
    assert abs(np.vstack(model.predict(docs)) - first).max() > 0.01


def test_a_copy_has_its_own_cache(everything):
    nlp = spacy.load(everything)
    accelerate(nlp)
    texts = [text for text in TEXTS if text.strip()]
    before = outcome(nlp.pipe(texts))
    nlp.replace_listeners("tok2vec", "ner", ["model.tok2vec"])
    assert outcome(nlp.pipe(texts)) == before


@pytest.fixture(params=["default", "floret"])
def with_vectors(request, tmp_path):
    """A trained tagger that looks words up: in a table of words, or from pieces of each."""
    draw = np.random.RandomState(0)
    nlp = spacy.blank("en")
    if request.param == "floret":
        size = {"minn": 2, "maxn": 4, "hash_count": 2}
        data = draw.rand(50, 6).astype("f")
        nlp.vocab.vectors = Vectors(
            data=data, mode="floret", strings=nlp.vocab.strings, **size, bow="<", eow=">"
        )
    else:
        for word in ("the", "Nebula", "fell", "so", "😀"):
            nlp.vocab.set_vector(word, draw.rand(6).astype("f"))
    embed = {
        "@architectures": "spacy.MultiHashEmbed.v2",
        "width": 16,
        "attrs": ["NORM", "SHAPE"],
        "rows": [50, 50],
        "include_static_vectors": True,
    }
    encode = {
        "@architectures": "spacy.MaxoutWindowEncoder.v2",
        "width": 16,
        "depth": 1,
        "window_size": 1,
        "maxout_pieces": 2,
    }
    model = {"@architectures": "spacy.Tok2Vec.v2", "embed": embed, "encode": encode}
    nlp.add_pipe("tok2vec", config={"model": model})
    nlp.initialize(lambda: [eg for eg in examples(nlp) if len(eg.x)])
    nlp.to_disk(tmp_path / "vectors")
    return tmp_path / "vectors"


def test_word_vectors_are_looked_up_once_and_their_changes_noticed(with_vectors):
    plain, fast = spacy.load(with_vectors), spacy.load(with_vectors)
    assert accelerate(fast).embeddings == 1

    def check():
        for _ in range(2):  # the second time from the cache
            pairs = zip(plain.pipe(TEXTS), fast.pipe(TEXTS), strict=True)
            assert all(np.allclose(a.tensor, b.tensor, atol=1e-5) for a, b in pairs)
        return np.concatenate([doc.tensor for doc in fast.pipe(TEXTS)])

    outputs = [check()]
    for nlp in (plain, fast):
        nlp.vocab.vectors.data[:3] *= -2  # what a word looks like, in place
    outputs.append(check())
    if plain.vocab.vectors.mode == "default":
        for nlp in (plain, fast):
            nlp.vocab.set_vector("Berlin", np.ones(6, dtype="f"))  # a word it had not
        outputs.append(check())
    for nlp in (plain, fast):
        # A part of a model that was trained since.
        nlp.get_pipe("tok2vec").model.get_ref("embed").layers[0].layers[1].set_param(
            "W", np.full((16, 6), 0.5, dtype="f")
        )
    outputs.append(check())
    for one, other in pairwise(outputs):
        assert not np.allclose(one, other, atol=1e-3)


def test_a_full_table_starts_anew(everything):
    plain, fast = spacy.load(everything), spacy.load(everything)
    accelerate(fast)
    forwards = [n._func for n in fast.get_pipe("tok2vec").model.walk()]
    (cached,) = [f for f in forwards if isinstance(f, CachedEmbedding)]
    texts = [f"word{i} thing{i * 7} K10" for i in range(200)]
    for capacity in (64, 4):  # fits a batch now and then; never fits one
        cached.capacity, cached._table = capacity, None
        assert outcome(fast.pipe(texts, batch_size=16)) == outcome(plain.pipe(texts, batch_size=16))


def test_a_config_makes_it_fast_wherever_it_loads(everything, tmp_path):
    shutil.copytree(everything, tmp_path / "fast")
    config = spacy.util.load_config(tmp_path / "fast/config.cfg")
    config["nlp"]["after_pipeline_creation"] = {"@callbacks": "spacy-hitl.accelerate.v1"}
    config.to_disk(tmp_path / "fast/config.cfg")
    spacy.load(tmp_path / "fast").to_disk(tmp_path / "fast")  # saving it keeps the callback
    code = (
        "import sys, spacy\n"
        "nlp = spacy.load(sys.argv[1])\n"
        "print(type(nlp.get_pipe('ner')).__name__, [e.text for e in nlp('my K10').ents])"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "fast")]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    expected = [e.text for e in spacy.load(everything)("my K10").ents]
    assert out.strip() == f"FastEntityRecognizer {expected}"


def test_worker_processes_and_docs_in_a_docbin(everything):
    plain, fast = spacy.load(everything), spacy.load(everything)
    accelerate(fast)
    expected = outcome(plain.pipe(TEXTS[:40]))
    assert outcome(fast.pipe(TEXTS[:40], n_process=2, batch_size=10)) == expected
    data = DocBin(docs=fast.pipe(TEXTS[:40])).to_bytes()
    docs = list(DocBin().from_bytes(data).get_docs(fast.vocab))
    assert [doc.text for doc in docs] == TEXTS[:40]


def test_components_are_still_what_they_were(everything):
    nlp = spacy.load(everything)
    old = nlp.get_pipe("ner")
    accelerate(nlp)
    new = nlp.get_pipe("ner")
    assert isinstance(new, EntityRecognizer) and new.labels == old.labels
    assert new.model is old.model and new.cfg == old.cfg
    assert nlp.pipe_names == spacy.load(everything).pipe_names
    assert nlp.get_pipe_meta("ner").factory == "ner"


def test_beam_search_and_other_layers_are_left_alone():
    nlp = spacy.blank("en")
    nlp.add_pipe("beam_ner")
    nlp.add_pipe("sentencizer")
    found = [eg for eg in examples(nlp) if len(eg.x)]
    nlp.initialize(lambda: found)
    before = outcome(nlp.pipe(TEXTS))
    assert accelerate(nlp).decoders == ("beam_ner",)
    assert outcome(nlp.pipe(TEXTS)) == before


@pytest.mark.parametrize("hidden, pieces, upper", [(16, 1, True), (16, 3, True), (16, 2, False)])
def test_decoders_of_other_shapes(hidden, pieces, upper):
    spacy.util.fix_random_seed(0)
    nlp = spacy.blank("en")
    model = {
        "@architectures": "spacy.TransitionBasedParser.v2",
        "state_type": "ner",
        "extra_state_tokens": True,
        "hidden_width": hidden,
        "maxout_pieces": pieces,
        "use_upper": upper,
        "nO": None,
        "tok2vec": tok2vec(width=16, pieces=1 if pieces == 1 else 2),
    }
    nlp.add_pipe("ner", config={"model": model})
    found = [eg for eg in examples(nlp) if len(eg.x)]
    optimizer = nlp.initialize(lambda: found)
    optimizer.learn_rate = 0.01
    for _ in range(20):
        nlp.update(found, sgd=optimizer)
    before = outcome(nlp.pipe(TEXTS))
    accelerate(nlp)
    assert outcome(nlp.pipe(TEXTS)) == before
    assert any(ents for ents, *_ in before)


def test_a_window_of_two_is_not_mistaken_for_one():
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": {**tok2vec(), "window_size": 2}})
    nlp.initialize()
    docs = [nlp.make_doc(text) for text in TEXTS[:9]]
    before = nlp.get_pipe("tok2vec").predict(docs)
    assert accelerate(nlp).encoders == 0
    assert not any(isinstance(n._func, FusedEncoder) for n in nlp.get_pipe("tok2vec").model.walk())
    for a, b in zip(before, nlp.get_pipe("tok2vec").predict(docs), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2**64 - 1)), max_size=40))
def test_the_table_finds_what_was_added(pairs):
    """Against a dict; small numbers make equal columns, a small table makes full neighbourhoods."""
    table, known = RowTable(2, 1, capacity=64), {}
    for start in range(0, len(pairs), 7):
        part = np.array(pairs[start : start + 7], dtype="uint64").reshape(-1, 2)
        found = table.find(part)
        for row, place in zip(part.tolist(), found.tolist(), strict=True):
            assert (place >= 0) == (tuple(row) in known)
            if place >= 0:
                assert table.values[place, 0] == known[tuple(row)]
        new = [row for row in dict.fromkeys(map(tuple, part.tolist())) if row not in known]
        for row in new:
            known[row] = float(len(known))
        values = np.array([[known[row]] for row in new], dtype="f").reshape(-1, 1)
        table.add(np.array(new, dtype="uint64").reshape(-1, 2), values)
    assert len(table) == len(known)


def test_a_watch_sees_replaced_and_changed_arrays():
    watch, a = Watch(), np.arange(10.0)
    assert watch.changed((a,)) and not watch.changed((a,))
    assert watch.changed((a.copy(),))
    b = np.arange(10.0)
    assert watch.changed((b,))
    b += 1
    assert watch.changed((b,)) and not watch.changed((b,))
    assert watch.changed((b, b)) and watch.changed(())
