"""A cascade asks where the student is not sure, says who answered, and never hides a failure."""

import json
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any, Dict, List, Sequence

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example

from spacy_hitl.dataset.store import Dataset
from spacy_hitl.errors import ModelError
from spacy_hitl.io import text_digest
from spacy_hitl.llm.store import ResponseStore
from spacy_hitl.pipeline.accelerate import accelerate
from spacy_hitl.pipeline.cascade import ABSTAINED, LLM, STUDENT, Disagreement, Drift, get_answers
from spacy_hitl.pipeline.cascade.confidence import around_threshold
from spacy_hitl.pipeline.compose import compose
from spacy_hitl.pipeline.entity_steps import action_names, chance_of_all
from spacy_hitl.records import GOLD, Response, Row
from spacy_hitl.settings import LaneSettings
from spacy_hitl.tasks.base import get_proposals

SURE = 0.95
NAMES = ["K10", "Nebula Pro", "Orion", "Zed Max"]
KNOWN = [f"My {name} is fine ." for name in NAMES] + ["It rains in Berlin ."]
DOUBTFUL = "Quux Foo Bar or Orion Nebula , who knows K10 Max Zed ?"
NER = {"@llm_tasks": "spacy-hitl.NER.v1", "labels": ["PRODUCT"]}
TEXTCAT = {"@llm_tasks": "spacy-hitl.TextCat.v1", "labels": ["GOOD", "BAD"]}
SPANCAT = {"@llm_tasks": "spacy-hitl.SpanCat.v1", "labels": ["PRODUCT"], "spans_key": "sc"}
SIZE = {"width": 16, "depth": 1, "embed_size": 200, "window_size": 1, "maxout_pieces": 2}
TOK2VEC = {
    **SIZE,
    "@architectures": "spacy.HashEmbedCNN.v2",
    "pretrained_vectors": None,
    "subword_features": True,
}


def ner_model(**values: Any) -> Dict[str, Any]:
    parser = {
        "@architectures": "spacy.TransitionBasedParser.v2",
        "state_type": "ner",
        "extra_state_tokens": False,
        "hidden_width": 16,
        "maxout_pieces": 2,
        "use_upper": True,
        "tok2vec": TOK2VEC,
    }
    return {"model": {**parser, **values}}


def examples(nlp: Any) -> List[Example]:
    found = []
    for text in KNOWN:
        ents = [(text.index(n), text.index(n) + len(n), "PRODUCT") for n in NAMES if n in text]
        good = float("rains" not in text)
        values = {
            "entities": ents,
            "cats": {"GOOD": good, "BAD": 1 - good},
            "spans": {"sc": [(s, e, label) for s, e, label in ents]},
        }
        found.append(Example.from_dict(nlp.make_doc(text), values))
    return found


def train(nlp: Any, steps: int = 40) -> Any:
    spacy.util.fix_random_seed(0)
    lessons = examples(nlp)
    optimizer = nlp.initialize(lambda: lessons)
    optimizer.learn_rate = 0.01
    for _ in range(steps):
        nlp.update(lessons, sgd=optimizer)
    return nlp


def make_student(**values: Any) -> Any:
    nlp = spacy.blank("en")
    nlp.add_pipe("ner", name="product", config=ner_model(**values))
    train(nlp)
    cities = nlp.add_pipe("entity_ruler", name="city", before="product")
    cities.add_patterns([{"label": "CITY", "pattern": "Berlin"}])
    return nlp


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A student of named entities behind a rule, on disk."""
    folder: Path = tmp_path_factory.mktemp("student") / "model"
    make_student().to_disk(folder)
    return folder


@pytest.fixture
def nlp(saved: Path) -> Any:
    return spacy.load(saved)


def record(path: Path, answers: Dict[str, str], task: str = "product") -> Dict[str, Any]:
    """A model that answers from a recording."""
    lines = [
        json.dumps({"text_digest": text_digest(text), "task": task, "response": answer})
        for text, answer in answers.items()
    ]
    path.write_text("\n".join(lines), encoding="utf8")
    return {"@llm_models": "spacy-hitl.Replay.v1", "path": str(path)}


def say(*mentions: str) -> str:
    return json.dumps({"entities": [{"text": m, "label": "PRODUCT"} for m in mentions]})


def add(nlp: Any, **config: Any) -> Any:
    values = {"student": "product", "task": NER, **config}
    return nlp.add_pipe("hitl_cascade", name="product_cascade", config=values)


def products(doc: Doc) -> List[str]:
    return [ent.text for ent in doc.ents if ent.label_ == "PRODUCT"]


def answer_of(doc: Doc) -> Any:
    return get_answers(doc)["product_cascade"]


# How sure a recognizer is


def by_stepping(pipe: Any, doc: Doc) -> float:
    """The same by spaCy's own states: the softmax over the valid actions, along the greedy way."""
    names, chance = action_names(pipe), 1.0
    step = pipe.model.predict([doc])
    states = pipe.moves.init_batch([doc])
    while states and not states[0].is_final():
        scores = step.predict(states)[0]
        valid = [pipe.moves.is_valid(states[0], name) for name in names]
        allowed = np.where(valid, np.exp(scores - scores.max()), 0.0)
        best = int(allowed.argmax())
        chance *= float(allowed[best] / allowed.sum())
        chosen = np.zeros((1, len(names)), dtype="f")
        chosen[0, best] = 1
        states = pipe.transition_states(states, chosen)
    return chance


@pytest.mark.parametrize(
    "values", [{}, {"extra_state_tokens": True}, {"use_upper": False}], ids=str
)
def test_the_confidence_of_entities_is_the_product_of_their_actions(values: Any) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("ner", name="product", config=ner_model(**values))
    train(nlp, steps=8)
    pipe = nlp.get_pipe("product")
    for text in [*KNOWN, DOUBTFUL, "Nebula  \n Pro Orion", "Zed"]:
        expected = by_stepping(pipe, nlp.make_doc(text))
        (found,) = chance_of_all(pipe, [nlp(text)])
        assert found == pytest.approx(expected, rel=1e-4)


def test_the_chances_of_all_annotations_of_a_text_add_up_to_one(nlp: Any) -> None:
    pipe = nlp.get_pipe("product")
    total = 0.0
    for tags in product(["O", "B-PRODUCT", "I-PRODUCT"], repeat=4):
        broken = any(t[0] == "I" and (i == 0 or tags[i - 1] == "O") for i, t in enumerate(tags))
        if not broken:
            doc = Doc(nlp.vocab, words=["Zed", "K10", "or", "Orion"], ents=list(tags))
            total += chance_of_all(pipe, [doc])[0]
    assert total == pytest.approx(1.0, abs=1e-3)


def test_what_other_components_found_costs_no_confidence(nlp: Any) -> None:
    """A recognizer takes up labels that it meets on documents: they are not its own."""
    cascade, pipe = add(nlp), nlp.get_pipe("product")
    doc = nlp("It rains in Berlin .")
    assert [ent.label_ for ent in doc.ents] == ["CITY"]
    assert "CITY" in pipe.labels
    assert answer_of(doc).confidence > SURE
    without = Doc(nlp.vocab, words=[token.text for token in doc])
    assert cascade.probabilities([without])[0] <= answer_of(doc).confidence <= 1


def test_it_is_less_sure_of_what_it_has_not_seen(nlp: Any) -> None:
    cascade = add(nlp)
    known, doubtful = cascade.probabilities(list(nlp.pipe([KNOWN[0], DOUBTFUL])))
    assert doubtful < SURE < known


def test_the_encoder_is_not_run_again(nlp: Any) -> None:
    add(nlp)
    layer = nlp.get_pipe("product").model.layers[0].layers[0]
    calls, forward = [], layer._func

    def counted(model: Any, inputs: Any, is_train: bool) -> Any:
        calls.append(len(inputs))
        return forward(model, inputs, is_train)

    layer._func = counted
    batched = list(nlp.pipe(KNOWN * 5, batch_size=10))  # spaCy cuts a batch into parts
    assert sum(calls) == len(batched)
    alone = [nlp(text) for text in KNOWN * 5]
    for one, other in zip(batched, alone, strict=True):
        assert answer_of(one).confidence == pytest.approx(answer_of(other).confidence, rel=1e-3)
    assert not nlp.get_pipe("product").model.layers[0]._func.calls  # no document is kept


def test_an_accelerated_student_is_as_sure(saved: Path) -> None:
    plain, fast = spacy.load(saved), spacy.load(saved)
    add(plain)
    add(fast)
    accelerate(fast)
    texts = [*KNOWN, DOUBTFUL]
    for one, other in zip(plain.pipe(texts), fast.pipe(texts), strict=True):
        assert answer_of(one).confidence == pytest.approx(answer_of(other).confidence, rel=1e-2)


def test_an_empty_text_is_not_asked_about(nlp: Any) -> None:
    add(nlp, threshold=1.01)
    assert answer_of(nlp("")).answered == STUDENT


# Whose annotation stands


def test_the_llm_is_asked_below_the_threshold_only(nlp: Any, tmp_path: Path) -> None:
    text = DOUBTFUL + " Berlin"
    cascade = add(nlp, threshold=SURE, model=record(tmp_path / "a.jsonl", {text: say("Quux Foo")}))
    sure, doubtful = nlp.pipe([KNOWN[1], text])
    assert (answer_of(sure).answered, answer_of(doubtful).answered) == (STUDENT, LLM)
    assert products(sure) == ["Nebula Pro"]
    assert products(doubtful) == ["Quux Foo"]  # nothing of the student's is left
    assert [e.text for e in doubtful.ents if e.label_ == "CITY"] == ["Berlin"]
    assert get_proposals(doubtful)["product"].status == "ok"
    assert "product" not in get_proposals(sure)
    assert answer_of(doubtful).agreed is False
    assert cascade.drift.asked == Disagreement(1, 1)
    assert cascade.drift.texts == 2


def test_without_a_model_it_abstains_and_says_so(nlp: Any) -> None:
    before = products(nlp(DOUBTFUL))
    cascade = add(nlp, threshold=SURE)
    doc = nlp(DOUBTFUL)
    assert (answer_of(doc).answered, answer_of(doc).reason) == (ABSTAINED, "no model is set")
    assert products(doc) == before
    assert cascade.drift.abstained == 1
    assert cascade.drift.asked.texts == 0


@pytest.mark.parametrize(
    ("answer", "status"),
    [(None, "failed"), ("garbage", "malformed"), ("I'm sorry, I can't help.", "refused")],
)
def test_where_the_llm_fails_the_student_stays(
    nlp: Any, tmp_path: Path, answer: Any, status: str
) -> None:
    before = products(nlp(DOUBTFUL))
    answers = {"another": say()} if answer is None else {DOUBTFUL: answer}
    add(nlp, threshold=SURE, model=record(tmp_path / "a.jsonl", answers))
    with pytest.warns(UserWarning, match="W560.*product_cascade"):
        (doc,) = nlp.pipe([DOUBTFUL])
    assert answer_of(doc).answered == ABSTAINED
    assert answer_of(doc).reason.startswith(status)
    assert products(doc) == before


def test_a_model_that_can_answer_nothing_stops_no_production(nlp: Any, tmp_path: Path) -> None:
    model = {"@llm_models": "spacy-hitl.Replay.v1", "path": str(tmp_path / "missing.jsonl")}
    add(nlp, threshold=1.01, model=model)
    with pytest.warns(UserWarning, match="W560"):
        docs = list(nlp.pipe([*KNOWN, DOUBTFUL], batch_size=2))
    assert {answer_of(doc).answered for doc in docs} == {ABSTAINED}
    assert "missing.jsonl" in answer_of(docs[0]).reason


def test_categories_are_replaced_and_others_stay(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("textcat_multilabel", name="mood")
    train(nlp, steps=10)
    text = KNOWN[0]
    model = record(tmp_path / "a.jsonl", {text: '{"labels": ["BAD"]}'}, "mood")
    config = {"student": "mood", "task": TEXTCAT, "model": model, "threshold": 1.01}
    nlp.add_pipe("hitl_cascade", name="mood_cascade", config=config)
    doc = nlp.make_doc(text)
    doc.cats["OTHER"] = 0.25
    doc = nlp(doc)
    assert doc.cats == {"GOOD": 0.0, "BAD": 1.0, "OTHER": 0.25}
    assert get_answers(doc)["mood_cascade"].agreed is False


def test_the_confidence_of_categories_comes_from_their_scores() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("textcat_multilabel", name="mood")
    nlp.add_pipe("textcat", name="topic")
    train(nlp, steps=10)
    pipe = nlp.get_pipe("mood")
    pipe.cfg["threshold"] = 0.3
    several = {"student": "mood", "task": TEXTCAT}
    cascade = nlp.add_pipe("hitl_cascade", name="c", config=several, after="mood")
    doc = nlp.get_pipe("mood")(nlp.make_doc(KNOWN[0]))
    expected = np.prod([around_threshold(np.array(s), 0.3) for s in doc.cats.values()])
    assert cascade.probabilities([doc]) == pytest.approx([float(expected)])
    one = {"student": "topic", "task": {**TEXTCAT, "exclusive_classes": True}}
    cascade = nlp.add_pipe("hitl_cascade", name="d", config=one)
    doc = nlp(KNOWN[0])
    assert cascade.probabilities([doc]) == pytest.approx([max(doc.cats.values())])


def test_scores_at_the_threshold_are_a_coin_toss() -> None:
    found = around_threshold(np.array([0.0, 0.15, 0.3, 0.65, 1.0]), 0.3)
    assert found == pytest.approx([1.0, 0.75, 0.5, 0.75, 1.0])


@pytest.mark.parametrize("factory", ["spancat", "spancat_singlelabel"])
def test_spans_that_it_nearly_found_make_it_less_sure(factory: str, tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe(factory, name="product")
    train(nlp, steps=12)
    cascade = add(nlp, task=SPANCAT, threshold=0.0)
    docs = list(nlp.pipe([*KNOWN, DOUBTFUL]))
    remembered = [answer_of(doc).confidence for doc in docs]
    assert cascade.probabilities(docs) == pytest.approx(remembered, rel=1e-3)  # computed anew
    pipe = nlp.get_pipe("product")
    _, scores = pipe.predict(docs[:1])
    if factory == "spancat":
        expected = np.prod(around_threshold(scores, pipe.cfg["threshold"]))
    else:
        expected = np.prod(scores.max(axis=1))
    assert remembered[0] == pytest.approx(float(expected), rel=1e-3)
    nlp.remove_pipe("product_cascade")
    model = record(tmp_path / "a.jsonl", {DOUBTFUL: say_spans("Quux Foo")})
    add(nlp, task=SPANCAT, threshold=1.01, model=model)
    doc = nlp(DOUBTFUL)
    assert [s.text for s in doc.spans["sc"]] == ["Quux Foo"]


def say_spans(*texts: str) -> str:
    return json.dumps({"sc": [{"text": t, "label": "PRODUCT"} for t in texts]})


# Drift


def test_an_audit_asks_about_sure_texts_and_changes_nothing(nlp: Any, tmp_path: Path) -> None:
    answers = {KNOWN[0]: say("K10"), KNOWN[1]: say("Nebula"), KNOWN[2]: "garbage"}
    model = record(tmp_path / "a.jsonl", answers)
    cascade = add(nlp, threshold=0.0, audit_share=1.0, model=model)
    with pytest.warns(UserWarning, match="W560"):
        docs = list(nlp.pipe(KNOWN[:3]))
    found = [answer_of(doc) for doc in docs]
    assert [a.answered for a in found] == [STUDENT] * 3
    assert [a.agreed for a in found] == [True, False, None]
    assert all(a.audit for a in found)
    assert products(docs[1]) == ["Nebula Pro"]
    assert cascade.drift == Drift(3, Disagreement(), Disagreement(2, 1))
    assert Drift.of(found[:1]) + Drift.of(found[1:]) == cascade.drift
    cascade.reset_drift()
    assert cascade.drift == Drift()


def test_the_audited_are_about_the_share_and_always_the_same(nlp: Any) -> None:
    cascade = add(nlp, audit_share=0.2, model={"@llm_models": "spacy-hitl.Replay.v1", "path": "x"})
    docs = [nlp.make_doc(f"text {i}") for i in range(2000)]
    drawn = [cascade._is_audited(doc) for doc in docs]
    assert drawn == [cascade._is_audited(doc) for doc in docs]
    assert 340 < sum(drawn) < 460


def test_drift_is_said_with_how_sure_it_is() -> None:
    drift = Drift(100, Disagreement(10, 5), Disagreement(40, 2), abstained=3, unqueued=4)
    lines = "\n".join(drift.lines("product_cascade"))
    low, high = drift.audited.bounds
    assert low < 0.05 < high < 0.2
    assert f"2 of 40 (5.0% [{low:.1%}, {high:.1%}])" in lines
    assert "3 doubtful" in lines
    assert "4 cases wait" in lines
    assert Disagreement().bounds == (0.0, 1.0)
    assert Drift.from_dict(drift.to_dict()) == drift


# Review, store, privacy


def queued(path: Path, text: str) -> Any:
    with Dataset(path) as dataset:
        digest = text_digest(text)
        return dataset.lane(digest), dataset.proposals("product", digest)


def test_what_was_asked_waits_for_review(nlp: Any, tmp_path: Path) -> None:
    path = tmp_path / "hitl.db"
    with Dataset(path) as dataset:
        dataset.add_rows([Row("file", "1", "Zed or K10 ?", GOLD)], LaneSettings())
    before = products(nlp(DOUBTFUL))
    model = record(tmp_path / "a.jsonl", {DOUBTFUL: say("Quux Foo"), "Zed or K10 ?": say("K10")})
    cascade = add(nlp, threshold=1.01, model=model, queue=str(path))
    list(nlp.pipe([DOUBTFUL, "Zed or K10 ?", DOUBTFUL]))
    lane, proposals = queued(path, DOUBTFUL)
    assert lane == "train"  # it was chosen, not drawn at random
    by_source = {
        p.source: [DOUBTFUL[s.start : s.end] for s in p.annotation.spans] for p in proposals
    }
    assert by_source == {"replay:a.jsonl": ["Quux Foo"], "student:product": before}
    assert len({p.task_digest for p in proposals}) == 1
    assert queued(path, "Zed or K10 ?") == (GOLD, [])  # gold stays blind
    assert cascade.drift.unqueued == 0


def test_a_case_without_an_answer_waits_for_review_too(nlp: Any, tmp_path: Path) -> None:
    add(nlp, threshold=1.01, queue=str(tmp_path / "hitl.db"))
    nlp(DOUBTFUL)
    assert [p.source for p in queued(tmp_path / "hitl.db", DOUBTFUL)[1]] == ["student:product"]


def test_cases_wait_while_the_dataset_is_open_elsewhere(nlp: Any, tmp_path: Path) -> None:
    path = tmp_path / "hitl.db"
    cascade = add(nlp, threshold=1.01, queue=str(path))
    with Dataset(path), pytest.warns(UserWarning, match="W561"):
        nlp(DOUBTFUL)
    assert cascade.drift.unqueued == 1
    nlp(KNOWN[0])
    assert cascade.drift.unqueued == 0
    assert queued(path, DOUBTFUL)[0] == queued(path, KNOWN[0])[0] == "train"


def test_a_text_that_no_dataset_can_hold_is_left_out(nlp: Any, tmp_path: Path) -> None:
    add(nlp, threshold=1.01, queue=str(tmp_path / "hitl.db"))
    with pytest.warns(UserWarning, match="W562"):
        list(nlp.pipe(["a\x00b", DOUBTFUL]))
    assert queued(tmp_path / "hitl.db", DOUBTFUL)[0] == "train"


class Counting:
    """A model that keeps what it was asked."""

    source = "counting"

    def __init__(self) -> None:
        self.asked: List[str] = []

    def respond(self, requests: Any) -> Any:
        for request in requests:
            self.asked.append(request.prompt)
            yield Response(model=self.source, text=say())


def test_no_question_is_asked_twice_and_values_are_masked(nlp: Any, tmp_path: Path) -> None:
    store, privacy = str(tmp_path / "responses.db"), {"mask": ["email"]}
    text = "Write to me@example.org about the K10 ."
    replay = {"@llm_models": "spacy-hitl.Replay.v1", "path": "x"}
    for expected in (1, 0):
        cascade = add(nlp, threshold=1.01, responses=store, privacy=privacy, model=replay)
        model = cascade._llm.model = Counting()
        assert answer_of(nlp(text)).answered == LLM
        assert len(model.asked) == expected
        assert not any("me@example.org" in prompt for prompt in model.asked)
        nlp.remove_pipe("product_cascade")


def test_a_store_that_is_open_elsewhere_stops_no_production(nlp: Any, tmp_path: Path) -> None:
    model = record(tmp_path / "a.jsonl", {DOUBTFUL: say()})
    path = tmp_path / "responses.db"
    add(nlp, threshold=1.01, model=model, responses=str(path))
    with ResponseStore(path), pytest.warns(UserWarning, match="W560"):
        assert answer_of(nlp(DOUBTFUL)).answered == ABSTAINED
    assert answer_of(nlp(DOUBTFUL)).answered == LLM


def test_a_model_that_may_not_be_asked_is_no_failure_of_the_model(nlp: Any, fails: Any) -> None:
    model = {"@llm_models": "spacy-hitl.OpenAI.v1", "name": "m", "base_url": "https://example.org"}
    add(nlp, threshold=1.01, model=model, privacy={"local_only": True})
    with fails("H121", "example.org"):
        nlp(DOUBTFUL)


# Saving and loading


def test_it_is_saved_with_its_pipeline(nlp: Any, tmp_path: Path) -> None:
    model = record(tmp_path / "a.jsonl", {DOUBTFUL: say("Quux Foo")})
    points = [[0.0, 0.0], [0.9, 0.5], [1.0, 0.99]]
    add(nlp, threshold=SURE, calibration=points, model=model)
    expected = [(answer_of(doc).answered, products(doc)) for doc in nlp.pipe([*KNOWN, DOUBTFUL])]
    assert {answered for answered, _ in expected} == {STUDENT, LLM}
    nlp.to_disk(tmp_path / "model")
    loaded = spacy.load(tmp_path / "model")
    copied = type(nlp).from_config(nlp.config).from_bytes(nlp.to_bytes())
    sourced = spacy.blank("en")
    for name in nlp.pipe_names:
        sourced.add_pipe(name, source=loaded)
    compose([("model", loaded)]).to_disk(tmp_path / "composed")
    composed = spacy.load(tmp_path / "composed")
    for one in (loaded, copied, sourced, composed):
        found = [(answer_of(doc).answered, products(doc)) for doc in one.pipe([*KNOWN, DOUBTFUL])]
        assert found == expected
    override = {"components": {"product_cascade": {"threshold": 0.0}}}
    trusting = spacy.load(tmp_path / "model", config=override)
    assert answer_of(trusting(DOUBTFUL)).answered == STUDENT


def test_calibration_makes_probabilities_of_confidences(nlp: Any) -> None:
    doc = nlp(DOUBTFUL)
    raw = add(nlp).probabilities([doc])
    nlp.remove_pipe("product_cascade")
    cascade = add(nlp, calibration=[[0.0, 0.5], [1.0, 1.0]])
    assert cascade.probabilities([doc]) == pytest.approx([0.5 + raw[0] / 2])


def test_without_a_model_it_needs_no_llm_package(nlp: Any, tmp_path: Path) -> None:
    add(nlp, threshold=1.01)
    nlp.to_disk(tmp_path / "model")
    code = (
        "import sys, spacy, spacy_hitl\n"
        "from spacy_hitl.pipeline.cascade import get_answers\n"
        "before = set(sys.modules)\n"
        f"nlp = spacy.load({str(tmp_path / 'model')!r})\n"
        "print(get_answers(nlp('K10 Max'))['product_cascade'].answered)\n"
        "print(sorted({'openai', 'httpx2', 'transformers'} & (set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == [ABSTAINED, "[]"]


# What can't be used


def test_it_needs_its_student_before_it(nlp: Any, fails: Any) -> None:
    nlp.add_pipe("hitl_cascade", name="c", config={"student": "product", "task": NER}, first=True)
    with fails("H561", "c", "product"):
        nlp("K10")


def test_a_student_that_is_switched_off_is_not_trusted(nlp: Any, fails: Any) -> None:
    add(nlp)
    with nlp.select_pipes(disable=["product"]), fails("H561", "product_cascade"):
        nlp("K10")


def test_a_component_that_knows_no_doubt_is_refused(nlp: Any, fails: Any) -> None:
    nlp.add_pipe("hitl_cascade", name="c", config={"student": "city", "task": NER})
    with fails("H562", "city", "entity_ruler", "textcat_multilabel"):
        nlp("K10")


@pytest.mark.parametrize(
    "value",
    [
        {"audit_share": 1.5},
        {"threshold": -0.1},
        {"calibration": [[0.5, 0.5], [0.4, 0.6]]},
        {"calibration": [[0.1, 0.5], [0.4, 0.3]]},
        {"calibration": [[0.5]]},
        {"calibration": [[0.5, 1.5]]},
        {"privacy": {"masks": ["email"]}},
    ],
    ids=str,
)
def test_values_that_mean_nothing_are_refused(nlp: Any, fails: Any, value: Any) -> None:
    with fails("H563", "product_cascade", *value):
        add(nlp, **value)


def test_it_needs_a_task(nlp: Any, fails: Any) -> None:
    with fails("H100", "product_cascade", "task"):
        add(nlp, task=None)


def test_an_error_of_the_model_is_one_it_can_name(nlp: Any) -> None:
    """A model that raises in the middle of a batch: the rest abstains."""

    class Broken(Counting):
        def respond(self, requests: Sequence[Any]) -> Any:
            for number, _ in enumerate(requests):
                if number == 2:
                    raise ModelError("no more money")
                yield Response(model=self.source, text=say())

    cascade = add(nlp, threshold=1.01, model={"@llm_models": "spacy-hitl.Replay.v1", "path": "x"})
    cascade._llm.model = Broken()
    with pytest.warns(UserWarning, match="3 texts"):
        docs = list(nlp.pipe(KNOWN))
    assert [answer_of(doc).answered for doc in docs] == [LLM] * 2 + [ABSTAINED] * 3
    assert answer_of(docs[4]).reason == "failed: no more money"
