"""What the tests of soft labels share: tiny pipelines of every kind, and texts to teach on."""

import random
from pathlib import Path
from typing import Any, Dict, List, Sequence

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.util import fix_random_seed, load_model_from_config

from spacy_hitl.distill.recipes import student_config
from spacy_hitl.distill.recipes.tok2vec import Size, tok2vec
from spacy_hitl.distill.soft.texts import SoftTexts

SIZE = Size(width=16, depth=1, hidden=16, rows=(200, 100, 100, 100))
THINGS = {"K10": "PHONE", "Nebula": "PHONE", "Volt": "PHONE", "Lisbon": "PLACE", "Oslo": "PLACE"}
FILLERS = ("my", "the", "an", "old", "broke", "in", "fell", "great", "today", "was", "not", "so")
KINDS = ("ner", "textcat", "textcat_multilabel", "spancat", "spancat_singlelabel")


def make_texts(count: int, seed: int) -> List[str]:
    """RETURNS (List[str]): Made-up sentences with a thing in most of them."""
    draw = random.Random(seed)
    texts = []
    for _ in range(count):
        words = draw.choices(FILLERS, k=draw.randint(3, 8))
        for _ in range(draw.randint(0, 2)):
            words.insert(draw.randint(0, len(words)), draw.choice(list(THINGS)))
        texts.append(" ".join(words))
    return texts


def annotated(nlp: Language, text: str) -> Example:
    """RETURNS (Example): The text with entities, spans and categories."""
    doc = nlp.make_doc(text)
    spans = [Span(doc, t.i, t.i + 1, THINGS[t.text]) for t in doc if t.text in THINGS]
    doc.set_ents(spans)
    doc.spans["sc"] = spans
    label = spans[0].label_ if spans else "PLACE"
    doc.cats = {"PHONE": float(label == "PHONE"), "PLACE": float(label == "PLACE")}
    return Example(nlp.make_doc(text), doc)


def make_pipeline(
    kind: str,
    *,
    seed: int = 0,
    things: Sequence[str] = tuple(THINGS),
    shared: bool = False,
    size: Size = SIZE,
    **values: Any,
) -> Language:
    """RETURNS (Language): Initialised with the labels of the things; its component is "thing"."""
    single = kind == "spancat_singlelabel"
    config = student_config("spancat" if single else kind, task="thing", recipe="small")
    model: Dict[str, Any] = config["components"]["thing"]["model"]
    if single:
        config["components"]["thing"]["factory"] = kind
        model["scorer"] = {"@layers": "Softmax.v2", "nO": None, "nI": None}
    model["tok2vec"] = tok2vec(size)
    if "hidden_width" in model:
        model["hidden_width"] = size.hidden
    config["components"]["thing"].update(values)
    if shared:
        config["components"]["tok2vec"] = {"factory": "tok2vec", "model": model["tok2vec"]}
        config["nlp"]["pipeline"] = ["tok2vec", "thing"]
        listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": size.width}
        model["tok2vec"] = {**listener, "upstream": "*"}
    fix_random_seed(seed)
    nlp = load_model_from_config(config, auto_fill=True)
    nlp.initialize(lambda: [annotated(nlp, " ".join(things)), *both(nlp)])
    return nlp


def both(nlp: Language) -> List[Example]:
    """RETURNS (List[Example]): Two, one per label."""
    return [annotated(nlp, "my Oslo"), annotated(nlp, "my K10")]


def train_pipeline(nlp: Language, folder: Path, *, rounds: int = 12) -> Path:
    """RETURNS (Path): Where the pipeline was saved after learning what is right."""
    fix_random_seed(1)
    optimizer = nlp.create_optimizer()
    optimizer.learn_rate = 0.01
    examples = [annotated(nlp, text) for text in make_texts(60, seed=1)]
    for _ in range(rounds):
        nlp.update(examples, sgd=optimizer)
    nlp.to_disk(folder)
    return folder


def some_texts(count: int = 120) -> SoftTexts:
    """RETURNS (SoftTexts): Unlabelled texts in memory."""
    return SoftTexts(None, make_texts(count, seed=2), frozenset())


def said(nlp: Language, texts: Sequence[str]) -> List[Any]:
    """RETURNS (List[Any]): What the component predicts, whatever its kind."""
    return [_said(doc) for doc in nlp.pipe(texts)]


def _said(doc: Doc) -> Any:
    spans = [*doc.ents, *doc.spans.get("sc", ())]
    best = max(doc.cats, key=lambda label: doc.cats[label]) if doc.cats else None
    return best, [(s.start_char, s.end_char, s.label_) for s in spans]
