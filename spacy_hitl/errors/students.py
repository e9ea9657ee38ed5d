"""300: distill, 400: evaluate, 500: promote, 600: apply."""

from .catalogue import Catalogue


class StudentErrors(metaclass=Catalogue):
    """300: distill, 400: evaluate, 500: promote, 600: apply."""

    # 300: distill
    H300 = (
        "Nothing to train '{task}' on in '{path}': no {what} in lane '{lane}'. Import decisions "
        "or annotate first, then export again."
    )
    H301 = "'{path}' holds rows of lane 'gold' ({where}). Export it again with 'spacy hitl export'."
    H302 = "'{path}' was exported for task '{found}', the config asks for '{task}'."
    H303 = "The pipeline has no component '{name}'. Its components are: {pipeline}."
    H304 = "Distilling from '{config}' failed: {detail}"
    H306 = "'{name}' has the labels {found}, the corpus has {known}: labels and order must agree."

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
