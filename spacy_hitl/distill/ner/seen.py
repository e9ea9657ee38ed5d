"""What was seen is known: names of the training texts, as patterns of spaCy's `entity_ruler`.

A student of a few hundred texts finds most names again that it has seen, and misses some. A list of
them misses none, but takes every "gap" for the shop. So a form counts as known where it mostly was
an entity: its share of all its places in the training texts is measured, and only forms above a
share become patterns.
"""

from collections import Counter
from typing import Any, Dict, Iterable, Iterator, List, Tuple

from spacy.language import Language
from spacy.tokens import Doc

Form = Tuple[str, ...]


def seen_patterns(docs: Iterable[Doc], *, min_share: float) -> List[Dict[str, Any]]:
    """Make patterns of annotated entities.

    docs (Iterable[Doc]): Training texts with their entities.
    min_share (float): Least share of a form's places in which it is an entity with its most
        frequent label, 0 to 1. Case does not count.
    RETURNS (List[Dict[str, Any]]): `label` and `pattern` (a string), for an entity_ruler with
        phrase_matcher_attr = "LOWER"; sorted.
    """
    docs = list(docs)
    labels: Dict[Form, Counter[str]] = {}
    texts: Dict[Form, str] = {}
    for doc in docs:
        for ent in doc.ents:
            form = tuple(token.lower_ for token in ent)
            labels.setdefault(form, Counter())[ent.label_] += 1
            texts[form] = ent.text.lower()
    places = _count(docs, labels)
    found = []
    for form, counts in labels.items():
        label, count = min(counts.items(), key=lambda item: (-item[1], item[0]))
        if count >= min_share * places[form]:
            found.append({"label": label, "pattern": texts[form]})
    return sorted(found, key=lambda pattern: (pattern["label"], pattern["pattern"]))


def _count(docs: Iterable[Doc], forms: Iterable[Form]) -> "Counter[Form]":
    """RETURNS (Counter[Form]): In how many places each form stands, as an entity or not."""
    wanted = set(forms)
    lengths = sorted({len(form) for form in wanted})
    places: Counter[Form] = Counter()
    for doc in docs:
        words = [token.lower_ for token in doc]
        places.update(form for form in _stretches(words, lengths) if form in wanted)
    return places


def _stretches(words: List[str], lengths: List[int]) -> Iterator[Form]:
    for length in lengths:
        for start in range(len(words) - length + 1):
            yield tuple(words[start : start + length])


def fill_ruler(nlp: Language, name: str, patterns: List[Dict[str, Any]]) -> None:
    """Replace the patterns of an entity_ruler.

    nlp (Language): The pipeline.
    name (str): Of the entity_ruler.
    patterns (List[Dict[str, Any]]): See `seen_patterns`.
    """
    ruler: Any = nlp.get_pipe(name)
    ruler.clear()
    ruler.add_patterns(patterns)
