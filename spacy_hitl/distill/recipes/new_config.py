"""Write a student's training config to a file."""

from pathlib import Path

from ...errors import Errors, InputError
from ...io import write_bytes
from .plan import Plan
from .render import render
from .training import training_config


def write_config(plan: Plan, path: Path, *, force: bool = False) -> Path:
    """Write a student's training config.

    plan (Plan): What it is for.
    path (Path): A .cfg file.
    force (bool): Replace a file that is there.
    RETURNS (Path): The file.
    RAISES (InputError): If the file exists, or is no .cfg, or the plan can't be carried out.
    """
    if path.suffix != ".cfg":
        raise InputError(Errors.H375.format(path=path))
    if path.exists() and not force:
        raise InputError(Errors.H372.format(path=path))
    write_bytes(path, config_text(plan, path=path.as_posix()).encode("utf8"))
    return path


def config_text(plan: Plan, *, path: str) -> str:
    """RETURNS (str): A student's training config. The path is shown in its first lines."""
    return render(training_config(plan), plan, path=path)
