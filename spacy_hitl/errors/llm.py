"""100: annotate, tasks and models."""

from .catalogue import Catalogue


class ModelErrors(metaclass=Catalogue):
    """100: annotate, tasks and models."""

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
