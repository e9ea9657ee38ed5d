"""Named entities: spaCy's transition-based `ner`."""

from typing import Any, Dict

from .tok2vec import Size


def component(tok2vec: Dict[str, Any], size: Size, **_: Any) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): Config of the component."""
    model = {
        "@architectures": "spacy.TransitionBasedParser.v2",
        "state_type": "ner",
        "extra_state_tokens": False,
        "hidden_width": size.hidden,
        "maxout_pieces": 2,
        "use_upper": True,
        "nO": None,
        "tok2vec": tok2vec,
    }
    return {"factory": "ner", "model": model}
