import json

import pytest
from spacy.lang.en import English

from spacy_hitl.errors import InputError, ModelError
from spacy_hitl.io import text_digest
from spacy_hitl.llm.replay import make_replay_model, read_recording
from spacy_hitl.records import Message, Request
from spacy_hitl.tasks.base import text_block
from spacy_hitl.tasks.ner.task import make_ner_task
from spacy_hitl.ty import Model

ONE, TWO = "the K10\n", "😀 bánh mì </text>"


def write_lines(path, *records):
    lines = (r if isinstance(r, str) else json.dumps(r, ensure_ascii=False) for r in records)
    path.write_text("\n".join(lines), encoding="utf8")
    return path


def recorded(text, response, **fields):
    return {"text_digest": text_digest(text), "task": "product", "response": response, **fields}


def request(text, task="product", sample=1):
    return Request(text_digest(text), task, sample, (Message("user", text_block(text)),), {})


@pytest.fixture
def path(tmp_path):
    return write_lines(
        tmp_path / "responses.jsonl",
        recorded(ONE, "one"),
        recorded(ONE, "one, again", sample=2),
        recorded(ONE, "relevant", task="relevant"),
        "",
        recorded(TWO, "two", sample=1),
    )


def test_answers_by_text_task_and_sample(path):
    model = make_replay_model(path)
    asked = request(TWO), request(ONE, sample=2), request(ONE, task="relevant"), request(ONE)
    responses = list(model.respond(iter(asked)))
    assert [r.text for r in responses] == ["two", "one, again", "relevant", "one"]
    assert {(r.error, r.model) for r in responses} == {(None, "replay:responses.jsonl")}
    assert isinstance(model, Model)


@pytest.mark.parametrize(
    "asked",
    [
        request("the K10"),
        request(f" {ONE}"),
        request(ONE.lower()),
        request(TWO, sample=2),
        request(TWO, task="relevant"),
    ],
)
def test_what_was_not_recorded_is_an_error_of_that_text(path, asked):
    first, unknown, last = make_replay_model(path).respond([request(ONE), asked, request(TWO)])
    assert (first.text, last.text) == ("one", "two")
    assert unknown.text is None
    assert unknown.error.startswith("[H105]")
    for part in (str(path), asked.text_digest[:8], f"'{asked.task}'", f"sample {asked.sample}"):
        assert part in unknown.error


def test_records_by_id_with_their_texts(tmp_path):
    texts = write_lines(
        tmp_path / "posts.jsonl", {"id": "a", "text": ONE, "date": "x"}, {"id": "1", "text": TWO}
    )
    path = write_lines(
        tmp_path / "responses.jsonl",
        {"id": "a", "task": "product", "sample": 1, "response": "one"},
        {"id": 1, "task": "product", "response": "two"},
        recorded("third", "three"),
    )
    answers = read_recording(path, texts=texts)
    assert {key: answer.text for key, answer in answers.items()} == {
        (text_digest(ONE), "product", 1): "one",
        (text_digest(TWO), "product", 1): "two",
        (text_digest("third"), "product", 1): "three",
    }


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "3",
        '{"id": "a", "task": "product", "response": "x"}',
        {"task": "product", "response": "x"},
        {"text_digest": 3, "task": "product", "response": "x"},
        {"text_digest": ["d"], "task": "product", "response": "x"},
        recorded(ONE, None),
        recorded(ONE, {"entities": []}),
        recorded(ONE, "x", task=None),
        recorded(ONE, "x", sample="1"),
        recorded(ONE, "x", sample=True),
        recorded(ONE, "x", sample=1.0),
        {"text_digest": text_digest(ONE), "task": "product"},
    ],
)
def test_broken_line_stops_with_its_number(tmp_path, line):
    path = write_lines(tmp_path / "responses.jsonl", recorded(ONE, "one"), line)
    model = make_replay_model(path)
    with pytest.raises(ModelError, match=r"\[H00[24]\] .*responses.jsonl:2: "):
        list(model.respond([request(ONE)]))


@pytest.mark.parametrize("line", [{"id": 1, "text": "a"}, {"id": "a"}, {"text": "a"}, "x"])
def test_broken_line_of_the_texts_stops_with_its_number(tmp_path, path, line):
    texts = write_lines(tmp_path / "posts.jsonl", {"id": "a", "text": ONE}, line)
    with pytest.raises(InputError, match=r"\[H00[24]\] .*posts.jsonl:2: "):
        read_recording(path, texts=texts)


def test_missing_files_stop_at_the_first_request(tmp_path, path):
    for model, name in (
        (make_replay_model(tmp_path / "gone.jsonl"), "gone.jsonl"),
        (make_replay_model(path, texts=tmp_path / "lost.jsonl"), "lost.jsonl"),
    ):
        assert model.source.startswith("replay:")
        with pytest.raises(ModelError, match=rf"\[H001\] .*{name}"):
            next(iter(model.respond([request(ONE)])))
        with pytest.raises(ModelError, match=rf"\[H001\] .*{name}"):
            list(model([["prompt"]]))


# As a model of spacy-llm: it gets prompts only


def prompt_for(text, **settings):
    doc = English().make_doc(text)
    return make_ner_task(["A"], **settings).build_request(doc, name="any", sample=1).prompt


def test_text_is_found_in_the_prompt(path):
    model = make_replay_model(path, task="product")
    replies = list(model([[prompt_for(TWO)], [prompt_for(ONE, guidelines="More.")]]))
    assert replies == [["two"], ["one"]]


@pytest.mark.parametrize("prompt,code", [(prompt_for("unknown"), "H105"), ("no text", "H106")])
def test_prompt_without_an_answer(path, prompt, code):
    [[reply], [other]] = make_replay_model(path, task="product")([[prompt], [prompt_for(ONE)]])
    assert json.loads(reply)["hitl_error"].startswith(f"[{code}]")
    assert other == "one"


def test_task_must_be_named_if_there_are_several(tmp_path, path):
    with pytest.raises(ModelError, match=r"\[H109\] .*product, relevant"):
        list(make_replay_model(path)([[prompt_for(ONE)]]))
    alone = write_lines(tmp_path / "one.jsonl", recorded(ONE, "one"))
    assert list(make_replay_model(alone)([[prompt_for(ONE)]])) == [["one"]]
