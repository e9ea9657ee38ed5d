"""The warm-up in [initialize.after_init], alone and inside spaCy's own training."""

from pathlib import Path
from typing import Any, Dict, List

import pytest
import spacy
from spacy.training.initialize import init_nlp
from spacy.util import fix_random_seed, load_config_from_str

from spacy_hitl.dataset.corpus import write_corpus
from spacy_hitl.distill.callbacks import make_distill_callback
from spacy_hitl.distill.run import distill
from spacy_hitl.io import text_digest
from spacy_hitl.records import Annotation, Proposal, SpanAnnotation, TaskHeader, TaskRow

HEADER = TaskHeader("thing", "ner", ("A",), "digest")
CONFIG = """
[nlp]
lang = "en"
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

[corpora]

[corpora.train]
@readers = "spacy-hitl.TaskCorpus.v1"
path = "corpus.jsonl"
task = "thing"
lane = "train"
proposals = true

[corpora.dev]
@readers = "spacy-hitl.TaskCorpus.v1"
path = "corpus.jsonl"
task = "thing"
lane = "dev"

[initialize]

[initialize.after_init]
@callbacks = "spacy-hitl.distill.v1"
path = "corpus.jsonl"
task = "thing"
epochs = 20
batch_size = 4
learn_rate = 0.01
dropout = 0.1

[training]
dev_corpus = "corpora.dev"
train_corpus = "corpora.train"
seed = 0
gpu_allocator = null
max_steps = 4
eval_frequency = 2

[training.score_weights]
ents_f = 1.0
"""


def make_row(text: str, lane: str, *, decided: bool) -> TaskRow:
    start = text.index("K9")
    annotation = Annotation(spans=(SpanAnnotation(start, start + 2, "A"),))
    digest = text_digest(text)
    proposal = Proposal(digest, "thing", "m", "ok", "t", annotation=annotation)
    decision = annotation if decided else None
    return TaskRow(text, digest, lane, decision=decision, proposal=proposal)


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    texts = [f"{a} K9 {b}" for a in ("my", "the old", "one") for b in ("broke", "is great")]
    rows = [make_row(t, "train", decided=t.startswith("one")) for t in texts]
    rows += [make_row("a K9 is fine", "dev", decided=True)]
    write_corpus(Path("corpus.jsonl"), HEADER, rows)
    Path("train.cfg").write_text(CONFIG)
    return Path("corpus.jsonl")


def initialised() -> Any:
    config = load_config_from_str(CONFIG)
    config["initialize"]["after_init"] = None
    return init_nlp(config)


def weights(nlp: Any) -> Dict[str, bytes]:
    model = nlp.get_pipe("thing").model
    return {
        f"{i} {node.name} {name}": node.get_param(name).tobytes()
        for i, node in enumerate(model.walk())
        for name in node.param_names
        if node.has_param(name)
    }


def found(nlp: Any, text: str) -> List[str]:
    return [e.text for e in nlp(text).ents]


def warm_up(corpus: Path, **values: Any) -> Any:
    nlp = initialised()
    fix_random_seed(0)
    make_distill_callback(corpus, "thing", batch_size=2, **values)(nlp)
    return nlp


def test_it_changes_the_weights_and_nothing_else(corpus: Path) -> None:
    before, nlp = initialised(), warm_up(corpus, epochs=1)
    assert weights(nlp).keys() == weights(before).keys()
    assert weights(nlp) != weights(before)
    assert nlp.config == before.config and nlp.pipe_names == before.pipe_names


def test_it_learns(corpus: Path) -> None:
    nlp = warm_up(corpus, epochs=30, learn_rate=0.02, dropout=0.0)
    assert found(nlp, "my K9 broke") == ["K9"]


def test_the_same_seed_gives_the_same_weights(corpus: Path) -> None:
    one = weights(warm_up(corpus, epochs=3, seed=1))
    assert weights(warm_up(corpus, epochs=3, seed=1)) == one
    assert weights(warm_up(corpus, epochs=3, seed=2)) != one


def test_near_duplicates_of_dev_are_not_learned_from(corpus: Path) -> None:
    words = "one two three four five six seven eight nine ten eleven twelve thirteen"
    dev = make_row(f"K9 {words} today", "dev", decided=True)
    apart = [dev, make_row("the K9 is mine", "train", decided=False)]
    near = make_row(f"K9 {words} now", "train", decided=False)
    write_corpus(corpus, HEADER, apart)
    wanted = weights(warm_up(corpus, epochs=1))
    write_corpus(corpus, HEADER, [*apart, near])
    assert weights(warm_up(corpus, epochs=1)) == wanted
    assert weights(warm_up(corpus, epochs=1, near_duplicates=None)) != wanted


def test_decisions_are_left_to_the_loop_unless_wanted(corpus: Path, fails: Any) -> None:
    decided = [make_row("one K9 is new", "train", decided=True)]
    write_corpus(corpus, HEADER, decided)
    with fails("H300", "'thing'", corpus, "usable proposal", "lane 'train'"):
        warm_up(corpus)
    before = weights(initialised())
    assert weights(warm_up(corpus, decisions=True, epochs=1)) != before


def test_spacy_train_runs_it(corpus: Path, tmp_path: Path) -> None:
    best = distill(Path("train.cfg"), tmp_path / "out")
    assert best == tmp_path / "out" / "model-best"
    nlp = spacy.load(best)
    assert found(nlp, "my K9 broke") == ["K9"]
    again = distill(Path("train.cfg"), tmp_path / "again")
    assert weights(spacy.load(again)) == weights(nlp)


@pytest.mark.parametrize(
    "old, new, code, part",
    [
        ('task = "thing"\nlane = "train"', 'task = "other"\nlane = "train"', "H302", "'other'"),
        ('lane = "dev"', 'lane = "gold"', "H056", "gold"),
        ("epochs = 20", "epoch = 20", "H304", "above"),
        ("[nlp]", "[nlp", "H304", "section headers"),
        ('lang = "en"', 'lang = "en"\nlang = "en"', "H304", "lang"),
        ('lang = "en"', 'lang = "xyzzy"', "H304", "xyzzy"),
        ('factory = "ner"', 'factory = "nerr"', "H304", "nerr"),
    ],
)
def test_what_is_wrong_is_explained(
    old: str, new: str, code: str, part: str, corpus: Path, tmp_path: Path, fails: Any
) -> None:
    assert old in CONFIG
    Path("train.cfg").write_text(CONFIG.replace(old, new, 1))
    with fails(code, part):
        distill(Path("train.cfg"), tmp_path / "out")
    assert not (tmp_path / "out" / "model-best").exists()


def test_missing_files_are_named(corpus: Path, tmp_path: Path, fails: Any) -> None:
    with fails("H001", "no.cfg", "training config"):
        distill(Path("no.cfg"), tmp_path / "out")
    corpus.unlink()
    with fails("H001", "corpus.jsonl"):
        distill(Path("train.cfg"), tmp_path / "out")
