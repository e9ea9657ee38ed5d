"""Shared fixtures: a small project, a full disk, and the shape of a good error."""

import errno
import gc
import json
import os
import re
import resource
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional

import pytest
import srsly
from hypothesis import HealthCheck, settings
from spacy.util import load_config

import spacy_hitl
from spacy_hitl.annotate.run import annotate
from spacy_hitl.errors import HitlError
from spacy_hitl.exchange.run import export_corpora, import_file

REPO = Path(__file__).parent.parent
# What runs in production, and what it stands on. These tests need the core installation only, but
# for those marked `needs`; `scripts/package` runs them, marked `core`, against the built wheel.
CORE = (
    "apply/test_apply_business.py",
    "apply/test_apply_cascade.py",
    "apply/test_apply_found.py",
    "apply/test_apply_run.py",
    "apply/test_apply_sources.py",
    "pipeline/test_accelerate.py",
    "pipeline/test_cascade.py",
    "pipeline/test_relation_component.py",
    "production/test_extras.py",
    "promote/test_card.py",
    "promote/test_gate.py",
    "promote/test_lineage.py",
    "promote/test_rollback.py",
    "promote/test_switch.py",
    "test_io.py",
    "test_permissions.py",
    "test_records.py",
    "test_registry.py",
    "test_settings.py",
    "test_sqlite.py",
)
# Seconds for a test marked `slow`: on a machine that does other things it takes its time.
SLOW_TIMEOUT = 1200
# Minutes each: they train whole pipelines, install packages.
LONGEST = ("production/test_production.py", "tutorial/test_tutorial.py")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
BROWSER_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# A folder: only a spacy_hitl that is installed there is tested, and with fewer examples, since what
# is new is the installation.
INSTALLED = os.environ.get("SPACY_HITL_INSTALLED")
settings.register_profile(
    "hitl",
    deadline=None,
    derandomize=True,
    max_examples=20 if INSTALLED else 100,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("hitl")


@pytest.fixture(scope="session")
def fails() -> Callable[..., Any]:
    """`with fails("H052", "posts.jsonl:3"):` the block raises this code, naming these places."""

    @contextmanager
    def check(code: str, *parts: object) -> Iterator[None]:
        with pytest.raises(HitlError) as caught:
            yield
        message = str(caught.value)
        assert message.startswith(f"[{code}]"), message
        assert not re.search(r"\{\w*\}", message), message
        for part in parts:
            assert str(part) in message

    return check


@dataclass
class Project:
    """A folder like the worked example: configs/prototype.cfg and a few posts of every lane."""

    root: Path
    posts: List[Dict[str, Any]]
    config: Path = Path("configs/prototype.cfg")
    texts: Path = Path("assets/posts.jsonl")
    reference: Path = Path("assets/reference.jsonl")

    def edit(self, values: Dict[str, Any]) -> None:
        """Set values of the config by their dotted names."""
        config = load_config(self.root / self.config)
        for name, value in values.items():
            *sections, last = name.split(".")
            block = config
            for section in sections:
                block = block.setdefault(section, {})
            block[last] = value
        config.to_disk(self.root / self.config)


@pytest.fixture(scope="session")
def small_assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """assets/ cut down to 8 gold, 6 dev and 16 train posts (8 of them with a reference)."""
    folder = tmp_path_factory.mktemp("assets")
    wanted = {"gold": 8, "dev": 6, "train": 8, None: 8}
    posts = []
    for post in srsly.read_jsonl(REPO / "assets/posts.jsonl"):
        lane = post.get("lane")
        if wanted[lane]:
            wanted[lane] -= 1
            posts.append(post)
    ids = {post["id"] for post in posts}
    srsly.write_jsonl(folder / "posts.jsonl", posts)
    for name in ("responses", "reference"):
        lines = (json.loads(line) for line in (REPO / f"assets/{name}.jsonl").open())
        kept = [r for r in lines if r["id"] in ids and r.get("sample", 1) == 1]
        srsly.write_jsonl(folder / f"{name}.jsonl", kept)
    shutil.copy(REPO / "assets/catalog.jsonl", folder)
    shutil.copy(REPO / "assets/GUIDELINES.md", folder)
    return folder


@pytest.fixture(scope="session")
def new_project(small_assets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What every project starts from."""
    root = tmp_path_factory.mktemp("new") / "project"
    (root / "configs").mkdir(parents=True)
    shutil.copytree(small_assets, root / "assets")
    shutil.copy(REPO / "configs/prototype.cfg", root / "configs")
    return root


@pytest.fixture(scope="session")
def exported_project(new_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same after annotate, import and export."""
    root = shutil.copytree(new_project, tmp_path_factory.mktemp("exported") / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        annotate(Project.config, Project.texts)
        import_file(Project.config, Project.reference)
        export_corpora(Project.config)
    return root


def _copy(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    root = shutil.copytree(source, tmp_path / "project")
    monkeypatch.chdir(root)
    return Project(root, list(srsly.read_jsonl(root / "assets/posts.jsonl")))


@pytest.fixture
def project(new_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A fresh small project, which is the current folder."""
    return _copy(new_project, tmp_path, monkeypatch)


@pytest.fixture
def exported(exported_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A small project with proposals, imported decisions and corpora: the current folder."""
    return _copy(exported_project, tmp_path, monkeypatch)


@dataclass
class Disk:
    """A folder on a disk that can be filled and emptied again."""

    folder: Path
    fill: Callable[[], None]
    free: Callable[[], None]


@pytest.fixture(params=["limit", "tmpfs"])
def small_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    """Really no space: a file size limit of this process, or a file system of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if request.param == "limit":
        before = resource.getrlimit(resource.RLIMIT_FSIZE)

        def free() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

        def fill() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1024, before[1]))

        try:
            yield Disk(folder, fill, free)
        finally:
            free()
        return
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("only root can mount a small file system")
    ballast = folder / "ballast"
    try:
        yield Disk(folder, lambda: fill_up(ballast), lambda: ballast.unlink(missing_ok=True))
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill_up(path: Path) -> None:
    """Write until there is no space left."""
    with path.open("wb", buffering=0) as file_:
        try:
            while True:
                file_.write(b"x" * 4096)
        except OSError as e:
            assert e.errno == errno.ENOSPC


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A real browser: one for all tests of this process, which can hold no second one."""
    if not Path(CHROMIUM).exists():
        if os.environ.get("CI"):
            pytest.fail("no Chromium: run scripts/browser, or set CHROMIUM to its path")
        pytest.skip("no Chromium: run scripts/browser, or set CHROMIUM to its path")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=BROWSER_ARGS)
        yield browser
        browser.close()


def pytest_configure(config: pytest.Config) -> None:
    """Where an installation is to be tested, refuse to test anything else."""
    found = Path(spacy_hitl.__file__)
    if INSTALLED and not found.is_relative_to(INSTALLED):
        pytest.exit(f"spacy_hitl is {found}, which is not in {INSTALLED}", returncode=1)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> Optional[bool]:
    """With `-m core`, other files are not even imported: what they need may not be installed."""
    words = re.split(r"\W+", config.option.markexpr)
    if words[0] != "core" or not collection_path.is_relative_to(REPO / "tests"):
        return None
    path = collection_path.relative_to(REPO / "tests").as_posix()
    wanted = any(core == path or core.startswith(f"{path}/") for core in CORE)
    return None if wanted or path == "." else True


def pytest_collection_modifyitems(items: List[pytest.Item]) -> None:
    """Mark `core`. The longest files come first: else one worker has them alone at the end."""
    core = {REPO / "tests" / path for path in CORE}
    for item in items:
        if item.path in core and not item.get_closest_marker("needs"):
            item.add_marker("core")
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.timeout(SLOW_TIMEOUT))
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    longest = [REPO / "tests" / path for path in LONGEST]
    items.sort(key=lambda item: (item.path not in longest, item.path not in slow))


def pytest_collection_finish() -> None:
    """What is imported by now stays: looking for garbage in it takes a tenth of all the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
