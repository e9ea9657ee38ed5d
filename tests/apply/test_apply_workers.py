"""Several processes: the same results, whoever dies on the way."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, List

import pytest
from apply_world import PARTS, failing, files, make_texts, results, write

from spacy_hitl.apply.engines import Workers
from spacy_hitl.apply.run import apply

OUT = Path("out.jsonl")


def test_workers_write_the_same(here: Path) -> None:
    texts = make_texts(60)
    texts[30] += " POISON"
    path, folder = write(texts), failing("hitl_test_batches")
    apply(folder, path, OUT, shard_rows=9)
    seen: List[int] = []

    def engine(job: Any, shards: Any, *, report: Any) -> Any:
        return Workers(2)(job, shards, report=lambda n: seen.append(n))

    summary = apply(folder, path, Path("two"), shard_rows=9, code=PARTS, engine=engine)
    assert (summary.written, len(summary.failed), sum(seen)) == (59, 1, 60)
    assert {k: v for k, v in files(Path("two")).items() if k != "run.json"} == {
        k: v for k, v in files(OUT).items() if k != "run.json"
    }


def test_a_worker_that_dies_costs_no_row(here: Path) -> None:
    texts = make_texts(24)
    texts[8] += " ONCE"
    summary = apply(
        failing("hitl_test_plain"), write(texts), OUT, shard_rows=6, workers=2, code=PARTS
    )
    assert Path("died").exists()
    assert (summary.written, summary.given_up) == (24, 0)
    assert [r["id"] for r in results(OUT)] == [f"r{i}" for i in range(24)]


def test_a_shard_that_kills_is_given_up(here: Path) -> None:
    texts = make_texts(24)
    texts[8] += " DEADLY"
    path, folder = write(texts), failing("hitl_test_plain")
    engine = Workers(2, tries=2)
    summary = apply(folder, path, OUT, shard_rows=6, code=PARTS, engine=engine)
    assert (summary.written, summary.given_up, len(results(OUT))) == (18, 6, 18)
    assert summary.reason is not None and "exit code 7" in summary.reason


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_killed_run_goes_on(workers: int, here: Path) -> None:
    texts = [f"{text} SLOW" for text in make_texts(150)]
    path, folder = write(texts), failing("hitl_test_plain")
    words = ["apply", folder, path, OUT, "--shard-rows", 5, "--workers", workers, "--code", PARTS]
    run = subprocess.Popen(
        [sys.executable, "-m", "spacy", "hitl", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while len(list(OUT.glob("part-*"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    run.send_signal(signal.SIGKILL)  # the one that deals; its workers must end by themselves
    run.wait(60)
    deadline = time.monotonic() + 30
    while _children(run.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _children(run.pid)
    there = {p.name: p.stat().st_mtime_ns for p in OUT.glob("part-*")}
    assert 3 <= len(there) < 30
    summary = apply(folder, path, OUT, shard_rows=5, code=PARTS)
    assert 15 <= summary.before < 150 and summary.written == 150
    assert {p.name: p.stat().st_mtime_ns for p in OUT.glob("part-*") if p.name in there} == there
    apply(folder, path, Path("undisturbed"), shard_rows=5, code=PARTS)
    assert files(OUT) == files(Path("undisturbed"))


def _children(session: int) -> List[int]:
    """Processes of a session that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found
