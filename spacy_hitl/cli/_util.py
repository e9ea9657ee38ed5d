"""What every command shares: errors without tracebacks."""

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from wasabi import msg

from ..errors import HitlError


@contextmanager
def friendly_errors() -> Iterator[None]:
    """Show a catalogued error as one message and end with exit code 1."""
    try:
        yield
    except HitlError as e:
        msg.fail(str(e), exits=1)
    except KeyboardInterrupt:
        msg.warn("Stopped. What was stored stays; run the command again to go on.")
        sys.exit(130)


def show_file(label: str, path: Path) -> None:
    """Tell where a result was written."""
    msg.good(f"{label}: {path}")
