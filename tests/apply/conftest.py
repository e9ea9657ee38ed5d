"""An empty folder with a pipeline in it."""

from pathlib import Path

import pytest
from apply_world import make_pipeline


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def pipeline(here: Path) -> str:
    """Folder of a pipeline that never fails."""
    make_pipeline().to_disk("pipeline")
    return "pipeline"
