"""Train a student: spaCy's own training, with its errors explained."""

import configparser
from pathlib import Path

from confection import ConfigValidationError
from spacy.cli.train import train

from ..errors import Errors, HitlError, InputError
from ..io import find_file

# What a config that can't be used makes spaCy's training raise.
TRAIN_ERRORS = (
    ConfigValidationError,
    configparser.Error,
    ImportError,
    KeyError,
    OSError,
    ValueError,
)


def distill(config: Path, output: Path, *, gpu: int = -1) -> Path:
    """Train a student.

    config (Path): A spaCy training config; its reader and callbacks bring the data.
    output (Path): Folder for model-best and model-last.
    gpu (int): GPU to use, -1 for the CPU.
    RETURNS (Path): The best model.
    RAISES (InputError): If the config can't be used or there is nothing to train on.
    """
    find_file(config, what="training config")
    try:
        train(config, output, use_gpu=gpu)
    except HitlError:
        raise
    except TRAIN_ERRORS as e:
        raise InputError(Errors.H304.format(config=config, detail=str(e).strip())) from e
    except SystemExit as e:  # spaCy prints what does not validate, and ends the program
        detail = "the reason is printed above."
        raise InputError(Errors.H304.format(config=config, detail=detail)) from e
    return output / "model-best"
