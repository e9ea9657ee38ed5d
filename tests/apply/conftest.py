"""An empty folder with a pipeline in it, and databases."""

from itertools import count
from pathlib import Path
from typing import Callable, Iterator

import pytest
from apply_world import make_pipeline
from postgres_server import USER, started

NUMBERS = count()


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


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A running PostgreSQL: the start of a URL."""
    with started() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database(request: pytest.FixtureRequest, here: Path, pipeline: str) -> Callable[[str], str]:
    """Makes an empty database and says its URL; there is a pipeline in the current folder."""
    if request.param == "sqlite":
        return lambda name: f"sqlite:///{name}.db"
    import psycopg  # of an extra

    server = request.getfixturevalue("postgres")

    def make(name: str) -> str:
        database = f"{name}_{next(NUMBERS)}"
        with psycopg.connect(host=server.partition("host=")[2], user=USER, autocommit=True) as c:
            c.execute(f"CREATE DATABASE {database}")
        return str(server.format(name=database))

    return make
