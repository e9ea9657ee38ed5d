"""Where the server listens, and under which names it may be asked for."""

import hashlib
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Tuple

from ...errors import Errors, InputError
from .security import is_loopback

ANY = ("0.0.0.0", "::", "")  # noqa: S104 - told from the others, not listened on
PORTS = (20_000, 10_000)  # the first, and how many


@dataclass(frozen=True)
class Address:
    """Where the server listens, and how.

    host: "127.0.0.1" or another address of this machine. port: 0 for the one that belongs to the
    dataset. names: under which others may reach it. certfile, keyfile: for TLS.
    """

    host: str = "127.0.0.1"
    port: int = 0
    names: Tuple[str, ...] = ()
    certfile: Optional[Path] = None
    keyfile: Optional[Path] = None

    @property
    def secure(self) -> bool:
        """Whether it is served with TLS."""
        return self.certfile is not None

    @property
    def all_names(self) -> Tuple[str, ...]:
        """What a Host header may say, besides the names of this machine for itself."""
        return self.names if self.host in ANY else (self.host, *self.names)

    def check(self) -> None:
        """RAISES (InputError): If other machines could reach the server under any name, or TLS is
        set by half.
        """
        if not is_loopback(self.host) and not self.names:
            raise InputError(Errors.H207.format(host=self.host))
        if (self.certfile is None) != (self.keyfile is None):
            raise InputError(Errors.H214.format(given=self.certfile or self.keyfile))
        for path in (self.certfile, self.keyfile):
            if path is not None and not path.is_file():
                raise InputError(Errors.H001.format(what="file", path=path, cwd=Path.cwd()))

    def url(self, port: int) -> str:
        """RETURNS (str): What to open in a browser."""
        name = self.names[0] if self.names else self.host
        shown = f"[{name}]" if ":" in name else name
        return f"{'https' if self.secure else 'http'}://{shown}:{port}"


def place_digest(path: Path) -> str:
    """RETURNS (str): Stands for where a file is, without saying it."""
    return hashlib.sha256(str(path.resolve()).encode("utf8", "surrogateescape")).hexdigest()[:16]


def usual_port(path: Path) -> int:
    """RETURNS (int): The port that belongs to a dataset. A page in a browser then finds a server
    that was started again, and what it has not sent yet, which belongs to its host and port.
    """
    first, count = PORTS
    return first + int(place_digest(path), 16) % count


def listen(address: Address, dataset: Path) -> socket.socket:
    """Take the address.

    address (Address): Where.
    dataset (Path): Whose port is taken if none is given; another if that is taken.
    RETURNS (socket.socket): Bound and listening.
    RAISES (InputError): If the address can't be used.
    """
    ports = [address.port] if address.port else [usual_port(dataset), 0]
    problem: Optional[Exception] = None
    for port in ports:
        try:
            return _bind(address.host, port)
        except (OSError, UnicodeError) as e:
            problem = e
    raise InputError(Errors.H204.format(host=address.host, port=ports[0], detail=problem))


def _bind(host: str, port: int) -> socket.socket:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, place = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener
