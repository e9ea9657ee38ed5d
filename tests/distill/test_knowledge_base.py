"""The knowledge base: priors from counts, reviewed before proposed, forms as people write them."""

from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest
import srsly
from hypothesis import given
from hypothesis import strategies as st
from spacy.vocab import Vocab

from spacy_hitl.dataset.corpus import write_corpus
from spacy_hitl.distill.linking.knowledge_base import (
    aliases,
    bare_form,
    build_kb,
    casings,
    collect_links,
    make_catalog_kb,
    spellings,
)
from spacy_hitl.io import text_digest
from spacy_hitl.records import NIL, Annotation, Proposal, SpanAnnotation, TaskHeader, TaskRow
from spacy_hitl.tasks.linking.catalog import CatalogEntry

CATALOG = {
    "NEB": CatalogEntry("NEB", "SpacePhone Nebula", ("Nebula", "the nebula")),
    "ORB": CatalogEntry("ORB", "SpacePhone Orbit 2", ("Orbit 2",)),
    "PRO": CatalogEntry("PRO", "Kestrel Pro", ("the Pro",)),
}
ARTICLES = ("the", "a", "an")
HEADER = TaskHeader("link", "linking", tuple(CATALOG), "digest")


def row(
    form: str,
    decided: Optional[str] = None,
    proposed: Optional[str] = None,
    *,
    lane: str = "train",
    status: str = "ok",
) -> TaskRow:
    def annotate(kb_id: str) -> Annotation:
        return Annotation(spans=(SpanAnnotation(2, 2 + len(form), kb_id=kb_id),))

    text = f"x {form} y {decided} {proposed} {status}"
    proposal = None
    if proposed is not None:
        proposal = Proposal("d", "link", "m", status, "t", annotation=annotate(proposed))
    decision = None if decided is None else annotate(decided)
    return TaskRow(text, text_digest(text), lane, decision=decision, proposal=proposal)


def make_kb(rows: List[TaskRow], catalog: Dict[str, CatalogEntry] = CATALOG) -> Any:
    links = collect_links(rows, reviewed_weight=5.0)
    forms = aliases(catalog, links, articles=ARTICLES)
    return build_kb(Vocab(), catalog, forms, vector_length=8, seed=0)


def priors(kb: Any, form: str) -> Dict[str, float]:
    return {c.entity_: round(c.prior_prob, 3) for c in kb.get_alias_candidates(form)}


@pytest.mark.parametrize(
    "form", ["Nebula", "nebula", "NEBULA", "SpacePhone Nebula", "SPACEPHONE NEBULA", "nebulas"]
)
def test_names_are_known_as_they_may_be_written(form: str) -> None:
    assert priors(make_kb([]), form) == {"NEB": 1.0}


@pytest.mark.parametrize("form", ["orbit 2", "Orbit2", "orbit-2", "spacephone orbit2"])
def test_numbers_may_be_glued(form: str) -> None:
    assert priors(make_kb([]), form) == {"ORB": 1.0}


def test_articles_are_no_part_of_a_form() -> None:
    kb = make_kb([])
    assert priors(kb, "Pro") == {"PRO": 1.0}
    assert priors(kb, "the Pro") == priors(kb, "the nebula") == {}
    assert bare_form(" The  Pro ", ARTICLES) == "Pro"
    assert bare_form("the", ARTICLES) == "the"
    assert bare_form("Theodor X", ARTICLES) == "Theodor X"


def test_reviewed_links_outweigh_proposed_ones() -> None:
    rows = [row("it", "ORB"), *[row("it", None, "NEB", status="ok")] * 3]
    assert priors(make_kb(rows), "it") == {"ORB": 0.625, "NEB": 0.375}
    assert collect_links(rows, reviewed_weight=2.0) == [
        ("it", "ORB", 2.0),
        *[("it", "NEB", 1.0)] * 3,
    ]


def test_a_decision_replaces_the_proposal() -> None:
    assert collect_links([row("it", "ORB", "NEB")], reviewed_weight=5.0) == [("it", "ORB", 5.0)]


@pytest.mark.parametrize("status", ["refused", "malformed", "unaligned", "truncated", "failed"])
def test_unusable_proposals_teach_nothing(status: str) -> None:
    assert collect_links([row("it", None, "NEB", status=status)], reviewed_weight=5.0) == []


def test_dev_teaches_nothing() -> None:
    assert collect_links([row("it", "NEB", lane="dev")], reviewed_weight=5.0) == []


def test_nil() -> None:
    """A form that only ever means nothing is no form; one that may mean nothing says how often."""
    kb = make_kb([row("comet", NIL), row("pro", NIL)])
    assert priors(kb, "comet") == {}
    # Known as a name with weight 0.5, seen as NIL with weight 5.
    assert priors(kb, "pro") == priors(kb, "Pro") == {"PRO": 0.091, NIL: 0.909}


def test_an_id_that_left_the_catalog_is_nil() -> None:
    kb = make_kb([row("nebula", "GONE")])
    assert priors(kb, "nebula") == {"NEB": 0.091, NIL: 0.909}


def test_a_way_to_write_the_brand_is_carried_over() -> None:
    kb = make_kb([row("SP Nebula", "NEB")])
    assert priors(kb, "SP Nebula") == priors(kb, "sp nebula") == {"NEB": 1.0}
    assert priors(kb, "SP Orbit 2") == {"ORB": 1.0}
    assert priors(kb, "SP Pro") == {}  # another brand


def test_entity_vectors_are_unit_length_and_seeded() -> None:
    one, other = make_kb([]), make_kb([])
    for id_ in [*CATALOG, NIL]:
        vector = one.get_vector(id_)
        assert sum(v * v for v in vector) == pytest.approx(1, abs=1e-5)
        assert vector == other.get_vector(id_)


words = st.sampled_from(["nebula", "Nebula", "pro", "the", "2", "sp", "ﬁ", "É", "x-1", "İ"])
forms = st.lists(words, min_size=1, max_size=6).map(" ".join)
links = st.lists(st.tuples(forms, st.sampled_from([*CATALOG, NIL, "GONE"]), st.floats(0.1, 9)))
entries = st.lists(st.tuples(forms, st.lists(forms, max_size=2)), max_size=4)


@given(entries, links)
def test_priors_are_shares(catalog: Any, found: Any) -> None:
    known = {f"E{i}": CatalogEntry(f"E{i}", n, tuple(a)) for i, (n, a) in enumerate(catalog)}
    known.update(CATALOG)
    all_forms = aliases(known, found, articles=ARTICLES)
    kb = build_kb(Vocab(), known, all_forms, vector_length=2, seed=0)
    for form, weights in all_forms.items():
        stored = {c.entity_: c.prior_prob for c in kb.get_alias_candidates(form)}
        assert sum(stored.values()) <= 1
        whole = sum(weights.values())
        assert stored == pytest.approx({i: w / whole for i, w in weights.items()}, abs=1e-3)
    # Every name of the catalog is known, and means its entry.
    for entry in known.values():
        for name in entry.forms:
            assert entry.id in all_forms[bare_form(name, ARTICLES)]
    # Every form that was linked to an entry is known as it was written.
    for form, id_, _ in found:
        if id_ in known:
            assert id_ in all_forms[form]


def test_long_forms_do_not_explode() -> None:
    assert len(casings(" ".join(["ab"] * 40))) <= 3
    assert len(casings("a1 b2 c3 d4")) <= 3**4 + 1
    assert spellings("k 9") == {"k 9", "k9", "k-9", "k 9s", "k9s", "k-9s"}


def test_the_loader_reads_when_it_is_called(tmp_path: Path, fails: Any) -> None:
    loader = make_catalog_kb(tmp_path / "c.jsonl", tmp_path / "link.jsonl", "link", vector_length=4)
    with fails("H001", "c.jsonl"):
        loader(Vocab())
    entries = [{"id": e.id, "name": e.name, "aliases": list(e.aliases)} for e in CATALOG.values()]
    srsly.write_jsonl(tmp_path / "c.jsonl", entries)
    with fails("H001", "link.jsonl"):
        loader(Vocab())
    write_corpus(tmp_path / "link.jsonl", HEADER, [row("it", "ORB"), row("she", "NEB", lane="dev")])
    kb = loader(Vocab())
    assert priors(kb, "it") == {"ORB": 1.0} and priors(kb, "she") == {}
    assert kb.entity_vector_length == 4
