"""Run inside `unshare -n`, in a project: the short commands of docs/howto_closed_network.md."""

import fcntl
import http.client
import socket
import struct
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pages
import spacy

from spacy_hitl.review.server.run import review
from spacy_hitl.review.session.opening import Wanted

SET_FLAGS, UP = 0x8914, 1


def loopback_up():
    """What `ip link set lo up` does."""
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sh22x", b"lo", UP))


def is_closed():
    try:
        socket.create_connection(("192.0.2.1", 443), timeout=5).close()
    except OSError:
        return True
    return False


def reviewer(links):
    threading.Thread(target=open_and_finish, args=(links,), daemon=True).start()


def open_and_finish(links):
    """Follow a link, get the page, finish the session."""
    parts = urlsplit(links[0].url)
    line = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    line.request("GET", f"/?{parts.query}")
    entered = line.getresponse()
    entered.read()
    cookie = entered.getheader("set-cookie").partition(";")[0]
    origin = f"{parts.scheme}://{parts.netloc}"
    writes = {"X-Hitl": "1", "Content-Type": "application/json", "Origin": origin}
    for method, path, body, headers in (
        ("GET", "/", None, {}),
        ("POST", "/api/finish", "{}", writes),
    ):
        line.request(method, path, body, {"Cookie": cookie, **headers})
        answer = line.getresponse()
        answer.read()
        assert answer.status == 200, (path, answer.status)


def main():
    loopback_up()
    assert is_closed()
    shown = {command.split()[2]: command for command in pages.commands("closed_network")}
    pages.run_well(f"{shown['annotate']} --quiet")
    review(Path("configs/prototype.cfg"), Wanted(("ann",)), on_start=reviewer)
    pages.run_well("spacy hitl import configs/prototype.cfg assets/reference.jsonl")
    pages.run_well(shown["export"])
    Path("pipelines").mkdir()
    spacy.blank("en").to_disk("pipelines/phones")
    print(pages.run_well(f"{shown['apply']} --quiet"))


if __name__ == "__main__":
    main()
