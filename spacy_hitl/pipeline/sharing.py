"""A base: a component that others listen to, instead of each reading the text for itself."""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from typing import Any, Container, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from spacy.language import Language
from spacy.ty import ListenedToComponent
from spacy.util import set_dot_to_object


@dataclass(frozen=True)
class Base:
    """A base in one pipeline.

    name: of the component. digest: of its architecture and its weights, whatever its name.
    listeners: names of the components that listen to it.
    """

    name: str
    digest: str
    listeners: Tuple[str, ...]


def share(parts: Sequence[Language]) -> List[Dict[str, Optional[str]]]:
    """Prepare pipelines to stand in one: what several components listen to is kept, once.

    There can be one such base only: what it makes of a text is stored in one place, `doc.tensor`.
    All other listeners get their own copy of what they listen to.

    parts (Sequence[Language]): Pipelines, changed in place.
    RETURNS (List[Dict[str, Optional[str]]]): For each, what its bases are called in the common
        pipeline; None for those that nothing listens to any more.
    """
    found = [find_bases(nlp) for nlp in parts]
    shared = shared_digest(found)
    kept = [base.name for bases in found for base in bases if base.digest == shared]
    others = [
        set(nlp.pipe_names) - {base.name for base in bases}
        for nlp, bases in zip(parts, found, strict=True)
    ]
    new = free_name(kept[0], set().union(*others)) if kept else None
    names: List[Dict[str, Optional[str]]] = []
    for nlp, bases in zip(parts, found, strict=True):
        for base in bases:
            if base.digest != shared:
                replace_listeners(nlp, base)
            elif new is not None:
                rename_upstream(nlp, base, new)
        names.append({base.name: new if base.digest == shared else None for base in bases})
    return names


def find_bases(nlp: Language) -> List[Base]:
    """RETURNS (List[Base]): What is or could be listened to in a pipeline, in its order."""
    nlp._link_components()
    found: List[Base] = []
    component: Any
    for name, component in nlp.pipeline:
        pipe = component if isinstance(component, ListenedToComponent) else None
        if pipe is None:
            continue
        if pipe.listening_components or nlp.get_pipe_meta(name).factory == "tok2vec":
            config = json.dumps(nlp.get_pipe_config(name)["model"], sort_keys=True)
            state = config.encode("utf8") + pipe.model.to_bytes()
            digest = hashlib.sha256(state).hexdigest()
            found.append(Base(name, digest, tuple(pipe.listening_components)))
    return found


def shared_digest(parts: Sequence[Sequence[Base]]) -> Optional[str]:
    """Choose the base that is worth standing in a pipeline once, for all.

    parts (Sequence[Sequence[Base]]): The bases of each part.
    RETURNS (Optional[str]): Digest of the one with the most listeners, the first of equals; None if
        no base has more than one.

    >>> shared_digest([[Base("tok2vec", "a", ("x",))], [Base("base", "a", ("y",))]])
    'a'
    >>> shared_digest([[Base("tok2vec", "a", ("x",))], [Base("tok2vec", "b", ("y",))]])
    """
    heard: Counter[str] = Counter()
    for bases in parts:
        for base in bases:
            heard[base.digest] += len(base.listeners)
    best = heard.most_common(1)
    return best[0][0] if best and best[0][1] > 1 else None


def free_name(wanted: str, taken: Container[str]) -> str:
    """RETURNS (str): The name that is wanted, with "_base" behind it where it is taken.

    >>> free_name("tok2vec", ["tok2vec", "tok2vec_base"])
    'tok2vec_base_base'
    """
    return free_name(f"{wanted}_base", taken) if wanted in taken else wanted


def rename_upstream(nlp: Language, base: Base, name: str) -> None:
    """Make the listeners of a base listen to it under another name, in models and in the config."""
    for listener in base.listeners:
        pipe: Any = nlp.get_pipe(listener)
        for node in pipe.model.walk():
            if getattr(node, "upstream_name", None) in ("*", base.name):
                node.upstream_name = name
        for path in _listener_paths(nlp.get_pipe_config(listener), base.name):
            set_dot_to_object(nlp._pipe_configs[listener], f"{path}.upstream", name)


def replace_listeners(nlp: Language, base: Base) -> None:
    """Give every listener of a base its own copy."""
    for listener in base.listeners:
        paths = list(_listener_paths(nlp.get_pipe_config(listener), base.name))
        nlp.replace_listeners(base.name, listener, paths)


def _listener_paths(config: Mapping[str, Any], upstream: str, at: str = "") -> Iterator[str]:
    """YIELDS (str): Where in a component's config layers listen to a base: "model.tok2vec"."""
    for key, value in config.items():
        if isinstance(value, Mapping):
            path = f"{at}.{key}" if at else key
            if "@architectures" in value and value.get("upstream") in ("*", upstream):
                yield path
            else:
                yield from _listener_paths(value, upstream, path)
