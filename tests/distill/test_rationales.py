"""Texts broken down into segments, and a classifier trained on them."""

from itertools import pairwise

import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.training import Example

from spacy_hitl.distill.pooling import pool, train_on_segments
from spacy_hitl.distill.rationales import segment_text, soft_target, split_sentences
from spacy_hitl.records import Annotation, SpanAnnotation

LABELS = ("GOOD", "BAD")
TEXT = "The screen is bright and clear. It fell apart within a week or so, sadly."


def rationales(text, *quotes):
    return Annotation(
        spans=tuple(
            SpanAnnotation(text.index(q), text.index(q) + len(q), label) for q, label in quotes
        )
    )


def segments_of(text, annotation, target=(1, 1)):
    doc = spacy.blank("en").make_doc(text)
    found = segment_text(doc, LABELS, np.asarray(target, dtype="f"), annotation)
    return [(doc[s.start : s.end].text, tuple(s.target.tolist())) for s in found.segments]


def test_a_text_becomes_whole_sentences_rationales_and_gaps():
    spans = rationales(TEXT, ("bright and clear", "GOOD"), ("fell apart", "BAD"))
    found = segments_of(TEXT, spans)
    assert found[0] == (TEXT, (1, 1))
    assert ("The screen is bright and clear.", (1, 0)) in found
    assert ("It fell apart within a week or so, sadly.", (0, 1)) in found
    assert ("bright and clear", (1, 0)) in found
    assert ("fell apart", (0, 1)) in found
    assert ("The screen is", (0, 0)) in found
    assert ("within a week or so, sadly.", (0, 0)) in found


def test_without_rationales_only_the_whole_text_teaches():
    assert segments_of(TEXT, None) == [(TEXT, (1, 1))]


def test_no_rationale_means_nothing_holds_anywhere():
    found = segments_of(TEXT, Annotation(), target=(0, 0))
    assert {target for _, target in found} == {(0, 0)}
    assert len(found) == 4  # whole, two sentences, one gap


@given(
    st.lists(st.sampled_from(["good.", "bad", "so", "- x", "\n", "🙂"]), min_size=1, max_size=20)
)
def test_sentences_cover_the_text_without_overlap(words):
    doc = spacy.blank("en").make_doc(" ".join(words))
    spans = split_sentences(doc)
    assert spans[0][0] == 0
    assert spans[-1][1] == len(doc)
    assert all(one[1] == other[0] for one, other in pairwise(spans))


def test_targets_of_two_answers_are_averaged():
    assert soft_target(LABELS, [["GOOD"], []]).tolist() == [0.5, 0.0]


def test_the_gradient_of_pooling_is_right():
    """Against finite differences."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(7, 3)).astype("f")
    starts, ends = np.array([0, 2, 0]), np.array([3, 7, 7])
    weight = rng.normal(size=(3, 6)).astype("f")
    _, backprop = pool(rows, starts, ends)
    gradient = backprop(weight)
    for i in range(rows.shape[0]):
        for j in range(rows.shape[1]):
            more, less = rows.copy(), rows.copy()
            more[i, j] += 1e-2
            less[i, j] -= 1e-2
            slope = ((pool(more, starts, ends)[0] - pool(less, starts, ends)[0]) * weight).sum()
            assert gradient[i, j] == pytest.approx(slope / 2e-2, abs=2e-2)


TOK2VEC = {
    "@architectures": "spacy.HashEmbedCNN.v2",
    "pretrained_vectors": None,
    "width": 16,
    "depth": 1,
    "embed_size": 100,
    "window_size": 1,
    "maxout_pieces": 2,
    "subword_features": False,
}


def make_pipeline(tok2vec):
    nlp = spacy.blank("en")
    model = {
        "@architectures": "spacy.TextCatReduce.v1",
        "exclusive_classes": False,
        "use_reduce_first": False,
        "use_reduce_last": False,
        "use_reduce_max": True,
        "use_reduce_mean": True,
        "tok2vec": tok2vec,
    }
    nlp.add_pipe("textcat_multilabel", config={"model": model})
    eg = Example.from_dict(nlp.make_doc("x"), {"cats": dict.fromkeys(LABELS, 0.0)})
    nlp.initialize(lambda: [eg])
    return nlp


@pytest.mark.parametrize(
    "tok2vec",
    [TOK2VEC, {"@layers": "concatenate.v1", "*": {"a": TOK2VEC, "b": {**TOK2VEC, "width": 24}}}],
    ids=["one", "concatenated"],
)
def test_phrases_teach_whole_texts(tok2vec, tmp_path):
    """Learned from phrases inside two long texts, it knows them in new ones; and plain spaCy
    loads it with the same predictions."""
    nlp = make_pipeline(tok2vec)
    quotes = (("bright and clear", "GOOD"), ("fell apart", "BAD"))
    texts = []
    for extra in ("", " We bought it in spring.", " My sister has one, too."):
        text = TEXT + extra
        doc = nlp.make_doc(text)
        texts.append(segment_text(doc, LABELS, np.ones(2, dtype="f"), rationales(text, *quotes)))
    train_on_segments(nlp.get_pipe("textcat_multilabel").model, texts, groups=[[0, 1]], epochs=40)
    good = nlp("Such a bright and clear evening.").cats
    bad = nlp("The old chair fell apart.").cats
    assert good["GOOD"] > good["BAD"]
    assert bad["BAD"] > bad["GOOD"]
    nlp.to_disk(tmp_path)
    assert spacy.load(tmp_path)("The old chair fell apart.").cats == pytest.approx(bad, abs=1e-5)
