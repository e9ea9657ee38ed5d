"""Categories: the probabilities of each text.

The component's own update refuses targets other than 0 and 1 (spaCy's E851), so its model is
updated here; nothing of the component changes.
"""

from typing import Any, Sequence, Tuple

import numpy as np
from spacy.tokens import Doc

from .student import Student
from .targets import Floats, average, divergence, soften, through_logistic
from .teacher import Teacher, columns


class SoftCategories:
    """Teaches a `textcat` or `textcat_multilabel`.

    student (Student): What learns.
    teachers (Sequence[Teacher]): Their probabilities are averaged.
    temperature (float): Above 0.
    RAISES (InputError): If the labels of teacher and student differ.
    """

    def __init__(
        self, student: Student, teachers: Sequence[Teacher], *, temperature: float
    ) -> None:
        self._student = student
        self._teachers = teachers
        self._temperature = temperature
        self._exclusive = student.factory == "textcat"
        self._columns = [
            columns(t.pipe.labels, student.pipe.labels, path=t.path, name=student.name)
            for t in teachers
        ]

    def update(self, docs: Sequence[Doc], *, drop: float) -> Tuple[float, int]:
        """RETURNS (Tuple[float, int]): Divergence summed up over texts, and how many there were."""
        wanted = []
        for teacher, order in zip(self._teachers, self._columns, strict=True):
            scores = _numpy(teacher.pipe, teacher.pipe.predict(teacher.read(docs)))[:, order]
            wanted.append(soften(scores, self._temperature, exclusive=self._exclusive))
        self._student.prepare(docs, drop=drop)
        model = self._student.pipe.model
        scores, backprop = model.begin_update(list(docs))
        loss, gradient = compare(
            _numpy(self._student.pipe, scores),
            average(wanted),
            temperature=self._temperature,
            exclusive=self._exclusive,
        )
        backprop(model.ops.asarray2f(gradient))
        return loss, len(docs)


def compare(
    scores: Floats, wanted: Floats, *, temperature: float, exclusive: bool
) -> Tuple[float, Floats]:
    """Compare a student's probabilities with what is wanted.

    scores (Floats): Shape (rows, classes), as the model gave them.
    wanted (Floats): The same shape, already softened.
    temperature (float): Above 0.
    exclusive (bool): If set, a row is one distribution, else each value is one.
    RETURNS (Tuple[float, Floats]): Divergence, and the gradient to give to the last layer.
    """
    predicted = soften(scores, temperature, exclusive=exclusive)
    gradient: Floats = (predicted - wanted) * np.float32(temperature)
    if not exclusive:
        gradient = through_logistic(gradient, scores)
    return divergence(predicted, wanted, exclusive=exclusive), gradient.astype("f")


def _numpy(pipe: Any, scores: Any) -> Floats:
    found: Floats = pipe.model.ops.to_numpy(scores)
    return found
