"""Soft labels inside spaCy's own training, what they read, and what is refused."""

import random
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, List

import pytest
import spacy
import srsly
from hypothesis import given
from hypothesis import strategies as st
from soft_students import SIZE, THINGS, make_pipeline, make_texts, some_texts, train_pipeline

from spacy_hitl.dataset.corpus import write_corpus
from spacy_hitl.distill.callbacks import make_distill_callback
from spacy_hitl.distill.recipes import student_config
from spacy_hitl.distill.recipes.tok2vec import tok2vec
from spacy_hitl.distill.run import distill
from spacy_hitl.distill.soft.run import SoftSettings, learn_softly
from spacy_hitl.distill.soft.texts import SoftTexts, shuffled_batches
from spacy_hitl.io import text_digest
from spacy_hitl.records import Annotation, SpanAnnotation, TaskHeader, TaskRow

HEADER = TaskHeader("thing", "ner", ("PHONE", "PLACE"), "digest")


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_pipeline(make_pipeline("ner"), tmp_path_factory.mktemp("teacher") / "ner")


def make_row(text: str, lane: str) -> TaskRow:
    spans = []
    for word, label in THINGS.items():
        if word in text:
            spans.append(SpanAnnotation(text.index(word), text.index(word) + len(word), label))
    return TaskRow(text, text_digest(text), lane, Annotation(spans=tuple(spans)), "person")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A corpus of few decisions, and a file of texts of which two are of lane dev."""
    monkeypatch.chdir(tmp_path)
    rows = [make_row("my K10 fell", "train"), make_row("in Oslo today", "train")]
    rows.append(make_row("the Volt broke", "dev"))
    write_corpus(Path("corpus.jsonl"), HEADER, rows)
    texts = [*make_texts(80, seed=5), "the Volt broke", "The VOLT, broke!"]
    srsly.write_jsonl("texts.jsonl", [{"text": text, "id": i} for i, text in enumerate(texts)])
    return tmp_path


def write_config(teacher: Path) -> Path:
    config = student_config("ner", task="thing", recipe="small")
    config["components"]["thing"]["model"]["tok2vec"] = tok2vec(SIZE)
    reader = {"@readers": "spacy-hitl.TaskCorpus.v1", "path": "corpus.jsonl", "task": "thing"}
    config["corpora"] = {lane: {**reader, "lane": lane} for lane in ("train", "dev")}
    config["initialize"] = {
        "after_init": {
            "@callbacks": "spacy-hitl.distill.v1",
            "path": "corpus.jsonl",
            "task": "thing",
            "teacher": str(teacher),
            "texts": "texts.jsonl",
            "proposals": False,
            "soft_epochs": 6,
            "soft_learn_rate": 0.03,
        }
    }
    config["training"] = {
        "dev_corpus": "corpora.dev",
        "train_corpus": "corpora.train",
        "seed": 0,
        "gpu_allocator": None,
        "max_steps": 2,
        "eval_frequency": 1,
        "score_weights": {"ents_f": 1.0},
    }
    config.to_disk("train.cfg")
    return Path("train.cfg")


def test_spacy_train_does_it_all(
    folder: Path, teacher: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="spacy"):
        nlp = spacy.load(distill(write_config(teacher), folder / "out"))
    # Neither of these words was ever decided on.
    found = [(e.text, e.label_) for e in nlp("my Nebula fell in Lisbon today").ents]
    assert found == [("Nebula", "PHONE"), ("Lisbon", "PLACE")]
    assert "82 texts, 2 of lane dev left out" in caplog.text


def warm_up(nlp: Any, **values: Any) -> None:
    options = {"proposals": False, "soft_epochs": 1, **values}
    make_distill_callback(Path("corpus.jsonl"), "thing", **options)(nlp)


def test_the_corpus_alone_gives_texts_too(
    folder: Path, teacher: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="spacy"):
        warm_up(make_pipeline("ner"), teacher=[teacher, teacher])
    assert "2 texts, 0 of lane dev left out" in caplog.text


@pytest.mark.parametrize(
    "values, code, parts",
    [
        ({"teacher": "nowhere"}, "H001", ["nowhere", "pipeline that teaches"]),
        ({"teacher": "."}, "H310", ["'.'", "meta.json"]),
        ({"teacher_component": "other"}, "H311", ["'other'", "thing (ner)"]),
        ({"texts": "no.jsonl"}, "H001", ["no.jsonl"]),
        ({"component": "thin"}, "H303", ["'thin'"]),
        ({"corpus_texts": False}, "H318", ["'thing'", "0 of"]),
    ],
)
def test_what_cannot_teach_is_explained(
    values: Any, code: str, parts: List[str], folder: Path, teacher: Path, fails: Any
) -> None:
    with fails(code, *parts):
        warm_up(make_pipeline("ner"), **{"teacher": teacher, **values})


@pytest.mark.parametrize(
    "line, code",
    [({"txt": "a"}, "H004"), ({"text": 3}, "H004"), ({"text": " "}, "H005"), ([], "H002")],
)
def test_a_bad_line_is_named_before_anything_was_learned(
    line: Any, code: str, folder: Path, teacher: Path, fails: Any
) -> None:
    srsly.write_jsonl("texts.jsonl", [{"text": "my K10"}, line])
    nlp = make_pipeline("ner")
    before = nlp.get_pipe("thing").to_bytes()
    with fails(code, "texts.jsonl:2"):
        warm_up(nlp, teacher=teacher, texts="texts.jsonl")
    assert nlp.get_pipe("thing").to_bytes() == before


@pytest.mark.parametrize(
    "values, part",
    [
        ({"temperature": 0}, "temperature = 0"),
        ({"follow": "nobody"}, "follow = 'nobody'"),
        ({"min_score": 1.5}, "min_score = 1.5"),
        ({"neighbours": -1}, "neighbours = -1"),
    ],
)
def test_options_that_mean_nothing_are_refused(values: Any, part: str, fails: Any) -> None:
    with fails("H317", "'thing'", part):
        make_distill_callback(Path("corpus.jsonl"), "thing", **values)


def test_texts_that_are_only_read_leave_no_words_behind(teacher: Path) -> None:
    nlp = make_pipeline("ner")
    words = set(nlp.vocab.strings)
    texts = SoftTexts(None, ["a zyzzyva in Quxville", "another plumbus"], frozenset())
    learn_softly(nlp, "thing", texts, settings(teacher), labels=("PHONE", "PLACE"))
    assert set(nlp.vocab.strings) == words
    assert not nlp.vocab.in_memory_zone


def settings(path: Path, **values: Any) -> SoftSettings:
    return SoftSettings(teachers=(path,), **{"epochs": 1, **values})


def test_another_kind_of_component_does_not_teach(
    tmp_path: Path, fails: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "textcat"
    make_pipeline("textcat").to_disk(path)
    with fails("H312", path, "'textcat'", "'ner'"):
        learn_softly(make_pipeline("ner"), "thing", some_texts(), settings(path))
    nlp = make_pipeline("textcat")
    # Not set: spaCy keeps one such object per factory, for all pipelines.
    monkeypatch.setattr(nlp.get_pipe_meta("thing"), "factory", "entity_linker")
    with fails("H314", "'thing'", "'entity_linker'", "ner, textcat"):
        learn_softly(nlp, "thing", some_texts(), settings(path))


def test_the_only_component_of_its_kind_teaches_under_any_name(tmp_path: Path, fails: Any) -> None:
    nlp = make_pipeline("ner")
    nlp.rename_pipe("thing", "product")
    nlp.to_disk(tmp_path / "one")
    learn_softly(make_pipeline("ner"), "thing", some_texts(20), settings(tmp_path / "one"))
    nlp.add_pipe("product", name="another", source=spacy.load(tmp_path / "one"))
    nlp.to_disk(tmp_path / "two")
    with fails("H311", "'thing'", "product (ner), another (ner)"):
        learn_softly(make_pipeline("ner"), "thing", some_texts(20), settings(tmp_path / "two"))


def test_classes_must_be_the_same(tmp_path: Path, fails: Any) -> None:
    for kind in ("ner", "textcat_multilabel", "spancat"):
        teacher = make_pipeline(kind)
        pipe: Any = teacher.get_pipe("thing")
        if kind == "ner":
            pipe.add_label("MORE")
        else:
            pipe.cfg["labels"][0] = "MORE"
        teacher.to_disk(tmp_path / kind)
        with fails("H313", tmp_path / kind, "'thing'", "MORE"):
            learn_softly(
                make_pipeline(kind),
                "thing",
                some_texts(),
                settings(tmp_path / kind),
                labels=("PHONE", "PLACE"),
            )


def test_suggesters_must_be_the_same(tmp_path: Path, fails: Any) -> None:
    suggester = {"@misc": "spacy.ngram_suggester.v1", "sizes": [1, 2]}
    make_pipeline("spancat", suggester=suggester).to_disk(tmp_path / "spancat")
    with fails("H315", tmp_path / "spancat", "[1, 2]", "[1, 2, 3]"):
        learn_softly(
            make_pipeline("spancat"), "thing", some_texts(), settings(tmp_path / "spancat")
        )


@given(
    st.lists(st.text("ab ", min_size=1, max_size=9), max_size=60),
    st.integers(1, 5),
    st.integers(1, 4),
    st.integers(0, 9),
)
def test_every_text_comes_once_and_few_are_held(
    texts: List[str], size: int, pool: int, seed: int
) -> None:
    held = 0

    def stream() -> Any:
        nonlocal held
        for text in texts:
            held += 1
            yield text

    found: Counter[str] = Counter()
    batches = shuffled_batches(stream(), size=size, order=random.Random(seed), pool=pool)
    for batch in batches:
        found.update(batch)
        assert len(batch) <= size
        assert held <= found.total() + size * pool
    assert found == Counter(texts)


SMALL = st.text("aAb,1 ", min_size=1, max_size=3).filter(str.strip)


@given(st.lists(SMALL, max_size=12), st.lists(SMALL, max_size=3), st.lists(SMALL, max_size=3))
def test_no_text_of_lane_dev_is_given(texts: List[str], dev: List[str], own: List[str]) -> None:
    rows = [make_row(t, lane) for lane, some in (("dev", dev), ("train", own)) for t in some]
    with TemporaryDirectory() as name:
        path = Path(name) / "texts.jsonl"
        srsly.write_jsonl(path, [{"text": text} for text in texts])
        found = list(SoftTexts.of(rows, path, corpus=True).read(max_chars=9))
        only_file = list(SoftTexts.of(rows, path, corpus=False).read(max_chars=9))
    assert found == [*own, *only_file]
    letters = ["".join(filter(str.isalnum, t.casefold())) or t for t in dev]
    for text, read in zip(texts, only_file, strict=True):
        bare = "".join(filter(str.isalnum, text.casefold())) or text
        assert read == (None if bare in letters else text)
