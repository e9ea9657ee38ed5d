"""Label Studio's tasks in their real shapes, the config they need, and what can't be carried."""

import xml.etree.ElementTree as ElementTree
from datetime import UTC, datetime
from typing import Any, Dict, List, Optional, Tuple

import pytest
from adapter_util import LABELS, TASKS, task_of

from spacy_hitl.exchange.adapters.items import Answer, Item, Suggestion
from spacy_hitl.exchange.adapters.label_studio import read_label_studio
from spacy_hitl.exchange.adapters.label_studio_write import labelling_config, write_label_studio
from spacy_hitl.exchange.adapters.losses import LossReport
from spacy_hitl.records import (
    ACCEPT,
    FLAG,
    REJECT,
    SKIP,
    Annotation,
    CategoryAnnotation,
    RelationAnnotation,
    SpanAnnotation,
)

TEXT = "The 😀 Nebula beats\r\nthe K10 by far."
NEBULA, K10 = (6, 12), (24, 27)
NER = task_of("ner", ("PHONE", "BRAND"))
FACETS = task_of("textcat", ("BATTERY", "CAMERA"))
MOOD = task_of("textcat", ("GOOD", "BAD"), exclusive=True)
RELATIONS = task_of("relations", ("BETTER",))


def region(
    place: Tuple[int, int], *labels: str, id: str = "r1", quote: Optional[str] = None, **more: Any
) -> Dict[str, Any]:
    quote = TEXT[slice(*place)] if quote is None else quote
    value = {"start": place[0], "end": place[1], "text": quote, "labels": list(labels)}
    base = {"id": id, "from_name": "label", "to_name": "text", "type": "labels"}
    return {**base, "origin": "manual", "value": value, **more}


def choices(*names: str, **more: Any) -> Dict[str, Any]:
    base = {"id": "c", "from_name": "mood", "to_name": "text", "type": "choices"}
    return {**base, "value": {"choices": list(names), **more}}


def about(place: Tuple[int, int], id: str, **value: Any) -> Dict[str, Any]:
    (kind,) = value
    where = {"start": place[0], "end": place[1]}
    tag = "textarea" if kind == "text" else kind
    base = {"id": id, "from_name": "x", "to_name": "text", "type": tag}
    return {**base, "value": {**where, **value}}


def relation(head: str, tail: str, *labels: str, direction: str = "right") -> Dict[str, Any]:
    ends = {"from_id": head, "to_id": tail, "direction": direction}
    return {"type": "relation", "labels": list(labels), **ends}


def task_with(*result: Any, **annotation: Any) -> Dict[str, Any]:
    return {"id": 5, "data": {"text": TEXT}, "annotations": [{"result": [*result], **annotation}]}


def read(task: Any, *tasks: Dict[str, Any]) -> Tuple[List[Item], LossReport]:
    return read_label_studio([(f"f (task {n})", t) for n, t in enumerate(tasks, start=1)], task)


def answer_of(task: Any, value: Dict[str, Any]) -> Tuple[Optional[Answer], LossReport]:
    (item,), lost = read(task, value)
    return (item.answers[0] if item.answers else None), lost


def spans(*places: Tuple[int, int]) -> Annotation:
    return Annotation(spans=tuple(SpanAnnotation(*p, "PHONE") for p in places))


def test_a_task_as_it_is_exported() -> None:
    value = {
        "id": 41,
        "data": {"text": TEXT, "page": 3},
        "meta": {},
        "created_at": "2021-03-09T21:52:49.513742Z",
        "updated_at": "2021-03-09T22:16:08.746926Z",
        "project": 83,
        "inner_id": 1,
        "total_annotations": 2,
        "drafts": [],
        "predictions": [],
        "annotations": [
            {
                "id": 9,
                "completed_by": {"id": 4, "email": "ann@example.org", "first_name": "Ann"},
                "result": [region(K10, "PHONE", id="b"), region(NEBULA, "PHONE", id="a")],
                "was_cancelled": False,
                "ground_truth": False,
                "lead_time": 4.25,
                "created_at": "2021-03-09T22:16:08.728353Z",
                "updated_at": "2021-03-09T22:16:10Z",
                "parent_prediction": None,
            },
            {"id": 10, "completed_by": 7, "was_cancelled": True, "result": []},
        ],
    }
    (item,), lost = read(NER, value)
    assert (item.text, item.id, item.meta) == (TEXT, "41", {"page": 3})
    first, second = item.answers
    time = datetime(2021, 3, 9, 22, 16, 10, tzinfo=UTC).timestamp()
    assert first == Answer(ACCEPT, spans(NEBULA, K10), "ann@example.org", None, 4.25, time)
    assert second == Answer(SKIP, None, "7")
    assert lost == LossReport()


def test_predictions_are_proposals_and_were_seen() -> None:
    prediction = {"model_version": "llm-x", "score": 0.5}
    found = {**prediction, "result": [region(K10, "PHONE", score=0.9)]}
    value = {**task_with(region(K10, "PHONE")), "predictions": [found]}
    (item,), lost = read(NER, value)
    expected = Annotation(spans=(SpanAnnotation(*K10, "PHONE", None, 0.9, "label-studio"),))
    assert item.suggestions == (Suggestion("llm-x", expected),)
    assert item.answers[0].saw_proposal == "llm-x"
    assert lost.count("scores of whole predictions") == 1
    (item,), _ = read(NER, {"data": {"text": TEXT}, "predictions": [{"result": []}]})
    assert (item.answers, item.suggestions) == ((), (Suggestion("label-studio", Annotation()),))


@pytest.mark.parametrize(
    "value",
    [
        task_with(region(K10, "PHONE", origin="prediction-changed")),
        task_with(region(K10, "PHONE"), parent_prediction=3),
        {**task_with(region(K10, "PHONE")), "data": {"text": TEXT, "saw_proposal": "label-studio"}},
    ],
)
def test_an_answer_that_began_with_a_prediction_is_not_blind(value: Any) -> None:
    answer, _ = answer_of(NER, value)
    assert answer is not None and answer.saw_proposal == "label-studio"


def test_a_proposal_of_which_a_part_is_lost_is_incomplete() -> None:
    result = [region(NEBULA, "PHONE"), region(K10, "PHONE", quote="K11")]
    (item,), lost = read(NER, {"data": {"text": TEXT}, "predictions": [{"result": result}]})
    (suggestion,) = item.suggestions
    assert suggestion.annotation == spans(NEBULA)
    assert [p.kind for p in suggestion.problems] == ["not_found"]
    assert lost.count("incomplete") == 1


def shifted(place: Tuple[int, int], by: int) -> Tuple[int, int]:
    return place[0] + by, place[1] + by


@pytest.mark.parametrize("by, units", [((1, 1), "UTF-16"), ((1, 0), "UTF-16 without CR")])
def test_offsets_that_count_something_else(by: Any, units: str) -> None:
    """The emoji counts as two; CR LF may count as one."""
    value = task_with(
        region(shifted(NEBULA, by[0]), "PHONE", quote="Nebula"),
        region(shifted(K10, by[1]), "PHONE", quote="K10"),
    )
    answer, lost = answer_of(NER, value)
    assert answer is not None and answer.annotation == spans(NEBULA, K10)
    assert [n.reason for n in lost.notes] == [f"offsets that count {units}, converted"]
    across = region((13, 21), "PHONE", quote="beats\nthe"[:8])
    answer, _ = answer_of(NER, task_with(across))
    assert answer is not None and answer.annotation is not None
    (found,) = answer.annotation.spans
    assert TEXT[found.start : found.end] == "beats\r\nth"


def test_offsets_that_fit_nothing() -> None:
    answer, lost = answer_of(NER, task_with(region(NEBULA, "PHONE", quote="Nebulae")))
    assert answer is None and lost.count("can't be placed") == 1


@pytest.mark.parametrize(
    "task, result, reason",
    [
        (NER, [region((6, 27), "PHONE"), region(K10, "PHONE")], "overlap"),
        (NER, [region(K10, "PHONE", "BRAND")], "overlap"),
        (MOOD, [], "exactly one"),
        (MOOD, [choices("GOOD", "BAD")], "exactly one"),
        (TASKS["linking"], [region(K10, "X")], "not say everything"),
        (TASKS["linking"], [region(K10, "X"), about(K10, "r1", text=["Q9"])], "where it decides"),
        (
            TASKS["linking"],
            [region(K10, "X"), about(K10, "r1", text=["Q1", "Q2"])],
            "no place for",
        ),
        (RELATIONS, [region(K10, "X"), relation("r1", "r2", "BETTER")], "can't be placed"),
    ],
)
def test_a_decision_that_is_not_whole_is_not_stored(task: Any, result: Any, reason: str) -> None:
    answer, lost = answer_of(task, task_with(*result))
    assert answer is None and lost.count(reason) >= 1
    answer, _ = answer_of(task, task_with(*result, was_cancelled=True))
    assert answer is not None and answer.action == SKIP


TWO = [region(NEBULA, "X", id="a"), region(K10, "Y", id="b")]


@pytest.mark.parametrize(
    "link, head, tail",
    [
        (relation("a", "b", "BETTER"), NEBULA, K10),
        (relation("a", "b", "BETTER", direction="left"), K10, NEBULA),
    ],
)
def test_relations(link: Any, head: Any, tail: Any) -> None:
    answer, lost = answer_of(RELATIONS, task_with(link, *TWO))
    expected = RelationAnnotation(*head, *tail, "BETTER")
    assert answer is not None and answer.annotation == Annotation(relations=(expected,))
    assert lost == LossReport()


@pytest.mark.parametrize(
    "link, reason",
    [
        (relation("a", "b"), "no place for"),
        (relation("a", "b", "BETTER", direction="bi"), "no place for"),
        (relation("a", "a", "BETTER"), "with itself"),
    ],
)
def test_relations_that_ours_have_no_place_for(link: Any, reason: str) -> None:
    answer, lost = answer_of(RELATIONS, task_with(*TWO, link))
    assert answer is None and lost.count(reason) == 1


@pytest.mark.parametrize(
    "said", [{"text": ["Q1"]}, {"choices": ["Q1"]}, {"taxonomy": [["phones", "Q1"]]}]
)
def test_links_stand_beside_their_region(said: Any) -> None:
    value = task_with(region(NEBULA, "X"), about(NEBULA, "r1", **said))
    answer, lost = answer_of(TASKS["linking"], value)
    expected = Annotation(spans=(SpanAnnotation(*NEBULA, "THING", kb_id="Q1"),))
    assert answer is not None and answer.annotation == expected
    assert lost == LossReport()


def test_what_is_about_something_else_is_counted() -> None:
    value = task_with(
        region(K10, "PHONE", meta={"text": ["sure?"]}),
        region(NEBULA, "COLOUR", id="r2", score=0.2, normalization="x"),
        region(NEBULA, id="r3"),
        about(K10, "r1", choices=["NEG"]),
        choices("GOOD"),
        relation("r1", "r2", "BETTER"),
        {"id": "z", "type": "rating", "value": {"rating": 4}},
        ground_truth=True,
        reviews=[{"accepted": False}],
    )
    value.update(drafts=[{}], comment_count=2, meta={"a": 1}, state="DONE")
    answer, lost = answer_of(NER, value)
    assert answer is not None and answer.annotation == spans(K10)
    for reason in (
        "notes of regions",
        "labels that this task does not have",
        "field 'normalization' of regions",
        "regions without a label",
        "attributes of single regions",
        "categories",
        "relations",
        "results of type 'rating'",
        "ground truth",
        "field 'reviews' of annotations",
        "drafts of tasks",
        "meta of tasks",
        "comments",
        "field 'state' of tasks",
    ):
        assert lost.count(reason) == 1, reason


def test_mentions_without_a_relation_are_counted() -> None:
    value = task_with(*TWO, region((0, 3), "X", id="c"), relation("a", "b", "BETTER"))
    answer, lost = answer_of(RELATIONS, value)
    assert answer is not None and lost.count("mentions without a relation") == 1


def test_the_text_may_have_another_name() -> None:
    (item,), _ = read(NER, {"data": {"body": TEXT, "page": 3}})
    assert (item.text, item.meta) == (TEXT, {"page": 3})


@pytest.mark.parametrize(
    "value, says",
    [
        ({"id": 1, "text": TEXT, "label": [], "annotator": 1}, "JSON-MIN"),
        ({"data": {"a": "x", "b": "y"}}, "a, b"),
        ({"data": {"text": 3}}, "'text'"),
        ({"data": []}, "'data'"),
        ({"data": {"text": TEXT}, "annotations": {}}, "'annotations'"),
        (task_with(was_cancelled="no"), "'was_cancelled'"),
        (task_with(action="undo"), "'undo'"),
        (task_with(lead_time="long"), "'lead_time'"),
        (task_with(updated_at="yesterday"), "yesterday"),
        (task_with(completed_by=[1]), "its id"),
        (task_with({"value": {}}), "'type'"),
        (task_with({"type": "labels", "value": {"start": "/p[1]", "end": 3}}), "'start'"),
        (task_with(region((30, 99), "PHONE", quote="x")), "30 to 99"),
        (task_with(region((4, 4), "PHONE")), "4 to 4"),
        (task_with(region(K10, "PHONE", score=[])), "'score'"),
        ({"data": {"text": TEXT}, "predictions": [{"model_version": 3}]}, "'model_version'"),
    ],
)
def test_a_broken_task_is_refused(value: Any, says: str, fails: Any) -> None:
    with fails("H070", "f (task 2)", "Label Studio", says):
        read(NER, task_with(), value)


# What is written


@pytest.mark.parametrize("kind", sorted(TASKS))
def test_the_config_has_every_control_and_label_of_the_file(kind: str) -> None:
    task = TASKS[kind]
    odd = "a label of before & <more>"
    annotation = {
        "ner": Annotation(spans=(SpanAnnotation(*K10, odd),)),
        "spancat": Annotation(spans=(SpanAnnotation(*K10, odd),)),
        "textcat": Annotation(cats=(CategoryAnnotation(odd),)),
        "exclusive": Annotation(cats=(CategoryAnnotation(odd),)),
        "linking": Annotation(spans=(SpanAnnotation(*K10, "THING", kb_id="Q1"),)),
        "relations": Annotation(relations=(RelationAnnotation(*NEBULA, *K10, odd),)),
    }[kind]
    item = Item(TEXT, id="1", answers=(Answer(ACCEPT, annotation),))
    (written,), _ = write_label_studio([item], task)
    view = ElementTree.fromstring(labelling_config([item], task))
    controls = {node.get("name"): node for node in view if node.get("name")}
    values = {
        node.get("value") for node in view.iter() if node.tag in ("Label", "Choice", "Relation")
    }
    if kind != "linking":
        assert values >= {*LABELS, odd}
    for result in written["annotations"][0]["result"]:
        if result["type"] == "relation":
            assert set(result["labels"]) <= values
            continue
        control = controls[result["from_name"]]
        assert control.get("toName") == result["to_name"] == "text"
        assert control.tag.lower() == result["type"]
        value = result["value"]
        if result["type"] == "labels":
            assert value["text"] == TEXT[value["start"] : value["end"]]
            assert set(value["labels"]) <= values
    shown = controls["text"]
    assert (shown.tag, shown.get("value")) == ("Text", "$text")
    assert written["data"]["text"] == TEXT
    if kind in ("textcat", "exclusive"):
        choice = {"textcat": "multiple", "exclusive": "single"}[kind]
        assert controls["task"].get("choice") == choice


@pytest.mark.parametrize("action", [REJECT, SKIP, FLAG])
def test_on_the_server_everything_but_an_answer_is_skipped(action: str) -> None:
    """Its import keeps neither action nor annotator; a file that was never there keeps both."""
    item = Item(TEXT, id="1", answers=(Answer(action, annotator="ann"),))
    (written,), lost = write_label_studio([item], NER)
    (annotation,) = written["annotations"]
    assert annotation["was_cancelled"] is True and annotation["ground_truth"] is False
    assert "completed_by" not in annotation, "its import refuses users it does not know"
    assert lost.count("it becomes skipped") == (action != SKIP)
    (back,), _ = read(NER, written)
    assert back.answers == (Answer(action, annotator="ann"),)
    del annotation["action"], annotation["annotator"]
    (back,), _ = read(NER, written)
    assert back.answers == (Answer(SKIP),)


def test_an_answer_given_on_the_server_wins_over_the_exported_one() -> None:
    item = Item(TEXT, id="1", answers=(Answer(REJECT),))
    (written,), _ = write_label_studio([item], NER)
    written["annotations"][0].update(was_cancelled=False, result=[region(K10, "PHONE")])
    (back,), _ = read(NER, written)
    assert back.answers == (Answer(ACCEPT, spans(K10)),)
