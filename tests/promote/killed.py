"""Kill a program at any of the calls with which it changes files."""

import os
import signal
import sys
from pathlib import Path
from typing import Any, Callable

CHANGES = {
    *("os.mkdir", "os.rename", "os.symlink", "os.remove", "os.rmdir", "os.chmod", "os.truncate"),
    *("os.link", "tempfile.mkstemp", "tempfile.mkdtemp", "shutil.rmtree"),
}


def killed_at(number: int, work: Callable[[], object], *, within: Path) -> bool:
    """Run something in a forked process that is killed (SIGKILL) right before its nth change.

    number (int): Which change, from 1.
    work (Callable[[], object]): What to run.
    within (Path): Only what is below this folder counts, and every call that forces bytes out.
    RETURNS (bool): False if it ran to its end, because it makes fewer changes.
    """
    child = os.fork()
    if child == 0:
        code = 70
        try:
            signal.alarm(120)  # nothing here takes long: never wait for a child that hangs
            _kill_before(number, within)
            work()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.waitstatus_to_exitcode(status) == 0, "it failed"
    return False


def _kill_before(number: int, within: Path) -> None:
    """Python announces every change to the file system; this hook lasts as long as the process."""
    left, root, sync = number, str(within.resolve()), os.fsync

    def count() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(event: str, args: Any) -> None:
        if event == "open":
            writes = isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR)
        else:
            writes = event in CHANGES
        named = (os.fspath(a) for a in args if isinstance(a, (str, os.PathLike)))
        if writes and any(os.path.realpath(name).startswith(root) for name in named):
            count()

    def fsync(handle: int) -> None:
        count()
        sync(handle)

    os.fsync = fsync  # no event is raised for it
    sys.addaudithook(hook)
