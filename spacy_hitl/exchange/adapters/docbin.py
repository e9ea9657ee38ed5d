"""spaCy's DocBin: ours, which loses nothing of texts and decisions, and anybody's gold data.

Ours keeps rows, lane and decisions of each text as JSON in `doc.user_data`; the annotations on the
Doc are there for spaCy, and hold what can stand on its tokens.
"""

import json
import zlib
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from spacy.tokens import Doc, DocBin
from spacy.util import filter_spans
from spacy.vocab import Vocab

from ...dataset.history import TaskHistory
from ...errors import Errors, InputError
from ...io import text_digest
from ...records import (
    ACCEPT,
    Annotation,
    CategoryAnnotation,
    Decision,
    Lane,
    Record,
    SpanAnnotation,
    TaskHeader,
)
from ...tasks.linking.annotations import set_links
from ...tasks.reference import set_reference
from ...tasks.relations.annotations import get_relations
from .fields import MAX_BYTES
from .fit import FOREIGN, UNKNOWN_LABEL, fit_answer
from .items import KINDS, Answer, Draft, ExchangeTask, Item
from .losses import Losses

TOOL = "DocBin"
KEY = "hitl_text"
REL: Any = ("._.", "rel", None, None)  # where spaCy keeps doc._.rel
LATE = {"linking": 1, "relations": 2}
LAYERS = ("TAG", "POS", "MORPH", "LEMMA", "DEP")


@dataclass(frozen=True)
class RowName(Record):
    """A row without its text."""

    source: str
    id: str
    meta: Optional[Dict[str, Any]] = None


@dataclass(frozen=True)
class StoredText(Record):
    """All that the dataset holds of one text, except proposals.

    text_digest: of the text; a document that was changed afterwards is refused. decisions: oldest
    first. order: their places among all decisions of the dataset.
    """

    text_digest: str
    lane: Lane
    rows: Tuple[RowName, ...] = ()
    decisions: Tuple[Decision, ...] = ()
    order: Tuple[int, ...] = ()


def write_docbin(
    texts: Sequence[Tuple[str, StoredText]],
    histories: Sequence[TaskHistory],
    make_doc: Callable[[str], Doc],
) -> bytes:
    """Write texts with their decisions.

    texts (Sequence[Tuple[str, StoredText]]): Texts and what is stored of them.
    histories (Sequence[TaskHistory]): The tasks of which what holds is set on the documents too.
    make_doc (Callable[[str], Doc]): The tokenizer.
    RETURNS (bytes): The file; the same for the same input.
    """
    docbin = DocBin(store_user_data=True)
    for text, stored in texts:
        doc = make_doc(text)
        # Links are set on the entities that are there, and so are the mentions of relations.
        for history in sorted(histories, key=lambda h: LATE.get(h.header.kind, 0)):
            header = history.header
            found = history.standing(d for d in stored.decisions if d.task == header.task)
            if found is not None and found.annotation is not None:
                _set(doc, found.annotation, header)
        doc.user_data[KEY] = json.dumps(stored.to_dict(), sort_keys=True)
        docbin.add(doc)
    return docbin.to_bytes()


def _set(doc: Doc, annotation: Annotation, header: TaskHeader) -> None:
    if header.kind == "linking" and doc.ents:
        set_links(doc, annotation)
    elif header.kind in KINDS:
        if header.kind == "linking":
            found = [doc.char_span(s.start, s.end, label=s.label) for s in annotation.spans]
            kept = {(s.start_char, s.end_char) for s in filter_spans([s for s in found if s])}
            spans = {(s.start, s.end): s for s in annotation.spans if (s.start, s.end) in kept}
            annotation = Annotation(spans=tuple(spans.values()))
        set_reference(doc, annotation, header)


def read_docbin(content: bytes, vocab: Vocab, where: str) -> List[Doc]:
    """Read a DocBin.

    content (bytes): The file.
    vocab (Vocab): The vocabulary of the pipeline.
    where (str): The file, for messages.
    RETURNS (List[Doc]): Its documents.
    RAISES (InputError): If it is no DocBin, or much larger than it looks.
    """
    try:
        unpacked = zlib.decompressobj().decompress(content, MAX_BYTES + 1)
    except zlib.error as e:
        raise _no_docbin(where, e) from e
    if len(unpacked) > MAX_BYTES:
        size, limit = len(unpacked) // 2**20, MAX_BYTES // 2**20
        raise InputError(Errors.H072.format(path=where, size=size, limit=limit))
    try:
        docs = list(DocBin().from_bytes(content).get_docs(vocab))
        for doc in docs:
            _read_all(doc)
        return docs
    except Exception as e:  # broken content may raise anything in there
        raise _no_docbin(where, f"{type(e).__name__}: {e}") from e


def _read_all(doc: Doc) -> None:
    """RAISES (Exception): Any, where spaCy would only find out later that a document is broken."""
    spans = [*doc.ents, *(span for group in doc.spans.values() for span in group)]
    names = [name for s in spans for name in (s.label_, s.kb_id_, s.id_)]
    names += [doc.text, *doc.cats, *doc.spans]
    if not all(isinstance(name, str) for name in names):
        raise TypeError("a name in it is no string")


def _no_docbin(where: str, detail: object) -> InputError:
    return InputError(Errors.H071.format(path=where, tool=TOOL, detail=detail))


def stored_text(doc: Doc, where: str) -> Optional[StoredText]:
    """RETURNS (Optional[StoredText]): What our export left on a document; None on anybody else's.
    RAISES (InputError): If it is broken, or about another text.
    """
    value = doc.user_data.get(KEY)
    if value is None:
        return None
    try:
        stored = StoredText.from_dict(json.loads(value), where=where)
    except (TypeError, ValueError, RecursionError) as e:
        raise _no_docbin(where, e) from e
    digest = text_digest(doc.text)
    fits = all(d.text_digest == digest for d in stored.decisions)
    if not fits or digest != stored.text_digest or len(stored.order) != len(stored.decisions):
        raise _no_docbin(where, "the text or its decisions were changed after the export")
    return stored


def read_gold(
    doc: Doc, task: ExchangeTask, where: str, losses: Losses, *, named: bool
) -> Optional[Item]:
    """Read one document of spaCy's own gold data as a decision.

    doc (Doc): The document.
    task (ExchangeTask): The task whose annotation is looked for.
    where (str): File and document.
    losses (Losses): What is lost is counted here.
    named (bool): Whether the user said that the file is about this task: then a document without
        mentions says that none has a link.
    RETURNS (Optional[Item]): The text with its answer, if the document says anything about the
        task.
    """
    draft = _DRAFTS[task.kind](doc, task, named, losses, where)
    if draft.silent:
        return None
    answer = fit_answer(Answer(ACCEPT), draft, task, losses, where)
    return Item(doc.text, where, answers=() if answer is None else (answer,))


def count_layers(doc: Doc, tasks: Sequence[ExchangeTask], where: str, losses: Losses) -> None:
    """Count what a document holds that no task is about."""
    for layer in LAYERS:
        if doc.has_annotation(layer):
            losses.add(f"annotations of no task: {layer}", where)
    keys = {t.header.spans_key or "sc" for t in tasks if t.kind == "spancat"}
    for key in sorted(set(doc.spans) - keys):
        losses.add("groups of spans of no task", where, key)
    labels = {label for t in tasks if t.kind == "textcat" for label in t.header.labels}
    for label in sorted(set(doc.cats) - labels):
        losses.add("categories of no task", where, label)
    names = {t.header.labels for t in tasks if t.kind == "ner"}
    known = {label for labels_ in names for label in labels_}
    if any(t.kind == "linking" for t in tasks):
        known |= {ent.label_ for ent in doc.ents if ent.kb_id}
    for ent in doc.ents:
        if ent.label_ not in known:
            losses.add(UNKNOWN_LABEL, where, ent.label_)
    for name in sorted(str(name) for name in doc.user_data if name != REL):
        losses.add("fields of user_data", where, name)


def _entities(doc: Doc, task: ExchangeTask, named: bool, losses: Losses, where: str) -> Draft:
    draft = Draft(silent=not doc.has_annotation("ENT_IOB"))
    ours = [e for e in doc.ents if e.label_ in task.header.labels]
    if not named and doc.ents and not ours:
        return Draft(silent=True)
    if not draft.silent and not doc.has_annotation("ENT_IOB", require_complete=True):
        draft.problem("unanswered", "the entities of some tokens are missing")
    draft.spans = [SpanAnnotation(e.start_char, e.end_char, e.label_) for e in ours]
    return draft


def _groups(doc: Doc, task: ExchangeTask, named: bool, losses: Losses, where: str) -> Draft:
    key = task.header.spans_key or "sc"
    spans = doc.spans.get(key, ())
    found = [SpanAnnotation(s.start_char, s.end_char, s.label_) for s in spans]
    return Draft(spans=found, silent=key not in doc.spans)


def _cats(doc: Doc, task: ExchangeTask, named: bool, losses: Losses, where: str) -> Draft:
    labels = task.header.labels
    scores = {label: doc.cats[label] for label in labels if label in doc.cats}
    draft = Draft(silent=not scores)
    if any(score not in (0, 1) for score in scores.values()):
        draft.problem("not_allowed", "categories with scores between 0 and 1 are no decision")
    missing = [label for label in labels if label not in scores]
    if scores and missing and not task.header.exclusive:
        draft.problem("unanswered", f"no value for {', '.join(missing)}")
    draft.cats = [CategoryAnnotation(label) for label, score in scores.items() if score == 1]
    return draft


def _links(doc: Doc, task: ExchangeTask, named: bool, losses: Losses, where: str) -> Draft:
    linked = any(e.kb_id for e in doc.ents)
    complete = doc.has_annotation("ENT_IOB", require_complete=True)
    draft = Draft(silent=not linked and not (named and complete))
    if not draft.silent and not complete:
        draft.problem("unanswered", "the entities of some tokens are missing")
    draft.spans = [
        SpanAnnotation(e.start_char, e.end_char, e.label_, kb_id=e.kb_id_ or None) for e in doc.ents
    ]
    return draft


def _relations(doc: Doc, task: ExchangeTask, named: bool, losses: Losses, where: str) -> Draft:
    if REL not in doc.user_data:
        return Draft(silent=True)
    try:
        found = get_relations(doc)
    except InputError as e:
        losses.add(FOREIGN + "doc._.rel of another package", where, str(e))
        return Draft(silent=True)
    return Draft(relations=list(found.relations))


_DRAFTS: Dict[str, Callable[[Doc, ExchangeTask, bool, Losses, str], Draft]] = {
    "ner": _entities,
    "spancat": _groups,
    "textcat": _cats,
    "linking": _links,
    "relations": _relations,
}
