import json
import warnings
from itertools import count, islice
from pathlib import Path

import pytest
import spacy
import spacy_llm  # noqa: F401
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import load_config, load_model_from_config, registry

from spacy_hitl.errors import InputError, ModelError
from spacy_hitl.io import text_digest
from spacy_hitl.pipeline.hitl_llm import HitlLLM
from spacy_hitl.records import (
    EMPTY,
    FAILED,
    MALFORMED,
    OK,
    REFUSED,
    TRUNCATED,
    UNALIGNED,
    Annotation,
    Message,
    ParsedAnswer,
    Request,
    Response,
)
from spacy_hitl.tasks.base import get_proposals
from spacy_hitl.tasks.ner.task import make_ner_task

ROOT = Path(__file__).parents[2]
NER = {"@llm_tasks": "spacy-hitl.NER.v1", "labels": ["PRODUCT"]}
TEXTCAT = {"@llm_tasks": "spacy-hitl.TextCat.v1", "labels": ["GOOD", "BAD"]}


def found(*mentions):
    return json.dumps({"entities": [{"text": m, "label": "PRODUCT"} for m in mentions]})


# Texts in which upstream components find "Berlin", with what the model answers about each.
ANSWERS = {
    "The K10 from Berlin": (found("K10"), OK),
    "Nothing but Berlin": (found(), EMPTY),
    "No answer on Berlin": (None, FAILED),
    "Sorry in Berlin": ("I'm sorry, I can't help with that.", REFUSED),
    "Garbage from Berlin": ("garbage", MALFORMED),
    "Half a K10 in Berlin": (found("K10")[:-9], TRUNCATED),
    "A K10 of Berlin": (found("K10", "K11"), UNALIGNED),
    "😀 the K10 of Berlin": (found("K10"), OK),
}
TEXTS = list(ANSWERS)


@Language.component("test_upstream")
def upstream(doc):
    doc.cats = {"UPSTREAM": 0.25}
    doc._.hitl_test_source = f"source of {doc.text}"
    doc.user_data["plain"] = 1
    return doc


@pytest.fixture(autouse=True, scope="module")
def extension():
    Doc.set_extension("hitl_test_source", default=None, force=True)
    yield
    Doc.remove_extension("hitl_test_source")


@pytest.fixture
def recording(tmp_path):
    """Recorded answers of the tasks 'product' (samples 1 and 2) and 'mood'."""
    lines = []
    for text, (answer, _) in ANSWERS.items():
        common = {"text_digest": text_digest(text)}
        if answer is not None:
            lines.append({**common, "task": "product", "response": answer})
        lines.append({**common, "task": "product", "sample": 2, "response": found("Berlin")})
        lines.append({**common, "task": "mood", "response": '{"labels": ["GOOD"]}'})
    path = tmp_path / "responses.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf8")
    return path


def replay(path):
    return {"@llm_models": "spacy-hitl.Replay.v1", "path": str(path)}


@pytest.fixture
def nlp(recording):
    """Upstream components of all kinds, then two prompted ones."""
    nlp = spacy.blank("en")
    city = [{"label": "CITY", "pattern": "Berlin", "id": "berlin"}]
    nlp.add_pipe("entity_ruler").add_patterns(city)
    nlp.add_pipe("span_ruler").add_patterns(city)
    nlp.add_pipe("test_upstream")
    nlp.add_pipe("hitl_llm", name="product", config={"task": NER, "model": replay(recording)})
    nlp.add_pipe("hitl_llm", name="mood", config={"task": TEXTCAT, "model": replay(recording)})
    return nlp


def assert_annotated(doc, text):
    """A document after the pipeline: upstream is there, ours is there, the status is right."""
    expected = ANSWERS[text][1]
    assert doc.text == text
    proposals = get_proposals(doc)
    assert (proposals["product"].status, proposals["mood"].status) == (expected, OK)
    assert proposals["product"].text_digest == text_digest(text)
    ours = ["K10"] if expected in (OK, UNALIGNED) else []
    assert [e.text for e in doc.ents if e.label_ == "PRODUCT"] == ours
    assert [(e.text, e.ent_id_) for e in doc.ents if e.label_ == "CITY"] == [("Berlin", "berlin")]
    assert [s.text for s in doc.spans["ruler"]] == ["Berlin"]
    assert doc.cats == {"UPSTREAM": 0.25, "GOOD": 1.0, "BAD": 0.0}
    assert doc._.hitl_test_source == f"source of {text}"
    assert doc.user_data["plain"] == 1


def silently(nlp, texts, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return list(nlp.pipe(texts, **settings))


# What comes out


@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_pipe(nlp, batch_size):
    for doc, text in zip(silently(nlp, TEXTS, batch_size=batch_size), TEXTS, strict=True):
        assert_annotated(doc, text)


@pytest.mark.parametrize("text", [t for t in TEXTS if ANSWERS[t][1] != FAILED])
def test_one_text(nlp, text):
    assert_annotated(nlp(text), text)


def test_several_processes(nlp):
    texts = TEXTS * 3
    docs = silently(nlp, texts, n_process=2, batch_size=5)
    for doc, text in zip(docs, texts, strict=True):
        assert_annotated(doc, text)


def test_tuples_keep_their_context(nlp):
    pairs = [(text, i) for i, text in enumerate(TEXTS)]
    with pytest.warns(UserWarning, match="W100"):
        found_ = list(nlp.pipe(pairs, as_tuples=True))
    assert [(doc.text, i) for doc, i in found_] == pairs


def test_same_documents_come_out(nlp):
    """In place: a document that other code holds on to is annotated too."""
    component = nlp.get_pipe("product")
    doc = nlp.make_doc(TEXTS[0])
    assert component(doc) is doc
    docs = [nlp.make_doc(t) for t in TEXTS]
    with pytest.warns(UserWarning, match="W100"):
        out = list(component.pipe(iter(docs), batch_size=3))
    assert all(one is other for one, other in zip(out, docs, strict=True))
    assert [e.text for e in docs[0].ents] == ["K10"]


def test_endless_stream(nlp):
    docs = (nlp.make_doc(TEXTS[0]) for _ in count())
    first = list(islice(nlp.get_pipe("product").pipe(docs, batch_size=4), 10))
    assert all(get_proposals(doc)["product"].status == OK for doc in first)


def test_no_documents(nlp):
    assert list(nlp.pipe([])) == []


def test_sample_is_the_one_that_is_asked_for(recording):
    nlp = spacy.blank("en")
    config = {"task": NER, "model": replay(recording), "sample": 2}
    nlp.add_pipe("hitl_llm", name="product", config=config)
    doc = nlp(TEXTS[0])
    assert [e.text for e in doc.ents] == ["Berlin"]
    assert get_proposals(doc)["product"].sample == 2


# What fails


def test_failing_document_fails_alone_and_says_why(nlp):
    texts = ["The K10 from Berlin", "No answer on Berlin", "unknown", "😀 the K10 of Berlin"]
    nlp.remove_pipe("mood")
    with pytest.warns(UserWarning, match=r"\[W100\] 2 of 4 .*'product'.*\[H105\]") as caught:
        docs = list(nlp.pipe(texts))
    assert len(caught) == 1
    statuses = [get_proposals(doc)["product"].status for doc in docs]
    assert statuses == [OK, FAILED, FAILED, OK]
    failed = get_proposals(docs[1])["product"]
    assert not failed.usable
    assert failed.problems[0].detail.startswith("[H105]")
    assert text_digest(texts[1])[:8] in failed.problems[0].detail


def test_failing_text_warns(nlp):
    with pytest.warns(UserWarning, match=r"\[W100\] 1 of 1 .*'product'.*\[H105\]"):
        doc = nlp("No answer on Berlin")
    assert_annotated(doc, "No answer on Berlin")


def test_nothing_failed_nothing_warns(nlp):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list(nlp.pipe([t for t in TEXTS if ANSWERS[t][1] != FAILED]))


def test_model_that_answers_nothing_stops(nlp, recording):
    recording.write_text("{broken")
    with pytest.raises(ModelError, match=r"responses.jsonl:1"):
        list(nlp.pipe(TEXTS))


class ListModel:
    """A user's model that returns lists, of another length if asked to."""

    source = "list"

    def __init__(self, missing=0):
        self.missing = missing

    def respond(self, requests):
        texts = [r.messages[-1].content for r in requests]
        answers = [Response("list", text=found("K10" if "K10" in t else "K9")) for t in texts]
        return answers[: len(answers) - self.missing]


def test_model_may_return_a_list():
    docs = [spacy.blank("en").make_doc(t) for t in ("a K10", "a K9", "the K10")]
    component = HitlLLM("product", make_ner_task(["PRODUCT"]), ListModel())
    assert [doc.ents[0].text for doc in component.pipe(docs)] == ["K10", "K9", "K10"]


def test_missing_answers_are_not_empty_annotations():
    docs = [spacy.blank("en").make_doc(t) for t in ("a K10", "a K9", "the K10")]
    component = HitlLLM("product", make_ner_task(["PRODUCT"]), ListModel(missing=1))
    with pytest.raises(InputError, match=r"\[H104\] .*'product' gave 2 answers to 3 requests"):
        list(component.pipe(docs))


# The config


@pytest.mark.parametrize(
    "config,block",
    [
        ({}, "task"),
        ({"task": None, "model": replay("x.jsonl")}, "task"),
        ({"task": {"labels": ["A"]}, "model": replay("x.jsonl")}, "task"),
        ({"task": NER}, "model"),
        ({"task": NER, "model": None}, "model"),
        ({"task": NER, "model": {"name": "gpt"}}, "model"),
    ],
)
def test_block_that_is_missing(config, block):
    message = rf"\[H100\] Component 'product' has no {block}.*\[components.product.{block}\]"
    with pytest.raises(InputError, match=message):
        spacy.blank("en").add_pipe("hitl_llm", name="product", config=config)


@pytest.mark.parametrize(
    "task,model",
    [
        (NER, {}),
        (NER, {"texts": "gone/posts.jsonl"}),
        ({**NER, "guidelines_path": "gone/GUIDELINES.md"}, None),
        ({**NER, "examples": "gone/examples.jsonl"}, None),
        ({"@llm_tasks": "spacy-hitl.Linking.v1", "catalog": "gone/catalog.jsonl"}, None),
    ],
)
def test_files_are_read_at_first_use(recording, task, model):
    nlp = spacy.blank("en")
    path = "gone/responses.jsonl" if model == {} else recording
    config = {"task": task, "model": {**replay(path), **(model or {})}}
    nlp.add_pipe("hitl_llm", name="product", config=config)
    nlp.to_bytes()
    with pytest.raises((InputError, ModelError), match=r"\[H001\] .*gone/"):
        nlp(TEXTS[0])
    with pytest.raises((InputError, ModelError), match=r"\[H001\] .*gone/"):
        list(nlp.pipe(TEXTS))


def test_saved_pipeline_loads(tmp_path, recording):
    nlp = spacy.blank("en")
    nlp.add_pipe("hitl_llm", name="product", config={"task": NER, "model": replay(recording)})
    nlp.to_disk(tmp_path / "saved")
    loaded = spacy.load(tmp_path / "saved")
    assert [e.text for e in loaded(TEXTS[0]).ents] == ["K10"]


def test_prototype_of_the_worked_example(monkeypatch):
    monkeypatch.chdir(ROOT)
    nlp = load_model_from_config(load_config("configs/prototype.cfg"), auto_fill=True)
    lines = Path("assets/posts.jsonl").read_text(encoding="utf8").splitlines()[:20]
    posts = [json.loads(line) for line in lines]
    docs = list(nlp.pipe(post["text"] for post in posts))
    assert all(set(get_proposals(doc)) == set(nlp.pipe_names) for doc in docs)
    statuses = [p.status for doc in docs for p in get_proposals(doc).values()]
    assert FAILED not in statuses
    assert statuses.count(OK) > 20
    assert any(e.kb_id_ for doc in docs for e in doc.ents)


# A user's own task and model


class OwnTask:
    """No base class; marks the document; raises where its text says so."""

    kind = "own"

    def digest(self):
        return "own"

    def build_request(self, doc, *, name, sample):
        if "bad prompt" in doc.text:
            raise ZeroDivisionError("boom")
        digest = text_digest(doc.text)
        return Request(digest, name, sample, (Message("user", doc.text),), {})

    def parse(self, doc, response):
        if "bad answer" in doc.text:
            raise KeyError("bang")
        return ParsedAnswer(response.text or FAILED, Annotation())

    def set_annotation(self, doc, annotation):
        doc.user_data["own"] = True


@pytest.fixture
def own():
    """Config blocks of a task and a function that users have registered themselves."""

    def fragile(prompts):
        for shard in prompts:
            if "bad model" in shard[0]:
                raise TimeoutError("too slow")
            yield [OK for _ in shard]

    registry.llm_tasks("hitl-test.Own.v1", func=OwnTask)
    registry.llm_models("hitl-test.Fragile.v1", func=lambda: fragile)
    return {
        "task": {"@llm_tasks": "hitl-test.Own.v1"},
        "model": {"@llm_models": "hitl-test.Fragile.v1"},
    }


@pytest.mark.parametrize("batch_size", [1, 2, 64])
@pytest.mark.parametrize(
    "bad,code,detail",
    [
        ("bad prompt", "H108", "ZeroDivisionError: boom"),
        ("bad model", "H103", "TimeoutError: too slow"),
        ("bad answer", "", "KeyError: 'bang'"),
    ],
)
def test_exception_of_a_user_fails_its_document_only(own, bad, code, detail, batch_size):
    nlp = spacy.blank("en")
    nlp.add_pipe("test_upstream")
    nlp.add_pipe("hitl_llm", name="own", config=own)
    with pytest.warns(UserWarning, match=rf"\[W100\] 2 of 5 .*{code}.*{detail}"):
        docs = list(nlp.pipe(["one", bad, "two", bad, "three"], batch_size=batch_size))
    assert [get_proposals(d)["own"].status for d in docs] == [OK, FAILED, OK, FAILED, OK]
    assert ["own" in d.user_data for d in docs] == [True, False, True, False, True]
    assert all(d.cats == {"UPSTREAM": 0.25} for d in docs)
    for doc in (docs[1], docs[3]):
        reason = get_proposals(doc)["own"].problems[0].detail
        assert code in reason
        assert detail in reason


def test_all_prompts_fail(own):
    nlp = spacy.blank("en")
    nlp.add_pipe("hitl_llm", name="own", config=own)
    with pytest.warns(UserWarning, match="2 of 2"):
        docs = list(nlp.pipe(["bad prompt", "bad prompt too"]))
    assert [get_proposals(d)["own"].status for d in docs] == [FAILED, FAILED]


def test_error_that_concerns_all_texts_stops():
    class Broken(OwnTask):
        def build_request(self, doc, *, name, sample):
            raise InputError("[H001] no guidelines")

    with pytest.raises(InputError, match="no guidelines"):
        HitlLLM("own", Broken(), ListModel())(spacy.blank("en").make_doc("text"))


def test_task_that_gives_no_reason_for_its_failure():
    class Terse(OwnTask):
        def parse(self, doc, response):
            return ParsedAnswer(FAILED)

    component = HitlLLM("own", Terse(), ListModel())
    with pytest.warns(UserWarning, match="1 of 1 .*no reason given"):
        component(spacy.blank("en").make_doc("text"))
