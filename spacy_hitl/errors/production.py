"""600: apply and audit."""

from .catalogue import Catalogue


class ProductionErrors(metaclass=Catalogue):
    """600: apply and audit."""

    H600 = (
        "'{path}': results can't be written in the form '{form}'. Name a folder that ends in "
        ".jsonl (records, also without an ending) or .spacy (DocBins)."
    )
    H601 = (
        "'{path}': texts can't be read from the form '{form}'. Give a file that ends in .jsonl, "
        ".csv, .tsv or .txt (one text per line)."
    )
    H602 = (
        "'{path}' is not a folder of results that 'spacy hitl apply' made. Name a folder that is "
        "not there yet."
    )
    H603 = (
        "'{path}' holds results of another run: {what}. Name another folder, or start anew with "
        "--overwrite (the results in it are removed)."
    )
    H604 = (
        "'{value}' is no share of texts. Give a percentage or a number above 0 and up to 1, for "
        "example 0.5% or 0.005."
    )
    H605 = "A share to audit needs a dataset to put the texts in: name its config with --config."
    H606 = (
        "No component of '{path}' ({pipeline}) is a task of '{config}' ({tasks}): there is nothing "
        "that people could check."
    )
    H607 = "'{path}' is neither a folder of a pipeline nor an installed one: {detail}"
    H608 = "'{path}' has no column '{field}'. Its columns: {columns}. Set --{option}."
    H609 = "'{path}' changed while it was read. Run the command again once it stays as it is."
    H610 = "Another run is writing to '{path}'. Wait for it to end, or name another folder."
