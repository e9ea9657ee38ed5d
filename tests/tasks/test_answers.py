"""Every kind of answer has its status, for every kind of task."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Span
from task_util import NLP, answer, assert_consistent, assert_parses, kinds

from spacy_hitl.records import (
    EMPTY,
    FAILED,
    MALFORMED,
    OK,
    REFUSED,
    STATUSES,
    TRUNCATED,
    UNALIGNED,
    Proposal,
    Response,
)
from spacy_hitl.tasks.answers import MAX_ANSWER_CHARS, read_answer
from spacy_hitl.tasks.linking.task import make_linking_task
from spacy_hitl.tasks.ner.task import make_ner_task
from spacy_hitl.tasks.relations.task import make_relations_task
from spacy_hitl.tasks.spancat.task import make_spancat_task
from spacy_hitl.tasks.textcat.task import make_textcat_task

TEXT = "Is the Café better than the K10? 😀 Café!"
MENTIONS = [{"text": "Café", "label": "A"}, {"text": "K10", "label": "B"}]
VALID = {
    "ner": {"entities": MENTIONS},
    "spancat": {"sc": [*MENTIONS, {"text": "the K10", "label": "A"}]},
    "textcat": {"labels": ["B", "A"]},
    "exclusive": {"label": "A"},
    "linking": {
        "links": [
            {"text": "Café", "id": "P1"},
            {"text": "K10", "id": None},
            {"text": "Café", "id": "P2"},
        ]
    },
    "relations": {
        "relations": [
            {"head": TEXT.index("K10"), "label": "A", "tail": TEXT.index("Café")},
            {"head": TEXT.index("Café"), "label": "B", "tail": TEXT.rindex("Café")},
        ]
    },
}
FIELDS = {kind: next(iter(value)) for kind, value in VALID.items()}
KINDS = sorted(VALID)


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    catalog = tmp_path_factory.mktemp("catalog") / "catalog.jsonl"
    entries = [{"id": f"P{i}", "name": f"Phone {i}", "aliases": []} for i in (1, 2)]
    catalog.write_text("\n".join(map(json.dumps, entries)), encoding="utf8")
    return {
        "ner": make_ner_task(["A", "B"]),
        "spancat": make_spancat_task(["A", "B"]),
        "textcat": make_textcat_task(["A", "B"]),
        "exclusive": make_textcat_task(["A", "B"], exclusive_classes=True),
        "linking": make_linking_task(catalog),
        "relations": make_relations_task(["A", "B"]),
    }


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def task(tasks, kind):
    return tasks[kind]


@pytest.fixture
def doc():
    doc = NLP.make_doc(TEXT)
    doc.ents = [Span(doc, t.i, t.i + 1, "M") for t in doc if t.text in ("Café", "K10")]
    return doc


def test_ok(task, doc, kind):
    parsed = assert_parses(task, doc, answer(VALID[kind]), OK, [])
    found = parsed.annotation.spans or parsed.annotation.cats or parsed.annotation.relations
    assert (
        len(found)
        == {
            "ner": 2,
            "spancat": 3,
            "textcat": 2,
            "exclusive": 1,
            "linking": 3,
            "relations": 2,
        }[kind]
    )


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"exclusive"}), indirect=True)
def test_empty(task, kind):
    assert_parses(task, NLP.make_doc(TEXT), answer({FIELDS[kind]: []}), EMPTY, [])


@pytest.mark.parametrize("fence", ["```json\n{}\n```", "```\n{}\n```", "```JSON {}```", "\n {} \n"])
def test_fenced_json_is_read(task, doc, kind, fence):
    text = fence.replace("{}", json.dumps(VALID[kind], indent=2))
    parsed = assert_parses(task, doc, Response("m", text=text), OK)
    assert parsed == task.parse(doc, answer(VALID[kind]))


@pytest.mark.parametrize(
    "response",
    [
        Response("m", refusal="I won't do that."),
        Response("m", text="", refusal="No."),
        Response("m", text="I'm sorry, I can't help with that."),
        Response("m", text="I’m sorry, but I can’t assist with this text."),
        Response("m", text="As an AI language model, I do not annotate this."),
        Response("m", text="```\nI cannot comply with this request.\n```"),
        Response("m", text="I apologize, this is not something I do."),
        Response("m", text="I am unable to read this."),
    ],
)
def test_refused(task, doc, response):
    parsed = assert_parses(task, doc, response, REFUSED, ["refusal"])
    assert parsed.problems[0].detail in (response.refusal, (response.text or "").strip("`\n"))


@pytest.mark.parametrize(
    "response,detail",
    [
        (Response("m", error="HTTP 500"), "HTTP 500"),
        (Response("m", error="timed out", text="{}"), "timed out"),
        (Response("m", error=""), "no text"),
        (Response("m"), "no text"),
        (Response("spacy-llm", text='{"hitl_error": "no recorded answer"}'), "no recorded answer"),
    ],
)
def test_failed(task, doc, response, detail):
    assert detail in assert_parses(task, doc, response, FAILED, ["error"]).problems[0].detail


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "A",
        "The entities are: K10.",
        "null",
        "true",
        "3",
        '"A"',
        "[]",
        "{}",
        '[{"text": "K10", "label": "A"}]',
        '{"other": []}',
        "{'entities': []}",
        '{"entities": [],}',
        "{]",
        "```json\n```",
        '{"entities": []} {"entities": []}',
        "1" * 5000,
        "\x00",
    ],
)
def test_malformed_in_every_task(task, doc, text):
    assert_parses(task, doc, Response("m", text=text), MALFORMED)


def test_deeply_nested_answer_is_malformed(task, doc, kind):
    """At every depth, also where only reading, or only showing, the value is too deep."""
    for depth in (50, 400, *range(860, 1010), 5000, 200_000):
        nested = "[" * depth + "]" * depth
        for text in (nested, f'{{"{FIELDS[kind]}": {nested}}}'):
            parsed = task.parse(doc, Response("m", text=text))
            assert_consistent(parsed)
            assert parsed.status == MALFORMED


def test_huge_answer_is_malformed(task, doc, kind):
    text = json.dumps(VALID[kind]) + " " * MAX_ANSWER_CHARS
    assert_parses(task, doc, Response("m", text=text), OK)
    text = json.dumps({**VALID[kind], "more": "x" * MAX_ANSWER_CHARS})
    parsed = assert_parses(task, doc, Response("m", text=text), MALFORMED, ["schema"])
    assert len(parsed.problems[0].detail) < 1000


@pytest.mark.parametrize(
    "value", [None, 3, 0.5, True, "Z", "a", "A ", "", {}, {"A": 1}, ["A"], [["A"]], [None], [3]]
)
def test_wrong_types_and_unknown_labels(tasks, doc, kind, value):
    """None of these is an answer of any task, but for ["A"] where labels are asked for."""
    status = OK if (kind, value) == ("textcat", ["A"]) else MALFORMED
    assert_parses(tasks[kind], doc, answer({FIELDS[kind]: value}), status)


@pytest.mark.parametrize("item", [{"text": "K10"}, {"label": "A"}, {"text": 1, "label": "A"}])
@pytest.mark.parametrize("kind", ["ner", "spancat"], indirect=True)
def test_item_without_its_fields(task, doc, kind, item):
    value = {FIELDS[kind]: [MENTIONS[0], item]}
    parsed = assert_parses(task, doc, answer(value), MALFORMED, ["schema"])
    assert len(parsed.annotation.spans) == 1, "the part that can be read is kept for the reviewer"


@pytest.mark.parametrize("label", ["Z", "a", "", "A "])
@pytest.mark.parametrize("kind", ["ner", "spancat"], indirect=True)
def test_quote_with_an_unknown_label(task, doc, kind, label):
    value = {FIELDS[kind]: [{"text": "K10", "label": label}]}
    parsed = assert_parses(task, doc, answer(value), MALFORMED, ["unknown_label"])
    assert parsed.problems[0].detail == f"{label}: K10"


@pytest.mark.parametrize("quote", ["K11", "k10", "K1", "Caf"])
@pytest.mark.parametrize("kind", ["ner", "spancat"], indirect=True)
def test_unaligned(task, doc, kind, quote):
    value = {FIELDS[kind]: [MENTIONS[0], {"text": quote, "label": "A"}]}
    parsed = assert_parses(task, doc, answer(value), UNALIGNED)
    assert [p.detail for p in parsed.problems] == [quote]
    assert len(parsed.annotation.spans) == 1, "what was found is kept"


def test_malformed_wins_over_unaligned(tasks, doc):
    items = [{"text": "nowhere", "label": "A"}, {"text": "K10", "label": "Z"}, MENTIONS[0]]
    assert_parses(
        tasks["ner"], doc, answer({"entities": items}), MALFORMED, ["unknown_label", "not_found"]
    )


# An answer that ends early


def renderings(value):
    """The same answer as servers and models write it, with where the JSON begins."""
    for options in ({}, {"indent": 2}, {"ensure_ascii": False}, {"separators": (",", ":")}):
        text = json.dumps(value, **options)
        yield text, 0
        yield f"```json\n{text}\n```", 8


def test_cut_off_at_every_position(task, doc, kind):
    whole = task.parse(doc, answer(VALID[kind]))
    for text, begin in renderings(VALID[kind]):
        for end in range(begin + 1, len(text) + 1):
            parsed = task.parse(doc, Response("m", text=text[:end]))
            assert_consistent(parsed)
            complete = "}" in text[end:]
            expected = TRUNCATED if complete else OK
            assert parsed.status == expected, text[:end]
            if parsed.status == OK:
                assert parsed == whole
            else:
                assert kinds(parsed) == ["cut_off"]


JSON_TEXT = st.text(
    st.one_of(st.characters(codec="utf8"), st.sampled_from('"\\{}[]`\n\t\u2028😀é\x00')),
    max_size=8,
)


@given(
    items=st.lists(
        st.tuples(JSON_TEXT, st.one_of(JSON_TEXT, st.none(), st.booleans())),
        min_size=1,
        max_size=3,
    ),
    ascii_=st.booleans(),
    indent=st.sampled_from([None, 2]),
    data=st.data(),
)
def test_beginning_of_an_answer_is_truncated(items, ascii_, indent, data):
    """Whatever the answer quotes, its beginning is never taken for the answer."""
    value = {"entities": [{"text": text, "id": other} for text, other in items]}
    text = json.dumps(value, ensure_ascii=ascii_, indent=indent)
    end = data.draw(st.integers(1, len(text)))
    found, failed = read_answer(Response("m", text=text[:end]), field="entities")
    if end == len(text):
        assert (found, failed) == (value, None)
    else:
        assert found is None
        assert failed.status == TRUNCATED, text[:end]


@pytest.mark.parametrize("text", ["", "{", "Let me think about the", "```json", '[{"text": "K1'])
def test_stopped_at_the_length_limit(task, doc, text):
    assert_parses(task, doc, Response("m", text=text, finish_reason="length"), TRUNCATED)


def test_stopped_at_the_length_limit_but_complete(task, doc, kind):
    assert_parses(task, doc, answer(VALID[kind], finish_reason="length"), OK)


def test_thought_until_the_length_limit(task, doc):
    """A reasoning model that spent its budget before the answer began sends no content."""
    assert_parses(task, doc, Response("m", finish_reason="length"), TRUNCATED, ["cut_off"])


JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from("AZ"), JSON_TEXT
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["text", "label", "id", "head", "tail", *FIELDS.values()]), inner
        ),
    ),
    max_leaves=8,
)


@given(value=JSON, wrap=st.booleans(), which=st.sampled_from(KINDS))
def test_any_json_has_a_status(tasks, value, wrap, which):
    doc = NLP.make_doc(TEXT)
    response = answer({FIELDS[which]: value} if wrap else value)
    assert_consistent(tasks[which].parse(doc, response))


@given(text=st.text(), reason=st.sampled_from([None, "stop", "length"]))
def test_any_prose_has_a_status(tasks, text, reason):
    parsed = tasks["ner"].parse(NLP.make_doc(TEXT), Response("m", text=text, finish_reason=reason))
    assert_consistent(parsed)
    assert parsed.status in (MALFORMED, REFUSED, TRUNCATED)


@pytest.mark.parametrize("status", STATUSES)
def test_only_ok_and_empty_are_usable(status):
    assert Proposal("d", "t", "s", status, "x").usable == (status in (OK, EMPTY))


@pytest.mark.parametrize("text", ['{"x": 1, "x": 2}', '{"x": [{"a": 1, "a": 1}]}'])
def test_a_key_that_comes_twice_is_malformed(text):
    """The last one would win, and the first would vanish without a trace."""
    value, failed = read_answer(Response(model="m", text=text), field="x")
    assert value is None
    assert failed.status == MALFORMED
