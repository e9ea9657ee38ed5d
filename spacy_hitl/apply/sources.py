"""Where texts come from: files cut into shards, which anybody can read on their own.

A file is read once to cut it: the places where shards begin, and a digest of everything. What is
read afterwards is read shard by shard, so that memory does not grow with the file.
"""

import csv
import hashlib
import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Iterator, List, Protocol, Tuple, Union

from ..errors import Errors, InputError
from ..io import find_file
from ..records import FailedRow, Row
from .lines import Lines, cut, decode, reading


@dataclass(frozen=True)
class Shard:
    """A run of rows that is read, annotated and written as one.

    offset: where it begins, for the source that made it (bytes, in files). first: number of its
    first line, from 1. rows: how many it has, those that can't be read included.
    """

    number: int
    offset: int
    first: int
    rows: int


@dataclass(frozen=True)
class Scan:
    """What a source holds. digest: SHA-256 of all of it."""

    digest: str
    size: int
    shards: Tuple[Shard, ...]

    @property
    def rows(self) -> int:
        """All rows."""
        return sum(shard.rows for shard in self.shards)


@dataclass(frozen=True)
class Fields:
    """Names of the fields with id and text. Without an id field, rows are numbered by line."""

    id: str = "id"
    text: str = "text"


class Source(Protocol):
    """Texts to annotate. It is handed to other processes, so it holds no open file."""

    @property
    def name(self) -> str:
        """What it is called: the source of its rows."""
        ...

    def scan(self, shard_rows: int) -> Scan:
        """Cut the rows into shards: the same for the same content and number of rows."""
        ...

    def rows(self, shard: Shard) -> Iterator[Tuple[str, Union[Row, FailedRow]]]:
        """Yield place and row for each row of a shard; one that can't be read says why."""
        ...


def open_source(path: Path, fields: Fields) -> Source:
    """Find out how to read a file.

    path (Path): The file; its ending says what it is.
    fields (Fields): Names of the fields, for forms that have any.
    RETURNS (Source): The source. Only the names of columns were read.
    RAISES (InputError): If there is no such file, its form is unknown, or a column is missing.
    """
    find_file(path, what="texts")
    form = path.suffix.lower()
    if form == ".jsonl":
        return JsonlSource(path, fields)
    if form == ".txt":
        return TextSource(path)
    if form in (".csv", ".tsv"):
        return _open_csv(path, fields, "\t" if form == ".tsv" else ",")
    raise InputError(Errors.H601.format(path=path, form=form or "without an ending"))


@dataclass(frozen=True)
class _FileSource(ABC):
    """A file that is cut by the places of its rows."""

    path: Path

    @property
    def name(self) -> str:
        """The file's name: the source of its rows."""
        return self.path.name

    @property
    def place(self) -> str:
        """What the places of rows begin with."""
        return str(self.path)

    def scan(self, shard_rows: int) -> Scan:
        """RETURNS (Scan): The shards of the file."""
        sha = hashlib.sha256()
        size, shards = 0, []
        with reading(self.path) as file_:
            lines = Lines(file_, on_line=sha.update)
            for number, (offset, first, rows) in enumerate(cut(self._places(lines), shard_rows)):
                shards.append(Shard(number, offset, first, rows))
            size = lines.offset
        return Scan(sha.hexdigest(), size, tuple(shards))

    def _places(self, lines: "Lines") -> Iterator[Tuple[int, int]]:
        """YIELDS (Tuple[int, int]): Offset and line number of every row."""
        while True:
            offset, number = lines.offset, lines.number + 1
            line = next(lines, None)
            if line is None:
                return
            if line.strip():
                yield offset, number

    @abstractmethod
    def rows(self, shard: Shard) -> Iterator[Tuple[str, Union[Row, FailedRow]]]:
        """Yield place and row for each row of a shard."""


@dataclass(frozen=True)
class _LineSource(_FileSource):
    """A row is a line."""

    def rows(self, shard: Shard) -> Iterator[Tuple[str, Union[Row, FailedRow]]]:
        """YIELDS (Tuple[str, Union[Row, FailedRow]]): "file:line" and the row, or why not."""
        with reading(self.path) as file_:
            file_.seek(shard.offset)
            lines = Lines(file_, offset=shard.offset, number=shard.first - 1)
            left = shard.rows
            while left:
                line = next(lines, None)
                if line is None:
                    raise InputError(Errors.H609.format(path=self.path))
                if line.strip():
                    left -= 1
                    where = f"{self.place}:{lines.number}"
                    yield where, self._row(line, lines.number, where)

    @abstractmethod
    def _row(self, line: bytes, number: int, where: str) -> Union[Row, FailedRow]:
        """RETURNS (Union[Row, FailedRow]): The row of a line, or why there is none."""


@dataclass(frozen=True)
class JsonlSource(_LineSource):
    """JSON lines; all fields but id and text are the row's meta."""

    fields: Fields = Fields()

    def _row(self, line: bytes, number: int, where: str) -> Union[Row, FailedRow]:
        try:
            record = json.loads(line.decode("utf8"))
        except (ValueError, RecursionError) as e:
            return FailedRow(where, f"no JSON in UTF-8: {e}")
        if not isinstance(record, dict):
            return FailedRow(where, f"no JSON object, but {type(record).__name__}")
        return make_row(record, self.fields, source=self.name, number=number, where=where)


@dataclass(frozen=True)
class TextSource(_LineSource):
    """One text per line; its number is its id."""

    def _row(self, line: bytes, number: int, where: str) -> Union[Row, FailedRow]:
        try:
            text = line.rstrip(b"\r\n").decode("utf8")
        except UnicodeDecodeError as e:
            return FailedRow(where, f"not UTF-8: {e}", id=str(number))
        return Row(self.name, str(number), text)


@dataclass(frozen=True)
class CsvSource(_FileSource):
    """Comma or tab separated, as the csv module reads it: quotes, also around line breaks."""

    fields: Fields = Fields()
    delimiter: str = ","
    columns: Tuple[str, ...] = field(default=())

    def _places(self, lines: "Lines") -> Iterator[Tuple[int, int]]:
        for place, _ in self._records(lines, header=True):
            yield place

    def rows(self, shard: Shard) -> Iterator[Tuple[str, Union[Row, FailedRow]]]:
        """YIELDS (Tuple[str, Union[Row, FailedRow]]): "file:line" and the row, or why not."""
        with reading(self.path) as file_:
            file_.seek(shard.offset)
            lines = Lines(file_, offset=shard.offset, number=shard.first - 1)
            records = self._records(lines, header=False)
            for _ in range(shard.rows):
                found = next(records, None)
                if found is None:
                    raise InputError(Errors.H609.format(path=self.path))
                (_, number), values = found
                where = f"{self.path}:{number}"
                yield where, self._csv_row(values, number, where)

    def _csv_row(
        self, values: Union[List[str], str], number: int, where: str
    ) -> Union[Row, FailedRow]:
        if isinstance(values, str):
            return FailedRow(where, values)
        if len(values) != len(self.columns):
            return FailedRow(where, f"{len(values)} values for {len(self.columns)} columns")
        record = dict(zip(self.columns, values, strict=True))
        return make_row(record, self.fields, source=self.name, number=number, where=where)

    def _records(
        self, lines: "Lines", *, header: bool
    ) -> Iterator[Tuple[Tuple[int, int], Union[List[str], str]]]:
        """Yield place and values of every record, or what is wrong with it."""
        reader = csv.reader(map(decode, lines), delimiter=self.delimiter)
        while True:
            place = (lines.offset, lines.number + 1)
            values: Union[List[str], str]
            try:
                values = next(reader)
            except StopIteration:
                return
            except csv.Error as e:
                values = f"no CSV: {e}"
            if not values:
                continue
            if header:
                header = False
                continue
            yield place, values


def _open_csv(path: Path, fields: Fields, delimiter: str) -> CsvSource:
    with reading(path) as file_:
        columns = next(csv.reader(map(decode, Lines(file_)), delimiter=delimiter), [])
    check_columns(path, columns, fields)
    return CsvSource(path, fields, delimiter, tuple(columns))


def check_columns(path: object, names: List[str], fields: Fields) -> None:
    """RAISES (InputError): If a column is missing; an empty name asks for none."""
    for option, name in (("id-field", fields.id), ("text-field", fields.text)):
        if name not in names and not (option == "id-field" and not name):
            known = ", ".join(names) or "none"
            raise InputError(
                Errors.H608.format(path=path, field=name, columns=known, option=option)
            )


def make_row(
    record: Dict[str, Any], fields: Fields, *, source: str, number: int, where: str
) -> Union[Row, FailedRow]:
    """Make a row of the fields of a record.

    record (Dict[str, Any]): Fields by name.
    fields (Fields): Names of the fields with id and text.
    source (str): Where it comes from. number (int): Its line. where (str): Both, for people.
    RETURNS (Union[Row, FailedRow]): The row with all other fields as its meta; or what is missing.
    """
    id_ = record.get(fields.id) if fields.id else str(number)
    if isinstance(id_, int) and not isinstance(id_, bool):
        id_ = str(id_)
    if not isinstance(id_, str) or not id_:
        return FailedRow(where, f"no id in field '{fields.id}'")
    text = record.get(fields.text)
    if not isinstance(text, str):
        return FailedRow(where, f"no text in field '{fields.text}'", id=id_)
    meta = {k: v for k, v in record.items() if k not in (fields.id, fields.text)}
    return Row(source, id_, text, meta=meta or None)
