"""What a student learned from stays in its meta, and changes nothing else of it."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from search_world import CONFIG, CORPUS, KINDS, make_row, make_rows, write_config, write_world
from spacy.cli.train import train
from spacy.util import load_config

from spacy_hitl.dataset.corpus import write_corpus
from spacy_hitl.dataset.digests import describe_rows, plain_name
from spacy_hitl.distill import callbacks
from spacy_hitl.distill.corpus import reader
from spacy_hitl.distill.learned import remember_inputs
from spacy_hitl.distill.run import distill
from spacy_hitl.io import file_digest, folder_digest, write_jsonl
from spacy_hitl.records import Annotation, Learned, SpanAnnotation, TaskRow

NER = KINDS["ner"]
OUT = Path("out")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def learned(path: Path = OUT / "model-best") -> Learned:
    meta = json.loads((path / "meta.json").read_text())["hitl"]
    assert set(meta) == {"v", "learned"}
    return Learned.from_dict(meta["learned"])


def edit(**sections: Any) -> None:
    config = load_config(CONFIG, interpolate=False)
    for name, values in sections.items():
        config[name].update(values)
    write_config(config)


def test_plain_spacy_train_writes_it_down() -> None:
    write_world(warm_up=True)
    train(CONFIG, OUT)
    found = learned()
    assert found == learned(OUT / "model-last")
    (corpus,) = found.corpora
    assert (corpus.name, corpus.task, corpus.kind) == ("corpus.jsonl", "thing", "ner")
    assert corpus.digest == file_digest(CORPUS)
    assert (corpus.decisions, corpus.proposals, corpus.answers) == (22, 16, 0)
    assert corpus.lanes == (("dev", 6), ("train", 16))
    assert corpus.origins == (("person", 22),)
    assert corpus.sources == (("m", 16),)
    assert dict(found.versions)["spacy"] == spacy.about.__version__
    assert (found.seed, found.parent, found.files, found.bases) == (0, None, (), ())


@pytest.mark.parametrize("warm_up", [True, False])
def test_the_weights_are_the_same_without_it(
    warm_up: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_world(warm_up=warm_up)
    train(CONFIG, OUT)
    for module in (reader, callbacks):
        monkeypatch.setattr(module, "remember_inputs", lambda nlp: None, raising=False)
    train(CONFIG, Path("without"))
    for model in ("model-best", "model-last"):
        for part in ("thing", "vocab", "config.cfg"):
            one, other = OUT / model / part, Path("without") / model / part
            digest = folder_digest if one.is_dir() else file_digest
            assert digest(one) == digest(other), part
    assert "hitl" not in json.loads(Path("without/model-best/meta.json").read_text())


def test_everything_the_config_reads_is_there() -> None:
    """A second corpus of another task, files and folders; absolute paths stay on the machine."""
    write_world(warm_up=True)
    other = replace(NER, task="other")
    write_corpus(Path("corpus/other.jsonl"), other, make_rows(NER, train=3, dev=0, undecided=0))
    write_jsonl(Path("catalog.jsonl"), [{"id": "k9"}])
    config = load_config(CONFIG, interpolate=False)
    config["paths"]["corpus"] = str(CORPUS.resolve())
    reader_block = dict(config["corpora"]["train"], path="corpus/other.jsonl", task="other")
    config["corpora"]["more"] = reader_block
    config["initialize"]["vocab_data"] = "catalog.jsonl"
    write_config(config)
    nlp = spacy.util.load_model_from_config(load_config(CONFIG), auto_fill=True)
    remember_inputs(nlp)
    found = Learned.from_dict(nlp.meta["hitl"]["learned"])
    assert [(c.name, c.task, c.decisions) for c in found.corpora] == [
        ("corpus.jsonl", "thing", 22),
        ("corpus/other.jsonl", "other", 3),
    ]
    assert found.files == (("catalog.jsonl", file_digest(Path("catalog.jsonl"))),)
    assert str(Path.cwd()) not in json.dumps(nlp.meta)


def test_a_changed_config_is_described_anew_and_the_same_one_is_not() -> None:
    write_world()
    nlp = spacy.util.load_model_from_config(load_config(CONFIG), auto_fill=True)
    remember_inputs(nlp)
    first = nlp.meta["hitl"]["learned"]
    remember_inputs(nlp)
    assert nlp.meta["hitl"]["learned"] is first
    nlp.config["training"]["max_steps"] = 1
    remember_inputs(nlp)
    assert nlp.meta["hitl"]["learned"]["config"] != first["config"]


def test_a_pipeline_without_a_config_says_nothing() -> None:
    write_world()
    nlp = spacy.blank("en")
    assert list(reader.make_task_corpus(CORPUS, "thing")(nlp))
    assert "hitl" not in nlp.meta


def test_a_student_that_went_on_names_its_parent() -> None:
    rows = write_world(warm_up=True)
    distill(CONFIG, OUT)
    assert learned().parent is None
    parent = folder_digest(OUT / "model-best")
    write_corpus(CORPUS, NER, decide(rows))
    lines: List[str] = []
    distill(CONFIG, OUT, report=lines.append)
    assert "Going on" in lines[0]
    for model in ("model-best", "model-last"):
        found = learned(OUT / model)
        assert found.parent == parent
        assert found.corpora[0].decisions == 23
    saved = load_config(OUT / "model-best/config.cfg")["initialize"]["after_init"]
    assert saved["@callbacks"] == "spacy-hitl.distill.v1"


def decide(rows: List[TaskRow]) -> List[TaskRow]:
    last = rows[-1]
    return [*rows[:-1], make_row(last.text, last.lane, decided=True, header=NER)]


def test_a_frozen_base_is_known_by_its_weights() -> None:
    write_world()
    base = spacy.blank("xx")
    base.add_pipe("tok2vec", config={"model": {"width": 16, "depth": 1}})
    base.initialize()
    base.to_disk("base")
    config = load_config(CONFIG, interpolate=False)
    config["nlp"]["pipeline"] = ["tok2vec", "thing"]
    config["components"] = {"tok2vec": {"source": "base"}, **config["components"]}
    config["training"]["frozen_components"] = ["tok2vec"]
    write_config(config)
    train(CONFIG, OUT)
    assert learned().bases == (("tok2vec", file_digest(Path("base/tok2vec/model"))),)


@given(st.permutations(make_rows(NER, train=3, dev=2, undecided=3)), st.floats(0, 1))
def test_order_and_scores_do_not_matter(rows: List[TaskRow], score: float) -> None:
    def scored(row: TaskRow) -> TaskRow:
        assert row.proposal is not None
        spans = tuple(replace(s, score=score) for s in row.proposal.annotation.spans)
        decision = None if row.decision is None else Annotation(spans=spans)
        return replace(row, decision=decision)

    wanted = describe_rows(NER, make_rows(NER, train=3, dev=2, undecided=3))
    assert describe_rows(NER, [scored(row) for row in rows]) == wanted


@pytest.mark.parametrize(
    "values",
    [
        {"decision": Annotation()},
        {"decision": Annotation(spans=(SpanAnnotation(0, 4, "A"),))},
        {"decision": None},
        {"lane": "dev"},
        {"text_digest": "other"},
    ],
)
def test_every_other_change_of_a_decision_matters(values: Dict[str, Any]) -> None:
    rows = make_rows(NER, train=3, dev=2, undecided=3)
    before = describe_rows(NER, rows).decisions_digest
    assert describe_rows(NER, [replace(rows[0], **values), *rows[1:]]).decisions_digest != before


def test_names_of_folders_of_a_machine_are_cut() -> None:
    wanted = {
        "corpus/a.jsonl": "corpus/a.jsonl",
        "/home/ada/a.jsonl": "a.jsonl",
        "../ada/a.jsonl": "a.jsonl",
        "~/a.jsonl": "a.jsonl",
        "gpt-9": "gpt-9",
        "replay:responses.jsonl": "replay:responses.jsonl",
    }
    assert {value: plain_name(value) for value in wanted} == wanted


def test_it_survives_a_copy() -> None:
    write_world()
    train(CONFIG, OUT)
    shutil.copytree(OUT / "model-best", "copy")
    spacy.load("copy").to_disk("again")
    assert learned(Path("again")) == learned()
