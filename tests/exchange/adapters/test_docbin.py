"""Our DocBin keeps rows, texts, lanes and decisions; anybody's gold data becomes decisions."""

import json
import tempfile
import zlib
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
import srsly
from adapter_util import DIGEST, NLP, TASKS, TEXTS, contents, history_of, task_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin, Span

from spacy_hitl.dataset.exchange import dump
from spacy_hitl.dataset.history import TaskHistory
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.exchange.adapters import docbin as docbin_module
from spacy_hitl.exchange.adapters.docbin import (
    KEY,
    count_layers,
    read_docbin,
    read_gold,
    stored_text,
    write_docbin,
)
from spacy_hitl.exchange.adapters.losses import Losses, LossReport
from spacy_hitl.exchange.incoming import store_texts
from spacy_hitl.exchange.outgoing import read_snapshot, stored_texts
from spacy_hitl.io import text_digest
from spacy_hitl.records import (
    LANES,
    NIL,
    ONE_LABEL,
    Annotation,
    CategoryAnnotation,
    Decision,
    RelationAnnotation,
    Row,
    SpanAnnotation,
    TaskVersion,
)
from spacy_hitl.settings import LaneSettings, Settings
from spacy_hitl.tasks.reference import get_annotation
from spacy_hitl.tasks.relations.annotations import set_relations

HISTORIES = [history_of(task) for task in TASKS.values()]


@st.composite
def datasets(draw: Any) -> Tuple[List[Row], List[Decision]]:
    """Rows of several sources with the same text, every lane, every field of a decision."""
    content = draw(st.sampled_from(sorted(TASKS)).flatmap(contents))
    lanes = st.sampled_from(LANES)
    rows = [Row(r.source, r.id, r.text, draw(lanes), r.meta) for r in content.rows]
    rows += [Row("other.jsonl", r.id, r.text, None, {"n": [1, None]}) for r in rows[:1]]
    decided = []
    for d in content.decisions:
        changes: Dict[str, Any] = draw(
            st.sampled_from(
                [
                    {},
                    {"note": "odd\n😀"},
                    {"uid": "u1", "mode": ONE_LABEL, "labels": ["A"], "edits": 2},
                    {"uid": "u2", "action": "undo", "undoes": "u1"},
                    {"ranges": [[0, 1]], "task": "another"},
                ]
            )
        )
        decided.append(Decision.from_dict({**d.to_dict(), **changes}))
    return rows, decided


def stored(path: Path, rows: Any = (), decided: Any = (), texts: Any = ()) -> List[Any]:
    """What a dataset holds after something was added to it."""
    with Dataset(path) as dataset, dataset.db.transaction():
        dataset.add_rows(rows, LaneSettings())
        dataset.add_decisions(decided)
        store_texts(dataset, texts, Settings())
        return list(dump(dataset))


def written(path: Path) -> Tuple[bytes, LossReport]:
    with Dataset(path) as dataset:
        texts, lost = stored_texts(read_snapshot(dataset), lanes=LANES)
    return write_docbin(texts, HISTORIES, NLP.make_doc), lost


def read(content: bytes) -> List[Tuple[str, str, Any]]:
    docs = read_docbin(content, NLP.vocab, "f")
    return [(f"f (document {n})", d.text, stored_text(d, "f")) for n, d in enumerate(docs, 1)]


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(datasets())
def test_nothing_of_texts_and_decisions_is_lost(drawn: Any) -> None:
    rows, decided = drawn
    with tempfile.TemporaryDirectory() as folder:
        before = stored(Path(folder) / "one.db", rows, decided)
        content, lost = written(Path(folder) / "one.db")
        texts = read(content)
        assert stored(Path(folder) / "two.db", texts=texts) == before
        assert stored(Path(folder) / "two.db", texts=texts) == before, "importing twice"
        assert written(Path(folder) / "two.db") == (content, lost)
    assert lost == LossReport()


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(TEXTS)
def test_every_text_comes_back_exactly(text: str) -> None:
    record = docbin_module.StoredText(text_digest(text), "dev", (docbin_module.RowName("s", "1"),))
    ((_, found, _),) = read(write_docbin([(text, record)], [], NLP.make_doc))
    assert found == text


def test_history_does_not_come_back(tmp_path: Path) -> None:
    """An import into the dataset it came from must not make an old answer the last one."""
    yes, no = (
        Decision(text_digest("a"), "task", "accept", "ann", "person", DIGEST, held, time=time)
        for held, time in ((Annotation(), 1.0), (Annotation(cats=(CategoryAnnotation("A"),)), 2.0))
    )
    path = tmp_path / "one.db"
    before = stored(path, [Row("r", "1", "a", "dev")], [yes, no])
    assert stored(path, texts=read(written(path)[0])) == before


def test_proposals_are_not_kept_and_counted(tmp_path: Path) -> None:
    from spacy_hitl.records import Proposal

    with Dataset(tmp_path / "one.db") as dataset:
        dataset.add_rows([Row("r", "1", "a", "dev")], LaneSettings())
        dataset.add_proposals([Proposal(text_digest("a"), "task", "m", "empty", DIGEST)])
    assert written(tmp_path / "one.db")[1].count("proposals") == 1


def test_a_text_never_changes_its_lane(tmp_path: Path, fails: Any) -> None:
    path = tmp_path / "one.db"
    stored(path, [Row("r", "1", "a", "gold")])
    texts = read(written(path)[0])
    other = tmp_path / "two.db"
    before = stored(other, [Row("s", "1", "a", "train")])
    with fails("H055", "'train'", "'gold'"):
        stored(other, texts=texts)
    assert stored(other) == before


TEXT = "Nebula beats the K10."
NEBULA, K10 = SpanAnnotation(0, 6, "A"), SpanAnnotation(17, 20, "B")
HELD = {
    "ner": Annotation(spans=(NEBULA, K10)),
    "spancat": Annotation(spans=(NEBULA, SpanAnnotation(0, 12, "B"))),
    "textcat": Annotation(cats=(CategoryAnnotation("B"),)),
    "linking": Annotation(spans=(SpanAnnotation(0, 6, "THING", kb_id="Q1"),)),
    "relations": Annotation(relations=(RelationAnnotation(0, 6, 17, 20, "A"),)),
}


def test_the_documents_are_annotated_for_spacy() -> None:
    """What stands is on the document, for all tasks at once: links on the entities of ner."""
    tasks = {kind: task_of(kind) for kind in HELD}
    headers = {k: type(t.header)(**{**vars(t.header), "task": k}) for k, t in tasks.items()}
    digest = text_digest(TEXT)
    decided = [
        Decision(digest, kind, "accept", "ann", "person", DIGEST, held)
        for kind, held in HELD.items()
    ]
    rejected = Decision(digest, "spancat", "reject", "bob", "person", DIGEST)
    record = docbin_module.StoredText(
        digest, "dev", (docbin_module.RowName("s", "1"),), (*decided, rejected), tuple(range(6))
    )
    content = write_docbin(
        [(TEXT, record)],
        [TaskHistory(TaskVersion(h, "m"), {}) for h in headers.values()],
        NLP.make_doc,
    )
    (doc,) = read_docbin(content, NLP.vocab, "f")
    assert [(e.text, e.label_, e.kb_id_) for e in doc.ents] == [
        ("Nebula", "A", "Q1"),
        ("K10", "B", ""),
    ]
    for kind in ("textcat", "relations", "ner"):
        assert get_annotation(doc, headers[kind]) == HELD[kind]
    assert not doc.spans, "what was rejected is not annotated"


def test_links_that_overlap_do_not_stop_an_export() -> None:
    spans = (SpanAnnotation(0, 6, "T", kb_id="Q1"), SpanAnnotation(0, 12, "T", kb_id=NIL))
    decision = Decision(
        text_digest(TEXT), "task", "accept", "ann", "person", DIGEST, Annotation(spans=spans)
    )
    record = docbin_module.StoredText(text_digest(TEXT), "dev", (), (decision,), (0,))
    content = write_docbin([(TEXT, record)], [history_of(TASKS["linking"])], NLP.make_doc)
    (doc,) = read_docbin(content, NLP.vocab, "f")
    assert [e.text for e in doc.ents] == ["Nebula beats"]
    found = stored_text(doc, "f")
    assert found is not None and found.decisions == (decision,)


# spaCy's own gold data


def gold(doc: Doc, task: Any, *, named: bool = False) -> Tuple[Any, LossReport]:
    """The answer of a document that went through a file, and what was lost."""
    content = DocBin(docs=[doc], store_user_data=True).to_bytes()
    (back,) = read_docbin(content, NLP.vocab, "f")
    losses = Losses()
    count_layers(back, [task], "f", losses)
    item = read_gold(back, task, "f", losses, named=named)
    return (None if item is None or not item.answers else item.answers[0]), losses.report()


def annotated(kind: str) -> Doc:
    doc = NLP.make_doc(TEXT)
    if kind == "ner":
        doc.ents = [Span(doc, 0, 1, "A"), Span(doc, 3, 4, "B")]
    elif kind == "spancat":
        doc.spans["sc"] = [Span(doc, 0, 1, "A"), Span(doc, 0, 2, "B")]
    elif kind == "textcat":
        doc.cats = {"A": 0.0, "B": 1.0, TASKS["textcat"].header.labels[2]: 0.0}
    elif kind == "linking":
        doc.ents = [Span(doc, 0, 1, "X", kb_id="Q1")]
    else:
        set_relations(doc, HELD["relations"], ["A"])
    return doc


@pytest.mark.parametrize("kind", sorted(HELD))
def test_gold_data_of_every_kind(kind: str) -> None:
    answer, lost = gold(annotated(kind), TASKS[kind])
    assert answer is not None and answer.action == "accept" and answer.saw_proposal is None
    assert answer.annotation == HELD[kind]
    assert lost == LossReport()
    for other in sorted(set(HELD) - {kind}):
        assert gold(annotated(kind), TASKS[other])[0] is None, "it says nothing about it"
    assert gold(NLP.make_doc(TEXT), TASKS[kind])[0] is None


def test_no_entities_is_an_answer_if_they_were_looked_for() -> None:
    doc = NLP.make_doc(TEXT)
    doc.ents = []
    answer, _ = gold(doc, TASKS["ner"])
    assert answer is not None and answer.annotation == Annotation()
    assert gold(doc, TASKS["linking"])[0] is None
    answer, _ = gold(doc, TASKS["linking"], named=True)
    assert answer is not None and answer.annotation == Annotation()


def test_entities_of_other_labels_say_nothing() -> None:
    doc = NLP.make_doc(TEXT)
    doc.ents = [Span(doc, 0, 1, "PERSON")]
    answer, lost = gold(doc, TASKS["ner"])
    assert answer is None and lost.count("labels that this task does not have") == 1


def partly(doc: Doc) -> Doc:
    doc.set_ents([Span(doc, 0, 1, "A")], missing=[doc[3:4]], default="outside")
    return doc


@pytest.mark.parametrize(
    "kind, change, reason",
    [
        ("ner", partly, "not say everything"),
        ("textcat", lambda doc: doc.cats.update(A=1.0), "not say everything"),
        (
            "textcat",
            lambda doc: doc.cats.update(dict.fromkeys(TASKS["textcat"].header.labels, 0.5)),
            "no place for",
        ),
        ("exclusive", lambda doc: doc.cats.update(A=0.0, B=0.0), "exactly one"),
        ("linking", lambda doc: doc.set_ents([Span(doc, 0, 1, "X", kb_id="Q9")]), "decides"),
        (
            "linking",
            lambda doc: doc.set_ents([Span(doc, 0, 1, "X", kb_id="Q1"), Span(doc, 3, 4, "X")]),
            "not say everything",
        ),
    ],
)
def test_gold_data_that_is_not_whole_is_no_decision(kind: str, change: Any, reason: str) -> None:
    doc = NLP.make_doc(TEXT)
    change(doc)
    answer, lost = gold(doc, TASKS[kind])
    assert answer is None and lost.count(reason) == 1


def test_what_no_task_is_about_is_counted() -> None:
    doc = annotated("ner")
    for token in doc:
        token.tag_, token.dep_, token.head = "NN", "dep", doc[0]
    doc.spans["other"] = [Span(doc, 0, 1, "A")]
    doc.cats = {"FUN": 1.0}
    doc.user_data["page"] = 3
    answer, lost = gold(doc, TASKS["ner"])
    assert answer is not None
    for reason in ("TAG", "DEP", "groups of spans", "categories of no task", "user_data"):
        assert lost.count(reason) == 1, reason


def test_relations_of_another_package_are_left_alone() -> None:
    doc = NLP.make_doc(TEXT)
    annotated("relations")  # makes the extension
    doc._.rel = {"0,3": {"A": 1.0}}
    answer, lost = gold(doc, TASKS["relations"])
    assert answer is None and lost.count("another package") == 1


# Files that are none


def test_broken_files(fails: Any, monkeypatch: Any) -> None:
    good = DocBin(docs=[annotated("ner")], store_user_data=True).to_bytes()
    message = srsly.msgpack_loads(zlib.decompress(good))
    for content in (
        b"",
        b"no docbin",
        good[:-9],
        zlib.compress(b"x"),
        zlib.compress(srsly.msgpack_dumps([1])),
        zlib.compress(srsly.msgpack_dumps({**message, "lengths": b"123"})),
        zlib.compress(srsly.msgpack_dumps({**message, "strings": []})),
    ):
        with fails("H071", "DocBin"):
            read_docbin(content, type(NLP.vocab)(), "f")
    monkeypatch.setattr(docbin_module, "MAX_BYTES", 1000)
    with fails("H072"):
        read_docbin(zlib.compress(b"\0" * 100_000), NLP.vocab, "f")


@pytest.mark.parametrize(
    "change",
    [
        {"text_digest": text_digest("another text")},
        {"order": [1]},
        {"lane": "test"},
        {"rows": "x"},
        {"colour": 1},
        {"decisions": [{"task": "x"}]},
    ],
)
def test_a_changed_record_is_refused(change: Any, fails: Any) -> None:
    doc = NLP.make_doc(TEXT)
    record = docbin_module.StoredText(text_digest(TEXT), "dev", (docbin_module.RowName("s", "1"),))
    doc.user_data[KEY] = json.dumps({**record.to_dict(), **change})
    with fails("H004" if {"lane", "rows", "colour", "decisions"} & change.keys() else "H071", "f"):
        stored_text(doc, "f")
    for value in ("{", 3, "[" * 5000):
        doc.user_data[KEY] = value
        with fails("H071", "f"):
            stored_text(doc, "f")
