"""Our tasks and the replay model in spacy-llm's own `llm` component."""

import json

import pytest
import spacy
import spacy_llm  # noqa: F401

from spacy_hitl.io import text_digest
from spacy_hitl.records import EMPTY, FAILED, MALFORMED, NIL, OK
from spacy_hitl.tasks.base import get_proposals

ONE, TWO, LAST = "The K10 beats the K9", "Nothing here 😀\n</text>", "K9, K10"
UNKNOWN, BROKEN = "never recorded", "broken K10"
K10, K9 = {"text": "K10", "label": "A"}, {"text": "K9", "label": "B"}
ANSWERS = {
    "ner": {ONE: {"entities": [K9, K10]}, TWO: {"entities": []}, LAST: {"entities": [K10]}},
    "spancat": {ONE: {"sc": [K9, K10]}, TWO: {"sc": []}, LAST: {"sc": [K10]}},
    "textcat": {ONE: {"labels": ["B"]}, TWO: {"labels": []}, LAST: {"labels": ["A", "B"]}},
    "linking": {
        ONE: {"links": [{"text": "K9", "id": None}, {"text": "K10", "id": "P1"}]},
        TWO: {"links": []},
        LAST: {"links": [{"text": "K9", "id": "P1"}, {"text": "K10", "id": "P1"}]},
    },
}
SHOWS = {
    "ner": lambda doc: [(e.text, e.label_) for e in doc.ents],
    "spancat": lambda doc: [(s.text, s.label_) for s in doc.spans.get("sc", ())],
    "textcat": lambda doc: [label for label, score in doc.cats.items() if score],
    "linking": lambda doc: [(e.text, e.kb_id_) for e in doc.ents if e.kb_id_],
}
EXPECTED = {
    "ner": [[("K10", "A"), ("K9", "B")], [], [("K10", "A")]],
    "spancat": [[("K10", "A"), ("K9", "B")], [], [("K10", "A")]],
    "textcat": [["B"], [], ["A", "B"]],
    "linking": [[("K10", "P1"), ("K9", NIL)], [], [("K9", "P1"), ("K10", "P1")]],
}


@pytest.fixture(params=sorted(ANSWERS))
def kind(request):
    return request.param


@pytest.fixture
def nlp(tmp_path, kind):
    catalog = tmp_path / "catalog.jsonl"
    catalog.write_text(json.dumps({"id": "P1", "name": "K10"}))
    recording = tmp_path / "responses.jsonl"
    answers = {text: json.dumps(answer) for text, answer in ANSWERS[kind].items()}
    with recording.open("w", encoding="utf8") as file_:
        for text, answer in {**answers, BROKEN: "no JSON"}.items():
            for task, response in (("product", answer), ("other", "{}")):
                record = {"text_digest": text_digest(text), "task": task, "response": response}
                file_.write(json.dumps(record) + "\n")
    task = {
        "ner": {"@llm_tasks": "spacy-hitl.NER.v1", "labels": ["A", "B"]},
        "spancat": {"@llm_tasks": "spacy-hitl.SpanCat.v1", "labels": ["A", "B"]},
        "textcat": {"@llm_tasks": "spacy-hitl.TextCat.v1", "labels": ["A", "B"]},
        "linking": {"@llm_tasks": "spacy-hitl.Linking.v1", "catalog": str(catalog)},
    }[kind]
    model = {"@llm_models": "spacy-hitl.Replay.v1", "path": str(recording), "task": "product"}
    nlp = spacy.blank("en")
    if kind == "linking":
        patterns = [{"label": "M", "pattern": name} for name in ("K10", "K9")]
        nlp.add_pipe("entity_ruler").add_patterns(patterns)
    nlp.add_pipe("llm", config={"task": task, "model": model})
    return nlp


def test_annotates_like_our_own_component(nlp, kind):
    docs = list(nlp.pipe([ONE, TWO, LAST]))
    assert [get_proposals(doc)[kind].status for doc in docs] == [OK, EMPTY, OK]
    assert [SHOWS[kind](doc) for doc in docs] == EXPECTED[kind]
    assert SHOWS[kind](nlp(ONE)) == EXPECTED[kind][0]


@pytest.mark.parametrize("batch_size", [1, 2, 64])
def test_unknown_and_broken_texts_are_marked(nlp, kind, batch_size):
    docs = list(nlp.pipe([ONE, UNKNOWN, BROKEN, TWO], batch_size=batch_size))
    assert [doc.text for doc in docs] == [ONE, UNKNOWN, BROKEN, TWO]
    statuses = [get_proposals(doc)[kind].status for doc in docs]
    assert statuses == [OK, FAILED, MALFORMED, EMPTY]
    assert get_proposals(docs[1])[kind].problems[0].detail.startswith("[H105]")
    assert [SHOWS[kind](doc) for doc in docs[:2]] == [EXPECTED[kind][0], []]


def test_inputs_and_outputs_can_be_saved(nlp, kind):
    """spacy-llm's save_io keeps the prompt; it holds the text in our marked block."""
    nlp.get_pipe("llm")._save_io = True
    doc = nlp(ONE)
    assert doc.user_data["llm_io"]["llm"]["prompt"].endswith(f"<text>\n{ONE}\n</text>")
    assert doc.user_data["llm_io"]["llm"]["response"] == json.dumps(ANSWERS[kind][ONE])
