"""Relations against relations: exact offsets of head and tail, and the label."""

from typing import Dict

from ...records import Annotation, Counts
from ..spans import count_sets
from .annotations import relation_key


def compare_relations(gold: Annotation, predicted: Annotation) -> Dict[str, Counts]:
    """Count hits and errors per label for one text. The direction counts."""
    wanted = {relation_key(r) for r in gold.relations}
    return count_sets(wanted, {relation_key(r) for r in predicted.relations})
