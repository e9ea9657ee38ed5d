"""Shards on Ray: workers on this machine, or on those of a cluster that is there.

Ray Core, not Ray Data: a shard that kills its worker has to be given up alone while the others go
on, so the shards are dealt out here. Nothing but numbers goes through Ray: a worker reads its shard
where it is and writes the results where they belong.
"""

import logging
import os
import socket
import sys
from collections import deque
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Deque, Dict, Iterator, List, Optional, Sequence, Tuple

from .. import about
from .._compat import require
from ..errors import Errors, HitlError, InputError, StateError
from ..io import folder_digest
from .annotating import RowAnnotator
from .engines import ONE_THREAD, TRIES, as_error, told
from .shards import Job, Report, ShardResult, load_pipeline, run_shard
from .sources import Shard

CPUS = 0.5  # of a worker; on two cores Ray stalls silently with workers that ask for 0.9
PATIENCE = 600.0  # seconds in which the first worker has to be there: clusters may have to grow
STORE_BYTES = 100 * 2**20  # shared memory of a local Ray, which gets only numbers to hold


class RayEngine:
    """Workers of Ray. Each loads the pipeline once and is dealt shards.

    count (int): How many workers.
    address (Optional[str]): "HOST:PORT" of a cluster's head, or "auto" on a machine of it; None to
        start a Ray on this machine for the time of the run.
    tries (int): How many workers may die over one shard before it is given up.
    patience (float): Seconds to wait for the first worker.
    """

    def __init__(
        self,
        count: int,
        *,
        address: Optional[str] = None,
        tries: int = TRIES,
        patience: float = PATIENCE,
    ) -> None:
        require("ray", extra="ray")
        self.count = count
        self.address = address
        self.tries = tries
        self.patience = patience

    def __call__(
        self, job: Job, shards: Sequence[Shard], *, report: Report
    ) -> Iterator[ShardResult]:
        """Deal shards out.

        job (Job): What to do.
        shards (Sequence[Shard]): The shards.
        report (Report): Told how many more rows are done, after each shard.
        YIELDS (ShardResult): One per shard, as they come.
        RAISES (HitlError): If Ray can't be reached, no worker starts, or one can't go on: no
            pipeline, a full disk.
        """
        order = Order(job, Path.cwd(), folder_digest(Path(job.pipeline)), about.__version__)
        with _running(self.address, self.count) as ray:
            workers: List[_Worker] = []
            try:
                for result in self._deal(ray, order, deque(shards), workers):
                    if result.given_up is None:
                        report(result.shard.rows)
                    yield result
            finally:
                for worker in workers:
                    worker.stop()

    def _deal(
        self, ray: Any, order: "Order", left: Deque[Shard], workers: "List[_Worker]"
    ) -> Iterator[ShardResult]:
        deaths: Dict[int, int] = {}
        failed_starts = 0
        while left or any(worker.shard for worker in workers):
            for idle in (w for w in workers if w.owed is None):
                if left:  # the shard of one that died
                    idle.give(left.popleft())
            while len(workers) < self.count and len(workers) < len(left) + _busy(workers):
                workers.append(_Worker(ray, order))
            asleep = not any(worker.ready for worker in workers)
            worker = _heard_from(ray, workers, self.patience if asleep else None)
            if worker is None:
                raise StateError(
                    Errors.H642.format(address=self.address or "local", seconds=self.patience)
                )
            answer, died = worker.receive()
            if died is None:
                failed_starts = 0
                if isinstance(answer, ShardResult):
                    yield answer
                elif answer is not None:
                    raise as_error(answer)
                worker.give(left.popleft() if left else None)
                continue
            workers.remove(worker)
            worker.stop()
            shard = worker.shard
            if shard is None:
                failed_starts += 1
                if failed_starts >= self.tries:
                    raise StateError(Errors.H641.format(detail=died))
                continue
            deaths[shard.number] = deaths.get(shard.number, 0) + 1
            if deaths[shard.number] < self.tries:
                left.append(shard)
            else:
                reason = f"{self.tries} processes died over it, the last so: {died}"
                yield ShardResult(shard, given_up=reason)


@dataclass(frozen=True)
class Order:
    """A job, and what has to be the same where it is done. Its paths hold in `folder`.

    digest: of the pipeline. version: of this package.
    """

    job: Job
    folder: Path
    digest: str
    version: str


class RayWorker:
    """What runs in a process of Ray: a pipeline, and shards for it."""

    def __init__(self) -> None:
        self.job: Optional[Job] = None
        self.annotator: Optional[RowAnnotator] = None

    def load(self, order: Order) -> Optional[Tuple[str, str]]:
        """Load the pipeline.

        order (Order): The job.
        RETURNS (Optional[Tuple[str, str]]): Kind and message of an error.
        """
        try:
            enter(order)
            self.annotator = RowAnnotator(load_pipeline(order.job.pipeline, order.job.code))
            self.job = order.job
        except HitlError as e:
            return told(e)
        return None

    def run(self, shard: Shard) -> Any:
        """RETURNS (Any): The result of a shard; or kind and message of an error."""
        assert self.job is not None and self.annotator is not None
        try:
            result = run_shard(self.job, self.annotator, shard)
        except HitlError as e:
            return told(e)
        return ShardResult(shard, result.written, result.failed)


def enter(order: Order) -> None:
    """Go where the job is, and see that it is the same job.

    order (Order): The job.
    RAISES (InputError): If this machine does not see the files, or has others.
    """
    name = socket.gethostname()
    if order.version != about.__version__:
        detail = f"{name} has spacy-hitl {about.__version__}, the run {order.version}"
        raise InputError(Errors.H641.format(detail=detail))
    try:
        os.chdir(order.folder)
    except OSError as e:
        raise InputError(Errors.H641.format(detail=f"{name}: {e}")) from e
    if folder_digest(Path(order.job.pipeline)) != order.digest:
        detail = f"on {name}, {order.job.pipeline} is not there, or holds another pipeline"
        raise InputError(Errors.H641.format(detail=detail))


class _Worker:
    """A worker of Ray, the shard it has, and the answer it owes. ready: it has its pipeline."""

    def __init__(self, ray: Any, order: Order) -> None:
        self._ray = ray
        threads = {name: os.environ.get(name, "1") for name in ONE_THREAD}
        # Ray's own retries would hide which shard kills.
        kind = ray.remote(
            num_cpus=CPUS,
            max_restarts=0,
            max_task_retries=0,
            runtime_env={"env_vars": threads},
        )(RayWorker)
        self._actor = kind.remote()
        self.owed: Any = self._actor.load.remote(order)
        self.ready = False
        self.shard: Optional[Shard] = None

    def give(self, shard: Optional[Shard]) -> None:
        self.shard = shard
        self.owed = None if shard is None else self._actor.run.remote(shard)

    def receive(self) -> Tuple[Any, Optional[str]]:
        """RETURNS (Tuple[Any, Optional[str]]): What it answered, or how it died."""
        try:
            answer = self._ray.get(self.owed)
        except self._ray.exceptions.RayError as e:
            return None, _in_short(e)
        self.ready = True
        return answer, None

    def stop(self) -> None:
        self._ray.kill(self._actor, no_restart=True)


def _busy(workers: Sequence[_Worker]) -> int:
    """RETURNS (int): How many workers have a shard."""
    return sum(worker.shard is not None for worker in workers)


def _heard_from(
    ray: Any, workers: Sequence[_Worker], timeout: Optional[float]
) -> Optional[_Worker]:
    """RETURNS (Optional[_Worker]): One that has an answer; None if there was none in time."""
    owing = [worker for worker in workers if worker.owed is not None]
    done, _ = ray.wait([worker.owed for worker in owing], num_returns=1, timeout=timeout)
    return next((worker for worker in owing if worker.owed in done), None)


def _in_short(error: Exception) -> str:
    """RETURNS (str): What Ray says of a death in one line: for errors of Python their last."""
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    cause = getattr(error, "cause", None)
    if cause is not None:
        return f"{type(cause).__name__}: {cause}"
    said = next((line for line in lines if "exit detail:" in line), lines[0] if lines else "")
    return said.partition("exit detail: ")[2][:160] or f"{type(error).__name__}: {said[:160]}"


@contextmanager
def _running(address: Optional[str], count: int) -> Iterator[Any]:
    """Start a Ray here, or go to the one that is there; leave it as it was found.

    address (Optional[str]): Of a cluster.
    count (int): Workers that have to find room in a local one.
    YIELDS (Any): The module `ray`.
    RAISES (InputError): If that can't be done.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # ours to say: it would call home
    import ray

    if ray.is_initialized():  # in a notebook, or in a program that uses Ray itself
        yield ray
        return
    local = {
        "include_dashboard": False,
        "num_cpus": max(os.cpu_count() or 1, count),
        "object_store_memory": STORE_BYTES,
    }
    try:
        if address is not None:
            _knock(address)
        ray.init(
            address=address or "local",
            log_to_driver=False,
            logging_level=logging.ERROR,
            **({} if address is not None else local),
        )
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as e:
        raise InputError(Errors.H643.format(address=address or "this machine", detail=e)) from e
    try:
        # Ray prints to stdout that a worker died; what is there is for results.
        with redirect_stdout(sys.stderr):
            yield ray
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """RAISES (OSError): If nobody answers at HOST:PORT. Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if host and port.isdigit() and "//" not in address:
        socket.create_connection((host, int(port)), timeout=10).close()
