"""Prodigy's records in their real shapes, and what of them can't be carried."""

from typing import Any, Dict, List, Optional, Tuple

import pytest
from adapter_util import NLP, TASKS, task_of

from spacy_hitl.exchange.adapters.items import Answer, Item, Suggestion
from spacy_hitl.exchange.adapters.losses import LossReport
from spacy_hitl.exchange.adapters.prodigy import read_prodigy
from spacy_hitl.exchange.adapters.prodigy_write import write_prodigy
from spacy_hitl.records import (
    ACCEPT,
    FLAG,
    NIL,
    REJECT,
    SKIP,
    Annotation,
    CategoryAnnotation,
    RelationAnnotation,
    SpanAnnotation,
)
from spacy_hitl.tasks.spans import token_offsets

TEXT = "The Nebula beats the K10 by far."
NEBULA, K10 = (4, 10), (21, 24)
NER = task_of("ner", ("PHONE", "BRAND"))
FACETS = task_of("textcat", ("BATTERY", "CAMERA"))
MOOD = task_of("textcat", ("GOOD", "BAD"), exclusive=True)
RELATIONS = task_of("relations", ("BETTER",))


def span(place: Tuple[int, int], label: str = "PHONE", **more: Any) -> Dict[str, Any]:
    return {"start": place[0], "end": place[1], "label": label, **more}


def record(**fields: Any) -> Dict[str, Any]:
    return {"text": TEXT, "answer": "accept", **fields}


def read(task: Any, *records: Dict[str, Any]) -> Tuple[List[Item], LossReport]:
    return read_prodigy([(f"f:{n}", r) for n, r in enumerate(records, start=1)], task)


def answer_of(task: Any, value: Dict[str, Any]) -> Tuple[Optional[Answer], LossReport]:
    (item,), lost = read(task, value)
    return (item.answers[0] if item.answers else None), lost


def test_a_record_of_ner_manual() -> None:
    value = {
        "text": TEXT,
        "meta": {"source": "forum", "id": 17},
        "_input_hash": -1203,
        "_task_hash": 44,
        "tokens": [{"text": "The", "start": 0, "end": 3, "id": 0, "ws": True}],
        "spans": [span(K10, token_start=4, token_end=4), span(NEBULA, token_start=1, token_end=1)],
        "answer": "accept",
        "_view_id": "ner_manual",
        "_session_id": "phones-ann",
        "_annotator_id": "ann",
        "_timestamp": 1_700_000_000,
    }
    (item,), lost = read(NER, value)
    assert (item.text, item.id) == (TEXT, "17")
    assert item.meta == {"source": "forum", "_input_hash": -1203, "_task_hash": 44}
    expected = Annotation(spans=(SpanAnnotation(*NEBULA, "PHONE"), SpanAnnotation(*K10, "PHONE")))
    assert item.answers == (Answer(ACCEPT, expected, "ann", None, None, 1_700_000_000.0),)
    assert lost == LossReport()


@pytest.mark.parametrize(
    "fields, action, flagged",
    [
        ({"answer": "reject"}, REJECT, False),
        ({"answer": "ignore"}, SKIP, False),
        ({"answer": "ignore", "flagged": True}, FLAG, True),
        ({"answer": "accept", "flagged": True}, ACCEPT, True),
        ({"answer": None, "flagged": True}, FLAG, True),
    ],
)
def test_answers(fields: Any, action: str, flagged: bool) -> None:
    answer, _ = answer_of(NER, record(spans=[span(K10)], **fields))
    assert answer is not None and (answer.action, answer.flagged) == (action, flagged)
    assert answer.annotation == Annotation(spans=(SpanAnnotation(*K10, "PHONE"),))


def test_a_suggested_span_is_not_blind() -> None:
    answer, lost = answer_of(NER, record(spans=[span(K10, source="en_core", score=0.7)]))
    assert answer is not None and answer.saw_proposal == "en_core"
    assert lost.count("scores") == 1
    answer, _ = answer_of(NER, record(spans=[], saw_proposal="model"))
    assert answer is not None and answer.saw_proposal == "model"


def test_spans_without_an_answer_are_a_proposal() -> None:
    value = {"text": TEXT, "spans": [span(K10, source="en_core", score=0.7)]}
    (item,), lost = read(NER, value)
    found = Annotation(spans=(SpanAnnotation(*K10, "PHONE", None, 0.7, "prodigy"),))
    assert (item.answers, item.suggestions) == ((), (Suggestion("en_core", found),))
    assert lost == LossReport()
    (item,), _ = read(NER, {"text": TEXT, "spans": [span(K10)]})
    assert item.suggestions[0].source == "prodigy"
    for value in ({"text": TEXT}, {"text": TEXT, "spans": []}):
        (item,), _ = read(NER, value)
        assert item.suggestions == item.answers == ()


def test_what_is_about_something_else_is_counted() -> None:
    value = record(
        spans=[span(K10, "COLOUR"), span(NEBULA, mood="good", kb_id="Q1")],
        relations=[{"head": 1}],
        options=[{"id": "A", "html": "<b>A</b>"}],
        accept=["A"],
        label="X",
        image="data:",
    )
    answer, lost = answer_of(NER, value)
    assert answer is not None
    assert answer.annotation == Annotation(spans=(SpanAnnotation(*NEBULA, "PHONE"),))
    for reason in (
        "labels that this task does not have",
        "field 'mood' of spans",
        "links of spans",
        "'relations' of records",
        "'accept' of records",
        "'label' of records",
        "HTML",
        "field 'image'",
    ):
        assert lost.count(reason) == 1, reason


@pytest.mark.parametrize(
    "task, fields, reason",
    [
        (NER, {"spans": [span((0, 10)), span(NEBULA)]}, "overlap"),
        (NER, {"spans": [span(NEBULA, text="Nebulae")]}, "can't be placed"),
        (NER, {"options": [{"id": "BAD"}], "accept": ["BAD"]}, "not say everything"),
        (FACETS, {"spans": []}, "not say everything"),
        (FACETS, {"options": [{"id": "X"}], "accept": ["X"]}, "not say everything"),
        (MOOD, {"accept": ["GOOD", "BAD"]}, "exactly one"),
        (MOOD, {"accept": []}, "exactly one"),
        (MOOD, {"accept": ["FINE"]}, "exactly one"),
        (RELATIONS, {"spans": []}, "not say everything"),
        (TASKS["linking"], {"spans": [span(K10)]}, "not say everything"),
        (TASKS["linking"], {"spans": [span(K10, kb_id="Q9")]}, "does not have, where it decides"),
        (TASKS["linking"], {"spans": [span(K10)], "accept": ["Q1", "Q2"]}, "not say everything"),
    ],
)
def test_a_decision_that_is_not_whole_is_not_stored(task: Any, fields: Any, reason: str) -> None:
    """What is not listed would not hold: the text is there, the decision is in the report."""
    answer, lost = answer_of(task, record(**fields))
    assert answer is None
    assert lost.count("not stored as a decision") == lost.count(reason) == 1
    # Who rejects or skips says nothing wrong.
    answer, _ = answer_of(task, record(**{**fields, "answer": "ignore"}))
    assert answer is not None and answer.action == SKIP


def test_overlapping_spans_are_fine_for_spancat() -> None:
    task = task_of("spancat", ("PHONE",))
    answer, lost = answer_of(task, record(spans=[span((0, 10)), span(NEBULA), span(NEBULA)]))
    assert answer is not None and answer.annotation is not None
    assert [(s.start, s.end) for s in answer.annotation.spans] == [(0, 10), NEBULA]
    assert lost.count("the same annotation twice") == 1


# Binary questions: an answer about what was asked, and about nothing else


@pytest.mark.parametrize("said, holds", [("accept", ("CAMERA",)), ("reject", ())])
def test_a_yes_or_no_to_one_of_several_labels(said: str, holds: Any) -> None:
    answer, lost = answer_of(FACETS, record(label="CAMERA", answer=said))
    assert answer is not None and (answer.action, answer.labels) == (ACCEPT, ("CAMERA",))
    assert answer.annotation == Annotation(cats=tuple(CategoryAnnotation(x) for x in holds))
    assert answer.saw_proposal == "prodigy"
    assert lost == LossReport()


def test_a_yes_to_the_only_one_says_all() -> None:
    answer, _ = answer_of(MOOD, record(label="GOOD"))
    assert answer is not None and answer.labels is None
    assert answer.annotation == Annotation(cats=(CategoryAnnotation("GOOD"),))
    answer, _ = answer_of(MOOD, record(label="GOOD", answer="reject"))
    assert answer is not None and (answer.action, answer.labels) == (ACCEPT, ("GOOD",))
    assert answer.annotation == Annotation()


def test_a_choice_among_some_labels() -> None:
    value = record(options=[{"id": "CAMERA", "text": "camera"}, {"id": "COLOUR"}], accept=[])
    answer, _ = answer_of(FACETS, value)
    assert answer is not None and (answer.labels, answer.annotation) == (
        ("CAMERA",),
        Annotation(),
    )


@pytest.mark.parametrize("said", ["accept", "reject"])
def test_a_yes_or_no_to_one_span(said: str) -> None:
    value = record(spans=[span(K10, source="m", score=0.4)], _view_id="ner", answer=said)
    answer, _ = answer_of(NER, value)
    assert answer is not None and answer.action == ACCEPT
    assert (answer.labels, answer.ranges, answer.saw_proposal) == (("PHONE",), (K10,), "m")
    held = (SpanAnnotation(*K10, "PHONE"),) if said == "accept" else ()
    assert answer.annotation == Annotation(spans=held)


# Relations and links


def test_head_and_child_are_the_last_tokens() -> None:
    tokens = [
        {"text": t, "start": s, "end": e, "id": i}
        for i, (t, s, e) in enumerate(
            [("The", 0, 3), ("Nebula", 4, 10), ("beats", 11, 16), ("the", 17, 20), ("K10", 21, 24)]
        )
    ]
    spans = [{"start": 17, "end": 24, "token_start": 3, "token_end": 4, "label": "PHONE"}]
    by_index = {"head": 1, "child": 4, "label": "BETTER", "color": "#ffd"}
    answer, lost = answer_of(RELATIONS, record(tokens=tokens, spans=spans, relations=[by_index]))
    expected = RelationAnnotation(*NEBULA, 17, 24, "BETTER")
    assert answer is not None and answer.annotation == Annotation(relations=(expected,))
    assert lost == LossReport()
    ends = {"head_span": span(NEBULA), "child_span": span((17, 24))}
    answer, _ = answer_of(RELATIONS, record(relations=[{**by_index, **ends}]))
    assert answer is not None and answer.annotation == Annotation(relations=(expected,))
    answer, lost = answer_of(RELATIONS, record(spans=spans, relations=[by_index]))
    assert answer is None and lost.count("can't be placed") == 1
    answer, lost = answer_of(RELATIONS, record(tokens=tokens, relations=[{**by_index, "child": 1}]))
    assert answer is None and lost.count("with itself") == 1


def link(place: Tuple[int, int], accept: List[str], **more: Any) -> Dict[str, Any]:
    options = [{"id": "Q1", "text": "Nebula"}, {"id": "NIL_other", "text": "none"}]
    return record(spans=[span(place)], options=options, accept=accept, **more)


def test_links_are_asked_one_mention_at_a_time() -> None:
    (item,), lost = read(
        TASKS["linking"],
        link(NEBULA, ["NIL_other"], _annotator_id="ann"),
        link(K10, ["Q2"], _annotator_id="ann", _timestamp=5),
        link(NEBULA, ["Q1"], _annotator_id="ann", _timestamp=9),
    )
    (answer,) = item.answers
    assert answer.annotation == Annotation(
        spans=(
            SpanAnnotation(*NEBULA, "THING", kb_id="Q1"),
            SpanAnnotation(*K10, "THING", kb_id="Q2"),
        )
    )
    assert (answer.annotator, answer.time) == ("ann", 9)
    assert lost.count("earlier answers about the same mention") == 1
    (item,), _ = read(TASKS["linking"], link(NEBULA, ["NIL_other"]))
    assert item.answers[0].annotation == Annotation(
        spans=(SpanAnnotation(*NEBULA, "THING", kb_id=NIL),)
    )


def test_mentions_answered_differently_decide_nothing() -> None:
    (item,), lost = read(TASKS["linking"], link(NEBULA, ["Q1"]), link(K10, ["Q2"], answer="ignore"))
    assert item.answers == () and lost.count("answered differently") == 1
    first, second = read(
        TASKS["linking"], link(NEBULA, ["Q1"], _annotator_id="a"), link(K10, [], _annotator_id="b")
    )[0]
    assert first.answers and not second.answers


# Records that are none


@pytest.mark.parametrize(
    "value, says",
    [
        ({"html": "<b>x</b>", "answer": "accept"}, "'text'"),
        (record(text=3), "'text'"),
        (record(answer="maybe"), "'maybe'"),
        (record(answer=1), "'answer'"),
        (record(flagged="yes"), "'flagged'"),
        (record(spans={}), "'spans'"),
        (record(spans=["x"]), "'spans'"),
        (record(spans=[{"start": 0, "end": 3}]), "'label'"),
        (record(spans=[{"start": "0", "end": 3, "label": "PHONE"}]), "'start'"),
        (record(spans=[span((0, 333))]), "0 to 333"),
        (record(spans=[span((3, 3))]), "3 to 3"),
        (record(spans=[span((-1, 3))]), "-1 to 3"),
        (record(spans=[span(K10, score="high")]), "'score'"),
        (record(spans=[span(K10, score=float("nan"))]), "nan"),
        (record(meta=[]), "'meta'"),
        (record(meta={"id": [1]}), "its id"),
        (record(_timestamp="now"), "'_timestamp'"),
        (record(_timestamp=10**400), "too large"),
        (record(meta={"a": [[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]}), "too deep"),
    ],
)
def test_a_broken_record_is_refused(value: Any, says: str, fails: Any) -> None:
    with fails("H070", "f:2", "Prodigy", says):
        read(NER, record(spans=[]), value)


# What is written


def tokens_of(text: str) -> List[Tuple[int, int]]:
    return token_offsets(NLP.make_doc(text))


def test_tokens_are_cut_where_a_span_needs_it() -> None:
    annotation = Annotation(spans=(SpanAnnotation(4, 7, "PHONE"), SpanAnnotation(*K10, "PHONE")))
    item = Item(TEXT, id="1", answers=(Answer(ACCEPT, annotation, "ann", time=3.9),))
    (written,), lost = write_prodigy([item], NER, tokens_of)
    texts = [t["text"] for t in written["tokens"]]
    assert texts == ["The", "Neb", "ula", "beats", "the", "K10", "by", "far", "."]
    assert [t["ws"] for t in written["tokens"]] == [True, False, *[True] * 5, False, False]
    first, second = written["spans"]
    assert (first["token_start"], first["token_end"]) == (1, 1)
    assert (second["token_start"], second["token_end"], second["text"]) == (5, 5, "K10")
    assert (written["answer"], written["_annotator_id"], written["_timestamp"]) == (
        "accept",
        "ann",
        3,
    )
    assert written["_view_id"] == "ner_manual" and written["meta"] == {"id": "1"}
    assert not {"_input_hash", "_task_hash"} & written.keys(), "hashes are never invented"
    assert lost == LossReport()


def test_hashes_are_passed_through() -> None:
    item = Item(TEXT, id="1", meta={"_input_hash": -5, "_task_hash": 7, "page": 2})
    (written,), _ = write_prodigy([item], NER, tokens_of)
    assert (written["_input_hash"], written["_task_hash"]) == (-5, 7)
    assert written["meta"] == {"id": "1", "page": 2}
    assert "answer" not in written and "spans" not in written


def test_a_proposal_is_shown_with_its_source() -> None:
    found = Annotation(spans=(SpanAnnotation(*K10, "PHONE", score=0.9),))
    item = Item(TEXT, id="1", suggestions=(Suggestion("llm", found),))
    (written,), _ = write_prodigy([item], NER, tokens_of)
    assert written["saw_proposal"] == "llm" and "answer" not in written
    assert (written["spans"][0]["source"], written["spans"][0]["score"]) == ("llm", 0.9)


def test_a_link_is_a_choice_among_the_entries_with_this_form() -> None:
    annotation = Annotation(spans=(SpanAnnotation(*NEBULA, "THING", kb_id=NIL),))
    item = Item(TEXT, id="1", answers=(Answer(ACCEPT, annotation),))
    (written,), _ = write_prodigy([item], TASKS["linking"], tokens_of)
    assert written["options"] == [
        {"id": "Q1", "text": "Nebula"},
        {"id": NIL, "text": "not in the catalog"},
    ]
    assert written["accept"] == [NIL] and written["_view_id"] == "choice"


def test_relations_name_last_tokens() -> None:
    relation = RelationAnnotation(*NEBULA, 17, 24, "BETTER")
    item = Item(TEXT, id="1", answers=(Answer(ACCEPT, Annotation(relations=(relation,))),))
    (written,), _ = write_prodigy([item], RELATIONS, tokens_of)
    (found,) = written["relations"]
    assert (found["head"], found["child"]) == (1, 4)
    assert found["child_span"]["token_start"] == 3
