"""One server per dataset: who comes second is told where the first one is."""

import json
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Iterator, Optional

from ...dataset.store import Dataset
from ...errors import Errors, StateError
from ...io import write_json


@contextmanager
def claim_dataset(path: Path) -> Iterator[Dataset]:
    """Open a dataset for a review session.

    path (Path): The dataset.
    YIELDS (Dataset): Open; every answer is on disk before it is acknowledged.
    RAISES (StateError): If there is none, or another process works on it; if that is a review
        server, the message says where it is.
    """
    if not path.exists():
        raise StateError(Errors.H057.format(path=path))
    dataset = Dataset(path, synchronous="FULL")
    try:
        dataset.db.open()
    except StateError as e:
        address = _running_at(path) if "H062" in str(e) else None
        if address is not None:
            raise StateError(Errors.H200.format(path=path, address=address)) from e
        raise
    try:
        yield dataset
    finally:
        dataset.db.close()


@contextmanager
def announced(dataset: Path, url: str) -> Iterator[None]:
    """Leave the server's address beside the dataset while it runs. A file that a killed server left
    is replaced: who holds the dataset's lock is the one that runs.
    """
    notice = _notice(dataset)
    write_json(notice, {"address": url})
    notice.chmod(0o600)
    try:
        yield
    finally:
        notice.unlink(missing_ok=True)


def _notice(dataset: Path) -> Path:
    return dataset.with_name(f"{dataset.name}.review")


def _running_at(dataset: Path) -> Optional[str]:
    """RETURNS (Optional[str]): Where the server that holds a dataset listens, if it is one."""
    with suppress(OSError, ValueError, RecursionError):
        value = json.loads(_notice(dataset).read_text(encoding="utf8"))
        if isinstance(value, dict) and isinstance(value.get("address"), str):
            return str(value["address"])
    return None
