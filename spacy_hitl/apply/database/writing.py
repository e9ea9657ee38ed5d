"""A shard into the tables, inside a transaction that somebody else begins and ends."""

from typing import Any, Dict, Iterator, List, Sequence

from sqlalchemy import Connection, Table, delete, func, insert, select

from ...io import batched
from ...records import FailedRow
from .tables import OF_ROWS, failures, rows, shards
from .values import Values, plain

AT_ONCE = 500  # keys in one question: SQLite takes 32,766 values, older ones 999
TAKEN = "another row of the same source has the same id; the first one counts"


def write_shard(connection: Connection, run: str, number: int, taken: Sequence[Values]) -> None:
    """Write a shard, once. Results of an earlier run for the same row and pipeline are replaced.

    Of several rows with one id the first in the input counts, in whatever order their shards are
    written; the others are listed.

    connection (Connection): In a transaction; no other one writes to the run meanwhile.
    run (str): Key of the run. number (int): Of the shard.
    taken (Sequence[Values]): The values of each row, in the order of the input.
    """
    query = select(shards.c.shard).where(shards.c.run_id == run, shards.c.shard == number)
    if connection.scalar(query) is not None:
        return  # a worker that was believed dead has written it
    first: Dict[str, Values] = {}
    twice: List[FailedRow] = []
    for values in taken:
        key = values.row["row_key"]
        if key in first:
            twice.append(_taken(values.row))
        else:
            first[key] = values
    gone: List[str] = []
    for there in _there(connection, list(first)):
        if there["run_id"] != run or there["shard"] > number:
            gone.append(there["row_key"])
        else:
            twice.append(_taken(first.pop(there["row_key"]).row))
        if there["run_id"] == run and there["shard"] > number:
            add_failures(connection, run, there["shard"], [_taken(there)])
    for keys in batched(gone, AT_ONCE):
        connection.execute(delete(rows).where(rows.c.row_key.in_(keys)))
    _insert(connection, rows, [values.row for values in first.values()])
    for table in OF_ROWS:
        _insert(connection, table, [v for values in first.values() for v in values.of[table]])
    add_failures(connection, run, number, sorted(twice, key=lambda row: row.id or ""))
    connection.execute(insert(shards), {"run_id": run, "shard": number})


def add_failures(
    connection: Connection, run: str, number: int, failed: Sequence[FailedRow]
) -> None:
    """List rows without results, after those of their shard that are listed already.

    connection (Connection): In a transaction. run (str): Key of the run. number (int): Of the
        shard. failed (Sequence[FailedRow]): The rows.
    """
    if not failed:
        return
    query = select(func.count()).where(failures.c.run_id == run, failures.c.shard == number)
    listed = connection.scalar(query) or 0
    values = [
        {
            "run_id": run,
            "shard": number,
            "failure": listed + n,
            "place": plain(row.where),
            "id": None if row.id is None else plain(row.id),
            "reason": plain(row.reason),
        }
        for n, row in enumerate(failed)
    ]
    _insert(connection, failures, values)


def _taken(row: Dict[str, Any]) -> FailedRow:
    return FailedRow(f"{row['source']}, id {row['id']}", TAKEN, id=row["id"])


def _there(connection: Connection, keys: List[str]) -> Iterator[Dict[str, Any]]:
    columns = (rows.c.row_key, rows.c.source, rows.c.id, rows.c.run_id, rows.c.shard)
    for some in batched(keys, AT_ONCE):
        query = select(*columns).where(rows.c.row_key.in_(some)).order_by(rows.c.row_key)
        yield from [dict(found) for found in connection.execute(query).mappings()]


def _insert(connection: Connection, table: Table, values: List[Dict[str, Any]]) -> None:
    if values:
        connection.execute(insert(table), values)
