"""Where a project stands, and what to do next, read from its dataset and its folders."""

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from spacy.language import Language

from ...dataset.audits import PRODUCTION
from ...dataset.history import HistorySummary, TaskHistory
from ...dataset.reviews import DecisionHead, decision_heads
from ...dataset.store import Dataset
from ...dataset.tally import (
    ProposalKey,
    TaskTally,
    count_unproposed,
    tally_decisions,
    tally_proposals,
)
from ...dataset.task_versions import read_histories
from ...dataset.views import TrainingSet
from ...errors import Errors, InputError
from ...pipeline.hitl_llm import PromptedTask
from ...pipeline.loading import load_prompted, prompted_tasks, split_variant
from ...records import OK
from ...scoring.clock import Clock, ClockTally
from ...scoring.results import TaskMetrics, read_all_metrics
from ...scoring.students import trained_path, without_others
from ...settings import Settings
from ..exported import read_exported, task_states
from ..quality import TaskQuality, audit_quality
from .files import (
    Digests,
    corpus_step,
    figures_step,
    find_texts,
    read_figures,
    student_step,
    training_config,
)
from .live import Live, gates, production_step, promoted_word, read_live
from .next_step import Place, next_steps
from .standing import Gate, Proposals, Step, TaskStatus

MENTIONS = ("linking", "relations")  # kinds that work on what another task found


@dataclass(frozen=True)
class ProjectStatus:
    """The whole project.

    rows, lanes: rows, and texts by lane. near_duplicates: texts of train and dev that are left out.
    clock: how the work of all people together goes; people: of each, by name.
    quality: of the tasks that are audited in production, over time.
    link, version: what production loads, and where that points to. problems: in sentences.
    """

    rows: int
    lanes: Dict[str, int]
    tasks: Tuple[TaskStatus, ...]
    near_duplicates: int
    clock: Clock
    people: Dict[str, Clock]
    quality: Tuple[TaskQuality, ...] = ()
    link: str = ""
    version: Optional[str] = None
    problems: Tuple[str, ...] = ()


@dataclass(frozen=True)
class _Stored:
    """What the dataset says; without one, nothing."""

    rows: int = 0
    lanes: Dict[str, int] = field(default_factory=dict)
    sources: Tuple[str, ...] = ()
    tallies: Dict[str, TaskTally] = field(default_factory=dict)
    proposals: Dict[str, Proposals] = field(default_factory=dict)
    corpora: Dict[str, Step] = field(default_factory=dict)
    people: Dict[str, Clock] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    quality: Tuple[TaskQuality, ...] = ()
    near_duplicates: int = 0


def project_status(config: Path, *, code: Optional[Path] = None) -> ProjectStatus:
    """Read where a project stands. Nothing is changed.

    config (Path): Config of the prompted pipeline.
    code (Optional[Path]): The user's own code that was imported: the next commands need it, too.
    RETURNS (ProjectStatus): Counts, figures, and what to do next. What is missing, or can't be
        read, is said in it.
    RAISES (InputError): If the config can't be used.
    RAISES (StateError): If the dataset is there and can't be read.
    """
    nlp, settings = load_prompted(config)
    prompted = prompted_tasks(nlp)
    digest = Digests()
    link = settings.pipelines / settings.promote.name
    live = read_live(link, digest)
    stored = _read_dataset(config, settings, prompted, live)
    tasks = _tasks(config, settings, prompted, live, stored, digest)
    place = _place(config, settings, nlp, live, stored, code=code)
    return ProjectStatus(
        rows=stored.rows,
        lanes=stored.lanes,
        tasks=tuple(next_steps(place, tasks)),
        near_duplicates=stored.near_duplicates,
        clock=stored.clock,
        people=stored.people,
        quality=stored.quality,
        link=str(link),
        version=live.version,
        problems=(live.problem,) if live.problem else (),
    )


def project_metrics(config: Path) -> List[TaskMetrics]:
    """RETURNS (List[TaskMetrics]): The last evaluation of every task that was measured.
    RAISES (InputError): If none was.
    """
    nlp, settings = load_prompted(config)
    metrics = read_all_metrics(settings.metrics, list(prompted_tasks(nlp)))
    if not metrics:
        raise InputError(Errors.H500.format(task="any", path=settings.metrics))
    return list(metrics.values())


def _read_dataset(
    config: Path, settings: Settings, prompted: Mapping[str, PromptedTask], live: Live
) -> _Stored:
    if not settings.dataset.exists():
        return _Stored()
    dataset = Dataset(settings.dataset)
    with ExitStack() as stack:
        dataset.db.open(readonly=True)
        stack.callback(dataset.db.close)
        now = {name: p.task for name, p in prompted.items()}
        histories = read_histories(dataset, now, settings.changes, path=config)
        clock = ClockTally()
        heads = _counted(decision_heads(dataset, list(now)), clock)
        tallies = tally_decisions(dataset, histories, heads)
        states, exported = task_states(dataset, histories), read_exported(settings.corpus)
        sources = sorted(dataset.tally("rows", "source").items(), key=lambda one: -one[1])
        stored = _Stored(
            rows=dataset.count("rows"),
            lanes={lane: n for (lane,), n in sorted(dataset.tally("texts", "lane").items())},
            sources=tuple(source for (source,), _ in sources),
            tallies=tallies,
            proposals=_proposals(dataset, prompted, histories),
            corpora={
                name: corpus_step(settings, name, state, exported.get(name))
                for name, state in states.items()
            },
            people=clock.people(),
            clock=clock.clock(),
            quality=tuple(audit_quality(dataset, histories, live.meta)),
        )
    with TrainingSet(settings.dataset) as training:
        return replace(stored, near_duplicates=sum(training.near_duplicates().values()))


def _counted(heads: Iterable[DecisionHead], clock: ClockTally) -> Iterator[DecisionHead]:
    for head in heads:
        clock.add(head)
        yield head


def _proposals(
    dataset: Dataset,
    prompted: Mapping[str, PromptedTask],
    histories: Mapping[str, TaskHistory],
) -> Dict[str, Proposals]:
    """RETURNS (Dict[str, Proposals]): By task; not what production said."""
    counts = tally_proposals(dataset)
    found = {}
    for name, task in prompted.items():
        source, sample, _ = task.key
        own = ProposalKey(name, source, sample, histories[name].header.task_digest)
        mine = dict(counts.get(own, {}))
        other: Dict[str, int] = {}
        for key, one in counts.items():
            if key.task == name and key != own and not key.source.startswith(PRODUCTION):
                what = _other(key, own)
                other[what] = other.get(what, 0) + one[OK]
        found[name] = Proposals(
            source=source,
            usable=mine.pop(OK, 0),
            unusable=mine,
            other={what: n for what, n in other.items() if n},
            missing=count_unproposed(dataset, own),
        )
    return found


def _other(key: ProposalKey, own: ProposalKey) -> str:
    """RETURNS (str): What proposals are of that do not count for a config."""
    if key.task_digest != own.task_digest:
        return f"{key.source}, another version of the task"
    return f"{key.source}, further samples" if key.source == own.source else key.source


def _tasks(
    config: Path,
    settings: Settings,
    prompted: Mapping[str, PromptedTask],
    live: Live,
    stored: _Stored,
    digest: Digests,
) -> List[TaskStatus]:
    metrics: Dict[str, TaskMetrics] = {}
    problems: Dict[str, str] = {}
    for name in prompted:
        found, problems[name] = read_figures(settings, name)
        if found is not None:
            path = trained_path(settings.training, name)
            metrics[name] = without_others(found, path, digest=digest)
    gate = gates(settings, metrics, live)
    configs = split_variant(config)[0].parent
    audited = {q.task: q for q in stored.quality}
    tasks = []
    for name, task in prompted.items():
        header = task.task.header(name)
        tally = stored.tallies.get(name) or TaskTally(HistorySummary())
        production = production_step(settings, name, live, digest)
        if name in audited:
            fell = bool(audited[name].quality.falls)
            production = replace(production, waiting=audited[name].waiting, fell=fell)
        tasks.append(
            TaskStatus(
                task=name,
                kind=header.kind,
                proposals=stored.proposals.get(name) or Proposals(task.key[0]),
                decisions=tally.summary,
                lanes=tally.lanes,
                corpus=stored.corpora.get(name) or Step(str(settings.corpus / f"{name}.jsonl")),
                student=student_step(
                    settings, name, training_config(configs, name, prompted=config)
                ),
                figures=figures_step(settings, name, metrics.get(name), problems[name], digest),
                gate=gate.get(name) or Gate(floor=settings.promote.floors.get(name)),
                production=production,
                promoted=promoted_word(live.meta, name),
                needs=_needs(name, prompted),
                catalog=header.catalog,
                problems=(problems[name],) if problems[name] else (),
            )
        )
    return tasks


def _needs(name: str, prompted: Mapping[str, PromptedTask]) -> Tuple[str, ...]:
    """RETURNS (Tuple[str, ...]): Tasks before this one that find the mentions it works on."""
    task: Any = prompted[name].task
    if task.header(name).kind not in MENTIONS:
        return ()
    wanted = _mention_labels(task)
    before = list(prompted)[: list(prompted).index(name)]
    finders = [other for other in before if prompted[other].task.header(other).kind == "ner"]
    fitting = [o for o in finders if not wanted or wanted & set(prompted[o].task.labels)]
    return tuple(fitting)


def _mention_labels(task: Any) -> "set[str]":
    label = getattr(task, "mention_label", None)
    if isinstance(label, str):
        return {label}
    allowed = getattr(task, "allowed", None)
    pairs = allowed.values() if isinstance(allowed, Mapping) else ()
    return {label for ends in pairs for end in ends for label in _flat(end)}


def _flat(value: Any) -> Sequence[str]:
    return [value] if isinstance(value, str) else [one for v in value for one in _flat(v)]


def _place(
    config: Path,
    settings: Settings,
    nlp: Language,
    live: Live,
    stored: _Stored,
    *,
    code: Optional[Path],
) -> Place:
    return Place(
        config=str(config),
        texts=find_texts(settings, stored.sources),
        link=str(settings.pipelines / settings.promote.name),
        version=live.version,
        corpus=str(settings.corpus),
        training=str(settings.training),
        metrics=str(settings.metrics),
        configs=str(split_variant(config)[0].parent),
        min_gold=settings.promote.min_gold,
        floors=tuple(settings.promote.floors),
        live=live.tasks,
        lang=nlp.lang or "en",
        code=None if code is None else str(code),
    )
