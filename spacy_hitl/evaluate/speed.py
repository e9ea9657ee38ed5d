"""How fast a trained pipeline is: on one core, in a process that holds nothing else."""

import math
import multiprocessing
import os
import platform
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from ..errors import Errors, InputError
from ..scoring.results import Speed
from .stopwatch import run_stopwatch

SECONDS = 10.0  # to measure one system, besides its start
LIMIT = 600.0  # seconds; a process that takes longer hangs
# What the libraries that multiply matrices read when they are loaded.
ONE_THREAD = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def measure_speed(
    path: Path,
    texts: Sequence[str],
    *,
    code: Optional[Path] = None,
    left_out: Sequence[str] = (),
    seconds: float = SECONDS,
    limit: float = LIMIT,
) -> Speed:
    """Time a trained pipeline in a process of its own, on one core and one thread.

    path (Path): Its folder.
    texts (Sequence[str]): What it annotates, at least one text.
    code (Optional[Path]): Python file with registered functions that it needs.
    left_out (Sequence[str]): Components that are not loaded.
    seconds (float): About how long to measure, once it has started.
    limit (float): Seconds after which a process that does not answer is ended.
    RETURNS (Speed): Words a second (the median of its runs), times of single texts, start, memory.
    RAISES (InputError): If the pipeline can't be loaded or used in a fresh process, or the process
        ends or hangs.
    """
    known_code = None if code is None else str(code)
    # Plain values: they go to the other process.
    values = _ask((str(path), list(texts), known_code, list(left_out)), seconds, limit)
    singles = [1000 * s for s in values["singles"]]
    return Speed(
        words_per_s=median(values["words_per_s"]),
        runs=tuple(values["words_per_s"]),
        p50_ms=percentile(singles, 50),
        p99_ms=percentile(singles, 99),
        cold_start_s=values["cold_start_s"],
        peak_megabytes=values["peak_megabytes"],
        processor=processor_name(),
        texts=values["texts"],
        singles=len(singles),
        core_share=values["core_share"],
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """Find the smallest value that is not exceeded by so many of them (nearest rank).

    >>> percentile([5.0, 1.0, 9.0, 2.0], 50), percentile([5.0, 1.0, 9.0, 2.0], 99)
    (2.0, 9.0)

    values (Sequence[float]): At least one.
    percent (float): Above 0 and up to 100.
    RETURNS (float): One of the values.
    """
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


def processor_name() -> Optional[str]:
    """RETURNS (Optional[str]): What the system calls its processor, if it tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next((n for n in names if n), None) or platform.processor() or platform.machine() or None


def _ask(
    what: Tuple[str, List[str], Optional[str], List[str]], seconds: float, limit: float
) -> Dict[str, Any]:
    path = what[0]
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    with _one_thread(), _no_script():
        process = context.Process(
            target=run_stopwatch,
            args=(sender, *what, time.monotonic(), seconds),
            daemon=True,
        )
        process.start()
    sender.close()  # so that a process that dies is noticed
    try:
        if not receiver.poll(limit):
            problem = f"gave no answer in {limit:g} seconds"
            raise InputError(Errors.H421.format(path=path, problem=problem))
        outcome, value = receiver.recv()
    except EOFError as e:
        process.join()
        problem = f"ended with exit code {process.exitcode}"
        raise InputError(Errors.H421.format(path=path, problem=problem)) from e
    finally:
        receiver.close()
        process.kill()  # it has nothing more to say
        process.join()
    if outcome == "failed":
        raise InputError(Errors.H420.format(path=path, detail=value))
    found: Dict[str, Any] = value
    return found


@contextmanager
def _one_thread() -> Iterator[None]:
    """A process that is started inside multiplies matrices with one thread."""
    before: Tuple[Tuple[str, Optional[str]], ...] = tuple(
        (name, os.environ.get(name)) for name in ONE_THREAD
    )
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before:
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _no_script() -> Iterator[None]:
    """A process that is started inside does not import the script that is running: its imports
    would count, a script without a main guard would run again, and a notebook has no file.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
