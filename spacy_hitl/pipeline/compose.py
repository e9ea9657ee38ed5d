"""One pipeline from trained parts: each brings its components, and nothing else of its training."""

import warnings
from typing import Any, Dict, Sequence, Tuple

import spacy
from spacy.language import Language

from ..errors import Errors, InputError
from .sharing import share

Parts = Sequence[Tuple[str, Language]]


def compose(parts: Parts) -> Language:
    """Put the components of several pipelines into a new one.

    parts (Sequence[Tuple[str, Language]]): Name (for errors) and pipeline of each part, in order.
        Components that listen to the same tok2vec, byte for byte, go on listening to it: it stands
        before the first of them. Other listeners are replaced by their own copy.
    RETURNS (Language): A pipeline whose corpora, training and initialize settings are spaCy's
        defaults. It shares the parts' component objects: save and load it to use it.
    RAISES (InputError): If two parts have different components of the same name, or need different
        word vectors.
    """
    first: Any = parts[0][1]
    nlp: Language = spacy.blank(first.lang)
    tokenizer: Any = nlp.tokenizer
    tokenizer.from_bytes(first.tokenizer.to_bytes())
    _take_vectors(nlp, parts)
    names = share([part for _, part in parts])
    owner: Dict[str, str] = {}
    for (path, part), bases in zip(parts, names, strict=True):
        for name in part.pipe_names:
            new = bases.get(name, name)
            if new is None:
                continue  # every listener has its own copy by now
            if new in nlp.pipe_names:
                if name in bases or _is_same_rule(nlp, part, name):
                    continue
                raise InputError(Errors.H504.format(first=owner[name], second=path, name=name))
            with warnings.catch_warnings():  # the vectors that are needed are there already
                warnings.filterwarnings("ignore", message=r"\[W113\]")
                nlp.add_pipe(name, name=new, source=part)
            owner[new] = path
    return nlp


def _take_vectors(nlp: Language, parts: Parts) -> None:
    """Word vectors that some model looks up come along; there can be one table."""
    owner = ""
    for path, part in parts:
        if not _reads_vectors(part):
            continue
        if owner and nlp.vocab.vectors != part.vocab.vectors:
            raise InputError(Errors.H506.format(first=owner, second=path))
        nlp.vocab.vectors = part.vocab.vectors
        owner = owner or path


def _reads_vectors(nlp: Language) -> bool:
    models: Any = (getattr(pipe, "model", None) for _, pipe in nlp.pipeline)
    nodes = (node for model in models if hasattr(model, "walk") for node in model.walk())
    return any(node.name == "static_vectors" for node in nodes)


def _is_same_rule(nlp: Language, part: Language, name: str) -> bool:
    """Whether both have the same rule-based helper of this name (a sentencizer, say)."""
    one, other = nlp.get_pipe(name), part.get_pipe(name)
    if getattr(other, "is_trainable", False):
        return False
    if nlp.get_pipe_config(name) != part.get_pipe_config(name):
        return False
    marks = [getattr(pipe, "punct_chars", None) for pipe in (one, other)]
    if None not in marks:  # of a sentencizer; its bytes are in the order of a set
        return marks[0] == marks[1]
    rules = [pipe.to_bytes() for pipe in (one, other) if hasattr(pipe, "to_bytes")]
    return len(set(rules)) <= 1
