"""Train a student: spaCy's own training, with its errors explained."""

import configparser
from dataclasses import replace
from pathlib import Path
from typing import Callable

from confection import ConfigValidationError
from spacy.cli.train import train

from ..errors import Errors, HitlError, InputError
from ..io import find_file, folder_digest, write_json

# What a config that can't be used makes spaCy's training raise.
TRAIN_ERRORS = (
    ConfigValidationError,
    configparser.Error,
    ImportError,
    KeyError,
    OSError,
    ValueError,
)


def distill(
    config: Path,
    output: Path,
    *,
    gpu: int = -1,
    fresh: bool = False,
    report: Callable[[str], None] = lambda line: None,
) -> Path:
    """Train a student; go on from the last one if only decisions were added since.

    config (Path): A spaCy training config; its reader and callbacks bring the data.
    output (Path): Folder for model-best and model-last.
    gpu (int): GPU to use, -1 for the CPU.
    fresh (bool): Train from scratch in any case.
    report (Callable[[str], None]): Gets a line that says where the training starts from, and why.
    RETURNS (Path): The best model.
    RAISES (InputError): If the config can't be used or there is nothing to train on.
    """
    # continuing imports what is here
    from .search.continuing import RECORD, describe_inputs, place_to_start, train_further

    find_file(config, what="training config")
    try:
        new = describe_inputs(config)
        old, reason = place_to_start(new, output, fresh=fresh)
        if reason is None and old is not None:
            decided = new.decided - old.decided
            report(f"Going on from the student of {old.decided} decisions: {decided} were added")
            reason = train_further(config, output, gpu=gpu)
        if reason is not None:
            report(f"Training from scratch: {reason}")
            train(config, output, use_gpu=gpu)
    except HitlError:
        raise
    except TRAIN_ERRORS as e:
        raise InputError(Errors.H304.format(config=config, detail=str(e).strip())) from e
    except SystemExit as e:  # spaCy prints what does not validate, and ends the program
        detail = "the reason is printed above."
        raise InputError(Errors.H304.format(config=config, detail=detail)) from e
    best = output / "model-best"
    continued = old.continued + 1 if reason is None and old is not None else 0
    done = replace(new, model=folder_digest(best), continued=continued)
    write_json(output / RECORD, done.to_dict())
    return best
