"""Files of other tools through the real command line, out of one project and into another."""

import contextlib
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List

import pytest
import spacy
import srsly
from spacy.tokens import DocBin, Span
from typer.testing import CliRunner

from spacy_hitl.cli import hitl_cli
from spacy_hitl.dataset.decisions import standing
from spacy_hitl.dataset.exchange import dump
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.dataset.task_versions import read_versions
from spacy_hitl.exchange.formats import FORMATS, export_format, import_format
from spacy_hitl.io import text_digest
from spacy_hitl.records import LANES, Annotation, SpanAnnotation

CONFIG = Path("configs/prototype.cfg")
DB = Path("datasets/hitl.db")
KINDS = {
    "product": "ner",
    "link": "linking",
    "attributes": "textcat",
    "relevant": "textcat",
    "opinions": "spancat",
}


def run(cwd: Path, *words: Any) -> str:
    """The output of a command that must succeed, in a process of its own."""
    command = [sys.executable, "-m", "spacy", "hitl", *map(str, words)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return " ".join(done.stdout.split())


def hitl(*words: Any) -> Any:
    """A command in this process: exit code and output, without a traceback."""
    result = CliRunner().invoke(hitl_cli, [str(word) for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result.exit_code, " ".join(result.output.split())


def records(path: Path = DB) -> List[Dict[str, Any]]:
    if not path.exists():
        return []
    with Dataset(path) as dataset:
        return list(dump(dataset))


def decided(found: List[Dict[str, Any]], task: str) -> Dict[str, Any]:
    """Annotation by text, of one task."""
    return {
        d["text_digest"]: d.get("annotation")
        for d in found
        if d["record"] == "decision" and d["task"] == task
    }


@dataclass
class There:
    """A project's dataset, its files for every tool, and what the commands said."""

    root: Path
    records: List[Dict[str, Any]]
    said: Dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def there(exported_project: Path, tmp_path_factory: Any) -> There:
    root = shutil.copytree(exported_project, tmp_path_factory.mktemp("there") / "project")
    found = There(root, records(root / DB))
    for name in FORMATS:
        words = ["export", CONFIG, "--format", name, "--output", f"out/{name}"]
        words += [] if name == "docbin" else ["--lanes", "gold,dev,train"]
        if name == "prodigy":
            found.said[name] = run(root, *words)
            continue
        with contextlib.chdir(root):
            status, found.said[name] = hitl(*words)
        assert status == 0, found.said[name]
    return found


@pytest.fixture
def here(there: There, project: Any) -> There:
    """A project without a dataset, with the files of the other one."""
    shutil.copytree(there.root / "out", "out")
    return there


@pytest.mark.parametrize("format", ["prodigy", "label-studio", "doccano"])
def test_decisions_travel_from_project_to_project(format: str, here: There, project: Any) -> None:
    suffix = ".json" if format == "label-studio" else ".jsonl"
    for task in KINDS:
        status, said = hitl("import", CONFIG, f"out/{format}/{task}{suffix}", "-f", format)
        assert status == 0 and "texts read: 30" in said
    found = records()
    for task in KINDS:
        assert decided(found, task) == decided(here.records, task), task
    rows = {r["text"]: (r["id"], r.get("meta")) for r in found if r["record"] == "row"}
    assert rows == {
        r["text"]: (r["id"], r.get("meta")) for r in here.records if r["record"] == "row"
    }
    assert {r["source"] for r in found if r["record"] == "row"} == {f"product{suffix}"}
    origins = {(d["origin"], d.get("saw_proposal")) for d in found if d["record"] == "decision"}
    assert origins == {("import", None)}
    # The replay model's proposals are this project's own: they are asked for, not imported.
    assert not [p for p in found if p["record"] == "proposal"]


def test_a_docbin_holds_the_project(here: There, project: Any) -> None:
    status, said = hitl("import", CONFIG, "out/docbin/dataset.spacy", "--format", "docbin")
    assert status == 0
    assert "rows: 30" in said and "decisions read: 88" in said and "Not carried" not in said
    for kind in ("row", "decision"):
        both = (records(), here.records)
        found, before = ([r for r in some if r["record"] == kind] for some in both)
        assert found == before
    assert "150 x proposals" in here.said["docbin"]
    export_format(CONFIG, Path("again"), format="docbin")
    first, second = Path("out/docbin/dataset.spacy"), Path("again/dataset.spacy")
    assert first.read_bytes() == second.read_bytes()


def test_what_is_not_carried_is_told(here: There) -> None:
    """Each time: how often, why, and where first."""
    for name in ("prodigy", "label-studio", "doccano"):
        said = here.said[name]
        assert "Not carried over:" in said
        assert (
            "x proposals for gold texts (nobody may see them), e.g. posts.jsonl, id p0001" in said
        )
    assert "who decided" in here.said["doccano"]
    assert "who decided" not in here.said["prodigy"]


def test_gold_is_exported_only_when_it_is_asked_for(exported: Any) -> None:
    lanes = {p["text"]: p.get("lane") or "train" for p in exported.posts}
    export_format(CONFIG, Path("out"), format="prodigy", task="product")
    found = {lanes[r["text"]] for r in srsly.read_jsonl("out/product.jsonl")}
    assert found == {"train", "dev"} and not Path("out/link.jsonl").exists()
    export_format(CONFIG, Path("out"), format="prodigy", task="product", lanes=["gold"])
    written = list(srsly.read_jsonl("out/product.jsonl"))
    assert {lanes[r["text"]] for r in written} == {"gold"}
    assert not any("source" in s for r in written for s in r.get("spans", []))


def test_undecided_texts_take_their_proposals_along(exported: Any) -> None:
    export_format(CONFIG, Path("out"), format="prodigy", task="product")
    pending = [r for r in srsly.read_jsonl("out/product.jsonl") if "answer" not in r]
    assert len(pending) == 8
    shown = [r for r in pending if r.get("spans")]
    assert {s["source"] for r in shown for s in r["spans"]} == {"replay:responses.jsonl"}
    for record in pending:
        record.update(answer="accept", _annotator_id="ann")
    srsly.write_jsonl("product.jsonl", pending)
    before = len(records())
    result = import_format(CONFIG, Path("product.jsonl"), format="prodigy")
    assert result.counts["of these new"] == 8 == len(records()) - before
    new = records()[-8:]
    assert {d["saw_proposal"] for d in new} == {"replay:responses.jsonl"}, "not blind"


# What comes in


def nothing_new(before: Any) -> None:
    assert records() == before


MENTION = {"start": 0, "end": 3, "label": "PRODUCT"}
GOOD = {
    "prodigy": {"text": "K10 is new", "answer": "accept", "spans": [MENTION]},
    "doccano": {"text": "K10 is new", "label": [[0, 3, "PRODUCT"]]},
    "label-studio": {"data": {"text": "K10 is new"}, "annotations": [{"result": []}]},
}
BAD = {
    "prodigy": {"text": "K10", "answer": "accept", "spans": [{**MENTION, "end": 99}]},
    "doccano": {"text": "K10", "label": [[0, 99, "PRODUCT"]]},
    "label-studio": {"data": {"text": "K10"}, "annotations": [{"result": {}}]},
}


def write(format: str, *values: Any) -> Path:
    path = Path("some.json" if format == "label-studio" else "some.jsonl")
    if format == "label-studio":
        path.write_text(json.dumps(values))
    else:
        path.write_text("\n".join(json.dumps(value) for value in values))
    return path


@pytest.mark.parametrize("format", sorted(BAD))
@pytest.mark.parametrize(
    "change, code",
    [
        ({}, "H070"),
        ({"text": " "}, "H005"),
        ({"text": "x" * 60_000}, "H006"),
        ({"text": "\ud800"}, "H005"),
        ({"id": "\ud800"}, "H005"),
    ],
)
def test_a_bad_record_stores_nothing(format: str, change: Any, code: str, exported: Any) -> None:
    before = records()
    bad = {**BAD[format]} if not change else {**GOOD[format]}
    if format == "label-studio" and change:
        bad = {**bad, "data": {**bad["data"], **change}}
    elif change:
        bad = {**bad, **change, "spans": [], "label": []}
        bad["meta"] = {"id": change["id"]} if "id" in change else {}
    if "id" in change:
        text = "another text"
        bad = (
            {**bad, "data": {**bad["data"], "text": text}}
            if "data" in bad
            else {**bad, "text": text}
        )
    path = write(format, GOOD[format], bad)
    place = "some.json (task 2)" if format == "label-studio" else "some.jsonl:2"
    status, said = hitl("import", CONFIG, path, "--format", format, "--task", "product")
    assert status == 1 and f"[{code}]" in said and place in said, said
    nothing_new(before)


@pytest.mark.parametrize(
    "format, content, code, says",
    [
        ("prodigy", b"{", "H002", "some.jsonl:1"),
        ("prodigy", b'{"text": "\xff"}', "H002", "some.jsonl:1"),
        ("doccano", b"[1]", "H002", "some.jsonl:1"),
        ("label-studio", b"[{]", "H071", "Label Studio JSON"),
        ("label-studio", b"{}", "H071", "list of tasks"),
        ("label-studio", b"[3]", "H071", "task 1 is int"),
        ("label-studio", b"[" * 50_000, "H071", "Label Studio JSON"),
        ("label-studio", b'[{"id": 1, "text": "K10", "label": []}]', "H070", "JSON-MIN"),
        ("docbin", b"{}", "H071", "DocBin"),
    ],
)
def test_files_that_are_none(
    format: str, content: bytes, code: str, says: str, exported: Any
) -> None:
    before = records()
    Path("some.jsonl").write_bytes(content)
    words = ("import", CONFIG, "some.jsonl", "--format", format)
    status, said = hitl(*words, *([] if format == "docbin" else ["--task", "product"]))
    assert status == 1 and f"[{code}]" in said and says in said, said
    nothing_new(before)


def test_mistakes_with_options_are_explained(exported: Any) -> None:
    path = write("prodigy", GOOD["prodigy"])
    export = ("export", CONFIG)
    for words, code, says in [
        (("import", CONFIG, path, "--format", "brat"), "H075", "prodigy, label-studio"),
        (("import", CONFIG, path, "--format", "prodigy"), "H073", "product, link"),
        (("import", CONFIG, path, "--format", "prodigy", "--task", "x"), "H130", "product"),
        (("import", CONFIG, path, "--task", "product"), "H075", "--format"),
        (("import", CONFIG, path, "--confirmed"), "H075", "--format"),
        (("import", CONFIG, "none.jsonl", "--format", "prodigy"), "H001", "none.jsonl"),
        ((*export, "--format", "prodigy"), "H075", "--output"),
        ((*export, "--format", "prodigy", "--output", "o", "--all", "x"), "H075", "--all"),
        ((*export, "--format", "x", "--output", "o"), "H075", "'x'"),
        ((*export, "--format", "prodigy", "--output", "o", "--lanes", "test"), "H075", "'test'"),
        ((*export, "--format", "prodigy", "--output", "o", "--task", "x"), "H130", "'x'"),
        ((*export, "--lanes", "gold"), "H075", "--format"),
    ]:
        status, said = hitl(*words)
        assert status == 1 and f"[{code}]" in said and says in said, (words, said)
    assert not Path("o").exists()


def test_export_needs_a_dataset(project: Any, fails: Any) -> None:
    with fails("H057", DB):
        export_format(CONFIG, Path("o"), format="prodigy")
    assert not DB.exists() and not Path("o").exists()


def test_a_file_about_another_task_is_refused(exported: Any, fails: Any) -> None:
    """Its texts would all become texts with nothing in them."""
    other = {**GOOD["prodigy"], "spans": [{**MENTION, "label": "COLOUR"}]}
    before = records()
    with fails("H076", "product", "COLOUR", "PRODUCT"):
        import_format(CONFIG, write("prodigy", other), format="prodigy", task="product")
    nothing_new(before)
    both = write("prodigy", other, {**GOOD["prodigy"], "text": "K10 again"})
    result = import_format(CONFIG, both, format="prodigy", task="product")
    assert result.counts["of these new"] == 2
    assert result.lost.count("labels that this task does not have") == 1


def test_new_texts_are_drawn_and_stored_ones_keep_their_lane(exported: Any) -> None:
    exported.edit({"hitl.lanes.gold": 0.5, "hitl.lanes.dev": 0.0})
    known = next(p["text"] for p in exported.posts if p.get("lane") == "dev")
    texts = [known, *(f"K10 number {n}" for n in range(40))]
    lines = [{"text": text, "answer": "accept", "spans": [], "lane": "train"} for text in texts]
    result = import_format(CONFIG, write("prodigy", *lines), format="prodigy", task="product")
    assert result.counts["new texts"] == 40
    assert result.lost.count("field 'lane'") == 41
    with Dataset(DB) as dataset:
        assert dataset.lane(text_digest(known)) == "dev"
        lanes = [dataset.lane(text_digest(text)) for text in texts[1:]]
        (decision,) = dataset.decisions("product", text_digest(texts[1]))
    assert set(lanes) == {"gold", "train"}
    assert (decision.origin, decision.annotator) == ("import", "import:some.jsonl")


def test_ids_come_from_the_record_or_its_place(exported: Any) -> None:
    lines = [
        {"text": "one", "meta": {"id": "x"}, "answer": "accept", "spans": []},
        {"text": "two", "answer": "accept", "spans": []},
        {"text": "three", "meta": {"id": "x"}, "answer": "accept", "spans": []},
        {"text": "one", "meta": {"id": "y"}, "_task_hash": 5, "answer": "ignore"},
    ]
    result = import_format(CONFIG, write("prodigy", *lines), format="prodigy", task="product")
    rows = {r["text"]: r["id"] for r in records() if r.get("source") == "some.jsonl"}
    # A tool that splits texts gives all their parts the id of the whole.
    assert rows == {"one": "x", "two": "2", "three": f"x-{text_digest('three')[:12]}"}
    assert result.lost.count("meta of texts that are stored already") == 1
    assert result.lost.count("earlier answers of the same annotator") == 1
    # Another file with the same name is another source of texts, not a reason to stop.
    other = write("prodigy", {"text": "four", "answer": "accept", "spans": []})
    import_format(CONFIG, other, format="prodigy", task="product", annotator="ann")
    (row,) = (r for r in records() if r.get("text") == "four")
    assert row["id"] == "1"
    import_format(
        CONFIG,
        write("prodigy", {"text": "five", "answer": "accept", "spans": []}),
        format="prodigy",
        task="product",
    )
    (row,) = (r for r in records() if r.get("text") == "five")
    assert row["id"] == f"1-{text_digest('five')[:12]}"


def test_who_decided(exported: Any) -> None:
    """What the file says, else the option, else the file's name."""
    named = {**GOOD["prodigy"], "_session_id": "phones-ann"}
    path = write("prodigy", named, {**GOOD["prodigy"], "text": "K10 again"})
    import_format(CONFIG, path, format="prodigy", task="product", annotator="bob")
    assert [d["annotator"] for d in records()[-2:]] == ["phones-ann", "bob"]


def test_proposals_of_other_models_come_along(exported: Any) -> None:
    value = {"text": "K10 is new", "spans": [{**MENTION, "source": "en_core", "score": 0.5}]}
    result = import_format(CONFIG, write("prodigy", value), format="prodigy", task="product")
    assert (result.counts["proposals"], result.counts["decisions read"]) == (1, 0)
    with Dataset(DB) as dataset:
        (proposal,) = dataset.proposals("product", text_digest("K10 is new"))
    assert (proposal.source, proposal.status, proposal.sample) == ("en_core", "ok", 1)
    span = SpanAnnotation(0, 3, "PRODUCT", score=0.5, score_source="prodigy")
    assert proposal.annotation == Annotation(spans=(span,))


def test_confirmed_texts_without_labels(exported: Any) -> None:
    path = write("doccano", {"text": "nothing here", "label": []}, GOOD["doccano"])
    words = ("import", CONFIG, path, "--format", "doccano", "--task", "product")
    status, said = hitl(*words)
    assert status == 0 and "decisions read: 1" in said and "1 x texts without labels" in said
    status, said = hitl(*words, "--confirmed")
    assert status == 0 and "decisions read: 2" in said and "of these new: 1" in said


def test_spans_off_the_tokens_are_told(exported: Any) -> None:
    path = write("doccano", {"text": "K10U is new", "label": [[0, 3, "PRODUCT"]]})
    status, said = hitl("import", CONFIG, path, "--format", "doccano", "--task", "product")
    assert status == 0 and "1 spans don't stand on token boundaries" in said


def test_gold_data_of_spacy_is_imported_for_every_task_it_is_about(exported: Any) -> None:
    nlp = spacy.blank("en")
    doc = nlp.make_doc("K10 is new")
    doc.ents = [Span(doc, 0, 1, "PRODUCT")]
    doc.cats = {"RELEVANT": 1.0, "NOT_RELEVANT": 0.0}
    DocBin(docs=[doc, nlp.make_doc("nothing said")]).to_disk("gold.spacy")
    result = import_format(CONFIG, Path("gold.spacy"), format="docbin", annotator="ann")
    assert result.counts["new texts"] == 2 and result.counts["of these new"] == 2
    new = records()[-2:]
    assert {(d["task"], d["annotator"], d["origin"]) for d in new} == {
        ("product", "ann", "import"),
        ("relevant", "ann", "import"),
    }
    again = import_format(CONFIG, Path("gold.spacy"), format="docbin", annotator="ann")
    assert again.counts["of these new"] == 0
    only = import_format(CONFIG, Path("gold.spacy"), format="docbin", task="relevant")
    assert only.counts["decisions read"] == 1


def test_answers_about_single_labels_add_up(exported: Any) -> None:
    """Yes and no to one label at a time: each counts, and a second import changes nothing."""
    base = {"text": "K10 is new", "_annotator_id": "ann"}
    lines = [
        {**base, "label": "BATTERY_POSITIVE", "answer": "accept"},
        {**base, "label": "CAMERA_POSITIVE", "answer": "reject"},
    ]
    for new in (2, 0):
        result = import_format(
            CONFIG, write("prodigy", *lines), format="prodigy", task="attributes"
        )
        assert result.counts["of these new"] == new
    with Dataset(DB) as dataset:
        decisions = dataset.decisions("attributes", text_digest("K10 is new"))
    found = standing(decisions)
    assert found is not None and found.annotation is None and found.partial is not None
    assert set(found.partial.labels or ()) == {"BATTERY_POSITIVE", "CAMERA_POSITIVE"}
    assert [c.label for c in found.partial.annotation.cats] == ["BATTERY_POSITIVE"]
    # All of it said again, in another order of importance: the whole answer stays the last.
    whole = {**base, "answer": "accept", "accept": [], "_view_id": "choice"}
    for new in (1, 0):
        result = import_format(
            CONFIG, write("prodigy", *lines, whole), format="prodigy", task="attributes"
        )
        assert result.counts["of these new"] == new


@pytest.mark.parametrize("format", ["prodigy", "label-studio"])
def test_a_name_that_cannot_be_stored_stores_nothing(format: str, exported: Any) -> None:
    before = records()
    if format == "prodigy":
        bad = {**GOOD[format], "text": "other", "_annotator_id": "\ud800"}
    else:
        bad = {"data": {"text": "x"}, "annotations": [{"result": [], "completed_by": "\x00"}]}
    words = ("import", CONFIG, write(format, GOOD[format], bad), "--format", format)
    status, said = hitl(*words, "--task", "product")
    assert status == 1 and "[H005]" in said and "(name)" in said
    nothing_new(before)


@pytest.mark.parametrize("format", ["prodigy", "docbin"])
def test_an_import_remembers_the_task_it_was_made_for(format: str, project: Any) -> None:
    """Later versions of the task then know what was decided."""
    path = write("prodigy", GOOD["prodigy"])
    if format == "docbin":
        doc = spacy.blank("en")("K10 is new")
        doc.ents = [Span(doc, 0, 1, "PRODUCT")]
        path = Path("gold.spacy")
        DocBin(docs=[doc]).to_disk(path)
    import_format(CONFIG, path, format=format, task="product")
    with Dataset(DB) as dataset:
        (decision,) = dataset.decisions("product", text_digest("K10 is new"))
        assert list(read_versions(dataset, "product")) == [decision.task_digest]
    project.edit(
        {
            "components.product.task.labels": ["PHONE"],
            "components.product.task.label_definitions": {"PHONE": "a phone"},
            "hitl.changes": {"product": {"rename": {"PRODUCT": "PHONE"}}},
        }
    )
    export_format(CONFIG, Path("o"), format="prodigy", task="product", lanes=list(LANES))
    found = [r for r in srsly.read_jsonl("o/product.jsonl") if r["text"] == "K10 is new"]
    assert [[s["label"] for s in r["spans"]] for r in found] == [["PHONE"]]
