"""What is installed holds the whole page."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_page(tmp_path: Path) -> None:
    source = tmp_path / "source"
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "spacy_hitl", source / "spacy_hitl", ignore=ignore)
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if "review/static/" in name}
        static = ROOT / "spacy_hitl" / "review" / "static"
        files = [p for p in static.rglob("*") if p.is_file()]
        assert packed == {f"spacy_hitl/{p.relative_to(ROOT / 'spacy_hitl')}" for p in files}
        for path in files:
            name = f"spacy_hitl/{path.relative_to(ROOT / 'spacy_hitl')}"
            assert archive.read(name) == path.read_bytes()
        axe = [name for name in archive.namelist() if "axe" in name]
        assert not axe  # for tests only: another licence
