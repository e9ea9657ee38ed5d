"""Shards on Ray: the same results, whoever dies. How they are dealt is tested without Ray too."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Dict, Iterator, List

import pytest
from apply_world import PARTS, failing, files, make_pipeline, make_texts, results, write
from typer.testing import CliRunner

from spacy_hitl.about import __version__
from spacy_hitl.apply import ray_engine
from spacy_hitl.apply.engines import Workers, open_engine, run_here
from spacy_hitl.apply.ray_engine import Order, RayEngine, RayWorker, enter
from spacy_hitl.apply.run import apply
from spacy_hitl.apply.shards import Job
from spacy_hitl.apply.sinks import open_sink
from spacy_hitl.apply.sources import Fields, open_source
from spacy_hitl.cli import hitl_cli
from spacy_hitl.io import folder_digest

OUT = Path("out.jsonl")
needs_ray = pytest.mark.skipif(
    find_spec("ray") is None, reason="Ray is not installed: pip install 'spacy-hitl[ray]'"
)


class Died(Exception):
    """What the Ray of these tests says of a worker that died."""


class FakeRay:
    """As much of Ray as is used, in this process; work is done when its answer is asked for."""

    __spec__ = ModuleSpec("ray", None)
    exceptions = SimpleNamespace(RayError=Died)

    def __init__(self) -> None:
        self.silent = False
        self.up = True
        self.alive = 0
        self.most = 0
        self.inits: List[Dict[str, Any]] = []

    def remote(self, **options: Any) -> Any:
        def actor(kind: Any) -> Any:
            self.alive += 1
            self.most = max(self.most, self.alive)
            return FakeActor(kind())

        return lambda kind: SimpleNamespace(remote=lambda: actor(kind))

    def wait(self, refs: List[Any], *, num_returns: int, timeout: Any) -> Any:
        return ([], refs) if self.silent and timeout is not None else (refs[-1:], refs[:-1])

    def get(self, ref: Any) -> Any:
        return ref()

    def kill(self, actor: Any, *, no_restart: bool) -> None:
        self.alive -= 1

    def is_initialized(self) -> bool:
        return self.up

    def init(self, **options: Any) -> None:
        self.inits.append(options)
        self.up = True

    def shutdown(self) -> None:
        self.up = False


class FakeActor:
    def __init__(self, worker: Any) -> None:
        self.worker = worker

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.worker, name)
        return SimpleNamespace(remote=lambda *args: lambda: method(*args))


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeRay:
    ray = FakeRay()
    monkeypatch.setitem(sys.modules, "ray", ray)  # type: ignore[arg-type]
    return ray


def dying(monkeypatch: pytest.MonkeyPatch, where: Dict[int, int], *, loads: int = 0) -> None:
    """Workers die over some shards so many times, and so many while they load."""
    left = dict(where)
    starts = iter(range(loads))

    class Dying(RayWorker):
        def load(self, order: Order) -> Any:
            if next(starts, None) is not None:
                raise Died("died early")
            return super().load(order)

        def run(self, shard: Any) -> Any:
            if left.get(shard.number, 0):
                left[shard.number] -= 1
                raise Died("a long story.\nWorker exit detail: connection error code 2. More")
            return super().run(shard)

    monkeypatch.setattr(ray_engine, "RayWorker", Dying)


def test_deals_all_shards_and_leaves_ray_as_it_was(pipeline: str, fake: FakeRay) -> None:
    texts = write(make_texts(30))
    seen: List[int] = []

    def engine(job: Any, shards: Any, *, report: Any) -> Any:
        return RayEngine(3)(job, shards, report=seen.append)

    summary = apply(pipeline, texts, Path("ray"), shard_rows=4, engine=engine)
    apply(pipeline, texts, OUT, shard_rows=4)
    assert (summary.written, sum(seen), len(seen)) == (30, 30, 8)
    assert files(Path("ray")) == files(OUT)
    assert (fake.alive, fake.most, fake.inits, fake.up) == (0, 3, [], True)


def test_no_more_workers_than_shards(pipeline: str, fake: FakeRay) -> None:
    apply(pipeline, write(make_texts(9)), OUT, shard_rows=5, engine=RayEngine(8))
    assert fake.most == 2


def test_starts_a_small_ray_and_stops_it(pipeline: str, fake: FakeRay) -> None:
    fake.up = False
    apply(pipeline, write(make_texts(9)), OUT, engine=RayEngine(99))
    (options,) = fake.inits
    assert options["address"] == "local" and options["num_cpus"] == 99
    assert options["include_dashboard"] is False and not fake.up


def test_deaths_cost_nothing_until_there_are_too_many(
    pipeline: str, fake: FakeRay, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying(monkeypatch, {0: 2, 2: 3, 4: 1}, loads=2)
    texts = write(make_texts(25))
    summary = apply(pipeline, texts, OUT, shard_rows=5, engine=RayEngine(2))
    assert (summary.written, summary.given_up, fake.alive) == (20, 5, 0)
    assert summary.reason == "3 processes died over it, the last so: connection error code 2. More"
    again = apply(pipeline, texts, OUT, shard_rows=5, engine=RayEngine(2))
    assert (again.before, again.written, again.given_up) == (20, 25, 0)
    assert [r["id"] for r in results(OUT)] == [f"r{i}" for i in range(25)]


def test_workers_that_never_start(
    pipeline: str, fake: FakeRay, monkeypatch: pytest.MonkeyPatch, fails: Any
) -> None:
    texts = write(make_texts(9))
    dying(monkeypatch, {}, loads=3)
    with fails("H641", "died early"):
        apply(pipeline, texts, OUT, engine=RayEngine(2))
    fake.silent = True
    with fails("H642", "10.0.0.1:6379", "5 s"):
        apply(pipeline, texts, OUT, engine=RayEngine(2, address="10.0.0.1:6379", patience=5))
    assert fake.alive == 0


def test_what_a_worker_can_not_go_on_with(
    here: Path, fake: FakeRay, monkeypatch: pytest.MonkeyPatch, fails: Any
) -> None:
    folder = failing("hitl_test_plain")
    config = Path(folder, "config.cfg")
    config.write_text(config.read_text().replace("hitl_test_plain", "no_such_component"))
    with fails("H607", "no_such_component"):
        apply(folder, write(make_texts(4)), OUT, engine=RayEngine(2))
    make_pipeline().to_disk("pipeline")

    def changed(self: Any, shard: Any) -> Iterator[Any]:
        path.write_text("")
        return type(source).__mro__[1].rows(self, shard)  # type: ignore[attr-defined]

    path = write(make_texts(4))
    source = open_source(path, Fields())
    monkeypatch.setattr(type(source), "rows", changed)
    with fails("H609", path):
        apply("pipeline", path, Path("other"), engine=RayEngine(2))
    assert fake.alive == 0


def test_a_worker_sees_that_it_has_the_same_files(pipeline: str, here: Path, fails: Any) -> None:
    source = open_source(write(make_texts(1)), Fields())
    job = Job(str(here / pipeline), source, open_sink("out.jsonl"))
    order = Order(job, here, folder_digest(Path(pipeline)), __version__)
    enter(order)
    with fails("H641", "the run 99", __version__):
        enter(replace(order, version="99"))
    with fails("H641", "nowhere"):
        enter(replace(order, folder=here / "nowhere"))
    with fails("H641", job.pipeline):
        enter(replace(order, digest="0" * 64))


def test_the_engine_is_chosen_by_name(fake: FakeRay, fails: Any) -> None:
    assert open_engine("local", 1) is run_here
    assert isinstance(open_engine("local", 2), Workers)
    engine = open_engine("ray", 3, address="auto")
    assert isinstance(engine, RayEngine) and (engine.count, engine.address) == (3, "auto")
    with fails("H640", "dask"):
        open_engine("dask", 1)
    with fails("H644", "10.0.0.1:6379"):
        open_engine("local", 2, address="10.0.0.1:6379")


def test_ray_is_asked_for_with_the_command_that_installs_it(
    pipeline: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spacy_hitl._compat.find_spec", lambda name: None)
    words = ["apply", pipeline, str(write(make_texts(3))), "out.jsonl", "--engine", "ray"]
    done = CliRunner().invoke(hitl_cli, words)
    assert done.exit_code == 1 and not OUT.exists()
    assert "[H009]" in done.output and '"spacy-hitl[ray]"' in done.output.replace("\n", " ")


def test_a_cluster_that_is_not_there(pipeline: str, fake: FakeRay, fails: Any) -> None:
    fake.up = False
    with fails("H643", "127.0.0.1:9"):
        apply(pipeline, write(make_texts(3)), OUT, engine=RayEngine(1, address="127.0.0.1:9"))
    assert fake.inits == []  # found out without Ray, which would try for minutes


@needs_ray
@pytest.mark.slow
def test_ray_writes_the_same_and_a_dead_worker_costs_no_row(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import ray

    texts = make_texts(60)
    texts[20] += " POISON"
    texts[31] += " ONCE"
    path, folder = write(texts), failing("hitl_test_plain")
    summary = apply(
        folder, path, Path("ray"), shard_rows=7, code=PARTS, engine=open_engine("ray", 2)
    )
    assert Path("died").exists() and not ray.is_initialized()
    assert (summary.written, len(summary.failed), summary.given_up) == (59, 1, 0)
    assert capsys.readouterr().out == ""
    apply(folder, path, OUT, shard_rows=7, code=PARTS)
    found = {name: b for name, b in files(Path("ray")).items() if name[0] != "."}
    assert found == files(OUT)  # but for what the dead one had begun: the next run removes it


@needs_ray
@pytest.mark.slow
def test_on_a_cluster_by_its_address_a_poison_shard_is_given_up(here: Path) -> None:
    code = (
        "import ray, sys\n"
        "ray.init(address='local', include_dashboard=False, num_cpus=2, log_to_driver=False)\n"
        "print('ADDRESS', ray.get_runtime_context().gcs_address, flush=True)\n"
        "sys.stdin.read()"
    )
    cluster = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert cluster.stdin is not None and cluster.stdout is not None
    try:
        lines = (line.split() for line in cluster.stdout)
        address = next(words[1] for words in lines if words[:1] == ["ADDRESS"])
        texts = make_texts(24)
        texts[8] += " DEADLY"
        path, folder = write(texts), failing("hitl_test_plain")
        engine = RayEngine(2, address=address, tries=2)
        summary = apply(folder, path, OUT, shard_rows=6, code=PARTS, engine=engine)
        assert (summary.written, summary.given_up, len(results(OUT))) == (18, 6, 18)
        assert cluster.poll() is None
    finally:
        cluster.stdin.close()
        cluster.wait(60)


@needs_ray
@pytest.mark.slow
def test_a_killed_run_on_ray_goes_on(here: Path) -> None:
    texts = [f"{text} SLOW" for text in make_texts(150)]
    path, folder = write(texts), failing("hitl_test_plain")
    words = ["apply", folder, path, OUT, "--shard-rows", 5, "--workers", 2, "--code", PARTS]
    run = subprocess.Popen(
        [sys.executable, "-m", "spacy", "hitl", *map(str, words), "--engine", "ray"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while len(list(OUT.glob("part-*"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    run.send_signal(signal.SIGKILL)
    run.wait(60)
    os.killpg(run.pid, signal.SIGKILL)  # helpers of Ray, which take a minute to end
    there = {p.name: p.stat().st_mtime_ns for p in OUT.glob("part-*")}
    assert 3 <= len(there) < 30
    summary = apply(folder, path, OUT, shard_rows=5, code=PARTS)
    assert 15 <= summary.before < 150 and summary.written == 150
    assert {p.name: p.stat().st_mtime_ns for p in OUT.glob("part-*") if p.name in there} == there
    apply(folder, path, Path("undisturbed"), shard_rows=5, code=PARTS)
    assert files(OUT) == files(Path("undisturbed"))
