"""An ensemble inside one plain `ner`: what it says is the mean of what its members say."""

from typing import Any, List, Optional

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.training import Example
from spacy.util import load_model_from_config
from thinc.api import Config

from spacy_hitl.distill.embeddings.count_vectors import make_count_vectors_callback
from spacy_hitl.distill.ner.choices import Choices
from spacy_hitl.distill.ner.joining import join, member_models
from spacy_hitl.distill.ner.members import make_train_members_callback, share_of_rate
from spacy_hitl.distill.recipes.ner_training import MANY_TEXTS, ner_training
from spacy_hitl.distill.recipes.tok2vec import Size

SIZE = Size(width=16, depth=2, hidden=8, rows=(200, 50, 100, 100))
TEXTS = [
    ("my Kadonux fell off", [(3, 10, "PHONE")]),
    ("nothing to see here at all", []),
    ("the Nebula broke in two", [(4, 10, "PHONE")]),
    ("Ann wears the Orion watch", [(0, 3, "WHO"), (14, 25, "PHONE")]),
    ("so what", []),
    ("Bob has it", [(0, 3, "WHO")]),
]


def make_examples(nlp: Language) -> List[Example]:
    found = []
    for text, ents in TEXTS:
        doc = nlp.make_doc(text)
        doc.ents = [doc.char_span(s, e, label=label) for s, e, label in ents]
        found.append(Example(nlp.make_doc(text), doc))
    return found


def make_student(members: int = 3, labelled: Optional[int] = None) -> Language:
    sections = ner_training("phones", members=members, size=SIZE, labelled=labelled)
    parts = {"nlp": {"lang": "en", **sections["nlp"]}, "components": sections["components"]}
    nlp = load_model_from_config(Config(parts), auto_fill=True)
    make_count_vectors_callback(make_examples, width=4, min_count=1)(nlp)
    nlp.initialize(lambda: make_examples(nlp))
    return nlp


def scores(nlp: Language) -> np.ndarray:
    """The scores of all actions at the start of each text."""
    pipe: Any = nlp.get_pipe("phones")
    docs = [nlp.make_doc(text) for text, _ in TEXTS]
    return np.array(pipe.model.predict(docs).predict(pipe.moves.init_batch(docs)))


def shake(model: Any, seed: int) -> None:
    random = np.random.default_rng(seed)
    for node in model.walk():
        for name in node.param_names:
            shape = node.get_param(name).shape
            node.set_param(name, random.normal(0, 0.5, shape).astype("f"))


def test_the_scores_of_the_joined_are_the_mean(tmp_path: Any) -> None:
    nlp = make_student()
    singles = []
    models = member_models(nlp.get_pipe_config("phones")["model"], name="phones")
    for seed, model in enumerate(models):
        config = {"factory": "ner", "model": model}
        sections = {"nlp": {"lang": "en", "pipeline": ["phones"]}, "components": {"phones": config}}
        single = load_model_from_config(Config(sections), vocab=nlp.vocab, auto_fill=True)
        single.initialize(lambda: make_examples(nlp))
        shake(single.get_pipe("phones").model, seed)  # type: ignore[attr-defined]
        singles.append(single)
    join(
        nlp.get_pipe("phones").model,  # type: ignore[attr-defined]
        [single.get_pipe("phones").model for single in singles],  # type: ignore[attr-defined]
    )
    found = [scores(single) for single in singles]
    assert np.ptp(found, axis=0).max() > 0.1  # the members do differ
    np.testing.assert_allclose(scores(nlp), np.mean(found, axis=0), rtol=1e-4, atol=1e-4)
    nlp.to_disk(tmp_path)
    np.testing.assert_allclose(scores(spacy.load(tmp_path)), scores(nlp), rtol=1e-6)


def test_members_learn_and_decide_together() -> None:
    nlp = make_student(members=2)
    callback = make_train_members_callback(
        lambda _: make_examples(nlp) * 4,
        component="phones",
        ruler="phones_seen",
        epochs=10,
        learn_rate=0.01,
        dropout=0.1,
    )
    callback(nlp)
    for (text, ents), doc in zip(TEXTS, nlp.pipe(text for text, _ in TEXTS), strict=True):
        assert [(e.start_char, e.end_char, e.label_) for e in doc.ents] == ents, text


def test_without_folds_members_learn_once_and_nothing_is_chosen() -> None:
    nlp = make_student(members=2, labelled=MANY_TEXTS)
    assert nlp.pipe_names == ["phones"]
    counted: List[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Choices, "count", lambda *args: counted.append(args))
        patch.setattr(Choices, "apply", lambda *args: counted.append(args))
        make_train_members_callback(
            lambda _: make_examples(nlp) * 4,
            component="phones",
            epochs=20,
            learn_rate=0.01,
            dropout=0.1,
            new_names=0.0,
            unseen=0.0,
            folds=0,
        )(nlp)
    assert not counted
    for (text, ents), doc in zip(TEXTS, nlp.pipe(text for text, _ in TEXTS), strict=True):
        assert [(e.start_char, e.end_char, e.label_) for e in doc.ents] == ents, text


def test_few_texts_have_a_list_and_many_have_more_members() -> None:
    few, many = (ner_training("phones", labelled=count) for count in (MANY_TEXTS - 1, MANY_TEXTS))
    assert few == ner_training("phones")
    assert few["nlp"]["pipeline"] == ["phones_seen", "phones"]
    assert many["nlp"]["pipeline"] == list(many["components"]) == ["phones"]
    count = {len(s["components"]["phones"]["model"]["tok2vec"]["*"]) for s in (few, many)}
    assert count == {4, 6}
    learned = many["initialize"]["after_init"]
    assert learned["folds"] == learned["new_names"] == 0 and "ruler" not in learned
    assert member_models(many["components"]["phones"]["model"], name="phones")


def test_made_up_words_are_not_saved() -> None:
    nlp = make_student(members=2)
    before = set(nlp.vocab.strings)
    make_train_members_callback(
        lambda _: make_examples(nlp), component="phones", ruler="phones_seen", epochs=2, unseen=9.0
    )(nlp)
    assert len(set(nlp.vocab.strings) - before) < 5


def test_a_seed_gives_the_same_student() -> None:
    found = []
    for seed in (1, 1, 2):
        nlp = make_student(members=2)
        corpus = make_examples(nlp)
        make_train_members_callback(lambda _, c=corpus: c, component="phones", epochs=2, seed=seed)(
            nlp
        )
        found.append(scores(nlp))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5)
    assert abs(found[0] - found[2]).max() > 1e-3


def test_the_loop_of_spacy_train_leaves_the_student_as_it_is(tmp_path: Any) -> None:
    from spacy.cli.init_config import init_config
    from spacy.tokens import DocBin
    from spacy.training.initialize import init_nlp
    from spacy.training.loop import train

    blank = spacy.blank("en")
    DocBin(docs=[eg.reference for eg in make_examples(blank)]).to_disk(tmp_path / "train.spacy")
    config = init_config(lang="en", pipeline=["ner"], silent=True)
    del config["components"]
    config = Config(config).merge(ner_training("phones", members=2, size=SIZE))
    config["initialize"]["after_init"]["epochs"] = 2
    config["initialize"]["before_init"].update(width=4, min_count=1)
    config["paths"].update({name: str(tmp_path / "train.spacy") for name in ("train", "dev")})
    nlp = init_nlp(config)
    before = scores(nlp)
    assert abs(before).max() > 0.01
    (tmp_path / "out").mkdir()
    train(nlp, tmp_path / "out")
    for name in ("model-best", "model-last"):
        np.testing.assert_allclose(scores(spacy.load(tmp_path / "out" / name)), before, rtol=1e-5)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"tok2vec": {"@architectures": "spacy.Tok2Vec.v2"}}, "at least two"),
        ({"use_upper": False}, "use_upper"),
        ({"hidden_width": 25}, "25"),
    ],
)
def test_what_has_no_members_is_refused(change: Any, problem: str, fails: Any) -> None:
    model = ner_training("phones", members=3, size=SIZE)["components"]["phones"]["model"]
    with fails("H380", "'phones'", problem):
        member_models({**model, **change}, name="phones")


def test_other_components_are_refused(fails: Any) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer", name="phones")
    with fails("H380", "'phones'", "sentencizer"):
        make_train_members_callback(make_examples, component="phones")(nlp)
    with fails("H303", "'ner'", "phones"):
        make_train_members_callback(make_examples)(nlp)


def test_nothing_to_learn_is_said(fails: Any) -> None:
    nlp = make_student(members=2)
    empty = [eg for eg in make_examples(nlp) if not eg.reference.ents]
    with fails("H381", "'phones'", "none of 2"):
        make_train_members_callback(lambda _: empty, component="phones")(nlp)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("epochs", 0),
        ("batch_size", 0),
        ("dropout", 1.0),
        ("learn_rate", 0.0),
        ("unseen", -1.0),
        ("case", 2.0),
        ("folds", 1),
    ],
)
def test_options_that_mean_nothing_are_refused(option: str, value: Any, fails: Any) -> None:
    with fails("H382", "'phones'", option, str(value)):
        make_train_members_callback(make_examples, component="phones", **{option: value})


def test_a_list_has_to_be_chosen(fails: Any) -> None:
    with fails("H382", "folds", "at least 2"):
        make_train_members_callback(make_examples, component="phones", ruler="seen", folds=0)


def test_the_rate_rises_and_falls() -> None:
    rates = [share_of_rate(i / 100) for i in range(101)]
    assert max(rates) == rates[10] == 1
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert min(rates) > 0
