"""A form of results of a user's own: a plain function from a document and its row to lines.

The function is registered in the file that --code names; --sink names it. Parts, their renaming,
going on after a stop and records of business logic are those of every folder of results.
"""

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterator, Optional, Union

from spacy.tokens import Doc
from spacy.util import registry

from ..errors import Errors, HitlError, InputError
from ..io import write_atomic
from ..records import Row
from .code import import_once
from .sinks import Add, FolderSink, Records

Lines = Callable[[Doc, Row], Union[str, bytes]]


@dataclass(frozen=True)
class RegisteredSink(FolderSink):
    """What a user's own function says of each row. Plain values: it is handed to other processes.

    form: the registered name of the function's maker. code: the file that registers it.
    """

    form: str = ""
    code: Optional[Path] = None

    @property
    def ending(self) -> str:
        """That of the folder."""
        return self.folder.suffix.removeprefix(".") or "out"

    @contextmanager
    def shard(self, number: int) -> Iterator[Add]:
        """YIELDS (Add): Takes a row and its document."""
        lines = make_lines(self.form, self.code)
        with write_atomic(self.path(number)) as file_, self.business(number) as add_records:

            def add(row: Row, doc: Doc, records: Optional[Records]) -> None:
                file_.write(lines(doc, row))
                add_records(row, records)

            yield add


def make_lines(name: str, code: Optional[Path]) -> Callable[[Doc, Row], bytes]:
    """Make the function that writes rows.

    name (str): Its registered maker.
    code (Optional[Path]): The file that registers it; imported.
    RETURNS (Callable[[Doc, Row], bytes]): The function; it raises what the user's raises, and
        TypeError where that gives neither str nor bytes. Then nothing of the row is written.
    RAISES (InputError): If there is none of that name, or it can't be made.
    """
    try:
        if code is not None:
            import_once(code)
        made: Any = registry.misc.get(name)()
    except HitlError:
        raise
    except Exception as e:  # a user's own file and maker may raise anything
        detail = f"{type(e).__name__}: {e}"
        raise InputError(Errors.H618.format(name=name, detail=detail)) from e
    if not callable(made):
        detail = f"its maker gave {type(made).__name__}, not something that can be called"
        raise InputError(Errors.H618.format(name=name, detail=detail))
    function: Lines = made

    def lines(doc: Doc, row: Row) -> bytes:
        found: Any = function(doc, row)
        if isinstance(found, str):
            return found.encode("utf8", "backslashreplace")
        if isinstance(found, bytes):
            return found
        raise TypeError(f"'{name}' gave {type(found).__name__}, expected str or bytes")

    return lines
