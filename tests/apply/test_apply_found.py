"""What stands on a document comes out as it is, in offsets that are right in the text."""

import json
from typing import Any

import spacy
from apply_world import make_pipeline
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, Span, SpanGroup
from spacy.util import filter_spans

from spacy_hitl.apply.found import doc_to_record
from spacy_hitl.io import text_digest
from spacy_hitl.records import Annotation, Found, Proposal, RelationAnnotation, Row
from spacy_hitl.tasks.base import set_proposal
from spacy_hitl.tasks.relations.annotations import add_extension, set_relations

NLP = spacy.blank("xx")
texts = st.lists(
    st.sampled_from(
        ["Nebula", "👩‍🚀", "e\u0301", " ", "  ", "\n", "don't", "𝔸𝕓", "K9,", "ü", "\u2028"]
    ),
    min_size=1,
    max_size=12,
).map("".join)


@given(text=texts, data=st.data())
def test_offsets_round_trip(text: str, data: st.DataObject) -> None:
    doc = NLP.make_doc(text)

    def draw_spans() -> Any:
        places = st.tuples(st.integers(0, len(doc) - 1), st.integers(1, 3))
        drawn = data.draw(st.lists(places, max_size=4, unique=True))
        ids = st.sampled_from(["", "Q1", "NIL"])
        spans = [
            Span(doc, start, min(len(doc), start + n), label="L", kb_id=data.draw(ids))
            for start, n in drawn
        ]
        return [s for s in spans if s.text]

    doc.set_ents(filter_spans(draw_spans()))
    group = SpanGroup(doc, name="sc", spans=draw_spans())
    group.attrs["scores"] = [0.25] * len(group)
    doc.spans["sc"] = group
    doc.cats = {"A": 0.5, "B": 0.0}
    row = Row("a.jsonl", "r1", text)
    found = Found.from_dict(json.loads(json.dumps(doc_to_record(doc, row).to_dict())))
    assert (found.source, found.id, found.text_digest) == ("a.jsonl", "r1", text_digest(text))
    pairs = zip([*doc.ents, *group], [*found.ents, *found.spans[0].spans], strict=True)
    for span, there in pairs:
        assert text[there.start : there.end] == span.text
        again = doc.char_span(there.start, there.end, label=there.label, kb_id=there.kb_id or "")
        assert (again.start, again.end) == (span.start, span.end)
        assert (again.label, again.kb_id) == (span.label, span.kb_id)
    assert found.spans[0].key == "sc"
    assert [s.score for s in found.spans[0].spans] == [0.25] * len(group)
    assert {c.label: c.score for c in found.cats} == {"A": 0.5, "B": 0.0}


def test_relations_and_unanswered_components() -> None:
    doc = make_pipeline()("My Nebula beats the Orion")
    row = Row("a.jsonl", "r1", doc.text)
    relation = RelationAnnotation(3, 9, 20, 25, "BEATS")
    set_relations(doc, Annotation(relations=(relation,)), ["BEATS"])
    for status in ("ok", "refused"):
        set_proposal(doc, f"task-{status}", Proposal("d", "t", "m", status, "v"))
    found = doc_to_record(doc, row)
    assert found.relations == (relation,)
    assert found.unanswered == (("task-refused", "refused"),)
    assert [doc.text[e.start : e.end] for e in found.ents] == ["Nebula", "Orion"]


def test_what_another_package_keeps_is_not_ours() -> None:
    add_extension()
    doc: Doc = NLP.make_doc("My Nebula")
    doc._.rel = {(0, 1): {"IS": 0.5}}
    assert doc_to_record(doc, Row("a", "b", doc.text)).relations == ()
