"""Load pipelines from configs and folders, and find their prompted components."""

import configparser
import re
import warnings
from pathlib import Path
from typing import Dict, List, Optional, Tuple

import spacy
from confection import Config, ConfigValidationError
from spacy.language import Language
from spacy.util import load_config, load_model_from_config

from .._compat import require
from ..errors import Errors, HitlError, InputError
from ..io import find_file
from ..settings import Settings, read_settings
from .hitl_llm import HitlLLM, PromptedTask

# What reading and resolving a config may raise, spaCy's, confection's and the parser's own.
CONFIG_ERRORS = (
    ConfigValidationError,
    configparser.Error,
    ImportError,
    KeyError,
    OSError,
    TypeError,
    ValueError,
)
# How spaCy says that it does not know a model of spacy-llm.
FROM_SPACY_LLM = re.compile(r"'spacy\.[^']*' in function registry 'llm_")


def load_prompted(path: Path) -> Tuple[Language, Settings]:
    """Load a config whose components are prompted.

    path (Path): A spaCy config.
    RETURNS (Tuple[Language, Settings]): The pipeline, and the [hitl] section. Nothing was asked.
    RAISES (InputError): If the config can't be read or resolved, or has no prompted component.
    """
    nlp, settings = load_config_file(path)
    if not prompted_tasks(nlp):
        raise InputError(Errors.H011.format(path=path))
    return nlp, settings


def load_config_file(path: Path) -> Tuple[Language, Settings]:
    """Load a config, or one of its named variants.

    path (Path): A spaCy config, or `config.cfg@name` for a variant of its [hitl.variants].
    RETURNS (Tuple[Language, Settings]): The pipeline, and the [hitl] section.
    RAISES (InputError): If the config can't be read or resolved, has no such variant, or names a
        model of spacy-llm, which is not installed.
    """
    config, settings = _read_config(path)
    try:
        return load_model_from_config(config, auto_fill=True), settings
    except HitlError:
        raise
    except CONFIG_ERRORS as e:
        if FROM_SPACY_LLM.search(str(e)):
            require("spacy_llm", extra="llm")
        raise InputError(Errors.H003.format(path=path, detail=str(e).strip())) from e


def settings_of(path: Path) -> Settings:
    """RETURNS (Settings): The [hitl] section of a config, without building the pipeline."""
    return _read_config(path)[1]


def split_variant(path: Path) -> Tuple[Path, Optional[str]]:
    """Take the name of a variant off a config's path.

    path (Path): The path of a config, maybe with "@" and the name of a variant behind it.
    RETURNS (Tuple[Path, Optional[str]]): The file and the name, None without one. A file whose own
        name holds an "@" is that file.
    """
    file, at, name = str(path).rpartition("@")
    if not at or path.exists():
        return path, None
    return Path(file), name


def variants_of(path: Path) -> List[Path]:
    """RETURNS (List[Path]): `config.cfg@name` for every variant of a config."""
    file, _ = split_variant(path)
    return [Path(f"{file}@{name}") for name in _read_config(file)[1].variants]


def version_keys(path: Path) -> Dict[str, Tuple[Tuple[str, int, str], ...]]:
    """Find under which keys the proposals of a config and of all its variants are stored.

    path (Path): A config, or one of its variants.
    RETURNS (Dict[str, Tuple[Tuple[str, int, str], ...]]): By task: source, sample and task digest
        of each version that asks in its own way, that of `path` first. Versions with other labels
        than the task of `path` are other tasks, and not among them.
    """
    own = prompted_tasks(load_prompted(path)[0])
    keys = {name: {prompted.key: None} for name, prompted in own.items()}
    for variant in variants_of(path):
        for name, prompted in prompted_tasks(load_prompted(variant)[0]).items():
            if name in own and prompted.task.labels == own[name].task.labels:
                keys[name][prompted.key] = None
    return {name: tuple(found) for name, found in keys.items()}


def _read_config(path: Path) -> Tuple[Config, Settings]:
    file, variant = split_variant(path)
    find_file(file, what="config")
    try:
        config = load_config(file, interpolate=True)
        settings = read_settings(config, path=file)
        if variant is None:
            return config, settings
        if variant not in settings.variants:
            known = ", ".join(settings.variants) or "none"
            raise InputError(Errors.H013.format(path=file, name=variant, known=known))
        config = load_config(file, overrides=settings.variants[variant], interpolate=True)
        return config, read_settings(config, path=file)
    except HitlError:
        raise
    except CONFIG_ERRORS as e:
        raise InputError(Errors.H003.format(path=path, detail=str(e).strip())) from e


def load_trained(path: Path) -> Language:
    """Load a trained pipeline from its folder.

    RAISES (InputError): If there is none.
    """
    find_file(path, what="trained pipeline")
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"\[W095\]")
            return spacy.load(path)
    except (OSError, ValueError) as e:
        raise InputError(Errors.H501.format(path=path, detail=e)) from e


def prompted_components(nlp: Language) -> Dict[str, HitlLLM]:
    """RETURNS (Dict[str, HitlLLM]): The prompted components by name, in pipeline order."""
    return {name: pipe for name, pipe in nlp.pipeline if isinstance(pipe, HitlLLM)}


def prompted_tasks(nlp: Language) -> Dict[str, PromptedTask]:
    """Find what the prompted components annotate.

    nlp (Language): The pipeline.
    RETURNS (Dict[str, PromptedTask]): By name, in pipeline order: the component's own task, or the
        parts of a joint one.
    RAISES (InputError): If two have the same name.
    """
    found: Dict[str, PromptedTask] = {}
    for component in prompted_components(nlp).values():
        for name, task in component.tasks.items():
            if name in found:
                raise InputError(Errors.H126.format(name=name))
            found[name] = task
    return found


def threshold_of(nlp: Language, name: str) -> float:
    """RETURNS (float): The lowest score at which a category of a component holds; 0.5 if it does
    not bring one.
    """
    pipe = nlp.get_pipe(name) if name in nlp.pipe_names else None
    value = (getattr(pipe, "cfg", None) or {}).get("threshold")
    return 0.5 if value is None else float(value)
