"""What runs in the process in which a pipeline is timed. Imports little: its start is measured."""

import os
import signal
import sys
import time
import warnings
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

RUNS = 5  # at most
SMALL = 16  # texts in a batch of the first run, so that it can end in time
PARTS = 5  # of the time: one for warming up, three for the runs, one for single texts
LONGEST = 300  # characters of an error


@dataclass(frozen=True)
class Timing:
    """words_per_s: of each run over all texts. singles: seconds of each text on its own. texts: how
    many of them there was time for.
    """

    words_per_s: Tuple[float, ...]
    singles: Tuple[float, ...]
    texts: int


def run_stopwatch(
    sender: "Connection[Any, Any]",
    path: str,
    texts: List[str],
    code: Optional[str],
    left_out: List[str],
    started: float,
    seconds: float,
) -> None:
    """Load a pipeline and time it: the whole of the process.

    sender (Connection): Gets ("measured", figures) or ("failed", reason), plain values.
    path (str): Folder of the pipeline.
    texts (List[str]): What it annotates.
    code (Optional[str]): Python file with registered functions to import first.
    left_out (List[str]): Components that are not loaded.
    started (float): `time.monotonic()` when the process was started: the same clock everywhere.
    seconds (float): About how long to measure.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever waits is told, and ends this process
    warnings.simplefilter("ignore")  # they were shown when the pipeline was measured for quality
    try:
        stay_on_one_core()
        sender.send(("measured", _measure(path, texts, code, left_out, started, seconds)))
    except Exception as e:  # a pipeline may raise anything; it is told, not shown
        sender.send(("failed", f"{type(e).__name__}: {e}"[:LONGEST]))


def stay_on_one_core() -> None:
    """Keep this process, and all threads it will start, on one of its cores (where it can be)."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def _measure(
    path: str,
    texts: List[str],
    code: Optional[str],
    left_out: List[str],
    started: float,
    seconds: float,
) -> Dict[str, Any]:
    import spacy

    if code is not None:
        spacy.util.import_file("python_code", Path(code))
    nlp = spacy.load(path, exclude=left_out)
    nlp(texts[0])
    cold = time.monotonic() - started
    start, used = time.perf_counter(), time.process_time()
    timing = time_pipeline(nlp, texts, seconds=seconds)
    used, took = time.process_time() - used, time.perf_counter() - start
    return {
        "words_per_s": list(timing.words_per_s),
        "singles": list(timing.singles),
        "texts": timing.texts,
        "cold_start_s": cold,
        "peak_megabytes": peak_megabytes(),
        "core_share": min(used / took, 1.0),
    }


def time_pipeline(
    nlp: Any,
    texts: Sequence[str],
    *,
    seconds: float,
    runs: int = RUNS,
    clock: Callable[[], float] = time.perf_counter,
) -> Timing:
    """Time a pipeline that is loaded, warm.

    nlp (Language): The pipeline.
    texts (Sequence[str]): At least one.
    seconds (float): About how long it may take. Where one pass over the texts takes more than a
        fifth of it, only as many texts are measured as that was enough for.
    runs (int): Passes over the texts, at most; one at least.
    clock (Callable[[], float]): Seconds.
    RETURNS (Timing): Words (tokens) a second of each run, seconds of single texts.
    """
    part = seconds / PARTS
    start, words, count = clock(), 0, 0
    for doc in nlp.pipe(texts, batch_size=SMALL):  # warms up caches, too
        words, count = words + len(doc), count + 1
        if clock() - start > part:
            break
    measured = texts[:count]
    rates: List[float] = []
    begin = clock()
    while len(rates) < runs and (not rates or clock() - begin < 3 * part):
        start = clock()
        for _ in nlp.pipe(measured):
            pass
        rates.append(words / (clock() - start))
    singles: List[float] = []
    begin = clock()
    for text in measured:
        start = clock()
        nlp(text)
        singles.append(clock() - start)
        if clock() - begin > part:
            break
    return Timing(tuple(rates), tuple(singles), count)


def peak_megabytes() -> Optional[float]:
    """RETURNS (Optional[float]): Most memory this process ever had, in 10^6 bytes; None where the
    system does not tell.
    """
    try:
        # On Linux getrusage also counts what the process was before it became this program.
        for line in (
            Path("/proc/self/status").read_text(encoding="ascii", errors="replace").split("\n")
        ):
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    except (OSError, ValueError, IndexError):
        pass
    try:
        import resource
    except ImportError:
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most * (1 if sys.platform == "darwin" else 1024) / 1e6
