"""Run a pipeline over rows so that a text on which it fails takes no other with it."""

from collections import deque
from contextlib import suppress
from typing import Any, Deque, Iterable, Iterator, List, Optional, Tuple, Union

from spacy.language import Language
from spacy.tokens import Doc

from ..errors import ModelError, StateError
from ..records import Row
from .business import BusinessLogic

Outcome = Tuple[Row, Union[Doc, str]]
FATAL = (ModelError, StateError)  # no text can be annotated any more, or nothing be stored

# spaCy's own 1,000 take four times the memory and, with students of ours, a fifth more time: what
# a batch needs no longer fits the processor's caches.
BATCH_SIZE = 128


class RowAnnotator:
    """A pipeline, and what happens when a component fails.

    spaCy's components work on batches, and lose the whole batch when one text in it fails. Here
    what does not come back is tried again, each text alone; only what then fails is given up.

    nlp (Language): The pipeline; its error handlers are replaced.
    business: what makes records of its documents; None if nothing does, or not yet.
    """

    def __init__(self, nlp: Language) -> None:
        self.nlp = nlp
        self.business: Optional[BusinessLogic] = None
        self._alone = False
        self._failing = ""
        nlp.default_error_handler = self._on_error
        component: Any
        for _, component in nlp.pipeline:
            # `nlp.set_error_handler` stops at spaCy's ner and parser, which can't take one.
            with suppress(AttributeError):
                component.set_error_handler(self._on_error)

    def annotate(self, rows: Iterable[Row], *, batch_size: Optional[int]) -> Iterator[Outcome]:
        """Annotate texts.

        rows (Iterable[Row]): The rows, read as they are needed.
        batch_size (Optional[int]): Texts per batch; as the pipeline has it and at most
            `BATCH_SIZE`, if not given.
        YIELDS (Outcome): Each row, in order, with its document or the reason why there is none.
        RAISES (HitlError): If a model can't answer at all; and whatever reading the rows raises.
        """
        if batch_size is None:
            batch_size = min(self.nlp.batch_size, BATCH_SIZE)
        stream = _Stream(rows, self.nlp)
        while not stream.ended:
            taken = stream.taken
            try:
                for doc, number in self.nlp.pipe(
                    stream.docs(), as_tuples=True, batch_size=batch_size
                ):
                    # A component made a new document, nobody knows whose; or changed the order.
                    if number is None or not stream.is_waiting(number):
                        continue
                    for row, reason in stream.before(number):
                        yield row, reason or self._annotate_alone(row)
                    yield stream.waiting.popleft()[1], doc
            except FATAL:
                raise
            except Exception:  # a component without error handling stopped the stream
                if stream.broken or stream.taken == taken:
                    raise
            for row, reason in stream.rest():
                yield row, reason or self._annotate_alone(row)

    def _annotate_alone(self, row: Row) -> Union[Doc, str]:
        self._alone, self._failing = True, ""
        try:
            return self.nlp(row.text)
        except FATAL:
            raise
        except Exception as e:  # whatever a component raises is about this text only
            # spaCy turns a KeyError of a component into advice that is not to the point.
            cause = e.__cause__ if isinstance(e.__cause__, KeyError) else e
            return f"{self._failing}{type(cause).__name__}: {cause}"
        finally:
            self._alone = False

    def _on_error(self, name: str, proc: Any, docs: List[Doc], error: Exception) -> Any:
        if self._alone or isinstance(error, FATAL):
            self._failing = f"component '{name}': "
            raise error


class _Stream:
    """Rows on their way through the pipeline.

    taken: how many went in. waiting: those that did not come back, each with its number, and with a
    reason if it could not go in. ended: all rows were read. broken: they can't be read.
    """

    def __init__(self, rows: Iterable[Row], nlp: Language) -> None:
        self._rows = iter(rows)
        self._nlp = nlp
        self.taken = 0
        self.waiting: Deque[Tuple[int, Row, Optional[str]]] = deque()
        self.ended = False
        self.broken = False

    def docs(self) -> Iterator[Tuple[Doc, int]]:
        """YIELDS (Tuple[Doc, int]): Each text as a document, and its number."""
        while True:
            try:
                row = next(self._rows, None)
            except BaseException:
                self.broken = True
                raise
            if row is None:
                self.ended = True
                return
            number, self.taken = self.taken, self.taken + 1
            try:
                doc = self._nlp.make_doc(row.text)
            except Exception as e:  # the tokenizer, or a text that is longer than nlp.max_length
                self.waiting.append((number, row, f"{type(e).__name__}: {e}"))
                continue
            self.waiting.append((number, row, None))
            yield doc, number

    def is_waiting(self, number: int) -> bool:
        """RETURNS (bool): Whether a text has not come back yet."""
        return bool(self.waiting) and self.waiting[0][0] <= number

    def before(self, number: int) -> Iterator[Tuple[Row, Optional[str]]]:
        """YIELDS (Tuple[Row, Optional[str]]): Those that should have come back earlier."""
        while self.waiting[0][0] < number:
            _, row, reason = self.waiting.popleft()
            yield row, reason

    def rest(self) -> Iterator[Tuple[Row, Optional[str]]]:
        """YIELDS (Tuple[Row, Optional[str]]): All that did not come back."""
        while self.waiting:
            _, row, reason = self.waiting.popleft()
            yield row, reason
