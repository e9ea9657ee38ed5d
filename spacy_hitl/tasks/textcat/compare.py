"""Categories against categories."""

from typing import Dict

from ...records import Annotation, Counts
from ..spans import count_sets


def compare_categories(gold: Annotation, predicted: Annotation) -> Dict[str, Counts]:
    """Count hits and errors per label for one text."""
    return count_sets({(c.label,) for c in gold.cats}, {(c.label,) for c in predicted.cats})
