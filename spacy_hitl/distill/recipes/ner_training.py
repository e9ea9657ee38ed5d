"""How small recognizers of named entities learn apart and decide together, inside one plain `ner`.

Words that are common in the project's own texts have vectors. Where labels are few, names of the
training texts stand in an `entity_ruler`, and the members learn with made-up names; where there are
many, there are more and wider members instead. docs/ner.md says what each of it brings.
"""

from dataclasses import dataclass, field
from typing import Any, Dict, Optional

from .tok2vec import Size, tok2vec

# Small tables do for texts of some ten thousand words, and leave room for several encoders.
MEMBER = Size(width=48, depth=3, hidden=32, rows=(1500, 250, 500, 250))
MEMBERS = 4
MANY_TEXTS = 2000  # labelled ones


@dataclass(frozen=True)
class Members:
    """Who learns.

    count: how many encoders, at least 2. size: of each. listed: whether there is a list of seen
    names in front of them. settings: of spacy-hitl.train_members.v1, where it is told something.
    """

    count: int
    size: Size
    listed: bool = True
    settings: Dict[str, Any] = field(default_factory=dict)


FEW = Members(MEMBERS, MEMBER)
# Most names of a text were seen before, so that what made them unseen would only hide them.
MANY = Members(
    count=6,
    size=Size(width=64, depth=3, hidden=32, rows=(2500, 500, 1000, 500)),
    listed=False,
    settings={"new_names": 0.0, "unseen": 0.0, "case": 0.0, "folds": 0},
)


def choose_members(labelled: Optional[int]) -> Members:
    """Choose who learns by how much there is to learn from.

    labelled (Optional[int]): Number of labelled texts; None if nobody knows.
    RETURNS (Members): FEW below MANY_TEXTS, else MANY.
    """
    return FEW if labelled is None or labelled < MANY_TEXTS else MANY


def ner_training(
    component: str = "ner",
    *,
    labelled: Optional[int] = None,
    members: Optional[int] = None,
    size: Optional[Size] = None,
    texts: Optional[str] = None,
    seed: int = 0,
) -> Dict[str, Any]:
    """Make the sections of a training config that differ from spaCy's own.

    component (str): Name of the component. The list of seen names is called `COMPONENT_seen`.
    labelled (Optional[int]): How many labelled texts there are, see `choose_members`.
    members (Optional[int]): How many encoders learn apart, at least 2, if not what is chosen.
    size (Optional[Size]): Of each, if not what is chosen.
    texts (Optional[str]): JSONL with more texts of the same language, for the vectors.
    seed (int): Of the first member.
    RETURNS (Dict[str, Any]): `[nlp]`, `[components]`, `[initialize]` and `[training]`, to merge
        into a config with `[corpora.train]` and `[corpora.dev]`.
    """
    chosen = choose_members(labelled)
    members, size = members or chosen.count, size or chosen.size
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
        **({"ruler": ruler} if chosen.listed else {}),
        **chosen.settings,
        "seed": seed,
    }
    components: Dict[str, Any] = {}
    if chosen.listed:
        components[ruler] = {"factory": "entity_ruler", "phrase_matcher_attr": "LOWER"}
    components[component] = {"factory": "ner", "model": model}
    return {
        "nlp": {"pipeline": list(components)},
        "components": components,
        "initialize": {"before_init": vectors, "after_init": callback},
        # Everything is learned before: the loop makes one update with a rate of 0, and scores.
        "training": {
            "max_steps": 1,
            "eval_frequency": 1,
            "optimizer": {"@optimizers": "Adam.v1", "learn_rate": 0.0},
        },
    }
