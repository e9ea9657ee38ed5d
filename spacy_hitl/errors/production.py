"""600: apply and audit."""

from .catalogue import Catalogue


class ProductionErrors(metaclass=Catalogue):
    """600: apply and audit."""

    H600 = (
        "'{path}': results can't be written in the form '{form}'. Name a folder that ends in "
        ".jsonl (records, also without an ending), .parquet (columns) or .spacy (DocBins), or the "
        "URL of a database."
    )
    H601 = (
        "'{path}': texts can't be read from the form '{form}'. Give a file that ends in .jsonl, "
        ".csv, .tsv, .txt (one text per line), .parquet or .spacy (a DocBin), or the URL of a "
        "database and a --query."
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
    H611 = (
        "'{url}' is no database that results can go to or texts come from: {detail}. Give "
        "sqlite:///FILE or postgresql://USER@HOST/DATABASE."
    )
    H612 = (
        "The database '{url}' can't be used: {detail}. Put that right and run the command again: "
        "it goes on after what was written."
    )
    H613 = (
        "'{url}' was written by another release (its tables have version {found}, this release "
        "writes {known}). Upgrade with: pip install --upgrade spacy-hitl"
    )
    H614 = (
        "'{url}' holds tables that are not from 'spacy hitl apply' and have the same names: "
        "{tables}. Name another database, or in PostgreSQL another schema: "
        "?options=-csearch_path%3DNAME"
    )
    H615 = (
        "Another run over the same source with the same pipeline began in '{url}' and takes the "
        "place of this one, which ends here."
    )
    H616 = (
        "'{texts}': a database needs a query, and a query a database. Give the URL of one as TEXTS "
        "and a SELECT with --query."
    )
    H617 = (
        "The query to '{url}' gives no rows: write a SELECT with a column for the id and one for "
        "the text."
    )
    H618 = (
        "The sink '{name}' can't be used: {detail}. Expected for --sink: the name under which "
        "@spacy.registry.misc registers a function that makes one, in the file that --code names; "
        "and a folder as OUT."
    )
    H630 = (
        "[hitl.business] '{name}' can't be made: {detail} If it is your own, name the file that "
        "registers it with --code."
    )
    H631 = "Business logic '{name}' failed on this row: {detail}"
    H632 = (
        "Business logic '{name}' gave {problem}. Expected: a list of flat records, field names to "
        "str, int, float, bool or None."
    )
    H640 = "'{value}' is no engine. Expected for --engine: local or ray."
    H641 = (
        "A worker of Ray can't do this job: {detail}. Every machine of the cluster needs the same "
        "version of spacy-hitl, and the same files under the same paths: a shared file system."
    )
    H642 = (
        "No worker of Ray ({address}) started within {seconds:g} s. See with 'ray status' what "
        "holds its CPUs, then run again: what is done stays."
    )
    H643 = (
        "Ray can't be started or reached at {address}: {detail}. --ray-address expects HOST:PORT "
        "of the head of a running cluster, or auto on one of its machines; without it, a Ray is "
        "started here."
    )
    H644 = "The address of a Ray cluster ({address}) is of no use without --engine ray."
