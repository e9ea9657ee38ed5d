"""Every error a user can meet, with a code, and the exceptions that carry them.

    HitlError               base class; never raised itself
    |- InputError           what was given cannot be used: a file, a line, a label, a config
    |- StateError           what was stored cannot be used: newer version, locked, disk full
    '- ModelError           the model that answers cannot be used at all: stop asking
       '- BudgetReached     the money set aside for it is spent

A message says what came, what was expected and what to do. Codes are grouped by hundreds:
000 files and records, 050 dataset, 100 annotate, 200 review, 300 distill, 400 evaluate,
500 promote, 600 apply.
"""

import re
from typing import Any


class _Catalogue(type):
    """Prefix every message with its code."""

    def __getattribute__(cls, name: str) -> Any:
        value = super().__getattribute__(name)
        return f"[{name}] {value}" if re.fullmatch(r"[HW]\d{3}", name) else value


class Errors(metaclass=_Catalogue):
    """Messages of the exceptions below."""

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

    # 100: annotate, tasks and models
    H100 = (
        "Component '{name}' has no {block}. Add a block [components.{name}.{block}], for example "
        "{example}."
    )
    H101 = "Task '{kind}' needs {what}. {remedy}"
    H102 = (
        "Labels, definitions and guidelines can't hold the line '{marker}': it marks the text "
        "in the prompt."
    )
    H103 = "The model failed on this text: {detail}"
    H104 = "The model of component '{name}' gave {found} answers to {expected} requests."
    H105 = (
        "No recorded answer in '{path}' for this text (digest {digest}...), task '{task}', sample "
        "{sample}. The replay model answers only what was recorded; put a real model into "
        "the component's model block to annotate new texts."
    )
    H106 = (
        "The prompt holds no text between the markers '<text>' and '</text>': the replay model "
        "answers only prompts of spacy-hitl tasks."
    )
    H107 = "{where}: catalog entry {problem}. Expected an object with 'id', 'name', 'aliases'."
    H108 = (
        "The prompt for this text could not be built: {detail}. The document is marked as failed."
    )
    H109 = (
        "The replay model in spacy-llm's own 'llm' component does not know the task: set "
        "task = \"NAME\" in its model block (recorded in '{path}': {known})."
    )
    H110 = (
        "The server at {address} refused the key: {detail}. Set the environment variable {env} "
        "to a key that may use this model."
    )
    H111 = (
        "The server at {address} does not know the model '{name}': {detail}. Check `name` in the "
        "model block, and that `base_url` ends in /v1 (or what your server uses)."
    )
    H112 = (
        "The account at {address} has no quota left: {detail}. Answers so far are stored; run the "
        "same command again when there is some."
    )
    H113 = (
        "There is no model '{name}' here: {detail}. Give a folder (current folder: '{cwd}') or a "
        "name in the local Hugging Face cache; with local_files_only = false it is downloaded."
    )
    H114 = (
        "'{name}' is not a model that can answer: {detail}. Expected a folder as save_pretrained "
        "writes it: config.json, weights and tokenizer of a causal language model."
    )
    H115 = (
        "Out of memory on '{device}' with '{name}': {detail}. {remedy}, and run the same command "
        "again; answers so far are stored."
    )
    H116 = (
        "The prompt for this text has {found} tokens; with max_new_tokens = {new} that is more "
        "than the {limit} that '{name}' takes. Lower max_new_tokens or split the text."
    )
    H117 = (
        'Can\'t use the device \'{device}\': {detail}. Set device to "cpu" or "cuda" in the model '
        "block, or leave it out."
    )
    H118 = (
        "Answers of '{name}' can't be held to the task's JSON schema: {detail}. Set "
        "structured = false in the model block; answers are checked anyway."
    )
    H119 = (
        "doc._.rel holds {found}, expected the objects that spacy-hitl.Relations.v1 writes. "
        "Another component of the pipeline uses the same attribute: remove one of the two."
    )
    H130 = "'{path}' has no prompted component '{task}'. Its prompted components are: {known}."
    H131 = (
        "No text of task '{task}' in the lanes {lanes} has both a decision and an answer of "
        "'{source}' to the task as it is now. Annotate, then review (or import decisions), and run "
        "this again."
    )
    H132 = (
        "No annotation of task '{task}' has a score: it takes two answers to the same question, "
        "or log-probabilities. Run 'spacy hitl annotate' with --samples 3 (and a temperature "
        "above 0 for the model), or set logprobs = true in its model block."
    )
    H140 = (
        "The next request could go over the limit of {limit} ({spent} spent). All answers so far "
        "are stored; run the command again with a higher --max-cost to go on."
    )
    H141 = (
        "There is no price for the model '{model}' (known: {known}). Add one to [hitl.prices] in "
        'the config, in money per million tokens: {model} = {{"input": 1.0, "output": 4.0}}'
    )
    H142 = "Which texts? Give a JSONL file after the config (only --check does without)."
    H143 = (
        "No stored answer of '{model}' for this text (digest {digest}...): --reparse asks nothing."
    )
    H120 = "[hitl.privacy] can't mask '{name}': it {problem}."
    H121 = (
        "local_only is set in [hitl.privacy], but the model asks {address}: {problem}. Give "
        "base_url as localhost or as the IP address of a machine in your own network."
    )
    H122 = (
        "local_only is set in [hitl.privacy], but nobody knows where the model {model} of "
        "'{name}' sends texts. Use spacy-hitl.OpenAI.v1 with a local base_url; a model class of "
        "your own says so with `base_url`, or with `local = True` if it sends nothing."
    )
    H123 = (
        "local_only is set in [hitl.privacy], but the environment sends requests for {address} "
        "through the proxy {proxy}. Set NO_PROXY={host}"
    )
    H124 = (
        "api_key_env must be the name of an environment variable, letters, digits and _ only. "
        "What was given is none (and is not shown, in case it is the key itself)."
    )

    H125 = (
        "The task '{name}' ({kind}) can't be a part of a joint prompt: {problem}. Leave it out and "
        "give it a component of its own."
    )
    H126 = (
        "Two prompted tasks are called '{name}'. A part of a joint task counts like a component of "
        "that name: rename one."
    )
    H127 = (
        "The server at {address} sends the request on to {target} ({status}). Redirects are not "
        "followed: text and key would go to an address that nobody has checked. If it is the right "
        "one, set base_url to it, up to and including /v1."
    )

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


class Warnings(metaclass=_Catalogue):
    """Messages of warnings."""

    W101 = (
        "The server refuses the parameter '{parameter}' for '{name}' ({detail}); it is left out "
        "from now on."
    )
    W100 = "{count} of {total} documents failed in component '{name}' and are marked: {first}"


class HitlError(Exception):
    """Base class: shown to the user as it is, without a traceback, by every command."""


class InputError(HitlError):
    """What was given can't be used. Raised before anything of it was stored."""


class StateError(HitlError):
    """What was stored can't be used or written. The stored data is as it was before."""


class ModelError(HitlError):
    """The model can't answer any request (file missing, not allowed). Stops the run."""


class BudgetReached(ModelError):
    """The next request could cost more than is left. What is under way is finished and stored."""
