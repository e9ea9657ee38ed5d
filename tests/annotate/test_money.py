"""What a run will cost, what it has cost, where it stops; and the check before it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "llm"))
from live_server import CONFIG, server, stats

from spacy_hitl.annotate.run import annotate, check_models, dry_run
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.errors import InputError, ModelError
from spacy_hitl.llm.store import ResponseStore

PRICES = """
[hitl.prices]
small = {"input": 100.0,"output": 1000.0}
"""
TEXTS = Path("texts.jsonl")
COUNT = 60


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [{"id": str(i), "text": f"Text number {i} is about tea."} for i in range(COUNT)]
    TEXTS.write_text("".join(json.dumps(row) + "\n" for row in rows))

    def write(address, name="small"):
        config = CONFIG.format(address=address, name=name, concurrency=4)
        Path("prototype.cfg").write_text(config + PRICES)
        return Path("prototype.cfg")

    return write


def test_a_dry_run_counts_and_asks_nothing(project):
    with server() as address:
        (line,) = dry_run(project(address), TEXTS)
        assert stats(address).get("requests", 0) == 0
    assert (line.model, line.requests) == ("small", COUNT)
    assert line.completion_tokens == COUNT * 20
    assert line.cost == pytest.approx(
        (line.prompt_tokens * 100 + line.completion_tokens * 1000) / 1e6
    )
    assert not Path("hitl.db").exists()


def test_a_dry_run_knows_what_is_stored(project):
    with server() as address:
        annotate(project(address), TEXTS, limit=25)
        assert dry_run(project(address), TEXTS)[0].requests == COUNT - 25


def test_the_ledger_adds_up_the_servers_usage(project):
    with server() as address:
        (line,) = annotate(project(address), TEXTS).ledger
    assert line.requests == COUNT
    assert line.completion_tokens == 5 * COUNT
    assert line.cost == pytest.approx((line.prompt_tokens * 100 + 5 * COUNT * 1000) / 1e6)


def test_it_stops_before_the_limit_drains_and_goes_on(project):
    with server() as address:
        config = project(address)
        whole = dry_run(config, TEXTS)[0].cost
        first = annotate(config, TEXTS, max_cost=whole / 3)
        assert "H140" in first.stopped
        assert 0 < first.annotated < COUNT
        assert first.ledger[0].cost <= whole / 3
        with ResponseStore(Path("responses.db")) as store:
            # Drained: every request that was sent has its answer in the store and in the dataset.
            assert len(store) == stats(address)["requests"] == first.annotated
        second = annotate(config, TEXTS, max_cost=whole * 2)
        assert second.stopped is None
        assert first.annotated + second.annotated == COUNT
        assert stats(address)["requests"] == COUNT


def test_a_limit_without_a_price_is_refused(project):
    with server() as address:
        with pytest.raises(InputError, match="H141"):
            annotate(project(address, name="other"), TEXTS, max_cost=1.0)
        assert stats(address).get("requests", 0) == 0


def test_a_finished_run_repeats_with_the_network_off(project):
    with server() as address:
        config = project(address)
        annotate(config, TEXTS)
    Path("hitl.db").unlink()
    summary = annotate(config, TEXTS)  # nobody listens any more
    assert summary.statuses == {("mood", "ok"): COUNT}


def test_the_replay_model_reads_the_store(project):
    with server() as address:
        config = project(address)
        annotate(config, TEXTS)
    text = config.read_text()
    start, end = text.index("@llm_models"), text.index("[hitl]")
    replay = '@llm_models = "spacy-hitl.Replay.v1"\npath = "responses.db"\n\n'
    text = (text[:start] + replay + text[end:]).replace(
        '"responses.db"\n\n[hitl.p', '"r2.db"\n\n[hitl.p'
    )
    Path("replay.cfg").write_text(text)
    summary = annotate(Path("replay.cfg"), TEXTS)
    assert summary.statuses == {("mood", "ok"): COUNT}
    with Dataset(Path("hitl.db")) as dataset:
        assert dataset.count("proposals") == 2 * COUNT


def test_check_asks_one_question(project):
    with server() as address:
        assert check_models(project(address)) == [("mood", "ok", "")]
        assert stats(address)["requests"] == 1
    assert not Path("hitl.db").exists()


@pytest.mark.parametrize(("name", "code"), [("unknown", "H111"), ("poor", "H112")])
def test_check_explains_what_is_wrong(project, name, code):
    with server() as address, pytest.raises(ModelError, match=code):
        check_models(project(address, name=name))


def test_the_command(project):
    def hitl(*words):
        command = [sys.executable, "-m", "spacy", "hitl", "annotate", "prototype.cfg", *words]
        return subprocess.run(command, capture_output=True, text=True)

    with server() as address:
        project(address)
        assert hitl("--check").returncode == 0
        assert "would ask at most" in hitl("texts.jsonl", "--dry-run").stdout
        done = hitl("texts.jsonl", "-q", "--max-cost", "0.05")
        assert done.returncode == 0
        assert "H140" in done.stdout
        assert "Traceback" not in done.stderr
        missing = hitl()
        assert missing.returncode == 1
        assert "H142" in missing.stdout + missing.stderr


def test_parsing_again_with_other_labels_asks_nothing(project):
    with server() as address:
        config = project(address)
        annotate(config, TEXTS)
        asked = stats(address)["requests"]
        config.write_text(config.read_text().replace('["A","B"]', '["A","C"]'))
        summary = annotate(config, TEXTS, reparse=True)
        assert stats(address)["requests"] == asked
    assert set(summary.statuses) == {("mood", "ok"), ("mood", "malformed")}
    assert sum(summary.statuses.values()) == COUNT


def test_every_question_is_asked_k_times_and_no_more(project):
    with server() as address:
        config = project(address)
        annotate(config, TEXTS)
        summary = annotate(config, TEXTS, samples=3)
        assert summary.annotated == 2 * COUNT  # the first sample was there
        assert annotate(config, TEXTS, samples=3).annotated == 0
        assert stats(address)["requests"] == 3 * COUNT
    with Dataset(Path("hitl.db")) as dataset:
        tally = dataset.tally("proposals", "sample")
    assert tally == {(1,): COUNT, (2,): COUNT, (3,): COUNT}
