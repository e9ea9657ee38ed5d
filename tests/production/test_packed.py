"""scripts/packed.py sees what an archive lacks, what it holds too much, and what is another."""

import importlib.util
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any, Dict

import pytest

ROOT = Path(__file__).parent.parent.parent
spec = importlib.util.spec_from_file_location("packed", ROOT / "scripts" / "packed.py")
assert spec is not None and spec.loader is not None
packed: Any = importlib.util.module_from_spec(spec)
spec.loader.exec_module(packed)

METADATA = """Metadata-Version: 2.4
Name: spacy-hitl
Version: 1.2.3
Requires-Python: >=3.11
License-File: LICENSE
Description-Content-Type: text/markdown
Provides-Extra: llm

# Title
"""
TREE = {
    "CHANGELOG.md": "new",
    "LICENSE": "MIT",
    "MANIFEST.in": "",
    "README.md": "# Title\n",
    "pyproject.toml": "",
    "setup.cfg": "[options.extras_require]\nllm = x\n",
    "spacy_hitl/about.py": '__version__ = "1.2.3"\n',
    "spacy_hitl/a/page.jinja": "{{ x }}",
    "spacy_hitl/py.typed": "",
}
INFO = "spacy_hitl-1.2.3.dist-info/"


def write(folder: Path, wheel: Dict[str, str], sdist: Dict[str, str]) -> Any:
    """A tree and what was built of it, but for these files; None for a file that is not there."""
    source, dist = folder / "source", folder / "dist"
    dist.mkdir()
    for path, content in TREE.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(content)
    files = {path: content for path, content in TREE.items() if path.startswith("spacy_hitl/")}
    info = dict.fromkeys(packed.DIST_INFO, "") | {"METADATA": METADATA}
    info["licenses/LICENSE"] = TREE["LICENSE"]
    files |= {f"{INFO}{name}": content for name, content in info.items()} | wheel
    with zipfile.ZipFile(dist / "x.whl", "w") as archive:
        for path, content in files.items():
            if content is not None:
                archive.writestr(path, content)
    notes = {"PKG-INFO": METADATA, "spacy_hitl.egg-info/SOURCES.txt": ""}
    with tarfile.open(dist / "x.tar.gz", "w:gz") as tar:
        for path, content in (TREE | notes | sdist).items():
            if content is not None:
                member = tarfile.TarInfo(f"spacy_hitl-1.2.3/{path}")
                member.size = len(content)
                tar.addfile(member, BytesIO(content.encode()))
    return packed.check(source, dist)


def test_what_belongs_in_is_all_there(tmp_path: Path) -> None:
    assert write(tmp_path, {}, {"setup.cfg": "setuptools adds a section"}) == []


@pytest.mark.parametrize(
    "wheel, sdist, problem",
    [
        ({"spacy_hitl/a/page.jinja": None}, {}, "wheel lacks spacy_hitl/a/page.jinja"),
        ({"spacy_hitl/a.pyc": ""}, {}, "wheel holds spacy_hitl/a.pyc"),
        ({"tests/test_x.py": ""}, {}, "wheel holds tests/test_x.py"),
        ({"spacy_hitl/py.typed": "x"}, {}, "wheel: spacy_hitl/py.typed differs from the tree"),
        ({f"{INFO}licenses/LICENSE": None}, {}, "wheel lacks dist-info/licenses/LICENSE"),
        ({f"{INFO}licenses/LICENSE": "GPL"}, {}, "wheel: dist-info/licenses/LICENSE differs"),
        ({}, {"tests/test_x.py": ""}, "sdist holds tests/test_x.py"),
        ({}, {"spacy_hitl/py.typed": None}, "sdist lacks spacy_hitl/py.typed"),
        ({f"{INFO}METADATA": METADATA.replace("1.2.3", "1.2.4")}, {}, "version is 1.2.4"),
        ({f"{INFO}METADATA": METADATA.replace("1.2.3", "one")}, {}, "metadata: "),
        ({f"{INFO}METADATA": METADATA + "more"}, {}, "the description is not the README"),
        ({f"{INFO}METADATA": METADATA.replace("text/markdown", "text/plain")}, {}, "text/plain"),
        ({f"{INFO}METADATA": METADATA.replace("Extra: llm", "Extra: ray")}, {}, "extras are"),
        ({f"{INFO}METADATA": METADATA.replace("License-File: LICENSE\n", "")}, {}, "no license"),
    ],
)
def test_what_is_wrong_is_said(wheel: Any, sdist: Any, problem: str, tmp_path: Path) -> None:
    (found,) = write(tmp_path, wheel, sdist)
    assert problem in found
