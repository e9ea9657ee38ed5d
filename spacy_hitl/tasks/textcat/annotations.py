"""Categories on the Doc: 1.0 for what holds, 0.0 for the task's other labels."""

from typing import Sequence

from spacy.tokens import Doc

from ...records import Annotation, CategoryAnnotation


def set_categories(doc: Doc, annotation: Annotation, labels: Sequence[str]) -> None:
    """Write the task's labels to doc.cats; labels of other components stay."""
    holds = {c.label for c in annotation.cats}
    doc.cats.update({label: float(label in holds) for label in labels})


def get_categories(
    doc: Doc, labels: Sequence[str], *, exclusive: bool, threshold: float
) -> Annotation:
    """Read the categories that hold.

    doc (Doc): Annotated by a prompted or a trained component.
    labels (Sequence[str]): The labels of the task.
    exclusive (bool): If set, the label with the highest score holds, else all at or above the
        threshold.
    threshold (float): Lowest score at which a label holds.
    RETURNS (Annotation): The labels that hold, in the order of `labels`.
    """
    scores = {label: doc.cats[label] for label in labels if label in doc.cats}
    if exclusive:
        best = max(scores, key=lambda label: scores[label], default=None)
        holds = {best} if best is not None and scores[best] > 0 else set()
    else:
        holds = {label for label, score in scores.items() if score >= threshold}
    return Annotation(cats=tuple(CategoryAnnotation(label) for label in labels if label in holds))
