"""One encoder for several students: the base, and the layer that stands for it in each of them."""

from pathlib import Path
from typing import Any, Dict, Mapping, Optional

from confection import Config
from spacy.util import load_config

from ...errors import Errors, InputError
from .tok2vec import Size, tok2vec

BASE = "tok2vec"  # name of the component, in the base and in every student of it


def base_pipeline(size: Size, tasks: Mapping[str, Path], *, lang: str) -> Config:
    """Make the config of a base: `[nlp]`, `[components]` and what teaches it.

    size (Size): Of the encoder.
    tasks (Mapping[str, Path]): Exported corpora by the name of their task.
    lang (str): Code of the language.
    RETURNS (Config): Sections to put corpora and training beside.
    """
    corpora = {task: str(path) for task, path in tasks.items()}
    return Config(
        {
            "nlp": {"lang": lang, "pipeline": [BASE], "batch_size": 256},
            "components": {BASE: {"factory": "tok2vec", "model": tok2vec(size)}},
            "initialize": {
                "after_init": {"@callbacks": "spacy-hitl.distill_base.v1", "tasks": corpora}
            },
        }
    )


def listener(width: int, *, upstream: str = BASE) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): Config of a layer that takes what the base made of a text."""
    return {"@architectures": "spacy.Tok2VecListener.v1", "width": width, "upstream": upstream}


def on_base(width: int) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): Config of a student's encoder: a convolution over the base."""
    own = {
        "@architectures": "spacy.MaxoutWindowEncoder.v2",
        "width": width,
        "depth": 1,
        "window_size": 1,
        "maxout_pieces": 3,
    }
    return {"@layers": "chain.v1", "*": {"base": listener(width), "own": own}}


def base_sections(base: str) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): Where the base comes from, and that it doesn't learn any more."""
    frozen = {"frozen_components": [BASE], "annotating_components": [BASE]}
    return {"components": {BASE: {"source": base}}, "training": frozen}


def base_width(base: str) -> Optional[int]:
    """Find how wide a base is.

    base (str): Folder of a trained pipeline, or the name of an installed one.
    RETURNS (Optional[int]): Its width; None if there is no such folder (yet).
    RAISES (InputError): If the pipeline in the folder has no tok2vec to listen to.
    """
    path = Path(base) / "config.cfg"
    if not path.exists():
        return None
    components: Mapping[str, Any] = load_config(path).get("components", {})
    model: Mapping[str, Any] = components.get(BASE, {}).get("model", {})
    width = model.get("width", model.get("encode", {}).get("width"))
    if width is None:
        raise InputError(Errors.H360.format(path=base, name=BASE, found=", ".join(components)))
    return int(width)
