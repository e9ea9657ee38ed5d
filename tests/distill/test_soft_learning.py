"""A student comes close to the probabilities of its teachers, and stays what it was."""

from pathlib import Path
from typing import Any, Dict, List

import pytest
import spacy
from soft_students import (
    KINDS,
    THINGS,
    annotated,
    both,
    make_pipeline,
    make_texts,
    said,
    some_texts,
    train_pipeline,
)
from spacy.language import Language

from spacy_hitl.distill.soft.ner import predict_together
from spacy_hitl.distill.soft.run import SoftSettings, learn_softly, make_update
from spacy_hitl.distill.soft.student import Student
from spacy_hitl.distill.soft.teacher import load_teacher

LABELS = ("PHONE", "PLACE")
HELD_OUT = make_texts(60, seed=3)


@pytest.fixture(scope="session")
def teachers(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, List[Path]]:
    """Two trained teachers of each kind, with their labels in two orders."""
    folder = tmp_path_factory.mktemp("teachers")
    found: Dict[str, List[Path]] = {}
    for kind in KINDS:
        for seed, things in enumerate((tuple(THINGS), tuple(reversed(THINGS)))):
            nlp = make_pipeline(kind, seed=seed, things=things)
            found.setdefault(kind, []).append(train_pipeline(nlp, folder / f"{kind}-{seed}"))
    return found


def settings(*paths: Path, **values: Any) -> SoftSettings:
    epochs = 16 if "textcat" in paths[0].name else 6  # one decision per text, not per token
    wanted = {"epochs": epochs, "learn_rate": 0.03, "dropout": 0.0, **values}
    return SoftSettings(teachers=tuple(paths), **wanted)


def divergence(nlp: Language, paths: List[Path], texts: List[str], **values: Any) -> float:
    """Mean divergence from the teachers' mean distribution, in nats per decision."""
    student = Student(nlp, "thing")
    loaded = [load_teacher(p, factory=student.factory, name="thing", component=None) for p in paths]
    update = make_update(student, loaded, settings(*paths, **values), LABELS)
    loss, count = update.update([nlp.make_doc(text) for text in texts], drop=0.0)
    for pipe in (pipe for _, pipe in nlp.pipeline if hasattr(pipe, "model")):
        for node in pipe.model.walk():
            for name in node.grad_names:
                node.set_grad(name, node.get_grad(name) * 0)
    student.leave()
    return loss / count


def weights(nlp: Language) -> List[bytes]:
    return [pipe.model.to_bytes() for _, pipe in nlp.pipeline if hasattr(pipe, "model")]


@pytest.mark.parametrize("kind", KINDS)
def test_a_student_approaches_its_teacher_on_texts_it_never_saw(
    kind: str, teachers: Dict[str, List[Path]], tmp_path: Path
) -> None:
    path = teachers[kind][0]
    nlp = make_pipeline(kind, seed=7)
    before = divergence(nlp, [path], HELD_OUT)
    learn_softly(nlp, "thing", some_texts(), settings(path), labels=LABELS)
    after = divergence(nlp, [path], HELD_OUT)
    assert after < before / 5
    # What was saved is a plain component of spaCy with the same weights.
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert type(loaded.get_pipe("thing")).__module__.startswith("spacy.")
    assert said(loaded, HELD_OUT) == said(nlp, HELD_OUT)
    teacher = said(spacy.load(path), HELD_OUT)
    same = sum(a == b for a, b in zip(said(loaded, HELD_OUT), teacher, strict=True))
    assert same >= 0.8 * len(HELD_OUT)


@pytest.mark.parametrize("kind", ["ner", "textcat_multilabel"])
def test_several_teachers_are_averaged_whatever_the_order_of_their_labels(
    kind: str, teachers: Dict[str, List[Path]]
) -> None:
    nlp = make_pipeline(kind, seed=7)
    learn_softly(nlp, "thing", some_texts(), settings(*teachers[kind]), labels=LABELS)
    together = divergence(nlp, teachers[kind], HELD_OUT)
    apart = [divergence(nlp, [path], HELD_OUT) for path in teachers[kind]]
    assert together < min(apart)  # nearer to their mean than to either
    assert together < divergence(make_pipeline(kind, seed=7), teachers[kind], HELD_OUT) / 5


@pytest.mark.parametrize("values", [{"temperature": 3.0}, {"follow": "teacher"}])
def test_options_of_ner(values: Any, teachers: Dict[str, List[Path]]) -> None:
    path = teachers["ner"][0]
    nlp = make_pipeline("ner", seed=7)
    before = divergence(nlp, [path], HELD_OUT)
    learn_softly(nlp, "thing", some_texts(), settings(path, **values), labels=LABELS)
    assert divergence(nlp, [path], HELD_OUT) < before / 4


@pytest.mark.parametrize("kind", ["textcat", "textcat_multilabel", "spancat"])
def test_a_temperature_works_for_every_kind(kind: str, teachers: Dict[str, List[Path]]) -> None:
    path = teachers[kind][0]
    nlp = make_pipeline(kind, seed=7)
    before = divergence(nlp, [path], HELD_OUT, temperature=2.0)
    learn_softly(nlp, "thing", some_texts(), settings(path, temperature=2.0), labels=LABELS)
    assert divergence(nlp, [path], HELD_OUT, temperature=2.0) < before / 4


def test_a_label_that_no_example_had_is_added(teachers: Dict[str, List[Path]]) -> None:
    blank = spacy.blank("en")
    model = make_pipeline("ner", seed=7).get_pipe_config("thing")["model"]
    ner: Any = blank.add_pipe("ner", name="thing", config={"model": model})
    blank.initialize(lambda: [annotated(blank, "my K10")])
    assert ner.labels == ("PHONE",)
    path = teachers["ner"][0]
    learn_softly(blank, "thing", some_texts(), settings(path), labels=LABELS)
    assert ner.labels == LABELS
    assert ("Oslo", "PLACE") in [(e.text, e.label_) for e in blank("so great in Oslo today").ents]


def test_the_same_seed_gives_the_same_weights(teachers: Dict[str, List[Path]]) -> None:
    def taught(seed: int) -> List[bytes]:
        nlp = make_pipeline("ner", seed=7)
        learn_softly(
            nlp, "thing", some_texts(40), settings(teachers["ner"][0], epochs=1, seed=seed)
        )
        return weights(nlp)

    assert taught(1) == taught(1) != taught(2)


@pytest.mark.parametrize("kind", ["ner", "textcat"])
def test_a_shared_encoder_learns_too_unless_it_is_frozen(
    kind: str, teachers: Dict[str, List[Path]]
) -> None:
    path = teachers[kind][0]
    nlp = make_pipeline(kind, seed=7, shared=True)
    before, distance = weights(nlp), divergence(nlp, [path], HELD_OUT)
    learn_softly(nlp, "thing", some_texts(), settings(path), labels=LABELS)
    assert all(a != b for a, b in zip(weights(nlp), before, strict=True))
    assert divergence(nlp, [path], HELD_OUT) < distance / 4
    # The ordinary loop goes on as if nothing had been.
    nlp.update(both(nlp), sgd=nlp.create_optimizer())

    frozen = make_pipeline(kind, seed=7, shared=True)
    with frozen.select_pipes(disable=["tok2vec"]):
        learn_softly(frozen, "thing", some_texts(), settings(path), labels=LABELS)
    encoder, head = (a == b for a, b in zip(weights(frozen), before, strict=True))
    assert encoder and not head


def test_a_teacher_may_listen_to_its_own_encoder(tmp_path: Path) -> None:
    path = train_pipeline(make_pipeline("ner", shared=True), tmp_path / "teacher")
    nlp = make_pipeline("ner", seed=7)
    before = divergence(nlp, [path], HELD_OUT)
    learn_softly(nlp, "thing", some_texts(), settings(path), labels=LABELS)
    assert divergence(nlp, [path], HELD_OUT) < before / 4


def test_one_recognizer_alone_decides_as_it_does_in_its_pipeline(
    teachers: Dict[str, List[Path]],
) -> None:
    path = teachers["ner"][0]
    alone = load_teacher(path, factory="ner", name="thing", component=None)
    docs = [alone.nlp.make_doc(text) for text in HELD_OUT]
    predict_together([alone], docs)
    wanted = said(spacy.load(path), HELD_OUT)
    assert [[(e.start_char, e.end_char, e.label_) for e in doc.ents] for doc in docs] == [
        spans for _, spans in wanted
    ]
    assert any(spans for _, spans in wanted)


def test_the_teacher_judges_the_tokens_of_the_student(teachers: Dict[str, List[Path]]) -> None:
    teacher = load_teacher(teachers["ner"][0], factory="ner", name="thing", component=None)
    student = spacy.blank("en")
    student.tokenizer.add_special_case("K10", [{"ORTH": "K"}, {"ORTH": "10"}])
    (doc,) = teacher.read([student.make_doc("my K10 broke")])
    assert [t.text for t in doc] == ["my", "K", "10", "broke"]
    assert doc.text == "my K10 broke"


def test_spacys_own_refusal_is_why_the_model_is_updated_directly(
    teachers: Dict[str, List[Path]],
) -> None:
    nlp = make_pipeline("textcat")
    eg = annotated(nlp, "my K10")
    eg.reference.cats = {"PHONE": 0.7, "PLACE": 0.3}
    with pytest.raises(ValueError, match="E851"):
        nlp.update([eg])
    learn_softly(nlp, "thing", some_texts(20), settings(teachers["textcat"][0], epochs=1))
