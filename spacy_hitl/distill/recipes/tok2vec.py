"""The encoder that the CPU recipes share: hashed features, then convolutions."""

from dataclasses import dataclass
from typing import Any, Dict, Tuple


@dataclass(frozen=True)
class Size:
    """How big a recipe's students are.

    width, depth: of the encoder. hidden: units of the layer above it. rows: of the tables of NORM,
    PREFIX, SUFFIX and SHAPE.
    """

    width: int
    depth: int
    hidden: int
    rows: Tuple[int, int, int, int] = (5000, 1000, 2500, 2500)


def tok2vec(size: Size) -> Dict[str, Any]:
    """RETURNS (Dict[str, Any]): Config of a spacy.Tok2Vec.v2."""
    return {
        "@architectures": "spacy.Tok2Vec.v2",
        "embed": {
            "@architectures": "spacy.MultiHashEmbed.v2",
            "width": size.width,
            "attrs": ["NORM", "PREFIX", "SUFFIX", "SHAPE"],
            "rows": list(size.rows),
            "include_static_vectors": False,
        },
        "encode": {
            "@architectures": "spacy.MaxoutWindowEncoder.v2",
            "width": size.width,
            "depth": size.depth,
            "window_size": 1,
            "maxout_pieces": 3,
        },
    }
