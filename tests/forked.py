"""`spacy hitl` in processes that can be killed, forked off one that has imported everything.

A start takes a second and more, nearly all of it imports. Where a test starts a command again and
again to kill it, this costs them once; the process and what ends it are as real. Tests of how a
command starts use a new interpreter.
"""

import multiprocessing
import os
import sys
from pathlib import Path
from typing import Any, Dict, Optional

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [
        "spacy.cli",
        "spacy.lang.en",
        "spacy_hitl.cli",
        "spacy_hitl.annotate.run",
        "spacy_hitl.review.server.run",
        "spacy_hitl.pipeline.loading",
        "openai",
        "uvicorn",
    ]
)


def start(*words: Any, log: Path, env: Optional[Dict[str, str]] = None) -> Any:
    """Start a command in the current folder.

    words (Any): What stands behind `python -m spacy hitl`.
    log (Path): Gets what it prints.
    env (Optional[Dict[str, str]]): More environment variables.
    RETURNS (Any): The process: pid, kill(), join() and exitcode, as of multiprocessing.
    """
    log.write_bytes(b"")
    arguments = ([str(word) for word in words], str(Path.cwd()), str(log.resolve()), env or {})
    process = _CONTEXT.Process(target=_run, args=arguments)
    process.start()
    return process


def _run(words: Any, folder: str, log: str, env: Dict[str, str]) -> None:
    os.chdir(folder)
    os.environ.update(env)
    handle = os.open(log, os.O_WRONLY | os.O_APPEND)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(handle, stream.fileno())
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    from spacy.cli import setup_cli

    sys.argv = ["spacy", "hitl", *words]
    setup_cli()
