"""Timing takes a process and seconds: tests that are not about it do without."""

from typing import Any

import pytest

from spacy_hitl.scoring.results import Speed


@pytest.fixture(autouse=True)
def no_time(request: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is timed has the same speed; a test that asks for `timed` really times."""
    if "timed" not in request.fixturenames:
        same = Speed(1000.0, runs=(1000.0,))
        monkeypatch.setattr("spacy_hitl.evaluate.systems.measure_speed", lambda *_, **__: same)


@pytest.fixture
def timed() -> None:
    """Really time pipelines."""
