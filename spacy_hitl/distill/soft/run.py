"""The loop: batches of unlabelled texts, their soft labels, an optimizer that is thrown away."""

import random
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Optional, Protocol, Sequence, Tuple

from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import logger

from ...errors import Errors, InputError
from ...io import batched
from ..optimizer import make_adam
from .ner import SoftEntities
from .spancat import SoftSpans
from .student import Student
from .teacher import KINDS, Teacher, load_teacher
from .textcat import SoftCategories
from .texts import SoftTexts, shuffled_batches

ZONE = 64  # batches after which what was allocated for them is freed


class SoftUpdate(Protocol):
    """One update of one kind of component."""

    def update(self, docs: Sequence[Doc], *, drop: float) -> Tuple[float, int]:
        """RETURNS (Tuple[float, int]): Divergence summed up, and over how many decisions."""


@dataclass(frozen=True)
class SoftSettings:
    """How a student is taught.

    teachers: folders of pipelines. component: that teaches, in all of them. epochs: passes over
    the texts. batch_size: texts per update. learn_rate: peak rate of Adam; it rises over the first
    2% of the updates and then falls to 0. dropout: of the student, 0 to 1. temperature: above 0.
    follow: who chooses a transition system's next state, "student" or "teacher". seed: of the
    order.
    """

    teachers: Tuple[Path, ...]
    component: Optional[str] = None
    epochs: int = 5
    batch_size: int = 16
    learn_rate: float = 0.001
    dropout: float = 0.2
    temperature: float = 1.0
    follow: str = "student"
    seed: int = 0


def learn_softly(
    nlp: Language,
    name: str,
    texts: SoftTexts,
    settings: SoftSettings,
    *,
    labels: Sequence[str] = (),
) -> float:
    """Teach a component the probabilities of trained pipelines.

    nlp (Language): Initialised; changed in place.
    name (str): The component that learns.
    texts (SoftTexts): What teachers and student read.
    settings (SoftSettings): How.
    labels (Sequence[str]): Labels of the task.
    RETURNS (float): Mean divergence in the last epoch, in nats per decision: an action of `ner`, a
        text, a suggested span.
    RAISES (InputError): If a teacher can't be used for this component, or there are no texts.
    """
    student = Student(nlp, name)
    if student.factory not in KINDS:
        known = ", ".join(KINDS)
        raise InputError(Errors.H314.format(name=name, factory=student.factory, known=known))
    teachers = [
        load_teacher(path, factory=student.factory, name=name, component=settings.component)
        for path in settings.teachers
    ]
    update = make_update(student, teachers, settings, labels)
    optimizer = make_adam(settings.learn_rate)
    order = random.Random(settings.seed)  # noqa: S311
    total, skipped = _count(nlp, texts)
    if not total:
        raise InputError(Errors.H318.format(name=name, path=texts.path, skipped=skipped))
    logger.info("Soft labels for '%s': %d texts, %d of lane dev left out", name, total, skipped)
    mean = seen = 0.0
    for epoch in range(settings.epochs):
        loss, count = 0.0, 0
        batches = shuffled_batches(_wanted(nlp, texts), size=settings.batch_size, order=order)
        for group in batched(batches, ZONE):
            with ExitStack() as zones:
                # What was only read leaves no word behind in the vocabulary that is saved.
                for pipeline in (nlp, *(teacher.nlp for teacher in teachers)):
                    zones.enter_context(pipeline.memory_zone())
                for batch in group:
                    done = seen / (total * settings.epochs)
                    optimizer.learn_rate = settings.learn_rate * _share(done)
                    docs = [nlp.make_doc(text) for text in batch]
                    more, decisions = update.update(docs, drop=settings.dropout)
                    student.finish(optimizer)
                    loss, count, seen = loss + more, count + decisions, seen + len(batch)
        mean = loss / max(count, 1)
        logger.info("Soft epoch %d of %d: divergence %.4f", epoch + 1, settings.epochs, mean)
    student.leave()
    return mean


def make_update(
    student: Student, teachers: Sequence[Teacher], settings: SoftSettings, labels: Sequence[str]
) -> SoftUpdate:
    """Choose the update for a kind of component.

    student (Student): What learns.
    teachers (Sequence[Teacher]): Of the same kind.
    settings (SoftSettings): How.
    labels (Sequence[str]): Labels of the task.
    RETURNS (SoftUpdate): Collects the gradients of a batch.
    RAISES (InputError): If teachers and student don't know the same classes.
    """
    if student.factory == "ner":
        return SoftEntities(
            student,
            teachers,
            labels=labels,
            temperature=settings.temperature,
            follow=settings.follow,
        )
    kind = SoftCategories if student.factory.startswith("textcat") else SoftSpans
    return kind(student, teachers, temperature=settings.temperature)


def _wanted(nlp: Language, texts: SoftTexts) -> Iterator[str]:
    return (text for text in texts.read(max_chars=nlp.max_length) if text is not None)


def _count(nlp: Language, texts: SoftTexts) -> Tuple[int, int]:
    """Reads all once: what is wrong with the file is said before anything was learned."""
    total = skipped = 0
    for text in texts.read(max_chars=nlp.max_length):
        total += text is not None
        skipped += text is None
    return total, skipped


def _share(done: float, rise: float = 0.02) -> float:
    """RETURNS (float): Share of the peak learning rate: a short rise, then a straight fall."""
    return min(done / rise, 1.0, (1.0 - done) / (1.0 - rise)) if done else 0.5 * rise
