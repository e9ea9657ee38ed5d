"""Whether sdist and wheel hold all of the package, and nothing else. Run by scripts/package."""

import sys
import tarfile
import zipfile
from configparser import ConfigParser
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Set

from packaging.metadata import InvalidMetadata, Metadata

PACKAGE = "spacy_hitl/"
# What setuptools writes, and what of the tree belongs beside the package.
DIST_INFO = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE", "top_level.txt"}
SDIST = {"CHANGELOG.md", "LICENSE", "MANIFEST.in", "README.md", "pyproject.toml", "setup.cfg"}
Files = Dict[str, bytes]


def read_tree(source: Path) -> Files:
    """Content of the files of a checkout's package and of those beside it, by their paths."""
    found = [p for p in (source / PACKAGE).rglob("*") if p.is_file()]
    found += [source / name for name in SDIST]
    return {path.relative_to(source).as_posix(): path.read_bytes() for path in found}


def read_wheel(path: Path) -> Files:
    """Content of a wheel's files by name; the folder of its metadata is called dist-info."""
    with zipfile.ZipFile(path) as archive:
        files = {i.filename: archive.read(i) for i in archive.infolist() if not i.is_dir()}
    return {_short(name, ".dist-info/", "dist-info/"): data for name, data in files.items()}


def read_sdist(path: Path) -> Files:
    """Content of an sdist's files by name, without its first folder and setuptools' notes."""
    files = {}
    with tarfile.open(path) as archive:
        for member in archive.getmembers():
            name = member.name.partition("/")[2]
            content = archive.extractfile(member)
            if content is not None and ".egg-info/" not in name and name != "PKG-INFO":
                files[name] = content.read()
    return files


def _short(name: str, mark: str, instead: str) -> str:
    return instead + name.partition(mark)[2] if mark in name else name


def differences(name: str, expected: Files, found: Files, *, may_differ: Set[str]) -> Iterator[str]:
    """YIELDS (str): What is missing from an archive, too much in it, or of another content."""
    yield from (f"{name} lacks {path}" for path in sorted(expected.keys() - found.keys()))
    yield from (f"{name} holds {path}" for path in sorted(found.keys() - expected.keys()))
    for path in sorted(expected.keys() & found.keys() - may_differ):
        if expected[path] != found[path]:
            yield f"{name}: {path} differs from the tree"


def check_wheel(tree: Files, wheel: Files) -> Iterator[str]:
    """YIELDS (str): How a wheel differs from the package in the tree."""
    expected = {path: data for path, data in tree.items() if path.startswith(PACKAGE)}
    written = {f"dist-info/{name}": b"" for name in DIST_INFO}
    written["dist-info/licenses/LICENSE"] = tree["LICENSE"]
    may_differ = set(written) - {"dist-info/licenses/LICENSE"}
    yield from differences("wheel", {**expected, **written}, wheel, may_differ=may_differ)


def check_metadata(tree: Files, metadata: bytes) -> Iterator[str]:
    """YIELDS (str): What is wrong with the metadata, the page of a package index among it."""
    try:
        found = Metadata.from_email(metadata, validate=True)
    except ExceptionGroup as group:
        yield from (f"metadata: {error}" for error in group.exceptions)
        return
    except InvalidMetadata as error:
        yield f"metadata: {error}"
        return
    settings = ConfigParser()
    settings.read_string(tree["setup.cfg"].decode())
    if str(found.version) not in tree[f"{PACKAGE}about.py"].decode():
        yield f"metadata: the version is {found.version}"
    if found.description_content_type != "text/markdown":
        yield f"metadata: the README is shown as {found.description_content_type}"
    if (found.description or "").strip() != tree["README.md"].decode().strip():
        yield "metadata: the description is not the README"
    extras = set(settings["options.extras_require"])
    if set(found.provides_extra or ()) != extras:
        yield f"metadata: the extras are {sorted(found.provides_extra or ())}"
    if not found.license_files or not found.requires_python:
        yield "metadata: no license file, or no versions of Python"


def check(source: Path, dist: Path) -> List[str]:
    """Compare what was built with what it was built from.

    source (Path): The checkout, without anything that is not in the repository.
    dist (Path): Folder with one sdist and one wheel.
    RETURNS (List[str]): What is wrong; empty if nothing is.
    """
    (wheel_path,), (sdist_path,) = dist.glob("*.whl"), dist.glob("*.tar.gz")
    tree, wheel = read_tree(source), read_wheel(wheel_path)
    for path in (sdist_path, wheel_path):
        print(f"package: {path.name}, {path.stat().st_size / 1000:,.0f} KB")
    print(f"package: {len([p for p in tree if p.startswith(PACKAGE)])} files of the package")
    return [
        *check_wheel(tree, wheel),
        # setuptools adds a section of its own
        *differences("sdist", tree, read_sdist(sdist_path), may_differ={"setup.cfg"}),
        *check_metadata(tree, wheel["dist-info/METADATA"]),
    ]


def main(words: Iterable[str]) -> int:
    """Print what is wrong; the number of problems is the exit code."""
    source, dist = map(Path, words)
    problems = check(source, dist)
    for problem in problems:
        print(f"package: {problem}")
    return min(len(problems), 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
