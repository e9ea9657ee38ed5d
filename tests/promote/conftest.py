"""A project with two students that pass."""

from pathlib import Path
from typing import Any

import pytest
from promote_world import make_ner, make_textcat, save, set_metrics


@pytest.fixture(scope="session")
def students(tmp_path_factory: Any) -> Path:
    folder = tmp_path_factory.mktemp("students")
    save(make_ner(), folder / "product/model-best")
    save(make_textcat(), folder / "relevant/model-best")
    return folder


@pytest.fixture
def ready(exported: Any, students: Path) -> Any:
    """Two students, measured: product at 0.9, relevant at 0.8, with floors 0.7."""
    Path("training").symlink_to(students)
    floors = {"product": 0.7, "relevant": 0.7}
    exported.edit({"hitl.promote.min_gold": 8, "hitl.promote.floors": floors})
    set_metrics("product", 0.9)
    set_metrics("relevant", 0.8)
    return exported
