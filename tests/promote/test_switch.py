"""The switch: killed anywhere, two at once, or without space, production is old or new."""

import fcntl
import json
import os
import shutil
from pathlib import Path
from typing import Any, Callable, List, Optional, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from killed import killed_at

from spacy_hitl.io import folder_digest
from spacy_hitl.promote.history import (
    PROMOTE,
    ROLLBACK,
    Swap,
    earlier_versions,
    happened,
    journal_path,
    read_journal,
)
from spacy_hitl.promote.switch import (
    check_version,
    current_version,
    locked,
    name_of,
    swap,
    write_version,
)


def filler(content: str) -> Callable[[Path], None]:
    """Writes what stands for a pipeline: files in folders."""

    def write(folder: Path) -> None:
        (folder / "product").mkdir()
        (folder / "meta.json").write_text('{"name": "phones"}')
        (folder / "product" / "model").write_bytes(content.encode() * 1000)
        (folder / "product" / "cfg").write_text(content)

    return write


class Place:
    """A link and its versions."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.link, self.versions = root / "pipelines" / "phones", root / "versions"

    def put(self, content: str) -> str:
        with locked(self.link, self.versions):
            version = write_version(filler(content), self.versions)
            swap(self.link, version)
        return version.name

    def back(self) -> str:
        with locked(self.link, self.versions):
            name = self.earlier()[-1]
            swap(self.link, self.versions / name, why=ROLLBACK)
        return name

    def now(self) -> Optional[str]:
        return current_version(self.link)

    def earlier(self) -> Tuple[str, ...]:
        return earlier_versions(read_journal(self.link), self.now())

    def left_over(self) -> List[str]:
        found = [p.name for p in (*self.link.parent.glob(".*"), *self.versions.glob(".*"))]
        return sorted(set(found) - {".lock", journal_path(self.link).name})


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "place")


def name_for(content: str, folder: Path) -> str:
    """What a version with this content will be called."""
    folder.mkdir()
    filler(content)(folder)
    return name_of(folder)


@pytest.mark.parametrize(
    "what, before",
    [("new", ()), ("new", ("a", "b")), ("kept", ("a", "b", "c")), ("back", ("a", "b", "c"))],
)
def test_killed_anywhere(before: Tuple[str, ...], what: str, tmp_path: Path) -> None:
    """A new version, one that is there already, and rollback; each killed before every change."""
    start = Place(tmp_path / "start")
    names = [start.put(content) for content in before]
    content = "new" if what == "new" else before[0]
    target = names[-2] if what == "back" else name_for(content, tmp_path / "wanted")
    at = 0
    while True:
        at += 1
        place = Place(tmp_path / f"killed {at}")
        if before:
            shutil.copytree(start.root, place.root, symlinks=True)
        else:
            place.root.mkdir()
        work = place.back if what == "back" else lambda p=place: p.put(content)
        killed = killed_at(at, work, within=place.root)
        swapped = place.now() == target
        # Production is the old or the new one, byte for byte, and rollback knows which.
        assert swapped or place.now() == (names[-1] if names else None)
        if place.now() is not None:
            check_version(place.link.resolve())
        undone = names[:-2] if what == "back" else names
        assert place.earlier() == tuple(undone if swapped else names[:-1])
        for name in place.earlier():
            check_version(place.versions / name)
        # The next one works, and takes away what was left.
        following = place.put("next")
        assert place.now() == following and place.left_over() == []
        assert place.earlier()[-1:] == (
            (target if swapped else names[-1],) if names or swapped else ()
        )
        if not killed:
            assert swapped
            break
    assert at > (5 if what != "new" else 15)


def test_rollback_after_each_kill_and_again(tmp_path: Path) -> None:
    """Two kills in a row, the second while the first is put right."""
    start = Place(tmp_path / "start")
    a, b = start.put("a"), start.put("b")
    for first in range(2, 40, 5):
        for second in range(2, 12, 3):
            place = Place(tmp_path / f"{first} {second}")
            shutil.copytree(start.root, place.root, symlinks=True)
            killed_at(first, lambda p=place: p.put("c"), within=place.root)
            was = place.now()
            wanted = place.earlier()[-1]
            assert wanted == (a if was == b else b)
            killed_at(second, place.back, within=place.root)
            assert place.now() in (was, wanted)
            assert set(place.earlier()) <= {a, b}
            check_version(place.link.resolve())


def test_what_killed_runs_left_is_taken_away(place: Place) -> None:
    place.put("a")
    (place.versions / ".new-abc" / "product").mkdir(parents=True)
    (place.link.parent / ".phones.new").symlink_to("../versions/nothing")
    (place.link.parent / "..phones.history.jsonl.abc").write_text("{")
    (place.link.parent / ".other.history.jsonl").write_text("")
    place.put("b")
    assert place.left_over() == [".other.history.jsonl"]


def test_what_a_run_at_work_writes_is_left_alone(place: Place, fails: Any) -> None:
    place.put("a")

    def write(folder: Path) -> None:
        filler("b")(folder)
        with fails("H507", place.versions):
            place.put("c")
        assert (folder / "meta.json").exists()

    with locked(place.link, place.versions):
        swap(place.link, write_version(write, place.versions))
    assert place.now() == place.put("b")
    assert place.left_over() == []


def test_a_killed_run_holds_no_lock(place: Place) -> None:
    def work() -> None:
        with locked(place.link, place.versions):
            (place.versions / "x").mkdir()

    place.root.mkdir()
    at = 1
    while killed_at(at, work, within=place.root):
        at += 1
    place.put("a")
    with (place.versions / ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_version_is_on_the_disk_before_it_is_named(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every file and folder of it; and the folders that names are changed in, after it."""
    done: List[str] = []
    sync = os.fsync

    def fsync(handle: int) -> None:
        done.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        sync(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    name = place.put("a")
    last = max(i for i, path in enumerate(done) if "/.new-" in path)
    below = {Path(path).name for path in done[: last + 1]}
    assert {"meta.json", "product", "model", "cfg"} <= below
    assert done[last + 1] == str(place.versions)
    assert done[-1] == done[-2] == str(place.link.parent)
    assert place.now() == name


def test_no_space_for_the_journal(place: Place, small_disk: Any, fails: Any) -> None:
    name = place.put("a")
    place.link = small_disk.folder / "pipelines" / "phones"
    with locked(place.link, place.versions):
        swap(place.link, place.versions / name)
    lines = read_journal(place.link)
    padded = [{**line.to_dict(), "why": "x" * 2000} for line in lines]
    journal_path(place.link).write_text("".join(json.dumps(line) + "\n" for line in padded))
    small_disk.fill()
    with fails("H007", "Free some disk space"):
        place.put("b")
    small_disk.free()
    assert place.now() == name and place.earlier() == ()
    assert place.now() != place.put("b")
    assert place.earlier() == (name,)


def test_a_version_that_was_changed_is_not_taken_for_the_same(place: Place, fails: Any) -> None:
    name = place.put("a")
    place.put("b")
    (place.versions / name / "product" / "cfg").write_text("other")
    before = folder_digest(place.link.resolve())
    with fails("H508", place.versions / name):
        place.put("a")
    assert folder_digest(place.link.resolve()) == before and place.left_over() == []


def test_the_same_version_again_changes_nothing(place: Place) -> None:
    name = place.put("a")
    assert place.put("a") == name
    assert [line.version for line in read_journal(place.link)] == [name]


def test_a_journal_that_was_edited_is_told(place: Place, fails: Any) -> None:
    place.put("a")
    with journal_path(place.link).open("a") as file_:
        file_.write('{"version": 3}\n')
    with fails("H004", ".phones.history.jsonl:2", "version"):
        place.put("b")


# What the journal says, without files


def line(version: str, before: Optional[str], why: str = PROMOTE) -> Swap:
    return Swap(version, before, why)


@pytest.mark.parametrize(
    "journal, now, expected",
    [
        ([], None, ""),
        ([], "a", ""),
        ([line("a", None)], "a", ""),
        ([line("a", None)], None, ""),  # killed before the swap
        ([line("a", None), line("b", "a")], "b", "a"),
        ([line("a", None), line("b", "a")], "a", ""),  # killed before the swap
        ([line("a", None), line("b", "a"), line("c", "a")], "c", "a"),  # b never was
        ([line("a", None), line("b", "a"), line("c", "b")], "c", "ab"),
        # Undo: what was rolled back is not gone back to.
        ([line("a", None), line("b", "a"), line("a", "b", ROLLBACK)], "a", ""),
        ([line("a", None), line("b", "a"), line("a", "b", ROLLBACK), line("c", "a")], "c", "a"),
        # --to a version that was rolled back is a step forward.
        ([line("b", "a"), line("a", "b", ROLLBACK), line("b", "a", ROLLBACK)], "b", "a"),
        # Older than the journal, or moved by hand.
        ([line("b", "a")], "b", "a"),
        ([line("b", "a")], "x", "a"),
        ([line("b", "a"), line("c", "x")], "c", "ax"),
    ],
)
def test_where_rollback_goes(journal: List[Swap], now: Optional[str], expected: str) -> None:
    assert "".join(earlier_versions(journal, now)) == expected


names = st.sampled_from("abcd")
steps = st.lists(st.tuples(names, st.booleans(), st.booleans()))


@given(steps)
def test_only_what_was_in_production_is_in_the_history(steps: Any) -> None:
    """Whatever is promoted, rolled back and killed, in any order."""
    journal: List[Swap] = []
    now, was = None, []
    for version, killed, rolls_back in steps:
        if rolls_back:
            earlier = earlier_versions(journal, now)
            if not earlier:
                continue
            version = earlier[-1]
            assert version in was and version != now
        if version == now:
            continue
        journal.append(line(version, now, ROLLBACK if rolls_back else PROMOTE))
        if not killed:
            now = version
            was.append(now)
    assert [swap.version for swap in happened(journal, now)] == was
    assert set(earlier_versions(journal, now)) <= set(was)
