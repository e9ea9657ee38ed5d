"""Measure systems on the gold texts of a task, beside a baseline."""

from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import List, Optional, Sequence, Tuple

from spacy.tokens import Doc

from ..dataset.corpus import iter_decided, read_gold_corpus, read_training_corpus
from ..errors import Errors, InputError
from ..io import file_digest
from ..pipeline.loading import prompted_tasks, settings_of
from ..records import TRAIN, TaskHeader, TaskRow
from ..scoring.outputs import outputs_path, write_outputs
from ..scoring.results import (
    BASELINE,
    PRODUCTION,
    STUDENT,
    Speed,
    SystemScore,
    TaskMetrics,
    main_score,
)
from ..settings import UtilitySettings
from ..tasks.near_duplicates import NEAR
from ..tasks.reference import check_kind
from .baseline import baseline
from .cost import human_seconds, llm_use
from .figures import Figures, Found
from .leaks import check_leaks
from .systems import System, open_production


def evaluate(
    names: Sequence[str],
    *,
    gold: Path,
    train: Path,
    production: Optional[Path] = None,
    config: Optional[Path] = None,
    outputs: Optional[Path] = None,
    speed: bool = True,
    code: Optional[Path] = None,
    near_duplicates: Optional[float] = NEAR,
) -> TaskMetrics:
    """Measure systems on the gold texts of one task.

    names (Sequence[str]): Configs of prompted pipelines, folders of trained ones, or folders
        joined by "+", whose components then run one after the other.
    gold (Path): Exported gold corpus of the task.
    train (Path): Exported training corpus; the baseline learns from its reviewed texts.
    production (Optional[Path]): The link that production loads; measured too if the task is in it.
    config (Optional[Path]): Whose [hitl.utility] holds; without it, that of the configs in `names`.
    outputs (Optional[Path]): Folder to write into what every system found, one file per task.
    speed (bool): Time trained pipelines too, each in a process of its own.
    code (Optional[Path]): Python file with registered functions that they need there.
    near_duplicates (Optional[float]): Similarity from which on a training text or an example of a
        prompt is nearly a gold text (see `check_leaks`); None for the same letters and digits only.
    RETURNS (TaskMetrics): Baseline and systems, each with interval and labels.
    RAISES (InputError): If a file or a component is missing, the task is of another kind than those
        that can be scored, it is not clear what errors cost, or gold texts are among what systems
        learned from or were shown.
    """
    header, rows = read_gold_corpus(gold)
    check_kind(header)
    train_header, train_rows = read_training_corpus(train, header.task)
    if train_header.labels != header.labels:
        raise InputError(Errors.H302.format(path=train, found="other labels", task=header.task))
    reviewed = list(iter_decided(train_rows, lane=TRAIN))
    texts = [row.text for row in rows]
    notes: List[str] = []
    with ExitStack() as stack:
        systems = [stack.enter_context(System(name, header.task)) for name in names]
        values = find_utility(systems, config, header)
        if production is not None:
            live, why_not = open_production(production, header.task)
            notes.extend([why_not] if live is None else ())
            systems.extend([] if live is None else [stack.enter_context(live)])
        check_leaks(
            texts,
            corpora={str(train): [row.text for row in train_rows]},
            pipelines=[([] if s.is_config else s.paths, s.nlp) for s in systems],
            threshold=near_duplicates,
        )
        ran = [system.run(texts) for system in systems]
        notes.extend(_without_mentions(header, systems, ran))
        base_name, base = baseline(header, reviewed, texts, _mentions(systems, ran))
        found = [Found(base_name, BASELINE, base)]
        for system, (docs, _) in zip(systems, ran, strict=True):
            annotations = [system.read(doc, header) for doc in docs]
            scored = [system.cat_scores(doc, header) for doc in docs]
            known = scored if any(scored) else ()
            found.append(Found(system.name, system.role, annotations, known))
        figures = Figures(header, rows, found)
        scores = figures.scores()
        for i, (system, (docs, failed)) in enumerate(zip(systems, ran, strict=True), start=1):
            fast = system.speed(texts, code=code) if speed else None
            scores[i] = _with_facts(scores[i], system, docs, failed, fast)
        human, human_gold = _human_seconds(systems, config, header.task)
    comparisons = figures.comparisons()
    if values is not None:
        scores, comparisons, unknown = figures.with_utility(scores, comparisons, values)
        notes.extend(unknown)
    if outputs is not None:
        write_outputs(outputs_path(outputs, header.task), header, figures.outputs())
    return TaskMetrics(
        header=header,
        main=main_score(header)[0],
        gold_texts=len(rows),
        origins=_origins(rows),
        blind=all(row.blind for row in rows),
        systems=tuple(scores),
        comparisons=tuple(comparisons),
        gold_digest=file_digest(gold),
        train_digest=file_digest(train),
        human_seconds=human,
        human_gold_seconds=human_gold,
        notes=(*notes, *figures.notes),
    )


def find_utility(
    systems: Sequence[System], config: Optional[Path], header: TaskHeader
) -> Optional[UtilitySettings]:
    """Find what annotations of a task are worth.

    systems (Sequence[System]): What is measured; a config among them brings its own [hitl].
    config (Optional[Path]): A config that holds instead.
    header (TaskHeader): What the task is.
    RETURNS (Optional[UtilitySettings]): [hitl.utility.TASK], None if it is not set.
    RAISES (InputError): If two configs say different things, or one names a task or a label that is
        unknown.
    """
    for s in systems:
        tasks = prompted_tasks(s.nlp) if s.is_config else {}
        for name in s.settings.utility if s.is_config and s.settings is not None else ():
            if name not in tasks:
                known = ", ".join(tasks)
                raise InputError(Errors.H405.format(name=name, path=s.name, known=known))
    paths = [s.paths[0] for s in systems if s.is_config] if config is None else [config]
    found = [(path, settings_of(path).utility.get(header.task)) for path in paths]
    for path, other in found[1:]:
        if other != found[0][1]:
            first = found[0][0]
            message = Errors.H403.format(first=first, second=path, task=header.task)
            raise InputError(message)
    path, settings = found[0] if found else (Path(), None)
    for label in () if settings is None else settings.labels:
        if label not in header.labels:
            known = ", ".join(header.labels[:20])
            raise InputError(
                Errors.H404.format(path=path, task=header.task, label=label, known=known)
            )
    return settings


def _with_facts(
    score: SystemScore, system: System, docs: Sequence[Doc], failed: int, speed: Optional[Speed]
) -> SystemScore:
    """Add what must be measured on the system itself."""
    settings = None if system.is_trained else system.settings
    return replace(
        score,
        failed=failed,
        speed=speed,
        llm=None if settings is None else llm_use(docs, system.task, settings),
        words_per_s=None if speed is None else speed.words_per_s,
        megabytes=system.megabytes(),
        digest=system.digest(),
        needs=system.needs,
        threshold=system.threshold,
    )


def _without_mentions(
    header: TaskHeader, systems: Sequence[System], ran: Sequence[Tuple[List[Doc], int]]
) -> List[str]:
    """RETURNS (List[str]): Systems that had nothing to link or to relate, in words."""
    if header.kind not in ("linking", "relations"):
        return []
    return [
        f"'{system.name}' found no mention in any text, so there was nothing to judge. Put what "
        f"finds them in front: FOLDER+{system.name}."
        for system, (docs, _) in zip(systems, ran, strict=True)
        if system.is_trained and not any(doc.ents for doc in docs)
    ]


def _human_seconds(
    systems: Sequence[System], config: Optional[Path], task: str
) -> Tuple[Optional[float], Optional[float]]:
    """Outside gold and on gold, from the dataset of the config that is given or measured."""
    given = [] if config is None else [settings_of(config)]
    known = [*given, *(s.settings for s in systems if s.settings is not None)]
    return human_seconds(task, known[0]) if known else (None, None)


def _mentions(systems: Sequence[System], ran: Sequence[Tuple[List[Doc], int]]) -> List[Doc]:
    """The documents of the last student, else of the last system: what the baseline links."""
    pairs = [(s, docs) for s, (docs, _) in zip(systems, ran, strict=True) if s.role != PRODUCTION]
    students = [docs for system, docs in pairs if system.role == STUDENT]
    return students[-1] if students else (pairs[-1][1] if pairs else [])


def _origins(rows: Sequence[TaskRow]) -> Tuple[Tuple[str, int], ...]:
    return tuple(sorted(Counter(row.origin or "unknown" for row in rows).items()))
