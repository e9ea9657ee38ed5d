"""What leaves and where to; and that no secret reaches a file, a log or a message."""

import json
import logging
import threading
import warnings
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import spacy

from spacy_hitl.annotate.run import annotate as annotate_file
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.errors import HitlError
from spacy_hitl.io import text_digest
from spacy_hitl.llm.adapter import SpacyLLMAdapter
from spacy_hitl.llm.budget import Budget, BudgetedModel
from spacy_hitl.llm.completions import plain_address
from spacy_hitl.llm.mask_rules import make_rules
from spacy_hitl.llm.openai import make_openai_model
from spacy_hitl.llm.privacy import MaskedModel, check_privacy, protect, refuse_remote
from spacy_hitl.llm.replay import make_replay_model
from spacy_hitl.llm.store import ResponseStore, StoredAnswers, StoredModel
from spacy_hitl.pipeline.hitl_llm import HitlLLM
from spacy_hitl.records import Response, Row
from spacy_hitl.settings import LaneSettings, PrivacySettings, read_settings
from spacy_hitl.tasks.base import get_proposals
from spacy_hitl.tasks.ner.task import make_ner_task
from spacy_hitl.ty import Model

NLP = spacy.blank("en")
KEY = "sk-very-secret-1234567890"
LOCAL_ONLY = PrivacySettings(local_only=True)
MASK = PrivacySettings(mask=("email", "phone"), patterns={"ticket": r"TCK-\d{6}"})
TEXTS = [
    "Mail (ann@example.com) likes the K10, call 212-555-0100.",
    "Mail (bob@example.com) likes the K10, call 212-555-0199.",  # the same once masked
    "Nobody has TCK-123456.",
    "A plain K10.",
]
VALUES = ["ann@example.com", "bob@example.com", "212-555-0100", "212-555-0199", "TCK-123456"]


def entities(text):
    """What a model answers that quotes all placeholders and products it sees."""
    words = [w.strip("(),.") for w in text.split("<text>")[-1].split()]
    known = ("K10", "ann@", "bob@", "212-", "TCK-", "[EMAIL_", "[PHONE_", "[TICKET_")
    return json.dumps(
        {"entities": [{"text": w, "label": "X"} for w in words if w.startswith(known)]}
    )


class Quoting:
    """Remembers what it was asked."""

    source = "quoting"
    local = True

    def __init__(self):
        self.asked = []

    def respond(self, requests):
        for request in requests:
            self.asked.append(request)
            yield Response(self.source, text=entities(request.messages[-1].content))


class Handler(BaseHTTPRequestHandler):
    """Answers like a server, keeps what it got; as "rude" it repeats the key in its errors."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.bodies.append(body.decode())
        request = json.loads(body)
        status = {"rude401": 401, "rude400": 400, "rude500": 500, "rude404": 404}.get(
            request["model"], 200
        )
        if status != 200:
            message = "x" * 470 + f"you sent {self.headers['authorization']} to me"
            return self.reply(status, {"error": {"message": message}})
        message = {"role": "assistant", "content": entities(request["messages"][-1]["content"])}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        common = {"id": "x", "object": "chat.completion", "created": 0, "model": "m"}
        return self.reply(200, {**common, "choices": [choice]})

    def reply(self, status, value):
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("MY_KEY", KEY)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.bodies = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def remote(server, name="m", **kwargs):
    address = f"http://127.0.0.1:{server.server_address[1]}/v1"
    return make_openai_model(
        name, base_url=address, api_key_env="MY_KEY", max_attempts=1, timeout=10, **kwargs
    )


def annotate(model, texts=TEXTS):
    component = HitlLLM("product", make_ner_task(["X"]), model)
    docs = list(component.pipe(NLP.pipe(texts)))
    return [([e.text for e in d.ents], get_proposals(d)["product"].status) for d in docs]


@contextmanager
def opened(path):
    with ResponseStore(path / "responses.db") as store:
        yield store


def bytes_of(folder):
    """All bytes of all files, so that nothing hides in a journal."""
    return b"".join(p.read_bytes() for p in sorted(Path(folder).rglob("*")) if p.is_file())


# Masking around a model


def test_the_answer_comes_back_and_the_model_saw_nothing(tmp_path):
    model = Quoting()
    with opened(tmp_path) as store:
        found = annotate(protect(model, MASK, store=store))
        again = annotate(protect(model, MASK, store=store))
    assert found == again
    assert found[0] == (["ann@example.com", "K10", "212-555-0100"], "ok")
    assert found[1] == (["bob@example.com", "K10", "212-555-0199"], "ok")
    assert found[2:] == [(["TCK-123456"], "ok"), (["K10"], "ok")]
    assert len(model.asked) == 3, "texts that are the same once masked are asked once"
    sent = "".join(r.prompt for r in model.asked)
    assert not [v for v in VALUES if v in sent]
    stored = bytes_of(tmp_path)
    assert not [v for v in VALUES if v.encode() in stored]
    assert b"[EMAIL_1]" in stored


def test_over_the_wire(server, tmp_path):
    with opened(tmp_path) as store:
        assert annotate(protect(remote(server), MASK, store=store)) == annotate(Quoting())
        assert len(server.bodies) == 3
        annotate(protect(remote(server), MASK, store=store))
        assert annotate(protect(StoredAnswers("m", store), MASK)) == annotate(Quoting())
    assert len(server.bodies) == 3
    assert not [v for v in VALUES if v in "".join(server.bodies)]
    assert not [v for v in (*VALUES, KEY) if v.encode() in bytes_of(tmp_path)]


def test_without_rules_the_model_stays_as_it_is(tmp_path):
    model = Quoting()
    assert protect(model, PrivacySettings()) is model
    with opened(tmp_path) as store:
        assert isinstance(protect(model, PrivacySettings(), store=store), StoredModel)


def test_the_store_is_inside(tmp_path):
    with opened(tmp_path) as store:
        masked = protect(Quoting(), MASK, store=store)
    assert isinstance(masked, MaskedModel)
    assert isinstance(masked, Model)
    assert isinstance(masked.model, StoredModel)
    assert masked.source == "quoting"


def test_stored_answers_are_understood_again(tmp_path):
    """`--reparse`: the store alone, no model, the same masks; each text with its own values."""
    with opened(tmp_path) as store:
        first = annotate(protect(Quoting(), MASK, store=store))
        assert len(store) == 3
        assert annotate(protect(StoredAnswers("quoting", store), MASK)) == first
    assert annotate(protect(make_replay_model(tmp_path / "responses.db"), MASK)) == first
    assert [found for found, _ in first[:2]] == [
        ["ann@example.com", "K10", "212-555-0100"],
        ["bob@example.com", "K10", "212-555-0199"],
    ]


def test_a_rolling_model_keeps_its_shape(server):
    masked = MaskedModel(remote(server, concurrency=3), make_rules(MASK.mask, {}))
    plain = remote(server, concurrency=3)
    assert masked.window == plain.window == 24
    assert masked.shaping == plain.shaping
    assert MaskedModel(Quoting(), ()).window is None
    task = make_ner_task(["X"])
    request = task.build_request(NLP(TEXTS[0]), name="product", sample=1)
    seen = []

    def on_answer(asked, answer):
        seen.append((asked, answer))
        return answer

    response = masked.submit(request, on_answer).result(10)
    assert "ann@example.com" in response.text
    assert seen == [(request, response)]
    again = masked.submit(request).result(10)
    assert replace(again, seconds=None) == replace(response, seconds=None)
    assert "ann@example.com" not in "".join(server.bodies)


def test_a_replay_finds_its_text(tmp_path):
    path = tmp_path / "r.jsonl"
    answer = entities(TEXTS[0])
    line = {"text_digest": text_digest(TEXTS[0]), "task": "product", "response": answer}
    path.write_text(json.dumps(line))
    found = annotate(protect(make_replay_model(path), MASK), TEXTS[:1])
    assert found == annotate(Quoting(), TEXTS[:1])


def test_an_answer_too_many_is_still_refused(fails):
    class Chatty(Quoting):
        def respond(self, requests):
            yield from super().respond(requests)
            yield Response(self.source, text="{}")

    with fails("H104"):
        annotate(protect(Chatty(), MASK))


# The commands

CONFIG = """
[nlp]
lang = "en"
pipeline = ["product"]

[components]

[components.product]
factory = "hitl_llm"

[components.product.task]
@llm_tasks = "spacy-hitl.NER.v1"
labels = ["X"]

[components.product.model]
@llm_models = "spacy-hitl.OpenAI.v1"
name = "m"
base_url = "BASE_URL"
api_key_env = "MY_KEY"

[hitl]

[hitl.lanes]
gold = 0.0
dev = 0.0

[hitl.privacy]
mask = ["email","phone"]
local_only = true

[hitl.privacy.patterns]
ticket = "TCK-\\\\d{6}"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch, no_proxy):
    monkeypatch.chdir(tmp_path)
    rows = (json.dumps({"id": str(i), "text": t}) for i, t in enumerate(TEXTS))
    Path("texts.jsonl").write_text("\n".join(rows))
    return tmp_path


def write_config(address):
    Path("p.cfg").write_text(CONFIG.replace("BASE_URL", address))
    return Path("p.cfg"), Path("texts.jsonl")


def test_annotate_masks(server, folder, log, capfd):
    files = write_config(f"http://127.0.0.1:{server.server_address[1]}/v1")
    summary = annotate_file(*files)
    assert summary.statuses == {("product", "ok"): 4}
    assert len(server.bodies) == 3
    with Dataset(Path("datasets/hitl.db")) as dataset:
        (proposal,) = dataset.proposals("product", text_digest(TEXTS[0]))
    quoted = [TEXTS[0][s.start : s.end] for s in proposal.annotation.spans]
    assert quoted == ["ann@example.com", "K10", "212-555-0100"]
    assert not [v for v in VALUES if v in "".join(server.bodies)]
    assert not [v for v in VALUES if v.encode() in Path("datasets/responses.db").read_bytes()]
    assert KEY.encode() not in bytes_of(folder)
    shown = log.text + "".join(capfd.readouterr())
    assert not [t for t in (KEY, *VALUES, *TEXTS) if t in shown]


def proposals():
    """What the dataset holds on each text: status and quotes."""
    with Dataset(Path("datasets/hitl.db")) as dataset:
        for text in TEXTS:
            for p in dataset.proposals("product", text_digest(text)):
                yield p.source, p.status, [text[s.start : s.end] for s in p.annotation.spans]


def test_parsing_again_and_replaying_with_the_network_off(server, folder):
    """Two texts share one stored answer; both have it, with their own values."""
    files = write_config(f"http://127.0.0.1:{server.server_address[1]}/v1")
    annotate_file(*files)
    first = list(proposals())
    assert [status for _, status, _ in first] == ["ok"] * 4
    server.shutdown()
    server.server_close()
    Path("datasets/hitl.db").unlink()
    summary = annotate_file(*files, reparse=True)
    assert summary.statuses == {("product", "ok"): 4}
    assert list(proposals()) == first
    config = files[0].read_text()
    start, end = config.index("@llm_models"), config.index("[hitl]")
    model = '@llm_models = "spacy-hitl.Replay.v1"\npath = "finished.db"\n\n'
    files[0].write_text(config[:start] + model + config[end:])
    Path("datasets/responses.db").rename("finished.db")
    Path("datasets/hitl.db").unlink()
    assert annotate_file(*files).statuses == {("product", "ok"): 4}
    replayed = [("m", *rest) for _, *rest in proposals()]
    assert replayed == first


@pytest.mark.parametrize(
    "address, code", [("https://example.com/v1", "H121"), ("http://127.0.0.1:9/v1", "H120")]
)
def test_annotate_refuses_before_anything_is_stored(folder, address, code, fails):
    files = write_config(address)
    if code == "H120":
        files[0].write_text(files[0].read_text().replace("{6}", "+"))
    with fails(code):
        annotate_file(*files)
    assert not Path("datasets").exists()


# Where to


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:8000/v1",
        "http://LOCALHOST./v1",
        "https://127.0.0.1/v1",
        "http://127.8.9.1",
        "http://[::1]:8000/v1",
        "http://10.1.2.3/v1",
        "http://172.31.0.1/v1",
        "http://192.168.1.5:11434/v1",
        "http://169.254.7.7/v1",
        "http://[fe80::1]/v1",
        "http://[fd00::1]/v1",
        "http://[::ffff:10.0.0.1]/v1",
        "http://user:pass@127.0.0.1/v1",
    ],
)
def test_local_addresses(address):
    refuse_remote(address)


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        "https://api.openai.com/v1",
        "http://8.8.8.8/v1",
        "http://172.32.0.1/v1",
        "http://0.0.0.0:8000/v1",
        "http://localhost.evil.com/v1",
        "http://evil.localhost/v1",
        "http://127.0.0.1.evil.com/v1",
        "http://127.0.0.1@evil.com/v1",
        "http://localhost:pw@evil.com/v1",
        "http://evil.com\\@127.0.0.1/v1",
        "http://evil.com#@127.0.0.1/v1",
        "http://evil.com?@127.0.0.1/v1",
        "http://2130706433/v1",
        "http://0x7f000001/v1",
        "http://127.1/v1",
        "http://0177.0.0.1/v1",
        "http://[::ffff:8.8.8.8]/v1",
        "http://[64:ff9b::8.8.8.8]/v1",
        "http://[2002:808:808::]/v1",
        "http://１２７.evil.com/v1",
        "http://127.0.0.1:99999/v1",
        "http://[::1/v1",
        "ftp://127.0.0.1/v1",
        "127.0.0.1:8000",
        "localhost",
        "http:///v1",
        "http://127.0.0.1\n.evil.com/v1",
        " http://127.0.0.1",
        "unix:///tmp/socket",
    ],
)
def test_remote_addresses(address, fails):
    with fails("H121", "local_only"):
        refuse_remote(address)


def test_no_password_in_the_message():
    with pytest.raises(HitlError) as caught:
        refuse_remote(f"https://me:{KEY}@example.com/v1?key={KEY}")
    assert KEY not in str(caught.value)
    assert "https://example.com/v1" in str(caught.value)
    assert plain_address("nonsense") == "an address without a host"
    assert plain_address("http://[") == "an address that is none"


@pytest.fixture
def no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def local_model(**kwargs):
    return make_openai_model("m", base_url="http://127.0.0.1:9/v1", **kwargs)


def test_models_that_may_be_asked(no_proxy, tmp_path):
    with opened(tmp_path) as store:
        for model in (
            local_model(),
            BudgetedModel(local_model(), Budget(1.0, {})),
            StoredModel(local_model(), store),
            StoredAnswers("m", store),
            make_replay_model(tmp_path / "none.jsonl"),
            Quoting(),
        ):
            assert check_privacy(model, LOCAL_ONLY) == ()
            protect(model, LOCAL_ONLY, store=store)


class Unknown:
    source = "unknown"

    def respond(self, requests):
        yield from ()


@pytest.mark.parametrize(
    "model, code",
    [
        (make_openai_model("m"), "H121"),
        (make_openai_model("m", base_url="https://example.com/v1"), "H121"),
        (BudgetedModel(make_openai_model("m"), Budget(1.0, {})), "H121"),
        (SpacyLLMAdapter(lambda prompts: prompts), "H122"),
        (BudgetedModel(SpacyLLMAdapter(lambda p: p), Budget(1.0, {})), "H122"),
        (Unknown(), "H122"),
    ],
)
def test_models_that_may_not(model, code, fails, no_proxy):
    with fails(code, "local_only"):
        protect(model, LOCAL_ONLY, name="product")
    assert protect(model, PrivacySettings()) is model


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_a_proxy_is_no_way_out(name, monkeypatch, no_proxy, fails):
    monkeypatch.setenv(name, f"http://me:{KEY}@proxy.example.com:3128")
    if name == "HTTP_PROXY":
        monkeypatch.delenv("REQUEST_METHOD", raising=False)
    with fails("H123", "NO_PROXY=127.0.0.1", "proxy.example.com"):
        check_privacy(local_model(), LOCAL_ONLY)
    monkeypatch.setenv("no_proxy", "localhost,127.0.0.1")
    check_privacy(local_model(), LOCAL_ONLY)


def test_a_local_proxy_is_fine(monkeypatch, no_proxy):
    monkeypatch.setenv("http_proxy", "127.0.0.1:3128")
    check_privacy(local_model(), LOCAL_ONLY)


# Settings


def test_settings():
    section = {"mask": ["email"], "patterns": {"a": "b"}, "local_only": True}
    read = read_settings({"hitl": {"privacy": section}}, path=Path("x.cfg")).privacy
    assert read == PrivacySettings(("email",), {"a": "b"}, True)
    assert read_settings({}, path=Path("x.cfg")).privacy == PrivacySettings()


@pytest.mark.parametrize(
    "section, name",
    [
        ({"mask": ["mail"]}, "privacy.mask.0"),
        ({"mask": "email"}, "privacy.mask"),
        ({"patterns": {"a": 1}}, "privacy.patterns.a"),
        ({"local_only": "perhaps"}, "privacy.local_only"),
        ({"local": True}, "privacy.local"),
    ],
)
def test_bad_settings(section, name, fails):
    with fails("H012", f"'{name}'"):
        read_settings({"hitl": {"privacy": section}}, path=Path("x.cfg"))


# No secret in files, logs and messages


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.DEBUG, logger="spacy_hitl")
    caplog.set_level(logging.DEBUG, logger="spacy")
    return caplog


@pytest.mark.parametrize("privacy", [MASK, PrivacySettings()], ids=["masked", "open"])
def test_no_secret_in_any_file_or_log(server, tmp_path, log, capfd, privacy):
    task = make_ner_task(["X"])
    rows = [Row("s", str(i), text) for i, text in enumerate(TEXTS)]
    (tmp_path / "store").mkdir()
    (tmp_path / "data").mkdir()
    with (
        opened(tmp_path / "store") as store,
        Dataset(tmp_path / "data" / "hitl.db") as dataset,
    ):
        dataset.add_rows(rows, LaneSettings())
        component = HitlLLM("product", task, protect(remote(server), privacy, store=store))
        docs = list(component.pipe(NLP.pipe(TEXTS)))
        dataset.add_proposals(get_proposals(doc)["product"] for doc in docs)
    assert KEY.encode() not in bytes_of(tmp_path)
    if privacy is MASK:  # the dataset holds the texts: that is what it is for
        assert not [v for v in VALUES if v.encode() in bytes_of(tmp_path / "store")]
    shown = log.text + "".join(capfd.readouterr())
    assert not [t for t in (KEY, *VALUES, *TEXTS) if t in shown]


@pytest.mark.parametrize("name", ["rude400", "rude401", "rude404", "rude500"])
def test_a_server_that_repeats_the_key(server, tmp_path, log, name):
    """In the message, cut off in the middle or not; nor what was masked."""
    with opened(tmp_path) as store, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = protect(remote(server, name), MASK, store=store)
        try:
            component = HitlLLM("product", make_ner_task(["X"]), model)
            docs = list(component.pipe(NLP.pipe(TEXTS[:1])))
            messages = [p.detail for p in get_proposals(docs[0])["product"].problems]
        except HitlError as e:
            messages = [str(e)]
    messages += [str(w.message) for w in caught]
    assert "you sent Bearer [" in messages[0]
    assert "sk-" not in "".join(messages)
    assert not [v for v in VALUES if v in "".join(messages)]
    assert KEY.encode() not in bytes_of(tmp_path)
    assert "sk-" not in log.text


def test_a_password_in_the_address_is_not_shown(server, monkeypatch):
    model = make_openai_model(
        "rude404",
        base_url=f"http://me:{KEY}@127.0.0.1:{server.server_address[1]}/v1",
        max_attempts=1,
    )
    with pytest.raises(HitlError) as caught:
        annotate(model, TEXTS[:1])
    assert str(caught.value).startswith("[H111]")
    assert KEY not in str(caught.value)


def test_a_key_in_place_of_its_variable_is_refused_and_not_shown():
    with pytest.raises(HitlError) as caught:
        make_openai_model("m", api_key_env=KEY)
    assert str(caught.value).startswith("[H124]")
    assert KEY not in str(caught.value)


def test_an_answer_can_put_nothing_into_a_warning():
    """A text makes the model repeat a value in the one field that used to be shown as an error."""

    class Telling(Quoting):
        def respond(self, requests):
            for _ in requests:
                yield Response(self.source, text='{"hitl_error": "[EMAIL_1]"}')

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert annotate(protect(Telling(), MASK), TEXTS[:1]) == [([], "malformed")]
