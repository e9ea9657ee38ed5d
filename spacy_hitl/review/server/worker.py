"""The thread that works on the dataset, one call after the other."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, TypeVar

_T = TypeVar("_T")


class Worker:
    """One thread: the event loop never waits for a disk, and SQLite sees one connection."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hitl-dataset")

    async def run(self, work: Callable[[], _T]) -> _T:
        """RETURNS (_T): What the work gave; what it raises is raised here."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def close(self) -> None:
        """Finish what is under way."""
        self._executor.shutdown(wait=True)
