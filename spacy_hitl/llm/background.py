"""One event loop per process, in a thread of its own: concurrent requests from ordinary code.

Works where a loop is running already (Jupyter), in worker processes of `nlp.pipe(n_process=2)`,
and after a fork: each process finds none of its own and makes one.
"""

import asyncio
import os
import threading
from typing import Dict

_loops: Dict[int, asyncio.AbstractEventLoop] = {}
_guard = threading.Lock()


def background_loop() -> asyncio.AbstractEventLoop:
    """RETURNS (asyncio.AbstractEventLoop): This process's loop, started when first asked for."""
    pid = os.getpid()
    with _guard:
        loop = _loops.get(pid)
        if loop is None or loop.is_closed():
            loop = asyncio.new_event_loop()
            thread = threading.Thread(target=loop.run_forever, name="spacy-hitl", daemon=True)
            thread.start()
            _loops[pid] = loop
        return loop


def _fresh_guard() -> None:
    """A fork may happen while another thread holds the lock; the child starts with its own."""
    global _guard
    _guard = threading.Lock()


os.register_at_fork(after_in_child=_fresh_guard)
