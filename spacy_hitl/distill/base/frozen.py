"""A base that doesn't learn: its vectors for documents, while spaCy has it switched off.

While spaCy initialises a pipeline, and in `[initialize.after_init]`, frozen components are
disabled. Whoever learns there and listens to one would find nothing to listen to.
"""

from typing import Iterable, Iterator, Sequence

from spacy.language import Language
from spacy.pipeline import Tok2Vec
from spacy.tokens import Doc
from spacy.training import Example

from ...io import batched

BATCH = 128


def read_base(nlp: Language, docs: Sequence[Doc]) -> None:
    """Write the vectors of a disabled base to documents, if an enabled component listens to it.

    nlp (Language): The pipeline that learns.
    docs (Sequence[Doc]): Their `tensor` is set, an array of shape (tokens, width).
    """
    for name, pipe in nlp.components:
        if name not in nlp.disabled or not isinstance(pipe, Tok2Vec):
            continue
        if set(pipe.listening_components) & set(nlp.pipe_names):
            pipe.set_annotations(docs, pipe.predict(docs))


def with_base(nlp: Language, examples: Iterable[Example]) -> Iterator[Example]:
    """YIELDS (Example): The same examples, on documents that carry the vectors of a frozen base."""
    for batch in batched(examples, BATCH):
        read_base(nlp, [eg.predicted for eg in batch])
        yield from batch
