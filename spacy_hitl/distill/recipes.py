"""Student recipes: what a student of a kind is made of, as a spaCy config.

small   spaCy's own architectures, narrow: a good start for any kind
fast    narrower still, and accelerated: more than 100,000 words/s on one core of a laptop
"""

from typing import Any, Dict

from confection import Config

from ..errors import Errors, InputError

RECIPES = ("small", "fast")
KINDS = ("ner", "spancat", "textcat", "textcat_multilabel")
_WIDTH = {"small": 96, "fast": 64}
_DEPTH = {"small": 4, "fast": 3}
_HIDDEN = {"small": 64, "fast": 32}


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
    component = _component(kind, _tok2vec(recipe), _HIDDEN[recipe], spans_key=spans_key)
    return Config({"nlp": nlp, "components": {task: component}})


def _tok2vec(recipe: str) -> Dict[str, Any]:
    width = _WIDTH[recipe]
    return {
        "@architectures": "spacy.Tok2Vec.v2",
        "embed": {
            "@architectures": "spacy.MultiHashEmbed.v2",
            "width": width,
            "attrs": ["NORM", "PREFIX", "SUFFIX", "SHAPE"],
            "rows": [5000, 1000, 2500, 2500],
            "include_static_vectors": False,
        },
        "encode": {
            "@architectures": "spacy.MaxoutWindowEncoder.v2",
            "width": width,
            "depth": _DEPTH[recipe],
            "window_size": 1,
            "maxout_pieces": 3,
        },
    }


def _component(
    kind: str, tok2vec: Dict[str, Any], hidden: int, *, spans_key: str
) -> Dict[str, Any]:
    if kind == "ner":
        model = {
            "@architectures": "spacy.TransitionBasedParser.v2",
            "state_type": "ner",
            "extra_state_tokens": False,
            "hidden_width": hidden,
            "maxout_pieces": 2,
            "use_upper": True,
            "nO": None,
            "tok2vec": tok2vec,
        }
        return {"factory": "ner", "model": model}
    if kind == "spancat":
        model = {
            "@architectures": "spacy.SpanCategorizer.v1",
            "reducer": {
                "@layers": "spacy.mean_max_reducer.v1",
                "hidden_size": 2 * hidden,
            },
            "scorer": {"@layers": "spacy.LinearLogistic.v1", "nO": None, "nI": None},
            "tok2vec": tok2vec,
        }
        suggester = {"@misc": "spacy.ngram_suggester.v1", "sizes": [1, 2, 3]}
        return {"factory": kind, "spans_key": spans_key, "model": model, "suggester": suggester}
    model = {
        "@architectures": "spacy.TextCatReduce.v1",
        "exclusive_classes": kind == "textcat",
        "use_reduce_first": False,
        "use_reduce_last": False,
        "use_reduce_max": True,
        "use_reduce_mean": True,
        "nO": None,
        "tok2vec": tok2vec,
    }
    return {"factory": kind, "model": model}
