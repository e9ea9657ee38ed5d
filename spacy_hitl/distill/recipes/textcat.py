"""Categories of whole texts: spaCy's `textcat` and `textcat_multilabel`."""

from typing import Any, Dict

from .tok2vec import Size


def exclusive(tok2vec: Dict[str, Any], size: Size, **_: Any) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): Config of a component that chooses one category."""
    return {"factory": "textcat", "model": _model(tok2vec, exclusive=True)}


def multilabel(tok2vec: Dict[str, Any], size: Size, **_: Any) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): Config of a component that judges each category by itself."""
    return {"factory": "textcat_multilabel", "model": _model(tok2vec, exclusive=False)}


def _model(tok2vec: Dict[str, Any], *, exclusive: bool) -> Dict[str, Any]:
    return {
        "@architectures": "spacy.TextCatReduce.v1",
        "exclusive_classes": exclusive,
        "use_reduce_first": False,
        "use_reduce_last": False,
        "use_reduce_max": True,
        "use_reduce_mean": True,
        "nO": None,
        "tok2vec": tok2vec,
    }
