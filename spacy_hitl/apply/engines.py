"""Who works on the shards: this process, or several beside it.

An engine takes the job and its shards, runs `run_shard` on each somewhere, and gives the results
back as they come. It keeps nothing else: results and what is known of them are in files by then.
"""

import multiprocessing
import os
import signal
from collections import deque
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Deque, Dict, Iterator, List, Optional, Protocol, Sequence, Tuple, Union

from ..errors import Errors, HitlError, InputError, StateError
from .annotating import RowAnnotator
from .shards import Job, Report, ShardResult, load_pipeline, run_shard
from .sources import Shard

TRIES = 3  # a worker that dies takes its shard with it; after so many, the shard is given up
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


class Engine(Protocol):
    """Runs shards, in any order, anywhere."""

    def __call__(
        self, job: Job, shards: Sequence[Shard], *, report: Report
    ) -> Iterator[ShardResult]:
        """Yield one result per shard; raise HitlError if the job can't be done at all."""
        ...


def run_here(job: Job, shards: Sequence[Shard], *, report: Report) -> Iterator[ShardResult]:
    """Work on one shard after the other in this process.

    job (Job): What to do.
    shards (Sequence[Shard]): The shards.
    report (Report): Told how many more rows are done.
    YIELDS (ShardResult): One per shard, in their order.
    RAISES (HitlError): If the pipeline can't be loaded, or results can't be written.
    """
    annotator = RowAnnotator(load_pipeline(job.pipeline, job.code))
    for shard in shards:
        yield run_shard(job, annotator, shard, report=report)


class Workers:
    """Several processes on this machine. Each loads the pipeline once and is dealt shards.

    count (int): How many processes.
    tries (int): How many workers may die over one shard before it is given up.
    """

    def __init__(self, count: int, *, tries: int = TRIES) -> None:
        self.count = count
        self.tries = tries

    def __call__(
        self, job: Job, shards: Sequence[Shard], *, report: Report
    ) -> Iterator[ShardResult]:
        """Deal shards out.

        job (Job): What to do.
        shards (Sequence[Shard]): The shards.
        report (Report): Told how many more rows are done; a number below 0 takes back what a worker
            that died had done.
        YIELDS (ShardResult): One per shard, as they come.
        RAISES (HitlError): What a worker can't go on with: no pipeline, a full disk.
        """
        left = deque(shards)
        deaths: Dict[int, int] = {}
        workers: List[_Worker] = []
        try:
            while left or any(w.shard for w in workers):
                while left and len(workers) < self.count:
                    workers.append(_Worker(job))
                for worker in workers:
                    if worker.shard is None and left:
                        worker.give(left.popleft())
                for worker in _heard_from(workers):
                    message = worker.receive()
                    if isinstance(message, ShardResult):
                        worker.finish()
                        yield message
                    elif isinstance(message, int):
                        worker.reported += message
                        report(message)
                    elif message is not None:
                        raise as_error(message)
                    else:
                        workers.remove(worker)
                        report(-worker.reported)
                        yield from self._take_back(worker, left, deaths)
        finally:
            for worker in workers:
                worker.stop()

    def _take_back(
        self, worker: "_Worker", left: Deque[Shard], deaths: Dict[int, int]
    ) -> Iterator[ShardResult]:
        """Give the shard of a dead worker to another one, or give it up."""
        code = worker.stop()
        if worker.shard is None:
            return
        number = worker.shard.number
        deaths[number] = deaths.get(number, 0) + 1
        if deaths[number] < self.tries:
            left.append(worker.shard)
        else:
            reason = f"{self.tries} processes died over it, the last with exit code {code}"
            yield ShardResult(worker.shard, given_up=reason)


class _Worker:
    """A process, the line to it, and the shard it has."""

    def __init__(self, job: Job) -> None:
        context = multiprocessing.get_context("spawn")
        self.line, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(target=_work, args=(job, theirs), daemon=True)
        with _one_thread_each():
            self.process.start()
        theirs.close()  # so that the line ends when the process does
        self.shard: Optional[Shard] = None
        self.reported = 0

    def give(self, shard: Shard) -> None:
        self.shard = shard
        with suppress(OSError):  # if it died, the line says so when it is read
            self.line.send(shard)

    def finish(self) -> None:
        self.shard, self.reported = None, 0

    def receive(self) -> Any:
        """RETURNS (Any): A message; None if the process has died."""
        try:
            return self.line.recv()
        except (EOFError, OSError):
            return None

    def stop(self) -> Optional[int]:
        """RETURNS (Optional[int]): The exit code of the process, which has ended."""
        self.line.close()
        self.process.terminate()
        self.process.join()
        return self.process.exitcode


def open_engine(name: str, workers: int, *, address: Optional[str] = None) -> Engine:
    """Choose who works.

    name (str): "local" or "ray".
    workers (int): How many at the same time.
    address (Optional[str]): Of a Ray cluster.
    RETURNS (Engine): The engine.
    RAISES (InputError): If there is no such engine, it is not installed, or needs no address.
    """
    if name not in ("local", "ray"):
        raise InputError(Errors.H640.format(value=name))
    if name == "ray":
        from .ray_engine import RayEngine

        return RayEngine(workers, address=address)
    if address is not None:
        raise InputError(Errors.H644.format(address=address))
    return run_here if workers == 1 else Workers(workers)


def _heard_from(workers: Sequence[_Worker]) -> List[_Worker]:
    ready = wait([worker.line for worker in workers])
    return [worker for worker in workers if worker.line in ready]


def told(error: HitlError) -> Tuple[str, str]:
    """RETURNS (Tuple[str, str]): An error as it goes from one process to another."""
    return type(error).__name__, str(error)


def as_error(message: Tuple[str, str]) -> HitlError:
    """RETURNS (HitlError): The error that another process told of."""
    kind, text = message
    return InputError(text) if kind == InputError.__name__ else StateError(text)


def _work(job: Job, line: "Connection[Any, Any]") -> None:
    """What a worker does until the line ends: with the process that started it, at the latest."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C stops the one that deals
    try:
        annotator = RowAnnotator(load_pipeline(job.pipeline, job.code))
        while True:
            shard = line.recv()
            answer: Union[ShardResult, Tuple[str, str]]
            answer = run_shard(job, annotator, shard, report=line.send)
            line.send(ShardResult(shard, answer.written, answer.failed))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except HitlError as e:
        line.send(told(e))


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes started inside multiply matrices with one thread each, unless the user set it."""
    ours = [name for name in ONE_THREAD if name not in os.environ]
    os.environ.update(dict.fromkeys(ours, "1"))
    try:
        yield
    finally:
        for name in ours:
            os.environ.pop(name, None)
