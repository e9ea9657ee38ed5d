"""How well the people of a project agree, with each other and with the models."""

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from ...dataset.decisions import SPREAD, Standing
from ...dataset.history import TaskHistory
from ...dataset.store import Dataset
from ...dataset.task_versions import decisions_by_text, read_histories
from ...errors import Errors, InputError
from ...pipeline.loading import load_prompted, prompted_tasks
from ...records import (
    ADJUDICATION,
    GOLD,
    IMPORT,
    LANES,
    RECHECK,
    Annotation,
    Decision,
    TaskHeader,
)
from ...scoring.agreement import Agreement, measure_agreement, one_number
from ...scoring.coding import CodedText, Coding
from .adjudication import SAME, align

# Not what somebody said of a text by themselves.
SHARED = (*SPREAD, ADJUDICATION, RECHECK)
MANY_LABELS = 50  # a figure for each of more labels is no table any more
Tokens = Tuple[Tuple[int, int], ...]


@dataclass(frozen=True)
class TaskAgreement:
    """One task.

    people, models: the annotators. together: the people; labels: the same, label by label. all:
    people and models as annotators alike, without gold. ways: how often people differ in which way
    (`adjudication.WAYS`), over pairs of people. seen: of the texts that are compared with models,
    how many answers were given with a proposal in sight. refused: texts that somebody rejected and
    somebody accepted.
    """

    task: str
    people: Tuple[str, ...]
    models: Tuple[str, ...]
    together: Agreement
    labels: Tuple[Agreement, ...]
    all: Agreement
    ways: Dict[str, int]
    compared: int
    seen: int
    refused: int

    def to_json(self) -> Dict[str, Any]:
        """RETURNS (Dict[str, Any]): The figures as JSON values."""
        return asdict(self)


def agreement_report(
    config: Path,
    *,
    task: Optional[str] = None,
    lanes: Sequence[str] = LANES,
    imported: bool = False,
) -> List[TaskAgreement]:
    """Measure how well people and models agree. Nothing is changed.

    Counted is what each person decided of a text by themselves: no propagated, bulk or adjudicated
    decisions. Texts of lane gold count between people, never against a model.

    config (Path): Config of the prompted pipeline.
    task (Optional[str]): Only this task.
    lanes (Sequence[str]): The lanes to look at.
    imported (bool): Count decisions from files too: their annotators are people of another tool.
    RETURNS (List[TaskAgreement]): By task, those of which anything can be said.
    RAISES (InputError): If there is no such task or lane, or nobody decided on what another
        annotator or a model has an answer to.
    """
    for lane in lanes:
        if lane not in LANES:
            names = ", ".join(LANES)
            raise InputError(Errors.H054.format(where="--lanes", lane=lane, lanes=names))
    nlp, settings = load_prompted(config)
    tasks = {name: prompted.task for name, prompted in prompted_tasks(nlp).items()}
    if task is not None and task not in tasks:
        raise InputError(Errors.H130.format(path=config, task=task, known=", ".join(tasks)))
    dataset = Dataset(settings.dataset)
    dataset.db.open(readonly=True)
    found = []
    try:
        histories = read_histories(dataset, tasks, settings.changes, path=config)
        lane_of = {digest: lane for digest, _, _, lane in dataset.texts(lanes=lanes)}
        for name in [task] if task is not None else list(tasks):
            history = histories[name]
            voices = list(_read(dataset, history, lane_of, imported=imported))

            def tokens(digest: str, header: TaskHeader = history.header) -> Tokens:
                if header.kind not in ("ner", "spancat"):
                    return ()
                doc = nlp.make_doc(dataset.text(digest))
                return tuple((t.idx, t.idx + len(t)) for t in doc)

            coded = [(v, CodedText(tokens(v.digest), v.codings)) for v in voices]
            if coded:
                found.append(_measure(history.header, coded))
    finally:
        dataset.db.close()
    if not found:
        which = "any task" if task is None else f"task '{task}'"
        raise InputError(Errors.H234.format(which=which, lanes=", ".join(lanes)))
    return found


def calibration_agreement(
    texts: Iterable[Tuple[Tokens, Mapping[str, Sequence[Decision]]]],
    annotators: Sequence[str],
    histories: Mapping[str, TaskHistory],
) -> Optional[float]:
    """Say how well people agree on the texts of a calibration round.

    texts (Iterable[Tuple[Tokens, Mapping[str, Sequence[Decision]]]]): Places of the tokens, and all
        decisions by task, oldest first.
    annotators (Sequence[str]): The people.
    histories (Mapping[str, TaskHistory]): The tasks that count.
    RETURNS (Optional[float]): Of the task with the lowest agreement (as `one_number` has it); None
        as long as no two people have decided on the same text.
    """
    texts = list(texts)
    numbers = []
    for name, history in histories.items():
        coded = [
            CodedText(tokens, _codings(_own(made.get(name, ()), history, imported=False)))
            for tokens, made in texts
        ]
        numbers.append(one_number(coded, annotators, history.header))
    return min((n for n in numbers if n is not None), default=None)


@dataclass(frozen=True)
class _Voices:
    """What is said of one text. refused: whether somebody rejected it and somebody accepted."""

    digest: str
    gold: bool
    people: Dict[str, Standing]
    models: Dict[str, Annotation]

    @property
    def codings(self) -> Dict[str, Coding]:
        models = {name: Coding(annotation) for name, annotation in self.models.items()}
        return {**_codings(self.people), **models}

    @property
    def refused(self) -> bool:
        found = {s.rejected for s in self.people.values() if s.rejected or s.annotation is not None}
        return len(found) > 1


def _read(
    dataset: Dataset, history: TaskHistory, lane_of: Mapping[str, str], *, imported: bool
) -> Iterator[_Voices]:
    """YIELDS (_Voices): Texts of which a person and anybody else says something."""
    task, digest_now = history.header.task, history.header.task_digest
    for decisions in decisions_by_text(dataset, task):
        digest = decisions[0].text_digest
        if digest not in lane_of:
            continue
        people = _own(decisions, history, imported=imported)
        models: Dict[str, Annotation] = {}
        if people and lane_of[digest] != GOLD:
            for p in dataset.proposals(task, digest):
                if p.usable and p.task_digest == digest_now:
                    models.setdefault(f"{p.source} (model)", p.annotation)  # the first sample
        if people and len(people) + len(models) > 1:
            yield _Voices(digest, lane_of[digest] == GOLD, people, models)


def _own(
    decisions: Sequence[Decision], history: TaskHistory, *, imported: bool
) -> Dict[str, Standing]:
    """RETURNS (Dict[str, Standing]): What each person said of a text by themselves."""
    made = [d for d in decisions if d.mode not in SHARED and (imported or d.origin != IMPORT)]
    return {n: s for n, s in history.standing_of(made).items() if not s.put_aside}


def _codings(people: Mapping[str, Standing]) -> Dict[str, Coding]:
    codings = {}
    for name, found in people.items():
        if found.annotation is not None:
            codings[name] = Coding(found.annotation)
        elif found.partial is not None and found.partial.labels:
            partial = found.partial
            codings[name] = Coding(partial.annotation, frozenset(partial.labels))
    return codings


def _measure(header: TaskHeader, coded: Sequence[Tuple[_Voices, CodedText]]) -> TaskAgreement:
    people = sorted({name for voices, _ in coded for name in voices.people})
    models = sorted({name for voices, _ in coded for name in voices.models})
    texts = [text for _, text in coded]
    open_ = [(voices, text) for voices, text in coded if not voices.gold]
    each = header.kind != "linking" and len(header.labels) <= MANY_LABELS
    compared = [s for v, _ in open_ for s in v.people.values() if v.models]
    return TaskAgreement(
        task=header.task,
        people=tuple(people),
        models=tuple(models),
        together=measure_agreement(texts, people, header),
        labels=tuple(
            measure_agreement(texts, people, header, label)
            for label in (header.labels if each and len(people) > 1 else ())
        ),
        all=measure_agreement([text for _, text in open_], [*people, *models], header),
        ways=_ways(texts, people, header),
        compared=len(compared),
        seen=sum(not s.blind for s in compared),
        refused=sum(voices.refused for voices, _ in coded),
    )


def _ways(texts: Sequence[CodedText], people: Sequence[str], header: TaskHeader) -> Dict[str, int]:
    """How people differ, over all pairs on each text."""
    counts: Counter[str] = Counter()
    known: Set[str] = set(people)
    for text in texts:
        said = [c.annotation for n, c in sorted(text.by.items()) if n in known and c.labels is None]
        for i, one in enumerate(said):
            for other in said[i + 1 :]:
                counts.update(a.way for a in align(one, other, header) if a.way != SAME)
    return dict(counts.most_common())
