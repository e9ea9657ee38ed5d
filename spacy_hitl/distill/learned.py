"""What a student learned from, left in its meta while it is trained: plain `spacy train` saves it.

`nlp.meta["hitl"]["learned"]` holds digests and counts only, and survives in model-best, model-last
and wherever the pipeline is copied to.
"""

import hashlib
from typing import Any, Dict, Optional, Tuple

import numpy
import thinc
from spacy.about import __version__ as spacy_version
from spacy.language import Language

from ..about import __version__
from ..dataset.digests import describe_corpus, plain_name
from ..io import json_digest
from ..records import VERSION, Learned
from .search.inputs import digest_inputs

META = "hitl"


def remember_inputs(nlp: Language, *, parent: Optional[str] = None) -> None:
    """Write down what the pipeline learns from, if its config has changed since that was done.

    nlp (Language): A pipeline in training, with its whole config; its meta is changed, and nothing
        that training depends on.
    parent (Optional[str]): Digest of the student whose weights it starts from.
    """
    filled = nlp.config.interpolate()
    filled["nlp"].pop("disabled", None)  # comes and goes while spaCy trains
    config = json_digest(filled)
    known = nlp.meta.get(META, {})
    if parent is None and known.get("learned", {}).get("config") == config:
        return
    corpora, files = digest_inputs(filled)
    if not corpora:
        return  # read in a program: there is no config that says from what
    seed = filled.get("training", {}).get("seed")
    learned = Learned(
        config=config,
        corpora=tuple(map(describe_corpus, corpora)),
        files=tuple((plain_name(value), digest) for value, digest in files),
        bases=_bases(nlp, filled),
        versions=(
            ("numpy", numpy.__version__),
            ("spacy", spacy_version),
            ("spacy_hitl", __version__),
            ("thinc", thinc.__version__),
        ),
        seed=seed if isinstance(seed, int) else None,
        parent=parent or known.get("learned", {}).get("parent"),
    )
    value = learned.to_dict()
    value.pop("v")
    nlp.meta[META] = {**known, "v": VERSION, "learned": value}


def _bases(nlp: Language, filled: Dict[str, Any]) -> Tuple[Tuple[str, str], ...]:
    """Components that don't learn, with the SHA-256 of their weights, as they are in a file."""
    frozen = filled.get("training", {}).get("frozen_components", [])
    models: Any = ((name, getattr(pipe, "model", None)) for name, pipe in nlp.components)
    return tuple(
        (name, hashlib.sha256(model.to_bytes()).hexdigest())
        for name, model in models
        if name in frozen and hasattr(model, "to_bytes")
    )
