"""Estimate what nobody counted: the error of what was accepted unseen, the recall of each label.

Only decisions on texts that were drawn at random and read blind are evidence. Where there are none,
those are used whose bias is known to be towards good figures, and every figure says so.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, FrozenSet, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from ..dataset.basis import (
    BASES,
    CHOSEN,
    UNBIASED,
    accepted_unseen,
    audit_of,
    basis_of,
    worst,
)
from ..dataset.history import TaskHistory
from ..dataset.store import Dataset
from ..dataset.task_versions import read_histories
from ..errors import Errors, InputError
from ..pipeline.loading import load_prompted, prompted_tasks
from ..records import (
    ACCEPT,
    FLAG,
    IMPORT,
    LANES,
    NOTHING,
    REJECT,
    SKIP,
    Annotation,
    Decision,
    Proposal,
    TaskHeader,
)
from ..scoring import estimates
from ..scoring.estimates import Figure, Stratum, TaskEstimates
from ..scoring.intervals import Interval, ratio_interval
from ..scoring.items import errors_between

ACCEPTED_TEXTS = "accepted texts with an error"
ACCEPTED_ANNOTATIONS = "wrong annotations in accepted texts"
RECALL = "recall"

Key = Tuple[str, int, str]  # source, sample and task digest of proposals
NONE_ACCEPTED = (
    "No text was accepted unseen, so there is no error to estimate. 'spacy hitl accept' does that."
)


@dataclass(frozen=True)
class Known:
    """One text with what is known of it for one task.

    predicted: what the model proposed, None where it was not asked. decided: what people decided,
    with its basis; imported: by a file. accepted: what was accepted unseen, and audited: what a
    blind look at it found; None where there was none, or it holds no longer.
    looked_at: decided since, but not drawn for an audit. passed_over: drawn, and not answered.
    """

    lane: str
    predicted: Optional[Annotation] = None
    decided: Optional[Annotation] = None
    basis: Optional[str] = None
    imported: bool = False
    accepted: Optional[Annotation] = None
    audited: Optional[Decision] = None
    looked_at: bool = False
    passed_over: bool = False


class Estimates(NamedTuple):
    """Figures, and in words what is missing or left out."""

    figures: Tuple[Figure, ...] = ()
    notes: Tuple[str, ...] = ()


def estimate(config: Path, task: str) -> TaskEstimates:
    """Estimate the error of what was accepted in bulk, and the recall of the prompted model.

    config (Path): Config of the prompted pipeline.
    task (str): Name of the task.
    RETURNS (TaskEstimates): The figures, each with its basis, and what could not be estimated.
    RAISES (InputError): If there is no such task, or nothing was decided that a figure could rest
        on.
    """
    nlp, settings = load_prompted(config)
    tasks = prompted_tasks(nlp)
    if task not in tasks:
        known = ", ".join(tasks)
        raise InputError(Errors.H130.format(path=config, task=task, known=known))
    key, path = tasks[task].key, settings.dataset
    dataset = Dataset(path)
    dataset.db.open(readonly=True)
    try:
        now = {name: prompted.task for name, prompted in tasks.items()}
        history = read_histories(dataset, now, settings.changes, path=config)[task]
        texts = list(_read(dataset, task, key, history))
    finally:
        dataset.db.close()
    accepted = error_of_accepted(texts, command=f"spacy hitl review {config} --task {task}")
    bases = [t.basis for t in texts if t.basis is not None and t.predicted is not None]
    if accepted == Estimates():
        if not bases:
            raise InputError(Errors.H412.format(task=task, path=path))
        if set(bases) == {CHOSEN}:
            raise InputError(Errors.H413.format(task=task, found=len(bases), path=path))
    recalls = recall_of_labels(texts, history.header)
    nothing = (NONE_ACCEPTED,) if accepted == Estimates() else ()
    return TaskEstimates(
        header=history.header,
        source=key[0],
        figures=accepted.figures + recalls.figures,
        notes=nothing + accepted.notes + recalls.notes,
    )


def _read(dataset: Dataset, task: str, key: Key, history: TaskHistory) -> Iterator[Known]:
    for digest, _, _, lane in dataset.texts(lanes=LANES):
        decisions, proposals = dataset.decisions(task, digest), dataset.proposals(task, digest)
        yield known_of(decisions, proposals, key=key, lane=lane, history=history)


def known_of(
    decisions: Sequence[Decision],
    proposals: Sequence[Proposal],
    *,
    key: Key,
    lane: str,
    history: TaskHistory,
) -> Known:
    """Sort out what is known of one text. Pure.

    decisions (Sequence[Decision]): All on the task, oldest first.
    proposals (Sequence[Proposal]): All for the task.
    key (Key): Which of them count.
    lane (str): The lane of the text.
    history (TaskHistory): The task as it is and was.
    RETURNS (Known): What is known.
    """
    asked = (p for p in proposals if (p.source, p.sample, p.task_digest) == key)
    proposal = next(asked, None)
    predicted = None
    if proposal is not None:  # an answer that can't be used finds nothing
        predicted = proposal.annotation if proposal.usable else NOTHING
    standing = history.standing(decisions)
    basis = None
    if standing is not None and standing.annotation is not None:
        basis = basis_of(decisions, standing, lane=lane)
    bulk, audit = accepted_unseen(decisions), audit_of(decisions)
    accepted = None if bulk is None else history.holds(bulk).decision
    later = [] if bulk is None else decisions[decisions.index(bulk) + 1 :]
    return Known(
        lane=lane,
        predicted=predicted,
        decided=None if standing is None or basis is None else standing.annotation,
        basis=basis,
        imported=standing is not None and standing.origin == IMPORT,
        accepted=None if accepted is None else accepted.annotation,
        audited=None if audit is None else history.holds(audit).decision,
        looked_at=audit is None and any(d.action in (ACCEPT, REJECT) for d in later),
        passed_over=audit is None and any(d.action in (SKIP, FLAG) for d in later),
    )


def error_of_accepted(texts: Sequence[Known], *, command: str) -> Estimates:
    """Estimate the error of what was accepted unseen, from the texts that were audited. Pure.

    texts (Sequence[Known]): All texts.
    command (str): How people review the task, for the advice.
    RETURNS (Estimates): Texts with any error, and wrong annotations, as bulk accept counts them;
        nothing if nothing was accepted.
    """
    accepted = [t for t in texts if t.accepted is not None]
    audited = [t for t in accepted if t.audited is not None]
    if not accepted:
        return Estimates()
    notes: List[str] = []
    if others := sum(t.looked_at for t in accepted):
        notes.append(
            f"{others} of the accepted texts were looked at again, but not in an audit: they say "
            "nothing of the others."
        )
    if passed := sum(t.passed_over for t in accepted):
        notes.append(f"{passed} of the accepted texts were skipped: they may be the hard ones.")
    if not audited:
        notes.append(
            f"{len(accepted)} texts were accepted unseen, and nobody looked at a random sample of "
            f"them: their error is not known. Run: {command} --audit 100"
        )
        return Estimates((), tuple(notes))
    errors = [_errors(t) for t in audited]
    stratum = Stratum(len(accepted), len(audited), sum(wrong > 0 for wrong, _ in errors))
    wrong, sizes = (np.array(column, dtype=np.float64) for column in zip(*errors, strict=True))
    figures = (
        _figure(
            ACCEPTED_TEXTS,
            estimates.share([stratum]),
            audited,
            len(accepted),
            basis=UNBIASED,
            strata=(stratum,),
        ),
        _figure(
            ACCEPTED_ANNOTATIONS,
            ratio_interval(wrong, sizes),
            audited,
            len(accepted),
            basis=UNBIASED,
        ),
    )
    return Estimates(figures, tuple(notes))


def _errors(text: Known) -> Tuple[int, int]:
    assert text.accepted is not None and text.audited is not None
    wrong, size = errors_between(text.accepted, text.audited.annotation or NOTHING)
    # What nobody can annotate should not have been accepted, whatever was.
    return (size, size) if text.audited.action == REJECT else (wrong, size)


def recall_of_labels(texts: Sequence[Known], header: TaskHeader) -> Estimates:
    """Estimate which share of the texts that hold a label has it proposed. Pure.

    texts (Sequence[Known]): All texts.
    header (TaskHeader): The task.
    RETURNS (Estimates): For each label of which anything was decided.
    """
    if header.kind == "linking":
        return Estimates((), ("Recall is not estimated for links: too many entries.",))
    population = [t for t in texts if t.predicted is not None]
    notes: List[str] = []
    if len(population) < len(texts):
        notes.append(f"{len(texts) - len(population)} texts were not annotated, and don't count.")
    bases = Counter(t.basis for t in population if t.basis is not None)
    basis = next((b for b in BASES if bases[b]), CHOSEN)
    if basis == CHOSEN:
        notes.append("No recall: no text that was drawn at random was decided. Review gold texts.")
        return Estimates((), tuple(notes))
    sample = [t for t in population if t.basis == basis]
    if left := sum(bases.values()) - len(sample):
        notes.append(f"{left} decided texts are not used: not drawn at random, or not blind.")
    figures: List[Figure] = []
    for label in header.labels:
        figure = _recall(label, population, sample)
        if isinstance(figure, str):
            notes.append(f"No recall of {label}: {figure}.")
        else:
            figures.append(figure)
    return Estimates(tuple(figures), tuple(notes))


def _recall(label: str, population: Sequence[Known], sample: Sequence[Known]) -> Union[Figure, str]:
    """The figure, or why there is none."""
    predicted = _labelled(label, lambda t: t.predicted)
    decided = _labelled(label, lambda t: t.decided)
    strata = []
    for wanted in (True, False):
        size = sum(predicted(t) == wanted for t in population)
        inside = [t for t in sample if predicted(t) == wanted]
        if size and not inside:
            where = "with" if wanted else "without"
            return f"of the {size} texts {where} it in the model's answer, none was decided so"
        strata.append(Stratum(size, len(inside), sum(map(decided, inside))))
    value = estimates.recall(strata[:1], strata[1:])
    if value is None:
        return f"none of the {len(sample)} decided texts holds it"
    basis = worst(t.basis for t in sample if t.basis is not None)
    return _figure(
        RECALL, value, sample, len(population), basis=basis, label=label, strata=tuple(strata)
    )


def _labelled(
    label: str, annotation_of: Callable[[Known], Optional[Annotation]]
) -> Callable[[Known], bool]:
    def is_labelled(text: Known) -> bool:
        return label in _labels(annotation_of(text) or NOTHING)

    return is_labelled


def _labels(annotation: Annotation) -> FrozenSet[str]:
    parts = (annotation.spans, annotation.cats, annotation.relations)
    return frozenset(one.label for part in parts for one in part)


def _figure(
    name: str,
    value: Interval,
    sample: Sequence[Known],
    population: int,
    *,
    basis: str,
    label: Optional[str] = None,
    strata: Tuple[Stratum, ...] = (),
) -> Figure:
    return Figure(
        name=name,
        value=value.value,
        low=value.low,
        high=value.high,
        basis=basis,
        decided=len(sample),
        population=population,
        lanes=tuple(sorted(Counter(t.lane for t in sample).items())),
        imported=sum(t.imported for t in sample),
        label=label,
        strata=strata,
    )
