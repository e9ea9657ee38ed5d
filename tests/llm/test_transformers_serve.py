"""`spacy-hitl.OpenAI.v1` against a server of somebody else: `transformers serve`, offline."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

for package in ("torch", "transformers", "fastapi", "uvicorn", "accelerate", "openai"):
    pytest.importorskip(package)

import spacy  # noqa: E402
from tiny_llama import save_tiny_llama  # noqa: E402

from spacy_hitl.llm.openai import make_openai_model  # noqa: E402
from spacy_hitl.llm.store import ResponseStore, StoredModel  # noqa: E402
from spacy_hitl.pipeline.hitl_llm import HitlLLM  # noqa: E402
from spacy_hitl.records import STATUSES  # noqa: E402
from spacy_hitl.tasks.base import get_proposals  # noqa: E402
from spacy_hitl.tasks.textcat.task import make_textcat_task  # noqa: E402

pytestmark = pytest.mark.slow

NLP = spacy.blank("en")
# Labels the tiny model has learnt to say: it is not held to them by this server.
TASK = make_textcat_task(["THING", "OTHER"])
TEXTS = [f"the camera of phone {i} is great" for i in range(12)]
START = "import sys; from transformers.cli.transformers import main; sys.exit(main())"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_tiny_llama(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def server(folder, tmp_path_factory):
    """Yields the address, and a function that counts the requests it answered."""
    log = tmp_path_factory.mktemp("serve") / "log"
    with running(folder, log) as address:
        yield address, lambda: log.read_text().count('"POST /v1/chat/completions HTTP/1.1" 200')


@contextmanager
def running(folder, log):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu", "--log-level", "info"]
    command = [sys.executable, "-c", START, "serve", str(folder), *options]
    env = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=env)
        try:
            wait_for(f"http://127.0.0.1:{port}/health", process, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()
            process.wait(60)


def wait_for(address, process, log, *, seconds=120):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"transformers serve did not come up:\n{log.read_text()[-2000:]}")


def model(address, folder, **kwargs):
    options = {"max_tokens": 40, "concurrency": 2, **kwargs}
    return make_openai_model(str(folder), base_url=address, **options)


def test_every_document_has_a_proposal(server, folder, tmp_path):
    address, answered = server
    before = answered()
    with ResponseStore(tmp_path / "responses.db") as store:
        pipe = HitlLLM("x", TASK, StoredModel(model(address, folder), store))
        docs = list(pipe.pipe(NLP.pipe(TEXTS)))
        assert [doc.text for doc in docs] == TEXTS
        assert len(store) == len(TEXTS)
        again = list(pipe.pipe(NLP.pipe(TEXTS)))
    assert answered() - before == len(TEXTS)
    statuses = [get_proposals(doc)["x"].status for doc in docs]
    assert statuses == [get_proposals(doc)["x"].status for doc in again]
    # It ignores the schema without a word to the client, so any answer may come; but one came.
    assert set(statuses) <= set(STATUSES) - {"failed"}
    assert {get_proposals(doc)["x"].source for doc in docs} == {str(folder)}


def test_usage_and_finish_reason_are_read(server, folder):
    address, _ = server
    request = TASK.build_request(NLP.make_doc(TEXTS[0]), name="x", sample=1)
    [whole] = model(address, folder).respond([request])
    assert whole.text
    assert whole.error is None
    assert whole.prompt_tokens > 100
    assert whole.completion_tokens > 0
    [cut] = model(address, folder, max_tokens=2).respond([request])
    assert (cut.finish_reason, cut.completion_tokens) == ("length", 2)


def test_what_it_does_not_give_is_missed_in_silence(server, folder):
    """It accepts response_format and logprobs and ignores both: neither is refused, none comes."""
    address, _ = server
    request = TASK.build_request(NLP.make_doc(TEXTS[0]), name="x", sample=1)
    [response] = model(address, folder, logprobs=True, structured=True).respond([request])
    assert response.error is None
    assert response.logprobs is None


def test_another_model_than_the_one_it_serves(server, folder):
    address, _ = server
    request = TASK.build_request(NLP.make_doc(TEXTS[0]), name="x", sample=1)
    [response] = model(address, "other/model", max_attempts=1).respond([request])
    assert response.text is None
    assert "400" in response.error
