"""Sources that can't be cut where they stand: copied once into a file of lines for the run.

A Parquet file is read in groups of a million rows, a DocBin as a whole, a query once: none can be
entered in the middle. The copy is private, in the folder for temporary files, and removed.
"""

import json
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, Optional, Union

from spacy.tokens import DocBin
from spacy.vocab import Vocab

from .._compat import require
from ..errors import Errors, InputError
from ..io import find_file
from .sinks import ROW_KEY
from .sources import Fields, JsonlSource, Source, open_source

Record = Dict[str, Any]
ROWS_AT_ONCE = 1000


@dataclass(frozen=True)
class CopiedSource(JsonlSource):
    """Rows in a file of lines that go by the name of what they were copied from.

    title: the source of the rows. origin: for places: "origin:number of the row".
    """

    title: str = ""
    origin: str = ""

    @property
    def name(self) -> str:
        """What the rows were copied from."""
        return self.title

    @property
    def place(self) -> str:
        """What places begin with."""
        return self.origin


@contextmanager
def opened(
    texts: Union[str, Path], fields: Fields, *, query: Optional[str] = None
) -> Iterator[Source]:
    """Open texts, for as long as the block takes.

    texts (Union[str, Path]): A file, whose ending says what it is, or the URL of a database.
    fields (Fields): Names of the fields.
    query (Optional[str]): A SELECT, for a database.
    YIELDS (Source): The source.
    RAISES (InputError): If it can't be read, a field is missing, or a query has no database or a
        database no query.
    """
    found = str(texts)
    if "://" in found or query is not None:
        if "://" not in found or query is None:
            raise InputError(Errors.H616.format(texts=found.partition("://")[0]))
        require("sqlalchemy", extra="database")
        from .database.reading import masked_name, read_rows

        with _copied(lambda: read_rows(found, query, fields), fields, masked_name(found)) as source:
            yield source
        return
    path = Path(found)
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        yield open_source(path, fields)
        return
    find_file(path, what="texts")
    with _copied(lambda: reader(path, fields), fields, found) as source:
        yield source


@contextmanager
def _copied(
    read: Callable[[], Iterable[Record]], fields: Fields, origin: str
) -> Iterator[CopiedSource]:
    with tempfile.TemporaryDirectory(prefix="spacy-hitl-") as folder:
        path = Path(folder) / "texts.jsonl"
        with path.open("w", encoding="utf8") as file_:
            for record in read():
                # What JSON does not have (dates, decimals, bytes) becomes a string.
                file_.write(json.dumps(record, default=str) + "\n")
        title = origin if "://" in origin else Path(origin).name
        yield CopiedSource(path, fields, title, origin)


def _read_parquet(path: Path, fields: Fields) -> Iterator[Record]:
    require("pyarrow", extra="parquet")
    from .parquet import read_parquet

    yield from read_parquet(path, fields)


def _read_docbin(path: Path, fields: Fields) -> Iterator[Record]:
    """YIELDS (Record): Text and id of each document: the id of its row, if `apply` wrote it, else
    its number. What stands on it is left behind.
    """
    try:
        docs = list(DocBin().from_disk(path).get_docs(Vocab()))
    except Exception as e:  # msgpack, zlib and spaCy each have their own
        problem = f"no DocBin: {type(e).__name__}: {e}"
        raise InputError(Errors.H004.format(where=path, problem=problem)) from e
    for number, doc in enumerate(docs, start=1):
        row = doc.user_data.get(ROW_KEY)
        id_ = row.get("id") if isinstance(row, dict) else None
        yield {fields.id: str(number if id_ is None else id_), fields.text: doc.text}


READERS: Dict[str, Callable[[Path, Fields], Iterator[Record]]] = {
    ".parquet": _read_parquet,
    ".spacy": _read_docbin,
}
