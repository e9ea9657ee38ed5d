"""A new folder: all of it or nothing."""

import secrets
import shutil
from pathlib import Path
from typing import Mapping

from ..errors import Errors, InputError, StateError
from ..io import remedy_for, write_bytes


def check_free(path: Path) -> None:
    """RAISES (InputError): If something is there that is not an empty folder."""
    if path.is_symlink() or (path.exists() and not _is_empty(path)):
        raise InputError(Errors.H081.format(path=path))


def _is_empty(path: Path) -> bool:
    try:
        return path.is_dir() and not any(path.iterdir())
    except OSError:  # may not be read: then it is not known to be empty
        return False


def write_folder(path: Path, files: Mapping[str, str]) -> None:
    """Make a folder with files in it. They are written beside it, and it gets its name at the end.

    path (Path): The folder: not there yet, or empty. Missing parent folders are made.
    files (Mapping[str, str]): Content by path inside it.
    RAISES (InputError): If something is there.
    RAISES (StateError): If it can't be written. What was there stays as it was.
    """
    check_free(path)
    temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}"
    try:
        for name, content in files.items():
            write_bytes(temporary / name, content.encode("utf8"))
        # Takes the place of an empty folder and of nothing else, whoever came in between.
        temporary.rename(path)
    except OSError as e:
        check_free(path)
        message = Errors.H007.format(path=path, detail=e, remedy=remedy_for(e))
        raise StateError(message) from e
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
