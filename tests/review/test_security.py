"""Hosts, origins, links, cookies: pure checks."""

from typing import Dict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_hitl.review.server.security import (
    CONTENT_SECURITY_POLICY,
    Doorkeeper,
    Gate,
    host_name,
    is_loopback,
    secret_digest,
)


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8080", "localhost", "LOCALHOST:1", "[::1]:8080", "review.lab:443"]
)
def test_own_hosts(host: str) -> None:
    assert Gate(["review.lab"]).is_own_host(host)


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "evil.example",
        "127.0.0.1.evil.example",
        "evil.example:8080",
        "localhost@evil.example",
        "evil.example#localhost",
        "evil.example/localhost",
        "localhost:port",
        "192.168.0.7",
        "[::1",
    ],
)
def test_foreign_hosts(host: "str | None") -> None:
    assert not Gate().is_own_host(host)


@given(st.text(max_size=40))
def test_no_header_breaks_the_check(host: str) -> None:
    assert isinstance(host_name(host), str)


@pytest.mark.parametrize(
    "headers, own",
    [
        ({"host": "localhost:1", "origin": "http://localhost:1"}, True),
        ({"host": "localhost:1"}, True),
        ({"host": "localhost:1", "sec-fetch-site": "same-origin"}, True),
        ({"host": "localhost:1", "origin": "http://localhost:2"}, False),
        ({"host": "localhost:1", "origin": "http://evil.example"}, False),
        ({"host": "localhost:1", "origin": "null"}, False),
        ({"host": "localhost:1", "origin": "http://[::1"}, False),
        ({"host": "localhost:1", "sec-fetch-site": "cross-site"}, False),
        ({"host": "localhost:1", "sec-fetch-site": "none"}, False),
    ],
)
def test_origins(headers: Dict[str, str], own: bool) -> None:
    assert Gate().is_own_origin(headers) is own


@pytest.mark.parametrize(
    "host, own",
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("localhost", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("review.lab", False),
    ],
)
def test_loopback(host: str, own: bool) -> None:
    assert is_loopback(host) is own


def test_links_and_cookies() -> None:
    door = Doorkeeper(["ann", "bo"], {})
    ann, bo = door.make_token("ann"), door.make_token("bo")
    assert (door.open_with(ann), door.open_with(bo)) == ("ann", "bo")
    assert door.open_with(ann[:-1]) is None and door.open_with("") is None
    cookie = door.make_cookie("ann")
    assert door.who(cookie) == "ann"
    assert door.who(None) is None and door.who("") is None and door.who(ann) is None
    assert door.open_with(cookie) is None


def test_cookies_of_before_are_known_by_their_digest() -> None:
    known = {secret_digest("s1"): "ann", secret_digest("s2"): "old"}
    door = Doorkeeper(["ann", "bo"], known)
    assert door.who("s1") == "ann"
    assert door.who("s2") is None  # does not review in this session
    assert door.who(secret_digest("s1")) is None


def test_secrets_differ_and_are_not_kept() -> None:
    door = Doorkeeper(["ann"], {})
    secrets = {door.make_token("ann") for _ in range(20)} | {door.make_cookie("ann")}
    assert len(secrets) == 21 and all(len(s) >= 40 for s in secrets)
    assert not any(s in repr(vars(door)) for s in secrets)


def test_the_policy_allows_nothing_inline_and_nothing_foreign() -> None:
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none'")
    assert "unsafe" not in CONTENT_SECURITY_POLICY and "http" not in CONTENT_SECURITY_POLICY
    assert "frame-ancestors 'none'" in CONTENT_SECURITY_POLICY
