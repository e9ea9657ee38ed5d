"""Measure systems on the gold texts of a task, beside a baseline."""

from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

from spacy.tokens import Doc

from ..dataset.corpus import iter_decided, read_gold_corpus, read_training_corpus
from ..errors import Errors, InputError
from ..records import TRAIN, Annotation, Counts, TaskHeader, TaskRow
from ..scoring import intervals
from ..scoring.results import (
    BASELINE,
    STUDENT,
    Comparison,
    LabelScore,
    SystemScore,
    TaskMetrics,
    main_score,
)
from ..tasks.reference import compare, get_annotation
from .baseline import baseline
from .systems import System

PerText = List[Dict[str, Counts]]


def evaluate(names: Sequence[str], *, gold: Path, train: Path) -> TaskMetrics:
    """Measure systems on the gold texts of one task.

    names (Sequence[str]): Configs of prompted pipelines, folders of trained ones, or folders
        joined by "+", whose components then run one after the other.
    gold (Path): Exported gold corpus of the task.
    train (Path): Exported training corpus; the baseline learns from its reviewed texts.
    RETURNS (TaskMetrics): Baseline and systems, each with interval and labels.
    RAISES (InputError): If a file or a component is missing.
    """
    header, rows = read_gold_corpus(gold)
    train_header, train_rows = read_training_corpus(train, header.task)
    if train_header.labels != header.labels:
        raise InputError(Errors.H302.format(path=train, found="other labels", task=header.task))
    reviewed = list(iter_decided(train_rows, lane=TRAIN))
    texts = [row.text for row in rows]
    with ExitStack() as stack:
        systems = [stack.enter_context(System(name, header.task)) for name in names]
        outputs = [system.run(texts) for system in systems]
        mentions = _mentions(systems, outputs)
        base_name, base_annotations = baseline(header, reviewed, texts, mentions)
        base = _count(header, rows, base_annotations)
        scored = [
            _count(header, rows, [_read(system, header, doc) for doc in docs])
            for system, (docs, _) in zip(systems, outputs, strict=True)
        ]
        labels = intervals.all_labels([base, *scored])
        weights = intervals.bootstrap_weights(len(rows))
        results = [_score(header, base, labels, weights, name=base_name, role=BASELINE)]
        for system, (_, failed), per_text in zip(systems, outputs, scored, strict=True):
            speed = system.speed(texts)
            results.append(
                _score(
                    header,
                    per_text,
                    labels,
                    weights,
                    name=system.name,
                    role=system.role,
                    base=base,
                    failed=failed,
                    words_per_s=None if speed is None else speed.words_per_s,
                    megabytes=system.megabytes(),
                    digest=system.digest(),
                    needs=system.needs,
                    threshold=system.threshold,
                )
            )
    names = [s.name for s in results]
    origins = Counter(row.origin or "unknown" for row in rows)
    return TaskMetrics(
        header=header,
        main=main_score(header)[0],
        gold_texts=len(rows),
        origins=tuple(sorted(origins.items())),
        blind=all(row.blind for row in rows),
        systems=tuple(results),
        comparisons=_compare_all(header, names, [base, *scored], labels, weights),
    )


def _compare_all(
    header: TaskHeader,
    names: Sequence[str],
    per_system: Sequence[PerText],
    labels: Sequence[str],
    weights: intervals.Floats,
) -> Tuple[Comparison, ...]:
    """Every later system against every earlier one."""
    average = main_score(header)[1]
    arrays = [intervals.as_array(per_text, labels) for per_text in per_system]
    found = []
    for j in range(len(names)):
        for i in range(j):
            d = intervals.difference(arrays[j], arrays[i], weights, average=average)
            better = intervals.probability_better(arrays[j], arrays[i], weights, average=average)
            found.append(Comparison(names[j], names[i], d.value, d.low, d.high, better))
    return tuple(found)


def _mentions(systems: Sequence[System], outputs: Sequence[Tuple[List[Doc], int]]) -> List[Doc]:
    """The documents of the last student, else of the last system: what the baseline links."""
    pairs = list(zip(systems, outputs, strict=True))
    students = [docs for system, (docs, _) in pairs if system.role == STUDENT]
    return students[-1] if students else (outputs[-1][0] if outputs else [])


def _read(system: System, header: TaskHeader, doc: Doc) -> Annotation:
    threshold = system.threshold if system.role == STUDENT else None
    return get_annotation(doc, header, threshold=0.5 if threshold is None else threshold)


def _count(
    header: TaskHeader, rows: Sequence[TaskRow], annotations: Sequence[Annotation]
) -> PerText:
    return [
        compare(row.decision or Annotation(), annotation, header)
        for row, annotation in zip(rows, annotations, strict=True)
    ]


def _score(
    header: TaskHeader,
    per_text: PerText,
    labels: Sequence[str],
    weights: intervals.Floats,
    *,
    name: str,
    role: str,
    base: Optional[PerText] = None,
    failed: int = 0,
    words_per_s: Optional[float] = None,
    megabytes: Optional[float] = None,
    digest: Optional[str] = None,
    needs: Tuple[Tuple[str, str], ...] = (),
    threshold: Optional[float] = None,
) -> SystemScore:
    average = main_score(header)[1]
    counts = intervals.as_array(per_text, labels)
    figure = intervals.interval(counts, weights, average=average)
    sums = intervals.total(per_text)
    micro = sum(sums.values(), Counts())
    p, r, _ = intervals.prf(micro)
    gain = None
    if base is not None:
        other = intervals.as_array(base, labels)
        d = intervals.difference(counts, other, weights, average=average)
        gain = (d.value, d.low, d.high)
    right = sum(all(c.fp == c.fn == 0 for c in counts.values()) for counts in per_text)
    return SystemScore(
        name=name,
        role=role,
        score=figure.value,
        low=figure.low,
        high=figure.high,
        p=p,
        r=r,
        labels=tuple(
            LabelScore(label, c.tp, c.fp, c.fn, *intervals.prf(c)) for label, c in sums.items()
        ),
        accuracy=right / len(per_text) if header.exclusive else None,
        failed=failed,
        words_per_s=words_per_s,
        megabytes=megabytes,
        digest=digest,
        needs=needs,
        threshold=threshold,
        gain=gain,
    )
