"""Mentions, targets and scores of training examples: what needs no model."""

from typing import Any, Dict, Iterable, List, Optional, Sequence

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ...records import Counts
from .instances import Instances


def with_mentions(eg: Example) -> Doc:
    """Give the predicted document the mentions of its reference, unless something looked for them.

    eg (Example): The predicted document is changed in place.
    RETURNS (Doc): The predicted document.
    """
    doc: Doc = eg.predicted
    if not doc.has_annotation("ENT_IOB"):
        doc.set_ents(eg.get_aligned_spans_y2x(eg.reference.ents))
    return doc


def targets_of(
    references: Sequence[Doc], instances: Instances, labels: Sequence[str]
) -> np.ndarray:
    """Look up which pairs are related.

    references (Sequence[Doc]): Documents with doc._.rel.
    instances (Instances): Pairs of the same texts, however they are tokenised.
    labels (Sequence[str]): The relation labels.
    RETURNS (ndarray): 1 where a label holds, else 0; float32 of shape (pairs, labels).
    """
    from ...tasks.relations.annotations import get_relations, relation_key

    target = np.zeros((len(instances), len(labels)), dtype="f")
    start = 0
    for reference, pairs in zip(references, instances.pairs, strict=True):
        wanted = {relation_key(r) for r in get_relations(reference, labels).relations}
        for row, (head, tail) in enumerate(pairs if wanted else (), start=start):
            places = (head.start_char, head.end_char, tail.start_char, tail.end_char)
            for column, label in enumerate(labels):
                target[row, column] = (*places, label) in wanted
        start += len(pairs)
    return target


def entity_labels(docs: Iterable[Doc], nlp: Optional[Language]) -> List[str]:
    """RETURNS (List[str]): Labels of mentions in documents, and those of components that set them;
    not that of mentions of which only the place is known.
    """
    from ...tasks.relations.annotations import MENTION

    found = {ent.label_ for doc in docs for ent in doc.ents}
    if nlp is not None:
        for name, pipe in nlp.components:
            if "doc.ents" in nlp.get_pipe_meta(name).assigns:
                found.update(getattr(pipe, "labels", ()))
    return sorted(found - {MENTION, ""})


def related_pairs(examples: Iterable[Example], labels: Sequence[str]) -> List[List[str]]:
    """RETURNS (List[List[str]]): Entity labels of head and tail, of the pairs that are related."""
    from ...tasks.relations.annotations import get_relations

    found = set()
    for eg in examples:
        names = {(e.start_char, e.end_char): e.label_ for e in eg.predicted.ents}
        for r in get_relations(eg.reference, labels).relations:
            head, tail = (
                names.get((r.head_start, r.head_end)),
                names.get((r.tail_start, r.tail_end)),
            )
            if head is not None and tail is not None:
                found.add((head, tail))
    return [list(pair) for pair in sorted(found)]


def score_relations(examples: Iterable[Example], labels: Sequence[str]) -> Dict[str, Any]:
    """Count exact matches of head, tail and label.

    examples (Iterable[Example]): Annotated examples.
    labels (Sequence[str]): Relations with other labels are another component's.
    RETURNS (Dict[str, Any]): Micro precision, recall and F, and these by label; 0 to 1, 0 where
        there is nothing to divide by.
    """
    from ...scoring.intervals import prf, total
    from ...tasks.relations.annotations import get_relations
    from ...tasks.relations.compare import compare_relations

    sums = total(
        [
            compare_relations(
                get_relations(eg.reference, labels), get_relations(eg.predicted, labels)
            )
            for eg in examples
        ]
    )
    p, r, f = prf(sum(sums.values(), Counts()))
    per_type = {label: dict(zip("prf", prf(counts), strict=True)) for label, counts in sums.items()}
    return {"rel_micro_p": p, "rel_micro_r": r, "rel_micro_f": f, "rel_f_per_type": per_type}
