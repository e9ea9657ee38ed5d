"""Texts from a database: the rows of a query, read once."""

from typing import Any, Dict, Iterator

from sqlalchemy import text

from ...errors import Errors, InputError
from ..sources import Fields, check_columns
from .connect import connected, masked, read_url

ROWS_AT_ONCE = 1000


def masked_name(value: str) -> str:
    """RETURNS (str): A URL without anything secret.
    RAISES (InputError): If it is none.
    """
    return masked(read_url(value))


def read_rows(value: str, query: str, fields: Fields) -> Iterator[Dict[str, Any]]:
    """Read the rows of a query; they are never all in memory.

    value (str): URL of the database.
    query (str): A SELECT, as the user wrote it; it can't change anything.
    fields (Fields): Names of the columns that have to be there.
    YIELDS (Dict[str, Any]): The values of a row, by column.
    RAISES (InputError): If a column is missing, or the query gives no rows.
    RAISES (StateError): If the database or the query can't be used.
    """
    url = read_url(value)
    with connected(url, readonly=True) as engine, engine.connect() as connection:
        # Colons in the query are its own: nothing is filled in.
        escaped = text(query.replace("\\:", ":").replace(":", "\\:"))
        result = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(escaped)
        if not result.returns_rows:
            raise InputError(Errors.H617.format(url=masked(url)))
        check_columns(masked(url), list(result.keys()), fields)
        for row in result.mappings():
            yield dict(row)
