"""Versions, and the link that production loads: at every moment the old version or the new one.

What is killed, loses its power or finds the disk full leaves production as it was, or swapped.
Everything is written beside its place, forced to the disk, and then renamed into it.
"""

import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Optional

from ..errors import Errors, InputError, StateError
from ..io import folder_digest, open_lock, read_json, remedy_for
from .history import PROMOTE, append_journal, journal_path

LOCK, UNFINISHED = ".lock", ".new-"


@contextmanager
def locked(link: Path, versions: Path) -> Iterator[None]:
    """Be the only one that writes versions; what killed runs left is taken away first.

    link (Path): What production loads.
    versions (Path): Where the versions are.
    RAISES (StateError): If another run is at work, or nothing can be written.
    RAISES (InputError): If something else is in the place of the link.
    """
    if link.exists() and not link.is_symlink():
        raise InputError(Errors.H503.format(path=link))
    try:
        for folder in (versions, link.parent):
            folder.mkdir(parents=True, exist_ok=True)
        # The system gives the lock back when the process ends, however that happens.
        with open_lock(versions / LOCK) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as e:
                raise StateError(Errors.H507.format(path=versions)) from e
            _clean(link, versions)
            yield
    except OSError as e:
        remedy = remedy_for(e)
        raise StateError(Errors.H007.format(path=link, detail=e, remedy=remedy)) from e


def _clean(link: Path, versions: Path) -> None:
    for folder in versions.glob(f"{UNFINISHED}*"):
        shutil.rmtree(folder)
    _temporary_link(link).unlink(missing_ok=True)
    for path in link.parent.glob(f".{journal_path(link).name}.*"):
        path.unlink()


def write_version(write: Callable[[Path], None], versions: Path) -> Path:
    """Make a folder versions/<digest>, whole or not at all.

    write (Callable[[Path], None]): Fills an empty folder.
    versions (Path): Where the versions are.
    RETURNS (Path): The new version, or the one with the same bytes that was there.
    RAISES (StateError): If one of that name was there and its bytes were changed.
    """
    temporary = Path(tempfile.mkdtemp(dir=versions, prefix=UNFINISHED))
    try:
        write(temporary)
        temporary.chmod(0o755)
        version = versions / name_of(temporary)
        if version.exists():
            check_version(version)
        else:
            _sync_below(temporary)
            temporary.rename(version)
            _sync(versions)
        return version
    finally:
        if temporary.exists():
            shutil.rmtree(temporary)


def name_of(folder: Path) -> str:
    """RETURNS (str): What a version with these bytes is called: 16 digits of their digest."""
    return folder_digest(folder)[:16]


def check_version(version: Path) -> None:
    """RAISES (StateError): If a version does not hold what its name says."""
    if name_of(version) != version.name:
        raise StateError(Errors.H508.format(path=version))


def current_version(link: Path) -> Optional[str]:
    """RETURNS (Optional[str]): Name of the folder that the link points to; None without a link."""
    return link.readlink().name if link.is_symlink() else None


def read_meta(version: Path) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): The meta.json of a pipeline; empty if it can't be read, or has
    another shape than spaCy and `write_signed` give it.
    """
    path = version / "meta.json"
    try:
        value = read_json(path, what="meta") if path.is_file() else {}
    except InputError:
        value = {}  # it does not hold what its name says then, which is told elsewhere
    return value if _is_meta(value) else {}


def _is_meta(value: Any) -> bool:
    hitl = value.get("hitl", {}) if isinstance(value, dict) else None
    if not isinstance(hitl, dict) or not isinstance(hitl.get("students", {}), dict):
        return False
    lists = [value.get("pipeline", []), hitl.get("prompted", [])]
    if not all(isinstance(names, list) for names in lists):
        return False
    names = [value.get("name", ""), value.get("version", ""), *lists[0], *lists[1]]
    students = hitl.get("students", {}).values()
    return all(isinstance(n, str) for n in names) and all(isinstance(s, dict) for s in students)


def swap(link: Path, version: Path, *, why: str = PROMOTE) -> None:
    """Point the link to a version; at every moment it points to the old or the new one.

    link (Path): What production loads.
    version (Path): A version.
    why (str): What the journal says: "promote" or "rollback".
    """
    before = current_version(link)
    target = os.path.relpath(version, link.parent)
    if before is not None and link.readlink() == Path(target):
        return
    append_journal(link, version.name, before, why=why)
    _sync(link.parent)
    temporary = _temporary_link(link)
    temporary.symlink_to(target, target_is_directory=True)
    temporary.replace(link)
    _sync(link.parent)


def _temporary_link(link: Path) -> Path:
    return link.with_name(f".{link.name}.new")


def _sync_below(folder: Path) -> None:
    for path in folder.rglob("*"):
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    """Wait until a file's bytes, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
