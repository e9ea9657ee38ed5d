"""Proposed entities that a decision took away are evidence; and `ner` learns from all of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any, List, Optional, Tuple

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language
from spacy.training import Example
from spacy.util import fix_random_seed

from spacy_hitl.dataset.corpus import write_corpus
from spacy_hitl.distill.corpus.examples import make_example
from spacy_hitl.distill.corpus.lessons import decided_part, rejected_spans
from spacy_hitl.distill.corpus.reader import make_task_corpus
from spacy_hitl.io import text_digest
from spacy_hitl.records import (
    Annotation,
    Look,
    PartialDecision,
    Proposal,
    SpanAnnotation,
    TaskHeader,
    TaskRow,
)

NER = TaskHeader("thing", "ner", ("A", "B"), "digest")
TEXT = "Nebula is from Ann or so"
TINY = {
    "@architectures": "spacy.HashEmbedCNN.v2",
    "width": 16,
    "depth": 1,
    "embed_size": 200,
    "window_size": 1,
    "maxout_pieces": 2,
    "subword_features": False,
    "pretrained_vectors": None,
}


def spans(*found: Tuple[int, int, str]) -> Annotation:
    return Annotation(spans=tuple(SpanAnnotation(*one) for one in found))


def row_of(
    proposed: Annotation,
    *,
    decision: Optional[Annotation] = None,
    partial: Optional[PartialDecision] = None,
    status: str = "ok",
) -> TaskRow:
    digest = text_digest(TEXT)
    proposal = Proposal(digest, "thing", "m", status, "t", annotation=proposed)
    return TaskRow(TEXT, digest, "train", decision, partial=partial, proposal=proposal)


PROPOSED = spans((0, 6, "A"), (10, 14, "A"), (15, 18, "B"))


@pytest.mark.parametrize(
    "row, wanted",
    [
        (row_of(PROPOSED, decision=PROPOSED), []),
        (row_of(PROPOSED, decision=spans((0, 6, "B"), (10, 18, "A"))), [0, 10, 15]),
        (row_of(PROPOSED, decision=spans((0, 6, "A"))), [10, 15]),
        (row_of(PROPOSED, decision=spans(), status="unaligned"), []),
        (row_of(PROPOSED), []),
        # One label was looked for: only proposals of that label can have been rejected.
        (row_of(PROPOSED, partial=PartialDecision(spans((0, 6, "A")), (Look(("A",)),))), [10]),
        # One place was looked at: a span that reaches out of it was not rejected as a whole.
        (row_of(PROPOSED, partial=PartialDecision(spans(), (Look(None, ((0, 12),)),))), [0]),
        (row_of(PROPOSED, partial=PartialDecision(spans(), (Look(("B",), ((15, 18),)),))), [15]),
    ],
)
def test_what_was_rejected(row: TaskRow, wanted: List[int]) -> None:
    assert [s.start for s in rejected_spans(row, NER)] == wanted
    assert rejected_spans(row, replace(NER, kind="spancat")) == ()


def pipeline(key: Optional[str] = None, *, name: str = "thing") -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("ner", name=name, config={"incorrect_spans_key": key, "model": {"tok2vec": TINY}})
    return nlp


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    part = PartialDecision(spans((0, 6, "A")), (Look(("A",)),))
    write_corpus(tmp_path / "c.jsonl", NER, [row_of(PROPOSED, partial=part)])
    return tmp_path / "c.jsonl"


@pytest.mark.parametrize(
    "wanted, key, name, found",
    [
        (None, None, "thing", None),
        (None, "wrong", "thing", "wrong"),  # the component's
        (None, "wrong", "other", "wrong"),  # the only ner
        ("wrong", "wrong", "thing", "wrong"),
    ],
)
def test_the_key_is_the_components(
    wanted: Optional[str], key: Optional[str], name: str, found: Optional[str], corpus: Path
) -> None:
    nlp = pipeline(key, name=name)
    (eg,) = make_task_corpus(corpus, "thing", incorrect_spans_key=wanted)(nlp)
    groups = {k: [(s.text, s.label_) for s in v] for k, v in eg.reference.spans.items()}
    assert groups == ({} if found is None else {found: [("from", "A")]})
    assert [t.ent_iob_ for t in eg.reference] == ["B", *[""] * 5]


def test_of_two_components_the_one_with_the_tasks_name_counts(corpus: Path) -> None:
    nlp = pipeline("wrong")
    nlp.add_pipe("ner", name="other")
    (eg,) = make_task_corpus(corpus, "thing")(nlp)
    assert list(eg.reference.spans) == ["wrong"]
    nlp.rename_pipe("thing", "one")
    (eg,) = make_task_corpus(corpus, "thing")(nlp)
    assert list(eg.reference.spans) == []


def test_without_a_component_the_reader_says_where(corpus: Path) -> None:
    """To write examples to a file."""
    (eg,) = make_task_corpus(corpus, "thing", incorrect_spans_key="x")(spacy.blank("en"))
    assert list(eg.reference.spans) == ["x"]


def test_keys_that_do_not_agree(corpus: Path, tmp_path: Path, fails: Any) -> None:
    with fails("H320", "'thing'", "doc.spans['x']", "'thing' has 'wrong'"):
        list(make_task_corpus(corpus, "thing", incorrect_spans_key="x")(pipeline("wrong")))
    with fails("H320", "'thing' has None"):
        list(make_task_corpus(corpus, "thing", incorrect_spans_key="x")(pipeline()))
    header = replace(NER, kind="spancat", spans_key="sc")
    write_corpus(tmp_path / "s.jsonl", header, [row_of(PROPOSED, decision=spans())])
    with fails("H326", "'thing'", "spancat"):
        list(make_task_corpus(tmp_path / "s.jsonl", "thing", incorrect_spans_key="x")(pipeline()))


def trained(key: Optional[str]) -> Language:
    fix_random_seed(0)
    nlp = pipeline(key)
    whole = make_example(nlp, TEXT, spans((0, 6, "A"), (15, 18, "B")), NER)
    nlp.initialize(lambda: [whole])
    return nlp


def costs(nlp: Language, eg: Example, place: int) -> dict[str, float]:
    """What each action costs at a token, after actions for nothing before it."""
    moves = nlp.get_pipe("thing").moves  # type: ignore[attr-defined]
    (state,) = moves.init_batch([eg.predicted])
    gold = moves.init_gold(state, eg)
    for _ in range(place):
        moves.apply_transition(state, "O")
    names = nlp.get_pipe("thing").move_names  # type: ignore[attr-defined]
    found = {name: moves.get_cost(state, gold, i) for i, name in enumerate(names)}
    return {name: cost for name, cost in found.items() if cost < 9000}


def test_what_an_unknown_token_costs() -> None:
    """In spaCy's own oracle: no action is wrong there, but the rejected one."""
    part = PartialDecision(spans((0, 6, "A")), (Look(("A",)),))
    lesson = decided_part(row_of(PROPOSED, partial=part), NER)
    assert lesson is not None
    for key, wrong in ((None, set()), ("wrong", {"U-A"})):
        nlp = trained(key)
        eg = make_example(
            nlp,
            TEXT,
            lesson.annotation,
            NER,
            unknown=lesson.unknown,
            rejected=lesson.rejected,
            incorrect_spans_key=key,
        )
        assert {name for name, cost in costs(nlp, eg, 0).items() if cost <= 0} == {"U-A"}
        assert {name for name, cost in costs(nlp, eg, 2).items() if cost > 0} == wrong
        assert not any(costs(nlp, eg, 1).values())


SCHEMES = st.lists(
    st.sampled_from([(0, 6), (0, 9), (7, 9), (7, 14), (10, 14), (10, 18), (15, 18), (2, 8)]),
    unique=True,
)
KEYED = trained("wrong")


@st.composite
def annotations(draw: Any, *, disjoint: bool) -> Annotation:
    kept: List[Tuple[int, int, str]] = []
    for start, end in draw(SCHEMES):
        if not disjoint or all(end <= s or e <= start for s, e, _ in kept):
            kept.append((start, end, draw(st.sampled_from(NER.labels))))
    return spans(*sorted(kept))


looks = st.builds(
    Look,
    st.none() | st.lists(st.sampled_from(NER.labels), min_size=1, unique=True).map(tuple),
    st.none() | SCHEMES.filter(bool).map(tuple),
)


@given(annotations(disjoint=True), annotations(disjoint=True), st.lists(looks, max_size=3))
def test_spacy_takes_whatever_was_decided(
    proposed: Annotation, found: Annotation, seen: List[Look]
) -> None:
    """Nothing is right and wrong at once (spaCy's E868), nor rejected without having been seen."""
    row = row_of(proposed, decision=found)
    if seen:
        row = row_of(proposed, partial=PartialDecision(found, tuple(seen)))
    wrong = rejected_spans(row, NER)
    for s in wrong:
        assert s in proposed.spans and s not in found.spans
        for i in range(s.start, s.end) if seen else ():
            assert any(
                (x.labels is None or s.label in x.labels)
                and (x.ranges is None or any(a <= i < b for a, b in x.ranges))
                for x in seen
            )
    eg = make_example(KEYED, TEXT, found, NER, rejected=wrong, incorrect_spans_key="wrong")
    KEYED.get_pipe("thing").moves.init_gold_batch([eg])  # type: ignore[attr-defined]


# What a trained component makes of it


def teach(nlp: Language, examples: List[Example], steps: int) -> None:
    optimizer = nlp.resume_training()
    optimizer.learn_rate = 0.01
    for _ in range(steps):
        nlp.update([eg for eg in examples], sgd=optimizer)  # noqa: C416


def labels_in(nlp: Language) -> set[Tuple[str, str]]:
    return {(e.text, e.label_) for e in nlp(TEXT).ents}


def test_a_pass_over_one_label_does_not_unlearn_the_others() -> None:
    both = {("Nebula", "A"), ("Ann", "B")}
    part = PartialDecision(spans((0, 6, "A")), (Look(("A",)),))
    lesson = decided_part(row_of(PROPOSED, partial=part), NER)
    assert lesson is not None
    found = {}
    for taken_as in ("part", "whole"):
        nlp = trained(None)
        teach(nlp, [make_example(nlp, TEXT, spans((0, 6, "A"), (15, 18, "B")), NER)], 40)
        assert labels_in(nlp) == both
        unknown = {"unknown": lesson.unknown} if taken_as == "part" else {}
        teach(nlp, [make_example(nlp, TEXT, lesson.annotation, NER, **unknown)], 40)
        found[taken_as] = labels_in(nlp)
    assert found == {"part": both, "whole": {("Nebula", "A")}}


def test_a_rejected_entity_is_unlearned() -> None:
    """Where nobody said what there is instead."""
    part = PartialDecision(spans(), (Look(("B",)),))
    lesson = decided_part(row_of(PROPOSED, partial=part), NER)
    assert lesson is not None and [s.start for s in lesson.rejected] == [15]
    found = {}
    for key in (None, "wrong"):
        nlp = trained("wrong")
        teach(nlp, [make_example(nlp, TEXT, spans((0, 6, "A"), (15, 18, "B")), NER)], 40)
        eg = make_example(
            nlp,
            TEXT,
            lesson.annotation,
            NER,
            unknown=lesson.unknown,
            rejected=lesson.rejected,
            incorrect_spans_key=key,
        )
        teach(nlp, [eg], 40)
        found[key] = ("Ann", "B") in labels_in(nlp)
        assert ("Nebula", "A") in labels_in(nlp)
    assert found == {None: True, "wrong": False}
