"""A terminal in an empty folder, and a machine that has Python and nothing of this project."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Callable, List, Optional, Tuple

SECONDS = 240  # for one command, however busy the machine
LINK = re.compile(r"https?://\S+token=[\w-]+")
# What would lead from the test's environment into the reader's.
FOREIGN = ("PYTHON", "VIRTUAL_ENV", "PYTEST", "COV_")


class Terminal:
    """Runs one command after the other, as one shell does: `cd` and `source` last.

    wheel: installed where the page says "spacy-hitl". times: seconds by command.
    """

    def __init__(self, folder: Path, wheel: Path) -> None:
        self.folder = folder
        self.wheel = wheel
        self.times: List[Tuple[str, float]] = []
        self._state = folder.parent / f"{folder.name}-state"
        self._running: Optional[subprocess.Popen[str]] = None
        self._environment = {
            name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)
        }
        python = Path(sys.base_prefix) / "bin"
        self._environment.update(
            PATH=os.pathsep.join([str(python), "/usr/local/bin", "/usr/bin", "/bin"]),
            ANSI_COLORS_DISABLED="1",
            BROWSER="true",  # the page says that one opens; the test opens its own
            COLUMNS="100",
            LOGNAME="ann",
            OPENBLAS_NUM_THREADS="1",  # other tests want the other core
            PYTHONUNBUFFERED="1",
        )

    def run(self, command: str, on_link: Optional[Callable[[str], None]] = None) -> str:
        """Run a command.

        on_link (Optional[Callable[[str], None]]): Called with the first link that it prints, while
            it goes on.
        RETURNS (str): What it printed.
        """
        asked = command.replace('"spacy-hitl[', f'"{self.wheel}[')
        script = f"{asked} || exit\npwd > '{self._state}'\nenv -0 >> '{self._state}'\n"
        start = time.monotonic()
        self._running = process = subprocess.Popen(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf8",
            start_new_session=True,
        )
        limit = threading.Timer(SECONDS, self.close)
        limit.start()
        try:
            printed: List[str] = []
            assert process.stdout is not None
            for line in process.stdout:
                printed.append(line)
                found = LINK.search(line)
                if found and on_link:
                    on_link(found[0])
                    on_link = None
            code = process.wait()
        finally:
            limit.cancel()
            self.close()
        output = "".join(printed)
        assert code == 0, f"{command}\nended with {code}:\n{output}"
        assert on_link is None, f"{command}\nprinted no link:\n{output}"
        self.times.append((command, time.monotonic() - start))
        self._remember()
        return output

    def _remember(self) -> None:
        """The next command starts where this one ended."""
        place, _, variables = self._state.read_text(encoding="utf8").partition("\n")
        self.folder = Path(place)
        pairs = (pair.partition("=") for pair in variables.split("\0") if pair)
        self._environment = {name: value for name, _, value in pairs}

    def close(self) -> None:
        """End what runs, with all it started."""
        if self._running is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._running.pid, signal.SIGKILL)
            self._running.wait(60)
