"""Bad days of a review server: each has an answer for the user, and nothing is lost."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Set, Tuple
from urllib.parse import urlsplit

import forked
import live
import pytest
import srsly
from typer.testing import CliRunner

from spacy_hitl.annotate.run import annotate
from spacy_hitl.cli import hitl_cli
from spacy_hitl.review.server.address import Address, usual_port
from spacy_hitl.review.session.catalog import CatalogIndex
from spacy_hitl.tasks.linking.catalog import CatalogEntry

COMMAND = [sys.executable, "-m", "spacy", "hitl", "review", str(live.CONFIG), "--no-browser"]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> List[str]:
    monkeypatch.chdir(tmp_path)
    return live.write_project()


@contextmanager
def process(*options: str, names: Tuple[str, ...] = ("ann",)) -> Iterator[Any]:
    """`spacy hitl review` in a process of its own. YIELDS: The process, and the links by name."""
    who = [part for name in names for part in ("--annotator", name)]
    running = subprocess.Popen(
        [*COMMAND, *who, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert running.stdout is not None
    links: Dict[str, str] = {}
    lines: List[str] = []
    try:
        while len(links) < len(names):
            line = running.stdout.readline()
            assert line, "".join(lines)
            lines.append(line)
            found = re.match(r"(\w+) +(https?://\S+)", line)
            if found:
                links[found[1]] = found[2]
        yield running, links
    finally:
        running.kill()
        running.wait(60)
        running.stdout.close()


@contextmanager
def quick_process(names: Tuple[str, ...]) -> Iterator[Any]:
    """The same where it is only there to be killed: forked, its imports are done."""
    who = [part for name in names for part in ("--annotator", name)]
    log = Path("review.log")
    links: Dict[str, str] = {}
    running = forked.start("review", live.CONFIG, "--no-browser", *who, log=log)
    try:
        deadline = time.monotonic() + 60
        while len(links) < len(names):
            assert running.is_alive() and time.monotonic() < deadline, log.read_text()
            time.sleep(0.005)
            links = dict(re.findall(r"^(\w+) +(https?://\S+)\n", log.read_text(), re.MULTILINE))
        yield running, links
    finally:
        running.kill()
        running.join(60)


# Two at once


def test_a_second_server_says_where_the_first_is(fails: Callable[..., Any]) -> None:
    with live.server() as first:
        with fails("H200", first.url), live.server():
            pass
        assert first.client().get("/api/session").status == 200
    with live.server():  # after it, another may start
        pass


def test_annotating_meanwhile_is_refused(fails: Callable[..., Any]) -> None:
    srsly.write_jsonl("texts.jsonl", [{"id": "new", "text": "Some text."}])
    srsly.write_jsonl("none.jsonl", [])
    with live.server(), fails("H062"):
        annotate(live.CONFIG, Path("texts.jsonl"))


def test_a_server_that_was_killed_leaves_nothing_in_the_way() -> None:
    with process() as (running, links):
        client = live.open_link(links["ann"])
        (notice,) = Path("datasets").glob("*.review")
        assert notice.stat().st_mode & 0o777 == 0o600
        assert json.loads(notice.read_text()) == {"address": client.url}
        running.kill()
        running.wait(60)
        assert notice.exists()
    with live.server() as again:
        assert again.client().get("/api/session").status == 200
    assert not notice.exists()


# The end


def test_the_command_ends_with_0_when_the_session_is_finished() -> None:
    with process(names=("ann", "bo")) as (running, links):
        client = live.open_link(links["bo"])
        client.answer(live.answer_to(client.next()["screens"][0]))
        assert client.post("/api/finish", {}).status == 200
        out = running.stdout.read()
        assert running.wait(20) == 0
    assert f"{len(live.TASKS)} new decisions" in out
    assert "Traceback" not in out and "number" not in out
    assert len(live.stored()) == len(live.TASKS)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_it_keeps_what_was_stored(number: int) -> None:
    with process() as (running, links):
        client = live.open_link(links["ann"])
        client.answer(live.answer_to(client.next()["screens"][0]))
        running.send_signal(number)
        out = running.stdout.read()
        assert running.wait(20) == 130
    assert "Stopped. What was stored stays" in out and "Traceback" not in out
    assert len(live.stored()) == len(live.TASKS)
    assert not list(Path("datasets").glob("*.review"))


def test_nothing_is_printed_but_the_links() -> None:
    """Neither texts, nor the tokens of requests."""
    with process() as (running, links):
        client = live.open_link(links["ann"])
        client.next(3)
        client.get("/?token=wrong")
        client.get("/nothing?secret=1")
        client.ask(
            "POST", "/api/answers", b"{", {"X-Hitl": "1", "Content-Type": "application/json"}
        )
        client.post("/api/finish", {})
        out = running.stdout.read()
        assert running.wait(20) == 0
    assert urlsplit(links["ann"]).query not in out
    assert not re.search(r"wrong|secret|photos|127\.0\.0\.1", out), out


# Killed, and started again


def test_a_page_goes_on_after_a_restart() -> None:
    """The cookie holds, the port is the same, what was not sent yet is taken."""
    with process() as (running, links):
        client = live.open_link(links["ann"])
        one, two = client.next(2)["screens"]
        client.answer(live.answer_to(one))
        kept = live.answer_to(two)
        running.kill()
        running.wait(60)
        with pytest.raises(OSError):
            client.answer(kept)
    with process() as (_, links):
        assert client.url == f"http://{urlsplit(links['ann']).netloc}"
        assert client.answer(kept)["saved"] == [kept["uid"]]
        assert client.answer(kept)["saved"] == [kept["uid"]]
        assert client.get("/api/session").json["progress"]["mine"] == 2
        stranger = live.Client(client.url)
        assert stranger.get("/api/session").status == 401
    with process(names=("bo",)):  # who does not review any more is not let in
        assert client.get("/api/session").status == 401
    assert len(live.stored()) == 2 * len(live.TASKS)


@pytest.mark.parametrize("kills", [1, pytest.param(10, marks=pytest.mark.slow)])
def test_every_answer_that_was_acknowledged_is_there(kills: int) -> None:
    """SIGKILL under load, again and again."""
    live.write_project(train=400, gold=40, tasks=("product", "mood"))
    names = ("ann", "bo", "cy")
    clients: Dict[str, live.Client] = {}
    acknowledged: Set[str] = set()
    sent: Dict[str, str] = {}

    def work(client: live.Client, stop: threading.Event) -> None:
        waiting: Optional[Dict[str, Any]] = None
        while not stop.is_set():
            try:
                if waiting is None:
                    screens = client.next(1)["screens"]
                    if not screens:
                        return
                    waiting = live.answer_to(screens[0])
                    waiting["tasks"]["product"]["spans"] = [[1, 2, "PHONE"]]
                sent[waiting["uid"]] = waiting["digest"]
                acknowledged.update(client.answer(waiting)["saved"])
                waiting = None
            except (OSError, ValueError, live.http.client.HTTPException):
                time.sleep(0.01)

    for number in range(kills + 1):
        with quick_process(names) as (running, links):
            for name in names:
                if name not in clients:
                    clients[name] = live.open_link(links[name])
            stop = threading.Event()
            workers = [threading.Thread(target=work, args=(c, stop)) for c in clients.values()]
            for worker in workers:
                worker.start()
            before, end = len(acknowledged), time.time() + 20
            while len(acknowledged) < before + 8 and time.time() < end:
                time.sleep(0.005)
            assert len(acknowledged) >= before + 8
            if number < kills:
                running.kill()
                running.join(60)
            stop.set()
            for worker in workers:
                worker.join(20)
    rows = live.stored()
    stored = {row["uid"] for row in rows}
    assert acknowledged <= stored
    assert stored <= set(sent)
    for uid in stored:  # whole or not at all
        assert [r["task"] for r in rows if r["uid"] == uid] == ["product", "mood"]
    digests = [sent[uid] for uid in acknowledged]
    assert len(digests) == len(set(digests))  # no text was given to two people
    found = sqlite3.connect("datasets/hitl.db").execute("PRAGMA integrity_check").fetchone()
    assert found == ("ok",)


# No space


def test_a_full_disk_refuses_answers_until_there_is_space(small_disk: Any) -> None:
    shutil.copytree(".", small_disk.folder, dirs_exist_ok=True, ignore=lambda *_: ["disk"])
    with contextlib.chdir(small_disk.folder):
        with live.server() as running:
            client = running.client()
            one, two = client.next(2)["screens"]
            assert client.answer(live.answer_to(one))["refused"] == []
            kept = live.answer_to(two)
            small_disk.fill()
            try:
                replies = [client.post("/api/answers", {"answers": [kept]}) for _ in range(3)]
                other = running.client("bo")  # a new browser can still come in, and read
                assert other.get("/api/session").status == 200
                assert client.get("/api/history?n=5").status == 200
            finally:
                small_disk.free()
            for reply in replies:
                assert reply.status == 507, reply
                assert reply.json["error"].startswith("[H060]")
                assert "disk space" in reply.json["error"]
            assert client.answer(kept)["saved"] == [kept["uid"]]
            assert client.get("/api/session").json["progress"]["mine"] == 2
        assert len(live.stored()) == 2 * len(live.TASKS)


# Addresses


def test_other_machines_need_a_name(fails: Callable[..., Any]) -> None:
    for host in ("0.0.0.0", "::", "192.168.0.5"):
        with fails("H207", host), live.server(address=Address(host)):
            pass
    with live.server(address=Address("127.0.0.1", names=("review.lab",))) as running:
        client = live.Client(f"http://127.0.0.1:{urlsplit(running.url).port}")
        assert running.url.startswith("http://review.lab:")
        for host, status in (("review.lab", 401), ("127.0.0.1", 401), ("evil.example", 400)):
            assert client.ask("GET", "/", headers={"Host": host}).status == status
        token = urlsplit(running.links["ann"]).query
        client.cookie = client.get(f"/?{token}").headers["set-cookie"].partition(";")[0]
        assert client.post("/api/finish", {}, Origin="null").status == 403
        assert client.post("/api/finish", {}).status == 200
        running.thread.join(20)


def test_a_port_that_is_taken(fails: Callable[..., Any]) -> None:
    usual = usual_port(Path("datasets/hitl.db"))
    with socket.create_server(("127.0.0.1", usual)):
        with fails("H204", usual), live.server(address=Address(port=usual)):
            pass
        with live.server() as running:
            assert urlsplit(running.url).port != usual
    with live.server() as running:
        assert urlsplit(running.url).port == usual
    nowhere = Address("nowhere.invalid", names=("x",))
    with fails("H204", "nowhere.invalid"), live.server(address=nowhere):
        pass


def test_https(fails: Callable[..., Any], tmp_path: Path) -> None:
    with fails("H214", "cert.pem"), live.server(address=Address(certfile=Path("cert.pem"))):
        pass
    missing = Address(certfile=Path("cert.pem"), keyfile=Path("key.pem"))
    with fails("H001", "cert.pem"), live.server(address=missing):
        pass
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    make = "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2"
    subprocess.run(
        [*make.split(), "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True,
        capture_output=True,
    )
    with process(
        "--host", "localhost", "--ssl-certfile", "cert.pem", "--ssl-keyfile", "key.pem"
    ) as (_, links):
        assert links["ann"].startswith("https://localhost:")
        context = ssl.create_default_context(cafile="cert.pem")
        no_redirect = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=context), _Stay
        )
        reply = no_redirect.open(links["ann"])
        assert reply.status == 303 and "Secure" in reply.headers["Set-Cookie"]


class _Stay(urllib.request.HTTPErrorProcessor):
    def http_response(self, request: Any, response: Any) -> Any:
        return response

    https_response = http_response


# Configs and options


@pytest.mark.parametrize(
    "options, code",
    [
        (["--annotator", " ann"], "H202"),
        (["--annotator", "import:x"], "H202"),
        (["--annotator", ""], "H005"),
        (["--annotator", "x" * 61], "H006"),
        (["--task", "nothing"], "H130"),
        (["--label", "NOTHING"], "H203"),
        (["--against", "review.cfg"], "H216"),
        (["--host", "0.0.0.0"], "H207"),
    ],
)
def test_wrong_options_are_explained(options: List[str], code: str) -> None:
    done = CliRunner().invoke(hitl_cli, ["review", str(live.CONFIG), "--no-browser", *options])
    assert done.exit_code == 1, done.output
    assert f"[{code}]" in done.output


def test_without_a_dataset(fails: Callable[..., Any]) -> None:
    shutil.rmtree("datasets")
    with fails("H057"), live.server():
        pass
    assert not Path("datasets").exists()


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spacy_hitl._compat.find_spec", lambda name: None)
    done = CliRunner().invoke(hitl_cli, ["review", str(live.CONFIG)])
    assert done.exit_code == 1
    assert "[H009]" in done.output and "spacy-hitl[review]" in done.output.replace("\n", "")


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"accept": "a"}', '{"accept": [1]}', '{"accept": [""]}', "[" * 5000]
)
def test_keys_that_can_not_be_read(content: str, fails: Callable[..., Any]) -> None:
    Path("keys.json").write_text(content)
    live.write_project(review={"keys": "keys.json"})
    with fails("H209", "keys.json"), live.session():
        pass


def test_keys_are_told_to_the_page() -> None:
    Path("keys.json").write_text('{"accept": ["y", "Enter"]}')
    live.write_project(review={"keys": "keys.json", "single_letter_keys": False})
    with live.server() as running:
        told = running.client().get("/api/session").json
        assert told["keys"] == {"accept": ["y", "Enter"]} and not told["single_letter_keys"]


def test_a_router_that_fails_is_reported(fails: Callable[..., Any]) -> None:
    live.write_project(review={"router": {"@misc": "nothing.v1"}})
    with fails("H220"), live.server():
        pass


# Large things


def test_a_catalog_of_fifty_thousand_entries() -> None:
    entries = {
        f"Q{i}": CatalogEntry(f"Q{i}", f"Model {i:05}", (f"M-{i}", "the model"))
        for i in range(50_000)
    }
    index = CatalogIndex(entries)
    assert index.search("model 00042", count=5)[0].id == "Q42"
    assert index.search("Q49999", count=3)[0].id == "Q49999"
    assert [e.id for e in index.search("m-777", count=1)] == ["Q777"]
    assert len(index.search("m", count=20)) == 20 and len(index.search("", count=7)) == 7
    assert index.search("modle 12345", count=5)[0].id == "Q12345"  # a slip of the finger
    assert len(index.search("the model", count=50)) == 50
    assert index.search("\N{SNOWMAN}" * 300, count=5) == []
