"""Databases to write to, what is in them, and runs that are killed on the way."""

import hashlib
import signal
import time
from pathlib import Path
from typing import Any, Dict, List, Tuple

import forked
import sqlalchemy as sa

TIMES = {"started", "finished"}  # what no two runs have in common


def query(url: str, statement: str, **values: Any) -> List[Tuple[Any, ...]]:
    """What a question to a database gives."""
    engine = sa.create_engine(
        url.replace("postgresql:", "postgresql+psycopg:"), poolclass=sa.pool.NullPool
    )
    with engine.begin() as connection:
        if url.startswith("sqlite"):
            connection.exec_driver_sql("PRAGMA foreign_keys = ON")
        result = connection.execute(sa.text(statement), values)
        return [tuple(row) for row in result] if result.returns_rows else []


def tables(url: str) -> Dict[str, Tuple[int, str]]:
    """Of every table, how many rows it has and a digest of all that is in them."""
    from spacy_hitl.apply.database.tables import metadata

    found = {}
    for name, table in metadata.tables.items():
        columns = ", ".join(f'"{c.name}"' for c in table.columns if c.name not in TIMES)
        rows = sorted(map(repr, query(url, f"SELECT {columns} FROM {name}")))
        found[name] = (len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest())
    return found


def finished_shards(url: str) -> int:
    """How many shards are there, also while somebody writes; 0 before there is a table."""
    try:
        return int(query(url, "SELECT count(*) FROM shards")[0][0])
    except sa.exc.SQLAlchemyError:
        return 0


def run_and_kill(url: str, *words: Any, shards: int) -> int:
    """Start the command, kill it once so many shards are there, and count what it left."""
    log = Path("killed.log")
    run = forked.start("apply", *words, log=log)
    deadline = time.monotonic() + 120
    while finished_shards(url) < shards and run.is_alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    run.kill()
    run.join(60)
    assert run.exitcode == -signal.SIGKILL, log.read_text()
    return finished_shards(url)
