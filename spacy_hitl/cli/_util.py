"""What every command shares: errors without tracebacks."""

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Iterator, Optional

import typer
from wasabi import msg

from ..errors import Errors, HitlError, InputError

ConfigArgument = Annotated[
    Path, typer.Argument(help="Config of the prompted pipeline (.cfg), with a [hitl] section")
]
CodeOption = Annotated[
    Optional[Path],
    typer.Option("--code", "-c", help="Python file with registered functions to import first"),
]


@contextmanager
def friendly_errors() -> Iterator[None]:
    """Show a catalogued error as one message and end with exit code 1."""
    try:
        yield
    except HitlError as e:
        # Quoted input may hold what no terminal can show.
        msg.fail(str(e).encode("utf8", "backslashreplace").decode("utf8"), exits=1)
    except KeyboardInterrupt:
        msg.warn("Stopped. What was stored stays; run the command again to go on.")
        sys.exit(130)


def import_code(path: Optional[Path]) -> None:
    """Import a user's registered functions, as `spacy train --code` does.

    RAISES (InputError): If there is no such file.
    """
    from spacy.util import import_file

    from ..pipeline import hitl_llm  # noqa: F401  makes the registries a file may write into

    if path is None:
        return
    if not path.is_file():
        raise InputError(Errors.H001.format(what="code", path=path, cwd=Path.cwd()))
    import_file("python_code", path)
