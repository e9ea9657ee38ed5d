"""Parquet: results in columns, and texts from columns."""

from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional

import pyarrow as pa
import pyarrow.parquet as pq
from spacy.tokens import Doc

from ..errors import Errors, InputError
from ..io import strings_in, write_atomic
from ..records import Row
from .found import doc_to_record
from .sinks import Add, FolderSink, Records
from .sources import Fields, check_columns

ROWS_AT_ONCE = 1000

_SPAN = pa.struct(
    [
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("label", pa.string()),
        ("kb_id", pa.string()),
        ("score", pa.float64()),
    ]
)
_RELATION = pa.struct(
    [
        *((f"{end}_{side}", pa.int32()) for end in ("head", "tail") for side in ("start", "end")),
        ("label", pa.string()),
        ("score", pa.float64()),
    ]
)
_CATEGORY = pa.struct([("label", pa.string()), ("score", pa.float64())])
_GROUP = pa.struct([("key", pa.string()), ("spans", pa.list_(_SPAN))])
_STATUS = pa.struct([("component", pa.string()), ("status", pa.string())])
SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("id", pa.string()),
        ("text_digest", pa.string()),
        ("ents", pa.list_(_SPAN)),
        ("cats", pa.list_(_CATEGORY)),
        ("spans", pa.list_(_GROUP)),
        ("relations", pa.list_(_RELATION)),
        ("unanswered", pa.list_(_STATUS)),
        ("abstained", pa.list_(pa.string())),
    ]
)


class ParquetSink(FolderSink):
    """Records in columns: the fields of the JSON lines, all of them in every row."""

    form = "parquet"

    @contextmanager
    def shard(self, number: int) -> Iterator[Add]:
        """YIELDS (Add): Takes a row and its document."""
        taken: List[Dict[str, Any]] = []
        with self.business(number) as add_records:

            def add(row: Row, doc: Doc, records: Optional[Records]) -> None:
                found = doc_to_record(doc, row)
                record = found.to_dict()
                for value in strings_in(record):
                    value.encode("utf8")  # half of a surrogate pair would lose the shard
                record["unanswered"] = [
                    {"component": name, "status": status} for name, status in found.unanswered
                ]
                taken.append({name: record.get(name, []) for name in SCHEMA.names})
                add_records(row, records)

            yield add
        with write_atomic(self.path(number)) as file_:
            pq.write_table(pa.Table.from_pylist(taken, schema=SCHEMA), file_)


def read_parquet(path: Path, fields: Fields) -> Iterator[Dict[str, Any]]:
    """Read the rows of a file.

    path (Path): The file.
    fields (Fields): Names of the columns that have to be there.
    YIELDS (Dict[str, Any]): The values of a row, by column.
    RAISES (InputError): If it is no Parquet file, or a column is missing.
    """
    try:
        with pq.ParquetFile(path) as file_:
            check_columns(path, file_.schema_arrow.names, fields)
            for batch in file_.iter_batches(ROWS_AT_ONCE):
                yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as e:
        problem = f"no Parquet file that can be read: {e}"
        raise InputError(Errors.H004.format(where=path, problem=problem)) from e
