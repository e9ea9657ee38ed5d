"""A small exported corpus of every kind: phones that fall and phones that work."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List

import srsly
from spacy.language import Language
from spacy.tokens import Span

from spacy_hitl.dataset.corpus import write_corpus
from spacy_hitl.io import text_digest
from spacy_hitl.records import (
    Annotation,
    CategoryAnnotation,
    Proposal,
    RelationAnnotation,
    SpanAnnotation,
    TaskHeader,
    TaskRow,
)

PHONES = ("K10", "Nebula", "Orbit", "Pixel", "Comet")
PEOPLE = ("Ann", "Bob", "Cleo")
TAILS = ("", "today in June", "near my town", "as she said")
HEADERS = {
    "ner": TaskHeader("phones", "ner", ("PHONE", "PERSON"), "digest"),
    "spancat": TaskHeader("parts", "spancat", ("PHONE", "PERSON"), "digest", spans_key="parts"),
    "textcat": TaskHeader("verdict", "textcat", ("BAD", "GOOD"), "digest", exclusive=True),
    "textcat_multilabel": TaskHeader("topics", "textcat", ("BAD", "GOOD"), "digest"),
    "linking": TaskHeader(
        "link", "linking", tuple(p.upper() for p in PHONES), "digest", catalog="catalog.jsonl"
    ),
    "relations": TaskHeader("who", "relations", ("OWNS", "BROKE"), "digest"),
}


def sentence(person: str, phone: str, *, bad: bool, tail: str = "") -> str:
    return f"{person} {'dropped and broke' if bad else 'loves and owns'} a {phone} {tail}".strip()


def annotate(kind: str, text: str) -> Annotation:
    """What is right: the first word is a person, the sixth a phone."""
    words = text.split()
    person, phone = words[0], words[5]
    bad = "broke" in words
    spans = (
        SpanAnnotation(0, len(person), "PERSON"),
        SpanAnnotation(text.index(phone), text.index(phone) + len(phone), "PHONE"),
    )
    if kind in ("ner", "spancat"):
        return Annotation(spans=spans)
    if kind.startswith("textcat"):
        return Annotation(cats=(CategoryAnnotation("BAD" if bad else "GOOD"),))
    if kind == "linking":
        place = spans[1]
        link = SpanAnnotation(place.start, place.end, "PHONE", kb_id=phone.upper())
        return Annotation(spans=(link,))
    places = (spans[0].start, spans[0].end, spans[1].start, spans[1].end)
    return Annotation(relations=(RelationAnnotation(*places, "BROKE" if bad else "OWNS"),))


def make_row(kind: str, text: str, lane: str, *, decided: bool) -> TaskRow:
    digest, annotation = text_digest(text), annotate(kind, text)
    proposal = Proposal(digest, HEADERS[kind].task, "m", "ok", "t", annotation=annotation)
    decision = annotation if decided else None
    return TaskRow(text, digest, lane, decision=decision, proposal=proposal)


def make_rows(kind: str, *, decided: bool = True, proposed: bool = True) -> List[TaskRow]:
    """30 texts of train, 20 of them only proposed, and 10 others of dev, all decided."""
    rows = []
    for i, phone in enumerate(PHONES):
        for j, person in enumerate(PEOPLE):
            for bad in (True, False):
                text = sentence(person, phone, bad=bad, tail=TAILS[(i + 2 * j) % 4])
                known = decided and (i + j) % 3 == 0
                if known or proposed:
                    rows.append(make_row(kind, text, "train", decided=known))
    for i, phone in enumerate(PHONES):
        for bad in (True, False):
            text = sentence(PEOPLE[i % 3], phone, bad=bad, tail="in June near my town as said")
            rows.append(make_row(kind, text, "dev", decided=True))
    return rows


def wordy(rows: List[TaskRow]) -> List[TaskRow]:
    """The same with sixty more words, each of which stands in several texts."""
    words = [f"{a}{b}" for a in ("fo", "ba", "li", "mu", "ne", "ra") for b in "nrstlkpmdz"]
    longer = []
    for i, row in enumerate(rows):
        more = " ".join(words[(i * 7 + j) % len(words)] for j in range(8))
        text = f"{row.text} {more}"
        longer.append(replace(row, text=text, text_digest=text_digest(text)))
    return longer


def write(folder: Path, kind: str, **options: bool) -> Path:
    """The file, in folder/corpus; the catalog stands in the folder."""
    path = folder / "corpus" / f"{HEADERS[kind].task}.jsonl"
    rows = wordy if options.pop("wordy", False) else list
    write_corpus(path, HEADERS[kind], rows(make_rows(kind, **options)))
    entries = [{"id": p.upper(), "name": p} for p in PHONES]
    srsly.write_jsonl(folder / "catalog.jsonl", entries)
    return path


def predict(nlp: Language, kind: str, text: str) -> Dict[str, Any]:
    """What the pipeline says, in words; a linker and relations are given their mentions."""
    doc = nlp.make_doc(text)
    if kind in ("linking", "relations"):
        doc.set_ents([Span(doc, 0, 1, "PERSON"), Span(doc, 5, 6, "PHONE")])
    doc = nlp(doc)
    if kind == "ner":
        return {e.text: e.label_ for e in doc.ents}
    if kind == "spancat":
        return {s.text: s.label_ for s in doc.spans["parts"]}
    if kind.startswith("textcat"):
        return {label: score > 0.5 for label, score in doc.cats.items()}
    if kind == "linking":
        return {e.text: e.kb_id_ for e in doc.ents if e.label_ == "PHONE"}
    return {r["label"]: (r["head_start"], r["tail_start"]) for r in doc._.rel}


def expected(kind: str) -> Dict[str, Any]:
    """What is right for "Bob dropped and broke a Comet"."""
    return {
        "ner": {"Bob": "PERSON", "Comet": "PHONE"},
        "spancat": {"Bob": "PERSON", "Comet": "PHONE"},
        "textcat": {"BAD": True, "GOOD": False},
        "textcat_multilabel": {"BAD": True, "GOOD": False},
        "linking": {"Comet": "COMET"},
        "relations": {"BROKE": (0, 24)},
    }[kind]
