"""What a trained student finds how likely in a text, by kind of component."""

from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple

from spacy.language import Language
from spacy.tokens import Doc

from ...errors import Errors, InputError
from ...io import batched
from ...records import NIL, Annotation, TaskHeader
from ...scoring.items import Item
from .entities import Span, entity_chances

Chances = Dict[Item, float]  # probability of each item that the student considers
BATCH = 64  # texts; a beam keeps many states of each
BEAM_WIDTH, BEAM_DENSITY = 16, 1e-4
FLOOR = 0.01  # what is less likely is no candidate


def judge(
    nlp: Language, header: TaskHeader, texts: Sequence[str], given: Sequence[Annotation]
) -> List[Chances]:
    """Ask a student how likely what is in texts.

    nlp (Language): The trained student.
    header (TaskHeader): The task.
    texts (Sequence[str]): Texts that it did not learn from.
    given (Sequence[Annotation]): What is said of them. Only a linker looks at it: at the mentions.
    RETURNS (List[Chances]): Of each text, the probabilities of entities (`entities`; of a beam_ner,
        by beam search), of spans or categories (the component's own scores); for links, 1 for the
        link it makes.
    RAISES (InputError): If the pipeline has no component of the task, or it is of another kind.
    """
    name = find_component(nlp, header)
    ask = JUDGES[nlp.get_pipe_meta(name).factory]
    pipe: Any = nlp.get_pipe(name)
    if nlp.get_pipe_meta(name).factory.startswith("spancat"):
        pipe.cfg["threshold"] = FLOOR  # else what is unlikely is not said at all
    before = _pipes_before(nlp, name)
    found: List[Chances] = []
    for batch in batched(zip(texts, given, strict=True), BATCH):
        docs = [_make_doc(nlp, text, annotation, header) for text, annotation in batch]
        for other in before:
            docs = list(other.pipe(docs, batch_size=BATCH)) if hasattr(other, "pipe") else docs
        found += ask(pipe, docs)
    return found


def find_component(nlp: Language, header: TaskHeader) -> str:
    """RETURNS (str): The component of a task: the one of that name, else the only one of the kind.
    RAISES (InputError): If there is none, or it is of a kind that can't be asked for probabilities.
    """
    name = header.task
    if name not in nlp.pipe_names:
        kind = FACTORIES.get(header.kind, ())
        names = [n for n in nlp.pipe_names if nlp.get_pipe_meta(n).factory in kind]
        if len(names) != 1:
            raise InputError(Errors.H303.format(name=name, pipeline=", ".join(nlp.pipe_names)))
        name = names[0]
    factory = nlp.get_pipe_meta(name).factory
    if factory not in JUDGES:
        raise InputError(Errors.H351.format(name=name, factory=factory, known=", ".join(JUDGES)))
    return name


def _pipes_before(nlp: Language, name: str) -> List[Any]:
    return [pipe for _, pipe in nlp.pipeline[: nlp.pipe_names.index(name)]]


def _make_doc(nlp: Language, text: str, given: Annotation, header: TaskHeader) -> Doc:
    doc = nlp.make_doc(text)
    if header.kind == "linking":
        places = ((s.start, s.end, s.label) for s in given.spans)
        spans = (doc.char_span(start, end, label=label) for start, end, label in places)
        doc.set_ents([span for span in spans if span is not None])
    return doc


def _entities(pipe: Any, docs: List[Doc]) -> List[Chances]:
    return _in_characters(docs, entity_chances(pipe, docs))


def _beam_entities(pipe: Any, docs: List[Doc]) -> List[Chances]:
    beams = pipe.beam_parse(docs, BEAM_WIDTH, beam_density=BEAM_DENSITY)
    return _in_characters(docs, pipe.scored_ents(beams))


def _in_characters(docs: List[Doc], scored: Sequence[Mapping[Span, float]]) -> List[Chances]:
    found = []
    for doc, scores in zip(docs, scored, strict=True):
        chances: Chances = {}
        for (start, end, label), score in scores.items():
            if score >= FLOOR:
                span = doc[start:end]
                chances[Item(label, span.start_char, span.end_char)] = min(float(score), 1.0)
        found.append(chances)
    return found


def _spans(pipe: Any, docs: List[Doc]) -> List[Chances]:
    found = []
    for doc in pipe.pipe(docs, batch_size=BATCH):
        group = doc.spans[pipe.key]
        scores = group.attrs.get("scores", ())
        pairs = zip(group, scores, strict=True)
        found.append({Item(s.label_, s.start_char, s.end_char): float(p) for s, p in pairs})
    return found


def _categories(pipe: Any, docs: List[Doc]) -> List[Chances]:
    docs = list(pipe.pipe(docs, batch_size=BATCH))
    return [{Item(label): float(doc.cats[label]) for label in pipe.labels} for doc in docs]


def _links(pipe: Any, docs: List[Doc]) -> List[Chances]:
    docs = list(pipe.pipe(docs, batch_size=BATCH))
    return [{Item(e.kb_id_ or NIL, e.start_char, e.end_char): 1.0 for e in d.ents} for d in docs]


JUDGES: Dict[str, Callable[[Any, List[Doc]], List[Chances]]] = {
    "ner": _entities,
    "beam_ner": _beam_entities,
    "spancat": _spans,
    "spancat_singlelabel": _spans,
    "textcat": _categories,
    "textcat_multilabel": _categories,
    "entity_linker": _links,
}
FACTORIES: Dict[str, Tuple[str, ...]] = {
    "ner": ("ner", "beam_ner"),
    "spancat": ("spancat", "spancat_singlelabel"),
    "textcat": ("textcat", "textcat_multilabel"),
    "linking": ("entity_linker",),
}
