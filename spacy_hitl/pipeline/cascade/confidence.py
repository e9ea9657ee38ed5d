"""How sure a student is of all it says about a text, by kind of component.

The number is the probability that the student itself gives to its whole annotation: that every part
of it is right and nothing is missing. It is as good as the student's own probabilities are; an
isotonic curve, fitted on decided texts, makes it one that holds (`scoring.cascade`).
"""

from typing import Any, Callable, Dict, List, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc

from ...errors import Errors, InputError
from ..entity_steps import chance_of_all
from .memory import forget, remember, rows_of

Floats = NDArray[np.float64]
Labels = Tuple[str, ...]
LEAST = 1e-12  # of a single judgement: no text is impossible


def around_threshold(scores: Floats, threshold: float) -> Floats:
    """Read scores as the probability that the side of the threshold they are on is right.

    scores (Floats): From 0 to 1, any shape.
    threshold (float): Lowest score at which something holds; it is read as 0.5.
    RETURNS (Floats): From 0.5 to 1.
    """
    above = 0.5 + 0.5 * (scores - threshold) / max(1 - threshold, LEAST)
    below = 0.5 + 0.5 * (threshold - scores) / max(threshold, LEAST)
    found: Floats = np.clip(np.where(scores >= threshold, above, below), LEAST, 1.0)
    return found


class Confidence:
    """Asks one student how sure it is.

    nlp (Language): The pipeline.
    student (str): Name of the component.
    labels (Sequence[str]): The labels of its task: others are not its own.
    RAISES (InputError): If it is of a kind that can't be asked.
    """

    def __init__(self, nlp: Language, student: str, labels: Sequence[str]) -> None:
        self.pipe: Any = nlp.get_pipe(student)
        factory = nlp.get_pipe_meta(student).factory
        if factory not in KINDS:
            known = ", ".join(KINDS)
            raise InputError(Errors.H562.format(name=student, factory=factory, known=known))
        self._ask = KINDS[factory]
        if factory in LAYERS:
            remember(LAYERS[factory](self.pipe))
        self._factory = factory
        self._labels = tuple(labels)

    def __call__(self, docs: Sequence[Doc]) -> List[float]:
        """Ask about documents that the student has annotated.

        docs (Sequence[Doc]): Not changed.
        RETURNS (List[float]): Of each, from 0 to 1. Nothing can be wrong with an empty text: 1.
        """
        full = [doc for doc in docs if len(doc)]
        found = iter(self._ask(self.pipe, full, self._labels) if full else ())
        return [next(found) if len(doc) else 1.0 for doc in docs]

    def forget(self) -> None:
        """Give up the documents that are kept, at the end of a stream."""
        if self._factory in LAYERS:
            forget(LAYERS[self._factory](self.pipe))


def _entities(pipe: Any, docs: List[Doc], labels: Labels) -> List[float]:
    layer = pipe.model.layers[0]

    def read(inputs: Any, _: Any) -> Tuple[Sequence[Doc], List[int]]:
        return inputs, [len(doc) for doc in inputs]

    known = rows_of(layer, docs, read=read)
    missing = [doc for doc in docs if len(known.get(id(doc), ())) != len(doc)]
    if missing:
        layer.predict(missing)
        known.update(rows_of(layer, missing, read=read))
    vectors = np.concatenate([pipe.model.ops.to_numpy(known[id(doc)]) for doc in docs])
    return chance_of_all(pipe, docs, vectors, labels=labels)


def _spans(pipe: Any, docs: List[Doc], _: Labels, *, exclusive: bool = False) -> List[float]:
    def read(inputs: Any, _: Any) -> Tuple[Sequence[Doc], List[int]]:
        called, indices = inputs
        return called, [int(n) for n in indices.lengths]

    known = rows_of(pipe.model, docs, read=read)
    missing = [doc for doc in docs if id(doc) not in known]
    if missing:
        pipe.predict(missing)
        known.update(rows_of(pipe.model, missing, read=read))
    found = []
    for doc in docs:
        # A batch without a single candidate never reaches the model.
        scores = pipe.model.ops.to_numpy(known[id(doc)]) if id(doc) in known else np.zeros((0, 1))
        if exclusive:
            sure = np.maximum(scores.max(axis=1), LEAST) if len(scores) else np.ones(1)
        else:
            sure = around_threshold(scores, float(pipe.cfg["threshold"]))
        found.append(float(np.exp(np.log(sure).sum())))
    return found


def _one_span_label(pipe: Any, docs: List[Doc], labels: Labels) -> List[float]:
    return _spans(pipe, docs, labels, exclusive=True)


def _one_category(pipe: Any, docs: List[Doc], _: Labels) -> List[float]:
    return [max(float(doc.cats[label]) for label in pipe.labels) for doc in docs]


def _categories(pipe: Any, docs: List[Doc], _: Labels) -> List[float]:
    scores = np.array([[doc.cats[label] for label in pipe.labels] for doc in docs])
    sure = around_threshold(scores, float(pipe.cfg["threshold"]))
    return [float(chance) for chance in np.exp(np.log(sure).sum(axis=1))]


KINDS: Dict[str, Callable[[Any, List[Doc], Labels], List[float]]] = {
    "ner": _entities,
    "spancat": _spans,
    "spancat_singlelabel": _one_span_label,
    "textcat": _one_category,
    "textcat_multilabel": _categories,
}
# The layer whose results are used again.
LAYERS: Dict[str, Callable[[Any], Any]] = {
    "ner": lambda pipe: pipe.model.layers[0],
    "spancat": lambda pipe: pipe.model,
    "spancat_singlelabel": lambda pipe: pipe.model,
}
