"""Files in, files out: digests, JSON lines with line numbers, writes that happen whole or not."""

import errno
import hashlib
import json
import os
import secrets
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any, Dict, Iterable, Iterator, List, Mapping, Set, Tuple, TypeVar

from .errors import Errors, InputError, StateError

_T = TypeVar("_T")
PRIVATE = 0o600  # what the project keeps for itself: nobody else reads it
SHARED = 0o666  # what is made to be passed on: the umask decides
MAX_FIRST_LINE = 1_000_000  # bytes; what begins with a longer line is no JSONL file


def text_digest(text: str) -> str:
    """Identify a text by its exact characters.

    text (str): Any string.
    RETURNS (str): SHA-256 of the UTF-8 bytes, 64 hexadecimal digits.
    """
    return hashlib.sha256(text.encode("utf8", "surrogatepass")).hexdigest()


def canonical_json(value: Any) -> str:
    """Render a JSON value in one way only: sorted keys, no spaces, ASCII.

    >>> canonical_json({"b": [1, 2], "a": "é"})
    '{"a":"\\\\u00e9","b":[1,2]}'

    value (Any): Anything `json.dumps` accepts.
    RETURNS (str): Equal strings for equal values.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def json_digest(value: Any) -> str:
    """RETURNS (str): SHA-256 of the canonical JSON of a value, 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value).encode("ascii")).hexdigest()


def find_file(path: Path, *, what: str) -> Path:
    """RETURNS (Path): The path, if a file or folder is there.
    RAISES (InputError): If nothing is there.
    """
    if not path.exists():
        raise InputError(Errors.H001.format(what=what, path=path, cwd=Path.cwd()))
    return path


def read_text(path: Path, *, what: str) -> str:
    """RETURNS (str): The content of a UTF-8 file.
    RAISES (InputError): If the file is missing or not UTF-8.
    """
    try:
        return find_file(path, what=what).read_text(encoding="utf8")
    except (UnicodeDecodeError, OSError) as e:
        raise InputError(Errors.H004.format(where=path, problem=f"can't read it: {e}")) from e


def read_json(path: Path, *, what: str) -> Any:
    """RETURNS (Any): The value of a JSON file.
    RAISES (InputError): If the file is missing, not JSON in UTF-8, or nested too deep to be read.
    """
    text = read_text(path, what=what)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as e:
        raise InputError(Errors.H004.format(where=path, problem=f"not JSON: {e}")) from e


def read_jsonl(path: Path, *, what: str) -> Iterator[Tuple[str, Dict[str, Any]]]:
    """Read JSON objects, one per line; blank lines are skipped.

    path (Path): The file.
    what (str): What the file is, for the error message.
    YIELDS (Tuple[str, Dict[str, Any]]): "file:line" and the object.
    RAISES (InputError): If the file is missing or a line is not a JSON object in UTF-8.
    """
    try:
        opened = find_file(path, what=what).open("rb")
    except OSError as e:
        raise InputError(Errors.H004.format(where=path, problem=f"can't read it: {e}")) from e
    with opened as file_:
        for number, line in enumerate(file_, start=1):
            if not line.strip():
                continue
            where = f"{path}:{number}"
            try:
                record = json.loads(line.decode("utf8"))
            except (ValueError, RecursionError) as e:
                raise InputError(Errors.H002.format(where=where, detail=e)) from e
            if not isinstance(record, dict):
                detail = f"found {type(record).__name__}"
                raise InputError(Errors.H002.format(where=where, detail=detail))
            yield where, record


def check_text(text: str, *, where: str, max_chars: int) -> str:
    """Refuse a text that could not be stored and shown exactly as it is.

    text (str): The text.
    where (str): Where it comes from, for the error message.
    max_chars (int): Upper bound for its length in characters.
    RETURNS (str): The same text.
    RAISES (InputError): If it is empty, too long, or holds NUL or lone surrogates.
    """
    if not text.strip():
        raise InputError(Errors.H005.format(where=where, problem="is empty"))
    if len(text) > max_chars:
        raise InputError(Errors.H006.format(where=where, length=len(text), limit=max_chars))
    if "\x00" in text:
        problem = f"has a NUL character at offset {text.index(chr(0))}"
        raise InputError(Errors.H005.format(where=where, problem=problem))
    try:
        text.encode("utf8")
    except UnicodeEncodeError as e:
        problem = f"has a lone surrogate at offset {e.start}"
        raise InputError(Errors.H005.format(where=where, problem=problem)) from e
    return text


def remedy_for(error: Exception) -> str:
    """RETURNS (str): What a user can do about an error while writing."""
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    if full or "full" in str(error) or "disk I/O" in str(error):
        return "Free some disk space and run the command again; it goes on where it stopped."
    if isinstance(error, (IsADirectoryError, NotADirectoryError, FileExistsError)):
        return "A folder stands where a file has to be, or the other way round: give another path."
    return "Check the permissions of the folder and run the command again."


def write_bytes(path: Path, content: bytes) -> None:
    """Replace a file by new content, whole or not at all; missing parent folders are made.

    path (Path): The file.
    content (bytes): What it will hold.
    RAISES (StateError): If it can't be written (full disk, permissions); the old file stays.
    """
    with write_atomic(path) as file_:
        file_.write(content)


def open_lock(path: Path) -> IO[bytes]:
    """Open a lock file, to hold as long as it is open; it is made if it is not there.

    Only its owner can open it, so nobody else can hold it. A link in its place is not followed:
    whoever may write to the folder could have put it there.

    RETURNS (IO[bytes]): The file; its content is left as it is.
    RAISES (OSError): If it can't be opened, or is a link.
    """
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, PRIVATE), "r+b")


@contextmanager
def write_atomic(path: Path, *, mode: int = SHARED) -> Iterator[IO[bytes]]:
    """Open a file for writing that replaces the old one only when all was written.

    path (Path): The file; missing parent folders are made. A link in its place is replaced, never
        followed.
    mode (int): Who may read and write it, less what the umask takes away.
    YIELDS (IO[bytes]): A binary file.
    RAISES (StateError): If it can't be written (full disk, permissions); the old file stays.
    """
    temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}"
    made = False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        made = True
        with os.fdopen(handle, "wb") as file_:
            yield file_
            file_.flush()
            os.fsync(file_.fileno())
        temporary.replace(path)
    except OSError as e:
        message = Errors.H007.format(path=path, detail=e, remedy=remedy_for(e))
        raise StateError(message) from e
    finally:
        if made:
            temporary.unlink(missing_ok=True)


def write_jsonl(path: Path, records: Iterable[Dict[str, Any]], *, mode: int = SHARED) -> int:
    """Write records as JSON lines, whole or not at all.

    path (Path): The file.
    records (Iterable[Dict[str, Any]]): The records, in the order to write.
    mode (int): Who may read and write the file.
    RETURNS (int): How many were written.
    """
    count = 0
    with write_atomic(path, mode=mode) as file_:
        for record in records:
            line = json.dumps(record, ensure_ascii=False, sort_keys=True) + "\n"
            file_.write(line.encode("utf8", "backslashreplace"))
            count += 1
    return count


def write_json(path: Path, value: Any) -> None:
    """Write one indented JSON document, whole or not at all."""
    text = json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    write_bytes(path, text.encode("utf8", "backslashreplace"))


def file_digest(path: Path) -> str:
    """RETURNS (str): SHA-256 of a file's bytes, 64 hexadecimal digits."""
    with path.open("rb") as file_:
        return hashlib.file_digest(file_, "sha256").hexdigest()


def folder_digest(path: Path) -> str:
    """RETURNS (str): SHA-256 over the names and contents of all files below a folder."""
    files = sorted(p for p in path.rglob("*") if p.is_file())
    return json_digest(
        [
            [p.relative_to(path).as_posix(), hashlib.sha256(p.read_bytes()).hexdigest()]
            for p in files
        ]
    )


def folder_megabytes(path: Path) -> float:
    """RETURNS (float): Size of all files below a folder in megabytes (10^6 bytes)."""
    return sum(p.stat().st_size for p in path.rglob("*") if p.is_file()) / 1e6


def batched(items: Iterable[_T], size: int) -> Iterator[List[_T]]:
    """YIELDS (List[_T]): The items in lists of `size`; the last may be shorter.

    >>> list(batched("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    stream = iter(items)
    while batch := list(islice(stream, size)):
        yield batch


def strings_in(value: Any) -> Iterator[str]:
    """YIELDS (str): All strings in JSON-like values, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for v in value.values():
            yield from strings_in(v)
    elif isinstance(value, (list, tuple)):
        for v in value:
            yield from strings_in(v)


def first_keys(path: Path) -> Set[str]:
    """RETURNS (Set[str]): Keys of the first line, if a file begins like a JSONL file."""
    if not path.is_file():
        return set()
    with path.open("rb") as file_:
        line = file_.readline(MAX_FIRST_LINE)
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return set()
    return set(value) if isinstance(value, dict) else set()
