"""The connections to a server: made so that they stay where they lead, closed where they live."""

import asyncio
import os
import weakref
from typing import Any, Dict, List, Optional

from .._compat import require

_left_alone: List[Any] = []


def make_client(
    base_url: Optional[str], *, key: str, azure_api_version: Optional[str], timeout: float
) -> Any:
    """Make a client that does one attempt and follows no redirect.

    base_url (Optional[str]): Address of the server; OpenAI's own if not given.
    key (str): The key; may be empty.
    azure_api_version (Optional[str]): Set for Azure.
    timeout (float): Seconds for one attempt.
    RETURNS (openai.AsyncOpenAI): The client. Nothing was sent yet.
    RAISES (InputError): If the package is not installed.
    """
    require("openai", extra="llm")
    import openai

    common: Dict[str, Any] = {
        "api_key": key or "-",  # a local server wants no key, but the client wants one
        "max_retries": 0,
        "timeout": timeout,
        # Followed, a redirect would take the text to an address that nobody has checked.
        "http_client": openai.DefaultAsyncHttpxClient(follow_redirects=False, timeout=timeout),
    }
    if azure_api_version is not None:
        return openai.AsyncAzureOpenAI(
            azure_endpoint=base_url or "", api_version=azure_api_version, **common
        )
    return openai.AsyncOpenAI(base_url=base_url, **common)


def close_after(owner: object, client: Any, loop: asyncio.AbstractEventLoop) -> None:
    """Close a client in its loop when its owner is gone.

    A client that becomes garbage closes the sockets first and tells the loop later. By then their
    numbers may belong to new connections, which the loop stops watching: they wait for ever.

    owner (object): Who uses the client.
    client (openai.AsyncOpenAI): Kept until it is closed.
    loop (asyncio.AbstractEventLoop): The loop it is used in.
    """
    weakref.finalize(owner, _close, client, loop, os.getpid()).atexit = False


def _close(client: Any, loop: asyncio.AbstractEventLoop, pid: int) -> None:
    if os.getpid() != pid:
        _left_alone.append(client)  # after a fork: sockets and loop are the parent's
    elif not loop.is_closed():
        asyncio.run_coroutine_threadsafe(client.close(), loop)
