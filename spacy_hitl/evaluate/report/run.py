"""Write the report."""

from pathlib import Path

from ..._compat import require
from ...io import PRIVATE, write_atomic
from .sources import Evidence, read_evidence


def write_report(config: Path, output: Path) -> Evidence:
    """Write one HTML file with everything that is known about a project's systems.

    config (Path): Config of the prompted pipeline, with a [hitl] section.
    output (Path): The file. It holds gold texts, so that only the owner can read it at first.
    RETURNS (Evidence): What it is made from.
    RAISES (InputError): If nothing was measured, files do not belong together, or matplotlib is
        not installed.
    RAISES (StateError): If the file can't be written; an older one stays as it is.
    """
    require("matplotlib", extra="report")
    from .page import render

    evidence = read_evidence(config)
    page = render(evidence).encode("utf8", "backslashreplace")
    with write_atomic(output, mode=PRIVATE) as file_:
        file_.write(page)
    return evidence
