"""Links to a catalog: spaCy's `entity_linker`, whose knowledge base says what a form means."""

from typing import Any, Dict

from .tok2vec import Size

VECTOR_LENGTH = 64  # of the entities in the knowledge base


def component(tok2vec: Dict[str, Any], size: Size, **_: Any) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): Config of the component: form and prior decide, not the context.

    The encoder is not asked, so that it is small whatever the recipe.
    """
    encoder = {
        "@architectures": "spacy.HashEmbedCNN.v2",
        "pretrained_vectors": None,
        "width": 32,
        "depth": 1,
        "embed_size": 500,
        "window_size": 1,
        "maxout_pieces": 2,
        "subword_features": True,
    }
    return {
        "factory": "entity_linker",
        "n_sents": 0,
        "incl_prior": True,
        "incl_context": False,
        "entity_vector_length": VECTOR_LENGTH,
        "use_gold_ents": True,
        "overwrite": True,
        "threshold": 0.6,
        "labels_discard": [],
        "model": {"@architectures": "spacy.EntityLinker.v2", "tok2vec": encoder},
    }


def sentences() -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): What stands in front of it: it always needs sentences (E030)."""
    return {"sentencizer": {"factory": "sentencizer"}}
