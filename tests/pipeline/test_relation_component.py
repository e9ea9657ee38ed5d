"""`hitl_relations`: learns what mentions are to each other, keeps what is not its own."""

import subprocess
import sys
from pathlib import Path
from typing import Any, List

import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from relation_world import (
    LABELS,
    example,
    make_student,
    mentioned,
    sentences,
    small_model,
    small_tok2vec,
)
from relation_world import train as train_relations
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import set_dropout_rate

from spacy_hitl import accelerate
from spacy_hitl.evaluate.baseline import pair_labels, relate_pairs
from spacy_hitl.pipeline.relations.component import RelationExtractor
from spacy_hitl.pipeline.relations.instances import (
    BETWEEN,
    DISTANCES,
    collect,
    features_of,
    make_mention_pairs,
)
from spacy_hitl.pipeline.relations.model import token_rows
from spacy_hitl.records import Annotation, RelationAnnotation, TaskRow
from spacy_hitl.scoring.intervals import prf
from spacy_hitl.tasks.relations.annotations import get_relations, relation_key, set_relations
from spacy_hitl.tasks.relations.compare import compare_relations

TEST = sentences("test", 96)


@pytest.fixture(scope="module")
def student() -> Language:
    nlp: Language = make_student(n=176, epochs=8)
    return nlp


def annotate(nlp: Language, texts: Any = TEST) -> List[Doc]:
    return list(nlp.pipe(mentioned(nlp, s) for s in texts))


def found(docs: List[Doc]) -> List[Any]:
    """Relations without their scores."""
    return [[relation_key(r) for r in get_relations(doc).relations] for doc in docs]


def scored(docs: List[Doc]) -> List[Any]:
    return [get_relations(doc) for doc in docs]


def micro_f(predicted: List[Annotation]) -> float:
    tables = (compare_relations(s.relations, p) for s, p in zip(TEST, predicted, strict=True))
    counts = [c for table in tables for c in table.values()]
    return prf(sum(counts[1:], counts[0]))[2]


# What it learns


def test_it_relates_names_it_has_not_seen(student: Language) -> None:
    seen = {t.text for s in sentences("train", 176) for t in student.make_doc(s.text)}
    names = {s.text[m.start : m.end] for s in TEST for m in s.mentions}
    assert not seen & names
    docs = annotate(student)
    assert micro_f(scored(docs)) > 0.8
    rows = [TaskRow(s.text, s.text, "train", decision=s.relations) for s in sentences("train", 176)]
    known = [mentioned(student, s) for s in sentences("train", 176)]
    majority = relate_pairs(docs, pair_labels(rows, known))
    assert 0 < micro_f(majority) < 0.4
    # The direction is right, not only the pair.
    turned = [
        Annotation(
            relations=tuple(
                RelationAnnotation(r.tail_start, r.tail_end, r.head_start, r.head_end, r.label)
                for r in annotation.relations
            )
        )
        for annotation in scored(docs)
    ]
    assert micro_f(turned) < 0.1


def test_scores_have_the_name_of_the_component(student: Language) -> None:
    scores = student.evaluate([example(student, s) for s in TEST])
    wanted = micro_f(scored(annotate(student)))
    for key in ("rel_micro_f", "compared_rel_micro_f"):
        assert scores[key] == pytest.approx(wanted)
    per_type = scores["compared_rel_f_per_type"]
    assert set(per_type) == set(LABELS) and set(per_type["BEATS"]) == {"p", "r", "f"}
    p, r = scores["compared_rel_micro_p"], scores["compared_rel_micro_r"]
    assert scores["compared_rel_micro_f"] == pytest.approx(2 * p * r / (p + r))
    # What spaCy's training loop weighs if the config says nothing.
    assert student.config["training"]["score_weights"]["rel_micro_f"] == 1.0
    nothing = student.evaluate([Example(student.make_doc("x"), student.make_doc("x"))])
    assert nothing["compared_rel_micro_f"] == 0.0


def test_each_score_is_at_least_the_threshold(student: Language) -> None:
    pipe: Any = student.get_pipe("compared")
    counts = []
    for threshold in (0.05, 0.5, 0.95):
        pipe.cfg["threshold"] = threshold
        relations = [r for a in scored(annotate(student)) for r in a.relations]
        assert all(threshold - 1e-4 <= r.score <= 1 for r in relations)
        counts.append(len(relations))
    pipe.cfg["threshold"] = 0.5
    assert counts == sorted(counts, reverse=True) and counts[0] > counts[2] > 0


# Save, load, pipe, DocBin


def test_it_is_the_same_after_saving(student: Language, tmp_path: Path) -> None:
    wanted = scored(annotate(student))
    student.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert scored(annotate(loaded)) == wanted
    pipe: Any = loaded.get_pipe("compared")
    assert pipe.labels == LABELS and pipe.label_data == list(LABELS)
    assert pipe.cfg["ent_labels"] == ["COMPANY", "PRODUCT"]
    other = spacy.blank("en")
    other.add_pipe("hitl_relations", name="compared", config={"model": small_model()})
    assert scored(annotate(other.from_bytes(student.to_bytes()))) == wanted
    loaded.to_disk(tmp_path / "again")
    assert scored(annotate(spacy.load(tmp_path / "again"))) == wanted


def test_it_loads_where_nothing_but_the_core_is(student: Language, tmp_path: Path) -> None:
    student.to_disk(tmp_path)
    code = (
        "import sys, importlib.metadata as metadata\n"
        "every = metadata.distributions\n"
        "metadata.distributions = lambda **kw: (\n"
        "    d for d in every(**kw) if d.metadata['Name'] != 'spacy-llm')\n"
        "for name in ('spacy_llm', 'openai', 'transformers', 'starlette'):\n"
        "    sys.modules[name] = None\n"
        "import spacy\n"
        "nlp = spacy.load(sys.argv[1])\n"
        "doc = nlp.make_doc('K7 beats K33 today')\n"
        "doc.ents = [doc.char_span(0, 2, label='PRODUCT'), doc.char_span(9, 12, label='PRODUCT')]\n"
        "print([(r['head_start'], r['tail_start'], r['label']) for r in nlp(doc)._.rel])\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True)
    assert done.stdout.decode().strip() == "[(0, 9, 'BEATS')]", done.stderr.decode()


def test_batches_do_not_matter(student: Language) -> None:
    """Documents without a pair, without a mention or without a token stand between the others."""
    texts = [s.text for s in TEST[:30]]
    docs = [mentioned(student, s) for s in TEST[:30]]
    for i, text in enumerate(["", "nothing here", "  ", "K7 alone"]):
        doc = student.make_doc(text)
        if i == 3:
            doc.ents = [doc.char_span(0, 2, label="PRODUCT")]
        docs.insert(5 * i, doc)
        texts.insert(5 * i, text)
    alone = [student(doc.copy()) for doc in docs]
    for size in (1, 7, 1000):
        some = list(student.pipe((doc.copy() for doc in docs), batch_size=size))
        assert [doc.text for doc in some] == texts
        assert found(some) == found(alone)
    assert [found(alone)[i] for i in (0, 5, 10, 15)] == [[], [], [], []]
    assert sum(map(len, found(alone))) > 10


def test_docbins_keep_what_it_found(student: Language) -> None:
    docs = annotate(student)
    stored = DocBin(store_user_data=True, docs=docs).to_bytes()
    assert scored(list(DocBin().from_bytes(stored).get_docs(Vocab()))) == scored(docs)


def test_relations_of_others_stay(student: Language) -> None:
    sentence = next(s for s in TEST if len(s.relations.relations) == 1)
    doc = mentioned(student, sentence)
    other = RelationAnnotation(0, 1, 2, 3, "LIKES")
    mine = RelationAnnotation(0, 1, 2, 3, "BEATS")
    set_relations(doc, Annotation(relations=(mine, other)), ("BEATS", "LIKES"))
    student(doc)
    assert [r.label for r in get_relations(doc, ["LIKES"]).relations] == ["LIKES"]
    assert found([doc])[0] != [] and relation_key(mine) not in found([doc])[0]
    before = scored([doc])
    assert scored([student(doc)]) == before
    assert [e.label_ for e in doc.ents] == [m.label for m in sentence.mentions]


# Training


def test_mentions_in_training_are_those_of_upstream_or_of_the_reference() -> None:
    """spaCy's own reader gives bare documents; a component that annotates gives its own."""
    nlp = make_student(n=20, epochs=1)
    pipe: Any = nlp.get_pipe("compared")
    looked: List[int] = []
    generate = pipe.instances

    def count(doc: Doc) -> Any:
        pairs = list(generate(doc))
        looked.append(len(pairs))
        return pairs

    pipe.instances = count
    reference = example(nlp, sentences("train", 1)[0]).reference
    bare = Example(nlp.make_doc(reference.text), reference)
    nlp.update([bare])
    none = nlp.make_doc(reference.text)
    none.set_ents([])  # something looked, and found nothing
    losses = nlp.update([Example(none, reference)])
    assert looked == [2, 0] and losses == {"compared": 0.0}
    assert not bare.predicted.ents and not none.ents

    ruler: Any = nlp.add_pipe("entity_ruler", name="product", before="compared")
    ruler.add_patterns([{"label": "PRODUCT", "pattern": t.text} for t in reference])
    looked.clear()
    nlp.update([bare], annotates=["product"])
    assert looked == [len(reference) * (len(reference) - 1)]
    looked.clear()
    nlp.update([bare], exclude=["product"])
    assert looked == [2]


def test_gradients_are_those_of_cross_entropy() -> None:
    """Finite differences in random directions, for every layer."""
    nlp = make_student(n=20, epochs=1)
    pipe: Any = nlp.get_pipe("compared")
    touching = nlp.make_doc("K7 Corvid is here")
    touching.ents = [Span(touching, 0, 1, "PRODUCT"), Span(touching, 1, 2, "COMPANY")]
    found_ = [*(example(nlp, s) for s in TEST[:20]), Example(touching, touching)]
    docs = [eg.predicted for eg in found_]
    instances = pipe._collect(docs)
    assert (instances.gaps[:, 0] == instances.gaps[:, 1]).any()

    def loss() -> float:
        return float(pipe.get_loss(found_, (instances, pipe.model.predict((docs, instances))))[0])

    set_dropout_rate(pipe.model, 0.0)
    scores, backprop = pipe.model.begin_update((docs, instances))
    backprop(pipe.get_loss(found_, (instances, scores))[1])
    random = np.random.RandomState(0)
    tried = set()
    for ref in ("tok2vec", "mentions", "between", "scorer"):
        for node in pipe.model.get_ref(ref).walk():
            for name in node.param_names:
                if not node.has_grad(name) or not np.abs(node.get_grad(name)).any():
                    continue
                before, gradient = node.get_param(name).copy(), node.get_grad(name).copy()
                # Along the gradient, with some noise: there rounding matters least.
                way = gradient / np.linalg.norm(gradient)
                way = way + 0.3 * random.normal(size=way.shape) / np.sqrt(way.size)
                step, sides = 2e-3, []
                for sign in (1, -1):
                    node.set_param(name, (before + sign * step * way).astype("f"))
                    sides.append(loss())
                node.set_param(name, before)
                slope = (sides[0] - sides[1]) / (2 * step)
                assert slope == pytest.approx(float((gradient * way).sum()), rel=0.1, abs=0.05), (
                    name
                )
                tried.add(ref)
    assert tried == {"tok2vec", "mentions", "between", "scorer"}


def test_a_shared_tok2vec_learns_from_batches_without_a_pair() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": small_tok2vec(16, 1)})
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 16, "upstream": "*"}
    nlp.add_pipe("ner", name="product", config={"model": {"tok2vec": listener}})
    nlp.add_pipe("hitl_relations", name="compared", config={"model": small_model(listener)})
    train_relations(nlp, [example(nlp, s) for s in sentences("train", 66)], epochs=2)
    encoder: Any = nlp.get_pipe("tok2vec")
    assert encoder.listening_components == ["product", "compared"]
    before = encoder.model.to_bytes()
    doc = nlp.make_doc("my K9 fell")
    doc.ents = [doc.char_span(3, 5, label="PRODUCT")]
    nlp.update([Example(nlp.make_doc(doc.text), doc)], sgd=nlp.create_optimizer())
    assert encoder.model.to_bytes() != before
    wanted = found(annotate(nlp))
    nlp.replace_listeners("tok2vec", "compared", ["model.tok2vec"])
    assert found(annotate(nlp)) == wanted


def test_it_says_why_there_is_nothing_to_learn(fails: Any) -> None:
    def initialize(texts: Any, **config: Any) -> None:
        nlp = spacy.blank("en")
        nlp.add_pipe("hitl_relations", name="compared", config={"model": small_model(), **config})
        nlp.initialize(lambda: [example(nlp, s) for s in texts])

    unrelated = [s for s in TEST if not s.relations.relations]
    with fails("H330", "'compared'", f"none of {len(unrelated)}"):
        initialize(unrelated)
    distant = next(s for s in TEST if s.text.count(" was replaced by ") == 1)
    near = {"@misc": "spacy-hitl.MentionPairs.v1", "max_distance": 2}
    with fails("H331", "'compared'", distant.text):
        initialize([distant], instances=near)
    initialize([distant], instances={**near, "max_distance": 3})


def test_labels_are_fixed_once_it_is_initialised(student: Language) -> None:
    pipe: Any = student.get_pipe("compared")
    assert pipe.add_label("BEATS") == 0
    with pytest.raises(ValueError, match="E922"):
        pipe.add_label("LIKES")
    assert pipe.labels == LABELS
    nlp = spacy.blank("en")
    fresh: Any = nlp.add_pipe("hitl_relations", config={"model": small_model()})
    assert fresh.add_label("LIKES") == 1 and fresh.labels == ("LIKES",)


def test_only_pairs_that_were_related_are_looked_at() -> None:
    nlp = make_student(n=66, epochs=1, seen_pairs=True, threshold=0.0)
    pipe: Any = nlp.get_pipe("compared")
    assert pipe.cfg["pairs"] == [["PRODUCT", "COMPANY"], ["PRODUCT", "PRODUCT"]]
    for doc in annotate(nlp):
        labels = {e.start_char: e.label_ for e in doc.ents}
        pairs = {(labels[r.head_start], labels[r.tail_start]) for r in get_relations(doc).relations}
        assert pairs <= {("PRODUCT", "COMPANY"), ("PRODUCT", "PRODUCT")}


def test_the_defaults_make_a_component() -> None:
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("hitl_relations")
    assert isinstance(pipe, RelationExtractor)
    nlp.initialize(lambda: [example(nlp, s) for s in sentences("train", 22)])
    (doc,) = annotate(nlp, TEST[:1])
    assert doc.has_extension("rel")
    assert nlp.analyze_pipes()["problems"]["hitl_relations"] == ["doc.ents"]


# Faster


def test_accelerate_changes_nothing_it_finds(student: Language, tmp_path: Path) -> None:
    wanted = annotate(student)
    student.to_disk(tmp_path)
    nlp = spacy.load(tmp_path)
    done = accelerate(nlp)
    assert (done.embeddings, done.encoders) == (1, 1) and done.layers > 5
    docs = annotate(nlp)
    assert found(docs) == found(wanted)
    for one, other in zip(scored(docs), scored(wanted), strict=True):
        assert [r.score for r in one.relations] == pytest.approx(
            [r.score for r in other.relations], abs=2e-3
        )


def test_only_documents_with_a_pair_are_read(student: Language) -> None:
    pipe: Any = student.get_pipe("compared")
    with_pairs, without = mentioned(student, TEST[0]), student.make_doc("nothing here")
    instances, scores = pipe.predict([without, with_pairs])
    assert [len(pairs) for pairs in instances.pairs] == [0, 2] and scores.shape == (2, 3)
    _, alone = pipe.predict([with_pairs])
    assert np.allclose(scores, alone, atol=1e-5)
    pipe.model.get_ref("tok2vec")._func, kept = None, pipe.model.get_ref("tok2vec")._func
    try:
        assert pipe.predict([without, student.make_doc("")])[1].shape == (0, 3)
    finally:
        pipe.model.get_ref("tok2vec")._func = kept


# Instances


@st.composite
def docs_with_mentions(draw: Any) -> Doc:
    doc = Doc(Vocab(), words=["w"] * draw(st.integers(0, 14)))
    cuts = sorted(draw(st.sets(st.integers(0, len(doc)), max_size=8)))
    labels = st.sampled_from(["A", "B", "MENTION"])
    pairs = zip(cuts[::2], cuts[1::2], strict=False)
    doc.set_ents([Span(doc, start, end, label=draw(labels)) for start, end in pairs])
    return doc


@given(st.lists(docs_with_mentions(), max_size=4), st.one_of(st.none(), st.integers(0, 8)))
def test_instances_are_the_pairs_within_reach(docs: List[Doc], reach: Any) -> None:
    instances = collect(docs, make_mention_pairs(reach), ent_labels=["A", "B"])
    tokens = [(i, t.i) for i, doc in enumerate(docs) for t in doc]
    row = 0
    for number, (doc, pairs) in enumerate(zip(docs, instances.pairs, strict=True)):
        wanted = [
            (head, tail)
            for head in doc.ents
            for tail in doc.ents
            if head != tail
            and (reach is None or max(tail.start - head.end, head.start - tail.end) <= reach)
        ]
        assert sorted((h.start, t.start) for h, t in pairs) == [
            (h.start, t.start) for h, t in wanted
        ]
        for head, tail in pairs:
            first, last = sorted((head, tail), key=lambda span: span.start)
            for span, rows in (
                (head, instances.mentions[instances.heads[row]]),
                (tail, instances.mentions[instances.tails[row]]),
                (doc[first.end : last.start], instances.gaps[instances.between[row]]),
            ):
                assert tokens[slice(*rows)] == [(number, t.i) for t in span]
            row += 1
    assert len(instances) == row == len(instances.features)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3),
            st.integers(0, 3),
            st.integers(0, 300),
            st.integers(0, 9),
            st.integers(0, 1),
        ),
        max_size=9,
    )
)
def test_features_say_one_thing_of_each_kind(facts: Any) -> None:
    rows = features_of(np.array(facts, dtype="int32").reshape(-1, 5), 3)
    sizes = [4, 4, len(DISTANCES), BETWEEN + 1, 1]
    assert rows.shape == (len(facts), sum(sizes)) and rows.dtype == np.float32
    parts = np.split(rows, np.cumsum(sizes)[:-1], axis=1)
    for (head, tail, distance, others, forward), *row in zip(facts, *parts, strict=True):
        assert [part.sum() for part in row[:4]] == [1, 1, 1, 1]
        assert (row[0].argmax(), row[1].argmax(), row[4][0]) == (head, tail, forward)
        step = row[2].argmax()
        assert DISTANCES[step] <= distance
        assert step + 1 == len(DISTANCES) or distance < DISTANCES[step + 1]
        assert row[3].argmax() == min(others, BETWEEN)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5)), max_size=8))
def test_rows_of_spans(spans: Any) -> None:
    places = np.array([(start, start + n) for start, n in spans], dtype="int32").reshape(-1, 2)
    rows, lengths = token_rows(places, empty=99)
    wanted = [list(range(start, start + n)) or [99] for start, n in spans]
    assert rows.tolist() == [row for some in wanted for row in some]
    assert lengths.tolist() == [len(some) for some in wanted]
    assert rows.dtype == lengths.dtype == np.int32


def test_labels_it_does_not_know_count_as_none(student: Language) -> None:
    """A place without a label, and a label from elsewhere: the same features."""
    docs = []
    for label in ("MENTION", "PLANET"):
        doc = mentioned(student, TEST[0])
        doc.set_ents([Span(doc, e.start, e.end, label=label) for e in doc.ents])
        docs.append(student(doc))
    assert scored(docs[:1]) == scored(docs[1:])


def test_a_generator_of_ones_own() -> None:
    def neighbours(doc: Doc) -> Any:
        return list(zip(doc.ents, doc.ents[1:], strict=False))

    spacy.registry.misc("own_neighbours.v1", func=lambda: neighbours)
    nlp = spacy.blank("en")
    config = {"model": small_model(), "instances": {"@misc": "own_neighbours.v1"}}
    nlp.add_pipe("hitl_relations", name="compared", config={**config, "threshold": 0.0})
    nlp.initialize(lambda: [example(nlp, s) for s in sentences("train", 22)])
    for doc in annotate(nlp):
        pairs = {(r.head_start, r.tail_start) for r in get_relations(doc).relations}
        assert pairs == {(h.start_char, t.start_char) for h, t in neighbours(doc)}
