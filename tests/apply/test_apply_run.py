"""The whole run: what comes out, what fails alone, what is left after a kill."""

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterable, Iterator, List, Optional

import pytest
import spacy
import srsly
from apply_world import failing, files, make_pipeline, make_texts, results, write
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from typer.testing import CliRunner

from spacy_hitl.apply.annotating import RowAnnotator
from spacy_hitl.apply.engines import run_here
from spacy_hitl.apply.found import doc_to_record
from spacy_hitl.apply.run import ApplySummary, apply
from spacy_hitl.cli import hitl_cli
from spacy_hitl.errors import ModelError
from spacy_hitl.io import folder_digest
from spacy_hitl.records import Row

OUT = Path("out.jsonl")


def command(*words: Any) -> Any:
    return CliRunner().invoke(hitl_cli, ["apply", *map(str, words)])


def test_the_same_as_the_pipeline_alone(pipeline: str) -> None:
    texts = make_texts(23)
    summary = apply(pipeline, write(texts), OUT, shard_rows=5)
    assert (summary.rows, summary.written, summary.before) == (23, 23, 0)
    docs = spacy.load(pipeline).pipe(texts)
    expected = [
        doc_to_record(doc, Row("texts.jsonl", f"r{i}", doc.text)).to_dict()
        for i, doc in enumerate(docs)
    ]
    assert results(OUT) == expected
    assert sum(len(r.get("ents", ())) for r in expected) == 19
    assert sorted(files(OUT)) == [
        "errors.jsonl",
        *(f"part-0000{n}.jsonl" for n in range(5)),
        "run.json",
    ]
    assert files(OUT)["errors.jsonl"] == b""


def test_forms_of_results(pipeline: str, fails: Any) -> None:
    texts = make_texts(7)
    path = write(texts)
    apply(pipeline, path, Path("plain"), shard_rows=3)
    apply(pipeline, path, Path("bins.spacy"), shard_rows=3)
    assert len(results(Path("plain"))) == 7
    vocab = spacy.load(pipeline).vocab
    docs = []
    for part in sorted(Path("bins.spacy").glob("part-*.spacy")):
        docs += DocBin().from_disk(part).get_docs(vocab)
    assert [doc.text for doc in docs] == texts
    assert [doc.user_data["hitl_row"]["id"] for doc in docs] == [f"r{i}" for i in range(7)]
    found = [[(e.start_char, e.end_char, e.label_) for e in doc.ents] for doc in docs]
    records = [
        [(e["start"], e["end"], e["label"]) for e in r.get("ents", ())]
        for r in results(Path("plain"))
    ]
    assert found == records
    with fails("H600", "out.xlsx", "'.xlsx'"):
        apply(pipeline, path, Path("out.xlsx"))


@pytest.mark.parametrize("part", ["hitl_test_plain", "hitl_test_batches", "hitl_test_brittle"])
def test_a_bad_text_fails_alone(part: str, here: Path) -> None:
    texts = make_texts(30)
    expected = {f"r{i}" for i in range(30)}
    for i in (0, 7, 8, 29):
        texts[i] += " POISON"
    texts[12] += " KEYLESS"
    texts[13] = "   "
    texts[14] = "NUL \x00"
    texts[20] += " NEW"
    bad = [0, 7, 8, 12, 13, 14, 29]
    summary = apply(failing(part), write(texts), OUT, shard_rows=11, batch_size=6)
    assert [row.id for row in sorted(summary.failed, key=lambda r: int((r.id or "r0")[1:]))] == [
        f"r{i}" for i in bad
    ]
    found = results(OUT)
    assert [r["id"] for r in found] == sorted(
        expected - {f"r{i}" for i in bad}, key=lambda id_: int(id_[1:])
    )
    reasons = {row.id: row.reason for row in summary.failed}
    assert "ValueError: poisoned" in reasons["r7"]
    assert "KeyError" in reasons["r12"] and "initialize" not in reasons["r12"]
    assert "H005" in reasons["r13"] and "H005" in reasons["r14"]
    listed = list(srsly.read_jsonl(OUT / "errors.jsonl"))
    assert [row["id"] for row in listed] == [row.id for row in summary.failed]
    ents = {r["id"]: r.get("ents", ()) for r in found}
    assert all(len(ents[f"r{i}"]) == (i % 5 < 4) for i in range(30) if i not in bad)


def test_a_text_that_is_too_long(pipeline: str) -> None:
    texts = make_texts(3)
    texts[1] = "long " * 300_000
    summary = apply(pipeline, write(texts), OUT)
    (failed,) = summary.failed
    assert failed.id == "r1" and "H006" in failed.reason


def test_a_document_that_cannot_be_stored(here: Path) -> None:
    texts = make_texts(4)
    texts[1] += " UNSTORABLE"
    summary = apply(failing("hitl_test_plain"), write(texts), Path("out.spacy"))
    (failed,) = summary.failed
    assert failed.id == "r1" and "can't be stored" in failed.reason
    docs = list(DocBin().from_disk("out.spacy/part-00000.spacy").get_docs(spacy.blank("en").vocab))
    assert [doc.text for doc in docs] == [texts[0], *texts[2:]]


@pytest.mark.parametrize("part", ["hitl_test_plain", "hitl_test_batches", "hitl_test_brittle"])
def test_a_model_that_cannot_answer_stops_the_run(part: str, here: Path) -> None:
    with pytest.raises(ModelError):
        apply(failing(part), write(["one", "two REFUSED", "three"]), OUT)
    assert results(OUT) == []


def test_a_second_run_does_only_what_is_missing(pipeline: str) -> None:
    path = write(make_texts(23))
    apply(pipeline, path, OUT, shard_rows=5)
    before = files(OUT)
    (OUT / "part-00002.jsonl").unlink()
    (OUT / ".part-00002.jsonl.torn").write_text("half a li")
    seen: List[int] = []

    def engine(job: Any, shards: Any, *, report: Any) -> Any:
        seen.extend(shard.number for shard in shards)
        return run_here(job, shards, report=report)

    summary = apply(pipeline, path, OUT, shard_rows=5, engine=engine)
    assert seen == [2]
    assert (summary.rows, summary.before, summary.written) == (23, 18, 23)
    assert files(OUT) == before
    assert apply(pipeline, path, OUT, shard_rows=5, engine=engine).before == 23
    assert seen == [2]


def test_results_of_another_run_are_never_mixed(pipeline: str, fails: Any) -> None:
    path = write(make_texts(6))
    apply(pipeline, path, OUT, shard_rows=4)
    before = files(OUT)
    with fails("H603", "rows per shard (4, now 3)", "--overwrite"):
        apply(pipeline, path, OUT, shard_rows=3)
    with fails("H603", "id field"):
        apply(pipeline, path, OUT, shard_rows=4, id_field="")
    Path("mine.py").write_text("x = 1")
    with fails("H603", "the code is another"):
        apply(pipeline, path, OUT, shard_rows=4, code=Path("mine.py"))
    with fails("H001", "none.py"):
        apply(pipeline, path, Path("new"), code=Path("none.py"))
    write([*make_texts(6), "one more"])
    with fails("H603", "the texts are others"):
        apply(pipeline, path, OUT, shard_rows=4)
    write(make_texts(6))
    make_pipeline(label="PHONE").to_disk(pipeline)
    with fails("H603", "the pipeline is another"):
        apply(pipeline, path, OUT, shard_rows=4)
    assert files(OUT) == before
    summary = apply(pipeline, path, OUT, shard_rows=5, overwrite=True)
    assert (summary.before, len(results(OUT))) == (0, 6)
    assert {e["label"] for r in results(OUT) for e in r.get("ents", ())} == {"PHONE"}


def test_a_link_is_followed_once(pipeline: str) -> None:
    Path("link").symlink_to(pipeline)
    path = write(make_texts(6))

    def swap(job: Any, shards: Any, *, report: Any) -> Any:
        make_pipeline(label="PHONE").to_disk("other")
        Path("link").unlink()
        Path("link").symlink_to("other")
        return run_here(job, shards, report=report)

    apply("link", path, OUT, engine=swap)
    assert {e["label"] for r in results(OUT) for e in r.get("ents", ())} == {"PRODUCT"}
    assert json.loads((OUT / "run.json").read_text())["pipeline_digest"] == folder_digest(
        Path(pipeline)
    )


def test_what_cannot_be_used_is_named(pipeline: str, fails: Any) -> None:
    path = write(make_texts(2))
    with fails("H607", "nowhere"):
        apply("nowhere", path, OUT)
    with fails("H607", "texts.jsonl", "file"):
        apply("texts.jsonl", path, OUT)
    Path("broken").mkdir()
    with fails("H607", "broken"):
        apply("broken", path, OUT)
    with fails("H607", "broken"):
        apply("broken", path, OUT, workers=2)
    Path("mine").mkdir()
    Path("mine/thesis.txt").write_text("do not touch")
    for out in (Path("mine"), Path("texts.jsonl")):
        with fails("H602", out):
            apply(pipeline, path, out, overwrite=True)
    assert Path("mine/thesis.txt").read_text() == "do not touch"
    (OUT / "run.json").write_text("{")
    with fails("H004", "run.json"):
        apply(pipeline, path, OUT)


def test_two_runs_never_write_to_one_folder(pipeline: str, fails: Any) -> None:
    path = write(make_texts(2))
    apply(pipeline, path, OUT)
    with (OUT / ".state/lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with fails("H610", OUT):
            apply(pipeline, path, OUT)


def test_a_full_disk_leaves_whole_shards(pipeline: str, small_disk: Any, fails: Any) -> None:
    path = write(make_texts(4000))
    out = small_disk.folder / "out"
    apply(pipeline, write(make_texts(3), "few.jsonl"), out)
    small_disk.fill()
    with fails("H007", "Free some disk space"):
        apply(pipeline, path, out, overwrite=True)
    small_disk.free()
    assert apply(pipeline, path, out, overwrite=True).written == 4000
    assert len(results(out)) == 4000


# The command


def test_the_command(pipeline: str) -> None:
    texts = make_texts(5)
    path = write(texts)
    done = subprocess.run(
        [sys.executable, "-m", "spacy", "hitl", "apply", pipeline, path, OUT],
        capture_output=True,
        text=True,
        env={**os.environ, "WASABI_LOG_FRIENDLY": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert "5 of 5 texts in out.jsonl" in done.stdout and len(done.stdout.splitlines()) <= 2
    assert "text/s" in done.stderr
    texts[2] = " "
    write(texts, "bad.jsonl")
    for options, code in (([], 0), (["--strict"], 1)):
        result = command(pipeline, "bad.jsonl", "bad", "--quiet", *options)
        said = " ".join(result.output.split())
        assert result.exit_code == code and "4 of 5 texts" in said
        assert "1 texts have no result" in said and "bad/errors.jsonl" in said
    assert ", 5 of them by an earlier run" in said
    result = command(pipeline, "nothing.jsonl", "new")
    assert result.exit_code == 1 and "[H001]" in result.output


def test_fields_of_a_csv(pipeline: str) -> None:
    Path("a.csv").write_text("nr,body\n7,my Nebula\n8,nothing\n")
    options = ["--id-field", "nr", "--text-field", "body", "--batch-size", "1"]
    assert command(pipeline, "a.csv", OUT, *options).exit_code == 0
    assert [(r["id"], len(r.get("ents", ()))) for r in results(OUT)] == [("7", 1), ("8", 0)]


def test_given_up_shards_end_with_1(pipeline: str, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = ApplySummary(OUT, 9, 0, (), given_up=4, reason="they died", seconds=1.0)
    monkeypatch.setattr("spacy_hitl.apply.run.apply", lambda *args, **options: summary)
    result = command(pipeline, "a.jsonl", OUT)
    said = " ".join(result.output.split())
    assert result.exit_code == 1
    assert "5 of 9 texts" in said and "4 texts were given up" in said and "they died" in said


@pytest.mark.parametrize(
    "own, given, expected", [(1000, None, 128), (16, None, 16), (16, 300, 300)]
)
def test_batches_are_small_unless_asked_for(own: int, given: Optional[int], expected: int) -> None:
    """A batch of 1,000 texts takes four times the memory of one of 128, and is slower."""
    nlp = spacy.blank("en")
    nlp.batch_size = own
    seen: List[int] = []

    class Counting:
        def __call__(self, doc: Doc) -> Doc:
            return doc

        def pipe(self, stream: Iterable[Doc], *, batch_size: int) -> Iterator[Doc]:
            seen.append(batch_size)
            return iter(stream)

    Language.component("hitl_test_counting", func=Counting())
    nlp.add_pipe("hitl_test_counting")
    rows = [Row(source="posts.jsonl", id="r0", text="One text.")]
    found = list(RowAnnotator(nlp).annotate(rows, batch_size=given))
    assert len(found) == 1 and seen == [expected]
