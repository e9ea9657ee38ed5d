"""Who may ask: hosts, origins, links and cookies. Pure: no HTTP, no clock, no dataset."""

import hashlib
import hmac
import ipaddress
import secrets
from typing import Dict, FrozenSet, Iterable, Mapping, Optional
from urllib.parse import urlsplit

LOOPBACK = ("localhost", "127.0.0.1", "::1")
HEADER = "x-hitl"  # a header that no form and no foreign page can send
LOGIN_DAYS = 30

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


def new_secret() -> str:
    """RETURNS (str): 256 random bits, safe in a URL and a cookie."""
    return secrets.token_urlsafe(32)


def secret_digest(secret: str) -> str:
    """RETURNS (str): What is kept of a secret."""
    return hashlib.sha256(secret.encode("utf8", "backslashreplace")).hexdigest()


def is_loopback(host: str) -> bool:
    """RETURNS (bool): Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def host_name(header: str) -> str:
    """RETURNS (str): The name in a Host header, without its port; empty if it is none."""
    try:
        parts = urlsplit(f"//{header}")
        _ = parts.port  # refuses what is no number
    except ValueError:
        return ""
    if parts.path or parts.query or parts.fragment or "@" in header:
        return ""
    return (parts.hostname or "").lower().rstrip(".")


class Gate:
    """Which requests come from the page itself.

    hosts (Iterable[str]): Names and addresses, besides this machine's own, that the page is
        served under.
    """

    def __init__(self, hosts: Iterable[str] = ()) -> None:
        self._hosts: FrozenSet[str] = frozenset(
            h.lower().strip("[]").rstrip(".") for h in (*LOOPBACK, *hosts)
        )

    def is_own_host(self, host: Optional[str]) -> bool:
        """RETURNS (bool): Whether a Host header names this server. A foreign name that leads here
        (DNS rebinding) does not.
        """
        return host is not None and host_name(host) in self._hosts

    def is_own_origin(self, headers: Mapping[str, str]) -> bool:
        """RETURNS (bool): Whether a write comes from the page. Programs send no Origin; a browser
        always does.
        """
        if headers.get("sec-fetch-site") not in (None, "same-origin"):
            return False
        origin = headers.get("origin")
        if origin is None:
            return True
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        return parts.scheme in ("http", "https") and parts.netloc == headers.get("host")


class Doorkeeper:
    """Links and cookies of the annotators.

    A link's token is exchanged for a cookie. Of both only digests are kept: those of the tokens in
    memory, those of the cookies wherever the caller stores them.

    annotators (Iterable[str]): Who may come in.
    logins (Mapping[str, str]): Annotators by digest of the cookies that were given out before.
    """

    def __init__(self, annotators: Iterable[str], logins: Mapping[str, str]) -> None:
        self._names = tuple(annotators)
        self._tokens: Dict[str, str] = {}
        self._logins = {d: name for d, name in logins.items() if name in self._names}

    def make_token(self, annotator: str) -> str:
        """RETURNS (str): A new token for an annotator's link."""
        token = new_secret()
        self._tokens[secret_digest(token)] = annotator
        return token

    def open_with(self, token: str) -> Optional[str]:
        """RETURNS (Optional[str]): Whose link it is."""
        return _find(self._tokens, token)

    def make_cookie(self, annotator: str) -> str:
        """RETURNS (str): The value of a new cookie; the caller stores its digest."""
        secret = new_secret()
        self._logins[secret_digest(secret)] = annotator
        return secret

    def who(self, cookie: Optional[str]) -> Optional[str]:
        """RETURNS (Optional[str]): Whose cookie it is."""
        return None if not cookie else _find(self._logins, cookie)


def _find(known: Mapping[str, str], secret: str) -> Optional[str]:
    """Compare with all, always: how long it takes says nothing about the secret."""
    digest, found = secret_digest(secret), None
    for one, name in known.items():
        if hmac.compare_digest(one, digest):
            found = name
    return found
