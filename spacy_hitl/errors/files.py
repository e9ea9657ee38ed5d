"""000: files, lines, records and configs; 050: the dataset; 070: other tools."""

from .catalogue import Catalogue


class FileErrors(metaclass=Catalogue):
    """000: files, lines, records and configs; 050: the dataset; 070: other tools."""

    # 000: files, lines, records, configs
    H001 = "Can't find {what} at '{path}'. Check the path (current folder: '{cwd}')."
    H002 = (
        "{where}: this line is not valid JSON ({detail}). Expected one JSON object per line. "
        "Correct or remove the line and run the command again; nothing of the file was stored."
    )
    H003 = "Config '{path}' can't be used: {detail}"
    H004 = "{where}: {problem}. Correct the record and run the command again."
    H005 = (
        "{where}: the text {problem}. Texts must be non-empty Unicode without NUL characters or "
        "lone surrogates. Clean the text (or remove the line) and run the command again."
    )
    H006 = (
        "{where}: the text has {length} characters, more than the limit of {limit}. Split it "
        "into smaller texts, or raise max_chars in [hitl.data] of the config."
    )
    H007 = "Can't write '{path}': {detail}. What was there before is unchanged. {remedy}"
    H008 = (
        "{where}: field '{field}' is missing or not a string. Expected an object with at least "
        "'{id_field}' and '{text_field}'; other names can be set in [hitl.data]."
    )
    H009 = (
        "This needs the optional package '{package}', which is not installed. "
        'Install it with: pip install "spacy-hitl[{extra}]"'
    )
    H011 = (
        "Config '{path}' has no prompted component: nothing in [nlp] pipeline uses the factory "
        "'hitl_llm'. Add one, see the README for a block to copy."
    )
    H012 = "'{name}' in [hitl] of '{path}' is {problem}."
    H013 = (
        "'{path}' has no variant '{name}' (it has: {known}). A variant is a block "
        "[hitl.variants.NAME] with dotted names and their values, such as "
        '"components.product.task.guidelines" = "..."'
    )

    # 050: the dataset
    H050 = (
        "'{path}' was written by a newer version of spacy-hitl (format {found}, this version "
        "reads up to {known}). Upgrade with: pip install --upgrade spacy-hitl"
    )
    H051 = "'{path}' is not a {what} of spacy-hitl ({detail}). Nothing was changed."
    H052 = "{where}: the id '{id}' was already used at {first}. Ids must be unique in a source."
    H053 = (
        "{where}: the row '{id}' of source '{source}' is stored with a different text. Rows are "
        "never changed: give the new text a new id."
    )
    H054 = "{where}: lane '{lane}' is not one of {lanes}."
    H055 = (
        "{where}: the text of row '{id}' belongs to lane '{stored}' and can't become '{lane}': a "
        "text never changes its lane. Remove the lane from the line or leave the row out."
    )
    H056 = (
        "Lane 'gold' can't be opened here: gold texts are for evaluation only and never reach "
        "training, few-shot examples, knowledge bases or thresholds."
    )
    H057 = "No dataset at '{path}'. Run 'spacy hitl annotate' or 'spacy hitl import' first."
    H058 = "{where}: unknown {what} '{value}' for task '{task}'. Known: {known}."
    H059 = (
        "{where}: '{value}' names no stored text. Import or annotate the texts first, then their "
        "decisions."
    )
    H060 = (
        "Can't write to '{path}': {detail}. The last change was rolled back, everything stored "
        "before is intact. {remedy}"
    )
    H061 = "{where}: {problem} in the annotation of task '{task}'. {remedy}"
    H062 = "'{path}' is in use by another process ({detail}). Stop it or wait, then run again."

    # 070: exchange with other tools
    H070 = (
        "{where}: this is no {tool} record: {problem}. Expected {expected}. Correct or remove the "
        "record and run the command again; nothing of the file was stored."
    )
    H071 = (
        "'{path}' is no {tool} file that can be used: {detail}. Nothing of it was stored. Export "
        "it again, or check --format."
    )
    H072 = (
        "'{path}' has {size} MB, more than the limit of {limit} MB for one import. Split it into "
        "several files."
    )
    H073 = "Which task is '{path}' about? Name it with --task. The tasks are: {known}."
    H074 = (
        "Task '{task}' is of kind '{kind}'; --format {format} can hold tasks of the kinds {kinds}. "
        "Use 'spacy hitl export --all' instead."
    )
    H075 = "{option} can't be '{value}': {problem}."
    H076 = (
        "Nothing in '{path}' is about task '{task}'; it holds {found}. All its texts would count "
        "as decided with nothing in them, so nothing was stored. Name the right task with --task, "
        "or rename the labels to those of the task: {labels}."
    )

    # 080: a new project
    H080 = (
        "'{name}' is no name for a new project. Give ASCII letters, digits, - and _ (the folder it "
        "goes into may stand before it). A training config has a name that ends in .cfg."
    )
    H081 = (
        "'{path}' is there and is not an empty folder. Nothing was changed. Give the name of a "
        "folder that is not there yet."
    )
    H082 = "{option} is not for {wanted}, but for {other}. Leave it out, or change the name."
