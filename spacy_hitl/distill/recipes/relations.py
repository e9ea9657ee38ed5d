"""Relations between the mentions in doc.ents: `hitl_relations`, which needs the core install."""

from typing import Any, Dict

from .tok2vec import Size


def component(tok2vec: Dict[str, Any], size: Size, **_: Any) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): Config of the component."""
    reducer = {"@layers": "spacy.mean_max_reducer.v1", "hidden_size": size.hidden}
    model = {
        "@architectures": "spacy-hitl.Relations.v1",
        "hidden_size": size.hidden,
        "dropout": 0.0,
        "nO": None,
        "tok2vec": tok2vec,
        "mentions": reducer,
        "between": dict(reducer),
    }
    instances = {"@misc": "spacy-hitl.MentionPairs.v1", "max_distance": 40}
    return {"factory": "hitl_relations", "model": model, "instances": instances}
