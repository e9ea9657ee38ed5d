"""Imports go one way, stages never meet, cheap zones stay cheap, modules stay small."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "spacy_hitl"
LEAVES = {"about", "errors", "_compat", "records", "io", "settings", "sqlite", "ty"}
STAGES = {"annotate", "review", "distill", "evaluate", "promote", "apply", "exchange", "project"}
RANK = {
    **dict.fromkeys(LEAVES, 0),
    "tasks": 1,
    **dict.fromkeys({"llm", "dataset", "scoring"}, 2),
    "pipeline": 3,
    **dict.fromkeys(STAGES, 4),
    "cli": 5,
    "__main__": 6,
    "__init__": 6,  # the door: what a user gets with `import spacy_hitl`
}
CHEAP = {"spacy", "thinc", "confection", "catalogue", "srsly", "wasabi", "typer", "tqdm", "numpy"}
MODULES = sorted(PACKAGE.rglob("*.py"))


def part_of(path):
    """The first part of a module's path below the package: a leaf or a subpackage."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imports_of(path, *, module_level=False):
    """Yields absolute module names; relative imports are resolved."""
    tree = ast.parse(path.read_text())
    nodes = tree.body if module_level else ast.walk(tree)
    package = ("spacy_hitl", *path.relative_to(PACKAGE).parts[:-1])
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1]
            names = [node.module] if node.module else [alias.name for alias in node.names]
            yield from (".".join((*base, name)) for name in names)


def own_parts(path, **kwargs):
    for name in imports_of(path, **kwargs):
        parts = name.split(".")
        if parts[0] == "spacy_hitl" and len(parts) > 1:
            yield parts[1]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_one_way(path):
    mine = part_of(path)
    assert mine in RANK, f"{mine} has no place in the architecture"
    for other in own_parts(path):
        assert RANK[other] < RANK[mine] or other == mine or RANK[mine] == 0, f"{path}: {other}"


def test_the_leaves_import_nothing_but_leaves():
    for path in MODULES:
        if part_of(path) in LEAVES:
            assert set(own_parts(path)) <= LEAVES


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_cheap_zones_import_only_spacy_and_leaves_at_module_level(path):
    mine = part_of(path)
    if mine not in ("cli", "pipeline"):
        return
    for name in imports_of(path, module_level=True):
        first = name.split(".")[0]
        cheap = first in sys.stdlib_module_names or first in CHEAP
        own = first == "spacy_hitl" and name.split(".")[1] in {*LEAVES, mine}
        assert cheap or own, f"{path} imports {name} at module level"


def test_what_learns_never_imports_the_dataset_itself():
    """The training side reads exported corpora, which hold no gold; only views open the file."""
    for path in (PACKAGE / "distill").rglob("*.py"):
        for name in imports_of(path):
            assert name not in ("spacy_hitl.dataset.store", "spacy_hitl.dataset.views"), path


def test_modules_stay_small():
    sizes = {str(p): len(p.read_text().splitlines()) for p in MODULES}
    assert not {p: n for p, n in sizes.items() if n > 330}


def test_importing_touches_no_optional_package():
    """Beyond what spaCy itself imports where it is installed (torch, for one)."""
    code = (
        "import sys, spacy, spacy.cli\n"
        "before = set(sys.modules)\n"
        "import spacy_hitl, spacy_hitl.pipeline.hitl_llm, spacy_hitl.cli\n"
        "unwanted = {'spacy_llm', 'openai', 'torch', 'transformers', 'sqlite3'}\n"
        "print(sorted(unwanted & (set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_pickle_no_eval_no_shell():
    for path in MODULES:
        names = set(imports_of(path))
        assert not names & {"pickle", "dill", "joblib", "subprocess"}, path
        calls = {
            n.func.id
            for n in ast.walk(ast.parse(path.read_text()))
            if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
        }
        assert not calls & {"eval", "exec"}, path
