"""Decisions and datasets in; corpora and datasets out, byte for byte the same for the same data."""

import json
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
import spacy
import srsly
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import DocBin

from spacy_hitl.annotate.run import annotate
from spacy_hitl.dataset.corpus import read_corpus
from spacy_hitl.dataset.exchange import dump, is_dump, load
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.exchange.run import export_all, export_corpora, import_file
from spacy_hitl.exchange.status.project import project_status
from spacy_hitl.io import text_digest, write_jsonl
from spacy_hitl.records import (
    ACTIONS,
    LANES,
    NIL,
    ORIGINS,
    STATUSES,
    Annotation,
    CategoryAnnotation,
    Decision,
    Proposal,
    Row,
    SpanAnnotation,
    TaskHeader,
)
from spacy_hitl.settings import LaneSettings, Settings
from spacy_hitl.tasks.reference import get_annotation

DB = Path("datasets/hitl.db")


def dumped() -> List[Any]:
    with Dataset(DB) as dataset:
        return list(dump(dataset))


def corpora(folder: Path = Path("corpus")) -> Dict[str, bytes]:
    return {str(p): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture
def annotated(project: Any) -> Any:
    annotate(project.config, project.texts)
    return project


# Import in the compact form


def test_import_marks_decisions_as_imported(annotated: Any) -> None:
    summary = import_file(annotated.config, annotated.reference)
    lines = list(srsly.read_jsonl(annotated.reference))
    count = len(lines) * 4  # product, link, attributes, relevant
    assert summary.counts == {"decisions read": count, "of these new": count}
    assert (summary.unused, summary.decisions) == ((), True)
    text = next(p["text"] for p in annotated.posts if p["id"] == lines[0]["id"])
    with Dataset(DB) as dataset:
        (decision,) = dataset.decisions("product", text_digest(text))
    assert (decision.origin, decision.action, decision.annotator) == (
        "import",
        "accept",
        "import:reference.jsonl",
    )
    assert decision.saw_proposal is None and decision.annotation is not None
    spans = [[s.start, s.end, s.label] for s in decision.annotation.spans]
    assert spans == lines[0]["product"]


def test_importing_twice_stores_once(annotated: Any) -> None:
    import_file(annotated.config, annotated.reference)
    before = dumped()
    assert import_file(annotated.config, annotated.reference).counts["of these new"] == 0
    assert dumped() == before
    other = import_file(annotated.config, annotated.reference, annotator="bob")
    assert other.counts["of these new"] == other.counts["decisions read"]


def test_texts_can_be_named_by_themselves(annotated: Any) -> None:
    """Also with another lane field, and with fields that are no task."""
    post = annotated.posts[0]
    line = {"text": post["text"], "lane": post["lane"], "relevant": "RELEVANT", "mood": 1, "x": 2}
    srsly.write_jsonl("some.jsonl", [line])
    summary = import_file(annotated.config, Path("some.jsonl"))
    assert summary.counts["of these new"] == 1
    assert summary.unused == ("mood", "x")


SECOND = {"id": "p0002", "lane": "gold"}
K9 = [76, 78]  # "K9" in p0002


@pytest.mark.parametrize(
    "line, code, parts",
    [
        ({**SECOND, "product": [[*K9, "PHONE"]]}, "H058", ["PHONE", "(product)", "PRODUCT"]),
        ({**SECOND, "relevant": "MAYBE"}, "H058", ["MAYBE", "(relevant)", "NOT_RELEVANT"]),
        ({**SECOND, "attributes": ["GOOD"]}, "H058", ["GOOD", "(attributes)"]),
        ({**SECOND, "opinions": [[0, 4, "GOOD"]]}, "H058", ["GOOD", "(opinions)"]),
        ({**SECOND, "link": [[*K9, "X-1"]]}, "H058", ["catalog id", "X-1", "K1000-T0466"]),
        ({**SECOND, "link": [[*K9, ["X"]]]}, "H058", ["(link)"]),
        ({**SECOND, "product": [[76, 780, "PRODUCT"]]}, "H061", ["76 to 780", "191 characters"]),
        ({**SECOND, "product": [[78, 76, "PRODUCT"]]}, "H061", ["78 to 76"]),
        ({**SECOND, "product": [[-2, 76, "PRODUCT"]]}, "H061", ["-2 to 76"]),
        ({**SECOND, "product": [["76", 78, "PRODUCT"]]}, "H061", ["'76'"]),
        ({**SECOND, "product": [[76, 78]]}, "H061", ["[76, 78]"]),
        ({**SECOND, "product": "K9"}, "H061", ["'K9'"]),
        ({**SECOND, "product": [[0, 9, "PRODUCT"], [5, 12, "PRODUCT"]]}, "H061", ["overlap"]),
        ({**SECOND, "attributes": "BATTERY_POSITIVE"}, "H061", ["list of labels"]),
        ({"id": "nobody", "relevant": "RELEVANT"}, "H059", ["'nobody'"]),
        ({"id": None, "relevant": "RELEVANT"}, "H059", ["'None'"]),
        ({"relevant": "RELEVANT"}, "H059", ["'None'"]),
        ({"id": ["p0002"], "relevant": "RELEVANT"}, "H059", []),
        ({"id": "p0002", "text": "another text"}, "H059", ["'another text'"]),
        ({"id": "\ud800", "relevant": "RELEVANT"}, "H005", ["lone surrogate"]),
        ({"text": "\ud800", "relevant": "RELEVANT"}, "H059", []),
        ({"id": "p0002", "lane": "train", "relevant": "RELEVANT"}, "H055", ["'gold'", "'train'"]),
        ({"id": "p0002", "lane": ["gold"]}, "H055", ["'gold'"]),
    ],
)
def test_a_bad_line_stores_nothing(
    line: Any, code: str, parts: List[str], annotated: Any, fails: Any
) -> None:
    before = dumped()
    good = {"id": "p0001", "relevant": "RELEVANT"}
    Path("some.jsonl").write_text("\n".join(json.dumps(v) for v in (good, line)))
    with fails(code, "some.jsonl:2", *parts):
        import_file(annotated.config, Path("some.jsonl"))
    assert dumped() == before


def test_an_id_of_two_texts_names_none(annotated: Any, fails: Any) -> None:
    srsly.write_jsonl("more.jsonl", [{"id": "p0001", "text": "another text with this id"}])
    annotate(annotated.config, Path("more.jsonl"))
    srsly.write_jsonl("some.jsonl", [{"id": "p0001", "relevant": "RELEVANT"}])
    with fails("H059", "some.jsonl:1"):
        import_file(annotated.config, Path("some.jsonl"))


# Export


def test_an_export_is_the_same_every_time(annotated: Any) -> None:
    import_file(annotated.config, annotated.reference)
    counts = export_corpora(annotated.config, docbin=True).counts
    first = corpora()
    assert set(first) == {"corpus/exported.json", *map(str, counts)} and len(first) == 21
    for path in counts:
        path.unlink()
    assert export_corpora(annotated.config, docbin=True).counts == counts
    assert corpora() == first
    header, rows = read_corpus(Path("corpus/product.jsonl"))
    assert (header.task, header.kind, header.labels) == ("product", "ner", ("PRODUCT",))
    assert {row.lane for _, row in rows} == {"train", "dev"}
    assert len(rows) == counts[Path("corpus/product.jsonl")] == 22
    assert counts[Path("corpus/gold/product.jsonl")] == 8
    assert counts[Path("corpus/product.spacy")] == 14  # without the undecided texts


def test_an_export_does_not_depend_on_the_order_of_imports(project: Any) -> None:
    annotate(project.config, project.texts)
    import_file(project.config, project.reference)
    export_corpora(project.config)
    first = corpora()
    DB.unlink()
    Path("part").mkdir()
    half = len(project.posts) // 2
    decisions = list(srsly.read_jsonl(project.reference))
    ids = [{post["id"] for post in posts} for posts in (project.posts[half:], project.posts[:half])]
    for posts, some in ((project.posts[half:], ids[0]), (project.posts[:half], ids[1])):
        part = Path("part") / project.texts.name  # the name of the file is the source of its rows
        srsly.write_jsonl(part, posts[::-1])
        annotate(project.config, part)
        srsly.write_jsonl("decided.jsonl", [d for d in decisions[::-1] if d["id"] in some])
        import_file(project.config, Path("decided.jsonl"), annotator="someone else")
    export_corpora(project.config)
    assert corpora() == first


def test_export_needs_a_dataset(project: Any, fails: Any) -> None:
    with fails("H057", DB):
        export_corpora(project.config)
    with fails("H057", DB):
        export_all(project.config, Path("all.jsonl"))
    assert not DB.parent.exists() and not Path("all.jsonl").exists()


TEXT = "👩‍🚀 Nebula and 𝔸𝕓 orbit, e\u0301te\u0301 \U0001f600"


def at(form: str, label: str = "PRODUCT", **values: Any) -> SpanAnnotation:
    return SpanAnnotation(TEXT.index(form), TEXT.index(form) + len(form), label, **values)


def spans(*found: SpanAnnotation) -> Annotation:
    return Annotation(spans=tuple(sorted(found)))


def cats(*labels: str) -> Annotation:
    return Annotation(cats=tuple(CategoryAnnotation(label) for label in labels))


NEBULA = "P3204-W2130"
DECIDED: List[Tuple[str, Annotation]] = [
    ("product", spans(at("Nebula"), at("𝔸𝕓 orbit"))),
    ("product", spans()),
    ("opinions", spans(at("Nebula", "DESIGN_POSITIVE"), at("Nebula and", "DESIGN_NEGATIVE"))),
    ("opinions", spans()),
    ("attributes", cats("BATTERY_POSITIVE", "DESIGN_NEGATIVE")),
    ("attributes", cats()),
    ("relevant", cats("NOT_RELEVANT")),
    ("link", spans(at("Nebula", kb_id=NEBULA), at("𝔸𝕓 orbit", kb_id=NIL))),
    ("link", spans()),
]


@pytest.mark.parametrize("lane", ["train", "gold"])
def test_docbin_holds_what_was_decided(lane: str, project: Any) -> None:
    texts = [f"{TEXT} {i}" for i in range(len(DECIDED))]
    with Dataset(DB) as dataset:
        rows = [Row("r", text, text, lane) for text in (*texts, "undecided")]
        dataset.add_rows(rows, LaneSettings())
        for text, (task, annotation) in zip(texts, DECIDED, strict=True):
            decision = Decision(text_digest(text), task, "accept", "a", "person", "d", annotation)
            dataset.add_decisions([decision])
    export_corpora(project.config, docbin=True)
    folder = Path("corpus") / ("gold" if lane == "gold" else "")
    vocab = spacy.blank("en").vocab
    found = {}
    for path in folder.glob("*.jsonl"):
        header, _ = read_corpus(path)
        for doc in DocBin().from_disk(path.with_suffix(".spacy")).get_docs(vocab):
            found[doc.text] = (header.task, get_annotation(doc, header))
            assert doc.user_data["text_digest"] == text_digest(doc.text)
            assert doc.user_data["lane"] == lane
    assert found == dict(zip(texts, DECIDED, strict=True))


# The whole dataset


def test_dump_and_load(annotated: Any) -> None:
    import_file(annotated.config, annotated.reference)
    before = dumped()
    count = export_all(annotated.config, Path("all.jsonl"))
    assert count == len(before) == len(annotated.posts) * 6 + 5 + 22 * 4
    export_corpora(annotated.config)
    first = corpora()
    DB.unlink()
    counts = import_file(annotated.config, Path("all.jsonl"))
    assert counts.counts == {"row": 30, "proposal": 150, "decision": 88}
    assert not counts.decisions
    assert dumped() == before
    import_file(annotated.config, Path("all.jsonl"))
    assert dumped() == before
    export_corpora(annotated.config)
    assert corpora() == first


def test_loading_again_brings_no_history_back(tmp_path: Path) -> None:
    text, path = text_digest("a"), tmp_path / "all.jsonl"
    yes, no = cats("YES"), cats("NO")
    history = [
        Decision(text, "mood", "accept", "ann", "person", "d", annotation=a, time=float(t))
        for t, a in enumerate([yes, no])
    ]
    with Dataset(tmp_path / "hitl.db") as dataset:
        dataset.add_rows([Row("r", "1", "a")], LaneSettings())
        dataset.add_decisions(history)
        write_jsonl(path, dump(dataset))
        load(path, dataset, Settings())
        assert dataset.decisions("mood", text) == history


some_texts = ["a", "B!", "b", "👩‍🚀", "e\u0301", "\u2028x", "𝔸"]
digests = st.sampled_from([text_digest(t) for t in some_texts])
numbers = st.none() | st.floats(0, 1e9)
some_spans = st.builds(SpanAnnotation, st.integers(0, 9), st.integers(0, 9), st.text(max_size=3))
annotations = st.builds(Annotation, st.lists(some_spans, max_size=2).map(tuple))
names = st.sampled_from(["mood", "😀"])
proposals = st.builds(
    Proposal,
    *(digests, names, names, st.sampled_from(STATUSES), names),
    annotation=annotations,
    sample=st.integers(1, 2),
)
decisions = st.builds(
    Decision,
    *(digests, names, st.sampled_from(ACTIONS), names, st.sampled_from(ORIGINS), names),
    annotation=st.none() | annotations,
    seconds=numbers,
    time=numbers,
)
metas = st.none() | st.dictionaries(st.text(max_size=3), st.none() | st.text(max_size=3) | numbers)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(some_texts), metas), max_size=5),
    st.lists(st.sampled_from(LANES), min_size=len(some_texts), max_size=len(some_texts)),
    st.lists(proposals, max_size=9),
    st.lists(decisions, max_size=9),
)
def test_dump_load_dump(more: Any, lanes: Any, found: Any, decided: Any) -> None:
    rows = [
        Row("r", str(i), t, lane) for i, (t, lane) in enumerate(zip(some_texts, lanes, strict=True))
    ]
    rows += [Row("more", str(i), text, meta=meta) for i, (text, meta) in enumerate(more)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "all.jsonl"
        with Dataset(Path(folder) / "one.db") as dataset:
            dataset.add_rows(rows, LaneSettings())
            dataset.add_proposals(found)
            dataset.add_decisions(decided)
            first = list(dump(dataset))
            write_jsonl(path, first)
        assert is_dump(path)
        with Dataset(Path(folder) / "two.db") as dataset:
            counts = load(path, dataset, Settings())
            second = list(dump(dataset))
            load(path, dataset, Settings())
            third = list(dump(dataset))
    assert second == first and third == first
    assert sum(counts.values()) == len(first)
    assert counts["row"] == len(rows)


@given(st.lists(proposals, min_size=2, max_size=9), st.randoms())
@settings(max_examples=20)
def test_a_dump_does_not_depend_on_the_order_of_proposals(found: Any, random: Any) -> None:
    # Of equal ones the first stays: only different ones can change places.
    keys = [(p.task, p.text_digest, p.source, p.sample, p.task_digest) for p in found]
    found = list(dict(zip(keys, found, strict=True)).values())
    dumps = []
    for _ in range(2):
        random.shuffle(found)
        with tempfile.TemporaryDirectory() as folder, Dataset(Path(folder) / "x.db") as dataset:
            dataset.add_rows([Row("r", t, t, "dev") for t in some_texts], LaneSettings())
            dataset.add_proposals(found)
            dumps.append(list(dump(dataset)))
    assert dumps[0] == dumps[1]


ROW = {"record": "row", "source": "r", "id": "1", "text": "a", "lane": "train"}
NEW = {"record": "row", "source": "r", "id": "new", "text": "new"}
DECISION = {
    "record": "decision",
    "text_digest": text_digest("a"),
    "task": "mood",
    "action": "accept",
    "annotator": "a",
    "origin": "person",
    "task_digest": "d",
}
PROPOSAL = {**DECISION, "record": "proposal", "source": "m", "status": "ok"}
for _name in ("action", "annotator", "origin"):
    del PROPOSAL[_name]


@pytest.mark.parametrize(
    "line, code, part",
    [
        ({"record": "thing"}, "H004", "'thing'"),
        ({"text": "a"}, "H004", "None"),
        ({**ROW, "v": 2}, "H004", "version 2"),
        ({**ROW, "id": 1}, "H004", "'id'"),
        ({**ROW, "colour": 1}, "H004", "'colour'"),
        ({**ROW, "id": "2", "text": "\ud800"}, "H005", "lone surrogate"),
        ({**ROW, "id": "2", "text": "a\x00"}, "H005", "NUL"),
        ({**ROW, "id": "2", "text": " "}, "H005", "empty"),
        ({**ROW, "id": "2", "text": "x" * 60_000}, "H006", "60000"),
        ({**ROW, "id": "2", "lane": "test"}, "H004", "'lane'"),
        ({**ROW, "id": "2", "lane": "gold"}, "H055", "'train'"),
        ({**ROW, "text": "other"}, "H053", "'1'"),
        ({**PROPOSAL, "status": "fine"}, "H004", "'status'"),
        ({**PROPOSAL, "text_digest": "0"}, "H059", "'0'"),
        ({**DECISION, "action": "maybe"}, "H004", "'action'"),
        ({**DECISION, "origin": "thin air"}, "H004", "'origin'"),
        ({**DECISION, "text_digest": "0"}, "H059", "'0'"),
    ],
)
def test_a_bad_dump_stores_nothing(
    line: Any, code: str, part: str, tmp_path: Path, fails: Any
) -> None:
    path = tmp_path / "all.jsonl"
    with Dataset(tmp_path / "hitl.db") as dataset:
        dataset.add_rows([Row("r", "1", "a", "train")], LaneSettings())
        before = list(dump(dataset))
        path.write_text("\n".join(json.dumps(v) for v in (NEW, PROPOSAL, DECISION, line)))
        whole_file = code in ("H053", "H055", "H059")
        with fails(code, part, *([] if whole_file else [f"{path}:4"])):
            load(path, dataset, Settings())
        assert list(dump(dataset)) == before


def test_headers_name_the_task(annotated: Any) -> None:
    export_corpora(annotated.config)
    found = {p.stem: read_corpus(p)[0] for p in Path("corpus").glob("*.jsonl")}
    assert {h.task: h.kind for h in found.values()} == {
        "product": "ner",
        "link": "linking",
        "attributes": "textcat",
        "relevant": "textcat",
        "opinions": "spancat",
    }
    assert isinstance(found["link"], TaskHeader) and found["link"].catalog == "assets/catalog.jsonl"
    assert (found["relevant"].exclusive, found["attributes"].exclusive) == (True, False)
    assert found["opinions"].spans_key == "opinions"


# Status


def test_status(annotated: Any) -> None:
    import_file(annotated.config, annotated.reference)
    status = project_status(annotated.config)
    assert (status.rows, status.lanes) == (30, {"dev": 6, "gold": 8, "train": 16})
    product = status.tasks[0]
    assert (product.task, product.decided, product.by_person) == ("product", 22, 0)
    assert product.usable + sum(product.unusable.values()) == 30
    assert (product.outdated, product.score, product.promoted) == (0, None, "no")
    annotated.edit({"components.product.task.label_definitions": {"PRODUCT": "something else"}})
    product = project_status(annotated.config).tasks[0]
    assert (product.usable, product.outdated) == (0, 22)


def test_spans_off_the_tokens_are_stored_and_told(annotated: Any, tmp_path: Path) -> None:
    """Nothing can learn them, and evaluation counts them: a person must know."""
    row = next(p for p in annotated.posts if p["text"].split()[0].isalpha() and p["text"][3] != " ")
    path = tmp_path / "off.jsonl"
    write_jsonl(path, [{"id": row["id"], "product": [[0, 2, "PRODUCT"]]}])
    (told,) = import_file(annotated.config, path).misaligned
    assert told.startswith("product: ")
