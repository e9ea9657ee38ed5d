"""Texts broken down into segments, and a classifier that learns from them."""

from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.training import Example
from spacy.util import fix_random_seed

from spacy_hitl.dataset.corpus import write_corpus
from spacy_hitl.distill.callbacks import make_distill_rationales_callback, segment_rows
from spacy_hitl.distill.textcat.pooling import pool
from spacy_hitl.distill.textcat.rationales import segment_text, soft_target, split_sentences
from spacy_hitl.io import text_digest
from spacy_hitl.records import (
    Annotation,
    CategoryAnnotation,
    Proposal,
    SpanAnnotation,
    TaskHeader,
    TaskRow,
)

NLP = spacy.blank("en")
LABELS = ("GOOD", "BAD")
TOPICS = TaskHeader("topics", "textcat", LABELS, "digest")
PHRASES = TaskHeader("phrases", "spancat", LABELS, "digest", spans_key="phrases")


def quote(text: str, **labels: str) -> Annotation:
    """Spans over phrases that stand in the text once: quote(text, GOOD="great camera")."""
    places = [(text.index(p), text.index(p) + len(p), label) for label, p in labels.items()]
    return Annotation(spans=tuple(sorted(SpanAnnotation(*place) for place in places)))


def cats(*labels: str) -> Annotation:
    return Annotation(cats=tuple(CategoryAnnotation(label) for label in labels))


def shown(text: str, rationales: Optional[Annotation]) -> List[Tuple[str, List[float]]]:
    doc = NLP.make_doc(text)
    found = segment_text(doc, LABELS, np.asarray([0.5, 0.25], dtype="float32"), rationales)
    return [(doc[s.start : s.end].text, s.target.tolist()) for s in found.segments]


def test_segments() -> None:
    text = "The camera is great today . It lags so much !"
    found = shown(text, quote(text, GOOD="camera is great", BAD="lags"))
    assert found == [
        (text, [0.5, 0.25]),
        ("The camera is great today .", [1, 0]),
        ("It lags so much !", [0, 1]),
        ("camera is great", [1, 0]),
        ("lags", [0, 1]),
        ("today . It", [0, 0]),
        ("so much !", [0, 0]),
    ]


def test_a_phrase_belongs_to_the_sentence_that_holds_most_of_it() -> None:
    text = "The camera is great. Really nice"
    found = dict(shown(text, quote(text, GOOD="is great. Really")))
    assert found["The camera is great."] == [1, 0]
    assert found["Really nice"] == [0, 0]


def test_without_rationales_only_the_whole_text_teaches() -> None:
    text = "It lags. Not now."
    assert shown(text, None) == [(text, [0.5, 0.25])]
    assert shown("It lags so", Annotation()) == [
        ("It lags so", [0.5, 0.25]),
        ("It lags so", [0, 0]),
    ]


def test_labels_of_others_and_broken_offsets_are_left_out() -> None:
    text = "It lags"
    stray = Annotation(spans=(SpanAnnotation(3, 7, "OTHER"), SpanAnnotation(90, 99, "BAD")))
    assert shown(text, stray) == [(text, [0.5, 0.25])]


@given(st.text("ab .!?\n-\u2022😀"), st.data())
def test_segments_lie_in_the_text(text: str, data: Any) -> None:
    doc = NLP.make_doc(text)
    places = st.tuples(st.integers(0, 9), st.integers(1, 9), st.sampled_from(LABELS))
    found = data.draw(st.lists(places, max_size=3))
    spans = tuple(SpanAnnotation(start, start + n, label) for start, n, label in found)
    segments = segment_text(doc, LABELS, np.zeros(2, dtype="float32"), Annotation(spans)).segments
    assert (segments[0].start, segments[0].end) == (0, len(doc))
    assert all(0 <= s.start < s.end <= len(doc) for s in segments[1:])
    sentences = split_sentences(doc)
    assert [s for s, _ in sentences] == [0, *[e for _, e in sentences[:-1]]]
    assert sentences[-1][1] == len(doc)


def test_answers_are_averaged() -> None:
    assert soft_target(LABELS, [["GOOD"], ["GOOD", "BAD"]]).tolist() == [1.0, 0.5]
    assert soft_target(LABELS, [[]]).tolist() == [0.0, 0.0]


def make_row(
    text: str, decided: Any = None, proposed: Any = None, *, lane: str = "train", status: str = "ok"
) -> TaskRow:
    proposal = None
    if proposed is not None:
        proposal = Proposal("d", "topics", "m", status, "t", annotation=proposed)
    return TaskRow(text, text_digest(text), lane, decision=decided, proposal=proposal)


TEXT = "great camera but it lags"
BOTH = quote(TEXT, GOOD="great camera", BAD="lags")


@pytest.mark.parametrize(
    "row, wanted, phrases",
    [
        (make_row(TEXT, None, cats("GOOD")), [1.0, 0.5], 2),  # two answers that differ
        (make_row(TEXT, cats("GOOD")), [1.0, 0.0], 1),  # a person disagrees with a phrase
        (make_row(TEXT, cats(), cats("GOOD")), [0.0, 0.0], 0),
    ],
)
def test_what_a_row_teaches(row: TaskRow, wanted: List[float], phrases: int) -> None:
    (found,) = segment_rows(NLP, LABELS, [row], {row.text_digest: BOTH})
    assert found.segments[0].target.tolist() == wanted
    texts = [found.doc[s.start : s.end].text for s in found.segments[1:] if s.target.any()]
    assert texts == ["great camera", "lags"][:phrases]


def test_what_teaches_nothing() -> None:
    rows = [
        make_row("dev", cats("GOOD"), lane="dev"),
        make_row("unaligned", None, cats("GOOD"), status="unaligned"),
        make_row("nothing known"),
    ]
    assert segment_rows(NLP, LABELS, rows, {}) == []


def test_the_gradient_of_pooling_is_right() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(7, 3))
    starts, ends = np.array([0, 2, 2, 0]), np.array([7, 5, 3, 2])
    pooled, backprop = pool(rows, starts, ends)
    for i, (s, e) in enumerate(zip(starts, ends, strict=True)):
        wanted = np.hstack([rows[s:e].max(axis=0), rows[s:e].mean(axis=0)])
        assert pooled[i] == pytest.approx(wanted, abs=1e-6)
    weights = rng.normal(size=pooled.shape)
    gradient = backprop(weights)
    for place in np.ndindex(*rows.shape):
        step = np.zeros_like(rows)
        step[place] = 1e-4
        up, down = (pool(rows + sign * step, starts, ends)[0] for sign in (1, -1))
        # Means are kept in single precision.
        slope = ((up.astype(float) - down) * weights).sum() / 2e-4
        assert gradient[place] == pytest.approx(slope, abs=5e-3)


def make_nlp(labels: Sequence[str] = LABELS) -> Any:
    fix_random_seed(0)
    nlp = spacy.blank("en")
    part = {
        "@architectures": "spacy.HashEmbedCNN.v2",
        "width": 16,
        "depth": 1,
        "embed_size": 200,
        "window_size": 1,
        "maxout_pieces": 2,
        "subword_features": False,
        "pretrained_vectors": None,
    }
    model = {
        "@architectures": "spacy.TextCatReduce.v1",
        "tok2vec": {"@layers": "concatenate.v1", "*": {"a": part, "b": dict(part)}},
        "exclusive_classes": False,
        "use_reduce_first": False,
        "use_reduce_last": False,
        "use_reduce_max": True,
        "use_reduce_mean": True,
    }
    nlp.add_pipe("textcat_multilabel", name="topics", config={"model": model})
    values = {"cats": dict.fromkeys(labels, 0.0)}
    eg = Example.from_dict(nlp.make_doc("a text"), values)
    nlp.initialize(lambda: [eg])
    return nlp


def write_corpora(folder: Path) -> Dict[str, Any]:
    subjects = ("camera", "screen", "sound", "case")
    texts = [
        *[(f"the {s} is great", {"GOOD": f"{s} is great"}) for s in subjects],
        *[(f"the {s} is awful", {"BAD": f"{s} is awful"}) for s in subjects],
        *[(f"i have seen the {s}", {}) for s in subjects],
    ]
    rows = [make_row(t, None, cats(*found)) for t, found in texts]
    spans = [make_row(t, None, quote(t, **found)) for t, found in texts]
    write_corpus(folder / "topics.jsonl", TOPICS, rows)
    write_corpus(folder / "phrases.jsonl", PHRASES, spans)
    return {
        "path": folder / "topics.jsonl",
        "task": "topics",
        "rationales": folder / "phrases.jsonl",
        "rationale_task": "phrases",
        "batch_size": 4,
        "epochs": 30,
    }


def scores(nlp: Any, text: str) -> List[float]:
    return [round(nlp(text).cats[label], 4) for label in LABELS]


def test_it_learns_and_is_an_ordinary_component(tmp_path: Path) -> None:
    nlp = make_nlp()
    values = write_corpora(tmp_path)
    make_distill_rationales_callback(**values, groups=[["GOOD", "BAD"]])(nlp)
    good, bad, none = (scores(nlp, f"the case is {w}") for w in ("great", "awful", "blue"))
    assert good[0] > 0.5 > good[1] and bad[1] > 0.5 > bad[0]
    assert max(none) < min(good[0], bad[1])
    nlp.to_disk(tmp_path / "model")
    assert scores(spacy.load(tmp_path / "model"), "the case is great") == good
    again = make_nlp()
    make_distill_rationales_callback(**values, groups=[["GOOD", "BAD"]])(again)
    assert scores(again, "the case is great") == good


def test_what_is_missing_is_named(tmp_path: Path, fails: Any) -> None:
    values = write_corpora(tmp_path)
    with fails("H303", "'nobody'"):
        make_distill_rationales_callback(**values, component="nobody")(make_nlp())
    with fails("H306"):
        make_distill_rationales_callback(**values)(make_nlp(("GOOD", "UGLY")))
    with fails("H302", "'phrases'", "'others'"):
        make_distill_rationales_callback(**{**values, "rationale_task": "others"})(make_nlp())
    write_corpus(values["path"], TOPICS, [make_row("undecided")])
    with fails("H300", "'topics'"):
        make_distill_rationales_callback(**values)(make_nlp())


@pytest.mark.parametrize("which", ["path", "rationales"])
def test_gold_is_refused_in_both_corpora(which: str, tmp_path: Path, fails: Any) -> None:
    values = write_corpora(tmp_path)
    gold = make_row("gold text", cats("GOOD"), lane="gold")
    write_corpus(values[which], TOPICS if which == "path" else PHRASES, [gold])
    with fails("H301", values[which]):
        make_distill_rationales_callback(**values)(make_nlp())
