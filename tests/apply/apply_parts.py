"""Components that fail in all the ways a component can; imported by `--code` in other processes."""

import os
import time
from pathlib import Path
from typing import Any, Iterable, Iterator

from spacy.language import Language
from spacy.pipeline.pipe import Pipe
from spacy.tokens import Doc, Span, SpanGroup
from spacy.util import minibatch

from spacy_hitl.errors import ModelError
from spacy_hitl.records import Annotation, Proposal, RelationAnnotation
from spacy_hitl.tasks.base import set_proposal
from spacy_hitl.tasks.relations.annotations import set_relations


def touch(doc: Doc) -> Doc:
    """Fail, die, be slow, or make a new document: the text says which."""
    if "POISON" in doc.text:
        raise ValueError("poisoned")
    if "KEYLESS" in doc.text:
        raise KeyError("no such key")
    if "REFUSED" in doc.text:
        raise ModelError("no key")
    if "DEADLY" in doc.text:
        os._exit(7)
    if "ONCE" in doc.text and not Path("died").exists():
        Path("died").touch()
        os._exit(7)
    if "SLOW" in doc.text:
        time.sleep(0.02)
    if "NEW" in doc.text:
        return Doc(
            doc.vocab, words=[t.text for t in doc], spaces=[bool(t.whitespace_) for t in doc]
        )
    if "UNSTORABLE" in doc.text:
        doc.user_data["what"] = object()
    return doc


@Language.component("hitl_test_plain")
def plain(doc: Doc) -> Doc:
    return touch(doc)


class Batches(Pipe):
    """Loses the batch in which a text fails, as spaCy's trainable components do."""

    def __init__(self) -> None:
        self.error_handler: Any = None

    def __call__(self, doc: Doc) -> Doc:
        return touch(doc)

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 8) -> Iterator[Doc]:
        for docs in minibatch(stream, size=4):
            docs = list(docs)
            try:
                yield from [touch(doc) for doc in docs]
            except Exception as e:
                self.get_error_handler()("batches", self, docs, e)


class Brittle:
    """Stops the whole stream when a text fails, as spaCy's ner does."""

    def __call__(self, doc: Doc) -> Doc:
        return touch(doc)

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 8) -> Iterator[Doc]:
        for docs in minibatch(stream, size=4):
            yield from [touch(doc) for doc in docs]


@Language.factory("hitl_test_batches")
def make_batches(nlp: Language, name: str) -> Batches:
    return Batches()


@Language.factory("hitl_test_brittle")
def make_brittle(nlp: Language, name: str) -> Brittle:
    return Brittle()


@Language.component("hitl_test_all")
def everything(doc: Doc) -> Doc:
    """Leave all that a pipeline can leave on a document."""
    if "beats" in doc.text:
        doc.set_ents([Span(doc, 1, 2, label="PRODUCT", kb_id="Q1"), Span(doc, 3, 4, "PRODUCT")])
        group = SpanGroup(doc, name="sc", spans=[Span(doc, 0, 1, label="OWNER")])
        group.attrs["scores"] = [0.5]
        doc.spans["sc"] = group
        relation = RelationAnnotation(3, 9, 16, 21, "BEATS")
        set_relations(doc, Annotation(relations=(relation,)), ["BEATS"])
        set_proposal(doc, "refuser", Proposal("d", "t", "m", "refused", "v"))
    doc.cats = {"GOOD": 0.75, "BAD": float("nan") if "NAN" in doc.text else 0.25}
    return doc
