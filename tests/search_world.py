"""Small corpora of posts about a K9, and configs of students that learn from them in a second."""

from pathlib import Path
from typing import Any, List, Optional, Tuple

from confection import Config
from spacy.util import load_config_from_str

from spacy_hitl.dataset.corpus import write_corpus
from spacy_hitl.io import text_digest
from spacy_hitl.records import (
    Annotation,
    CategoryAnnotation,
    Lane,
    Proposal,
    RelationAnnotation,
    SpanAnnotation,
    TaskHeader,
    TaskRow,
)

CORPUS = Path("corpus.jsonl")
CONFIG = Path("train.cfg")
TAIL = """
[corpora]

[corpora.train]
@readers = "spacy-hitl.TaskCorpus.v1"
path = ${paths.corpus}
task = "thing"
lane = "train"

[corpora.dev]
@readers = "spacy-hitl.TaskCorpus.v1"
path = ${paths.corpus}
task = "thing"
lane = "dev"

[initialize]

[training]
dev_corpus = "corpora.dev"
train_corpus = "corpora.train"
seed = 0
gpu_allocator = null
max_steps = 12
eval_frequency = 6

[training.optimizer]
@optimizers = "Adam.v1"
learn_rate = 0.02
"""
NER = """
[paths]
corpus = "corpus.jsonl"

[nlp]
lang = "xx"
pipeline = ["thing"]

[components]

[components.thing]
factory = "ner"

[components.thing.model]
@architectures = "spacy.TransitionBasedParser.v2"
state_type = "ner"
extra_state_tokens = false
hidden_width = 16
maxout_pieces = 1
use_upper = true

[components.thing.model.tok2vec]
@architectures = "spacy.HashEmbedCNN.v2"
pretrained_vectors = null
width = 16
depth = 1
embed_size = 100
window_size = 1
maxout_pieces = 1
subword_features = false
"""
CATS = """
[paths]
corpus = "corpus.jsonl"

[nlp]
lang = "xx"
pipeline = ["thing"]

[components]

[components.thing]
factory = "textcat"

[components.thing.model]
@architectures = "spacy.TextCatBOW.v3"
exclusive_classes = true
length = 512
ngram_size = 1
no_output_layer = false
"""
WARM_UP = {
    "@callbacks": "spacy-hitl.distill.v1",
    "path": "${paths.corpus}",
    "task": "thing",
    "epochs": 2,
}
KINDS = {
    "ner": TaskHeader("thing", "ner", ("A",), "digest"),
    "spancat": TaskHeader("thing", "spancat", ("A",), "digest", spans_key="sc"),
    "textcat": TaskHeader("thing", "textcat", ("BAD", "GOOD"), "digest", exclusive=True),
    "textcat_multilabel": TaskHeader("thing", "textcat", ("BAD", "GOOD"), "digest"),
    "entity_linker": TaskHeader("thing", "linking", ("A",), "digest"),
    "hitl_relations": TaskHeader("thing", "relations", ("BEATS",), "digest"),
}


def annotate(text: str, header: TaskHeader) -> Annotation:
    """What is right: the K9 is a thing; what is great is good; it beats the R2."""
    start = text.index("K9")
    if header.kind == "textcat":
        return Annotation(cats=(CategoryAnnotation("GOOD" if "great" in text else "BAD"),))
    if header.kind == "relations":
        tail = text.index("R2")
        relation = RelationAnnotation(start, start + 2, tail, tail + 2, "BEATS")
        return Annotation(relations=(relation,) if "great" in text else ())
    kb_id = "k9" if header.kind == "linking" else None
    return Annotation(spans=(SpanAnnotation(start, start + 2, "A", kb_id),))


def make_row(
    text: str,
    lane: Lane,
    *,
    decided: bool,
    header: TaskHeader,
    proposed: Optional[Annotation] = None,
) -> TaskRow:
    right, digest = annotate(text, header), text_digest(text)
    proposal = Proposal(digest, "thing", "m", "ok", "t", annotation=proposed or right)
    decision = right if decided else None
    origin = "person" if decided else None
    return TaskRow(text, digest, lane, decision=decision, origin=origin, proposal=proposal)


def make_rows(
    header: TaskHeader, *, train: int = 16, dev: int = 6, undecided: int = 16
) -> List[TaskRow]:
    """Texts of which none is nearly another."""
    lanes: List[Tuple[Lane, bool]] = [("train", True)] * train + [("dev", True)] * dev
    lanes += [("train", False)] * undecided
    rows = []
    for i, (lane, decided) in enumerate(lanes):
        how = "is great" if i % 2 else "broke"
        text = f"post {i} says number{i} my{i} K9 {how} and{i} the{i} R2 not{i} now{i}"
        rows.append(make_row(text, lane, decided=decided, header=header))
    return rows


def write_world(
    kind: str = "ner", *, config: Optional[str] = None, warm_up: bool = False, **sizes: Any
) -> List[TaskRow]:
    """Write corpus.jsonl and train.cfg into the current folder."""
    rows = make_rows(KINDS[kind], **sizes)
    write_corpus(CORPUS, KINDS[kind], rows)
    text = config or {"ner": NER, "textcat": CATS}[kind]
    found = load_config_from_str(text + TAIL, interpolate=False)
    if warm_up:
        found["initialize"]["after_init"] = dict(WARM_UP)
    write_config(found)
    return rows


def write_config(config: Config) -> None:
    CONFIG.write_text(config.to_str(interpolate=False))
