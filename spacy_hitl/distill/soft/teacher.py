"""A trained pipeline that teaches: one of its components is asked for probabilities."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, List, Optional, Sequence, Tuple

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from ...errors import Errors, InputError
from ...io import find_file
from ...pipeline.accelerate import accelerate

# Factories whose components can be taught softly.
KINDS = ("ner", "textcat", "textcat_multilabel", "spancat", "spancat_singlelabel")


@dataclass(frozen=True)
class Teacher:
    """One component of a loaded pipeline.

    path: where it was loaded from. name: of the component in it.
    """

    path: Path
    nlp: Language
    name: str

    @property
    def pipe(self) -> Any:
        """The component."""
        return self.nlp.get_pipe(self.name)

    def read(self, docs: Sequence[Doc]) -> List[Doc]:
        """Make the teacher's own documents of texts, ready for its component.

        docs (Sequence[Doc]): Of the student.
        RETURNS (List[Doc]): The same texts in the same tokens, after the components in front.
        """
        found = [self._tokens(doc) for doc in docs]
        for name, pipe in self.nlp.pipeline:
            if name == self.name:
                break
            found = list(pipe.pipe(found)) if hasattr(pipe, "pipe") else [pipe(d) for d in found]
        return found

    def _tokens(self, doc: Doc) -> Doc:
        own = self.nlp.make_doc(doc.text)
        if [t.idx for t in own] == [t.idx for t in doc]:
            return own
        # Another tokenizer: the teacher has to judge the student's tokens.
        words, spaces = [t.text for t in doc], [bool(t.whitespace_) for t in doc]
        return Doc(self.nlp.vocab, words=words, spaces=spaces)


def load_teacher(path: Path, *, factory: str, name: str, component: Optional[str]) -> Teacher:
    """Load a pipeline and find the component that teaches.

    path (Path): Folder of the pipeline.
    factory (str): Of the student: the teacher must be of the same kind.
    name (str): Of the student.
    component (Optional[str]): Name of the teaching component; if not given, the student's, or else
        the only one of its kind.
    RETURNS (Teacher): Ready; made faster where that changes nothing.
    RAISES (InputError): If the pipeline can't be loaded or has no such component.
    """
    find_file(path, what="pipeline that teaches")
    try:
        nlp = spacy.load(path)
    except (OSError, ValueError, KeyError, ImportError) as e:
        detail = str(e).strip().splitlines()[0] if str(e).strip() else type(e).__name__
        raise InputError(Errors.H310.format(path=path, detail=detail)) from e
    kinds = {n: nlp.get_pipe_meta(n).factory for n in nlp.pipe_names}
    found = component or (name if name in kinds else None)
    if found is None:
        same = [n for n, kind in kinds.items() if kind == factory]
        found = same[0] if len(same) == 1 else None
    if found is None or found not in kinds:
        known = ", ".join(f"{n} ({kind})" for n, kind in kinds.items())
        raise InputError(Errors.H311.format(path=path, name=component or name, known=known))
    if kinds[found] != factory:
        raise InputError(
            Errors.H312.format(path=path, name=found, found=kinds[found], wanted=factory)
        )
    accelerate(nlp)
    return Teacher(path, nlp, found)


def columns(teacher: Sequence[str], student: Sequence[str], *, path: Path, name: str) -> List[int]:
    """Find the teacher's classes in the student's order.

    teacher, student (Sequence[str]): Names of their classes.
    path (Path): Of the teacher, for the error message.
    name (str): Of the student.
    RETURNS (List[int]): For each class of the student, its number in the teacher.
    RAISES (InputError): If they are not the same but for the order.
    """
    if sorted(teacher) != sorted(student):
        known: Tuple[List[str], List[str]] = (sorted(teacher), sorted(student))
        raise InputError(Errors.H313.format(path=path, name=name, found=known[0], wanted=known[1]))
    places = {label: i for i, label in enumerate(teacher)}
    return [places[label] for label in student]
