"""The user's own Python file: imported once per process, however many ask for it."""

import sys
from pathlib import Path

from spacy.util import import_file

from ..io import read_text, text_digest
from ..pipeline import hitl_llm  # noqa: F401  makes the registries a file may write into


def import_once(path: Path) -> None:
    """Import a file with registered functions. A second time nothing happens, unless it changed:
    much of what such a file does (`Doc.set_extension`) spaCy allows only once.

    path (Path): The file.
    RAISES (InputError): If it can't be read.
    RAISES (Exception): Whatever the file raises.
    """
    content = read_text(path, what="code")
    name = "python_code_" + text_digest(f"{path.resolve()} {content}")[:16]
    if name not in sys.modules:
        sys.modules[name] = import_file(name, path)
