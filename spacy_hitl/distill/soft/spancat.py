"""Span categories: the probabilities of each suggested span."""

from typing import Any, List, Sequence, Tuple

from spacy.tokens import Doc

from ...errors import Errors, InputError
from .student import Student
from .targets import Floats, average, soften
from .teacher import Teacher, columns
from .textcat import compare

NOTHING = "(no label)"  # the extra class of spancat_singlelabel


class SoftSpans:
    """Teaches a `spancat` or `spancat_singlelabel` on the spans that its own suggester gives.

    student (Student): What learns.
    teachers (Sequence[Teacher]): Their probabilities are averaged.
    temperature (float): Above 0.
    RAISES (InputError): If the labels of teacher and student differ, or their suggesters do: a
        teacher knows nothing about spans that were never suggested to it.
    """

    def __init__(
        self, student: Student, teachers: Sequence[Teacher], *, temperature: float
    ) -> None:
        self._student = student
        self._teachers = teachers
        self._temperature = temperature
        self._exclusive = bool(student.pipe.add_negative_label)
        wanted = student.nlp.get_pipe_config(student.name).get("suggester")
        for teacher in teachers:
            found = teacher.nlp.get_pipe_config(teacher.name).get("suggester")
            if found != wanted:
                raise InputError(
                    Errors.H315.format(
                        path=teacher.path, name=student.name, found=found, wanted=wanted
                    )
                )
        mine = _classes(student.pipe)
        self._columns = [
            columns(_classes(t.pipe), mine, path=t.path, name=student.name) for t in teachers
        ]

    def update(self, docs: Sequence[Doc], *, drop: float) -> Tuple[float, int]:
        """RETURNS (Tuple[float, int]): Divergence summed up over spans, and how many there were."""
        pipe = self._student.pipe
        spans = pipe.suggester(list(docs), ops=pipe.model.ops)
        count = int(spans.lengths.sum())
        if not count:
            return 0.0, 0
        wanted = []
        for teacher, order in zip(self._teachers, self._columns, strict=True):
            model = teacher.pipe.model
            own = type(spans)(
                model.ops.asarray2i(pipe.model.ops.to_numpy(spans.dataXd)),
                model.ops.asarray1i(pipe.model.ops.to_numpy(spans.lengths)),
            )
            scores: Floats = model.ops.to_numpy(model.predict((teacher.read(docs), own)))
            wanted.append(soften(scores[:, order], self._temperature, exclusive=self._exclusive))
        self._student.prepare(docs, drop=drop)
        raw, backprop = pipe.model.begin_update((list(docs), spans))
        loss, gradient = compare(
            pipe.model.ops.to_numpy(raw),
            average(wanted),
            temperature=self._temperature,
            exclusive=self._exclusive,
        )
        backprop(pipe.model.ops.asarray2f(gradient))
        return loss, count


def _classes(pipe: Any) -> List[str]:
    return [*pipe.labels, *([NOTHING] if pipe.add_negative_label else [])]
