"""Spans that may overlap: spaCy's `spancat`."""

from typing import Any, Dict

from .tok2vec import Size


def component(
    tok2vec: Dict[str, Any], size: Size, *, spans_key: str = "sc", **_: Any
) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): Config of the component; it looks at up to three tokens."""
    model = {
        "@architectures": "spacy.SpanCategorizer.v1",
        "reducer": {"@layers": "spacy.mean_max_reducer.v1", "hidden_size": 2 * size.hidden},
        "scorer": {"@layers": "spacy.LinearLogistic.v1", "nO": None, "nI": None},
        "tok2vec": tok2vec,
    }
    suggester = {"@misc": "spacy.ngram_suggester.v1", "sizes": [1, 2, 3]}
    return {"factory": "spancat", "spans_key": spans_key, "model": model, "suggester": suggester}
