"""doccano's lines in their real shapes; what can't be known from them, what can't be carried."""

from typing import Any, Dict, List, Tuple

import pytest
from adapter_util import TASKS, task_of

from spacy_hitl.exchange.adapters.doccano import read_doccano, write_doccano
from spacy_hitl.exchange.adapters.items import Answer, Item, Suggestion
from spacy_hitl.exchange.adapters.losses import LossReport
from spacy_hitl.records import (
    ACCEPT,
    REJECT,
    Annotation,
    CategoryAnnotation,
    RelationAnnotation,
    SpanAnnotation,
)

TEXT = "EU rejects German call"
EU, GERMAN = (0, 2), (11, 17)
NER = task_of("ner", ("ORG", "MISC"))
TOPIC = task_of("textcat", ("POLITICS", "SPORT"), exclusive=True)
TOPICS = task_of("textcat", ("POLITICS", "SPORT"))
RELATIONS = task_of("relations", ("rejects",))
SPANS = Annotation(spans=(SpanAnnotation(*EU, "ORG"), SpanAnnotation(*GERMAN, "MISC")))


def read(
    task: Any, *lines: Dict[str, Any], confirmed: bool = False
) -> Tuple[List[Item], LossReport]:
    numbered = [(f"f:{n}", line) for n, line in enumerate(lines, start=1)]
    return read_doccano(numbered, task, confirmed=confirmed)


def entity(place: Tuple[int, int], label: str, id: Any = None) -> Dict[str, Any]:
    value = {"start_offset": place[0], "end_offset": place[1], "label": label}
    return value if id is None else {"id": id, **value}


@pytest.mark.parametrize(
    "task, columns, expected",
    [
        (NER, {"label": [[11, 17, "MISC"], [0, 2, "ORG"]]}, SPANS),
        (NER, {"labels": [[0, 2, "ORG"], [11, 17, "MISC"]]}, SPANS),
        (NER, {"entities": [entity(EU, "ORG", 3), entity(GERMAN, "MISC", 4)]}, SPANS),
        (TOPIC, {"label": ["POLITICS"]}, Annotation(cats=(CategoryAnnotation("POLITICS"),))),
        (TOPIC, {"label": "POLITICS"}, Annotation(cats=(CategoryAnnotation("POLITICS"),))),
    ],
)
def test_lines(task: Any, columns: Any, expected: Annotation) -> None:
    line = {"id": 12, "text": TEXT, **columns, "Comments": [], "page": 3}
    (item,), lost = read(task, line)
    assert (item.text, item.id, item.meta) == (TEXT, "12", {"page": 3})
    assert item.answers == (Answer(ACCEPT, expected),)
    assert lost == LossReport()
    (item,), _ = read(task, {"data": TEXT, **columns})
    assert item.answers == (Answer(ACCEPT, expected),)


def test_intents_and_slots_are_two_tasks_in_one_file() -> None:
    line = {"text": TEXT, "entities": [[0, 2, "ORG"]], "cats": ["POLITICS"]}
    (item,), lost = read(NER, line)
    assert item.answers[0].annotation == Annotation(spans=(SpanAnnotation(*EU, "ORG"),))
    assert lost.count("categories") == 1
    (item,), lost = read(TOPIC, line)
    assert item.answers[0].annotation == Annotation(cats=(CategoryAnnotation("POLITICS"),))
    assert lost.count("spans") == 1


def test_relations() -> None:
    entities = [entity(EU, "ORG", 7), entity(GERMAN, "MISC", 9)]
    line = {
        "text": TEXT,
        "entities": entities,
        "relations": [{"id": 0, "from_id": 7, "to_id": 9, "type": "rejects"}],
    }
    (item,), lost = read(RELATIONS, line)
    expected = RelationAnnotation(*EU, *GERMAN, "rejects")
    assert item.answers[0].annotation == Annotation(relations=(expected,))
    assert lost == LossReport()
    line["entities"] = [entity(EU, "ORG"), entity(GERMAN, "MISC", 9)]
    (item,), lost = read(RELATIONS, line)
    assert item.answers == () and lost.count("can't be placed") == 1
    (item,), lost = read(NER, {**line, "entities": entities})
    assert item.answers[0].annotation == SPANS and lost.count("relations") == 1


@pytest.mark.parametrize("task", [NER, TOPICS, TASKS["linking"]])
def test_no_label_is_an_answer_only_if_somebody_says_so(task: Any) -> None:
    """The file does not tell a text that nobody looked at from one with nothing in it."""
    (item,), lost = read(task, {"text": TEXT, "label": []})
    assert item.answers == () and lost.count("without labels") == 1
    for line, confirmed in (
        ({"text": TEXT, "label": []}, True),
        ({"text": TEXT, "label": [], "decided": True}, False),
    ):
        (item,), lost = read(task, line, confirmed=confirmed)
        assert item.answers == (Answer(ACCEPT, Annotation()),)
        assert lost == LossReport()


def test_no_label_is_no_answer_where_exactly_one_holds() -> None:
    (item,), lost = read(TOPIC, {"text": TEXT, "label": []}, confirmed=True)
    assert item.answers == () and lost.count("exactly one") == 1


@pytest.mark.parametrize(
    "columns, reason",
    [
        ({"label": [[0, 2, "ORG"], [1, 6, "MISC"]]}, "overlap"),
        ({"label": [[0, 2, "ORG"], [1, 6, "PLACE"]]}, "does not have"),
        ({"label": [[0, 2, "ORG"]], "Comments": ["odd"]}, "comments"),
        ({"label": [[0, 2, "ORG"]], "cats": ["POLITICS"]}, "categories"),
    ],
)
def test_what_is_lost_is_counted(columns: Any, reason: str) -> None:
    _, lost = read(NER, {"text": TEXT, **columns})
    assert sum(loss.count for loss in lost.losses) == lost.count(reason) == 1


def test_offsets_that_look_like_graphemes_are_not_believed() -> None:
    """The letter with its accent was counted as one: every later span begins one too early."""
    text = "cafe\u0301 in Bonn"
    (item,), lost = read(NER, {"text": text, "label": [[8, 12, "ORG"]]})
    assert text[8:12] == " Bon"
    assert item.answers == () and lost.count("can't be placed") == 1
    (item,), lost = read(NER, {"text": text, "label": [[9, 13, "ORG"]]})
    assert item.answers and text[9:13] == "Bonn"
    assert [note.count for note in lost.notes] == [1], "right, as far as one can tell"
    _, lost = read(NER, {"text": TEXT, "label": [[0, 2, "ORG"]]})
    assert not lost.notes


@pytest.mark.parametrize(
    "line, says",
    [
        ({"label": []}, "'data'"),
        ({"text": 1}, "'text'"),
        ({"text": TEXT, "label": {}}, "'label'"),
        ({"text": TEXT, "label": [[0, 2]]}, "[0, 2]"),
        ({"text": TEXT, "label": [3]}, "label 3"),
        ({"text": TEXT, "label": [[0, 99, "ORG"]]}, "0 to 99"),
        ({"text": "😀", "label": [[0, 2, "ORG"]]}, "0 to 2"),
        ({"text": TEXT, "label": [[2, 0, "ORG"]]}, "2 to 0"),
        ({"text": TEXT, "label": [[0, 2, None]]}, "'label'"),
        ({"text": TEXT, "entities": [{"id": "a", "start_offset": 0, "end_offset": 2}]}, "'id'"),
        ({"text": TEXT, "entities": [], "relations": [{"from_id": 0}]}, "'to_id'"),
        ({"text": TEXT, "label": [], "decided": "yes"}, "'decided'"),
        ({"text": TEXT, "label": [], "id": {}}, "its id"),
    ],
)
def test_a_broken_line_is_refused(line: Any, says: str, fails: Any) -> None:
    with fails("H070", "f:2", "doccano", says):
        read(RELATIONS, {"text": TEXT, "label": []}, line)


# What is written


def test_the_answer_that_counts_is_written() -> None:
    answers = (Answer(REJECT, annotator="bob"), Answer(ACCEPT, SPANS, "ann", time=3.0))
    item = Item(TEXT, id="r1", meta={"page": 3, "label": "x"}, answers=answers)
    (line,), lost = write_doccano([item], NER)
    assert line == {
        "id": "r1",
        "page": 3,
        "text": TEXT,
        "decided": True,
        "label": [[0, 2, "ORG"], [11, 17, "MISC"]],
    }
    for reason in ("other annotators", "who decided", "when, and how long", "field 'label'"):
        assert lost.count(reason) == 1, reason


def test_what_is_no_answer_there_is_left_out() -> None:
    rejected = Item(TEXT, id="r1", answers=(Answer(REJECT),))
    proposed = Item(TEXT, id="r2", suggestions=(Suggestion("llm", SPANS),))
    lines, lost = write_doccano([rejected, proposed], NER)
    assert [(line["decided"], line["label"]) for line in lines] == [(False, []), (False, [])]
    assert lost.count("answered with 'reject'") == lost.count("a label there is an answer") == 1


def test_entities_and_relations_have_ids_of_their_own() -> None:
    relation = RelationAnnotation(*EU, *GERMAN, "rejects")
    item = Item(TEXT, id="r", answers=(Answer(ACCEPT, Annotation(relations=(relation,))),))
    lines, _ = write_doccano([item, item], RELATIONS)
    ids = [e["id"] for line in lines for e in line["entities"] + line["relations"]]
    assert len(set(ids)) == len(ids) == 6
