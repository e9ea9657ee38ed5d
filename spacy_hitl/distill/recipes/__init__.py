"""Student recipes: what a student of a kind is made of, as a spaCy config.

small   spaCy's own architectures and sizes: a good start for any kind
fast    narrower, and accelerated: more than 100,000 words/s on one core of a laptop

One module per kind of component beside the encoder that they share.
"""

from typing import Any, Callable, Dict

from confection import Config

from ...errors import Errors, InputError
from . import ner, spancat, textcat
from .tok2vec import Size, tok2vec

SIZES = {
    "small": Size(width=96, depth=4, hidden=64),
    "fast": Size(width=64, depth=3, hidden=32),
}
COMPONENTS: Dict[str, Callable[..., Dict[str, Any]]] = {
    "ner": ner.component,
    "spancat": spancat.component,
    "textcat": textcat.exclusive,
    "textcat_multilabel": textcat.multilabel,
}
RECIPES = tuple(SIZES)
KINDS = tuple(COMPONENTS)


def student_config(
    kind: str, *, task: str, recipe: str = "fast", lang: str = "en", spans_key: str = "sc"
) -> Config:
    """Make the pipeline part of a student's config: `[nlp]` and `[components]`.

    kind (str): Factory of the student: ner, spancat, textcat or textcat_multilabel.
    task (str): Name of the component, as in the prompted pipeline.
    recipe (str): "small" or "fast". A fast student needs spacy-hitl's core install where it runs.
    lang (str): Code of the language.
    spans_key (str): Where a spancat student writes.
    RETURNS (Config): Sections to put corpora and training beside.
    RAISES (InputError): If there is no such kind or recipe.
    """
    for value, known, name in ((kind, KINDS, "kind"), (recipe, RECIPES, "recipe")):
        if value not in known:
            problem = f"{name} {value!r} is not one of {', '.join(known)}"
            raise InputError(Errors.H004.format(where="student", problem=problem))
    nlp: Dict[str, Any] = {"lang": lang, "pipeline": [task], "batch_size": 256}
    if recipe == "fast":
        nlp["after_pipeline_creation"] = {"@callbacks": "spacy-hitl.accelerate.v1"}
    size = SIZES[recipe]
    component = COMPONENTS[kind](tok2vec(size), size, spans_key=spans_key)
    return Config({"nlp": nlp, "components": {task: component}})
