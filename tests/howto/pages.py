"""What stands in a how-to page: the files it shows and the commands it types, taken from the page.

A file is a block below a line that ends with its name: `stars.py`: and then the block. Commands are
the lines of blocks in bash that begin with `spacy hitl`.
"""

import re
import shlex
from pathlib import Path
from typing import Dict, List

from typer.testing import CliRunner, Result

from spacy_hitl.cli import hitl_cli

DOCS = Path(__file__).parent.parent.parent / "docs"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
FILE = re.compile(r"`([\w./-]+)`:\n\n```\w*\n(.*?)^```", re.DOTALL | re.MULTILINE)
BASH = re.compile(r"^```bash\n(.*?)^```", re.DOTALL | re.MULTILINE)


def read_page(name: str) -> str:
    """RETURNS (str): A page of docs/, by its name without howto_ and .md."""
    return (DOCS / f"howto_{name}.md").read_text(encoding="utf8")


def page_files(name: str) -> Dict[str, str]:
    """RETURNS (Dict[str, str]): Contents by name of the files that a page shows."""
    return dict(FILE.findall(read_page(name)))


def write_files(name: str, folder: Path = Path()) -> Dict[str, str]:
    """Write the files that a page shows. RETURNS: them."""
    found = page_files(name)
    for path, content in found.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content, encoding="utf8")
    return found


def commands(name: str) -> List[str]:
    """RETURNS (List[str]): The `spacy hitl` commands of a page, in order, each on one line."""
    blocks = "\n".join(BASH.findall(read_page(name))).replace("\\\n", " ")
    lines = (line.split("  #")[0].strip() for line in blocks.splitlines())
    return [line for line in lines if line.startswith("spacy hitl ")]


def run(command: str) -> Result:
    """Type a command in this process. RETURNS (Result): With its exit code and output."""
    return CliRunner().invoke(hitl_cli, shlex.split(command)[2:], catch_exceptions=False)


def run_well(command: str) -> str:
    """RETURNS (str): What a command that must succeed prints, on one line."""
    result = run(command)
    assert result.exit_code == 0, f"{command}\n{result.output}"
    return " ".join(COLOUR.sub("", result.output).split())


def blocks(name: str, language: str) -> List[str]:
    """RETURNS (List[str]): All blocks of a page in a language."""
    found = re.findall(rf"^```{language}\n(.*?)^```", read_page(name), re.DOTALL | re.MULTILINE)
    return list(found)
