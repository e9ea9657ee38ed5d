"""Where results go. A shard's results are there whole or not at all; what is there is not redone.

Files: OUT is a folder, its ending says the form; every shard is one file in it, written under
another name and renamed. Records of business logic lie beside it, renamed before it: where the
results of a shard are, so are they.
"""

import json
from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import (
    Any,
    Callable,
    ContextManager,
    Dict,
    Iterator,
    List,
    Mapping,
    Optional,
    Protocol,
    Sequence,
    Set,
    Tuple,
    Type,
)

import srsly
from spacy.tokens import Doc, DocBin

from .._compat import require
from ..errors import Errors, InputError
from ..io import PRIVATE, read_jsonl, write_atomic, write_bytes, write_jsonl
from ..records import AppliedTo, FailedRow, Row
from .folders import LISTED, STATE, prepared
from .found import doc_to_record

Records = Sequence[Mapping[str, Any]]  # of one row, by [hitl.business]; None without
Add = Callable[[Row, Doc, Optional[Records]], None]
ROW_KEY = "hitl_row"

# What has to be known of a shard beside its results: rows without any, the counts of cascades,
# drawn texts that wait for the dataset.
ERRORS, DRIFT, AUDIT = "errors", "drift", "audit"


class Sink(Protocol):
    """Takes results, shard by shard. It is handed to other processes: it holds nothing open."""

    @property
    def form(self) -> str:
        """In which form results are written."""
        ...

    @property
    def name(self) -> str:
        """What it is called in messages."""
        ...

    @property
    def errors(self) -> str:
        """Where rows without results are listed."""
        ...

    def prepared(
        self, applied: AppliedTo, meta: Mapping[str, Any], *, overwrite: bool
    ) -> ContextManager["Sink"]:
        """Make ready for a run: what is there of the same run stays. Only one run at a time."""
        ...

    def done(self) -> Set[int]:
        """Numbers of the shards whose results are there."""
        ...

    def note(self, number: int, kind: str, notes: Sequence[Mapping[str, Any]]) -> None:
        """Keep what has to be known of a shard, in place of earlier notes of the kind."""
        ...

    def notes(self, kind: str, numbers: Sequence[int]) -> Iterator[Tuple[str, Dict[str, Any]]]:
        """Yield place and content of what was noted of finished shards, in their order."""
        ...

    def forget(self, kind: str, numbers: Sequence[int]) -> None:
        """Remove notes."""
        ...

    def finish(self, failed: Sequence[FailedRow], *, rows: int) -> None:
        """List the rows without results: all that could be done is done."""
        ...

    def shard(self, number: int) -> ContextManager[Add]:
        """Take the results of a shard: they are there once the block ends, and not before."""
        ...


@dataclass(frozen=True)
class FolderSink(ABC):
    """A folder with a file per shard: what the sinks that write files have in common."""

    folder: Path

    @property
    @abstractmethod
    def form(self) -> str:
        """In which form results are written."""

    @property
    def ending(self) -> str:
        """That of the files."""
        return self.form

    def path(self, number: int) -> Path:
        """RETURNS (Path): The file of a shard."""
        return self.folder / f"part-{number:05}.{self.ending}"

    @property
    def name(self) -> str:
        """The folder."""
        return str(self.folder)

    @property
    def errors(self) -> str:
        """The file that lists rows without results."""
        return str(self.folder / LISTED)

    @contextmanager
    def prepared(
        self, applied: AppliedTo, meta: Mapping[str, Any], *, overwrite: bool
    ) -> Iterator["FolderSink"]:
        """YIELDS (FolderSink): The same, once the folder is there and locked.
        RAISES (InputError): If the folder is something else, of another run, or another run is
            at it.
        """
        with prepared(self.folder, applied, overwrite=overwrite):
            yield self

    @abstractmethod
    def shard(self, number: int) -> ContextManager[Add]:
        """Take the results of a shard."""

    def done(self) -> Set[int]:
        """RETURNS (Set[int]): Numbers of the shards whose files are there."""
        names = (path.stem for path in self.folder.glob(f"part-*.{self.ending}"))
        numbers = (name.removeprefix("part-") for name in names)
        return {int(number) for number in numbers if number.isdecimal()}

    def note(self, number: int, kind: str, notes: Sequence[Mapping[str, Any]]) -> None:
        """Write notes to a file of their own."""
        write_jsonl(self._note_path(number, kind), map(dict, notes), mode=PRIVATE)

    def notes(self, kind: str, numbers: Sequence[int]) -> Iterator[Tuple[str, Dict[str, Any]]]:
        """YIELDS (Tuple[str, Dict[str, Any]]): Place and content."""
        for number in numbers:
            path = self._note_path(number, kind)
            if path.exists() or kind != AUDIT:  # only these are ever forgotten
                yield from read_jsonl(path, what=f"notes of {kind}")

    def forget(self, kind: str, numbers: Sequence[int]) -> None:
        """Remove the files."""
        for number in numbers:
            self._note_path(number, kind).unlink(missing_ok=True)

    def finish(self, failed: Sequence[FailedRow], *, rows: int) -> None:
        """Write the list of rows without results."""
        write_jsonl(self.folder / LISTED, (row.to_dict() for row in failed), mode=PRIVATE)

    def _note_path(self, number: int, kind: str) -> Path:
        return self.folder / STATE / f"part-{number:05}.{kind}.jsonl"

    def business_path(self, number: int) -> Path:
        """RETURNS (Path): The file with the records of business logic of a shard."""
        return self.folder / f"business-{number:05}.jsonl"

    @contextmanager
    def business(self, number: int) -> Iterator[Callable[[Row, Optional[Records]], None]]:
        """YIELDS (Callable[[Row, Optional[Records]], None]): Takes the records of a row. The file
        is there once the block ends, if there is business logic.
        """
        lines: Optional[List[bytes]] = None

        def add(row: Row, records: Optional[Records]) -> None:
            nonlocal lines
            if records is not None:
                lines = [] if lines is None else lines
                lines += [_line({"source": row.source, "id": row.id, **r}) for r in records]

        yield add
        if lines is not None:
            write_bytes(self.business_path(number), b"".join(lines))


@dataclass(frozen=True)
class JsonlSink(FolderSink):
    """Records as JSON lines."""

    form = "jsonl"

    @contextmanager
    def shard(self, number: int) -> Iterator[Add]:
        """YIELDS (Add): Takes a row and its document."""
        with write_atomic(self.path(number)) as file_, self.business(number) as add_records:

            def add(row: Row, doc: Doc, records: Optional[Records]) -> None:
                file_.write(_line(doc_to_record(doc, row).to_dict()))
                add_records(row, records)

            yield add


@dataclass(frozen=True)
class DocBinSink(FolderSink):
    """spaCy's DocBin: documents, with source and id of their row in `doc.user_data["hitl_row"]`."""

    form = "spacy"

    @contextmanager
    def shard(self, number: int) -> Iterator[Add]:
        """YIELDS (Add): Takes a row and its document."""
        docbin = DocBin(store_user_data=True)
        with self.business(number) as add_records:

            def add(row: Row, doc: Doc, records: Optional[Records]) -> None:
                # DocBin would keep half of a document whose user data it can't write.
                srsly.msgpack_dumps(doc.user_data)
                doc.user_data[ROW_KEY] = {"source": row.source, "id": row.id}
                docbin.add(doc)
                add_records(row, records)

            yield add
        with write_atomic(self.path(number)) as file_:
            file_.write(docbin.to_bytes())


def _line(record: Mapping[str, Any]) -> bytes:
    """RETURNS (bytes): A record as a line of JSON."""
    line = json.dumps(record, ensure_ascii=False, sort_keys=True) + "\n"
    return line.encode("utf8", "backslashreplace")


SINKS: Dict[str, Type[FolderSink]] = {"": JsonlSink, ".jsonl": JsonlSink, ".spacy": DocBinSink}


def open_sink(out: str, *, form: Optional[str] = None, code: Optional[Path] = None) -> Sink:
    """Find out where results go.

    out (str): A folder, whose ending says the form, or the URL of a database.
    form (Optional[str]): Registered name of a form of the user's own; `out` is a folder then.
    code (Optional[Path]): The file that registers it.
    RETURNS (Sink): The sink. Nothing is made yet.
    RAISES (InputError): If the form is unknown, or a package is missing that it needs.
    """
    if form is not None:
        from .registered import RegisteredSink, make_lines

        if "://" in out:
            detail = f"it writes files, and '{out}' is no folder"
            raise InputError(Errors.H618.format(name=form, detail=detail))
        make_lines(form, code)  # whether it can be made shows before anything is written
        return RegisteredSink(Path(out), form, code)
    if "://" in out:
        require("sqlalchemy", extra="database")
        from .database.sink import DatabaseSink

        return DatabaseSink.open(out)
    folder = Path(out)
    if folder.suffix.lower() == ".parquet":
        require("pyarrow", extra="parquet")
        from .parquet import ParquetSink

        return ParquetSink(folder)
    kind = SINKS.get(folder.suffix.lower())
    if kind is None:
        raise InputError(Errors.H600.format(path=out, form=folder.suffix))
    return kind(folder)
