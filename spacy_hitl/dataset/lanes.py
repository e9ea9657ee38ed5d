"""Which lane a text belongs to: drawn from the text alone, so that near-duplicates share it."""

import hashlib
import unicodedata

from ..records import DEV, GOLD, TRAIN


def normalise(text: str) -> str:
    """Reduce a text to what near-duplicates have in common.

    text (str): Any text.
    RETURNS (str): Letters and digits only, case folded, in compatibility normal form; the text
        itself if nothing would be left (emoji, punctuation).

    >>> normalise("Nebula  PRO, again!") == normalise("nebula pro again")
    True
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    # Folding takes some letters apart; upper and lower case must end up the same.
    folded = unicodedata.normalize("NFKC", folded)
    return "".join(c for c in folded if c.isalnum()) or text


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
