"""Over HTTP: what is served to whom, and what is refused."""

import json
import socket
from pathlib import Path
from typing import Any, Dict, Iterator
from urllib.parse import urlsplit

import live
import pytest

from spacy_hitl.review.server.files import TYPES, read_static
from spacy_hitl.review.session.session import Session


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[live.Server]:
    monkeypatch.chdir(tmp_path)
    live.write_project()
    with live.server() as found:
        yield found


def test_the_way_in(running: live.Server) -> None:
    stranger = live.Client(running.url)
    page = stranger.get("/")
    assert page.status == 401 and b"spacy hitl review" in page.body
    reply = stranger.get(
        urlsplit(running.links["ann"]).path + "?" + urlsplit(running.links["ann"]).query
    )
    assert reply.status == 303 and reply.headers["location"] == "/"
    cookie = reply.headers["set-cookie"]
    port = urlsplit(running.url).port
    assert cookie.startswith(f"hitl_{port}=")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    client = running.client()
    assert client.get("/").status == 200
    assert client.get("/api/session").json["annotator"] == "ann"
    assert running.client("bo").get("/api/session").json["annotator"] == "bo"


@pytest.mark.parametrize("token", ["", "x", "%00", "a" * 5000])
def test_a_wrong_token_opens_nothing(running: live.Server, token: str) -> None:
    reply = live.Client(running.url).get(f"/?token={token}")
    assert reply.status == 401 and "set-cookie" not in reply.headers


def test_every_answer_has_the_headers(running: live.Server) -> None:
    client = running.client()
    replies = [
        client.get("/"),
        client.get("/static/signin.html"),
        client.get("/nothing"),
        client.get("/api/session"),
        live.Client(running.url).get("/api/session"),
        client.ask("GET", "/", headers={"Host": "evil.example"}),
    ]
    for reply in replies:
        assert reply.headers["content-security-policy"].startswith("default-src 'none'")
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert "server" not in reply.headers
    assert client.get("/api/session").headers["cache-control"] == "no-store"
    assert client.get("/").headers["cache-control"] == "no-store"


READS = ["session", "screen?digest=x", "history", "flagged", "evidence", "status", "catalog"]
WRITES = ["next", "answers", "undo", "finish"]


@pytest.mark.parametrize(
    "cookie", [None, "hitl_1=x", "hitl_{port}=", "hitl_{port}=wrong", "=;;=\x01"]
)
def test_nothing_without_a_cookie(running: live.Server, cookie: Any) -> None:
    port = urlsplit(running.url).port
    stranger = live.Client(running.url, cookie and cookie.replace("{port}", str(port)))
    for name in READS:
        reply = stranger.get(f"/api/{name}")
        assert (reply.status, list(reply.json)) == (401, ["error"]), name
    for name in WRITES:
        assert stranger.post(f"/api/{name}", {}).status == 401, name
    assert running.thread.is_alive()


@pytest.mark.parametrize(
    "headers, status",
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"X_Hitl": "0"}, 403),
        ({"Host": "evil.example"}, 400),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_writes_from_elsewhere_are_refused(
    running: live.Server, headers: Dict[str, str], status: int
) -> None:
    client = running.client()
    for name in WRITES:
        if name == "finish" and status == 415:
            continue  # has no body
        assert client.post(f"/api/{name}", {}, **headers).status == status, name
    assert client.get("/api/session").json["progress"]["mine"] == 0


def test_reads_are_no_writes(running: live.Server) -> None:
    client = running.client()
    for name in WRITES:
        assert client.get(f"/api/{name}").status == 405
    assert client.post("/api/history", {}).status == 405
    assert client.get("/api/nothing").status == 404
    assert client.ask("DELETE", "/api/answers").status == 405


@pytest.mark.parametrize(
    "body, status",
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"1", 400),
        (b'"x"', 400),
        (b"\xff\xfe", 400),
        (b'{"answers": ' + b"[" * 5000 + b"]" * 5000 + b"}", 400),
        (b'{"a":' * 100 + b"1" + b"}" * 100, 400),
        (b'{"answers": "x"}', 422),
        (b'{"answers": [' + b"1," * 300 + b"1]}", 422),
        (b'{"answers": ["' + b"x" * 1_100_000 + b'"]}', 413),
    ],
)
def test_bad_bodies(running: live.Server, body: bytes, status: int) -> None:
    client = running.client()
    headers = {"X-Hitl": "1", "Content-Type": "application/json"}
    reply = client.ask("POST", "/api/answers", body, headers)
    assert reply.status == status
    assert list(reply.json) == ["error"]


@pytest.mark.parametrize(
    "path",
    [
        "/static/../run.py",
        "/static/%2e%2e/run.py",
        "/static/..%2frun.py",
        "/static//etc/passwd",
        "/static/%5c..%5crun.py",
        "/static/vendor/../../run.py",
        "/static/.hidden",
        "/static/vendor",
        "/static/",
        "/static/nothing.js",
        "/static/%00.js",
        "/static/C:/x.js",
    ],
)
def test_no_way_out_of_the_static_folder(running: live.Server, path: str) -> None:
    reply = running.client().get(path)
    assert reply.status == 404 and b"import" not in reply.body


def test_static_files_are_typed_and_revalidated(running: live.Server) -> None:
    stranger = live.Client(running.url)  # the page that explains the link needs its style
    reply = stranger.get("/static/signin.html")
    assert reply.status == 200 and reply.headers["content-type"] == "text/html; charset=utf-8"
    again = stranger.ask(
        "GET", "/static/signin.html", None, {"If-None-Match": reply.headers["etag"]}
    )
    assert (again.status, again.body) == (304, b"")
    assert TYPES["js"].startswith("text/javascript")


def test_the_page_is_in_the_package() -> None:
    for name in ("index.html", "signin.html"):
        found = read_static(name)
        assert found is not None and found.content.startswith(b"<!doctype html>")


def test_a_session_over_http(running: live.Server) -> None:
    client = running.client()
    told = client.get("/api/session").json
    assert [t["kind"] for t in told["tasks"]] == [
        "ner",
        "linking",
        "relations",
        "spancat",
        "textcat",
        "textcat",
    ]
    assert told["tasks"][1]["mention_task"] == told["tasks"][2]["mention_task"] == "product"
    assert told["tasks"][2]["allowed"] == {"MADE_BY": [["PHONE", "MAKER"]]}
    assert told["tasks"][0]["definitions"] == {"PHONE": "a model of a phone"}
    assert told["tasks"][0]["guidelines"] == "Be kind."
    batch = client.next(5)
    assert batch["state"] == "ok" and len(batch["screens"]) == 5
    screen = next(s for s in batch["screens"] if not s["blind"])
    assert screen["tokens"][:2] == [["The", 1], ["Nebula", 1]]
    assert screen["rows"][0]["source"] == "t"
    answer = live.answer_to(screen)
    reply = client.answer(answer)
    assert reply["saved"] == [answer["uid"]] and reply["refused"] == []
    assert reply["progress"]["mine"] == 1 and reply["clock"]["decisions"] == 1
    (row,) = client.get("/api/history?n=5").json["answers"]
    assert row["uid"] == answer["uid"] and "1 PHONE" in row["summary"]
    undone = client.post("/api/undo", {"uid": "undo1", "undoes": None}).json
    assert undone["undone"] == answer["uid"] and undone["progress"]["mine"] == 0
    assert undone["screen"]["answer"]["tasks"]["topics"]["cats"][0]["label"] == "CAMERA"
    assert client.get("/api/history?n=5").json["answers"] == []


def test_a_screen_can_be_opened_again(running: live.Server) -> None:
    client = running.client()
    screen = client.next(1)["screens"][0]
    answer = live.answer_to(screen, note="hm", flagged=True)
    client.answer(answer)
    again = client.get(f"/api/screen?digest={screen['digest']}").json
    assert again["mode"] == "reopened" and again["blind"] == screen["blind"]
    assert again["answer"]["action"] == "accept" and again["answer"]["note"] == "hm"
    assert again["answer"]["flagged"]
    assert client.get("/api/screen?digest=nothing").status == 404
    (row,) = client.get("/api/flagged").json["answers"]
    assert row["digest"] == screen["digest"]


def test_a_refused_answer_leaves_the_others(running: live.Server) -> None:
    client = running.client()
    one, two = client.next(2)["screens"]
    bad = live.answer_to(one, tasks={})
    good = live.answer_to(two)
    reply = client.answer(bad, 5, good)  # type: ignore[arg-type]
    assert reply["saved"] == [good["uid"]]
    assert [r["uid"] for r in reply["refused"]] == [bad["uid"], None]
    assert all(r["error"].startswith("[H205]") for r in reply["refused"])


def test_the_prompt_and_the_raw_answer(running: live.Server) -> None:
    client = running.client()
    screens = client.next(8)["screens"]
    shown = next(s for s in screens if not s["blind"])
    found = client.get(f"/api/evidence?digest={shown['digest']}&task=link").json
    assert '["Nebula", "Orion"]' in found["prompt"] and "number" in found["prompt"]
    assert found["status"] == "ok" and found["answer"] is None  # nothing was recorded
    blind = next(s for s in screens if s["blind"])
    assert client.get(f"/api/evidence?digest={blind['digest']}&task=link").status == 403
    client.answer(live.answer_to(blind))
    assert client.get(f"/api/evidence?digest={blind['digest']}&task=link").status == 403
    assert client.get(f"/api/evidence?digest={shown['digest']}&task=x").status == 422
    assert client.get("/api/evidence?digest=x&task=link").status == 404


def test_the_catalog_is_searched(running: live.Server) -> None:
    client = running.client()
    found = client.get("/api/catalog?task=link&q=neb&n=20").json["entries"]
    assert [e["id"] for e in found] == ["P1", "P2"]
    assert found[0]["aliases"] == ["the Nebula", "SP Nebula"] and "space" in found[0]["description"]
    assert client.get("/api/catalog?task=link&q=kestrle").json["entries"][0]["id"] == "P3"
    assert client.get("/api/catalog?task=mood&q=x").status == 422
    assert client.get("/api/catalog?task=link&q=x&n=many").status == 422


def test_a_failure_of_the_server_is_said_and_survived(
    running: live.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = running.client()
    with monkeypatch.context() as patch:
        patch.setattr(Session, "next", lambda *args, **kwargs: 1 / 0)
        reply = client.post("/api/next", {"n": 1, "have": [], "tab": "t"})
        assert reply.status == 500 and reply.json["error"].startswith("[H213]")
        assert "ZeroDivisionError" in reply.json["error"]
        assert reply.headers["content-security-policy"]
    assert client.next(1)["state"] == "ok"


def test_holding_on_to_texts_asks_for_none(running: live.Server) -> None:
    batch = running.client().next(0)
    assert (batch["screens"], batch["state"]) == ([], "ok")


def test_finish_ends_the_session(running: live.Server) -> None:
    client = running.client()
    client.answer(live.answer_to(client.next(1)["screens"][0]))
    assert client.post("/api/finish", {}).json == {"ok": True}
    running.thread.join(20)
    assert not running.thread.is_alive() and running.errors == []
    assert len(live.stored()) == len(live.TASKS)
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", urlsplit(running.url).port or 0), timeout=5)
    assert not list(Path("datasets").glob("*.review"))


def test_text_is_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = "<script>alert(1)</script> & \u202eright\u202c e\u0301 \U0001f469\u200d\U0001f692 \n\n x"
    live.write_project(train=0, gold=0, texts=[text])
    with live.server() as running:
        reply = running.client().post("/api/next", {"n": 1, "have": [], "tab": "t"})
        assert reply.headers["content-type"] == "application/json"
        tokens = json.loads(reply.body)["screens"][0]["tokens"]
    assert "".join(token + " " * space for token, space in tokens) == text
