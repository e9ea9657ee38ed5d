"""What was in production, and what before that: a journal beside the link.

A line is written before the link is swapped, and says what it pointed to then. So it is known
without a second line whether the swap happened: the next line, or now the link itself, tells where
the link pointed afterwards. A run that was killed in between leaves a line that never came true,
and rollback does not go to what was never in production.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

from ..errors import Errors, InputError
from ..io import read_jsonl, write_jsonl
from ..records import Record

PROMOTE, ROLLBACK = "promote", "rollback"


@dataclass(frozen=True)
class Swap(Record):
    """One line of the journal: what the link was about to point to, and what it pointed to.

    version, before: names of folders; before is None if there was no link. why: "promote" or
    "rollback". time: seconds since 1970.
    """

    version: str
    before: Optional[str] = None
    why: str = PROMOTE
    time: Optional[float] = None


def journal_path(link: Path) -> Path:
    """RETURNS (Path): Where the journal of a link is."""
    return link.with_name(f".{link.name}.history.jsonl")


def read_journal(link: Path) -> List[Swap]:
    """RETURNS (List[Swap]): The lines, oldest first; none if nothing was promoted yet.
    RAISES (InputError): If a line was edited into something else.
    """
    path = journal_path(link)
    if not path.exists():
        return []
    return [_read_swap(value, where) for where, value in read_jsonl(path, what="history")]


def _read_swap(value: Dict[str, Any], where: str) -> Swap:
    swap = Swap.from_dict(value, where=where)
    for name in (swap.version, swap.before):
        if name is not None and (Path(name).name != name or "\0" in name):
            problem = f"{name!r} is not the name of a version"
            raise InputError(Errors.H004.format(where=where, problem=problem))
    return swap


def append_journal(link: Path, version: str, before: Optional[str], *, why: str) -> None:
    """Say what will be done: the file is replaced as a whole, so no line is ever half.

    RAISES (StateError): If it can't be written.
    """
    lines = [*read_journal(link), Swap(version, before, why, round(time.time(), 3))]
    write_jsonl(journal_path(link), (line.to_dict() for line in lines))


def happened(journal: Sequence[Swap], now: Optional[str]) -> Tuple[Swap, ...]:
    """Find the swaps that came true.

    journal (Sequence[Swap]): All lines, oldest first.
    now (Optional[str]): What the link points to now.
    RETURNS (Tuple[Swap, ...]): Those after which the link pointed to their version, oldest first.
        One that is seen and in no line (the link was moved by hand, or is older than the journal)
        is among them, without a time.
    """
    found: List[Swap] = []
    seen: Optional[str] = None
    for i, line in enumerate(journal):
        if line.before is not None and line.before != seen:
            found.append(Swap(line.before, seen))
        seen = line.before
        after = journal[i + 1].before if i + 1 < len(journal) else now
        if after == line.version:
            found.append(line)
            seen = line.version
    if now is not None and now != seen:
        found.append(Swap(now, seen))
    return tuple(found)


def earlier_versions(journal: Sequence[Swap], now: Optional[str]) -> Tuple[str, ...]:
    """What rollback goes through: as undo does, it never returns to what was rolled back.

    journal (Sequence[Swap]): All lines, oldest first.
    now (Optional[str]): What the link points to now.
    RETURNS (Tuple[str, ...]): Versions that were in production before this one, the latest last.
    """
    stack: List[str] = []
    for swap in happened(journal, now):
        if swap.why == ROLLBACK and swap.version in stack:
            while stack[-1] != swap.version:
                stack.pop()
        elif not stack or stack[-1] != swap.version:
            stack.append(swap.version)
    return tuple(stack[:-1]) if stack and stack[-1] == now else tuple(stack)
