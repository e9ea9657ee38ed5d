"""The factory `hitl_relations`, and what it is made of if the config says nothing."""

from confection import Config
from spacy.language import Language

from .component import RelationExtractor
from .instances import InstanceGenerator
from .model import RelationsModel

DEFAULT_CONFIG = """
[model]
@architectures = "spacy-hitl.Relations.v1"
hidden_size = 64

[model.tok2vec]
@architectures = "spacy.Tok2Vec.v2"

[model.tok2vec.embed]
@architectures = "spacy.MultiHashEmbed.v2"
width = 96
rows = [5000, 1000, 2500, 2500]
attrs = ["NORM", "PREFIX", "SUFFIX", "SHAPE"]
include_static_vectors = false

[model.tok2vec.encode]
@architectures = "spacy.MaxoutWindowEncoder.v2"
width = ${model.tok2vec.embed.width}
window_size = 1
maxout_pieces = 3
depth = 4

[model.mentions]
@layers = "spacy.mean_max_reducer.v1"
hidden_size = 64

[model.between]
@layers = "spacy.mean_max_reducer.v1"
hidden_size = 64

[instances]
@misc = "spacy-hitl.MentionPairs.v1"
max_distance = 40
"""


def make_hitl_relations(
    nlp: Language,
    name: str,
    model: RelationsModel,
    instances: InstanceGenerator,
    threshold: float,
    seen_pairs: bool,
) -> RelationExtractor:
    """Make a relation component: directed relations between the mentions in doc.ents.

    nlp (Language): The pipeline.
    name (str): Name of the component.
    model (Model): From `@architectures`; see `spacy-hitl.Relations.v1`.
    instances (InstanceGenerator): From `@misc`: chooses the pairs of a document; see
        `spacy-hitl.MentionPairs.v1`.
    threshold (float): Lowest probability at which a relation holds, 0 to 1.
    seen_pairs (bool): Look only at pairs of entity labels that were related in training.
    RETURNS (RelationExtractor): The component.
    """
    return RelationExtractor(
        nlp.vocab, model, name, instances=instances, threshold=threshold, seen_pairs=seen_pairs
    )


Language.factory(
    "hitl_relations",
    requires=["doc.ents"],
    assigns=["doc._.rel"],
    default_config={
        **Config().from_str(DEFAULT_CONFIG),
        "threshold": 0.5,
        "seen_pairs": False,
    },
    default_score_weights={
        "rel_micro_f": 1.0,
        "rel_micro_p": 0.0,
        "rel_micro_r": 0.0,
        "rel_f_per_type": None,
    },
    func=make_hitl_relations,
)
