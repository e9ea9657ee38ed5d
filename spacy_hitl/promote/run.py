"""Compose the students that pass into one pipeline, and swap the link that production loads."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

from spacy.language import Language
from spacy.util import get_minor_version_range

from ..about import __version__
from ..errors import Errors, InputError
from ..io import folder_digest, json_digest
from ..pipeline.compose import compose
from ..pipeline.loading import load_prompted, load_trained, prompted_components, prompted_tasks
from ..records import Lineage
from ..scoring.gate import Verdict, hold_dependents, judge
from ..scoring.results import STUDENT, SystemScore, TaskMetrics, read_all_metrics
from ..scoring.students import other_model, trained_path, without_others
from ..settings import Settings
from .card import fill_meta, write_card
from .lineage import definitions_of, describe, write_signed
from .switch import locked, read_meta, swap, write_version


@dataclass(frozen=True)
class Promotion:
    """What was decided and made.

    prompted: held tasks that ask a model in the new version. link, version: None if nothing was
    promoted: every task was held, or production would have lost `missing`, tasks that it has.
    """

    verdicts: Tuple[Verdict, ...]
    prompted: Tuple[str, ...] = ()
    link: Optional[Path] = None
    version: Optional[Path] = None
    missing: Tuple[str, ...] = ()

    @property
    def held(self) -> Tuple[Verdict, ...]:
        """The verdicts of the tasks that did not pass."""
        return tuple(v for v in self.verdicts if not v.passed)


def promote(
    config_path: Path,
    *,
    with_prompted: bool = False,
    drop_held: bool = False,
    code: Optional[Path] = None,
) -> Promotion:
    """Judge all students, compose those that pass, and make the result the current version.

    config_path (Path): Config of the prompted pipeline, with a [hitl] section.
    with_prompted (bool): Add held tasks as prompted components.
    drop_held (bool): Go on though production then loses a task that it has.
    code (Optional[Path]): The user's own code that was imported, for the lineage.
    RETURNS (Promotion): Verdicts, and where the pipeline is.
    RAISES (InputError): If metrics are missing or are not those of the trained folders.
    RAISES (StateError): If the result can't be written; the current version stays as it is.
    """
    prompted_nlp, settings = load_prompted(config_path)
    link = settings.pipelines / settings.promote.name
    metrics = read_metrics(settings, list(prompted_tasks(prompted_nlp)), path=config_path)
    verdicts = {
        task: judge(m, settings.promote, rival=_rival(m, link)) for task, m in metrics.items()
    }
    students = {task: m.by_role(STUDENT) for task, m in metrics.items()}
    needs = {
        task: tuple(name for name, _ in s.needs) for task, s in students.items() if s is not None
    }
    verdicts = hold_dependents(verdicts, needs)
    passed = [task for task, v in verdicts.items() if v.passed]
    held = [task for task, v in verdicts.items() if not v.passed]
    prompted = held if with_prompted else []
    if not passed:
        return Promotion(tuple(verdicts.values()))
    missing = () if drop_held else tasks_lost(read_meta(link), [*passed, *prompted])
    if missing:
        return Promotion(tuple(verdicts.values()), missing=missing)
    with locked(link, settings.versions):
        parts = []
        for task in passed:
            path = trained_path(settings.training, task)
            nlp = load_trained(path)
            _check_digests(task, students[task], settings)
            parts.append((str(path), nlp))
        pipeline = compose(parts)
        _add_prompted(pipeline, prompted_nlp, prompted)
        lineage = describe(
            name=settings.promote.name,
            metrics=metrics,
            metrics_folder=settings.metrics,
            trained=dict(zip(passed, (nlp for _, nlp in parts), strict=True)),
            prompted_nlp=prompted_nlp,
            prompted=prompted,
            verdicts=tuple(verdicts.values()),
            code=code,
        )
        fill_meta(pipeline, lineage, metrics, settings.promote)
        pipeline.meta["version"] = _version_number(settings, lineage, pipeline)
        if prompted:
            pipeline.meta["requirements"] = [
                f"spacy-hitl[llm]{get_minor_version_range(__version__)}"
            ]
        card = write_card(pipeline, lineage, metrics, definitions_of(prompted_nlp))
        version = write_version(
            lambda folder: write_signed(pipeline, folder, lineage, card), settings.versions
        )
        swap(link, version)
    return Promotion(tuple(verdicts.values()), tuple(prompted), link, version)


def _version_number(settings: Settings, lineage: Lineage, pipeline: Language) -> str:
    """Number a version, so that no two packages with other content have the same one.

    RETURNS (str): The project's number, and after "+" 8 digits of what the pipeline is made of (a
        local version of PEP 440): the same for the same, whenever it is promoted.
    """
    digest = json_digest([lineage.to_dict(), pipeline.config.to_str()])
    return f"{settings.promote.version}+g{digest[:8]}"


def tasks_lost(meta: Dict[str, Any], tasks: Sequence[str]) -> Tuple[str, ...]:
    """RETURNS (Tuple[str, ...]): Tasks that the pipeline with this meta has, as students or
    prompted, and that are not among the given ones.
    """
    lineage = meta.get("hitl", {})
    there = [*lineage.get("students", {}), *lineage.get("prompted", ())]
    order = meta.get("pipeline", [])
    there.sort(key=lambda task: order.index(task) if task in order else len(order))
    return tuple(task for task in there if task not in tasks)


def _rival(metrics: TaskMetrics, link: Path) -> Optional[str]:
    """RETURNS (Optional[str]): Digest of the pipeline in production if that has another student."""
    students = read_meta(link).get("hitl", {}).get("students", {})
    student = metrics.by_role(STUDENT)
    there = students.get(metrics.header.task)
    if there is None or student is None or there.get("student_digest") == student.digest:
        return None
    return folder_digest(link.resolve())


def _add_prompted(pipeline: Language, prompted_nlp: Language, held: Sequence[str]) -> None:
    """Add the components that still ask, each in its place of the config's order; a joint one asks
    for its held parts only.
    """
    order = list(prompted_tasks(prompted_nlp))
    for name, component in prompted_components(prompted_nlp).items():
        wanted = [task for task in component.tasks if task in held]
        if not wanted:
            continue
        later = order[order.index(wanted[-1]) + 1 :]
        before = next((task for task in later if task in pipeline.pipe_names), None)
        if len(wanted) == len(component.tasks):
            pipeline.add_pipe(name, source=prompted_nlp, before=before)
        else:
            config = prompted_nlp.config["components"][name].copy()
            parts = config["task"]["parts"]
            config["task"]["parts"] = {part: parts[part] for part in wanted}
            pipeline.add_pipe(config.pop("factory"), name=name, config=config, before=before)


def _check_digests(task: str, student: Optional[SystemScore], settings: Settings) -> None:
    """Refuse figures that were measured on other folders than those that would be promoted."""
    assert student is not None
    path = other_model(task, student, settings.training)
    if path is not None:
        metrics_path = settings.metrics / f"{task}.json"
        remedy = f"Run 'spacy hitl evaluate' for '{task}' again."
        raise InputError(Errors.H505.format(path=metrics_path, trained=path, remedy=remedy))


def read_metrics(settings: Settings, tasks: List[str], *, path: Path) -> Dict[str, TaskMetrics]:
    """Read what was measured.

    settings (Settings): Where the metrics are, and what is asked of which task.
    tasks (List[str]): The tasks of the prompted pipeline, in its order.
    path (Path): Its config, for the error message.
    RETURNS (Dict[str, TaskMetrics]): The metrics of those tasks that were measured. Of several
        students of a task, only the one in the trained folder is among them.
    RAISES (InputError): If none was, a task that has a floor was not, or a rule names no task.
    """
    rules = settings.promote
    for section in ("floors", "label_floors", "margins"):
        for task in getattr(rules, section):
            if task not in tasks:
                known = ", ".join(tasks)
                message = Errors.H513.format(section=section, task=task, path=path, known=known)
                raise InputError(message)
    metrics = read_all_metrics(settings.metrics, tasks)
    missing = [t for t in tasks if t in rules.floors and t not in metrics]
    if missing or not metrics:
        task = missing[0] if missing else "any"
        raise InputError(Errors.H500.format(task=task, path=settings.metrics))
    return {t: without_others(m, trained_path(settings.training, t)) for t, m in metrics.items()}
