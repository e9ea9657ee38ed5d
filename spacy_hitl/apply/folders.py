"""A folder of results: what lies in it beside them, and who may write to it."""

import fcntl
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Dict, Iterator

from ..errors import Errors, InputError, StateError
from ..io import open_lock, read_json, remedy_for, write_json
from ..records import AppliedTo

RUN = "run.json"
LISTED = "errors.jsonl"
STATE = ".state"


@contextmanager
def locked(path: Path, *, name: str) -> Iterator[None]:
    """Hold a lock file: one process at a time does.

    path (Path): The file; made if it is not there, and left.
    name (str): What is written to, for the error message.
    RAISES (InputError): If another process holds it.
    RAISES (StateError): If it can't be opened.
    """
    try:
        lock = open_lock(path)
    except OSError as e:
        message = Errors.H007.format(path=path, detail=e, remedy=remedy_for(e))
        raise StateError(message) from e
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as e:
            raise InputError(Errors.H610.format(path=name)) from e
        yield


@contextmanager
def prepared(out: Path, applied: AppliedTo, *, overwrite: bool) -> Iterator[Path]:
    """Make the folder of results, or go on in it. One run at a time may write there.

    out (Path): The folder.
    applied (AppliedTo): What the results are of.
    overwrite (bool): Remove results of another run.
    YIELDS (Path): The folder for what is known of each shard.
    RAISES (InputError): If the folder is something else, of another run, or another run is at it.
    """
    state = out / STATE
    check_folder(out, applied, overwrite=overwrite)
    try:
        state.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise StateError(Errors.H007.format(path=out, detail=e, remedy=remedy_for(e))) from e
    with locked(state / "lock", name=str(out)):
        if overwrite and (out / RUN).exists():
            _remove_results(out)
        for torn in (*out.glob(".part-*"), *out.glob(".business-*"), *state.glob(".part-*")):
            torn.unlink(missing_ok=True)  # of a run that was killed
        write_json(out / RUN, applied.to_dict())
        yield state


def check_folder(out: Path, applied: AppliedTo, *, overwrite: bool) -> None:
    """RAISES (InputError): If a folder holds anything but results of the same run."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not (out / RUN).exists():
        if not out.is_dir() or any(path.name != STATE for path in out.iterdir()):
            raise InputError(Errors.H602.format(path=out))
        return
    different = _differences(out, applied)
    if different and not overwrite:
        raise InputError(Errors.H603.format(path=out, what=different))


def _differences(out: Path, applied: AppliedTo) -> str:
    path = out / RUN
    value = read_json(path, what="description of results")
    return difference(AppliedTo.from_dict(value, where=str(path)), applied)


def difference(there: AppliedTo, now: AppliedTo) -> str:
    """Say in which respects two runs differ: where their results can't be mixed.

    there (AppliedTo): The earlier run.
    now (AppliedTo): This run.
    RETURNS (str): For people; empty if they don't differ.
    """
    words: Dict[str, str] = {
        "pipeline_digest": "the pipeline is another or has changed",
        "source_digest": "the texts are others or have changed",
        "id_field": "another id field",
        "text_field": "another text field",
        "form": "another form",
        "shard_rows": "another number of rows per shard",
        "audit": "another share to audit",
        "code_digest": "the code is another or has changed",
        "business_digest": "the business logic is another, or a file that it names has changed",
    }
    found = [
        f"{words[f.name]} ({getattr(there, f.name)}, now {getattr(now, f.name)})"
        for f in fields(AppliedTo)
        if f.name in words and getattr(there, f.name) != getattr(now, f.name)
    ]
    return "; ".join(found)


def _remove_results(out: Path) -> None:
    for path in (*out.glob("part-*"), *out.glob("business-*"), out / LISTED, out / RUN):
        path.unlink(missing_ok=True)
    for path in (out / STATE).glob("part-*"):
        path.unlink()
