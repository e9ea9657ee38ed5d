"""Plain `spacy train` learns from a corpus with parts, rejected spans and weights."""

from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.cli.init_config import fill_config
from spacy.cli.train import train

from spacy_hitl.dataset.corpus import write_corpus
from spacy_hitl.io import text_digest
from spacy_hitl.records import (
    Annotation,
    CategoryAnnotation,
    Look,
    PartialDecision,
    Proposal,
    SpanAnnotation,
    TaskHeader,
    TaskRow,
)

CONFIG = """
[nlp]
lang = "en"
pipeline = ["thing"]

[components]

[components.thing]
{component}

[corpora]

[corpora.train]
@readers = "spacy-hitl.TaskCorpus.v1"
path = {path}
task = "thing"
proposals = true

[corpora.train.weights]
blind = 2
partial = 3

[corpora.dev]
@readers = "spacy-hitl.TaskCorpus.v1"
path = {path}
task = "thing"
lane = "dev"

[training]
max_steps = 12
eval_frequency = 6
patience = 0
dev_corpus = "corpora.dev"
train_corpus = "corpora.train"

[training.optimizer]
@optimizers = "Adam.v1"
learn_rate = 0.01
"""
NER = """factory = "ner"
incorrect_spans_key = "rejected"
[components.thing.model]
@architectures = "spacy.TransitionBasedParser.v2"
state_type = "ner"
extra_state_tokens = false
hidden_width = 16
maxout_pieces = 2
use_upper = true
[components.thing.model.tok2vec]
@architectures = "spacy.HashEmbedCNN.v2"
width = 16
depth = 1
embed_size = 200
window_size = 1
maxout_pieces = 2
subword_features = false
pretrained_vectors = null
"""
CATEGORIES = 'factory = "textcat_multilabel"\n'


@pytest.mark.parametrize("kind, component", [("ner", NER), ("textcat", CATEGORIES)])
def test_spacy_train(kind: str, component: str, tmp_path: Path, caplog: Any) -> None:
    def said(*labels: str) -> Annotation:
        places = {"A": (0, 6), "B": (15, 18)}
        return Annotation(
            spans=tuple(SpanAnnotation(*places[x], x) for x in labels if kind == "ner"),
            cats=tuple(CategoryAnnotation(x) for x in labels if kind == "textcat"),
        )

    rows = []
    for i in range(4):
        text, lane = f"Nebula is from Ann {i}", "dev" if i == 0 else "train"
        digest = text_digest(text)
        proposal = Proposal(digest, "thing", "m", "ok", "t", annotation=said("A", "B"))
        row = TaskRow(text, digest, lane, said("A", "B") if i < 2 else None, proposal=proposal)
        if i == 2:
            partial = PartialDecision(said("A"), (Look(("A",)),))
            row = TaskRow(text, digest, lane, proposal=proposal, partial=partial)
        rows.append(row)
    write_corpus(tmp_path / "c.jsonl", TaskHeader("thing", kind, ("A", "B"), "d"), rows)
    path = f'"{tmp_path / "c.jsonl"}"'
    (tmp_path / "c.cfg").write_text(CONFIG.format(component=component, path=path))
    fill_config(tmp_path / "filled.cfg", tmp_path / "c.cfg")
    caplog.set_level("INFO", logger="spacy")
    train(tmp_path / "filled.cfg", tmp_path / "out")
    wanted = "lane train: blind 1, partial 1, proposal 2"
    assert caplog.text.count(wanted) == 2, "initialising and training each read it"
    doc = spacy.load(tmp_path / "out" / "model-last")("Nebula is from Ann 7")
    if kind == "ner":
        assert [(e.text, e.label_) for e in doc.ents] == [("Nebula", "A"), ("Ann", "B")]
    else:
        assert doc.cats["A"] > 0.5 and set(doc.cats) == {"A", "B"}
