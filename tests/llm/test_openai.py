"""The OpenAI-compatible model against a live local server."""

import asyncio
import gc
import pickle
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
import spacy
from live_server import fault_of, server, stats

from spacy_hitl.errors import InputError, ModelError
from spacy_hitl.io import text_digest
from spacy_hitl.llm.background import background_loop
from spacy_hitl.llm.openai import make_openai_model
from spacy_hitl.llm.store import ResponseStore, StoredModel
from spacy_hitl.pipeline.hitl_llm import HitlLLM
from spacy_hitl.records import Message, Request
from spacy_hitl.tasks.base import get_proposals
from spacy_hitl.tasks.textcat.task import make_textcat_task

STATUS = {"garbage": "malformed", "dropped": "ok"}
TASK = make_textcat_task(["A", "B"], exclusive_classes=True)
NLP = spacy.blank("en")


def component(address, *, name="m", **kwargs):
    return HitlLLM("mood", TASK, make_openai_model(name, base_url=address, **kwargs))


def annotate(pipe, texts):
    """Statuses in the order of the texts; order and text are checked."""
    docs = list(pipe.pipe(NLP.pipe(texts)))
    assert [doc.text for doc in docs] == list(texts)
    return [get_proposals(doc)["mood"].status for doc in docs]


def request(text="x"):
    return Request(text_digest(text), "mood", 1, (Message("user", text),), {})


def test_nothing_is_sent_at_construction():
    make_openai_model("m", base_url="http://127.0.0.1:9/v1")


def test_many_texts_in_order_with_the_limit_in_flight():
    texts = [f"text {i}" for i in range(200)]
    with server() as address:
        assert annotate(component(address, concurrency=8), texts) == ["ok"] * 200
        counted = stats(address)
    assert counted["requests"] == 200
    assert 2 <= counted["most_in_flight"] <= 8


def test_every_kind_of_answer_gets_its_status():
    texts = [f"text number {i}" for i in range(400)]
    # The user message is what the server sees.
    wanted = [
        fault_of(
            TASK.build_request(NLP.make_doc(t), name="mood", sample=1).prompt.split("\n\n")[-1], 1
        )
        for t in texts
    ]
    with server("--faults", "1") as address:
        found = annotate(component(address), texts)
    assert found == [STATUS.get(fault, fault) for fault in wanted]
    assert len(set(found)) == 4


def test_it_waits_and_asks_again_after_429():
    texts = [f"text {i}" for i in range(100)]
    with server("--share-429", "0.3", "--retry-after", "0.05") as address:
        assert annotate(component(address), texts) == ["ok"] * 100
        counted = stats(address)
    assert counted["429"] > 10
    assert counted["requests"] == 100 + counted["429"]


def test_a_text_that_always_fails_is_given_up_and_fails_alone():
    pipe = component("http://127.0.0.1:9/v1", max_attempts=1)  # nobody listens there
    with pytest.warns(UserWarning, match="W100"):
        assert annotate(pipe, ["one", "two"]) == ["failed", "failed"]


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [("unknown", "H111", "base_url"), ("poor", "H112", "quota")],
)
def test_what_no_request_escapes_stops_the_run(name, code, words):
    with server() as address:
        pipe = component(address, name=name)
        with pytest.raises(ModelError, match=code) as caught:
            annotate(pipe, [f"text {i}" for i in range(300)])
        assert words in str(caught.value)
        assert stats(address)["requests"] <= 64


def test_a_wrong_key_is_explained_and_never_shown(monkeypatch):
    monkeypatch.setenv("MY_KEY", "sk-wrong-secret")
    with server("--key", "right") as address, pytest.raises(ModelError, match="H110") as caught:
        annotate(component(address, api_key_env="MY_KEY"), ["x"])
    assert "MY_KEY" in str(caught.value)
    assert "sk-wrong-secret" not in str(caught.value)


def test_the_key_comes_from_the_environment_and_is_not_pickled(monkeypatch):
    monkeypatch.setenv("MY_KEY", "right-secret")
    with server("--key", "right-secret") as address:
        pipe = component(address, api_key_env="MY_KEY")
        assert annotate(pipe, ["x"]) == ["ok"]
        again = pickle.loads(pickle.dumps(pipe.model))
        assert b"right-secret" not in pickle.dumps(pipe.model)
        assert next(again.respond([request()])).text is not None


@pytest.mark.parametrize("parameter", ["response_format", "temperature", "logprobs"])
def test_a_refused_parameter_is_dropped_once_with_a_warning(parameter):
    texts = [f"text {i}" for i in range(60)]
    with server("--drop-parameter", parameter) as address:
        pipe = component(address, concurrency=1, logprobs=True)
        with warnings.catch_warnings(record=True):
            warnings.simplefilter("always")
            statuses = annotate(pipe, texts)
        assert statuses == ["ok"] * 60
        assert stats(address)["refused_parameter"] == 1


def test_usage_and_log_probabilities_are_kept():
    with server() as address:
        model = make_openai_model("m", base_url=address, logprobs=True)
        (answer,) = model.respond([request("some words")])
    assert (answer.prompt_tokens, answer.completion_tokens) == (2, 5)
    assert answer.logprobs == (("x", -0.5),)


def test_the_time_of_an_answer_is_that_of_the_attempt_that_worked():
    with server("--latency", "0.05", "--share-429", "0.5", "--retry-after", "0.5") as address:
        model = make_openai_model("m", base_url=address, concurrency=1)
        answers = list(model.respond(request(f"text {i}") for i in range(6)))
        assert stats(address)["429"] > 0
    assert all(0.05 <= answer.seconds < 0.5 for answer in answers), "not the pauses between"


def test_answers_are_stored_as_they_arrive_and_never_asked_again(tmp_path):
    texts = [f"text {i % 50}" for i in range(100)]
    with server() as address, ResponseStore(tmp_path / "r.db") as store:
        pipe = component(address)
        pipe.model = StoredModel(pipe.model, store)
        assert annotate(pipe, texts) == ["ok"] * 100
        assert len(store) == 50
        assert stats(address)["requests"] == 50
        assert annotate(pipe, texts) == ["ok"] * 100
        assert stats(address)["requests"] == 50


@pytest.mark.parametrize("cyclic", [False, True])
def test_a_model_that_is_gone_takes_no_connection_from_the_next(cyclic):
    """When garbage is collected in the thread of the event loop, old sockets must be closed there
    in good order: the loop would stop watching new ones that have their numbers by now, and the
    next model would wait for answers that have arrived.
    """

    async def collect():
        gc.collect()

    gc.disable()
    try:
        with server() as address:
            for i in range(3):
                old, new = (make_openai_model("m", base_url=address, timeout=10) for _ in range(2))
                asked = [request(f"{i} old {k}") for k in range(32)]
                assert all(r.text for r in old.respond(asked))
                if cyclic:
                    old.myself = old
                list(new.respond([request(f"{i} first")]))
                del old
                asyncio.run_coroutine_threadsafe(collect(), background_loop())
                asked = [request(f"{i} new {k}") for k in range(32)]
                assert all(r.text for r in new.respond(asked))
            counted = stats(address)
    finally:
        gc.enable()
    assert counted["requests"] == counted["distinct"] == 3 * 65


def test_connections_of_a_model_that_is_gone_are_closed():
    with server() as address:
        model = make_openai_model("m", base_url=address)
        assert next(model.respond([request()])).text is not None
        client = model._client
        del model
        gc.collect()
        for _ in range(1000):
            if client.is_closed():
                break
            time.sleep(0.01)
        assert client.is_closed()


def test_another_temperature_is_another_question(tmp_path):
    with server() as address, ResponseStore(tmp_path / "r.db") as store:
        for temperature in (0.0, 0.7, 0.0):
            pipe = component(address, temperature=temperature)
            pipe.model = StoredModel(pipe.model, store)
            annotate(pipe, ["x"])
        assert len(store) == 2
        assert stats(address)["requests"] == 2


def test_the_limits_per_minute_hold():
    """The first second's worth is free; 1,200 per minute is 20 per second."""
    with server() as address:
        start = time.monotonic()
        annotate(component(address, requests_per_minute=1200), [f"{i} a" for i in range(40)])
    assert time.monotonic() - start > 0.9


def test_several_processes(tmp_path):
    with server() as address:
        nlp = spacy.blank("en")
        task = {"@llm_tasks": "spacy-hitl.TextCat.v1", "labels": ["A", "B"]}
        model = {"@llm_models": "spacy-hitl.OpenAI.v1", "name": "m", "base_url": address}
        config = {"task": {**task, "exclusive_classes": True}, "model": model}
        nlp.add_pipe("hitl_llm", name="mood", config=config)
        nlp("warm up, so that the parent has a loop of its own")
        docs = list(nlp.pipe([f"text {i}" for i in range(40)], n_process=2, batch_size=10))
    assert [doc.text for doc in docs] == [f"text {i}" for i in range(40)]
    assert all(get_proposals(doc)["mood"].status == "ok" for doc in docs)


def test_inside_a_running_loop():
    """As in Jupyter."""

    async def cell(address):
        return annotate(component(address), ["a", "b"])

    # In a thread of its own: a browser test before this one may have left a loop in ours.
    with server() as address, ThreadPoolExecutor(1) as threads:
        assert threads.submit(asyncio.run, cell(address)).result() == ["ok", "ok"]


def test_in_spacy_llms_own_component():
    with server() as address:
        nlp = spacy.blank("en")
        task = {"@llm_tasks": "spacy-hitl.TextCat.v1", "labels": ["A", "B"]}
        model = {"@llm_models": "spacy-hitl.OpenAI.v1", "name": "m", "base_url": address}
        config = {"task": {**task, "exclusive_classes": True}, "model": model}
        nlp.add_pipe("llm", name="mood", config=config)
        docs = list(nlp.pipe(["one", "two", "three"]))
    assert all(max(doc.cats.values()) == 1.0 for doc in docs)


def test_without_the_package_the_door_says_how(monkeypatch):
    monkeypatch.setattr("spacy_hitl._compat.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"spacy-hitl\[llm\]"):
        list(make_openai_model("m").respond([request()]))
