"""Answers that are deep, huge or repetitive: a status, and in a time that one can wait."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from task_util import NLP, assert_consistent

from spacy_hitl.records import OK, STATUSES, UNALIGNED, Response
from spacy_hitl.tasks.joint.parse import split_response
from spacy_hitl.tasks.linking.task import make_linking_task
from spacy_hitl.tasks.ner.task import make_ner_task
from spacy_hitl.tasks.relations.task import make_relations_task
from spacy_hitl.tasks.spancat.task import make_spancat_task
from spacy_hitl.tasks.textcat.task import make_textcat_task

WORDS = NLP.make_doc("word " * 2000)
FIELDS = {
    "ner": "entities",
    "spancat": "sc",
    "textcat": "labels",
    "exclusive": "label",
    "linking": "links",
    "relations": "relations",
}


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    catalog = tmp_path_factory.mktemp("catalog") / "catalog.jsonl"
    catalog.write_text('{"id": "Q1", "name": "word", "aliases": []}\n')
    return {
        "ner": make_ner_task(["A", "B"]),
        "spancat": make_spancat_task(["A", "B"]),
        "textcat": make_textcat_task(["A", "B"]),
        "exclusive": make_textcat_task(["A", "B"], exclusive_classes=True),
        "linking": make_linking_task(catalog),
        "relations": make_relations_task(["A", "B"]),
    }


def parse(tasks, kind, text):
    """Alone, and as the part of a joint answer."""
    parsed = tasks[kind].parse(WORDS, Response("m", text=text))
    assert_consistent(parsed)
    for whole in (text, f'{{"part": {text}, "other": 1}}'):
        parts = split_response(Response("m", text=whole), ["part", "gone"])
        for part in parts.values():
            assert_consistent(tasks[kind].parse(WORDS, part))
    return parsed


@pytest.mark.parametrize("kind", sorted(FIELDS))
@pytest.mark.parametrize("depth", [300, 900, 990, 100_000])
def test_any_depth(tasks, kind, depth):
    lists, objects = "[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth
    field = FIELDS[kind]
    for inner in (lists, objects, f'[{{"text": {lists}, "label": "A", "id": {objects}}}]'):
        assert parse(tasks, kind, f'{{"{field}": {inner}}}').status not in (OK, UNALIGNED)


PIECES = [
    *('{"', '"', "entities", "sc", "labels", "label", "links", "relations", '": ', "[", "]", "{"),
    *("}", ",", "A", "word", "null", "NaN", "-", "1e999", "9" * 400, "\\ud800", "\\", "\x00"),
    *("```json", "```", "\ud800", "I'm sorry", " ", "\u2028"),
]


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(PIECES)).map("".join) | st.text(), st.sampled_from(sorted(FIELDS)))
def test_any_characters(tasks, text, kind):
    assert parse(tasks, kind, text).status in STATUSES


# Each of these took minutes or hours while the time for a quote grew with the square of the text.
REPEATED = {
    "one word for ever": ["word"] * 25_000,
    "every number of words": [("word " * n).strip() for n in range(1, 300)],
    "all of the text": [WORDS.text] * 90,
    "words that are not there": ["word " * 50 + str(n) for n in range(3000)],
    "other white space": ["word  word\n" * 400] * 200,
}


@pytest.mark.parametrize("name", REPEATED)
@pytest.mark.parametrize("kind", ["ner", "spancat"])
def test_any_number_of_quotes(tasks, kind, name):
    quotes = [{"text": text, "label": "A"} for text in REPEATED[name]]
    text = json.dumps({FIELDS[kind]: quotes})
    assert len(text) < 1_000_000, "longer ones are not read at all"
    parsed = tasks[kind].parse(WORDS, Response("m", text=text))
    assert_consistent(parsed)
    assert len(parsed.annotation.spans) + len(parsed.problems) == len(quotes)
