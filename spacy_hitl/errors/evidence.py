"""400: evaluate, 500: promote."""

from .catalogue import Catalogue


class EvidenceErrors(metaclass=Catalogue):
    """400: evaluate, 500: promote."""

    # 400: evaluate
    H400 = (
        "No gold decisions for task '{task}' in '{path}'. Review texts of the lane 'gold' (or "
        "import decisions on them) first."
    )
    H401 = "'{path}' has no component for task '{task}' (pipeline: {pipeline})."
    H402 = "'{path}' holds a row of lane '{lane}' ({where}): only gold is evaluated on."

    # 500: promote
    H500 = "No metrics for task '{task}' at '{path}'. Run: spacy hitl evaluate"
    H501 = "'{path}' is not a trained pipeline: {detail}. Run the distill step first."
    H503 = "'{path}' exists and is not a link made by promote. Move it away first."
    H504 = "Components of '{first}' and '{second}' are both called '{name}'. Rename one."
    H505 = "'{path}' was measured on another component than the one in '{trained}'. {remedy}"
    H506 = (
        "'{first}' and '{second}' look words up in different vectors, and a pipeline has one "
        "table. Train both with the same [initialize] vectors."
    )
