"""Runs into a database that are killed: every table is as if nobody had."""

from typing import Callable, List

import pytest
from apply_world import make_texts, write
from database_world import finished_shards, run_and_kill, tables

from spacy_hitl.apply.run import apply

New = Callable[[str], str]


def kill_twice(new_database: New, n: int, *, shard_rows: int, at: List[int]) -> None:
    path = write(make_texts(n))
    url, whole = new_database("killed"), new_database("whole")
    words = ["pipeline", path, url, "--shard-rows", shard_rows, "--quiet"]
    total = -(-n // shard_rows)
    for shards in at:
        assert shards <= run_and_kill(url, *words, shards=shards) < total
    there = finished_shards(url)
    summary = apply("pipeline", path, url, shard_rows=shard_rows)
    assert (summary.before, summary.written) == (there * shard_rows, n)
    apply("pipeline", path, whole, shard_rows=shard_rows)
    found = tables(url)
    assert found == tables(whole)
    assert (found["rows"][0], found["shards"][0]) == (n, total)
    assert found["mentions"][0] == sum(i % 5 < 4 for i in range(n))
    apply("pipeline", path, url, shard_rows=shard_rows)  # and again: nothing changes
    assert tables(url) == found


def test_a_killed_run_goes_on(new_database: New) -> None:
    kill_twice(new_database, 3000, shard_rows=50, at=[5, 20])


@pytest.mark.slow
def test_a_killed_run_of_100_000_goes_on(new_database: New) -> None:
    kill_twice(new_database, 100_000, shard_rows=1000, at=[15, 45])
