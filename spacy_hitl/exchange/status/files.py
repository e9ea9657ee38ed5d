"""What lies in a project's folders for a task: corpora, student, figures, verdict, production.

Whatever is missing, half there or unreadable is told in words; nothing here fails.
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import Dict, Optional, Sequence, Tuple

from spacy.util import load_config

from ...dataset.digests import plain_name
from ...errors import HitlError
from ...io import file_digest, first_keys, folder_digest, read_json
from ...pipeline.loading import CONFIG_ERRORS
from ...records import Learned
from ...scoring.results import BASELINE, PROMPTED, STUDENT, SystemScore, TaskMetrics
from ...scoring.students import other_model, trained_path
from ...settings import Settings
from ..exported import TaskState
from .standing import (
    BROKEN,
    CURRENT,
    MISSING,
    STALE,
    UNKNOWN,
    Figures,
    Step,
    Student,
)

LINEAGE = "hitl"


class Digests:
    """Digests of folders, each worked out once."""

    def __init__(self) -> None:
        self._known: Dict[Path, str] = {}

    def __call__(self, path: Path) -> str:
        """RETURNS (str): As `folder_digest`."""
        if path not in self._known:
            self._known[path] = folder_digest(path)
        return self._known[path]


def corpus_step(
    settings: Settings, task: str, now: TaskState, exported: Optional[TaskState]
) -> Step:
    """Say whether the exported corpora of a task are what an export would write now.

    settings (Settings): Where they are.
    task (str): The task.
    now (TaskState): What the dataset holds.
    exported (Optional[TaskState]): What they were made from; None if that is not known.
    RETURNS (Step): What is known.
    """
    paths = settings.corpus / f"{task}.jsonl", settings.corpus / "gold" / f"{task}.jsonl"
    said = str(paths[0])
    for path in paths:
        if not path.is_file():
            return Step(said, MISSING, f"'{path}' is not there")
        if not first_keys(path):
            return Step(said, BROKEN, f"'{path}' can't be read")
    if exported is None:
        return Step(said, STALE, "it is not known what the corpora were made from")
    if (exported.corpus, exported.gold_corpus) != tuple(map(file_digest, paths)):
        return Step(said, STALE, "the corpora were changed after the export")
    for name, why in (
        ("version", "the task was changed since the export"),
        ("decisions", "decisions were added since the export"),
        ("last", "decisions were added since the export"),
        ("proposals", "proposals were added since the export"),
        ("gold", "texts were added since the export"),
    ):
        if getattr(now, name) != getattr(exported, name):
            return Step(said, STALE, why)
    return Step(said, CURRENT)


def training_config(configs: Path, task: str, *, prompted: Path) -> Optional[str]:
    """Find the config that trains the student of a task.

    configs (Path): The folder to look in.
    task (str): Name of the task and of its component.
    prompted (Path): The config of the project, which is none.
    RETURNS (Optional[str]): TASK.cfg if it is there, else the first whose pipeline has the task.
    """
    own = configs / f"{task}.cfg"
    if own.is_file():
        return str(own)
    for path in sorted(configs.glob("*.cfg")):
        if path == prompted:
            continue
        try:
            nlp = load_config(path, interpolate=False).get("nlp", {})
        except CONFIG_ERRORS:
            continue
        names = nlp.get("pipeline") if isinstance(nlp, dict) else None
        if isinstance(names, list) and task in names:
            return str(path)
    return None


def student_step(settings: Settings, task: str, config: Optional[str]) -> Student:
    """Say whether there is a student, and whether it learned from what is there now.

    settings (Settings): Where it is.
    task (str): Its task.
    config (Optional[str]): What it can be trained with.
    RETURNS (Student): What is known.
    """
    folder = trained_path(settings.training, task)
    suspects = (settings.corpus / "label_errors" / f"{task}.jsonl").is_file()
    found = Student(str(folder), config=config, suspects=suspects)
    if not folder.exists():
        return found
    try:
        meta = read_json(folder / "meta.json", what="meta")
        section = meta.get(LINEAGE) if isinstance(meta, dict) else None
        value = section.get("learned") if isinstance(section, dict) else None
        learned = None if value is None else Learned.from_dict(value, where=f"{folder}/meta.json")
    except HitlError:
        return replace(found, state=BROKEN, why="what is there can't be read: half a student")
    if not (folder / "config.cfg").is_file():
        return replace(found, state=BROKEN, why="what is there has no config: half a student")
    if learned is None:
        why = "it does not say what it learned from"
        return replace(found, state=UNKNOWN, why=why)
    corpora = tuple((c.name, c.digest[:8]) for c in learned.corpora)
    found = replace(found, corpora=corpora)
    changed = _changed(settings, learned)
    if changed is not None:
        return replace(found, state=STALE, why=f"'{changed}' was changed since it learned from it")
    return replace(found, state=CURRENT)


def _changed(settings: Settings, learned: Learned) -> Optional[str]:
    """RETURNS (Optional[str]): The first of its inputs that is not any more what it was."""
    for corpus in learned.corpora:
        path = _here(corpus.name)
        if not path.is_file():  # what an absolute path led to has only its name here
            path = settings.corpus / f"{corpus.task}.jsonl"
        if not path.is_file() or file_digest(path) != corpus.digest:
            return corpus.name
    for name, digest in learned.files:
        path = _here(name)
        if path.is_file() and file_digest(path) != digest:
            return name
    return None


def _here(name: str) -> Path:
    return Path(plain_name(os.path.normpath(name)))


def read_figures(settings: Settings, task: str) -> Tuple[Optional[TaskMetrics], str]:
    """RETURNS (Tuple[Optional[TaskMetrics], str]): What was measured; or None, and why it can't be
    read if something is there.
    """
    path = settings.metrics / f"{task}.json"
    if not path.exists():
        return None, ""
    try:
        metrics = TaskMetrics.from_dict(read_json(path, what="metrics"), where=str(path))
    except HitlError as e:
        return None, str(e)
    if metrics.header.task != task:
        return None, f"'{path}' holds figures of '{metrics.header.task}'"
    return metrics, ""


def figures_step(
    settings: Settings, task: str, metrics: Optional[TaskMetrics], problem: str, digest: Digests
) -> Figures:
    """Say whether there are figures, and whether they are of this very student and of these texts.

    settings (Settings): Where everything is.
    task (str): The task.
    metrics (Optional[TaskMetrics]): What was measured, with one student at most.
    problem (str): Why it can't be read.
    digest (Digests): Of folders.
    RETURNS (Figures): The student's figures.
    """
    path = str(settings.metrics / f"{task}.json")
    if metrics is None:
        why = f"'{path}' can't be read: measure again" if problem else ""
        return Figures(path, BROKEN if problem else MISSING, why)
    student = metrics.by_role(STUDENT)
    if student is None:
        return Figures(path, MISSING, f"no student is measured in '{path}'", main=metrics.main)
    found = Figures(
        path,
        CURRENT,
        main=metrics.main,
        score=student.score,
        low=student.low,
        high=student.high,
        gold_texts=metrics.gold_texts,
        lacks=_lacks(settings, metrics, student),
    )
    other = other_model(task, student, settings.training, digest=digest)
    gold = settings.corpus / "gold" / f"{task}.jsonl"
    if other is not None:
        gone = "is not there any more" if not other.exists() else "is another model by now"
        return replace(
            found, state=STALE, why=f"the figures are of an older student: '{other}' {gone}"
        )
    if metrics.gold_digest and gold.is_file() and file_digest(gold) != metrics.gold_digest:
        return replace(found, state=STALE, why="the figures are on other gold texts than those now")
    return found


def _lacks(settings: Settings, metrics: TaskMetrics, student: SystemScore) -> str:
    rules, task = settings.promote, metrics.header.task
    if metrics.by_role(BASELINE) is None:
        return "no baseline was measured"
    margin = rules.margins.get(task, rules.margin)
    if margin is not None and metrics.by_role(PROMPTED) is None:
        return "a margin is set, and the prompted original was not measured"
    speed = student.words_per_s if student.speed is None else student.speed.words_per_s
    if rules.min_words_per_s is not None and speed is None:
        return "its speed was not measured"
    return ""


def find_texts(settings: Settings, sources: Sequence[str]) -> Optional[str]:
    """Find a file with texts.

    settings (Settings): What their fields are called.
    sources (Sequence[str]): Names of the files that are stored, the biggest first.
    RETURNS (Optional[str]): The first of these that is still there; without any, one that looks
        like texts.
    """
    folders = [Path(), *sorted(p for p in Path().glob("[!.]*") if p.is_dir())]
    for source in sources:
        for folder in folders:
            if (folder / source).is_file():
                return str(folder / source)
    if sources:
        return None
    fields = {settings.data.id_field, settings.data.text_field}
    made = {settings.corpus, settings.metrics, settings.training, settings.dataset.parent}
    for folder in folders:
        for path in sorted(folder.glob("*.jsonl")) if folder not in made else ():
            if path.is_file() and fields <= first_keys(path):
                return str(path)
    return None
