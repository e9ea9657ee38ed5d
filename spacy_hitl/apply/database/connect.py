"""A database by its URL: opened, made, checked. The password is never shown."""

import os
import sqlite3
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator

from sqlalchemy import Connection, Engine, create_engine, event, inspect, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from ..._compat import require
from ...errors import Errors, InputError, StateError
from ...io import PRIVATE
from ..folders import locked
from .tables import SCHEMA, metadata, schema_version

SQLITE, POSTGRESQL = "sqlite", "postgresql"
POSTGRES_DRIVER = "postgresql+psycopg"
WAIT_SECONDS = 60  # for another process that writes to the same SQLite file
PATIENCE = 3  # seconds until the server has noticed that a run was killed
MAKING = 4_811_600_001  # number of the lock under which PostgreSQL's tables are made


def read_url(value: str) -> URL:
    """Read a URL.

    value (str): sqlite:///FILE, or postgresql://USER:PASSWORD@HOST:PORT/DATABASE (also with
        +psycopg, and as postgres://).
    RETURNS (URL): The URL, with the driver.
    RAISES (InputError): If it is none, or of a database that is not supported.
    """
    try:
        url = make_url(value)
        kind = url.get_backend_name() if url.drivername != "postgres" else POSTGRESQL
    except (ArgumentError, ValueError) as e:
        # What can't be parsed may hold a password anywhere.
        scheme = value.partition("://")[0]
        raise InputError(Errors.H611.format(url=f"{scheme}://...", detail="it is no URL")) from e
    if url.drivername in (SQLITE, "sqlite+pysqlite"):
        if not url.database or url.database == ":memory:" or url.query:
            detail = "name a file after three slashes, and no options"
            raise InputError(Errors.H611.format(url=masked(url), detail=detail))
        return url.set(drivername=SQLITE)
    if kind == POSTGRESQL and url.drivername in (POSTGRESQL, "postgres", POSTGRES_DRIVER):
        require("psycopg", extra="database")
        return url.set(drivername=POSTGRES_DRIVER)
    detail = f"'{url.drivername}' is not supported"
    raise InputError(Errors.H611.format(url=masked(url), detail=detail))


def masked(url: URL) -> str:
    """RETURNS (str): A URL without anything secret, for messages and records."""
    secret = {name: "***" for name in url.query if "pass" in name.lower()}
    shown = url.update_query_dict(secret).render_as_string(hide_password=True)
    return shown.replace("%2A%2A%2A", "***")


@contextmanager
def connected(url: URL, *, readonly: bool = False) -> Iterator[Engine]:
    """Use a database.

    url (URL): As `read_url` gives it.
    readonly (bool): Let nothing be written.
    YIELDS (Engine): Connections, each opened when it is needed and closed afterwards.
    RAISES (StateError): If it can't be reached, read or written.
    """
    # hide_parameters: what is written has no place in an error message.
    try:
        engine = create_engine(url, poolclass=NullPool, hide_parameters=True)
    except SQLAlchemyError as e:  # a driver that is too old, or broken
        raise StateError(Errors.H612.format(url=masked(url), detail=_hide(url, str(e)))) from e
    if url.drivername == SQLITE:
        _check_file(url, there=readonly)
        event.listen(engine, "connect", _read_sqlite if readonly else _set_up_sqlite)
        if not readonly:
            event.listen(engine, "begin", _begin_writing)
    elif readonly:
        engine = engine.execution_options(postgresql_readonly=True)
    try:
        yield engine
    except (SQLAlchemyError, sqlite3.Error) as e:
        cause = e.orig if isinstance(e, DBAPIError) else e
        lines = str(cause).strip().splitlines() or [type(e).__name__]
        raise StateError(Errors.H612.format(url=masked(url), detail=_hide(url, lines[0]))) from e
    finally:
        engine.dispose()


def _hide(url: URL, message: str) -> str:
    secrets = [url.password, *(v for k, v in url.query.items() if "pass" in k.lower())]
    for secret in secrets:
        if secret:
            message = message.replace(str(secret), "***")
    return message


def _set_up_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say so
    connection.execute(f"PRAGMA busy_timeout = {WAIT_SECONDS * 1000}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")


def _check_file(url: URL, *, there: bool) -> None:
    if there and not _sqlite_path(url).is_file():  # SQLite would make it
        raise InputError(Errors.H611.format(url=masked(url), detail="there is no such file"))


def _read_sqlite(connection: Any, record: Any) -> None:
    connection.execute(f"PRAGMA busy_timeout = {WAIT_SECONDS * 1000}")
    connection.execute("PRAGMA query_only = ON")


def _begin_writing(connection: Connection) -> None:
    # A transaction that reads first and writes later would fail if another one wrote meanwhile.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def only_run(url: URL, engine: Engine, number: int) -> Iterator[None]:
    """Keep other runs away.

    url (URL): The database. engine (Engine): Its connections.
    number (int): What is locked in PostgreSQL, 64 bits; SQLite is locked as a whole, by a file.
    RAISES (InputError): If another run is at it.
    """
    if url.drivername == SQLITE:
        _make_file(url)
        # A connection more, so that none is the last one: that moves the log into the file when it
        # is closed, which would be after every shard.
        with locked(_sqlite_path(url, "-hitl.lock"), name=masked(url)), engine.connect():
            yield
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # Held by the connection: it is gone when the process is, however that ends.
        deadline = time.monotonic() + PATIENCE
        while not connection.scalar(text("SELECT pg_try_advisory_lock(:n)"), {"n": number}):
            if time.monotonic() > deadline:
                raise InputError(Errors.H610.format(path=masked(url)))
            time.sleep(0.1)
        yield


def make_tables(url: URL, engine: Engine) -> None:
    """Make the tables where there are none, and check those that are there.

    url (URL): The database. engine (Engine): Its connections.
    RAISES (InputError): If its tables are somebody else's.
    RAISES (StateError): If they are of a newer version.
    """
    if url.drivername == SQLITE:
        with engine.connect() as connection:
            raw: Any = connection.connection.dbapi_connection
            raw.execute("PRAGMA journal_mode = WAL")
    with engine.begin() as connection:
        if url.drivername != SQLITE:
            connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": MAKING})
        there = set(inspect(connection).get_table_names())
        if schema_version.name not in there:
            taken = sorted(there & set(metadata.tables))
            if taken:
                message = Errors.H614.format(url=masked(url), tables=", ".join(taken))
                raise InputError(message)
            metadata.create_all(connection)
            connection.execute(schema_version.insert(), {"version": SCHEMA})
        version = connection.scalar(select(schema_version.c.version))
        if version != SCHEMA:
            message = Errors.H613.format(url=masked(url), found=version, known=SCHEMA)
            raise StateError(message)


def _make_file(url: URL) -> None:
    try:
        # Nobody else may read it, not even between being made and being closed to them.
        os.close(os.open(_sqlite_path(url), os.O_RDWR | os.O_CREAT, PRIVATE))
    except OSError as e:
        raise StateError(Errors.H612.format(url=masked(url), detail=e)) from e


def _sqlite_path(url: URL, ending: str = "") -> Path:
    return Path(f"{url.database}{ending}")
