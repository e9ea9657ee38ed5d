"""One base, many students: it is taught by several tasks, frozen, and put under each of them."""

from pathlib import Path

import pytest
import spacy
from confection import Config
from spacy.util import load_config

from spacy_hitl.dataset.corpus import read_training_corpus
from spacy_hitl.distill.base.teach import factory_of
from spacy_hitl.distill.recipes import base_config, student_config
from spacy_hitl.distill.run import distill
from spacy_hitl.io import folder_digest
from spacy_hitl.pipeline.compose import compose
from spacy_hitl.records import TaskHeader

TASKS = ("product", "attributes", "relevant")
BASE = Path("training/base/model-last")


def training(task, steps):
    corpus = {
        "@readers": "spacy-hitl.TaskCorpus.v1",
        "path": f"corpus/{task}.jsonl",
        "task": task,
        "proposals": True,
    }
    return {
        "corpora": {"train": {**corpus, "lane": "train"}, "dev": {**corpus, "lane": "dev"}},
        "training": {
            "seed": 0,
            "gpu_allocator": None,
            "max_steps": steps,
            "eval_frequency": steps,
            "optimizer": {"@optimizers": "Adam.v1", "learn_rate": 0.01},
        },
    }


def write(path, *sections):
    config = Config({})
    for section in sections:
        config = config.merge(section)
    config.to_disk(path)
    return Path(path)


def train_base(tasks=TASKS, output="training/base", **options):
    config = base_config({task: Path(f"corpus/{task}.jsonl") for task in tasks})
    config["initialize"]["after_init"].update({"epochs": 1, **options})
    path = write("configs/base.cfg", training(tasks[0], 1), config)
    distill(path, Path(output))
    return Path(output) / "model-last"


def train_student(task, *, warm=True, steps=3):
    header, _ = read_training_corpus(Path(f"corpus/{task}.jsonl"), task)
    config = student_config(factory_of(header), task=task, base=str(BASE))
    sections = [training(task, steps), config]
    if warm:
        callback = {"@callbacks": "spacy-hitl.distill.v1", "task": task, "epochs": 1}
        callback["path"] = f"corpus/{task}.jsonl"
        sections.append({"initialize": {"after_init": callback}})
    output = Path("training") / task
    return distill(write(f"configs/{task}.cfg", *sections), output)


def weights(path):
    return (Path(path) / "tok2vec/model").read_bytes()


def width_of(config):
    layers = config["components"]["product"]["model"]["tok2vec"]["*"]
    assert layers["base"]["upstream"] == "tok2vec"
    assert layers["base"]["width"] == layers["own"]["width"]
    return layers["base"]["width"]


def outcome(nlp, texts):
    """Exact: entities, and scores that are not rounded."""
    return [([(e.start, e.end, e.label_) for e in doc.ents], doc.cats) for doc in nlp.pipe(texts)]


def test_a_task_is_added_and_no_other_changes(exported):
    texts = [post["text"] for post in exported.posts]
    train_base(TASKS[:2])
    paths = [train_student("product", steps=40), train_student("attributes", warm=False)]
    before = [folder_digest(path) for path in (BASE, *paths)]
    compose([(str(path), spacy.load(path)) for path in paths]).to_disk("two")
    paths.append(train_student("relevant"))
    assert [folder_digest(path) for path in (BASE, *paths[:2])] == before
    # What each student brings is the base, byte for byte.
    assert [weights(path) for path in paths] == [weights(BASE)] * 3
    compose([(str(path), spacy.load(path)) for path in paths]).to_disk("three")
    two, three = spacy.load("two"), spacy.load("three")
    assert three.pipe_names == ["tok2vec", *TASKS]
    pairs = list(zip(outcome(two, texts), outcome(three, texts), strict=True))
    for (ents, cats), (more_ents, more_cats) in pairs:
        assert ents == more_ents
        assert cats == {label: more_cats[label] for label in cats}
    assert any(ents for (ents, _), _ in pairs)
    # And it is what the student says by itself, where it is accelerated.
    alone = outcome(spacy.load(paths[2]), texts)
    for (_, cats), (_, more_cats) in zip(alone, outcome(three, texts), strict=True):
        assert cats == pytest.approx({label: more_cats[label] for label in cats}, abs=1e-5)


def test_each_task_teaches_the_base_and_its_head_is_thrown_away(exported):
    both = train_base(TASKS[:2], "training/both")
    nlp = spacy.load(both)
    assert nlp.pipe_names == ["tok2vec"]
    untaught = train_base(TASKS[:2], "training/untaught", learn_rate=0.0)
    one = train_base(TASKS[:1], "training/one")
    assert len({weights(path) for path in (both, untaught, one)}) == 3
    # The same again gives the same.
    assert weights(train_base(TASKS[:2], "training/again")) == weights(both)


def test_rationales_teach_a_student_on_a_base(exported):
    train_base(TASKS[:1])
    config = student_config("textcat_multilabel", task="attributes", base=str(BASE))
    callback = {
        "@callbacks": "spacy-hitl.distill_rationales.v1",
        "path": "corpus/attributes.jsonl",
        "task": "attributes",
        "rationales": "corpus/opinions.jsonl",
        "rationale_task": "opinions",
        "epochs": 40,
    }
    sections = [training("attributes", 1), config, {"initialize": {"after_init": callback}}]
    best = distill(write("configs/attributes.cfg", *sections), Path("training/attributes"))
    assert weights(best) == weights(BASE)
    scores = [
        score
        for doc in spacy.load(best).pipe(["dead by noon", "lovely photos"] * 2)
        for score in doc.cats.values()
    ]
    assert len(set(scores)) > len(scores) / 4  # it tells texts and labels apart


def test_a_student_listens_with_the_width_of_its_base(exported):
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": {"width": 24, "depth": 1}})
    nlp.initialize()
    BASE.parent.mkdir(parents=True)
    nlp.to_disk(BASE)
    assert width_of(student_config("ner", task="product", base=str(BASE))) == 24
    best = train_student("product")
    assert weights(best) == weights(BASE)
    # Of a base that isn't there yet, what the recipe makes.
    config = student_config("ner", task="product", base="training/later")
    assert width_of(config) == 64
    assert config["training"] == {
        "frozen_components": ["tok2vec"],
        "annotating_components": ["tok2vec"],
    }


def test_what_is_no_base_is_refused(exported, fails):
    spacy.blank("en").to_disk("blank")
    with fails("H360", "'blank'", "'tok2vec'"):
        student_config("ner", task="product", base="blank")
    with fails("H004", "'huge'", "small, fast"):
        base_config({}, recipe="huge")


@pytest.mark.parametrize(
    "tasks, options, code, part",
    [
        (("link",), {}, "H361", "'linking'"),
        (TASKS[:1], {"component": "encoder"}, "H303", "'encoder'"),
        (TASKS[:1], {"decisions": False, "proposals": False}, "H300", "corpus/product.jsonl"),
    ],
)
def test_what_can_teach_no_base_is_refused(tasks, options, code, part, exported, fails):
    with fails(code, part):
        train_base(tasks, **options)


def test_gold_teaches_no_base(exported, fails):
    Path("corpus/product.jsonl").write_bytes(Path("corpus/gold/product.jsonl").read_bytes())
    with fails("H301"):
        train_base(TASKS[:1])


def test_categories_that_exclude_each_other_are_learned_so():
    header = TaskHeader("x", "textcat", ("A", "B"), "")
    assert factory_of(header) == "textcat_multilabel"
    exclusive = TaskHeader("x", "textcat", ("A", "B"), "", exclusive=True)
    assert factory_of(exclusive) == "textcat"


def test_the_config_of_a_base_is_one_that_spacy_reads(exported):
    train_base(TASKS[:1])
    config = load_config(BASE / "config.cfg")
    assert config["initialize"]["after_init"]["tasks"] == {"product": "corpus/product.jsonl"}
