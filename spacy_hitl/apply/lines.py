"""Files as lines whose places are known, and rows cut into runs."""

from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Iterator, Optional, Tuple

from ..errors import Errors, InputError

BOM = b"\xef\xbb\xbf"


class Lines:
    """The lines of a file, and where it stands. A mark at the beginning of the file is no text.

    file_ (IO[bytes]): Open, at `offset`.
    offset (int): Bytes read so far. number (int): Lines read so far.
    on_line: Sees every line as it is in the file.
    """

    def __init__(
        self, file_: IO[bytes], *, offset: int = 0, number: int = 0, on_line: Any = None
    ) -> None:
        self._file = file_
        self._on_line = on_line
        self.offset = offset
        self.number = number

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> bytes:
        line = self._file.readline()
        if not line:
            raise StopIteration
        if self._on_line is not None:
            self._on_line(line)
        at_start = self.offset == 0
        self.offset += len(line)
        self.number += 1
        return line.removeprefix(BOM) if at_start else line


def cut(places: Iterator[Tuple[int, int]], size: int) -> Iterator[Tuple[int, int, int]]:
    """Cut rows into runs.

    places (Iterator[Tuple[int, int]]): Offset and line of each row.
    size (int): Rows per run, at least 1.
    YIELDS (Tuple[int, int, int]): Offset and line of the first row of each run, and its rows.

    >>> list(cut(iter([(0, 1), (9, 2), (20, 4)]), 2))
    [(0, 1, 2), (20, 4, 1)]
    """
    start, rows = None, 0
    for place in places:
        start = start or place
        rows += 1
        if rows == size:
            yield (*start, rows)
            start, rows = None, 0
    if start is not None:
        yield (*start, rows)


def decode(line: bytes) -> str:
    """RETURNS (str): A line as text; bytes that are no UTF-8 become lone surrogates."""
    return line.decode("utf8", "surrogateescape")


@contextmanager
def reading(path: Path) -> Iterator[IO[bytes]]:
    """YIELDS (IO[bytes]): A file, open for reading.
    RAISES (InputError): If it can't be read.
    """
    opened: Optional[IO[bytes]] = None
    try:
        opened = path.open("rb")
        yield opened
    except OSError as e:
        raise InputError(Errors.H004.format(where=path, problem=f"can't read it: {e}")) from e
    finally:
        if opened is not None:
            opened.close()
