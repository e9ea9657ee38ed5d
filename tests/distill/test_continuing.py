"""Going on from the last student: when, from what, and when not."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from search_world import CATS, CONFIG, CORPUS, KINDS, make_row, make_rows, write_world
from spacy.util import load_config

from spacy_hitl.dataset.corpus import write_corpus
from spacy_hitl.distill.run import distill
from spacy_hitl.distill.search import continuing
from spacy_hitl.distill.search.continuing import (
    Distilled,
    LearnedCorpus,
    copy_weights,
    describe_inputs,
    read_distilled,
    reason_to_start_afresh,
)
from spacy_hitl.io import write_jsonl
from spacy_hitl.records import Annotation, SpanAnnotation, TaskRow

NER = KINDS["ner"]
OUT = Path("out")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def decide(rows: List[TaskRow], count: int = 1) -> List[TaskRow]:
    """Some undecided texts are decided."""
    undecided = [row for row in rows if row.decision is None][:count]
    decided = {
        row.text: make_row(row.text, row.lane, decided=True, header=NER) for row in undecided
    }
    return [decided.get(row.text, row) for row in rows]


def change(rows: List[TaskRow]) -> List[TaskRow]:
    first = rows[0]
    return [replace(first, decision=Annotation()), *rows[1:]]


def take_away(rows: List[TaskRow]) -> List[TaskRow]:
    return [replace(rows[0], decision=None, origin=None), *rows[1:]]


def propose_otherwise(rows: List[TaskRow]) -> List[TaskRow]:
    last = rows[-1]
    assert last.decision is None and last.proposal is not None
    return [*rows[:-1], replace(last, proposal=replace(last.proposal, annotation=Annotation()))]


def add_proposal(rows: List[TaskRow]) -> List[TaskRow]:
    return [*rows, make_row("a new K9 broke", "train", decided=False, header=NER)]


def move(rows: List[TaskRow]) -> List[TaskRow]:
    return [replace(rows[0], lane="dev"), *rows[1:]]


def calibrate(rows: List[TaskRow]) -> List[TaskRow]:
    """Scores change with every decision; what is proposed does not."""

    def scored(row: TaskRow) -> TaskRow:
        assert row.proposal is not None
        spans = tuple(replace(s, score=0.7) for s in row.proposal.annotation.spans)
        return replace(row, proposal=replace(row.proposal, annotation=Annotation(spans=spans)))

    return [scored(row) for row in rows]


# When


def described(rows: List[TaskRow]) -> Distilled:
    write_corpus(CORPUS, NER, rows)
    return describe_inputs(CONFIG)


@pytest.mark.parametrize(
    "what, part",
    [
        (lambda rows: rows, "no decision was added"),
        (decide, None),
        (lambda rows: calibrate(decide(rows)), None),
        (lambda rows: [*rows, make_row("one K9 more", "dev", decided=True, header=NER)], None),
        (lambda rows: change(decide(rows)), "decisions of 'thing' were changed or taken away: 1"),
        (lambda rows: take_away(decide(rows, 2)), "changed or taken away: 1"),
        (lambda rows: decide(rows)[1:], "changed or taken away: 1"),
        (lambda rows: move(decide(rows)), "changed or taken away: 1"),
        (lambda rows: propose_otherwise(decide(rows)), "proposals of 'thing' were changed"),
        (lambda rows: decide(rows)[:-1], "proposals of 'thing' were changed or are gone: 1"),
        (lambda rows: add_proposal(decide(rows)), "with a proposal were added: 1"),
    ],
)
def test_only_added_decisions_are_gone_on_with(
    what: Callable[[List[TaskRow]], List[TaskRow]], part: Any
) -> None:
    rows = write_world()
    reason = reason_to_start_afresh(described(rows), described(what(rows)))
    assert reason is None if part is None else part in str(reason)


@given(st.sets(st.integers(0, 15)), st.sets(st.integers(0, 15)))
def test_it_depends_on_nothing_but_what_was_added(before: Any, after: Any) -> None:
    texts = [str(i) for i in range(16)]

    def corpus(decided: Any) -> Distilled:
        pairs = [
            tuple((t, "same") for i, t in enumerate(texts) if (i in decided) == d) for d in (1, 0)
        ]
        return Distilled("c", (LearnedCorpus("p", "thing", "h", *pairs),), (), "3", "0")

    reason = reason_to_start_afresh(corpus(before), corpus(after))
    assert (reason is None) == (before < after)


@pytest.mark.parametrize(
    "values, part",
    [
        ({"config": "other"}, "config"),
        ({"spacy": "2.0"}, "another version"),
        ({"spacy_hitl": "9"}, "another version"),
        ({"files": (("catalog.jsonl", "other"),)}, "'catalog.jsonl' is not the same"),
        ({"corpora": ()}, "other corpora"),
    ],
)
def test_what_else_must_be_the_same(values: Dict[str, Any], part: str) -> None:
    rows = write_world()
    old, new = described(rows), described(decide(rows))
    assert reason_to_start_afresh(old, new) is None
    assert part in str(reason_to_start_afresh(replace(old, **values), new))


def test_a_changed_task_is_not_the_same() -> None:
    rows = write_world()
    old = described(rows)
    write_corpus(CORPUS, replace(NER, task_digest="other"), decide(rows))
    assert "task 'thing'" in str(reason_to_start_afresh(old, describe_inputs(CONFIG)))


def test_other_files_of_the_config_are_described() -> None:
    write_world()
    write_jsonl(Path("catalog.jsonl"), [{"id": "k9"}])
    Path("base").mkdir()
    Path("base/meta.json").write_text("{}")
    config = load_config(CONFIG, interpolate=False)
    config["initialize"]["vocab_data"] = "catalog.jsonl"
    config["initialize"]["vectors"] = "./base"
    config["paths"]["gold"] = "gold.jsonl"  # named and not used: not read
    write_corpus(Path("gold.jsonl"), NER, [replace(make_rows(NER)[0], lane="gold")])
    CONFIG.write_text(config.to_str(interpolate=False))
    found = describe_inputs(CONFIG)
    assert [name for name, _ in found.files] == ["./base", "catalog.jsonl"]
    assert [corpus.path for corpus in found.corpora] == ["corpus.jsonl"]
    before = dict(found.files)
    Path("base/meta.json").write_text("{ }")
    assert dict(describe_inputs(CONFIG).files)["./base"] != before["./base"]


# From what


def weights(path: Path) -> bytes:
    found: bytes = spacy.load(path).get_pipe("thing").model.to_bytes()
    return found


def test_a_student_goes_on() -> None:
    rows = write_world(warm_up=True)
    lines: List[str] = []
    distill(CONFIG, OUT, report=lines.append)
    assert lines == ["Training from scratch: no student with a record in 'out'"]
    first = read_distilled(OUT)
    assert first is not None and first.decided == 22 and first.continued == 0 and first.seed == 0
    write_corpus(CORPUS, NER, decide(rows, 3))
    distill(CONFIG, OUT, report=lines.append)
    assert lines[1:] == ["Going on from the student of 22 decisions: 3 were added"]
    done = read_distilled(OUT)
    assert done is not None and done.decided == 25 and done.continued == 1
    nlp = spacy.load(OUT / "model-best")
    # The saved config is the one that was given.
    assert nlp.config["initialize"]["after_init"]["@callbacks"] == "spacy-hitl.distill.v1"
    went_on = weights(OUT / "model-best")
    lines.clear()
    distill(CONFIG, OUT, report=lines.append)
    assert lines == ["Training from scratch: no decision was added"]
    assert weights(OUT / "model-best") != went_on
    distill(CONFIG, OUT, fresh=True, report=lines.append)
    assert lines[1:] == ["Training from scratch: --fresh was given"]


def test_it_starts_with_the_old_weights(monkeypatch: Any) -> None:
    rows = write_world(warm_up=True)
    distill(CONFIG, OUT)
    old = weights(OUT / "model-best")
    write_corpus(CORPUS, NER, decide(rows, 3))
    seen: List[bytes] = []
    real = continuing.train

    def training(nlp: Any, *args: Any, **values: Any) -> Any:
        seen.append(nlp.get_pipe("thing").model.to_bytes())
        return real(nlp, *args, **values)

    monkeypatch.setattr(continuing, "train", training)
    distill(CONFIG, OUT)
    assert seen == [old]
    assert weights(OUT / "model-best") != old


def test_a_student_that_is_not_the_recorded_one_is_not_gone_on_from() -> None:
    rows = write_world()
    distill(CONFIG, OUT)
    record = json.loads((OUT / "distilled.json").read_text())
    write_corpus(CORPUS, NER, decide(rows))
    (OUT / "distilled.json").write_text(json.dumps({**record, "model": "other"}))
    lines: List[str] = []
    distill(CONFIG, OUT, report=lines.append)
    assert "model-best is not the one" in lines[0]
    (OUT / "distilled.json").write_text("{")
    assert read_distilled(OUT) is None
    (OUT / "distilled.json").write_text('{"v": 1}')
    assert read_distilled(OUT) is None
    shutil.rmtree(OUT / "model-best")
    (OUT / "distilled.json").write_text(json.dumps(record))
    assert read_distilled(OUT) is None


def test_new_labels_start_afresh() -> None:
    header = replace(NER, labels=("A", "B"))
    rows = write_world()
    write_corpus(CORPUS, header, rows)
    distill(CONFIG, OUT)
    new = make_row("one K9 more", "train", decided=True, header=NER)
    label_b = Annotation(spans=(SpanAnnotation(4, 6, "B"),))
    write_corpus(CORPUS, header, [*rows, replace(new, decision=label_b)])
    lines: List[str] = []
    distill(CONFIG, OUT, report=lines.append)
    assert lines[-1] == "Training from scratch: the labels of 'thing' are not the same"
    assert spacy.load(OUT / "model-best").get_pipe("thing").labels == ("A", "B")


def test_a_config_without_an_exported_corpus_trains_as_ever(monkeypatch: Any) -> None:
    from spacy.tokens import DocBin

    nlp = spacy.blank("xx")
    docs = [nlp.make_doc(text) for text in ("it broke", "it is great")]
    for i, doc in enumerate(docs):
        doc.cats = {"GOOD": float(i), "BAD": 1.0 - i}
    DocBin(docs=docs, store_user_data=True).to_disk("docs.spacy")
    write_world("textcat", config=CATS)
    config = load_config(CONFIG, interpolate=False)
    for lane in ("train", "dev"):
        config["corpora"][lane] = {"@readers": "spacy.Corpus.v1", "path": "docs.spacy"}
    CONFIG.write_text(config.to_str(interpolate=False))
    lines: List[str] = []
    for _ in range(2):
        distill(CONFIG, OUT, report=lines.append)
    assert "no exported corpus" in lines[-1]


def test_a_linker_keeps_its_own_knowledge_base() -> None:
    """Only the weights are copied: the knowledge base was built with the new links."""
    from spacy.kb import InMemoryLookupKB

    def linker(*aliases: str, seed: int) -> Any:
        spacy.util.fix_random_seed(seed)
        nlp = spacy.blank("xx")
        nlp.add_pipe("sentencizer")
        pipe = nlp.add_pipe("entity_linker", name="thing")

        def load(vocab: Any) -> InMemoryLookupKB:
            kb = InMemoryLookupKB(vocab, entity_vector_length=64)
            kb.add_entity("k9", freq=1, entity_vector=[1.0] * 64)
            for alias in aliases:
                kb.add_alias(alias, ["k9"], [0.9])
            return kb

        pipe.set_kb(load)
        doc = nlp("the K9 broke")
        doc.ents = [spacy.tokens.Span(doc, 1, 2, label="A", kb_id="k9")]
        nlp.initialize(lambda: [spacy.training.Example(nlp("the K9 broke"), doc)])
        return nlp

    old, new = linker("K9", seed=0), linker("K9", "Kay Nine", seed=1)
    pipes = [nlp.get_pipe("thing") for nlp in (old, new)]
    assert pipes[0].model.to_bytes() != pipes[1].model.to_bytes()
    assert copy_weights(old, new) is None
    assert pipes[0].model.to_bytes() == pipes[1].model.to_bytes()
    assert "Kay Nine" in pipes[1].kb.get_alias_strings()


def test_another_pipeline_is_not_copied_from() -> None:
    one, other = spacy.blank("xx"), spacy.blank("xx")
    one.add_pipe("textcat", name="thing").add_label("GOOD")
    other.add_pipe("textcat", name="thing").add_label("BAD")
    assert "labels of 'thing'" in str(copy_weights(one, other))
    assert "labels of 'thing'" in str(copy_weights(spacy.blank("xx"), other))
