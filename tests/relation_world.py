"""A small world of phones that beat, replace and are made: sentences with gold relations.

Labels of mentions and their order say little: products are related in both directions or not at
all. Names and the words around differ between the texts to train on and those to test on.
"""

import random
from dataclasses import dataclass
from typing import Any, List, Tuple

import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_hitl.records import Annotation, RelationAnnotation, SpanAnnotation
from spacy_hitl.tasks.relations.annotations import set_relations

LABELS = ("BEATS", "MADE_BY", "REPLACES")
# P, Q, R: products. C, D: companies. Then (head, label, tail).
TEMPLATES = [
    ("P beats Q {x}", ["P BEATS Q"]),
    ("P is better than Q {x}", ["P BEATS Q"]),
    ("P loses to Q {x}", ["Q BEATS P"]),
    ("P is worse than Q {x}", ["Q BEATS P"]),
    ("P replaced Q {x}", ["P REPLACES Q"]),
    ("P was replaced by Q {x}", ["Q REPLACES P"]),
    ("{x} P of C", ["P MADE_BY C"]),
    ("{x} C makes P", ["P MADE_BY C"]),
    ("P and Q {x}", []),
    ("{x} P or Q", []),
    ("C likes P {x}", []),
    ("P {x} C", []),
    ("P beats Q , and R {x}", ["P BEATS Q"]),
    ("R {x} , but P loses to Q", ["Q BEATS P"]),
    ("R {x} , and Q replaced P", ["Q REPLACES P"]),
    ("P was replaced by Q , like R {x}", ["Q REPLACES P"]),
    ("C makes P , D makes Q {x}", ["P MADE_BY C", "Q MADE_BY D"]),
    ("P of C beats Q of D {x}", ["P BEATS Q", "P MADE_BY C", "Q MADE_BY D"]),
    ("{x} P of C is worse than Q", ["Q BEATS P", "P MADE_BY C"]),
    ("P , Q and R {x}", []),
    ("C and D like P {x}", []),
    ("C sent P to D {x}", []),
]
NEW_TEMPLATES = [  # only in the texts to test on: new combinations of what was seen
    ("R {x} , but P was replaced by Q", ["Q REPLACES P"]),
    ("D makes Q , and P loses to Q {x}", ["Q MADE_BY D", "Q BEATS P"]),
    ("{x} P of C replaced Q , like R", ["P REPLACES Q", "P MADE_BY C"]),
    ("P and R {x} , but C likes Q", []),
]
NAMES = {
    "train": {
        "PRODUCT": [
            "K1",
            "K2",
            "K9",
            "K10",
            "Nebula",
            "Comet",
            "Orbit",
            "Zephyr",
            "Falcon",
            "Ibis",
            "Onyx",
            "Pulse",
        ],
        "COMPANY": ["Kestrel", "Northwind", "Halden", "Ravelin", "Ostrava", "Brim"],
    },
    "test": {
        "PRODUCT": ["K7", "K33", "Quasar", "Mistral", "Heron", "Basalt", "Tempo", "Lumen"],
        "COMPANY": ["Corvid", "Southgate", "Varden", "Tavel"],
    },
}
FILLERS = {
    "train": ["in my test", "last year", "for us", "at home", "on the train", "I think", "again"],
    "test": ["in this shop", "this spring", "for them", "at work", "by far", "they say", "today"],
}


@dataclass(frozen=True)
class Sentence:
    """A text with its mentions and relations."""

    text: str
    mentions: Tuple[SpanAnnotation, ...]
    relations: Annotation


def sentences(part: str, n: int, *, seed: int = 0) -> List[Sentence]:
    """Make sentences of the part "train" or "test"; all templates come about equally often."""
    draw = random.Random(f"{part} {seed}")
    templates = TEMPLATES + (NEW_TEMPLATES if part == "test" else [])
    found = []
    for i in range(n):
        template, triples = templates[i % len(templates)]
        products = draw.sample(NAMES[part]["PRODUCT"], 3)
        companies = draw.sample(NAMES[part]["COMPANY"], 2)
        names = dict(zip("PQRCD", products + companies, strict=True))
        places, text = {}, ""
        for word in template.split():
            text += " " if text else ""
            if word in names:
                label = "PRODUCT" if word in "PQR" else "COMPANY"
                places[word] = SpanAnnotation(len(text), len(text) + len(names[word]), label)
            text += names.get(word, draw.choice(FILLERS[part]) if word == "{x}" else word)
        relations = []
        for triple in triples:
            one, label, other = triple.split()
            h, t = places[one], places[other]
            relations.append(RelationAnnotation(h.start, h.end, t.start, t.end, label))
        mentions = tuple(sorted(places.values()))
        found.append(Sentence(text, mentions, Annotation(relations=tuple(sorted(relations)))))
    return found


def mention_spans(doc: Doc, sentence: Sentence) -> List[Span]:
    return [doc.char_span(m.start, m.end, label=m.label) for m in sentence.mentions]


def mentioned(nlp: Language, sentence: Sentence) -> Doc:
    """A document with its mentions, as a component upstream leaves it."""
    doc = nlp.make_doc(sentence.text)
    doc.set_ents(mention_spans(doc, sentence))
    return doc


def example(nlp: Language, sentence: Sentence) -> Example:
    """Mentions stand in both documents, relations in the reference."""
    reference = mentioned(nlp, sentence)
    set_relations(reference, sentence.relations, LABELS)
    return Example(mentioned(nlp, sentence), reference)


def small_tok2vec(width: int = 48, depth: int = 2) -> Any:
    return {
        "@architectures": "spacy.HashEmbedCNN.v2",
        "pretrained_vectors": None,
        "width": width,
        "depth": depth,
        "embed_size": 500,
        "window_size": 1,
        "maxout_pieces": 3,
        "subword_features": True,
    }


def small_model(tok2vec: Any = None) -> Any:
    reducer = {"@layers": "spacy.mean_max_reducer.v1", "hidden_size": 32}
    return {
        "@architectures": "spacy-hitl.Relations.v1",
        "hidden_size": 32,
        "tok2vec": tok2vec or small_tok2vec(),
        "mentions": reducer,
        "between": reducer,
    }


def train(nlp: Language, found: List[Example], *, epochs: int, rate: float = 0.005) -> None:
    """Initialise and train, with a fixed seed."""
    spacy.util.fix_random_seed(1)
    optimizer = nlp.initialize(lambda: found)
    optimizer.learn_rate = rate
    order = random.Random(0)
    for _ in range(epochs):
        order.shuffle(found)
        for batch in spacy.util.minibatch(found, 16):
            nlp.update(batch, sgd=optimizer, drop=0.1)


def make_student(name: str = "compared", *, n: int = 300, epochs: int = 10, **config: Any) -> Any:
    """A pipeline that has learnt to relate."""
    nlp = spacy.blank("en")
    nlp.add_pipe("hitl_relations", name=name, config={"model": small_model(), **config})
    train(nlp, [example(nlp, s) for s in sentences("train", n)], epochs=epochs)
    return nlp
