"""A server that misbehaves, and an annotate that is killed while many requests are under way."""

import json
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import forked
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "llm"))
from live_server import CONFIG, fault_of, server, stats

from spacy_hitl.annotate.run import annotate
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.tasks.base import text_block

STATUS = {"garbage": "malformed", "dropped": "ok"}


def make_project(folder, address, count):
    folder.mkdir()
    config = CONFIG.format(address=address, name="small", concurrency=32)
    (folder / "prototype.cfg").write_text(config)
    rows = [{"id": str(i), "text": f"Text number {i} is about tea."} for i in range(count)]
    (folder / "texts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return [row["text"] for row in rows]


@pytest.mark.slow
def test_ten_thousand_answers_with_faults_all_get_their_status(tmp_path, monkeypatch):
    with server("--faults", "1", "--latency", "0") as address:
        texts = make_project(tmp_path / "project", address, 10_000)
        monkeypatch.chdir(tmp_path / "project")
        annotate(Path("prototype.cfg"), Path("texts.jsonl"))
        assert stats(address)["dropped"] > 100
    faults = [fault_of(text_block(text), 1) for text in texts]
    wanted = [STATUS.get(fault, fault) for fault in faults]
    with Dataset(Path("hitl.db")) as dataset:
        rows = dataset.db.rows(
            "SELECT t.text, p.status FROM texts t JOIN proposals p USING (digest) ORDER BY t.rowid"
        )
        found = list(rows)
    assert [text for text, _ in found] == texts
    assert [status for _, status in found] == wanted
    assert len(Counter(wanted)) == 4


@pytest.mark.slow
def test_ten_kills_with_many_requests_under_way(tmp_path, monkeypatch):
    count, dice = 1200, random.Random(7)
    with server("--latency", "0.1") as address:
        make_project(tmp_path / "project", address, count)
        monkeypatch.chdir(tmp_path / "project")

        def start():
            words = ("annotate", "prototype.cfg", "texts.jsonl", "-q")
            return forked.start(*words, log=tmp_path / "log")

        for _ in range(10):
            before = stats(address).get("answered", 0)
            process = start()
            more = dice.randint(5, 40)
            while process.is_alive() and stats(address).get("answered", 0) < before + more:
                time.sleep(0.002)
            process.kill()
            process.join(60)
            assert process.exitcode == -signal.SIGKILL, "it ended before it was killed"
        process = start()
        process.join(120)
        assert process.exitcode == 0, (tmp_path / "log").read_text()
        counted = stats(address)
    assert counted["distinct"] == count
    assert counted["requests"] <= count + 10 * 32
    assert counted["most_in_flight"] <= 32 + 32  # requests of a killed client may still be served
