"""How a small recognizer of named entities learns from little data.

Several narrow encoders learn apart and decide together, inside one plain `ner`; words that are
common in the project's own texts have vectors; names of the training texts stand in an
`entity_ruler`. docs/ner.md says what each of it brings.
"""

from typing import Any, Dict, Optional

from .tok2vec import Size, tok2vec

# Small tables do for texts of some ten thousand words, and leave room for several encoders.
MEMBER = Size(width=48, depth=3, hidden=32, rows=(1500, 250, 500, 250))
MEMBERS = 4


def ner_training(
    component: str = "ner",
    *,
    members: int = MEMBERS,
    size: Size = MEMBER,
    texts: Optional[str] = None,
    seed: int = 0,
) -> Dict[str, Any]:
    """Make the sections of a training config that differ from spaCy's own.

    component (str): Name of the component. The list of seen names is called `COMPONENT_seen`.
    members (int): How many encoders learn apart, at least 2.
    size (Size): Of each.
    texts (Optional[str]): JSONL with more texts of the same language, for the vectors.
    seed (int): Of the first member.
    RETURNS (Dict[str, Any]): `[nlp]`, `[components]`, `[initialize]` and `[training]`, to merge
        into a config with `[corpora.train]` and `[corpora.dev]`.
    """
    ruler = f"{component}_seen"
    encoder = tok2vec(size)
    encoder["embed"]["include_static_vectors"] = True
    model = {
        "@architectures": "spacy.TransitionBasedParser.v2",
        "state_type": "ner",
        "extra_state_tokens": False,
        "hidden_width": members * size.hidden,
        "maxout_pieces": 2,
        "use_upper": True,
        "nO": None,
        "tok2vec": {
            "@layers": "concatenate.v1",
            "*": {f"member{i + 1}": encoder for i in range(members)},
        },
    }
    vectors: Dict[str, Any] = {
        "@callbacks": "spacy-hitl.count_vectors.v1",
        "corpus": "${corpora.train}",
    }
    if texts is not None:
        vectors["texts"] = {"@readers": "spacy-hitl.RawTexts.v1", "paths": [texts]}
    callback = {
        "@callbacks": "spacy-hitl.train_members.v1",
        "corpus": "${corpora.train}",
        "more": "${corpora.dev}",
        "component": component,
        "ruler": ruler,
        "seed": seed,
    }
    return {
        "nlp": {"pipeline": [ruler, component]},
        "components": {
            ruler: {"factory": "entity_ruler", "phrase_matcher_attr": "LOWER"},
            component: {"factory": "ner", "model": model},
        },
        "initialize": {"before_init": vectors, "after_init": callback},
        # Everything is learned before: the loop makes one update with a rate of 0, and scores.
        "training": {
            "max_steps": 1,
            "eval_frequency": 1,
            "optimizer": {"@optimizers": "Adam.v1", "learn_rate": 0.0},
        },
    }
