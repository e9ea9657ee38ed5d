"""Named entities: the softmax over the actions of the transition system, at every state.

Teacher and student look at the same states. Each state takes one action and moves by one token,
so the student is taught one distribution per token.
"""

from typing import Any, List, Sequence, Tuple

import numpy as np
from spacy.tokens import Doc

from ...io import batched
from .student import Student
from .targets import Floats, average, divergence, softmax
from .teacher import Teacher, columns

BATCH = 128  # texts that are decided on at a time


class SoftEntities:
    """Teaches a `ner`. Where the student lacks a label of the teachers, it gets it.

    student (Student): What learns.
    teachers (Sequence[Teacher]): Their distributions are averaged.
    labels (Sequence[str]): Labels of the task: no other is added.
    temperature (float): Above 0.
    follow (str): Who chooses the action that leads to the next state: "student" or "teacher".
    RAISES (InputError): If the actions of teacher and student can't be made to agree.
    """

    def __init__(
        self,
        student: Student,
        teachers: Sequence[Teacher],
        *,
        labels: Sequence[str],
        temperature: float,
        follow: str,
    ) -> None:
        self._student = student
        self._teachers = teachers
        self._temperature = temperature
        self._follow = follow
        pipe = student.pipe
        for teacher in teachers:
            for label in teacher.pipe.labels:
                if label in labels:
                    pipe.add_label(label)
        self._columns = [
            columns(actions(t.pipe), actions(pipe), path=t.path, name=student.name)
            for t in teachers
        ]
        # spaCy keeps actions that no gold example had at the lowest score; the teachers have them.
        pipe.model.attrs["unseen_classes"].clear()

    def update(self, docs: Sequence[Doc], *, drop: float) -> Tuple[float, int]:
        """Collect the gradients of a batch.

        docs (Sequence[Doc]): The texts, tokenized by the student's pipeline.
        drop (float): Dropout rate, 0 to 1.
        RETURNS (Tuple[float, int]): Divergence summed up over states, and how many there were.
        """
        pipe = self._student.pipe
        steps = [t.pipe.model.predict(t.read(docs)) for t in self._teachers]
        self._student.prepare(docs, drop=drop)
        model, finish = pipe.model.begin_update(list(docs))
        states = [state for state in pipe.moves.init_batch(list(docs)) if not state.is_final()]
        loss, count = 0.0, 0
        while states:
            wanted = together(steps, self._columns, states, self._temperature)
            scores, backprop = model.begin_update(states)
            predicted = softmax(scores, self._temperature)
            loss += divergence(predicted, wanted, exclusive=True)
            count += len(states)
            # Times the square of the temperature, so that it doesn't change the learning rate.
            backprop(((predicted - wanted) * self._temperature).astype("f"))
            chosen = scores if self._follow == "student" else wanted
            states = pipe.transition_states(states, np.ascontiguousarray(chosen, dtype="f"))
        finish(None)
        for step in (model, *steps):
            step.clear_memory()
        return loss, count


def actions(pipe: Any) -> List[str]:
    """RETURNS (List[str]): Names of all actions of a `ner`. Its `move_names` leave out "U-", which
    blocked tokens take, but its scores don't.
    """
    return [pipe.moves.get_class_name(i) for i in range(pipe.moves.n_moves)]


def predict_together(teachers: Sequence[Teacher], docs: Sequence[Doc]) -> None:
    """Let several recognizers decide each action together, by the mean of their distributions.

    teachers (Sequence[Teacher]): With the same classes; the first one's transition system is used.
    docs (Sequence[Doc]): Of the first one's pipeline; their entities are set.
    RAISES (InputError): If their classes differ.
    """
    first = teachers[0].pipe
    orders = [
        columns(actions(t.pipe), actions(first), path=t.path, name=teachers[0].name)
        for t in teachers
    ]
    for batch in batched(docs, BATCH):
        steps = [t.pipe.model.predict(t.read(batch)) for t in teachers]
        final = first.moves.init_batch(batch)
        states = [state for state in final if not state.is_final()]
        while states:
            wanted = together(steps, orders, states, 1.0)
            states = first.transition_states(states, np.ascontiguousarray(wanted, dtype="f"))
        first.set_annotations(batch, final)


def together(
    steps: Sequence[Any], orders: Sequence[List[int]], states: List[Any], temperature: float
) -> Floats:
    """RETURNS (Floats): Shape (states, actions): the mean distribution of several step models."""
    found = (step.predict(states) for step in steps)
    ordered = (scores[:, order] for scores, order in zip(found, orders, strict=True))
    return average([softmax(scores, temperature) for scores in ordered])
