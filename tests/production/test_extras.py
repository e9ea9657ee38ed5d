"""Every extra's door: what an optional package is needed for names the command that installs it.

In an installation without the extra nothing is pretended (`scripts/package` runs this so); where
the package is installed, it is hidden.
"""

from importlib.metadata import metadata, requires
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Callable, Dict, Tuple

import pytest
from packaging.requirements import Requirement
from typer.testing import CliRunner

from spacy_hitl import _compat
from spacy_hitl.apply.copied import opened
from spacy_hitl.apply.ray_engine import RayEngine
from spacy_hitl.apply.sinks import open_sink
from spacy_hitl.apply.sources import Fields
from spacy_hitl.cli import hitl_cli
from spacy_hitl.distill.embeddings.vectors import make_vectors
from spacy_hitl.distill.recipes.pieces import make_byte_pieces
from spacy_hitl.distill.recipes.transformer import read_pretrained
from spacy_hitl.evaluate.report.run import write_report
from spacy_hitl.llm.client import make_client
from spacy_hitl.llm.transformers import make_transformers_model
from spacy_hitl.pipeline.loading import load_prompted
from spacy_hitl.records import Message, Request

NO_DOOR = {"docs", "dev"}  # the tools of those who work on the package
NOT_EXTRA = {"numpy"}  # spaCy brings it: the extra only bounds it
CONFIG = """
[nlp]
lang = "en"
pipeline = ["mood"]
[components]
[components.mood]
factory = "hitl_llm"
[components.mood.task]
@llm_tasks = "spacy-hitl.TextCat.v1"
labels = ["GOOD","BAD"]
[components.mood.model]
@llm_models = "spacy.NoModel.v1"
"""


def name_a_model_of_spacy_llm() -> None:
    Path("prototype.cfg").write_text(CONFIG)
    load_prompted(Path("prototype.cfg"))


def ask_openai() -> None:
    make_client("http://127.0.0.1:1", key="", azure_api_version=None, timeout=1)


def ask_transformers() -> None:
    model = make_transformers_model("no-such-model")
    list(model.respond([Request("mood", "x", 1, (Message("user", "?"),), {"type": "object"})]))


def open_the_page() -> None:
    """The command: its error is printed, and raised again here."""
    done = CliRunner().invoke(hitl_cli, ["review", "none.cfg"], env={"COLUMNS": "400"})
    message = " ".join(done.output.split())
    raise _compat.InputError(message[message.index("[H") :])


def read_parquet() -> None:
    Path("texts.parquet").touch()
    with opened("texts.parquet", Fields()):
        pass


def query_a_database() -> None:
    with opened("sqlite:///a.db", Fields(), query="SELECT 1"):
        pass


DOORS: Dict[Tuple[str, str], Tuple[Callable[[], Any], ...]] = {
    ("llm", "spacy_llm"): (name_a_model_of_spacy_llm,),
    ("llm", "openai"): (ask_openai,),
    ("transformers", "transformers"): (ask_transformers,),
    ("transformers", "torch"): (ask_transformers,),
    ("transformers", "llguidance"): (ask_transformers,),
    ("transformer-students", "spacy_curated_transformers"): (lambda: read_pretrained("none"),),
    ("transformer-students", "torch"): (lambda: read_pretrained("none"),),
    ("transformer-students", "transformers"): (
        lambda: read_pretrained("none"),
        lambda: make_byte_pieces("none"),
    ),
    ("review", "starlette"): (open_the_page,),
    ("review", "uvicorn"): (open_the_page,),
    ("report", "matplotlib"): (lambda: write_report(Path("none.cfg"), Path("report.html")),),
    ("vectors", "floret"): (lambda: make_vectors([Path("none.jsonl")], Path("vectors")),),
    ("ray", "ray"): (lambda: RayEngine(1),),
    ("database", "sqlalchemy"): (lambda: open_sink("sqlite:///found.db"), query_a_database),
    ("database", "psycopg"): (lambda: open_sink("postgresql://h/db"),),
    ("parquet", "pyarrow"): (lambda: open_sink("found.parquet"), read_parquet),
}


def test_every_package_of_every_extra_has_a_door() -> None:
    extras = set(metadata("spacy-hitl").get_all("Provides-Extra") or ()) - NO_DOOR
    asked = set()
    for line in requires("spacy-hitl") or ():
        needed = Requirement(line)
        for extra in extras:
            marker = needed.marker
            if marker is not None and marker.evaluate({"extra": extra}):
                asked.add((extra, needed.name.replace("-", "_")))
    assert {pair for pair in asked if pair[1] not in NOT_EXTRA} == set(DOORS)


@pytest.mark.parametrize("extra, package", DOORS)
def test_without_a_package(
    extra: str, package: str, tmp_path: Path, monkeypatch: Any, fails: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    rest = [p for e, p in DOORS if e == extra and p != package]
    alone = all(find_spec(p) for p in rest)  # else another one may be named
    if find_spec(package):
        monkeypatch.setattr(_compat, "find_spec", lambda p: None if p == package else find_spec(p))
    for door in DOORS[extra, package]:
        with fails("H009", f'pip install "spacy-hitl[{extra}]"', *([package] if alone else [])):
            door()
