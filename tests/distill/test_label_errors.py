"""Cross-fitted students: nobody judges what they saw, and what is planted is found."""

import math
from itertools import product
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.training import Example
from spacy.util import load_config_from_str
from typer.testing import CliRunner

from spacy_hitl.cli import hitl_cli
from spacy_hitl.dataset.corpus import write_corpus
from spacy_hitl.dataset.label_errors import read_suspects
from spacy_hitl.distill.label_errors import run
from spacy_hitl.distill.label_errors.config import config_of_fold, corpus_of
from spacy_hitl.distill.label_errors.entities import Steps, entity_chances, forward
from spacy_hitl.distill.label_errors.folds import draw_folds
from spacy_hitl.distill.label_errors.judges import judge
from spacy_hitl.distill.label_errors.run import Effort, find_label_errors
from spacy_hitl.io import text_digest
from spacy_hitl.records import (
    Annotation,
    CategoryAnnotation,
    Proposal,
    SpanAnnotation,
    TaskHeader,
    TaskRow,
)
from spacy_hitl.scoring.items import Item, items_of

HEADER = TaskHeader("thing", "ner", ("A",), "digest")
CONFIG = """
[paths]
corpus = "corpus.jsonl"

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
maxout_pieces = 2
use_upper = true

[components.thing.model.tok2vec]
@architectures = "spacy.HashEmbedCNN.v2"
pretrained_vectors = null
width = 16
depth = 1
embed_size = 200
window_size = 1
maxout_pieces = 2
subword_features = false

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

[initialize.after_init]
@callbacks = "spacy-hitl.distill.v1"
path = ${paths.corpus}
task = "thing"
epochs = 12
batch_size = 8
learn_rate = 0.02
dropout = 0.0
decisions = true

[training]
dev_corpus = "corpora.dev"
train_corpus = "corpora.train"
seed = 0
gpu_allocator = null
max_steps = 2
eval_frequency = 1

[training.score_weights]
ents_f = 1.0
"""


def row(text: str, lane: str, *, decided: bool, label: bool = True) -> TaskRow:
    start = text.index("K9")
    annotation = Annotation(spans=(SpanAnnotation(start, start + 2, "A"),) if label else ())
    digest = text_digest(text)
    proposal = Proposal(digest, "thing", "m", "ok", "t", annotation=annotation)
    return TaskRow(text, digest, lane, decision=annotation if decided else None, proposal=proposal)


FORGOTTEN, PROPOSED = "my K9 came", "the old K9 is"


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> List[TaskRow]:
    """24 texts in which K9 is labelled, one decision and one proposal in which it is not."""
    monkeypatch.chdir(tmp_path)
    before = ("my", "the old", "one", "his")
    after = ("broke", "is great", "is slow", "came late", "was cheap", "is lost")
    texts = [f"{a} K9 {b}" for a in before for b in after]
    rows = [
        row(t, "dev" if i % 6 == 0 else "train", decided=i % 3 == 0) for i, t in enumerate(texts)
    ]
    rows += [row(FORGOTTEN, "train", decided=True, label=False)]
    rows += [row(PROPOSED, "train", decided=False, label=False)]
    write_corpus(Path("corpus.jsonl"), HEADER, rows)
    Path("train.cfg").write_text(CONFIG)
    return rows


# Who judges whom


def bare_row(text: str, lane: str, decided: bool) -> TaskRow:
    return TaskRow(text, text_digest(text), lane, decision=Annotation() if decided else None)


words = st.sampled_from(["my K9", "My  k9!", "a K9", "the K9", "no K9", "K9", "one K9"])


@given(
    st.lists(st.builds(bare_row, words, st.sampled_from(["train", "dev"]), st.booleans())),
    st.integers(2, 5),
    st.integers(0, 3),
)
def test_twins_share_a_fold_and_the_draw_is_repeatable(
    rows: List[TaskRow], folds: int, seed: int
) -> None:
    found = draw_folds(rows, folds=folds, seed=seed)
    assert found == draw_folds(rows, folds=folds, seed=seed)
    assert all(0 <= fold < folds for fold in found)
    same: Dict[str, set[int]] = {}
    for one, fold in zip(rows, found, strict=True):
        same.setdefault("".join(c for c in one.text.lower() if c.isalnum()), set()).add(fold)
    assert all(len(some) == 1 for some in same.values())


def test_folds_are_even(corpus: List[TaskRow]) -> None:
    for lane in ("train", "dev"):
        found = draw_folds(corpus, folds=3, seed=1)
        sizes = [
            sum(f == n and r.lane == lane for r, f in zip(corpus, found, strict=True))
            for n in range(3)
        ]
        assert max(sizes) - min(sizes) <= 2
    assert draw_folds(corpus, folds=3, seed=2) != found


def test_nobody_judges_what_they_saw(
    corpus: List[TaskRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: List[set[str]] = []
    judged: List[set[str]] = []

    def train(config: Any, path: Any, header: Any, rows: List[TaskRow], *, seed: int) -> Any:
        seen.append({r.text for r in rows})

    def ask(nlp: Any, header: Any, texts: List[str], given: Any) -> List[Dict[Item, float]]:
        judged.append(set(texts))
        return [{} for _ in texts]

    monkeypatch.setattr(run, "_train", train)
    monkeypatch.setattr(run, "judge", ask)
    _, header, _ = find_label_errors(Path("train.cfg"), effort=Effort(folds=3, rounds=2))
    everything = {r.text for r in corpus}
    assert (header.rounds, len(seen)) == (2, 6)
    for learned, asked in zip(seen, judged, strict=True):
        assert not learned & asked and learned | asked == everything
    for number in (0, 1):
        texts = [t for some in judged[number * 3 : number * 3 + 3] for t in some]
        assert sorted(texts) == sorted(everything)
    assert judged[:3] != judged[3:]


def test_readers_and_callbacks_get_the_part_only() -> None:
    config = load_config_from_str(CONFIG).interpolate()
    assert corpus_of(config, path=Path("train.cfg")) == ("corpus.jsonl", "thing")
    own = config_of_fold(config, corpus="corpus.jsonl", part=Path("part.jsonl"), seed=7)
    assert "corpus.jsonl" not in own.to_str() and own.to_str().count('"part.jsonl"') == 4
    assert own["training"]["seed"] == 7
    assert "part.jsonl" not in config.to_str() and config["training"]["seed"] == 0


# What is found


def test_what_was_forgotten_is_found_and_the_file_is_the_same_each_time(
    corpus: List[TaskRow],
) -> None:
    path, header, suspects = find_label_errors(Path("train.cfg"), effort=Effort(folds=2))
    assert path == Path("label_errors/thing.jsonl")
    assert (header.texts, header.annotations, header.folds, header.rounds) == (26, 24, 2, 1)
    missing = {s.text_digest: s for s in suspects if s.problem == "missing"}
    assert missing.keys() == {text_digest(FORGOTTEN), text_digest(PROPOSED)}
    assert missing[text_digest(FORGOTTEN)].decided and not missing[text_digest(PROPOSED)].decided
    places = {text_digest(FORGOTTEN): (3, 5), text_digest(PROPOSED): (8, 10)}
    for one in missing.values():
        assert items_of(one.suggested) == {Item("A", *places[one.text_digest])}
        assert not one.given.spans
        assert one.task == "thing" and one.score > 0.5
    assert read_suspects(path) == (header, suspects)
    before = path.read_bytes()
    find_label_errors(Path("train.cfg"), effort=Effort(folds=2))
    assert path.read_bytes() == before


def test_the_command_says_what_it_found(corpus: List[TaskRow]) -> None:
    options = ["suspects", "train.cfg", "--folds", "2", "--rounds", "1", "--output", "s.jsonl"]
    done = CliRunner().invoke(hitl_cli, options)
    assert done.exit_code == 0, done.output
    assert "24 annotations in 26 texts" in done.output and "2 missing" in done.output
    assert len(read_suspects(Path("s.jsonl"))[1]) >= 2
    done = CliRunner().invoke(hitl_cli, ["suspects", "train.cfg", "--folds", "1"])
    assert done.exit_code == 1 and "[H353]" in done.output


# Minutes


def slow_judges(monkeypatch: pytest.MonkeyPatch) -> Callable[[], float]:
    """Each student takes a minute."""
    now = [0.0]

    def train(*args: Any, **kwargs: Any) -> None:
        now[0] += 60

    monkeypatch.setattr(run, "_train", train)
    monkeypatch.setattr(run, "judge", lambda nlp, header, texts, given: [{} for _ in texts])
    return lambda: now[0]


@pytest.mark.parametrize(
    "effort, rounds",
    [
        (Effort(folds=2), 1),
        (Effort(folds=2, rounds=3), 3),
        (Effort(folds=2, minutes=2), 1),
        (Effort(folds=2, minutes=7), 3),
        (Effort(folds=2, rounds=2, minutes=7), 2),
    ],
)
def test_rounds_are_made_while_they_fit(
    effort: Effort, rounds: int, corpus: List[TaskRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = slow_judges(monkeypatch)
    _, header, _ = find_label_errors(Path("train.cfg"), effort=effort, clock=clock)
    assert header.rounds == rounds


def test_too_little_time_is_said_after_one_student(
    corpus: List[TaskRow], monkeypatch: pytest.MonkeyPatch, fails: Any
) -> None:
    clock = slow_judges(monkeypatch)
    with fails("H352", "3 minutes", "5 students", "5.0"):
        find_label_errors(Path("train.cfg"), effort=Effort(minutes=3), clock=clock)
    assert clock() == 60 and not Path("label_errors").exists()


# What can't be used


@pytest.mark.parametrize(
    "effort", [Effort(folds=1), Effort(rounds=0), Effort(minutes=0), Effort(minutes=-1)]
)
def test_impossible_efforts_are_refused(effort: Effort, corpus: List[TaskRow], fails: Any) -> None:
    with fails("H353", "at least 2 folds"):
        find_label_errors(Path("train.cfg"), effort=effort)


@pytest.mark.parametrize(
    "old, new, code, part",
    [
        ('"spacy-hitl.TaskCorpus.v1"', '"spacy.Corpus.v1"', "H350", "spacy.Corpus.v1"),
        ('train_corpus = "corpora.train"', 'train_corpus = "corpora.no"', "H350", "corpora.no"),
        ('task = "thing"\nlane = "train"', 'task = "other"\nlane = "train"', "H302", "'other'"),
        ("[nlp]", "[nlp", "H304", "train.cfg"),
        ("epochs = 12", "epoch = 12", "H304", "train.cfg"),
    ],
)
def test_configs_that_do_not_fit_are_explained(
    old: str, new: str, code: str, part: str, corpus: List[TaskRow], fails: Any
) -> None:
    assert old in CONFIG
    Path("train.cfg").write_text(CONFIG.replace(old, new, 1))
    with fails(code, part):
        find_label_errors(Path("train.cfg"), effort=Effort(folds=2))


def test_gold_and_too_few_texts_are_refused(corpus: List[TaskRow], fails: Any) -> None:
    write_corpus(Path("corpus.jsonl"), HEADER, corpus[:3])
    with fails("H354", "3 texts", "at least 10"):
        find_label_errors(Path("train.cfg"))
    write_corpus(Path("corpus.jsonl"), HEADER, [*corpus, row("our K9", "gold", decided=True)])
    with fails("H301", "corpus.jsonl"):
        find_label_errors(Path("train.cfg"))


# What students find likely


def test_the_component_is_found_or_named(fails: Any) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer", name="thing")
    with fails("H351", "'thing'", "sentencizer", "textcat"):
        judge(nlp, HEADER, ["a"], [Annotation()])
    nlp.rename_pipe("thing", "other")
    with fails("H303", "'thing'", "other"):
        judge(nlp, HEADER, ["a"], [Annotation()])


class RandomSteps:
    """Scores that depend on the token and on where the open entity began."""

    def __init__(self, seed: int, tokens: int, actions: int) -> None:
        self._scores = np.random.RandomState(seed).normal(0, 2, (tokens, tokens + 1, actions))

    def score(self, token: int, start: int = -1) -> Any:
        return self._scores[token, start]


NAMES = ["O", "U-", "B-A", "I-A", "L-A", "U-A", "B-B", "I-B", "L-B", "U-B"]


def by_hand(steps: RandomSteps, begins: List[bool], goes_on: List[bool]) -> Dict[Any, float]:
    """Walk through all sequences of actions."""
    found: Dict[Any, float] = {}

    def walk(at: int, start: int, label: str, chance: float, spans: Tuple[Any, ...]) -> None:
        if at == len(begins):
            for span in spans:
                found[span] = found.get(span, 0.0) + chance
            return
        if label:
            allowed = [f"L-{label}"] + ([f"I-{label}"] if goes_on[at] else [])
        else:
            letters = "".join(["U" * begins[at], "B" * (begins[at] and goes_on[at])])
            allowed = ["O"] + [f"{a}-{b}" for a, b in product(letters, "AB")]
        scores = steps.score(at, start)
        weights = {name: math.exp(scores[NAMES.index(name)]) for name in allowed}
        for name, weight in weights.items():
            p, (action, _, other) = chance * weight / sum(weights.values()), name.partition("-")
            if action == "B":
                walk(at + 1, at, other, p, spans)
            elif action == "I":
                walk(at + 1, start, label, p, spans)
            elif action == "O":
                walk(at + 1, -1, "", p, spans)
            else:
                first = at if action == "U" else start
                walk(at + 1, -1, "", p, (*spans, (first, at + 1, other)))

    walk(0, -1, "", 1.0, ())
    return found


@given(st.integers(0, 10_000), st.lists(st.booleans(), min_size=1, max_size=4), st.data())
def test_entity_probabilities_are_sums_over_all_ways(
    seed: int, begins: List[bool], data: st.DataObject
) -> None:
    size = len(begins)
    goes_on = [*data.draw(st.lists(st.booleans(), min_size=size - 1, max_size=size - 1)), False]
    steps = RandomSteps(seed, size, len(NAMES))
    found = forward(steps, NAMES, begins, goes_on)
    wanted = by_hand(steps, begins, goes_on)
    for span in wanted.keys() | found.keys():
        assert found.get(span, 0.0) == pytest.approx(wanted.get(span, 0.0), abs=2e-3)
    for i in range(size):
        assert sum(p for (s, e, _), p in found.items() if s <= i < e) <= 1 + 1e-9


@pytest.mark.parametrize("extra", [True, False])
@pytest.mark.parametrize("upper", [True, False])
def test_scores_are_those_of_spacys_own_states(upper: bool, extra: bool) -> None:
    config = load_config_from_str(CONFIG)["components"]["thing"]
    config["model"].update(use_upper=upper, extra_state_tokens=extra)
    nlp = spacy.blank("en")
    pipe: Any = nlp.add_pipe("ner", name="thing", config={"model": config["model"]})
    for label in ("A", "B"):
        pipe.add_label(label)
    nlp.initialize(lambda: [Example.from_dict(nlp.make_doc("a b c"), {"entities": [(0, 3, "A")]})])
    random = np.random.RandomState(1)
    for layer in pipe.model.walk():  # untrained weights are zero in part
        for name in layer.param_names:
            value = layer.get_param(name)
            layer.set_param(name, value + random.normal(0, 1, value.shape).astype("f"))
    doc = nlp.make_doc("one two  three four five six seven eight nine ten eleven twelve")
    steps = Steps(pipe.model, pipe.model.layers[0].predict([doc]))
    model, (state,) = pipe.model.predict([doc]), pipe.moves.init_batch([doc])
    scores = []
    for _ in doc:
        scores.append(model.predict([state])[0].copy())
        pipe.transition_states([state], random.normal(0, 1, (1, pipe.moves.n_moves)).astype("f"))
    pipe.set_annotations([doc], [state])
    assert any(len(ent) > 1 for ent in doc.ents)
    for at, wanted in enumerate(scores):
        start = next((e.start for e in doc.ents if e.start < at < e.end), -1)
        np.testing.assert_allclose(steps.score(at, start), wanted, rtol=1e-4, atol=1e-4)


def test_what_the_recognizer_predicts_is_likely_in_every_text_of_a_batch() -> None:
    config = load_config_from_str(CONFIG)["components"]["thing"]
    nlp = spacy.blank("en")
    pipe: Any = nlp.add_pipe("ner", name="thing", config={"model": config["model"]})
    texts = ["my K9 broke", "K9 and K9", "it is so", "a  K9"]
    egs = []
    for text in texts:
        places = [(i, i + 2, "A") for i in range(len(text)) if text.startswith("K9", i)]
        egs.append(Example.from_dict(nlp.make_doc(text), {"entities": places}))
    sgd = nlp.initialize(lambda: egs)
    for _ in range(60):
        nlp.update(egs, sgd=sgd)
    docs = [nlp.make_doc(text) for text in [*texts[:2], "", *texts[2:]]]
    found = entity_chances(pipe, docs)
    for doc, chances in zip(nlp.pipe([d.text for d in docs]), found, strict=True):
        likely = {span for span, p in chances.items() if p > 0.5}
        assert likely == {(e.start, e.end, e.label_) for e in doc.ents}


@pytest.mark.parametrize("factory", ["textcat", "textcat_multilabel", "spancat"])
def test_other_kinds_are_asked_for_all_they_consider(factory: str) -> None:
    nlp = spacy.blank("en")
    pipe: Any = nlp.add_pipe(factory, name="thing")
    for label in ("A", "B"):
        pipe.add_label(label)
    kind = "spancat" if factory == "spancat" else "textcat"
    header = TaskHeader("thing", kind, ("A", "B"), "d", exclusive=factory == "textcat")
    eg = {"cats": {"A": 1.0, "B": 0.0}, "spans": {"sc": [(0, 3, "A"), (4, 7, "B")]}}
    nlp.initialize(lambda: [Example.from_dict(nlp.make_doc("one two"), eg)])
    cats = Annotation(cats=(CategoryAnnotation("A"),))
    (found,) = judge(nlp, header, ["one two"], [cats])
    if kind == "textcat":
        assert found.keys() == {Item("A"), Item("B")}
    else:
        assert {Item(label, *place) for label in "AB" for place in ((0, 3), (4, 7), (0, 7))} == set(
            found
        )
    assert all(0 <= p <= 1 for p in found.values())
