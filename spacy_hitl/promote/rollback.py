"""Back to a version that was in production, and which versions there are."""

from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional, Tuple

from ..errors import Errors, InputError
from ..io import find_file
from ..pipeline.loading import settings_of
from ..settings import Settings
from .history import ROLLBACK, Swap, earlier_versions, happened, read_journal
from .switch import check_version, current_version, locked, name_of, read_meta, swap


@dataclass(frozen=True)
class KeptVersion:
    """A version, and its time in production.

    is_current: whether it is in production. swaps: how often it came into production. last: when it
    did so last, seconds since 1970. number: of its package. tasks: its students. problem: why
    rollback would refuse it.
    """

    name: str
    is_current: bool
    swaps: int
    last: Optional[float] = None
    number: str = ""
    tasks: Tuple[str, ...] = ()
    problem: Optional[str] = None


def rollback(config_path: Path, *, to: Optional[str] = None) -> Tuple[Path, Path]:
    """Put an earlier version into production again. Nothing is loaded, measured or composed.

    config_path (Path): Config of the prompted pipeline, with a [hitl] section.
    to (Optional[str]): Name of a version that is kept, or how it starts. If not given: the one that
        was in production before the present one.
    RETURNS (Tuple[Path, Path]): The link, and the version it points to now.
    RAISES (InputError): If there is no such version, or it is one of another pipeline.
    RAISES (StateError): If its bytes were changed, another run is at work, or nothing can be
        written; the current version stays.
    """
    settings = settings_of(config_path)
    link = _link(settings)
    _choose(link, settings, to)  # before anything is made for a project that has nothing yet
    with locked(link, settings.versions):
        version = _choose(link, settings, to)
        found = read_meta(version).get("name")
        if found != settings.promote.name:
            raise InputError(
                Errors.H511.format(path=version, found=found, name=settings.promote.name)
            )
        check_version(version)
        swap(link, version, why=ROLLBACK)
    return link, version


def list_versions(config_path: Path) -> Tuple[KeptVersion, ...]:
    """Read which versions of a pipeline there are. Nothing is changed.

    config_path (Path): Config of the prompted pipeline, with a [hitl] section.
    RETURNS (Tuple[KeptVersion, ...]): The latest in production first, then those that never were.
        Versions that were in production and are gone are among them.
    """
    settings = settings_of(config_path)
    link = _link(settings)
    now = current_version(link)
    history: Dict[str, List[Swap]] = {}
    order: Dict[str, int] = {}
    for i, line in enumerate(happened(read_journal(link), now)):
        history.setdefault(line.version, []).append(line)
        order[line.version] = -i
    kept = {
        path.name
        for path in _folders(settings.versions)
        if read_meta(path).get("name") == settings.promote.name
    }
    names = sorted({*kept, *history}, key=lambda name: (order.get(name, 1), name))
    return tuple(_describe(name, settings, history.get(name, []), now) for name in names)


def _describe(name: str, settings: Settings, swaps: List[Swap], now: Optional[str]) -> KeptVersion:
    path = settings.versions / name
    problem = None
    if not path.is_dir():
        problem = "gone"
    elif name_of(path) != name:
        problem = "changed"
    meta = read_meta(path)
    students = meta.get("hitl", {}).get("students", {})
    tasks = tuple(task for task in meta.get("pipeline", ()) if task in students)
    last = swaps[-1].time if swaps else None
    number = meta.get("version", "")
    return KeptVersion(name, name == now, len(swaps), last, number, tasks, problem)


def _link(settings: Settings) -> Path:
    return settings.pipelines / settings.promote.name


def _choose(link: Path, settings: Settings, to: Optional[str]) -> Path:
    if to is not None:
        return _find(to, settings)
    earlier = earlier_versions(read_journal(link), current_version(link))
    if not earlier:
        raise InputError(Errors.H509.format(link=link))
    return find_file(settings.versions / earlier[-1], what="version that was in production before")


def _find(name: str, settings: Settings) -> Path:
    names = sorted(path.name for path in _folders(settings.versions))
    matching = [found for found in names if name and found.startswith(name)]
    if len(matching) != 1:
        known = ", ".join(matching or names) or "none"
        count = len(matching) or "none"
        raise InputError(
            Errors.H510.format(name=name, count=count, path=settings.versions, known=known)
        )
    return settings.versions / matching[0]


def _folders(versions: Path) -> List[Path]:
    if not versions.is_dir():
        return []
    return [path for path in versions.iterdir() if path.is_dir() and not path.name.startswith(".")]
