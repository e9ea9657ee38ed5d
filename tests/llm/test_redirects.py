"""A server that sends a request on to somewhere else is not followed: two live servers."""

import json
import threading
import warnings
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from live_server import CONFIG

from spacy_hitl.annotate.run import annotate, check_models
from spacy_hitl.errors import ModelError
from spacy_hitl.io import text_digest
from spacy_hitl.llm.openai import make_openai_model
from spacy_hitl.llm.store import ResponseStore, StoredModel
from spacy_hitl.records import Message, Request

KEY = "sk-very-secret-1234567890"
TEXT = "Ann likes the K10."
LOCAL_ONLY = "\n[hitl.privacy]\nlocal_only = true\n"
ANSWER = {
    "id": "x",
    "object": "chat.completion",
    "created": 0,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": '{"label": "A"}'},
            "finish_reason": "stop",
        }
    ],
}


class Handler(BaseHTTPRequestHandler):
    """Keeps what it got; answers, or sends on to `server.target`."""

    def handle_one(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        self.server.got.append((self.command, self.path, str(self.headers), body))
        status = self.server.status
        content = json.dumps(ANSWER if status == 200 else {"error": {"message": "on"}}).encode()
        self.send_response(status)
        if self.server.target:
            self.send_header("location", self.server.target)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_HEAD = do_OPTIONS = handle_one

    def log_message(self, *args):
        pass


@contextmanager
def live(status=200, target=""):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.status, server.target, server.got = status, target, []
    server.address = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def foreign():
    """Stands for a server outside; what reaches it has left the house."""
    with live() as server:
        yield server


@pytest.fixture
def project(tmp_path, monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    Path("texts.jsonl").write_text(json.dumps({"id": "1", "text": TEXT}))

    def write(server, privacy):
        config = CONFIG.format(address=f"{server.address}/v1", name="m", concurrency=2)
        Path("p.cfg").write_text(config + privacy)
        return Path("p.cfg"), Path("texts.jsonl")

    return write


@pytest.mark.parametrize("privacy", [LOCAL_ONLY, ""], ids=["local_only", "open"])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/", "/elsewhere?key=sk-other"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nothing_reaches_the_second_server(project, foreign, status, path, privacy):
    with live(status, f"{foreign.address}{path}") as local:
        files = project(local, privacy)
        with pytest.raises(ModelError) as caught:
            annotate(*files)
    assert foreign.got == []
    assert [command for command, *_ in local.got] == ["POST"], "no second attempt"
    message = str(caught.value)
    assert message.startswith("[H127]")
    for part in (f"{local.address}/v1", foreign.address, str(status), "base_url"):
        assert part in message
    assert not [secret for secret in (KEY, TEXT, "sk-other") if secret in message]


def test_nor_on_the_same_server(project):
    """Where it leads is not the point: one rule, and a message that says what to do."""
    with live(307, "/v2/chat/completions") as local:
        with pytest.raises(ModelError, match=r"\[H127\]") as caught:
            annotate(*project(local, LOCAL_ONLY))
        assert f"{local.address}/v2/chat/completions" in str(caught.value)
        assert [path for _, path, *_ in local.got] == ["/v1/chat/completions"]


@pytest.mark.parametrize("status", [300, 304, 307])
def test_without_an_address(project, status):
    with live(status) as local, pytest.raises(ModelError, match=r"\[H127\].*does not name"):
        annotate(*project(local, ""))


def test_a_key_in_the_address_is_not_shown(project, foreign):
    target = f"{foreign.address.replace('//', f'//me:{KEY}@')}/{KEY}/v1?{KEY}"
    with live(308, target) as local, pytest.raises(ModelError, match=r"\[H127\]") as caught:
        annotate(*project(local, ""))
    assert KEY not in str(caught.value)
    assert foreign.got == []


def test_the_check_explains_it(project, foreign):
    with (
        live(302, f"{foreign.address}/v1") as local,
        pytest.raises(ModelError, match=r"\[H127\]"),
    ):
        check_models(project(local, LOCAL_ONLY)[0])
    assert foreign.got == []


def test_azure_is_no_exception(foreign, tmp_path):
    request = Request(text_digest(TEXT), "t", 1, (Message("user", TEXT),), {})
    with (
        live(307, foreign.address) as local,
        ResponseStore(tmp_path / "r.db") as store,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("error")
        model = make_openai_model("m", base_url=local.address, azure_api_version="2024-10-21")
        with pytest.raises(ModelError, match=r"\[H127\]"):
            list(StoredModel(model, store).respond([request]))
        assert len(local.got) == 1
    assert foreign.got == []


def test_the_second_server_would_answer(project, foreign):
    """What the tests above rule out could happen: asked itself, it answers."""
    summary = annotate(*project(foreign, LOCAL_ONLY))
    assert summary.statuses == {("mood", "ok"): 1}
    assert TEXT in foreign.got[0][3]
    assert KEY in foreign.got[0][2]
