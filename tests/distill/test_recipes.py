"""Every recipe builds, learns, saves and loads."""

import pytest
import spacy
from spacy.tokens import Span
from spacy.training import Example
from spacy.util import load_model_from_config

from spacy_hitl.distill.recipes import KINDS, RECIPES, student_config

# Kinds that need more than a text: test_init.py and test_relations_student.py have them.
ELSEWHERE = ("entity_linker", "hitl_relations")
TEXTS = ["my K10 fell", "nothing here", "the Nebula broke", "so what", "a K10 again"]


def examples(nlp):
    found = []
    for text in TEXTS:
        doc = nlp.make_doc(text)
        spans = [Span(doc, t.i, t.i + 1, "PHONE") for t in doc if t.text in ("K10", "Nebula")]
        doc.set_ents(spans)
        doc.spans["sc"] = spans
        doc.cats = {"YES": float(bool(spans)), "NO": float(not spans)}
        found.append(Example(nlp.make_doc(text), doc))
    return found


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("kind", [k for k in KINDS if k not in ELSEWHERE])
def test_a_student_learns_what_it_is_shown(kind, recipe, tmp_path):
    spacy.util.fix_random_seed(0)
    config = student_config(kind, task="phones", recipe=recipe)
    nlp = load_model_from_config(config, auto_fill=True)
    found = examples(nlp)
    optimizer = nlp.initialize(lambda: found)
    optimizer.learn_rate = 0.01
    for _ in range(40):
        nlp.update(found, sgd=optimizer)
    nlp.to_disk(tmp_path)
    (doc, other) = spacy.load(tmp_path).pipe(TEXTS[:2])
    if kind.startswith("textcat"):
        assert doc.cats["YES"] > 0.8 > 0.2 > other.cats["YES"]
    else:
        spans = doc.ents if kind == "ner" else doc.spans["sc"]
        assert [(s.text, s.label_) for s in spans] == [("K10", "PHONE")]
    fast = "Fast" in type(nlp.get_pipe("phones")).__name__
    assert fast == (kind == "ner" and recipe == "fast")


def test_what_is_no_recipe_is_refused(fails):
    with fails("H004", "'huge'", "small, fast"):
        student_config("ner", task="phones", recipe="huge")
    with fails("H004", "'poems'", "ner, spancat"):
        student_config("poems", task="phones")
