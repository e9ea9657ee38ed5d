"""Which lane a text belongs to: drawn from the text alone, so that near-duplicates share it."""

import hashlib

from ..records import DEV, GOLD, TRAIN
from ..tasks.similarity import normalise


def normal_digest(text: str) -> str:
    """RETURNS (str): Digest of the normalised text, 64 hexadecimal digits."""
    return hashlib.sha256(normalise(text).encode("utf8", "surrogatepass")).hexdigest()


def draw_lane(normal: str, *, gold: float, dev: float, salt: str) -> str:
    """Draw a lane from the digest of a normalised text.

    normal (str): Digest of the normalised text.
    gold (float): Share of texts in lane gold, 0 to 1.
    dev (float): Share of texts in lane dev, 0 to 1.
    salt (str): Makes the draw independent of other projects.
    RETURNS (str): "gold", "dev" or "train"; always the same for the same input.
    """
    value = hashlib.sha256(f"{salt}:{normal}".encode()).digest()
    point = int.from_bytes(value[:8], "big") / 2**64
    if point < gold:
        return GOLD
    return DEV if point < gold + dev else TRAIN


def is_audited(normal: str, *, share: float, salt: str) -> bool:
    """Draw a text of production for people to check, whatever was found in it.

    normal (str): Digest of the normalised text.
    share (float): Share of texts to draw, 0 to 1. A larger one draws all that a smaller one does.
    salt (str): As for the lanes; the two draws are independent.
    RETURNS (bool): Whether it is drawn; always the same for the same input.
    """
    value = hashlib.sha256(f"audit:{salt}:{normal}".encode()).digest()
    return int.from_bytes(value[:8], "big") / 2**64 < share
