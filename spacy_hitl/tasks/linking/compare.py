"""Links against links, end to end: the mention's exact offsets and the id must be right."""

from typing import Dict

from ...records import NIL, Annotation, Counts
from ..spans import count_sets


def compare_links(gold: Annotation, predicted: Annotation) -> Dict[str, Counts]:
    """Count hits and errors per catalog id; NIL counts like an id."""
    wanted = {(s.start, s.end, s.kb_id or NIL) for s in gold.spans}
    found = {(s.start, s.end, s.kb_id or NIL) for s in predicted.spans}
    return count_sets(wanted, found)
