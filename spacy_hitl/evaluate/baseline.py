"""What needs no model: the majority, or a lookup of forms seen in reviewed training texts."""

from collections import Counter, defaultdict
from itertools import permutations
from pathlib import Path
from typing import Dict, Iterator, List, Sequence, Tuple

import spacy
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc
from spacy.util import filter_spans

from ..records import (
    NIL,
    Annotation,
    CategoryAnnotation,
    RelationAnnotation,
    SpanAnnotation,
    TaskHeader,
    TaskRow,
)
from ..tasks.linking.catalog import read_catalog
from ..tasks.relations.annotations import relation_key, sort_relations

# Entity labels of head and tail, and whether the head comes first in the text.
MentionPair = Tuple[str, str, bool]


def constant_categories(header: TaskHeader, reviewed: Sequence[TaskRow]) -> Annotation:
    """The one answer for all texts that is right most often.

    header (TaskHeader): A textcat task.
    reviewed (Sequence[TaskRow]): Decided training texts.
    RETURNS (Annotation): The majority label; if several can hold, the most frequent labels, as
        many as give the best micro F on the reviewed texts.
    """
    counts = Counter(c.label for r in reviewed if r.decision for c in r.decision.cats)
    ranked = [label for label, _ in sorted(counts.items(), key=lambda x: (-x[1], x[0]))]
    if header.exclusive:
        return Annotation(cats=tuple(CategoryAnnotation(label) for label in ranked[:1]))
    total, texts = sum(counts.values()), len(reviewed)
    best, chosen, hits = 0.0, 0, 0
    for n, label in enumerate(ranked, start=1):
        hits += counts[label]
        f = 2 * hits / (n * texts + total)
        if f > best:
            best, chosen = f, n
    return Annotation(cats=tuple(CategoryAnnotation(label) for label in ranked[:chosen]))


def span_forms(reviewed: Sequence[TaskRow]) -> Dict[str, str]:
    """RETURNS (Dict[str, str]): The most frequent label of each form (lower case) reviewed."""
    seen: Dict[str, Counter[str]] = defaultdict(Counter)
    for row in reviewed:
        for s in row.decision.spans if row.decision else ():
            seen[row.text[s.start : s.end].lower()][s.label] += 1
    return {form: _most_common(labels) for form, labels in seen.items()}


def link_forms(header: TaskHeader, reviewed: Sequence[TaskRow]) -> Dict[str, str]:
    """RETURNS (Dict[str, str]): Catalog id by form: reviewed ones first, then catalog names."""
    forms: Dict[str, str] = {}
    if header.catalog is not None and Path(header.catalog).exists():
        for entry in read_catalog(Path(header.catalog)).values():
            for form in entry.forms:
                forms.setdefault(form.lower(), entry.id)
    seen: Dict[str, Counter[str]] = defaultdict(Counter)
    for row in reviewed:
        for s in row.decision.spans if row.decision else ():
            seen[row.text[s.start : s.end].lower()][s.kb_id or NIL] += 1
    forms.update({form: _most_common(ids) for form, ids in seen.items()})
    return forms


def _most_common(counts: "Counter[str]") -> str:
    return min(counts, key=lambda name: (-counts[name], name))


def lookup_spans(
    texts: Sequence[str], forms: Dict[str, str], *, overlapping: bool
) -> List[Annotation]:
    """Label every occurrence of a known form, longest first.

    texts (Sequence[str]): The texts.
    forms (Dict[str, str]): Label by lower-case form.
    overlapping (bool): Whether spans may overlap.
    RETURNS (List[Annotation]): One annotation per text.
    """
    nlp = spacy.blank("xx")
    matcher = PhraseMatcher(nlp.vocab, attr="LOWER")
    for form, label in forms.items():
        matcher.add(label, [nlp.make_doc(form)])
    annotations = []
    for text in texts:
        found = matcher(nlp.make_doc(text), as_spans=True)
        spans = found if overlapping else filter_spans(found)
        annotations.append(
            Annotation(
                spans=tuple(
                    sorted(SpanAnnotation(s.start_char, s.end_char, s.label_) for s in spans)
                )
            )
        )
    return annotations


def lookup_links(docs: Sequence[Doc], forms: Dict[str, str]) -> List[Annotation]:
    """Link the mentions that a system found by their form alone.

    docs (Sequence[Doc]): With mentions in doc.ents.
    forms (Dict[str, str]): Catalog id by lower-case form.
    RETURNS (List[Annotation]): One annotation per document; unknown forms are NIL.
    """
    return [
        Annotation(
            spans=tuple(
                SpanAnnotation(
                    e.start_char, e.end_char, e.label_, kb_id=forms.get(e.text.lower(), NIL)
                )
                for e in doc.ents
            )
        )
        for doc in docs
    ]


def pair_labels(reviewed: Sequence[TaskRow], docs: Sequence[Doc]) -> Dict[MentionPair, str]:
    """Find the relation that is right most often by the entity labels of two mentions alone.

    reviewed (Sequence[TaskRow]): Decided training texts. Their mentions, related or not, are the
        forms that `docs` has, wherever they occur.
    docs (Sequence[Doc]): With mentions in doc.ents.
    RETURNS (Dict[MentionPair, str]): The most frequent label of some pairs: of as many as give the
        best micro F on the reviewed texts. All other pairs have no relation.
    """
    seen: Dict[str, Counter[str]] = defaultdict(Counter)
    for ent in (ent for doc in docs for ent in doc.ents):
        seen[ent.text.lower()][ent.label_] += 1
    forms = {form: _most_common(labels) for form, labels in seen.items()}
    decided = [(row.text, row.decision) for row in reviewed if row.decision is not None]
    places = lookup_spans([text for text, _ in decided], forms, overlapping=False)
    pairs: Counter[MentionPair] = Counter()
    labels: Dict[MentionPair, Counter[str]] = defaultdict(Counter)
    total = 0
    for (_, decision), found in zip(decided, places, strict=True):
        total += len(decision.relations)
        wanted: Dict[Tuple[int, ...], List[str]] = defaultdict(list)
        for r in decision.relations:
            wanted[relation_key(r)[:4]].append(r.label)
        for pair, head, tail in _mention_pairs(found.spans):
            pairs[pair] += 1
            labels[pair].update(wanted[head.start, head.end, tail.start, tail.end])
    rated = []
    for pair, names in labels.items():
        if names:
            name = _most_common(names)
            rated.append((-names[name] / pairs[pair], pair, name))
    best, chosen, hits, given = 0.0, 0, 0, 0
    rated.sort()
    for n, (_, pair, name) in enumerate(rated, start=1):
        hits, given = hits + labels[pair][name], given + pairs[pair]
        f = 2 * hits / (given + total)
        if f > best:
            best, chosen = f, n
    return {pair: name for _, pair, name in rated[:chosen]}


def _mention_pairs(
    mentions: Sequence[SpanAnnotation],
) -> Iterator[Tuple[MentionPair, SpanAnnotation, SpanAnnotation]]:
    for head, tail in permutations(mentions, 2):
        yield (head.label, tail.label, head.start < tail.start), head, tail


def relate_pairs(docs: Sequence[Doc], labels: Dict[MentionPair, str]) -> List[Annotation]:
    """Relate the mentions that a system found by their entity labels and order alone.

    docs (Sequence[Doc]): With mentions in doc.ents.
    labels (Dict[MentionPair, str]): Relation label by pair of mentions.
    RETURNS (List[Annotation]): One annotation per document.
    """
    annotations = []
    for doc in docs:
        mentions = [SpanAnnotation(e.start_char, e.end_char, e.label_) for e in doc.ents]
        found = [
            RelationAnnotation(head.start, head.end, tail.start, tail.end, labels[pair])
            for pair, head, tail in _mention_pairs(mentions)
            if pair in labels
        ]
        annotations.append(Annotation(relations=sort_relations(found)))
    return annotations


def baseline(
    header: TaskHeader, reviewed: Sequence[TaskRow], texts: Sequence[str], docs: Sequence[Doc]
) -> Tuple[str, List[Annotation]]:
    """Run the baseline of a task.

    header (TaskHeader): What the task is.
    reviewed (Sequence[TaskRow]): Decided training texts, all the baseline learns from.
    texts (Sequence[str]): The texts to annotate.
    docs (Sequence[Doc]): For linking and relations: the same texts with the student's mentions,
        so that baseline and student differ in nothing but the link or the relation.
    RETURNS (Tuple[str, List[Annotation]]): Its name, and one annotation per text.
    """
    if header.kind == "textcat":
        constant = constant_categories(header, reviewed)
        return ("majority" if header.exclusive else "most frequent labels"), [constant] * len(texts)
    if header.kind == "linking":
        return "lookup on the same mentions", lookup_links(docs, link_forms(header, reviewed))
    if header.kind == "relations":
        labels = pair_labels(reviewed, docs)
        return "label pairs on the same mentions", relate_pairs(docs, labels)
    forms = span_forms(reviewed)
    return "lookup", lookup_spans(texts, forms, overlapping=header.kind == "spancat")
