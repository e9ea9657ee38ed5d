"""Whatever is sent to the server of a signed-in page: an answer with a status, nothing by half."""

import copy
import json
import sqlite3
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import live
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from json_world import places

from spacy_hitl.dataset.store import Dataset
from spacy_hitl.records import Row
from spacy_hitl.settings import LaneSettings

BAD_TEXTS = ["", "\ud800", "\x00", "'; DROP TABLE texts; --", "../../etc/passwd", "\x1b[0m", "%"]
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 40),
    st.sampled_from([10**30, 2**63, 10**400, 0.5, float("nan"), float("inf"), -1e308]),
    st.sampled_from([*BAD_TEXTS, "product", "made", "accept", "PHONE", "P1", "Nebula", "x" * 300]),
)
ANY = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["spans", "cats", "product", "\ud800"]), inner)
    ),
    max_leaves=6,
)
SETTINGS = settings(max_examples=40, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[live.Client]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("hostile"))
        live.write_project()
        with live.server() as running:
            yield running.client()


@pytest.fixture(scope="module")
def screen(client: live.Client) -> Dict[str, Any]:
    screens: List[Dict[str, Any]] = client.next(8)["screens"]
    return next(s for s in screens if not s["blind"])


def decisions() -> List[Any]:
    connection = sqlite3.connect("datasets/hitl.db")
    try:
        return connection.execute("SELECT * FROM decisions ORDER BY id").fetchall()
    finally:
        connection.close()


def send(client: live.Client, path: str, value: Any) -> Tuple[int, Any]:
    """RETURNS: Status and JSON of an answer, whose JSON every browser reads."""
    reply = client.post(path, value)

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    return reply.status, json.loads(reply.body.decode("utf8"), parse_constant=refuse)


def damage(data: Any, value: Any) -> Any:
    """A value in which one or two places hold something else, or nothing."""
    value = copy.deepcopy(value)
    for path in data.draw(st.lists(st.sampled_from(places(value)), min_size=1, max_size=2)):
        inner = value
        try:
            for key in path[:-1]:
                inner = inner[key]
            if data.draw(st.booleans()):
                inner[path[-1]] = data.draw(ANY)
            else:
                del inner[path[-1]]
        except (KeyError, IndexError, TypeError):
            continue  # what led there is gone already
    return value


def test_answers(client: live.Client, screen: Dict[str, Any]) -> None:
    """Stored whole, or refused with a reason."""

    @SETTINGS
    @given(st.data())
    def check(data: Any) -> None:
        before = decisions()
        answer = damage(data, live.answer_to(screen))
        status, said = send(client, "/api/answers", {"answers": [answer]})
        assert status == 200, said
        new = decisions()[len(before) :]
        assert decisions()[: len(before)] == before
        if said["saved"]:
            assert not said["refused"]
            assert {row[2] for row in new} <= set(live.TASKS)
        else:
            assert new == []
            assert said["refused"][0]["error"].startswith(("[H205]", "[H206]", "[H208]"))

    check()


BODIES: Dict[str, Any] = {
    "answers": {"answers": []},
    "next": {"n": 1, "have": ["x"], "tab": "t", "closed": ["u"]},
    "undo": {"uid": "u1", "undoes": "u2"},
    "preference": {"uid": "u3", "digest": "d", "task": "product", "choice": "first"},
    "occurrences": {"task": "product", "form": "Nebula", "label": "PHONE", "after": 3},
    "propagate": {
        "uid": "u4",
        "task": "product",
        "form": "Nebula",
        "label": "PHONE",
        "ids": ["x:1:2"],
        "mode": "propagated",
    },
}


@pytest.mark.parametrize(
    "changes",
    [
        {"uid": "\ud800"},
        {"digest": "\ud800"},
        {"mode": "\ud800"},
        {"action": "\ud800"},
        {"tasks": {"\ud800": {}}},
        {"edits": {"\ud800": 1}, "uid": "u-edits"},
        {"edits": {"product": 10**400}, "uid": "u-huge"},
        {"edits": {"x" * 300: 1}, "uid": "u-long"},
        {"seconds": float("nan"), "uid": "u-nan"},
        {"seconds": 10**400, "uid": "u-seconds"},
    ],
    ids=repr,
)
def test_what_no_page_sends(
    client: live.Client, screen: Dict[str, Any], changes: Dict[str, Any]
) -> None:
    before = decisions()
    status, said = send(client, "/api/answers", {"answers": [live.answer_to(screen, **changes)]})
    assert status == 200, said
    assert bool(said["saved"]) != bool(said["refused"])
    assert bool(said["saved"]) == (decisions() != before)
    assert client.get("/api/history?n=50").status == 200  # what was stored can be shown
    assert client.get("/api/status").status == 200


@pytest.mark.parametrize("name", sorted(BODIES))
@pytest.mark.parametrize("value", ["\ud800", "\x00", 10**400, float("nan"), [[[]]]], ids=repr)
def test_every_field(name: str, value: Any, client: live.Client, screen: Dict[str, Any]) -> None:
    body = {**BODIES[name], "digest": screen["digest"], "start": 1, "end": 2}
    for key in body:
        status, said = send(client, f"/api/{name}", {**body, key: value})
        assert status in (200, 403, 404, 422), (key, said)


@pytest.mark.parametrize("name", sorted(BODIES))
def test_writes(name: str, client: live.Client, screen: Dict[str, Any]) -> None:
    body = BODIES[name]
    if name in ("preference", "occurrences"):
        body = {**body, "digest": screen["digest"], "start": 1, "end": 2}

    @SETTINGS
    @given(st.data())
    def check(data: Any) -> None:
        before = decisions()
        status, said = send(client, f"/api/{name}", damage(data, body))
        assert status in (200, 403, 404, 422), said
        if status != 200:
            assert said["error"].startswith("[H2"), said
            assert decisions() == before

    check()


READS = ["screen", "evidence", "catalog", "history", "consistency", "compare", "status", "flagged"]


@SETTINGS
@given(
    st.sampled_from(READS),
    st.dictionaries(
        st.sampled_from(["digest", "task", "n", "q", "offset"]),
        st.sampled_from(
            ["", "%00", "%ff", "%ed%a0%80", "-1", "9" * 400, "1e9", "product", "link", "'", "%25"]
        ),
    ),
)
def test_reads(client: live.Client, name: str, query: Dict[str, str]) -> None:
    words = "&".join(f"{key}={value}" for key, value in query.items())
    reply = client.get(f"/api/{name}?{words}")
    assert reply.status in (200, 403, 404, 422), reply.body
    assert reply.status == 200 or reply.json["error"].startswith("[H"), reply.body


@SETTINGS
@given(
    st.lists(st.sampled_from(["..", "%2e%2e", "%2f", "static", "api", "%00", "~", "*", "app.js"]))
)
def test_paths(client: live.Client, parts: List[str]) -> None:
    reply = client.get("/" + "/".join(parts))
    assert reply.status in (200, 307, 404, 405)
    assert reply.headers.get("location", client.url).startswith(client.url)
    assert b"Traceback" not in reply.body and b"root:" not in reply.body


@SETTINGS
@given(st.binary(max_size=60), st.sampled_from(["application/json", "text/json", "", "x" * 200]))
def test_bytes(client: live.Client, body: bytes, kind: str) -> None:
    before = decisions()
    for name in ("answers", "next", "undo"):
        headers = {"X-Hitl": "1", "Content-Type": kind}
        assert client.ask("POST", f"/api/{name}", body, headers).status in (400, 415)
    assert decisions() == before


def test_a_row_with_numbers_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python writes NaN into JSON, and reads it; browsers do not."""
    monkeypatch.chdir(tmp_path)
    live.write_project(train=0, gold=0)
    with Dataset(Path("datasets/hitl.db")) as dataset:
        meta = {"price": float("nan"), "all": [1.5, {"x": float("inf")}]}
        dataset.add_rows([Row("t", "n", live.text_of(1), "gold", meta)], LaneSettings())
    with live.server() as running:
        status, said = send(running.client(), "/api/next", {"n": 1, "tab": "t"})
    assert status == 200, said
    (screen,) = said["screens"]
    assert screen["rows"][0]["meta"] == {"price": None, "all": [1.5, {"x": None}]}


def test_the_server_goes_on(client: live.Client, screen: Dict[str, Any]) -> None:
    assert client.get("/api/session").status == 200
    assert client.answer(live.answer_to(screen))["refused"] == []
    connection = sqlite3.connect("datasets/hitl.db")
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    assert Path("datasets/hitl.db").stat().st_mode & 0o777 == 0o600
