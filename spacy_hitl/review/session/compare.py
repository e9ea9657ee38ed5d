"""Two versions of a prompt on the same texts, side by side, without their names."""

import hashlib
from dataclasses import dataclass
from typing import Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ...errors import Errors, InputError
from ...records import Preference
from ...scoring.intervals import wilson
from .plan import ReviewTask

CHOICES = ("first", "second", "both", "neither")
Key = Tuple[str, int, str]  # source, sample, task digest


class Preferred(NamedTuple):
    """How often each version was preferred, over texts and tasks where they differ.

    share: of the first version, among those where one was preferred, with its 95% interval; None
    if there is none yet.
    """

    wins: int
    losses: int
    ties: int
    share: Optional[float]
    interval: Optional[Tuple[float, float]]


@dataclass(frozen=True)
class ComparedTask:
    """One task with the keys of the two versions' proposals."""

    name: str
    first: Key
    second: Key


def compared_tasks(
    plan: Mapping[str, ReviewTask], against: Mapping[str, ReviewTask], *, path: object
) -> Dict[str, ComparedTask]:
    """Find the tasks that two configs have in two versions.

    plan (Mapping[str, ReviewTask]): Tasks of the session's config.
    against (Mapping[str, ReviewTask]): Tasks of the other config.
    path (object): The other config, for the error message.
    RETURNS (Dict[str, ComparedTask]): Tasks of the same kind and labels, asked differently.
    RAISES (InputError): If there is none.
    """
    found = {
        name: ComparedTask(name, task.key, against[name].key)
        for name, task in plan.items()
        if name in against
        and task.key != against[name].key
        and (task.kind, task.labels) == (against[name].kind, against[name].labels)
    }
    if not found:
        raise InputError(Errors.H216.format(path=path))
    return found


def version_name(key: Key) -> str:
    """RETURNS (str): How a version is called in a stored preference."""
    source, sample, digest = key
    return f"{source} #{sample} {digest}"


def shown_order(digest: str, annotator: str) -> str:
    """RETURNS (str): "ab" if the first version is shown first, "ba" if second; like a coin, but the
    same for a text whenever a person opens it.
    """
    coin = hashlib.sha256(f"compare:{digest}:{annotator}".encode("utf8", "replace")).digest()[0]
    return "ab" if coin % 2 else "ba"


def unshuffle(choice: str, shown: str) -> str:
    """RETURNS (str): Which version was preferred, from which side was."""
    if choice in ("both", "neither") or shown == "ab":
        return choice
    return "second" if choice == "first" else "first"


def count(preferences: Iterable[Preference], tasks: Sequence[ComparedTask]) -> Preferred:
    """Count preferences between two versions; where a person changed their mind, the last counts.

    preferences (Iterable[Preference]): Stored ones, oldest first.
    tasks (Sequence[ComparedTask]): What is compared.
    RETURNS (Preferred): The counts.
    """
    pairs = {t.name: (version_name(t.first), version_name(t.second)) for t in tasks}
    last: Dict[Tuple[str, str, str], str] = {}
    for p in preferences:
        if pairs.get(p.task) == (p.first, p.second):
            last[p.text_digest, p.task, p.annotator] = p.choice
        elif pairs.get(p.task) == (p.second, p.first):
            last[p.text_digest, p.task, p.annotator] = unshuffle(p.choice, "ba")
    choices: List[str] = list(last.values())
    wins, losses = choices.count("first"), choices.count("second")
    ties, clear = len(choices) - wins - losses, wins + losses
    if not clear:
        return Preferred(wins, losses, ties, None, None)
    return Preferred(wins, losses, ties, wins / clear, wilson(wins / clear, clear))
