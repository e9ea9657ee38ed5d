"""What was decided of a part of a text teaches that part: what nobody saw is never wrong."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin
from spacy.training import Example

from spacy_hitl.dataset.corpus import write_corpus
from spacy_hitl.dataset.decisions import standing
from spacy_hitl.distill.corpus.curriculum import plan, read_weights
from spacy_hitl.distill.corpus.examples import make_example
from spacy_hitl.distill.corpus.lessons import Lesson, Unknown, lessons_of
from spacy_hitl.distill.corpus.reader import make_task_corpus
from spacy_hitl.io import text_digest
from spacy_hitl.records import (
    Annotation,
    CategoryAnnotation,
    Decision,
    Look,
    PartialDecision,
    Proposal,
    RelationAnnotation,
    SpanAnnotation,
    TaskHeader,
    TaskRow,
)

NLP = spacy.blank("en")
LABELS = ("A", "B", "C")
NER = TaskHeader("thing", "ner", LABELS, "digest")
MANY = TaskHeader("mood", "textcat", LABELS, "digest")
ONE = TaskHeader("mood", "textcat", LABELS, "digest", exclusive=True)
GROUPS = TaskHeader("groups", "spancat", LABELS, "digest", spans_key="sc")
TEXT = "Nebula is 🎉 Ann  or O'Brien"  # an astral character, two blanks, a token that splits


def spans(*found: Tuple[int, int, str]) -> Annotation:
    return Annotation(spans=tuple(SpanAnnotation(*one) for one in found))


def cats(*labels: str) -> Annotation:
    return Annotation(cats=tuple(CategoryAnnotation(label) for label in labels))


def in_part(annotation: Annotation, *looks: Look, text: str = TEXT) -> TaskRow:
    return TaskRow(text, text_digest(text), "train", partial=PartialDecision(annotation, looks))


def teach(row: TaskRow, header: TaskHeader, **values: Any) -> List[Example]:
    lessons: Sequence[Lesson] = list(lessons_of(row, header, partial=True, **values))
    return [
        make_example(NLP, x.text, x.annotation, header, unknown=x.unknown, rejected=x.rejected)
        for x in lessons
    ]


def states(doc: Doc) -> List[str]:
    """ "-" for missing, "O" for outside, else the label, of all tokens that are no white space."""
    names = {"": "-", "O": "O"}
    return [names.get(t.ent_iob_, t.ent_type_) for t in doc if not t.is_space]


@pytest.mark.parametrize(
    "looks, found, wanted",
    [
        ([Look(("A",))], [(0, 6, "A")], ["A", "-", "-", "-", "-", "-"]),
        ([Look(None, ((0, 9),))], [(0, 6, "A")], ["A", "O", "-", "-", "-", "-"]),
        ([Look(None, ((0, 9),))], [], ["O", "O", "-", "-", "-", "-"]),
        # A token of which only a half was looked at is not known.
        ([Look(None, ((3, 9), (12, 14)))], [], ["-", "O", "-", "-", "-", "-"]),
        # All labels, one after the other, by ranges that touch in the middle of a token.
        (
            [Look(("A", "B")), Look(("C",), ((0, 3), (3, 10)))],
            [(12, 15, "B")],
            ["O", "O", "-", "B", "-", "-"],
        ),
        ([Look(("A", "B", "C"))], [(20, 27, "C")], ["O", "O", "O", "O", "O", "C"]),
        # What stands on no token boundaries was found, so it is not outside either.
        ([Look(None, ((0, 27),))], [(0, 3, "A")], ["-", "O", "O", "O", "O", "O"]),
    ],
)
def test_ner(looks: List[Look], found: Any, wanted: List[str]) -> None:
    (eg,) = teach(in_part(spans(*found), *looks), NER)
    assert states(eg.reference) == wanted
    assert not eg.predicted.ents


def test_a_whole_decision_leaves_open_only_what_no_token_can_hold() -> None:
    row = TaskRow(TEXT, "d", "train", decision=spans((0, 3, "A"), (12, 15, "B")))
    (eg,) = teach(row, NER)
    assert states(eg.reference) == ["-", "O", "O", "B", "O", "O"]


@pytest.mark.parametrize(
    "looks, found, wanted",
    [
        ([Look(("A",))], ["A"], {"A": 1.0}),
        ([Look(("A", "C"))], ["C"], {"A": 0.0, "C": 1.0}),
        ([Look(("A",)), Look(("B", "C"))], [], {"A": 0.0, "B": 0.0, "C": 0.0}),
        # A look at a stretch decides on no category.
        ([Look(("A",)), Look(None, ((0, 9),))], [], {"A": 0.0}),
    ],
)
def test_textcat(looks: List[Look], found: List[str], wanted: Dict[str, float]) -> None:
    (eg,) = teach(in_part(cats(*found), *looks), MANY)
    assert eg.reference.cats == wanted


@pytest.mark.parametrize(
    "header, row",
    [
        (NER, in_part(Annotation(), Look(("A",)))),
        (MANY, in_part(Annotation(), Look(None, ((0, 9),)))),
        # Which of the classes holds was not said, or maybe a new one holds.
        (ONE, in_part(cats("A"), Look(("A", "B")))),
        (ONE, in_part(Annotation(), Look(LABELS))),
        (GROUPS, in_part(spans((0, 6, "A")), Look(("A",)))),
        (GROUPS, in_part(spans((0, 6, "A")), Look(None, ((0, 9),)))),
        (replace(NER, kind="relations"), in_part(Annotation(), Look(("A",)))),
        (replace(NER, kind="linking"), in_part(Annotation(), Look(None, ((0, 9),)))),
    ],
)
def test_what_teaches_nothing(header: TaskHeader, row: TaskRow) -> None:
    assert not teach(row, header)


def test_links_teach_the_mentions_that_were_looked_at() -> None:
    found = Annotation(spans=(SpanAnnotation(0, 6, "X", kb_id="A"),))
    (eg,) = teach(in_part(found, Look(None, ((0, 6),))), replace(NER, kind="linking"))
    assert [(e.text, e.kb_id_) for e in eg.reference.ents] == [("Nebula", "A")]


@pytest.mark.parametrize("places", [((0, 27),), ((0, 6), (7, 9), (10, 11), (12, 27))])
def test_a_text_that_was_looked_at_piece_by_piece_is_whole(places: Any) -> None:
    """White space between two pieces needs no look: what lies on both sides holds it."""
    found = spans((0, 6, "A"))
    (eg,) = teach(in_part(found, Look(None, places)), GROUPS)
    assert [(s.text, s.label_) for s in eg.reference.spans["sc"]] == [("Nebula", "A")]
    relation = Annotation(relations=(RelationAnnotation(0, 6, 12, 15, "A"),))
    header = replace(NER, kind="relations")
    (lesson,) = lessons_of(in_part(relation, Look(None, places)), header, partial=True)
    assert lesson.annotation == relation and not lesson.unknown


@pytest.mark.parametrize("kind", ["spancat", "relations"])
def test_nothing_can_be_unknown_for_these(kind: str, fails: Any) -> None:
    with fails("H325", "'thing'", kind):
        make_example(
            NLP, TEXT, Annotation(), replace(NER, kind=kind), unknown=Unknown(ranges=((0, 3),))
        )


# Several people, one label each


def decision(number: int, annotation: Annotation, **values: Any) -> Decision:
    return Decision("d", "t", "accept", f"p{number}", "person", "digest", annotation, **values)


def row_of(decisions: List[Decision], header: TaskHeader, text: str) -> TaskRow:
    found = standing(decisions, header)
    assert found is not None
    return TaskRow(text, "d", "train", decision=found.annotation, partial=found.partial)


def test_passes_over_all_labels_are_a_whole_text() -> None:
    passes = [
        decision(1, spans((0, 6, "A")), labels=("A",)),
        decision(2, spans((12, 15, "B")), labels=("B",)),
        decision(3, Annotation(), labels=("C",)),
    ]
    for order in (passes, passes[::-1]):
        (eg,) = teach(row_of(order, NER, TEXT), NER)
        assert states(eg.reference) == ["A", "O", "O", "B", "O", "O"]
        (eg,) = teach(row_of(order[:2], NER, TEXT), NER)
        assert "O" not in states(eg.reference)
    moods = [decision(i, cats(*"A" * (i == 0)), labels=(x,)) for i, x in enumerate(LABELS)]
    (eg,) = teach(row_of(moods, MANY, TEXT), MANY)
    assert eg.reference.cats == {"A": 1.0, "B": 0.0, "C": 0.0}


words = st.sampled_from(
    ["Ann", "is", "O'Brien", "🎉", "e\u0301t\u00e9", "don't", "a-b", "x.", "  "]
)
texts = st.lists(words, min_size=1, max_size=7).map(" ".join).filter(lambda text: text.strip())


@st.composite
def places(draw: Any, text: str) -> Tuple[int, int]:
    """Often whole tokens, sometimes anything."""
    if draw(st.integers(0, 3)):
        doc = NLP.make_doc(text)
        start = draw(st.integers(0, len(doc) - 1))
        span = doc[start : draw(st.integers(start + 1, min(len(doc), start + 3)))]
        return span.start_char, span.end_char
    start = draw(st.integers(0, len(text) - 1))
    return start, draw(st.integers(start + 1, len(text)))


@st.composite
def many_looks(draw: Any) -> Tuple[str, List[Decision]]:
    text = draw(texts)
    some_labels = st.lists(st.sampled_from(LABELS), min_size=1, unique=True).map(tuple)
    found: List[Decision] = []
    for number in range(draw(st.integers(1, 4))):
        marked: List[Tuple[int, int, str]] = []
        for start, end in draw(st.lists(places(text), max_size=3)):
            if all(end <= s or e <= start for s, e, _ in marked):
                marked.append((start, end, draw(st.sampled_from(LABELS))))
        labels: Optional[Tuple[str, ...]] = draw(st.none() | some_labels)
        ranges = draw(st.none() | st.lists(places(text), min_size=1, max_size=3).map(tuple))
        annotation = replace(
            spans(*sorted(marked)),
            cats=cats(*draw(st.lists(st.sampled_from(LABELS), unique=True))).cats,
        )
        found.append(decision(number, annotation, labels=labels, ranges=ranges))
    return text, found


def looked_at(decisions: List[Decision], label: str, place: Optional[int]) -> bool:
    """Whether anybody looked for a label at a character, or (None) in the whole text."""
    for d in decisions:
        if d.labels is None or label in d.labels:
            if d.ranges is None:
                return True
            if place is not None and any(start <= place < end for start, end in d.ranges):
                return True
    return False


@given(many_looks())
def test_nothing_that_nobody_looked_at_is_outside(case: Tuple[str, List[Decision]]) -> None:
    text, decisions = case
    row = row_of(decisions, NER, text)
    said = row.decision if row.partial is None else row.partial.annotation
    assert said is not None
    doc_spans = {(s.start, s.end, s.label) for s in said.spans}
    for eg in teach(row, NER):
        doc = eg.reference
        assert {(e.start_char, e.end_char, e.label_) for e in doc.ents} <= doc_spans
        lost = [s for s in said.spans if doc.char_span(s.start, s.end) is None]
        for token in doc:
            chars = range(token.idx, token.idx + len(token))
            known = all(looked_at(decisions, x, i) for x in LABELS for i in chars)
            if token.ent_iob_ == "O" and not token.is_space:
                assert known, "an invented negative"
            if token.ent_iob_ == "":
                hidden = any(s.start < chars.stop and chars.start < s.end for s in lost)
                assert not known or hidden, "an answer is lost"
    if row.decision is not None or said.spans:
        assert teach(row, NER)


@given(many_looks())
def test_no_category_that_nobody_looked_for_is_absent(case: Tuple[str, List[Decision]]) -> None:
    text, decisions = case
    row = row_of(decisions, MANY, text)
    known = {label for label in LABELS if looked_at(decisions, label, None)}
    found = teach(row, MANY)
    assert [set(eg.reference.cats) for eg in found] == [known] * bool(known)


@given(many_looks())
def test_states_survive_a_docbin(case: Tuple[str, List[Decision]]) -> None:
    text, decisions = case
    docs = [
        make_example(
            NLP,
            x.text,
            x.annotation,
            header,
            unknown=x.unknown,
            rejected=[SpanAnnotation(0, len(text), "A")],
            incorrect_spans_key="wrong" if header is NER else None,
        ).reference
        for header in (NER, MANY)
        for x in lessons_of(row_of(decisions, header, text), header, partial=True)
    ]
    stored = DocBin(docs=docs, store_user_data=True).to_bytes()
    back = list(DocBin().from_bytes(stored).get_docs(NLP.vocab))
    assert [states(doc) for doc in back] == [states(doc) for doc in docs]
    assert [doc.cats for doc in back] == [doc.cats for doc in docs]
    for one, other in zip(back, docs, strict=True):
        wrong = [
            [(s.start_char, s.end_char, s.label_) for s in doc.spans.get("wrong", [])]
            for doc in (one, other)
        ]
        assert wrong[0] == wrong[1]


# The reader


def proposed(row: TaskRow, annotation: Annotation) -> TaskRow:
    status = "ok" if annotation.spans or annotation.cats else "empty"
    given = Proposal(row.text_digest, "thing", "m", status, "t", annotation=annotation)
    return replace(row, proposal=given)


def test_the_reader_gives_parts_between_decisions_and_proposals(tmp_path: Path) -> None:
    part = in_part(spans((0, 6, "A")), Look(("A",)))
    rows = [
        proposed(part, spans((0, 2, "A"), (12, 15, "B"))),
        TaskRow("whole Ann", text_digest("whole Ann"), "train", decision=spans((6, 9, "B"))),
        replace(part, text="Ann in dev", text_digest="dev", lane="dev"),
        TaskRow("dev", text_digest("dev"), "dev", decision=spans()),
    ]
    write_corpus(tmp_path / "c.jsonl", NER, rows)
    found = list(make_task_corpus(tmp_path / "c.jsonl", "thing", proposals=True)(NLP))
    assert [states(eg.reference) for eg in found] == [
        ["O", "B"],
        ["A", "-", "-", "-", "-", "-"],
        ["A", "O", "O", "B", "O", "O"],  # decided is decided, the rest is what the model said
    ]
    dev = list(make_task_corpus(tmp_path / "c.jsonl", "thing", lane="dev")(NLP))
    assert [eg.text for eg in dev] == ["dev"]


def count(header: TaskHeader, *rows: TaskRow, **values: Any) -> Any:
    weights = read_weights("t", None, repeat=1, decisions=True, proposals=True)
    return plan(
        header,
        rows,
        **{"lane": "train", "decisions": True, "proposals": False, **values},
        weights=weights,
    )


def test_what_can_teach_nothing_is_counted() -> None:
    part = in_part(spans((0, 6, "A")), Look(("A",)))
    found = count(GROUPS, part)
    assert (found.lessons, found.left_out) == ([], {"decided in part": 1})
    found = count(GROUPS, proposed(part, spans()), proposals=True)
    assert (found.counts, found.left_out) == ({"proposal": 1}, {})
    assert str(count(NER, part, lane="dev")) == "nothing"
    assert str(count(NER, replace(part, lane="dev"), lane="dev")) == (
        "nothing; left out: decided in part 1"
    )


def test_the_reader_says_why_nothing_is_left(tmp_path: Path, fails: Any) -> None:
    write_corpus(tmp_path / "c.jsonl", GROUPS, [in_part(spans((0, 6, "A")), Look(("A",)))])
    with fails("H324", "c.jsonl", "'groups'", "decided in part: 1"):
        list(make_task_corpus(tmp_path / "c.jsonl", "groups")(NLP))


def test_a_corpus_without_an_outside_is_warned_of(tmp_path: Path, caplog: Any) -> None:
    part = in_part(spans((0, 6, "A")), Look(("A",)))
    caplog.set_level("INFO", logger="spacy")
    for rows, wanted in ([part], True), ([proposed(part, spans())], False):
        caplog.clear()
        write_corpus(tmp_path / "c.jsonl", NER, rows)
        reader = make_task_corpus(tmp_path / "c.jsonl", "thing", proposals=not wanted)
        for _ in range(2):
            list(reader(NLP))
        assert ("where no entity is" in caplog.text) == wanted
        assert caplog.text.count("partial 1") == 1, "said once"
