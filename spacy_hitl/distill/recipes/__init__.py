"""Student recipes: what a student of a kind is made of, as a spaCy config.

small   spaCy's own architectures and sizes: a good start for any kind
fast    narrower, and accelerated: more than 100,000 words/s on one core of a laptop

One module per kind of component beside the encoder that they share.
"""

from pathlib import Path
from typing import Any, Callable, Dict, Mapping, Optional

from confection import Config

from ...errors import Errors, InputError
from . import entity_linker, ner, relations, spancat, textcat
from .base import BASE, base_pipeline, base_sections, base_width, on_base
from .tok2vec import Size, tok2vec

SIZES = {
    "small": Size(width=96, depth=4, hidden=64),
    # Shapes are few: 2,000 rows hold them, and a student of named entities stays below 4 MB.
    "fast": Size(width=64, depth=4, hidden=64, rows=(5000, 1000, 2500, 2000)),
}
COMPONENTS: Dict[str, Callable[..., Dict[str, Any]]] = {
    "ner": ner.component,
    "spancat": spancat.component,
    "textcat": textcat.exclusive,
    "textcat_multilabel": textcat.multilabel,
    "entity_linker": entity_linker.component,
    "hitl_relations": relations.component,
}
# What has to stand in front of a component, by its kind.
FRONT: Dict[str, Dict[str, Any]] = {"entity_linker": entity_linker.sentences()}
RECIPES = tuple(SIZES)
KINDS = tuple(COMPONENTS)


def student_config(
    kind: str,
    *,
    task: str,
    recipe: str = "fast",
    lang: str = "en",
    spans_key: str = "sc",
    base: Optional[str] = None,
) -> Config:
    """Make the pipeline part of a student's config: `[nlp]` and `[components]`.

    kind (str): Factory of the student, one of KINDS.
    task (str): Name of the component, as in the prompted pipeline.
    recipe (str): "small" or "fast". A fast student needs spacy-hitl's core install where it runs.
    lang (str): Code of the language.
    spans_key (str): Where a spancat student writes.
    base (Optional[str]): A trained pipeline whose tok2vec the student listens to. It stays as it
        is: `[training]` of the result has to stand in the config too.
    RETURNS (Config): Sections to put corpora and training beside.
    RAISES (InputError): If there is no such kind or recipe.
    """
    for value, known, name in ((kind, KINDS, "kind"), (recipe, RECIPES, "recipe")):
        if value not in known:
            problem = f"{name} {value!r} is not one of {', '.join(known)}"
            raise InputError(Errors.H004.format(where="student", problem=problem))
    front = FRONT.get(kind, {})
    nlp: Dict[str, Any] = {"lang": lang, "pipeline": [*front, task], "batch_size": 256}
    if recipe == "fast":
        nlp["after_pipeline_creation"] = {"@callbacks": "spacy-hitl.accelerate.v1"}
    size = SIZES[recipe]
    if base is None:
        component = COMPONENTS[kind](tok2vec(size), size, spans_key=spans_key)
        return Config({"nlp": nlp, "components": {**front, task: component}})
    nlp["pipeline"] = [BASE, *front, task]
    heard = on_base(base_width(base) or size.width)
    component = COMPONENTS[kind](heard, size, spans_key=spans_key)
    sections = base_sections(base)
    sections["components"].update({**front, task: component})
    return Config({"nlp": nlp, **sections})


def base_config(tasks: Mapping[str, Path], *, recipe: str = "fast", lang: str = "en") -> Config:
    """Make the pipeline part of a base's config: one encoder, taught by several tasks at once.

    tasks (Mapping[str, Path]): Exported corpora by the name of their task.
    recipe (str): "small" or "fast": the size of the encoder.
    lang (str): Code of the language.
    RETURNS (Config): Sections to put corpora and training beside.
    RAISES (InputError): If there is no such recipe.
    """
    if recipe not in SIZES:
        problem = f"recipe {recipe!r} is not one of {', '.join(RECIPES)}"
        raise InputError(Errors.H004.format(where="base", problem=problem))
    return base_pipeline(SIZES[recipe], tasks, lang=lang)
