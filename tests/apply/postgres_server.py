"""A PostgreSQL of the system's packages, started for the tests in a folder of its own."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, Optional

import pytest

MISSING = "no PostgreSQL: run scripts/postgres, or put initdb and postgres on the PATH"
USER = "postgres"


def find(program: str) -> Optional[str]:
    """The path of a program of PostgreSQL: Debian puts them on no PATH."""
    there = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    return str(there[-1]) if there else shutil.which(program)


def need() -> None:
    """Skip where there is no PostgreSQL; fail where everything should be there."""
    if find("initdb") and find("postgres"):
        return
    if os.environ.get("CI"):
        pytest.fail(MISSING)
    pytest.skip(MISSING)


@contextmanager
def started() -> Iterator[str]:
    """Yields the start of a URL: only the name of a database is missing."""
    need()
    # PostgreSQL refuses to run as root; the folders of pytest are closed to everybody else.
    who: Dict[str, Any] = {"user": USER, "group": USER} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="hitl-pg-"))
    try:
        if who:
            shutil.chown(folder, USER, USER)
        data = folder / "data"
        subprocess.run(
            [find("initdb"), "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True,
            capture_output=True,
            cwd=folder,
            **who,
        )
        options = ["-c", "listen_addresses=", "-c", "fsync=off", "-k", str(folder)]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [find("postgres"), "-D", str(data), *options], stderr=log, cwd=folder, **who
            )
            try:
                _wait(server, folder)
                yield f"postgresql://{USER}@/{{name}}?host={folder}"
            finally:
                server.send_signal(signal.SIGINT)  # end now; SIGTERM waits for all clients
                try:
                    server.wait(20)
                except subprocess.TimeoutExpired:
                    server.kill()
                    server.wait(60)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(server: "subprocess.Popen[bytes]", folder: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.poll() is None:
        if "ready to accept connections" in (folder / "log").read_text(errors="replace"):
            return
        time.sleep(0.05)
    pytest.fail(f"PostgreSQL did not start: {(folder / 'log').read_text(errors='replace')}")
