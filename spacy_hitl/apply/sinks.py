"""Where results go. A shard's results are there whole or not at all; what is there is not redone.

Files: OUT is a folder, its ending says the form; every shard is one file in it, written under
another name and renamed.
"""

import json
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, ContextManager, Dict, Iterator, Protocol, Type

import srsly
from spacy.tokens import Doc, DocBin

from ..errors import Errors, InputError
from ..io import write_atomic
from ..records import Row
from .found import doc_to_record

Add = Callable[[Row, Doc], None]
ROW_KEY = "hitl_row"


class Sink(Protocol):
    """Takes results, shard by shard. It is handed to other processes: it holds nothing open."""

    form: str

    def is_done(self, number: int) -> bool:
        """Whether the results of a shard are there."""
        ...

    def shard(self, number: int) -> ContextManager[Add]:
        """Take the results of a shard: they are there once the block ends, and not before."""
        ...


@dataclass(frozen=True)
class _FolderSink:
    folder: Path
    form = ""

    def path(self, number: int) -> Path:
        """RETURNS (Path): The file of a shard."""
        return self.folder / f"part-{number:05}.{self.form}"

    def is_done(self, number: int) -> bool:
        """RETURNS (bool): Whether the results of a shard are there."""
        return self.path(number).exists()


@dataclass(frozen=True)
class JsonlSink(_FolderSink):
    """Records as JSON lines."""

    form = "jsonl"

    @contextmanager
    def shard(self, number: int) -> Iterator[Add]:
        """YIELDS (Add): Takes a row and its document."""
        with write_atomic(self.path(number)) as file_:

            def add(row: Row, doc: Doc) -> None:
                record = doc_to_record(doc, row).to_dict()
                line = json.dumps(record, ensure_ascii=False, sort_keys=True) + "\n"
                file_.write(line.encode("utf8", "backslashreplace"))

            yield add


@dataclass(frozen=True)
class DocBinSink(_FolderSink):
    """spaCy's DocBin: documents, with source and id of their row in `doc.user_data["hitl_row"]`."""

    form = "spacy"

    @contextmanager
    def shard(self, number: int) -> Iterator[Add]:
        """YIELDS (Add): Takes a row and its document."""
        docbin = DocBin(store_user_data=True)

        def add(row: Row, doc: Doc) -> None:
            # DocBin would keep half of a document whose user data it can't write.
            srsly.msgpack_dumps(doc.user_data)
            doc.user_data[ROW_KEY] = {"source": row.source, "id": row.id}
            docbin.add(doc)

        yield add
        with write_atomic(self.path(number)) as file_:
            file_.write(docbin.to_bytes())


SINKS: Dict[str, Type[_FolderSink]] = {"": JsonlSink, ".jsonl": JsonlSink, ".spacy": DocBinSink}


def open_sink(out: Path) -> Sink:
    """RETURNS (Sink): The sink for a place, by its form. Nothing is made yet.
    RAISES (InputError): If the form is unknown.
    """
    kind = SINKS.get(out.suffix.lower())
    if kind is None:
        raise InputError(Errors.H600.format(path=out, form=out.suffix))
    sink: Sink = kind(out)  # type: ignore[assignment]
    return sink
