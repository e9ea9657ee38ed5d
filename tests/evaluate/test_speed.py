"""Timing in a process of its own. No figure is compared with a time: machines differ."""

import json
import os
import sys
from multiprocessing import active_children
from pathlib import Path
from typing import Any, Callable, Iterator, List, Sequence

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from spacy_hitl.evaluate.speed import ONE_THREAD, measure_speed, percentile, processor_name
from spacy_hitl.evaluate.stopwatch import PARTS, peak_megabytes, time_pipeline

TEXTS = [f"My Nebula K{i} is fine, and so is my other phone." for i in range(30)]
# Functions of a user: a component that writes down where it runs, or ends in some way.
CODE = """
import json, os, signal, sys, threading, time
from pathlib import Path
from spacy.language import Language

@Language.factory("witness", default_config={"path": "", "way": ""})
class Witness:
    def __init__(self, nlp, name, path, way):
        self.path, self.way = path, way

    def __call__(self, doc):
        if self.way == "raise":
            raise ValueError("no such luck")
        if self.way == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.way == "hang":
            time.sleep(60)
        found = {"pid": os.getpid(), "cores": len(os.sched_getaffinity(0))}
        found["threads"] = {k: v for k, v in os.environ.items() if k.endswith("_THREADS")}
        found["main"] = sorted(vars(sys.modules["__main__"]))
        Path(self.path).write_text(json.dumps(found))
        return doc
"""
Save = Callable[[str], Path]


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("code") / "functions.py"
    path.write_text(CODE)
    spacy.util.import_file("functions", path)
    return path


@pytest.fixture
def save(code: Path, tmp_path: Path) -> Save:
    """Save a pipeline with the user's component."""

    def save(way: str) -> Path:
        nlp = spacy.blank("en")
        nlp.add_pipe("witness", config={"path": str(tmp_path / "found.json"), "way": way})
        nlp.to_disk(tmp_path / "pipeline")
        return tmp_path / "pipeline"

    return save


def blank(tmp_path: Path) -> Path:
    nlp = spacy.blank("en")
    ruler: Any = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PRODUCT", "pattern": "Nebula"}])
    nlp.to_disk(tmp_path / "pipeline")
    return tmp_path / "pipeline"


def test_every_figure_is_there_and_the_median_is_one_of_the_runs(tmp_path: Path) -> None:
    speed = measure_speed(blank(tmp_path), TEXTS, seconds=1)
    assert speed.words_per_s in speed.runs or len(speed.runs) % 2 == 0
    assert min(speed.runs) <= speed.words_per_s <= max(speed.runs)
    assert speed.p50_ms and speed.p99_ms and 0 < speed.p50_ms <= speed.p99_ms
    assert speed.cold_start_s and speed.cold_start_s > 0
    assert speed.peak_megabytes and speed.peak_megabytes > 10
    assert (speed.texts, speed.processor) == (30, processor_name())
    assert speed.singles and 1 <= speed.singles <= 30
    assert speed.core_share and 0 < speed.core_share <= 1


def test_a_process_of_its_own_on_one_core_and_one_thread(
    save: Save, code: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    cores, main = os.sched_getaffinity(0), sys.modules["__main__"]
    measure_speed(save(""), TEXTS, code=code, seconds=0.1)
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["pid"] != os.getpid()
    assert found["cores"] == 1
    assert dict.fromkeys(ONE_THREAD, "1").items() <= found["threads"].items()
    assert "pytest" not in found["main"], "the script that runs is not imported again"
    # This process is as it was.
    assert os.sched_getaffinity(0) == cores and sys.modules["__main__"] is main
    assert os.environ["OPENBLAS_NUM_THREADS"] == "2" and "MKL_NUM_THREADS" not in os.environ


def test_the_memory_is_that_of_the_pipeline_alone(tmp_path: Path) -> None:
    ballast = bytearray(300_000_000)
    ballast[::4096] = b"x" * len(ballast[::4096])  # really in memory
    here = peak_megabytes()
    assert here is not None and here > 300
    speed = measure_speed(blank(tmp_path), TEXTS, seconds=0.1)
    assert speed.peak_megabytes and speed.peak_megabytes < here - 200


def test_components_can_be_left_out(save: Save, code: Path, tmp_path: Path) -> None:
    measure_speed(save("raise"), TEXTS, left_out=["witness"], seconds=0.1)
    assert not (tmp_path / "found.json").exists()


def test_what_fails_in_the_process_is_told(save: Save, code: Path, fails: Any) -> None:
    path = save("raise")
    with fails("H420", path, "no such luck", "--no-speed"):
        measure_speed(path, TEXTS, code=code)
    with fails("H420", path, "witness", "--code"):
        measure_speed(path, TEXTS)


def test_a_process_that_dies_or_hangs_is_told_and_ended(save: Save, code: Path, fails: Any) -> None:
    path = save("die")
    with fails("H421", path, "exit code -9"):
        measure_speed(path, TEXTS, code=code)
    path = save("hang")
    with fails("H421", path, "no answer in 0.5 seconds"):
        measure_speed(path, TEXTS, code=code, limit=0.5)
    assert not active_children()


class Slow:
    """A pipeline on a clock of its own: a text takes as many seconds as it says."""

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def __call__(self, text: str) -> List[str]:
        self.now += float(text)
        return ["word"] * 10

    def pipe(self, texts: Sequence[str], **_: Any) -> Iterator[List[str]]:
        return map(self, texts)


@given(st.lists(st.floats(0.001, 5), min_size=1, max_size=40), st.floats(1, 30))
def test_timing_is_bounded_and_right(takes: List[float], seconds: float) -> None:
    nlp = Slow()
    timing = time_pipeline(nlp, list(map(str, takes)), seconds=seconds, clock=nlp.clock)
    done = takes[: timing.texts]
    assert 1 <= len(timing.words_per_s) <= 5 and timing.texts >= 1
    # One text, and one pass over the texts that there was time for, may be over it.
    longest = max(done) + seconds / PARTS
    assert nlp.now <= seconds + 2 * longest + max(done) + 1e-6
    for rate in timing.words_per_s:
        assert rate == pytest.approx(10 * len(done) / sum(done))
    assert timing.singles == pytest.approx(takes[: len(timing.singles)])
    assert timing.texts == len(takes) or sum(done) > seconds / PARTS


@given(st.lists(st.floats(allow_nan=False), min_size=1), st.integers(1, 100))
def test_percentile_is_a_value_that_enough_do_not_exceed(values: List[float], p: int) -> None:
    found = percentile(values, p)
    assert found in values
    assert 100 * sum(v <= found for v in values) >= p * len(values)
    assert 100 * sum(v < found for v in values) < p * len(values)
    assert percentile(values, 100) == max(values)
