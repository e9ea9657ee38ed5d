"""Rollback: bytes back in one command; what is missing, changed or another's is refused."""

import shutil
from pathlib import Path
from typing import Any, Dict, List

import pytest
from killed import killed_at
from promote_world import (
    CONFIG,
    LINK,
    left_over,
    load,
    set_metrics,
    untouched,
    version_names,
)
from typer.testing import CliRunner

from spacy_hitl.cli import hitl_cli
from spacy_hitl.io import folder_digest
from spacy_hitl.promote.history import journal_path
from spacy_hitl.promote.rollback import list_versions, rollback
from spacy_hitl.promote.run import promote
from spacy_hitl.promote.switch import current_version


def run(*options: str) -> Any:
    return CliRunner().invoke(hitl_cli, ["promote", str(CONFIG), *options])


def promote_once(score: float) -> str:
    """The figures are part of a version, so another score is another version."""
    set_metrics("product", score)
    version = promote(CONFIG).version
    assert version is not None
    return version.name


@pytest.fixture(scope="session")
def three_versions(tmp_path_factory: Any) -> Dict[str, Any]:
    return {}


@pytest.fixture
def three(ready: Any, three_versions: Dict[str, Any], tmp_path_factory: Any) -> List[str]:
    """Three versions, the last in production; made once, since composing takes its time."""
    folders = ("pipelines", "versions")
    if not three_versions:
        three_versions["names"] = [promote_once(score) for score in (0.9, 0.91, 0.92)]
        three_versions["kept"] = kept = tmp_path_factory.mktemp("three")
        for name in folders:
            shutil.copytree(name, kept / name, symlinks=True)
    else:
        for name in folders:
            shutil.copytree(three_versions["kept"] / name, name, symlinks=True)
    names: List[str] = three_versions["names"]
    assert len(set(names)) == 3 and current_version(LINK) == names[-1]
    return names


def test_rollback_restores_bytes(three: List[str]) -> None:
    digests = {name: folder_digest(Path("versions", name)) for name in three}
    for wanted in (three[1], three[0]):
        done = run("--rollback")
        assert done.exit_code == 0 and f"versions/{wanted}" in done.output
        assert current_version(LINK) == wanted
        assert folder_digest(LINK.resolve()) == digests[wanted]
        assert not LINK.readlink().is_absolute()
    assert load(LINK).pipe_names == ["sentencizer", "product", "relevant"]
    assert version_names() == sorted(three) and left_over() == []


def test_there_is_a_first_version(three: List[str], fails: Any) -> None:
    rollback(CONFIG)
    rollback(CONFIG)
    before = untouched()
    with fails("H509", f"'{LINK}'", "--to"):
        rollback(CONFIG)
    assert untouched() == before


def test_nothing_to_go_back_to(ready: Any, fails: Any) -> None:
    with fails("H509", f"'{LINK}'"):
        rollback(CONFIG)
    with fails("H510", "'abc'", "none of the versions", "none"):
        rollback(CONFIG, to="abc")
    assert not Path("versions").exists() and not Path("pipelines").exists()
    done = run("--list")
    assert done.exit_code == 0 and "nothing was promoted yet" in done.output


def test_what_was_rolled_back_is_not_gone_back_to(three: List[str]) -> None:
    rollback(CONFIG)
    newer = promote_once(0.93)
    assert current_version(LINK) == newer
    assert rollback(CONFIG)[1].name == three[1]


def test_any_kept_version_by_how_it_starts(three: List[str], fails: Any) -> None:
    for wanted in (three[0], three[2], three[1]):
        assert rollback(CONFIG, to=wanted[:8])[1] == Path("versions", wanted)
        assert current_version(LINK) == wanted
    Path("versions", f"{three[0][:8]}other").mkdir()
    with fails("H510", "2 of the versions", three[0]):
        rollback(CONFIG, to=three[0][:8])
    for name in ("", "nothing", "../versions", ".lock"):
        with fails("H510", f"'{name}'", *three):
            rollback(CONFIG, to=name)
    assert current_version(LINK) == three[1]


@pytest.mark.parametrize("to", [None, "name"])
def test_a_version_that_is_missing_or_changed_is_refused(
    to: Any, three: List[str], fails: Any
) -> None:
    before = Path("versions", three[1])
    to = to and three[1]
    (before / "product" / "model").open("ab").write(b"x")
    state = untouched()
    with fails("H508", before, "changed"):
        rollback(CONFIG, to=to)
    assert untouched() == state
    shutil.rmtree(before)
    state = untouched()
    with fails("H510" if to else "H001", three[1]):
        rollback(CONFIG, to=to)
    assert untouched() == state
    problems = {v.name: v.problem for v in list_versions(CONFIG)}
    assert problems == {three[0]: None, three[1]: "gone", three[2]: None}


def test_a_version_of_another_pipeline_is_refused(three: List[str], ready: Any, fails: Any) -> None:
    ready.edit({"hitl.promote.name": "tablets"})
    with fails("H511", three[0], "'phones'", "'tablets'"):
        rollback(CONFIG, to=three[0])
    assert not Path("pipelines/tablets").exists()
    assert list_versions(CONFIG) == ()


def test_a_link_older_than_the_journal(three: List[str]) -> None:
    """A project whose versions were promoted before there was a journal."""
    journal_path(LINK).unlink()
    newer = promote_once(0.93)
    assert [(v.name, v.is_current, v.swaps) for v in list_versions(CONFIG)] == [
        (newer, True, 1),
        (three[2], False, 1),
        *((name, False, 0) for name in sorted(three[:2])),
    ]
    assert rollback(CONFIG)[1].name == three[2]


def test_the_list(three: List[str]) -> None:
    rollback(CONFIG)
    (Path("versions", three[0]) / "tokenizer").unlink()
    found = list_versions(CONFIG)
    assert [v.name for v in found] == [three[1], three[2], three[0]]
    assert [v.is_current for v in found] == [True, False, False]
    assert [v.swaps for v in found] == [2, 1, 1]
    assert [v.problem for v in found] == [None, None, "changed"]
    assert {v.tasks for v in found} == {("product", "relevant")}
    assert len({v.number for v in found}) == 3
    assert all(v.last for v in found)
    done = run("--list")
    lines = done.output.splitlines()
    assert done.exit_code == 0
    (now,) = [line for line in lines if three[1] in line]
    (changed,) = [line for line in lines if three[0] in line]
    assert "in production" in now and "was in" not in now and "product, relevant" in now
    assert "was in production" in changed and changed.rstrip().endswith("changed")


def test_rollback_needs_no_model_and_no_metrics(three: List[str], ready: Any) -> None:
    for name in ("metrics", "assets", "corpus"):
        shutil.rmtree(name)
    Path("training").unlink()
    ready.edit({"components.product.model.@llm_models": "not.Installed.v1"})
    assert rollback(CONFIG)[1].name == three[1]
    assert len(list_versions(CONFIG)) == 3


@pytest.mark.parametrize(
    "options, first, second",
    [
        (["--rollback", "--list"], "--rollback", "--list"),
        (["--list", "--to", "abc"], "--to", "--list"),
        (["--rollback", "--with-prompted"], "--with-prompted", "--rollback"),
        (["--strict", "--list"], "--strict", "--list"),
    ],
)
def test_one_thing_at_a_time(options: Any, first: str, second: str, ready: Any) -> None:
    done = run(*options)
    assert done.exit_code == 1
    assert "H512" in done.output and first in done.output and second in done.output


def test_to_alone_is_enough(three: List[str]) -> None:
    assert run("--to", three[0]).exit_code == 0
    assert current_version(LINK) == three[0]
    assert run("--rollback", "--to", three[2]).exit_code == 0
    assert current_version(LINK) == three[2]
    assert run("--to", "x").exit_code == 1


@pytest.mark.slow
def test_a_whole_promotion_killed_at_any_point(three: List[str], fails: Any) -> None:
    """Real students; every fifth change, and the next promotion works."""
    set_metrics("product", 0.93)
    digests = {name: folder_digest(Path("versions", name)) for name in three}
    at, seen = 1, set()
    while killed_at(at, lambda: promote(CONFIG), within=Path()):
        now = current_version(LINK)
        assert now is not None
        digests.setdefault(now, folder_digest(LINK.resolve()))
        assert folder_digest(LINK.resolve()) == digests[now]
        assert digests[now].startswith(now)
        load(LINK)
        if now != three[2]:
            rollback(CONFIG)
        assert current_version(LINK) == three[2]
        assert rollback(CONFIG)[1].name == three[1]
        rollback(CONFIG, to=three[2])
        seen.add(now)
        at += 5
    assert at > 40 and three[2] in seen
    newest = current_version(LINK)
    assert newest not in three and left_over() == []
    assert version_names() == sorted([*three, str(newest)])
