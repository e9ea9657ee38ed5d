"""`spacy-hitl.CatalogKB.v1`: a knowledge base from a catalog and the links of the training side.

How likely a form means an entry is counted: reviewed links most, the model's links less, the
catalog's own names least. Forms are stored in the ways they may be written, since spaCy's
knowledge base compares letter by letter.
"""

import re
from collections import defaultdict
from itertools import product
from pathlib import Path
from typing import Callable, Dict, Iterable, Iterator, List, Sequence, Set, Tuple

import numpy as np
from spacy.kb import InMemoryLookupKB
from spacy.vocab import Vocab

from ...dataset.corpus import read_training_corpus
from ...records import NIL, TRAIN, TaskRow
from ...tasks.linking.catalog import CatalogEntry, read_catalog
from ..corpus.examples import select_annotation

Weights = Dict[str, float]
FormCounts = Dict[str, Weights]
Link = Tuple[str, str, float]  # form, catalog id or NIL, weight

CATALOG_WEIGHT = 0.5
MAX_WORDS = 4  # longer forms are stored in fewer ways of writing


def collect_links(rows: Sequence[TaskRow], *, reviewed_weight: float) -> List[Link]:
    """Read the links of the lane train.

    rows (Sequence[TaskRow]): Rows of a linking corpus.
    reviewed_weight (float): How much a decided link counts; a proposed one counts 1.
    RETURNS (List[Link]): Form as written, catalog id or NIL, weight.
    """
    links = []
    for row in rows:
        annotation = select_annotation(row, decisions=True, proposals=True)
        if row.lane != TRAIN or annotation is None:
            continue
        weight = 1.0 if row.decision is None else reviewed_weight
        links += [(row.text[s.start : s.end], s.kb_id or NIL, weight) for s in annotation.spans]
    return links


def count_forms(
    catalog: Dict[str, CatalogEntry], links: Iterable[Link], *, articles: Sequence[str]
) -> FormCounts:
    """RETURNS (FormCounts): Weighted ids (or NIL) by form in lower case."""
    counts: FormCounts = defaultdict(lambda: defaultdict(float))
    for entry in catalog.values():
        for form in {bare_form(f, articles).lower() for f in entry.forms}:
            counts[form][entry.id] += CATALOG_WEIGHT
    for form, id_, weight in links:
        counts[form.lower()][id_ if id_ in catalog else NIL] += weight
    return {form: dict(ids) for form, ids in counts.items()}


def add_weights(one: Weights, other: Weights) -> Weights:
    """RETURNS (Weights): The sums of both."""
    return {i: one.get(i, 0) + other.get(i, 0) for i in (*one, *(i for i in other if i not in one))}


def bare_form(form: str, articles: Sequence[str]) -> str:
    """RETURNS (str): The form without an article in front, as mentions are annotated.

    >>> bare_form("the Fold", ["the"])
    'Fold'
    """
    first, _, rest = form.strip().partition(" ")
    return rest.strip() if rest and first.lower() in articles else form.strip()


def spellings(form: str) -> Set[str]:
    """RETURNS (Set[str]): Other ways to spell a lower-case form: glued, with hyphens, plural.

    >>> sorted(spellings("orbit 2"))
    ['orbit 2', 'orbit 2s', 'orbit-2', 'orbit-2s', 'orbit2', 'orbit2s']
    """
    glued = re.sub(r"\s+(?=\d)", "", form)
    ways = {form, glued, form.replace(" ", ""), form.replace(" ", "-")}
    return ways | {way + "s" for way in ways if way[-1:].isalnum() and not way.endswith("s")}


def casings(form: str) -> Set[str]:
    """RETURNS (Set[str]): The usual ways to use upper case in a lower-case form, word by word.

    >>> sorted(casings("k10 ultra"))
    ['K10 ULTRA', 'K10 Ultra', 'K10 ultra', 'k10 Ultra', 'k10 ultra']
    """
    words = form.split(" ")
    if len(words) > MAX_WORDS:
        return {form, form.upper(), form.title()}
    ways = []
    for word in words:
        way = {word, "-".join(part.capitalize() for part in word.split("-"))}
        if len(word) <= 3 or any(c.isdigit() for c in word):
            way.add(word.upper())
        ways.append(sorted(way))
    return {" ".join(parts) for parts in product(*ways)} | {form.upper()}


def brand_forms(catalog: Dict[str, CatalogEntry], counts: FormCounts) -> Iterator[Tuple[str, str]]:
    """Carry ways of writing a brand over to all its entries: "sp orbit 2" seen, "sp nebula" too.

    catalog (Dict[str, CatalogEntry]): The catalog; the first word of a name is its brand.
    counts (FormCounts): Seen forms.
    YIELDS (Tuple[str, str]): Forms in lower case with the id they mean.
    """
    names = {i: e.name.lower().split(" ", 1) for i, e in catalog.items() if " " in e.name}
    prefixes: Dict[str, Set[str]] = defaultdict(set)
    for form, ids in counts.items():
        id_ = max(ids, key=lambda i: ids[i])
        if id_ in names and form.endswith(" " + names[id_][1]):
            prefixes[names[id_][0]].add(form[: -len(names[id_][1])])
    for id_, (brand, rest) in names.items():
        for prefix in sorted(prefixes[brand]):
            yield prefix + rest, id_


def aliases(
    catalog: Dict[str, CatalogEntry], links: Sequence[Link], *, articles: Sequence[str]
) -> FormCounts:
    """All forms to store, as written, with their weighted ids.

    catalog (Dict[str, CatalogEntry]): The catalog.
    links (Sequence[Link]): Links of the training side.
    articles (Sequence[str]): Words in front of a name that mentions don't include, lower case.
    RETURNS (FormCounts): Sorted by form. A seen form always keeps its own counts; forms that
        mean only NIL are left out, which means NIL.
    """
    counts = count_forms(catalog, links, articles=articles)
    for form, id_ in brand_forms(catalog, dict(counts)):
        counts.setdefault(form, {id_: CATALOG_WEIGHT})
    unseen: FormCounts = {}
    for form, ids in counts.items():
        for other in spellings(form) - set(counts):
            unseen[other] = add_weights(unseen.get(other, {}), ids)
    counts.update(unseen)
    written = {way: ids for form, ids in counts.items() for way in casings(form)}
    for form, _, _ in links:
        written[form] = counts[form.lower()]
    for entry in catalog.values():
        for form in entry.forms:
            bare = bare_form(form, articles)
            written[bare] = counts[bare.lower()]
    return {form: written[form] for form in sorted(written) if set(written[form]) != {NIL}}


def build_kb(
    vocab: Vocab,
    catalog: Dict[str, CatalogEntry],
    forms: FormCounts,
    *,
    vector_length: int,
    seed: int,
) -> InMemoryLookupKB:
    """Make the knowledge base.

    vocab (Vocab): Of the pipeline.
    catalog (Dict[str, CatalogEntry]): The entities; NIL is one more, so that a known form can
        mean nothing of the catalog.
    forms (FormCounts): Weighted ids by form as written.
    vector_length (int): Length of the entity vectors, as the component's entity_vector_length.
    seed (int): Of the random unit vectors: zero vectors would learn nothing.
    RETURNS (InMemoryLookupKB): The prior of an id is its share of its form's weight.
    """
    kb = InMemoryLookupKB(vocab, entity_vector_length=vector_length)
    ids = [*catalog, NIL]
    vectors = np.random.default_rng(seed).normal(size=(len(ids), vector_length))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    frequency: Weights = {}
    for counts in forms.values():
        frequency = add_weights(frequency, counts)
    kb.set_entities(
        ids, [max(1, round(frequency.get(i, 0))) for i in ids], vectors.astype("float32")
    )
    for form, counts in forms.items():
        # A hair below the share: sums of floats above 1 are refused (E133).
        whole = sum(counts.values()) / 0.9999
        kb.add_alias(form, list(counts), [n / whole for n in counts.values()])
    return kb


def make_catalog_kb(
    catalog: Path,
    path: Path,
    task: str,
    vector_length: int = 64,
    reviewed_weight: float = 5.0,
    articles: Sequence[str] = ("the", "a", "an"),
    seed: int = 0,
) -> Callable[[Vocab], InMemoryLookupKB]:
    """Make a loader for `[initialize.components.NAME.kb_loader]` of an entity linker.

    catalog (Path): JSONL with id, name and aliases of each entry.
    path (Path): Linking corpus written by `spacy hitl export`; only its lane train is read.
    task (str): Name of the linking task.
    vector_length (int): The component's entity_vector_length.
    reviewed_weight (float): How many proposed links one decided link outweighs.
    articles (Sequence[str]): Words in front of a catalog name that mentions don't include.
    seed (int): Of the entity vectors.
    RETURNS (Callable[[Vocab], InMemoryLookupKB]): The loader. Files are read when it is called.
    """

    def load(vocab: Vocab) -> InMemoryLookupKB:
        entries = read_catalog(Path(catalog))
        _, rows = read_training_corpus(Path(path), task)
        links = collect_links(rows, reviewed_weight=reviewed_weight)
        forms = aliases(entries, links, articles=articles)
        return build_kb(vocab, entries, forms, vector_length=vector_length, seed=seed)

    return load
