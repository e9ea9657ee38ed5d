"""Seen names and a bias: measured on texts that were not learned from, kept in plain spaCy."""

from typing import Any, List

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_hitl.distill.ner.choices import BIASES, Choice, Choices
from spacy_hitl.distill.ner.seen import fill_ruler, seen_patterns


def make_doc(nlp: Language, text: str, *names: str) -> Doc:
    doc = nlp.make_doc(text)
    doc.ents = [Span(doc, t.i, t.i + 1, label="BRAND") for t in doc if t.text in names]
    return doc


def test_a_form_is_known_if_it_mostly_is_a_name() -> None:
    nlp = spacy.blank("en")
    docs = [
        make_doc(nlp, "Gap is near the gap", "Gap"),
        make_doc(nlp, "mind the gap in Vans or vans", "Vans", "vans"),
    ]
    found = {share: seen_patterns(docs, min_share=share) for share in (0.3, 0.5, 1.0)}
    assert [p["pattern"] for p in found[0.3]] == ["gap", "vans"]
    assert found[0.5] == found[1.0] == [{"label": "BRAND", "pattern": "vans"}]
    assert seen_patterns([], min_share=0.5) == []


def test_a_form_of_two_labels_has_the_more_frequent_one() -> None:
    nlp = spacy.blank("en")
    docs = [make_doc(nlp, "Orion and Orion", "Orion"), make_doc(nlp, "Orion")]
    docs[1].ents = [Span(docs[1], 0, 1, label="STAR")]
    assert seen_patterns(docs, min_share=0.6) == [{"label": "BRAND", "pattern": "orion"}]
    assert seen_patterns(docs, min_share=0.7) == []


def test_patterns_of_several_words_are_found_in_any_case() -> None:
    nlp = spacy.blank("en")
    doc = nlp.make_doc("I wear J. Crew and Levi's")
    doc.ents = [Span(doc, 2, 4, label="BRAND"), Span(doc, 5, len(doc), label="BRAND")]
    nlp.add_pipe("entity_ruler", name="seen", config={"phrase_matcher_attr": "LOWER"})
    fill_ruler(nlp, "seen", seen_patterns([doc], min_share=0.5))
    found = nlp("LEVI'S or j. crew")
    assert [(e.text, e.label_) for e in found.ents] == [("LEVI'S", "BRAND"), ("j. crew", "BRAND")]


def make_pipeline() -> Language:
    """A `ner` that takes nothing for a name, and a ruler in front of it."""
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler", name="seen", config={"phrase_matcher_attr": "LOWER"})
    ner: Any = nlp.add_pipe("ner")
    ner.add_label("BRAND")
    nlp.initialize()
    upper = ner.model.get_ref("upper")
    upper.set_param("W", upper.get_param("W") * 0)
    upper.set_param("b", upper.get_param("b") * 0)
    set_bias(nlp, 10.0)
    return nlp


def set_bias(nlp: Language, value: float) -> None:
    ner: Any = nlp.get_pipe("ner")
    upper = ner.model.get_ref("upper")
    bias = upper.get_param("b") * 0
    names = [ner.moves.get_class_name(i) for i in range(ner.moves.n_moves)]
    bias[names.index("O")] = value
    bias[names.index("U-BRAND")] = 0.5
    upper.set_param("b", bias)


def examples(nlp: Language, *rows: Any) -> List[Example]:
    return [Example(nlp.make_doc(text), make_doc(nlp, text, *names)) for text, *names in rows]


def test_the_list_is_chosen_where_it_helps() -> None:
    nlp = make_pipeline()
    learned = examples(nlp, ("my Keds fell", "Keds"), ("it is a gap", ""))
    held = examples(nlp, ("new keds today", "keds"), ("so what", ""))
    choices = Choices("ner", "seen")
    before = nlp.get_pipe("ner").model.get_ref("upper").get_param("b").copy()  # type: ignore[attr-defined]
    choices.count(nlp, learned, held)
    assert (nlp.get_pipe("ner").model.get_ref("upper").get_param("b") == before).all()  # type: ignore[attr-defined]
    best = choices.best()
    assert best == Choice(min_share=0.5, bias=BIASES[0])
    assert choices.f(best) == 1.0
    assert choices.f(Choice()) == 0.0
    choices.apply(nlp, learned + held, best)
    assert [e.text for e in nlp("old KEDS").ents] == ["KEDS"]


@pytest.mark.parametrize(("start", "bias"), [(1.0, -1.0), (-2.0, 3.0)])
def test_the_bias_is_chosen_and_saved(start: float, bias: float, tmp_path: Any) -> None:
    nlp = make_pipeline()
    set_bias(nlp, start)
    # All is a name, or nothing is: then only the right bias is right.
    held = examples(nlp, ("Keds", "Keds"), ("Vans", "Vans")) if bias < 0 else []
    held += examples(nlp, ("so what", ""), ("no name here", "")) if bias > 0 else []
    held += examples(nlp, ("Levis", "Levis"))
    choices = Choices("ner", "seen")
    choices.count(nlp, examples(nlp, ("nothing", "")), held)
    best = choices.best()
    if bias < 0:
        assert best == Choice(None, bias)
        choices.apply(nlp, held, best)
        assert nlp.pipe_names == ["ner"]
        nlp.to_disk(tmp_path)
        assert [e.text for e in spacy.load(tmp_path)("Keds").ents] == ["Keds"]
    else:
        assert choices.f(Choice(None, bias)) == 0.0
        choices.apply(nlp, held, Choice(0.5, bias))
        assert [e.text for e in nlp("so Levis").ents] == ["Levis"]


def test_what_nobody_decided_on_is_not_wrong() -> None:
    nlp = make_pipeline()
    nlp.remove_pipe("seen")
    set_bias(nlp, -9.0)
    (eg,) = examples(nlp, ("Keds what", "Keds"))
    choices = Choices("ner", None)
    choices.count(nlp, [], [eg])
    assert choices.f(Choice()) == pytest.approx(2 / 3)
    eg.reference.set_ents(list(eg.reference.ents), missing=[eg.reference[1:2]], default="outside")
    choices = Choices("ner", None)
    choices.count(nlp, [], [eg])
    assert choices.f(Choice()) == 1.0


@pytest.mark.filterwarnings("error:.*W036")
def test_a_list_without_a_name_goes() -> None:
    """Its ruler would warn at every text."""
    nlp = make_pipeline()
    (eg,) = held = examples(nlp, ("so what", ""))
    choices = Choices("ner", "seen")
    choices.count(nlp, [eg], held)
    choices.apply(nlp, held, Choice(0.5, 0.0))
    assert nlp.pipe_names == ["ner"]
    assert not nlp("nothing at all").ents
