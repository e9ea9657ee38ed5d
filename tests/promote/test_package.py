"""`spacy package` makes a wheel of what was promoted; it installs, and loads with spaCy alone."""

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from email import message_from_string
from pathlib import Path
from typing import Any, Dict, List

import pytest
from promote_world import CONFIG, LINK, TEXTS, annotations, load, set_metrics

from spacy_hitl.promote.run import promote

pytestmark = pytest.mark.slow
NOT_SPACY = ("spacy_hitl", "spacy_llm", "__editable__")
READ = f"""
import json, sys, spacy
for name in ("spacy_hitl", "spacy_llm"):
    try:
        __import__(name)
        sys.exit(f"{{name}} is here")
    except ImportError:
        pass
nlp = spacy.load("xx_phones")
found = [
    [[[e.start_char, e.end_char, e.label_] for e in doc.ents],
     {{label: round(score, 5) for label, score in doc.cats.items()}},
     [s.start_char for s in doc.sents]]
    for doc in nlp.pipe({TEXTS!r})
]
import xx_phones
print(json.dumps([found, nlp.meta["version"], xx_phones.__version__, xx_phones.__file__]))
"""


def run(*words: str, **options: Any) -> str:
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, timeout=600, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def make_wheel(folder: Path) -> Path:
    folder.mkdir()
    run("-m", "spacy", "package", str(LINK), str(folder), "--build", "wheel")
    (wheel,) = folder.glob("*/dist/*.whl")
    return wheel


def requirements(wheel: Path) -> List[str]:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
        metadata = message_from_string(archive.read(name).decode())
    assert metadata["Name"] in ("xx_phones", "xx-phones")
    return sorted(metadata.get_all("Requires-Dist", []))


@pytest.fixture
def only_spacy(tmp_path: Path) -> Path:
    """What is installed here but for this package and spacy-llm, their entry points too."""
    folder = tmp_path / "only spacy"
    folder.mkdir()
    for path in Path(sysconfig.get_paths()["purelib"]).iterdir():
        if not path.name.startswith(NOT_SPACY) and path.suffix != ".pth":
            (folder / path.name).symlink_to(path)
    return folder


def test_a_wheel_installs_and_loads_with_spacy_alone(
    ready: Any, only_spacy: Path, tmp_path: Path
) -> None:
    version = promote(CONFIG).version
    assert version is not None
    expected, number = annotations(load(LINK)), load(LINK).meta["version"]
    wheel = make_wheel(tmp_path / "packages")
    (needed,) = requirements(wheel)
    assert needed.startswith("spacy") and "3.8" in needed
    installed = tmp_path / "installed"
    run("-m", "pip", "install", "--quiet", "--no-deps", "--target", str(installed), str(wheel))
    paths = os.pathsep.join([str(installed), str(only_spacy)])
    output = run("-S", "-c", READ, cwd=tmp_path, env={"PYTHONPATH": paths, "PATH": os.defpath})
    found, *rest = json.loads(output)
    assert found == json.loads(json.dumps(expected))
    assert rest[0] == rest[1] == number
    assert Path(rest[2]).is_relative_to(installed)
    # What was installed is the version, byte for byte; spaCy adds its requirements to the meta.
    (copy,) = (installed / "xx_phones").glob("xx_phones-*")
    for path in version.rglob("*"):
        name = path.relative_to(version)
        if path.is_file() and name.name != "meta.json":
            assert (copy / name).read_bytes() == path.read_bytes(), name
    metas: List[Dict[str, Any]] = [
        json.loads((folder / "meta.json").read_text()) for folder in (version, copy)
    ]
    assert metas[0]["hitl"] == metas[1]["hitl"]


def test_a_component_of_ours_is_a_requirement(ready: Any, tmp_path: Path) -> None:
    set_metrics("relevant", 0.1)
    promote(CONFIG, with_prompted=True)
    needed = requirements(make_wheel(tmp_path / "packages"))
    assert {name.split(">")[0].split("<")[0] for name in needed} == {"spacy", "spacy-hitl[llm]"}
