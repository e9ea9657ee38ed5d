"""Small students, and a project in which they are trained and measured."""

import warnings
from pathlib import Path
from typing import Any, Dict, List, Tuple

import spacy
from spacy.language import Language
from spacy.training import Example

from spacy_hitl.dataset.corpus import read_corpus
from spacy_hitl.io import folder_digest, write_json
from spacy_hitl.promote.switch import current_version
from spacy_hitl.scoring.results import SystemScore, TaskMetrics

CONFIG = Path("configs/prototype.cfg")
LINK = Path("pipelines/phones")
TEXTS = ["The Nebula broke. My K9 did not.", "nothing here", "👩‍🚀 K10"]


def shared_tok2vec(nlp: Language) -> Dict[str, Any]:
    """Add a tok2vec, and return the config of a model that listens to it."""
    nlp.add_pipe("tok2vec", config={"model": {"width": 16, "depth": 1}})
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 16, "upstream": "tok2vec"}
    return {"tok2vec": listener}


def make_ner(name: str = "product", *, seed: int = 1) -> Language:
    """A student with a sentencizer and an ner that listens."""
    nlp = spacy.blank("xx")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("ner", name=name, config={"model": shared_tok2vec(nlp)})
    examples = [("The Nebula broke.", [(4, 10, "PRODUCT")]), ("My K9", [(3, 5, "PRODUCT")])]
    return teach(nlp, [(text, {"entities": spans}) for text, spans in examples], seed)


def make_textcat(name: str = "relevant", *, seed: int = 2) -> Language:
    nlp = spacy.blank("xx")
    nlp.add_pipe("sentencizer")
    model = {
        "@architectures": "spacy.TextCatReduce.v1",
        "exclusive_classes": True,
        "use_reduce_mean": True,
        "use_reduce_first": False,
        "use_reduce_last": False,
        "use_reduce_max": False,
    }
    nlp.add_pipe("textcat", name=name, config={"model": {**model, **shared_tok2vec(nlp)}})
    examples = [("The Nebula", (1.0, 0.0)), ("nothing here", (0.0, 1.0))]
    cats = [(text, {"RELEVANT": a, "NOT_RELEVANT": b}) for text, (a, b) in examples]
    return teach(nlp, [(text, {"cats": values}) for text, values in cats], seed)


def teach(nlp: Language, found: List[Any], seed: int) -> Language:
    """Learn a few examples by heart."""
    spacy.util.fix_random_seed(seed)
    examples = [Example.from_dict(nlp.make_doc(text), values) for text, values in found]
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.02
    for _ in range(15):
        nlp.update(examples, sgd=optimizer)
    return nlp


def save(nlp: Language, path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    nlp.to_disk(path)
    return path


def load(path: Path) -> Language:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return spacy.load(path)


def annotations(nlp: Language) -> List[Any]:
    return [
        (
            [(e.start_char, e.end_char, e.label_) for e in doc.ents],
            {label: round(score, 5) for label, score in doc.cats.items()},
            [s.start_char for s in doc.sents],
        )
        for doc in nlp.pipe(TEXTS)
    ]


def make_metrics(task: str, score: float, path: Path, **values: Any) -> TaskMetrics:
    header, _ = read_corpus(Path(f"corpus/{task}.jsonl"))
    student = {"digest": folder_digest(path), **values}
    systems = (
        SystemScore("lookup", "baseline", 0.5, 0.4, 0.6, 0.5, 0.5),
        SystemScore(str(path), "student", score, score - 0.1, score + 0.1, 0.8, 0.8, **student),
    )
    main = f"{task}_f"
    return TaskMetrics(header, main, 8, (("import", 8),), True, systems)


def set_metrics(task: str, score: float, **values: Any) -> None:
    path = Path(f"training/{task}/model-best")
    write_json(Path(f"metrics/{task}.json"), make_metrics(task, score, path, **values).to_dict())


def version_names() -> List[str]:
    return sorted(p.name for p in Path("versions").iterdir() if p.name[0] != ".")


def left_over() -> List[str]:
    """What lies beside the versions and the link, but for the lock and the journal."""
    found = [p.name for f in ("pipelines", "versions") for p in Path(f).glob(".*")]
    return sorted(set(found) - {".lock", ".phones.history.jsonl"})


def untouched() -> Tuple[Any, ...]:
    """Where production points, its bytes, and all that lies beside it."""
    names = version_names()
    digests = [folder_digest(Path("versions", name)) for name in names]
    return (current_version(LINK), str(LINK.readlink()), names, digests, left_over())
