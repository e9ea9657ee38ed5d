"""Texts of production come back into the gold lane: at random, blind, once."""

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
from apply_world import files, make_pipeline, make_texts, write
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from spacy_hitl.apply.audit import read_share
from spacy_hitl.apply.run import apply
from spacy_hitl.cli import hitl_cli
from spacy_hitl.dataset.audits import AUDIT, read_audited
from spacy_hitl.dataset.lanes import draw_lane, is_audited, normal_digest
from spacy_hitl.dataset.store import Dataset
from spacy_hitl.dataset.task_versions import read_versions
from spacy_hitl.dataset.views import GoldSet, TrainingSet
from spacy_hitl.exchange.formats import export_format
from spacy_hitl.exchange.run import export_corpora
from spacy_hitl.exchange.status.project import project_status
from spacy_hitl.io import folder_digest, text_digest
from spacy_hitl.records import (
    ACCEPT,
    BLIND,
    GOLD,
    PERSON,
    Annotation,
    Decision,
    SpanAnnotation,
    TaskRow,
)
from spacy_hitl.review.server.wire import render
from spacy_hitl.review.session.catalogs import Catalogs
from spacy_hitl.review.session.opening import Wanted, open_session, read_project
from spacy_hitl.settings import LaneSettings

CONFIG, DB, OUT = Path("configs/prototype.cfg"), Path("datasets/hitl.db"), Path("out.jsonl")
normals = st.text(max_size=20).map(normal_digest)


def salt() -> str:
    return LaneSettings().salt


def drawn_of(texts: List[str], share: float) -> List[str]:
    return [t for t in texts if is_audited(normal_digest(t), share=share, salt=salt())]


def run(path: Path, *, share: float = 0.3, pipeline: str = "pipeline", **options: Any) -> Any:
    return apply(pipeline, path, OUT, audit=share, config=CONFIG, overwrite=True, **options)


def audited() -> List[Any]:
    with Dataset(DB) as dataset:
        return list(read_audited(dataset, "product"))


def gold_texts() -> Dict[str, str]:
    with GoldSet(DB) as gold:
        return {text_digest(text): text for text in gold.texts()}


@pytest.fixture
def ready(exported: Any) -> Any:
    make_pipeline().to_disk("pipeline")
    exported.edit({"hitl.business": None})
    return exported


@given(normal=normals, low=st.floats(0, 1), high=st.floats(0, 1))
def test_a_larger_share_draws_all_of_a_smaller_one(normal: str, low: float, high: float) -> None:
    low, high = sorted((low, high))
    one, other = (is_audited(normal, share=s, salt="s") for s in (low, high))
    assert one <= other
    assert is_audited(normal, share=1, salt="s") and not is_audited(normal, share=0, salt="s")


def test_the_draw_is_independent_of_the_lanes() -> None:
    digests = [normal_digest(f"text {i}") for i in range(20_000)]
    drawn = [d for d in digests if is_audited(d, share=0.1, salt="s")]
    assert 1850 < len(drawn) < 2150
    gold = sum(draw_lane(d, gold=0.5, dev=0.0, salt="s") == GOLD for d in drawn)
    assert 0.45 < gold / len(drawn) < 0.55


@pytest.mark.parametrize(
    "value, share", [("0.5%", 0.005), (" 2 %", 0.02), ("0.3", 0.3), ("100%", 1)]
)
def test_shares(value: str, share: float) -> None:
    assert read_share(value) == share


def test_bad_options(ready: Any, fails: Any) -> None:
    path = write(make_texts(3))
    for value in ("much", "0", "0%", "101%", "-1", "nan", ""):
        with fails("H604", f"'{value}'"):
            read_share(value)
    with fails("H604", "1.5"):
        run(path, share=1.5)
    with fails("H605", "--config"):
        apply("pipeline", path, OUT, audit=0.1)
    make_pipeline(name="other").to_disk("other")
    with fails("H606", "'other'", "product, link"):
        run(path, pipeline="other")
    done = CliRunner().invoke(hitl_cli, ["apply", "pipeline", str(path), "o", "--audit", "5%"])
    assert done.exit_code == 1 and "[H605]" in done.output


def test_what_is_drawn_and_kept(ready: Any) -> None:
    texts = make_texts(80)
    before = set(gold_texts())
    summary = run(write(texts), shard_rows=7)
    drawn = drawn_of(texts, 0.3)
    assert 10 < len(drawn) < 40
    assert (summary.audit.new, summary.audit.known, summary.audit.before) == (len(drawn), 0, 0)
    assert {t for d, t in gold_texts().items() if d not in before} == set(drawn)
    source = f"production:{folder_digest(Path('pipeline'))[:16]}"
    nlp = make_pipeline()
    found = audited()
    assert {one.text_digest for one in found} == {text_digest(t) for t in drawn}
    by_digest = {text_digest(t): t for t in drawn}
    for one in found:
        doc = nlp(by_digest[one.text_digest])
        assert one.proposal.source == one.source == source
        assert one.proposal.status == ("ok" if doc.ents else "empty")
        assert [(s.start, s.end, s.label) for s in one.proposal.annotation.spans] == [
            (e.start_char, e.end_char, e.label_) for e in doc.ents
        ]
        assert one.decisions == ()
    with Dataset(DB) as dataset:
        rows = dataset.db.rows("SELECT id, meta FROM rows WHERE source = ?", (AUDIT,))
        meta = {id_: json.loads(value)["audit"] for id_, value in rows}
    assert set(meta) == {f"r{i}" for i, t in enumerate(texts) if t in drawn}
    assert {(m["file"], m["pipeline"]) for m in meta.values()} == {("texts.jsonl", source[-16:])}
    assert not list((OUT / ".state").glob("*.audit.jsonl"))  # texts are in the dataset only


def test_what_was_found_has_no_part_in_the_draw(ready: Any) -> None:
    texts = make_texts(80)
    run(write(texts))
    one = {a.text_digest for a in audited()}
    DB.unlink()
    make_pipeline(label="OTHER").to_disk("pipeline")
    run(write(texts))
    assert {a.text_digest for a in audited()} == one
    assert {a.proposal.status for a in audited()} == {"empty"}


def test_again_and_again(ready: Any) -> None:
    path = write(make_texts(40))
    first = run(path)
    there = audited()
    again = apply("pipeline", path, OUT, audit=0.3, config=CONFIG)  # nothing left to do
    assert (again.before, again.audit.new) == (40, 0)
    anew = run(path)
    assert (anew.audit.new, anew.audit.before) == (0, first.audit.new)
    assert audited() == there
    # A later pipeline over the same texts: what was said first is what counts.
    make_pipeline(label="OTHER").to_disk("pipeline")
    assert run(path).audit.new == 0
    assert audited() == there


def test_a_run_that_died_before_the_dataset(ready: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(make_texts(40))
    with monkeypatch.context() as patch:
        patch.setattr("spacy_hitl.apply.run.collect", lambda *a, **k: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(path, shard_rows=9)
    assert audited() == []
    summary = apply("pipeline", path, OUT, audit=0.3, config=CONFIG, shard_rows=9)
    assert summary.before == 40
    assert summary.audit.new == len(audited()) == len(drawn_of(make_texts(40), 0.3))


def test_what_the_dataset_knows_is_not_drawn(ready: Any) -> None:
    posts = [post["text"] for post in ready.posts]
    near = [text.upper() + "!!" for text in posts]
    new = make_texts(10)
    before = gold_texts()
    with TrainingSet(DB) as training:
        learned = [row.text for row in training.task_rows("product")]
    summary = run(write([*posts, *near, *new, *[t.upper() for t in new]]), share=1)
    assert (summary.audit.new, summary.audit.known) == (10, len(posts))
    assert set(gold_texts().values()) - set(before.values()) == set(new)
    with TrainingSet(DB) as training:
        assert [row.text for row in training.task_rows("product")] == learned


def test_what_the_dataset_cannot_hold_is_counted(ready: Any) -> None:
    ready.edit({"hitl.data.max_chars": 30})
    texts = [*make_texts(4), "long " * 10]
    assert run(write(texts), share=1).audit.unusable == 1


def test_a_text_on_which_production_fails_is_audited_too(ready: Any) -> None:
    make_pipeline("hitl_test_plain").to_disk("pipeline")
    run(write(["my Nebula", "my K9 POISON"]), share=1)
    statuses = {a.text_digest: a.proposal.status for a in audited()}
    assert statuses == {text_digest("my Nebula"): "ok", text_digest("my K9 POISON"): "failed"}


def test_ids_that_are_taken(ready: Any) -> None:
    run(write(["my Nebula", "no phone"]), share=1)
    run(write(["another Nebula", "no phone"], "more.jsonl"), share=1)
    with Dataset(DB) as dataset:
        ids = sorted(i for (i,) in dataset.db.rows("SELECT id FROM rows WHERE source = 'audit'"))
    digest = text_digest("another Nebula")[:12]
    assert ids == ["r0", f"r0-{digest}", "r1"]


def screen_of(digest: str) -> Any:
    """What the page gets of a text."""
    project = read_project(CONFIG, Wanted(("ann",)))
    with Dataset(DB) as dataset:
        session = open_session(project, dataset)
        assert session.texts.proposals("product", digest) == []
        screens, _, _ = session.next("ann", count=20)
        catalogs = Catalogs(session.plan)
        (shown,) = [render(session, catalogs, s) for s in screens if s.turn.digest == digest]
    return shown


def test_the_page_shows_nothing_of_what_production_said(ready: Any) -> None:
    ready.edit({"hitl.review.gold_share": 1.0})
    text, fresh = "my new Nebula", DB.read_bytes()
    run(write([text]), share=1)
    (one,) = audited()
    assert one.proposal.annotation.spans  # there is something to hide
    shown = screen_of(one.text_digest)
    assert shown["blind"] and shown["mode"] == "blind"
    DB.write_bytes(fresh)
    make_pipeline(label="OTHER").to_disk("pipeline")
    run(write([text]), share=1)
    (other,) = audited()
    assert not other.proposal.annotation.spans
    assert screen_of(one.text_digest)["tasks"] == shown["tasks"]


def test_no_file_holds_what_production_said(ready: Any) -> None:
    digest = text_digest("my new Nebula")
    run(write(["my new Nebula"]), share=1)
    with Dataset(DB) as dataset:
        (task_digest,) = {p.task_digest for p in dataset.proposals("product", digest)}
        nothing = Annotation()
        dataset.add_decisions(
            [Decision(digest, "product", ACCEPT, "ann", PERSON, task_digest, nothing, mode=BLIND)]
        )
    export_corpora(CONFIG)
    lines = Path("corpus/gold/product.jsonl").read_text().splitlines()
    (row,) = [TaskRow.from_dict(json.loads(line)) for line in lines if digest in line]
    assert (row.decision, row.proposal, row.blind) == (nothing, None, True)
    assert not any(digest in path.read_text() for path in Path("corpus").glob("*.jsonl"))
    for form in ("prodigy", "label-studio", "docbin"):
        export_format(CONFIG, Path("files"), format=form, lanes=("gold", "train", "dev"))
    written = [path.read_bytes() for path in Path("files").rglob("*") if path.is_file()]
    assert len(written) > 5 and any(b"my new Nebula" in content for content in written)
    assert not any(
        b"production:" in content for content in (*written, *files(Path("corpus")).values())
    )


def test_status_does_not_count_production_as_a_proposal(ready: Any) -> None:
    before = {t.task: (t.usable, t.unusable) for t in project_status(CONFIG).tasks}
    run(write(make_texts(9)), share=1)
    assert {t.task: (t.usable, t.unusable) for t in project_status(CONFIG).tasks} == before


def test_a_pipeline_that_learned_older_labels_is_read_in_them(ready: Any) -> None:
    """Its labels have been renamed since; what it says counts in the labels of now."""
    with Dataset(DB) as dataset:
        (digest,) = read_versions(dataset, "product")
    nlp = make_pipeline()
    nlp.meta["hitl"] = {"students": {"product": {"task_digest": digest}}}
    nlp.to_disk("pipeline")
    ready.edit(
        {
            "components.product.task.labels": ["PHONE"],
            "components.product.task.label_definitions": {"PHONE": "a phone"},
            "components.link.task.mention_label": "PHONE",
            "hitl.changes.product.rename": {"PRODUCT": "PHONE"},
        }
    )
    run(write(["my new Nebula"]), share=1)
    (one,) = audited()
    assert [s.label for s in one.proposal.annotation.spans] == ["PRODUCT"]
    assert one.proposal.task_digest == digest
    phone = Annotation(spans=(SpanAnnotation(7, 13, "PHONE"),))
    with Dataset(DB) as dataset:
        now = [d for d in read_versions(dataset, "product") if d != digest][-1]
        dataset.add_decisions(
            [Decision(one.text_digest, "product", ACCEPT, "ann", PERSON, now, phone, mode=BLIND)]
        )
    (quality,) = project_status(CONFIG).quality
    assert (quality.drawn, quality.waiting, quality.left_out) == (1, 0, 0)
    assert quality.quality.periods[0].score.value == 1.0
