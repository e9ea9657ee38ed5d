"""One pipeline from trained parts: each brings its components, and nothing else of its training."""

from typing import Any, Dict, Sequence, Tuple

import spacy
from spacy.language import Language

from ..errors import Errors, InputError


def compose(parts: Sequence[Tuple[str, Language]]) -> Language:
    """Put the components of several pipelines into a new one.

    parts (Sequence[Tuple[str, Language]]): Name (for errors) and pipeline of each part, in order.
        Listeners of a part are replaced by their own copy of its tok2vec.
    RETURNS (Language): A pipeline whose corpora, training and initialize settings are spaCy's
        defaults. It shares the parts' component objects: save and load it to use it.
    RAISES (InputError): If two parts have different components of the same name.
    """
    first: Any = parts[0][1]
    nlp: Language = spacy.blank(first.lang)
    tokenizer: Any = nlp.tokenizer
    tokenizer.from_bytes(first.tokenizer.to_bytes())
    owner: Dict[str, str] = {}
    for path, part in parts:
        _replace_listeners(part)
        for name in part.pipe_names:
            if part.get_pipe_meta(name).factory == "tok2vec":
                continue  # every listener has its own copy by now
            if name in nlp.pipe_names:
                if _is_same_rule(nlp, part, name):
                    continue
                raise InputError(Errors.H504.format(first=owner[name], second=path, name=name))
            nlp.add_pipe(name, source=part)
            owner[name] = path
    return nlp


def _replace_listeners(nlp: Language) -> None:
    for upstream in nlp.pipe_names:
        pipe = nlp.get_pipe(upstream)
        listeners = getattr(pipe, "listening_components", [])
        for name in list(listeners):
            nlp.replace_listeners(upstream, name, ["model.tok2vec"])


def _is_same_rule(nlp: Language, part: Language, name: str) -> bool:
    """Whether both have the same rule-based helper of this name (a sentencizer, say)."""
    one, other = nlp.get_pipe(name), part.get_pipe(name)
    if getattr(other, "is_trainable", False):
        return False
    if nlp.get_pipe_config(name) != part.get_pipe_config(name):
        return False
    rules = [pipe.to_bytes() for pipe in (one, other) if hasattr(pipe, "to_bytes")]
    return len(set(rules)) <= 1
