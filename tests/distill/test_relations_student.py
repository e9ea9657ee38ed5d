"""A student of a relation task, from exported corpora to production."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List

import pytest
import spacy
from relation_world import LABELS, NAMES, Sentence, example, mentioned, sentences, train
from spacy.tokens import Doc
from spacy.util import load_config_from_str, load_model_from_config

from spacy_hitl.dataset.corpus import write_corpus
from spacy_hitl.distill.corpus.examples import make_example
from spacy_hitl.distill.corpus.mentions import add_mentions, join_mentions
from spacy_hitl.distill.corpus.reader import make_task_corpus
from spacy_hitl.distill.recipes import RECIPES, student_config
from spacy_hitl.distill.run import distill
from spacy_hitl.evaluate.run import evaluate
from spacy_hitl.io import text_digest, write_json
from spacy_hitl.promote.run import promote
from spacy_hitl.records import (
    Annotation,
    Look,
    PartialDecision,
    Proposal,
    RelationAnnotation,
    SpanAnnotation,
    TaskHeader,
    TaskRow,
)
from spacy_hitl.tasks.relations.annotations import get_relations
from spacy_hitl.tasks.relations.compare import compare_relations

HEADER = TaskHeader("compared", "relations", LABELS, "digest")
PRODUCTS = TaskHeader("product", "ner", ("PRODUCT", "COMPANY"), "digest")
BEATS = Annotation(relations=(RelationAnnotation(0, 2, 9, 12, "BEATS"),))
TEXT = "K7 beats K33 of Corvid"
GIVEN = (
    SpanAnnotation(0, 2, "PRODUCT"),
    SpanAnnotation(9, 12, "PRODUCT"),
    SpanAnnotation(16, 22, "COMPANY"),
)


def ents(doc: Doc) -> List[Any]:
    return [(e.text, e.label_) for e in doc.ents]


# Examples


def test_an_example_carries_heads_and_tails() -> None:
    eg = make_example(spacy.blank("en"), TEXT, BEATS, HEADER)
    for doc in (eg.predicted, eg.reference):
        assert ents(doc) == [("K7", "MENTION"), ("K33", "MENTION")]
    assert get_relations(eg.reference) == BEATS
    assert get_relations(eg.predicted) == Annotation()
    nothing = make_example(spacy.blank("en"), TEXT, Annotation(), HEADER)
    # Nothing there is a statement too.
    assert nothing.predicted.has_annotation("ENT_IOB") and not nothing.predicted.ents


def test_an_example_carries_known_mentions() -> None:
    known = replace(BEATS, spans=GIVEN)
    eg = make_example(spacy.blank("en"), TEXT, known, HEADER)
    wanted = [("K7", "PRODUCT"), ("K33", "PRODUCT"), ("Corvid", "COMPANY")]
    assert ents(eg.predicted) == ents(eg.reference) == wanted


def test_a_pipeline_that_finds_mentions_does_so_itself() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler", name="product")
    eg = make_example(nlp, TEXT, BEATS, HEADER)
    assert not eg.predicted.has_annotation("ENT_IOB")
    assert ents(eg.reference) == [("K7", "MENTION"), ("K33", "MENTION")]


def test_heads_and_tails_come_before_given_mentions() -> None:
    """What overlaps with them goes; the others stay, each with its label."""
    given = (SpanAnnotation(0, 8, "EVENT"), *GIVEN[1:])
    joined = join_mentions(BEATS, given)
    assert [(s.start, s.end, s.label) for s in joined.spans] == [
        (0, 2, "MENTION"),
        (9, 12, "PRODUCT"),
        (16, 22, "COMPANY"),
    ]
    assert joined.relations == BEATS.relations
    assert join_mentions(joined, GIVEN) == joined
    assert join_mentions(Annotation(), GIVEN).spans == tuple(replace(s, score=1.0) for s in GIVEN)


def make_row(text: str, **values: Any) -> TaskRow:
    return TaskRow(text, text_digest(text), values.pop("lane", "train"), **values)


def proposal(text: str, status: str, annotation: Annotation) -> Proposal:
    return Proposal(text_digest(text), "product", "m", status, "t", annotation=annotation)


def test_mentions_come_from_decisions_else_from_usable_proposals(tmp_path: Path) -> None:
    spans = Annotation(spans=GIVEN)
    given = [
        make_row("a" + TEXT, decision=spans, proposal=proposal("a", "ok", Annotation())),
        make_row("b" + TEXT, proposal=proposal("b", "ok", spans)),
        make_row("c" + TEXT, proposal=proposal("c", "failed", spans)),
    ]
    write_corpus(tmp_path / "product.jsonl", PRODUCTS, given)
    rows = [make_row(x + TEXT, decision=Annotation()) for x in "abcd"]
    rows.append(make_row("a" + TEXT, proposal=proposal("a", "ok", BEATS)))
    look = PartialDecision(Annotation(), (Look(labels=("BEATS",)),))
    rows.append(make_row("a" + TEXT, partial=look))
    found = add_mentions(rows, tmp_path / "product.jsonl", HEADER)
    assert [len(row.decision.spans) for row in found if row.decision] == [3, 3, 0, 0]
    assert found[4].proposal is not None and found[4].proposal.annotation.relations
    assert len(found[4].proposal.annotation.spans) == 3
    assert found[5].partial is not None and len(found[5].partial.annotation.spans) == 3
    assert [row.text for row in found] == [row.text for row in rows]
    assert add_mentions(rows, None, HEADER) == rows


def test_what_mentions_cannot_come_from(tmp_path: Path, fails: Any) -> None:
    path = tmp_path / "other.jsonl"
    write_corpus(path, replace(PRODUCTS, kind="spancat"), [])
    with fails("H332", path, "'spancat'", "ner or linking"):
        add_mentions([], path, HEADER)
    with fails("H333", "'product'", "'ner'"):
        add_mentions([], path, PRODUCTS)
    write_corpus(path, PRODUCTS, [make_row(TEXT, lane="gold", decision=Annotation())])
    with fails("H301", path, "gold"):
        add_mentions([], path, HEADER)
    with fails("H001", "no.jsonl"):
        add_mentions([], tmp_path / "no.jsonl", HEADER)


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_learns(recipe: str, tmp_path: Path) -> None:
    config = student_config("hitl_relations", task="compared", recipe=recipe)
    nlp = load_model_from_config(config, auto_fill=True)
    known = sentences("train", 22)
    train(nlp, [example(nlp, s) for s in known], epochs=8)
    nlp.to_disk(tmp_path)
    docs = list(spacy.load(tmp_path).pipe(mentioned(nlp, s) for s in known))
    right = [get_relations(doc) for doc in docs]
    hits = sum(
        compare_relations(s.relations, r) == perfect(s) for s, r in zip(known, right, strict=True)
    )
    assert hits > 18


def perfect(sentence: Sentence) -> Any:
    return compare_relations(sentence.relations, sentence.relations)


# A project


CONFIG = """
[nlp]
lang = "en"
pipeline = ["product", "compared"]

[components]

[components.product]
factory = "hitl_llm"

[components.product.task]
@llm_tasks = "spacy-hitl.NER.v1"
labels = ["PRODUCT", "COMPANY"]

[components.product.model]
@llm_models = "spacy-hitl.Replay.v1"
path = "answers.jsonl"
texts = "texts.jsonl"

[components.compared]
factory = "hitl_llm"

[components.compared.task]
@llm_tasks = "spacy-hitl.Relations.v1"
labels = ["BEATS", "MADE_BY", "REPLACES"]

[components.compared.model]
@llm_models = "spacy-hitl.Replay.v1"
path = "answers.jsonl"
texts = "texts.jsonl"

[hitl]

[hitl.promote]
name = "phones"
min_gold = 40

[hitl.promote.floors]
product = 0.9
compared = 0.8
"""
TRAINING = """
[corpora]

[corpora.train]
@readers = "spacy-hitl.TaskCorpus.v1"
path = "corpus/compared.jsonl"
task = "compared"
mentions = "corpus/product.jsonl"

[corpora.dev]
@readers = "spacy-hitl.TaskCorpus.v1"
path = "corpus/compared.jsonl"
task = "compared"
lane = "dev"
mentions = "corpus/product.jsonl"

[initialize]

[initialize.after_init]
@callbacks = "spacy-hitl.distill.v1"
path = "corpus/compared.jsonl"
task = "compared"
mentions = "corpus/product.jsonl"
epochs = 2
learn_rate = 0.005

[training]
dev_corpus = "corpora.dev"
train_corpus = "corpora.train"
seed = 0
gpu_allocator = null
max_steps = 60
eval_frequency = 30
dropout = 0.1

[training.optimizer]
@optimizers = "Adam.v1"
learn_rate = 0.005

[training.batcher]
@batchers = "spacy.batch_by_sequence.v1"
size = 16

[training.score_weights]
compared_rel_micro_f = 1.0
"""


def rows_of(some: List[Sentence], lane: str, task: str, *, decided: bool = True) -> List[TaskRow]:
    found = {}
    for s in some:
        said = s.relations if task == "compared" else Annotation(spans=s.mentions)
        row = make_row(s.text, lane=lane, origin="person" if decided else None)
        answer = Proposal(
            row.text_digest, task, "m", "ok" if said != Annotation() else "empty", "t"
        )
        values = {"decision": said} if decided else {"proposal": replace(answer, annotation=said)}
        found[s.text] = replace(row, **values)
    return list(found.values())


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Corpora of both tasks, rules in the place of a student of 'product', and a real student."""
    root = tmp_path_factory.mktemp("relations")
    silver, decided = sentences("train", 110, seed=1), sentences("train", 176)
    dev, gold = sentences("train", 44, seed=2), sentences("test", 60)
    headers = {"compared": HEADER, "product": PRODUCTS}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        for task, header in headers.items():
            rows = [
                *rows_of(silver, "train", task, decided=False),
                *rows_of(decided, "train", task),
                *rows_of(dev, "dev", task),
            ]
            Path("corpus/gold").mkdir(parents=True, exist_ok=True)
            write_corpus(Path(f"corpus/{task}.jsonl"), header, rows)
            write_corpus(Path(f"corpus/gold/{task}.jsonl"), header, rows_of(gold, "gold", task))
        config = student_config("hitl_relations", task="compared")
        config = config.merge(load_config_from_str(TRAINING))
        config.to_disk("compared.cfg")
        distill(Path("compared.cfg"), Path("training/compared"))
        nlp = spacy.blank("en")
        ruler: Any = nlp.add_pipe("entity_ruler", name="product")
        every = {part: NAMES[part] for part in ("train", "test")}.values()
        ruler.add_patterns(
            {"label": label, "pattern": name}
            for names in every
            for label, forms in names.items()
            for name in forms
        )
        Path("training/product/model-best").mkdir(parents=True)
        nlp.to_disk("training/product/model-best")
        Path("prototype.cfg").write_text(CONFIG)
        for name in ("answers", "texts"):
            Path(f"{name}.jsonl").touch()
    return root


@pytest.fixture
def project(trained: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(trained)
    return trained


def corpora(task: str) -> Dict[str, Path]:
    return {"gold": Path(f"corpus/gold/{task}.jsonl"), "train": Path(f"corpus/{task}.jsonl")}


SYSTEM = "training/product/model-best+training/compared/model-best"


def test_the_reader_shows_all_mentions(project: Path) -> None:
    nlp = spacy.blank("en")
    reader = make_task_corpus(
        Path("corpus/compared.jsonl"), "compared", mentions=Path("corpus/product.jsonl")
    )
    found = {eg.text: ents(eg.predicted) for eg in reader(nlp)}
    known = {s.text: s for s in sentences("train", 176)}
    assert found and set(found) <= set(known)
    for text, mentions in found.items():
        assert mentions == [(text[m.start : m.end], m.label) for m in known[text].mentions]


def test_it_is_measured_beside_a_baseline(project: Path) -> None:
    metrics = evaluate([SYSTEM], **corpora("compared"))
    baseline, student = metrics.systems
    assert (metrics.main, student.role) == ("compared_rel_f", "student")
    assert baseline.name == "label pairs on the same mentions"
    assert baseline.score < 0.4 < 0.8 < student.score
    assert student.threshold == 0.5
    assert student.words_per_s and student.megabytes and student.megabytes < 6
    assert {label.label for label in student.labels} == set(LABELS)
    # Without mentions there is nothing to relate: it is measured end to end.
    alone = evaluate(["training/compared/model-best"], **corpora("compared")).systems[1]
    assert alone.score == 0


def test_the_speed_recipe_is_in_it(project: Path) -> None:
    nlp = spacy.load("training/compared/model-best")
    assert nlp.config["nlp"]["after_pipeline_creation"] == {
        "@callbacks": "spacy-hitl.accelerate.v1"
    }
    kept = [type(n._func).__name__ for n in nlp.get_pipe("compared").model.walk()]
    assert "CachedEmbedding" in kept and "FusedEncoder" in kept


def test_it_is_promoted_and_runs_in_production(project: Path) -> None:
    for task, name in (("product", "training/product/model-best"), ("compared", SYSTEM)):
        metrics = evaluate([name], **corpora(task))
        write_json(Path(f"metrics/{task}.json"), metrics.to_dict())
    result = promote(Path("prototype.cfg"))
    assert not result.held and result.link is not None
    lineage = spacy.load(result.link).meta["hitl"]["students"]
    assert lineage["compared"]["kind"] == "relations"
    assert lineage["compared"]["score"]["compared_rel_f"] > 0.8
    code = (
        "import sys, spacy\n"
        "nlp = spacy.load('pipelines/phones')\n"
        "(doc,) = nlp.pipe(['Quasar was replaced by Heron today'])\n"
        "found = [(doc.text[r['head_start']:r['head_end']], r['label'],\n"
        "          doc.text[r['tail_start']:r['tail_end']]) for r in doc._.rel]\n"
        "ours = {m.split('.')[1] for m in sys.modules if m.startswith('spacy_hitl.')}\n"
        "print(nlp.pipe_names, found, sorted(ours & {'llm', 'dataset', 'distill', 'review'}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    wanted = "['product', 'compared'] [('Heron', 'REPLACES', 'Quasar')] []"
    assert done.stdout.strip() == wanted, done.stderr
