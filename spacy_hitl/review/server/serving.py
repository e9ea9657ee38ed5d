"""uvicorn, quiet, on a socket that is bound already, with an end that can be asked for."""

import asyncio
import signal
import socket
import threading
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Callable, Coroutine, Iterator, Optional

import uvicorn
from starlette.types import ASGIApp

GRACE = 5  # seconds that open requests have at the end


class _Server(uvicorn.Server):
    """Ends at a signal like uvicorn's, but remembers it instead of raising it again: what has to
    be put away is put away first.
    """

    caught: Optional[int] = None

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle Ctrl+C and SIGTERM while serving."""

        def handle(number: int, frame: Optional[FrameType]) -> None:
            self.caught = number
            self.handle_exit(number, frame)

        if threading.current_thread() is not threading.main_thread():
            yield  # signals go to the main thread
            return
        before = {n: signal.signal(n, handle) for n in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def serve(
    app: ASGIApp,
    listener: socket.socket,
    finished: "asyncio.Event",
    *,
    certfile: Optional[Path],
    keyfile: Optional[Path],
    beside: Callable[[], Coroutine[None, None, None]],
    on_start: Callable[[], None],
) -> Optional[int]:
    """Serve until the session is finished or a signal comes.

    app (ASGIApp): The application.
    listener (socket.socket): Bound and listening.
    finished (asyncio.Event): Set when the session is finished.
    certfile (Optional[Path]): For TLS.
    keyfile (Optional[Path]): For TLS.
    beside (Callable[[], Coroutine[None, None, None]]): Runs beside it, and is cancelled at the end.
    on_start (Callable[[], None]): Called when requests are answered.
    RETURNS (Optional[int]): The signal that ended it, if one did.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="error",
        access_log=False,  # addresses hold tokens
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=GRACE,
        ws="none",
        ssl_certfile=None if certfile is None else str(certfile),
        ssl_keyfile=None if keyfile is None else str(keyfile),
    )
    server = _Server(config)

    async def run() -> None:
        async def watch() -> None:
            while not server.started:
                await asyncio.sleep(0.005)
            on_start()
            await finished.wait()
            server.should_exit = True

        tasks = [asyncio.create_task(watch()), asyncio.create_task(beside())]
        try:
            await server.serve(sockets=[listener])
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(run())
    return server.caught
